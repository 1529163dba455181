"""Which language to speak."""

from __future__ import annotations

from collections.abc import Mapping

from allocator.types import Language

__all__ = ["counted", "preferred_language"]


def preferred_language(given: str | None, fund: str | None, environment: Mapping[str, str]) -> Language:
    """Return the language asked for, else the fund file's, else the environment's, else English.

    Parameters
    ----------
    given, fund : str or None
        ``"en"`` or ``"zh"``: what the caller asked for, and what the fund file says.
    environment : mapping of str to str
        ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` are read, in this order; the first one set decides.
    """
    for choice in (given, fund):
        if choice:
            return Language(choice)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return Language.CHINESE if environment[name].lower().startswith("zh") else Language.ENGLISH
    return Language.ENGLISH


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: ``1 row``, ``2 rows``.

    Parameters
    ----------
    number : int
        The number.
    one : str
        The noun for one of them.
    many : str or None
        The noun for several; None adds an s.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
