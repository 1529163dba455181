"""The two kinds of array that rooms hand one another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Mask", "Vector"]

Vector = NDArray[np.float64]
"""Figures."""

Mask = NDArray[np.bool_]
"""Which rows."""
