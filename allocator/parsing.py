"""Numbers and dates as people write them. One grammar for the fund file and for table cells.

Full-width digits and punctuation count as their half-width forms. Whatever is not matched exactly is not
a number: nothing is guessed (``"1,5"`` is neither 1.5 nor 15).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal

__all__ = ["normalise", "parse_date_text", "parse_number_text"]

_SUFFIXES = (("%", Decimal("0.01")), ("bps", Decimal("0.0001")), ("bp", Decimal("0.0001")))
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,4})?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
_DATES = (
    re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII),
    re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})", re.ASCII),
    re.compile(r"(\d{4})\.(\d{1,2})\.(\d{1,2})", re.ASCII),
    re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日", re.ASCII),
    re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII),
)
_MIDNIGHT = re.compile(r"[ t]0{1,2}:00(:00(\.0+)?)?$", re.ASCII)
_LONGEST = 64


def normalise(text: str) -> str:
    """Return half-width text without surrounding white space, any minus sign as ``-``."""
    return unicodedata.normalize("NFKC", text).replace("−", "-").strip()


def parse_number_text(text: str) -> tuple[float, bool] | None:
    """Read a number.

    Accepted are plain and scientific notation, thousands separated by commas in groups of three,
    accounting negatives ``(1,234.50)``, and the suffixes ``%``, ``bp`` and ``bps``.

    Parameters
    ----------
    text : str
        The cell or scalar.

    Returns
    -------
    (float, bool) or None
        The value, scaled by its suffix (``"3.5%"`` is exactly 0.035), and whether it carried one;
        None when the text is not a finite number.
    """
    body = normalise(text).lower()
    if len(body) > _LONGEST:
        return None
    factor = Decimal(1)
    scaled = False
    for suffix, scale in _SUFFIXES:
        if body.endswith(suffix):
            body, factor, scaled = body[: -len(suffix)].rstrip(), scale, True
            break
    if body.startswith("(") and body.endswith(")") and not body.startswith(("(-", "(+")):
        body, factor = body[1:-1].strip(), -factor
    if not (_PLAIN.fullmatch(body) or _GROUPED.fullmatch(body)):
        return None
    value = float(Decimal(body.replace(",", "")) * factor)
    return (value, scaled) if abs(value) != float("inf") else None


def parse_date_text(text: str) -> date | None:
    """Read 2026-06-30, 2026/6/30, 2026.6.30, 20260630 or 2026年6月30日, with or without a midnight time.

    Returns
    -------
    date or None
        None when the text is none of these or no such day exists. Orders other than year, month, day
        are refused: they cannot be distinguished.
    """
    body = normalise(text).lower()
    if len(body) > _LONGEST:
        return None
    body = _MIDNIGHT.sub("", body)
    for pattern in _DATES:
        match = pattern.fullmatch(body)
        if match:
            try:
                return date(*(int(part) for part in match.groups()))
            except ValueError:
                return None
    return None
