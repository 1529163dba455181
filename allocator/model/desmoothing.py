"""Taking the valuation lag out of reported returns.

An appraised value moves only part of the way to the market: r*ₜ = (1 − φ) rₜ + φ r*ₜ₋₁, with r* reported
and r true. Turned round, rₜ = (r*ₜ − φ r*ₜ₋₁) / (1 − φ), φ the first-order autocorrelation of r*.
Source: D. Geltner, "Estimating Market Values from Appraised Values without Assuming an Efficient Market",
Journal of Real Estate Research 8 (1993), 325–345.
"""

from __future__ import annotations

from allocator.arrays import Vector

__all__ = ["autocorrelation", "desmoothed"]


def autocorrelation(reported: Vector) -> float:
    """Return the first-order autocorrelation of a series (T,), T ≥ 3: Σ(xₜ−x̄)(xₜ₋₁−x̄) / Σ(xₜ−x̄)².

    Raises
    ------
    ValueError
        When the series is too short or does not vary.
    """
    if len(reported) < 3:
        raise ValueError("an autocorrelation needs at least three observations")
    centred = reported - reported.mean()
    total = float(centred @ centred)
    if total == 0.0:
        raise ValueError("the series does not vary")
    return float(centred[1:] @ centred[:-1]) / total


def desmoothed(reported: Vector, lag: float | None = None) -> Vector:
    """Return true returns (T − 1,) from reported ones (T,).

    Parameters
    ----------
    reported : ndarray (T,)
        Reported periodic returns, decimals.
    lag : float or None
        φ in [0, 1); None takes the autocorrelation of the series.

    Raises
    ------
    ValueError
        When φ is outside [0, 1): a negative autocorrelation is no valuation lag.
    """
    phi = autocorrelation(reported) if lag is None else lag
    if not 0.0 <= phi < 1.0:
        raise ValueError(f"a valuation lag must be in [0, 1), got {phi:.3f}")
    true: Vector = (reported[1:] - phi * reported[:-1]) / (1.0 - phi)
    return true
