"""Charges that depend on the book as a whole: the search over its states."""
