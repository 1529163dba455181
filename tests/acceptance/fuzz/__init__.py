"""Coverage-guided fuzzing of whatever reads a user's text: one target for each reader."""
