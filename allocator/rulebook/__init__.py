"""Dated rule packs: figures with document, article and effective date."""
