"""What stress scenarios are made of: shocks, revaluation, commitments."""
