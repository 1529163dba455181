"""How a charge comes about, in words: written for the lines that are shown, never for all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from allocator.types import Language, Text
from allocator_cross2.charges import ChargeTable, figure_article, figure_label

__all__ = ["derivations"]

_CLIPPED = Text("clipped to", "截断为")
_CAPPED = Text("capped at", "上限")
_CONCENTRATION = Text("concentration", "集中度")
_WHAT_IF = Text("what-if", "假设")
_PRODUCT = Text("product", "产品")
_AMOUNT = Text("amount", "金额")


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
    return [_sentence(table, line, language) for line in chosen.tolist()]


def _sentence(table: ChargeTable, line: int, language: str) -> str:
    charges = table.charges
    fixed, pack = charges.lines, charges.pack
    key = charges.figures[fixed.figure[line]]
    label = figure_label(pack, key)[language]
    rf0, k_total, factor = float(fixed.rf0[line]), float(table.k_total[line]), float(table.rf[line])
    inner = _terms(
        (
            ("k1", float(table.k1[line])),
            ("k2", float(fixed.k2[line])),
            (f"k_{_PRODUCT[language]}", float(fixed.k_product[line])),
            (f"k_{_WHAT_IF[language]}", float(fixed.k_what_if[line])),
        )
    )
    outer = _terms(
        (("K_p", float(fixed.k_p[line])), (f"K_{_CONCENTRATION[language]}", float(table.k_concentration[line])))
    )
    formula = f"{label} RF0 {rf0:.6g}"
    if inner or outer:
        formula += f" × (1 {inner}{outer})".replace(" )", ")")
    if table.clipped[line]:
        clipped = k_total - float(fixed.k_p[line]) - float(table.k_concentration[line])
        formula += f" [{_CLIPPED[language]} {clipped:+.4g}]"
    formula += f" = {factor:.6g}"
    if rf0 * (1.0 + k_total) > factor:
        formula += f" ({_CAPPED[language]} {factor:g})"
    return f"{formula}; EX = {table.exposure_per_amount[line]:.6g} × {_AMOUNT[language]}; {figure_article(pack, key)}"


def _terms(parts: Sequence[tuple[str, float]]) -> str:
    return "".join(f"{'+' if k > 0 else '−'} {name} {abs(k):.4g} " for name, k in parts if k)
