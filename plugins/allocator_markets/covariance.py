"""Covariance of the factors, annual: exponentially weighted, or shrunk.

Exponential weights: pandas' `ewm`, unbiased. Shrinkage: scikit-learn's `LedoitWolf` on the standardised changes, so
that basis points and index returns are shrunk alike, toward no correlation; every variance stays the sample's.

References
----------
Ledoit and Wolf, A well-conditioned estimator for large-dimensional covariance matrices, Journal of Multivariate
Analysis 88 (2004), 365–411.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from allocator.plugin import InputError, Problem, Text, Vector
from allocator_markets.history import MONTHS

__all__ = ["exponential", "shrunk"]


def exponential(changes: pd.DataFrame, half_life: float) -> Vector:
    """Return the annual covariance (k, k) of monthly changes that count half after ``half_life`` months.

    Parameters
    ----------
    changes : DataFrame (months, k)
        Monthly changes of the factors.
    half_life : float
        Months.
    """
    last = changes.ewm(halflife=half_life).cov().loc[changes.index[-1]]
    return np.asarray(last.to_numpy(dtype=float) * MONTHS)


def shrunk(changes: pd.DataFrame, where: str) -> tuple[Vector, float]:
    """Return the annual covariance (k, k) and how far the correlations were shrunk, in [0, 1].

    Parameters
    ----------
    changes : DataFrame (months, k)
        Monthly changes of the factors.
    where : str
        The key that asks for it, for the message.

    Raises
    ------
    InputError
        When scikit-learn is not installed; ``where`` names the key that asks for it.
    """
    try:
        from sklearn.covariance import LedoitWolf
    except ImportError:
        what = Text("shrinkage needs scikit-learn", "收缩估计需要安装 scikit-learn")
        hint = Text("install the extra: markets", "请安装可选依赖 markets")
        raise InputError(Problem(what, where, hint=hint)) from None
    spread = changes.std(ddof=0).to_numpy(dtype=float)
    moving = np.where(spread > 0, spread, 1.0)
    fitted = LedoitWolf().fit((changes - changes.mean()).to_numpy(dtype=float) / moving)
    count = len(changes)
    correlation = np.asarray(fitted.covariance_, dtype=float)
    # Shrinking toward the mean variance, which is 1, leaves a standardised diagonal where it is, to rounding.
    return correlation * np.outer(spread, spread) * (MONTHS * count / (count - 1)), float(fitted.shrinkage_)
