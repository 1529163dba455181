"""What to say where no allocation complies: rules in conflict, and what gives way."""
