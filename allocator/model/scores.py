"""A score by what the rows hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.arrays import Vector
from allocator.inputs.look_through import Contents

__all__ = ["PartScore", "ROUNDING"]


ROUNDING = 1e-12
"""What the sum of a product's shares may miss one by."""


@dataclass(frozen=True, eq=False)
class PartScore:
    """A score by what the rows hold.

    Parameters
    ----------
    contents : Contents
        The parts.
    values : ndarray (k,)
        Score of each part, in [0, 1].
    """

    contents: Contents
    values: Vector

    @property
    def by_row(self) -> Vector:
        """Share-weighted score of each row (n,); shares that sum to one up to rounding give a score of one."""
        score = self.contents.by_row(self.values)
        return np.where(np.abs(score - 1.0) < ROUNDING, 1.0, score)
