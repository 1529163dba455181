"""What a user may change about the charges: readings, what-ifs, and factors the rules do not give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from allocator.plugin import Number, Section

__all__ = ["ChargeOptions", "WhatIf"]


def _flatten(value: Any) -> Any:
    """Join nested keys by dots: ``--set capital.overrides.equity.listed.main=0.3`` arrives nested."""
    if not isinstance(value, Mapping):
        return value
    flat: dict[str, Any] = {}
    for key, below in value.items():
        inner = _flatten(below)
        flat.update(
            {f"{key}.{name}": item for name, item in inner.items()} if isinstance(inner, dict) else {key: inner}
        )
    return flat


class WhatIf(Section):
    """``capital.what_if[]`` — a coefficient ``k`` added to K of every charge of a ``kind``, such as the
    regulator might set.

    It joins k1, k2 … inside the clip of K to ±0.25, as a coefficient under R8 §71 or R9 §44 would.
    """

    kind: str
    k: Number


class ChargeOptions(Section):
    """The keys of ``capital:`` that bear on charges.

    Parameters
    ----------
    readings : dict of str to bool
        Answers to the questions of ``rules/readings.yaml`` that differ from the defaults.
    overrides : dict of str to float
        Figure key → number that replaces the rule's, e.g. ``equity.listed.main: 0.30``.
    factors : dict of str to float
        Kind → factor (equity price risk, RF0) for kinds the rules give none, e.g. ``gold: 0.25``.
    what_if : tuple of WhatIf
        Coefficients added to kinds.
    amount_includes_accrued : bool
        Whether every ``amount`` holds the interest accrued on it; no: amounts are clean, interest comes on top.
    """

    readings: dict[str, bool] = {}
    overrides: Annotated[dict[str, Number], BeforeValidator(_flatten)] = {}
    factors: dict[str, Number] = {}
    what_if: tuple[WhatIf, ...] = ()
    amount_includes_accrued: bool = True
