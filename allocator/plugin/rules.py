"""Dated rule packs: figures with document, article, effective date and degree of certainty."""

from allocator.rulebook.book import USER, Figure, LocalizedName, LocalizedText, RuleBook, read_yaml

__all__ = [
    "Figure",
    "RuleBook",
    "LocalizedName",
    "USER",
    "LocalizedText",
    "read_yaml",
]
