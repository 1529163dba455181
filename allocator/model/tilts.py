"""Policy tilts: a score per row, and how it steers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from allocator.types import Source, Text

if TYPE_CHECKING:
    from allocator.inputs.fund import Inputs

__all__ = ["TiltSpec"]


@dataclass(frozen=True, slots=True)
class TiltSpec:
    """What the hook ``allocator_tilts`` returns, one for each tilt name.

    Parameters
    ----------
    name : str
        Name under ``tilts:``.
    label : Text
        For reports.
    options : type of pydantic.BaseModel
        The tilt's own keys beside ``mode`` and its figure.
    score : callable
        ``score(inputs, options) -> ndarray (n,)`` in [0, 1]: what share of one CNY in each row serves the aim.
    source : Source
        Where the aim is stated.
    """

    name: str
    label: Text
    options: type[BaseModel]
    score: Callable[[Inputs, Any], NDArray[np.float64]] = field(repr=False)
    source: Source = Source("user")
