"""The relaxation of the capital tree over a box, and how boxes are cut."""
