"""A tilt toward holdings that emit little."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from allocator.plugin import Certainty, Number, Section, Source, Text
from allocator.plugin.tables import Inputs
from allocator.plugin.terms import TiltSpec

__all__ = ["TILTS", "score"]


class LowCarbonOptions(Section):
    """``reference``: carbon intensity at which nothing is credited any more."""

    reference: Annotated[Number, Field(gt=0)] = 100.0


def score(inputs: Inputs, options: LowCarbonOptions) -> NDArray[np.float64]:
    """Return (1 − intensity / reference)₊ per row, shape (n,); a row without a figure scores nothing."""
    intensity = inputs.assets["carbon_intensity"].to_numpy(dtype=float)
    return np.maximum(1.0 - np.where(np.isnan(intensity), options.reference, intensity) / options.reference, 0.0)


TILTS = (
    TiltSpec(
        "low_carbon",
        Text("Low-carbon holdings", "低碳资产"),
        LowCarbonOptions,
        score,
        Source("user", certainty=Certainty.USER),
    ),
)
