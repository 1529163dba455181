"""The lines of a quarterly filing's minimum capital table: which aggregate is made of which columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from allocator.plugin import Vector

__all__ = ["ABSORPTION", "AGGREGATES", "COMPUTED", "MINIMUM", "QUANTIFIABLE", "Aggregated", "filled", "numbers"]


@dataclass(frozen=True, slots=True)
class Aggregated:
    """An aggregate of a filing.

    Parameters
    ----------
    name : str
        Its column.
    children : tuple of str
        Columns of its children, in the order of the correlations.
    correlation : str
        Key of the correlations in the rule pack; empty for a plain sum.
    diversification : str
        Column of its filed diversification, read to explain a difference only.
    """

    name: str
    children: tuple[str, ...]
    correlation: str
    diversification: str


AGGREGATES = (
    Aggregated(
        "life_insurance_risk",
        ("life_loss_occurrence", "life_expense", "life_lapse"),
        "life.correlation",
        "life_diversification",
    ),
    Aggregated(
        "market_risk",
        (
            "interest_rate",
            "equity_price",
            "real_estate_price",
            "overseas_fixed_income",
            "overseas_equity",
            "currency",
        ),
        "market.correlation",
        "market_diversification",
    ),
    Aggregated("credit_risk", ("spread", "counterparty_default"), "credit.correlation", "credit_diversification"),
    Aggregated(
        "quantifiable_risk_capital",
        ("life_insurance_risk", "nonlife_insurance_risk", "market_risk", "credit_risk"),
        "quantifiable.correlation.life",
        "diversification",
    ),
    Aggregated("minimum_capital", ("quantifiable_risk_capital", "control_risk", "additional_capital"), "", ""),
)
"""The aggregates, each after those it needs."""

COMPUTED = "_computed"
"""Ending of a computed column."""

QUANTIFIABLE, MINIMUM = AGGREGATES[3], AGGREGATES[4]
ABSORPTION = "loss_absorption"
"""Column of the filed loss absorption."""


def numbers(frame: pd.DataFrame, name: str) -> Vector:
    """Return a column as floats; NaN throughout when the file does not have it."""
    return frame[name].to_numpy(dtype=float) if name in frame else np.full(len(frame), np.nan)


def filled(frame: pd.DataFrame, name: str) -> Vector:
    return np.nan_to_num(numbers(frame, name))
