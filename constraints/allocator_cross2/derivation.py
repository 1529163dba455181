"""How a charge comes about, in words: written for the lines that are shown, never for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Language, Text
from allocator_cross2.charges import ChargeTable, figure_article, figure_label
from allocator_cross2.figures import Piecewise
from allocator_cross2.written import polynomial

__all__ = ["derivations"]

_CLIPPED = Text("clipped to", "截断为")
_CAPPED = Text("capped at", "上限")
_CONCENTRATION = Text("concentration", "集中度")
_WHAT_IF = Text("what-if", "假设")
_PRODUCT = Text("product", "产品")
_AMOUNT = Text("amount", "金额")


class _Factor(NamedTuple):
    """What the factor of a line comes from."""

    figure: int
    rf0: float
    k1: float
    k2: float
    k_product: float
    k_what_if: float
    k_p: float
    k_concentration: float
    k_total: float
    factor: float
    clipped: bool
    duration: float
    rank: int


def derivations(
    table: ChargeTable, lines: NDArray[np.int64] | Sequence[int] | None = None, language: str = Language.ENGLISH
) -> list[str]:
    """Return one sentence for each chosen line: RF0, every k, the clip, K_p, RF, EX and the article.

    Parameters
    ----------
    table : ChargeTable
        Charges at some holdings.
    lines : sequence of int or None
        Positions of lines; None for all, which is slow beyond some ten thousand.
    language : str
        ``"en"`` or ``"zh"``.
    """
    chosen = np.arange(len(table)) if lines is None else np.asarray(lines, dtype=np.int64)
    fixed = table.charges.lines
    columns = (
        fixed.figure,
        fixed.rf0,
        table.k1,
        fixed.k2,
        fixed.k_product,
        fixed.k_what_if,
        fixed.k_p,
        table.k_concentration,
        table.k_total,
        table.rf,
        table.clipped,
        fixed.duration,
        fixed.rank,
    )
    # What a factor consists of repeats itself from line to line, what it is multiplied with does not.
    factors = map(_Factor, *(column[chosen].tolist() for column in columns))
    exposures = table.exposure_per_amount[chosen].tolist()
    said: dict[_Factor, tuple[str, str]] = {}
    sentences = []
    for factor, exposure in zip(factors, exposures, strict=True):
        if factor not in said:
            said[factor] = _factor(table, language, factor)
        formula, article = said[factor]
        sentences.append(f"{formula}; EX = {exposure:.6g} × {_AMOUNT[language]}; {article}")
    return sentences


def _factor(table: ChargeTable, language: str, of: _Factor) -> tuple[str, str]:
    """Return how a factor comes about, and the article of its RF0."""
    pack, key = table.charges.pack, table.charges.figures[of.figure]
    inner = _terms(
        (
            ("k1", of.k1),
            ("k2", of.k2),
            (f"k_{_PRODUCT[language]}", of.k_product),
            (f"k_{_WHAT_IF[language]}", of.k_what_if),
        )
    )
    outer = _terms((("K_p", of.k_p), (f"K_{_CONCENTRATION[language]}", of.k_concentration)))
    formula = f"{figure_label(pack, key)[language]} {_base(table, of)}"
    if inner or outer:
        formula += f" × (1 {inner}{outer})".replace(" )", ")")
    if of.clipped:
        formula += f" [{_CLIPPED[language]} {of.k_total - of.k_p - of.k_concentration:+.4g}]"
    if inner or outer or of.clipped or of.factor != of.rf0:
        formula += f" = {of.factor:.6g}"
    if of.rf0 * (1.0 + of.k_total) > of.factor:
        formula += f" ({_CAPPED[language]} {of.factor:g})"
    return formula, figure_article(pack, key)


def _base(table: ChargeTable, of: _Factor) -> str:
    """Return RF0, with rating, modified duration and formula where it was taken from a table of them."""
    pack, key = table.charges.pack, table.charges.figures[of.figure]
    found = pack.figure(key) if key in pack else of.rf0
    read = []
    if isinstance(found, Mapping) and of.rank >= 0:
        rating = list(found)[of.rank]
        found = found[rating]
        read.append(rating)
    if of.duration < 0.0 or not isinstance(found, Piecewise):
        return f"{' '.join([*read, 'RF0'])} {of.rf0:.6g}"
    read.append(f"D {of.duration:.6g}")
    return f"{', '.join(read)}: RF0 {polynomial(found, of.duration)} = {of.rf0:.6g}"


def _terms(parts: Sequence[tuple[str, float]]) -> str:
    return "".join(f"{'+' if k > 0 else '−'} {name} {abs(k):.4g} " for name, k in parts if k)
