"""The program as sparse rows: variables, cones and what a sweep changes."""
