"""Large problems in parts: sifting, groups and scenario programs."""
