"""What a term may look at when it is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from allocator.inputs.fund import Inputs
from allocator.model.models import Risk, Scenarios
from allocator.model.scores import PartScore
from allocator.model.space import Space

__all__ = ["ModelContext"]


@dataclass(frozen=True, eq=False)
class ModelContext:
    """The fund, the decision space and the estimates chosen under ``models:``.

    Every estimate is built when first asked for, and raises InputError when its data are missing: a term that
    needs none of them is not held up by them.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs.
    space : Space
        The decision space.
    """

    inputs: Inputs
    space: Space
    _expected_return: Callable[[], NDArray[np.float64]] = field(repr=False)
    _risk: Callable[[], Risk] = field(repr=False)
    _scenarios: Callable[[], Scenarios] = field(repr=False)
    _tilts: Callable[[], Mapping[str, PartScore]] = field(default=dict, repr=False)

    @cached_property
    def expected_return(self) -> NDArray[np.float64]:
        """Annual expected return of each row before costs, (n,), decimal."""
        return self._expected_return()

    @cached_property
    def risk(self) -> Risk:
        """The risk model."""
        return self._risk()

    @cached_property
    def scenarios(self) -> Scenarios:
        """The scenarios."""
        return self._scenarios()

    @property
    def risk_was_used(self) -> bool:
        """Whether any term asked for the risk model."""
        return "risk" in self.__dict__

    @cached_property
    def tilt_scores(self) -> Mapping[str, PartScore]:
        """The score of every tilt that the fund file names, by what the rows hold."""
        return self._tilts()
