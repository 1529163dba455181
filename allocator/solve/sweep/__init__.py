"""Many answers of one program: levels of a ratio or of another term."""
