"""Branch and bound, its incumbents, its certificate and its prices."""
