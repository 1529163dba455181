"""Comparisons with other tools; a package of its own, so that none that another distribution ships comes first."""
