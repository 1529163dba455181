"""Dated rule packs: figures with document, article, effective date and degree of certainty."""

from allocator.rulebook.book import USER, Figure, RuleBook, Said, Wording, read_yaml

__all__ = [
    "Figure",
    "RuleBook",
    "Said",
    "USER",
    "Wording",
    "read_yaml",
]
