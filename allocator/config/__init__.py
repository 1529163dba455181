"""From fund.yaml to settings: validated, with the place of every value."""
