"""Draw ``market_history.csv``: 72 invented months of the Chinese market, of the usual size and with the usual signs.

No provider's figures stand in it. An insurer replaces the file by its own downloads: government spot rates, a
credit spread, and index levels, daily or monthly.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

MONTHS = 72
TENORS = (1, 3, 5, 7, 10, 20, 30, 50)
DECAY = 0.7308
# Monthly standard deviations and correlations: level, slope, curvature, spread, equity, growth over it, REITs, USD.
SPREAD = np.array([0.0010, 0.0018, 0.0025, 0.0005, 0.052, 0.050, 0.030, 0.011])
CORRELATION = np.array(
    [
        [1.00, -0.45, 0.10, -0.15, 0.25, 0.10, -0.15, 0.05],
        [-0.45, 1.00, -0.20, 0.10, -0.10, -0.05, 0.05, -0.05],
        [0.10, -0.20, 1.00, 0.05, 0.05, 0.05, 0.00, 0.00],
        [-0.15, 0.10, 0.05, 1.00, -0.10, -0.05, -0.05, 0.05],
        [0.25, -0.10, 0.05, -0.10, 1.00, 0.20, 0.25, -0.25],
        [0.10, -0.05, 0.05, -0.05, 0.20, 1.00, 0.05, -0.10],
        [-0.15, 0.05, 0.00, -0.05, 0.25, 0.05, 1.00, -0.05],
        [0.05, -0.05, 0.00, 0.05, -0.25, -0.10, -0.05, 1.00],
    ]
)
DRIFT = np.array([-0.0001, 0.0, 0.0, 0.0, 0.005, 0.001, 0.003, 0.0005])
START = np.array([0.034, -0.012, -0.010, 0.0085])


def invented(seed: int = 20260630) -> pd.DataFrame:
    """Return the history, one row a month up to 2026-06-30."""
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(CORRELATION)
    moves = DRIFT + (rng.standard_normal((MONTHS, len(SPREAD))) @ root.T) * SPREAD
    betas = START[:3] + np.cumsum(moves[:, :3], axis=0)
    scaled = DECAY * np.array(TENORS)
    short = -np.expm1(-scaled) / scaled
    loadings = np.stack([np.ones_like(short), short, short - np.exp(-scaled)])
    wiggle = rng.normal(0.0, 0.0001, (MONTHS, len(TENORS)))
    frame = pd.DataFrame((betas @ loadings + wiggle).round(6), columns=[f"rate_{tenor}y" for tenor in TENORS])
    frame.insert(0, "date", pd.date_range(end="2026-06-30", periods=MONTHS, freq="ME").strftime("%Y-%m-%d"))
    frame["credit_spread"] = (START[3] + np.cumsum(moves[:, 3])).round(6)
    logs = np.cumsum(np.column_stack([moves[:, 4], moves[:, 4] + moves[:, 5], moves[:, 6], moves[:, 7]]), axis=0)
    for place, (name, first) in enumerate({"equity": 4000, "growth": 1000, "property": 1000, "currency": 6.9}.items()):
        frame[name] = (first * np.exp(logs[:, place])).round(4)
    dividend = 0.75 * moves[:, 4] - 1.5 * moves[:, 0] + 0.002 + rng.normal(0.0, 0.015, MONTHS)
    frame["dividend_low_vol"] = (1000 * np.exp(np.cumsum(dividend))).round(4)
    return frame


if __name__ == "__main__":
    invented().to_csv(Path(__file__).parent / "market_history.csv", index=False, lineterminator="\n")
