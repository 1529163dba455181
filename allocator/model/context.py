"""What a term may look at when it is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from allocator.inputs.fund import Inputs
from allocator.model.models import Risk, Scenarios
from allocator.model.space import Space

__all__ = ["ModelContext"]


@dataclass(frozen=True, eq=False)
class ModelContext:
    """The fund, the decision space and the estimates chosen under ``models:``.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs.
    space : Space
        The decision space.
    expected_return : ndarray (n,)
        Annual expected return of each row before costs, decimal.
    """

    inputs: Inputs
    space: Space
    expected_return: NDArray[np.float64]
    _risk: Callable[[], Risk] = field(repr=False)
    _scenarios: Callable[[], Scenarios] = field(repr=False)

    @cached_property
    def risk(self) -> Risk:
        """The risk model; built when first asked for, InputError when its data are missing."""
        return self._risk()

    @cached_property
    def scenarios(self) -> Scenarios:
        """The scenarios; built when first asked for, InputError when their data are missing."""
        return self._scenarios()

    @property
    def risk_was_used(self) -> bool:
        """Whether any term asked for the risk model."""
        return "risk" in self.__dict__
