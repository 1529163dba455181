"""Policy tilts: a score per row, and how it steers.

A tilt never hides its price: each mode turns a model into a steered one, and the pipeline compares the two
optima. With s the score per CNY and T = Σ current, the score of a portfolio is s′x / T.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from allocator.model.expressions import Linear
from allocator.model.model import Model
from allocator.model.terms import ObjectiveTerm, Sense, Term
from allocator.settings import Number, Section
from allocator.types import Source, Text

if TYPE_CHECKING:
    from allocator.inputs.fund import Inputs

__all__ = ["Budget", "Floor", "Reward", "Tilt", "TiltEntry", "TiltSpec", "mode_keys"]

Vector = NDArray[np.float64]


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
    score: Callable[[Inputs, Any], Vector] = field(repr=False)
    source: Source = Source("user")


class Reward(Section):
    """``reward``: annual return credited per unit of score, e.g. ``10bp``."""

    mode: Literal["reward"]
    reward: Annotated[Number, Field(ge=0)]


class Floor(Section):
    """``min``: lowest score of the portfolio, a share; omitted: no worse than the current holdings."""

    mode: Literal["floor"]
    min: Number | None = None


class Budget(Section):
    """``cost``: how far the objective may fall for as much score as possible, e.g. ``5bp``; ``capital``:
    how far minimum capital may rise above the untilted optimum's, in ``fund.unit``; omitted: as far as the
    ratios allow."""

    mode: Literal["budget"]
    cost: Annotated[Number, Field(ge=0)]
    capital: Annotated[Number, Field(ge=0)] | None = None


class TiltEntry(Section):
    """The keys of one entry under ``tilts:`` that say how it steers."""

    steer: Annotated[Reward | Floor | Budget, Field(discriminator="mode")]


def mode_keys() -> frozenset[str]:
    """Return the keys of a tilt's entry that belong to its mode, not to the tilt itself."""
    return frozenset(name for mode in (Reward, Floor, Budget) for name in mode.model_fields)


@dataclass(frozen=True, eq=False)
class Tilt:
    """A tilt as one fund uses it: the score of each row and the mode.

    Parameters
    ----------
    spec : TiltSpec
        What it is.
    mode : Reward, Floor or Budget
        How it steers.
    score : ndarray (n,)
        In [0, 1] per CNY.
    """

    spec: TiltSpec
    mode: Reward | Floor | Budget
    score: Vector

    def expression(self, model: Model) -> Linear:
        """Return s′x / T over the funded rows."""
        return Linear.of(np.where(model.space.funded, self.score, 0.0) / model.space.total)

    def of(self, model: Model, holdings: Vector) -> float:
        """Return the score of a portfolio."""
        return float(self.expression(model).value(holdings)[0])

    def term(self, model: Model, least: float) -> Term:
        """Return ``s′x / T ≥ least``."""
        return Term(
            f"tilt:{self.spec.name}",
            self.spec.label,
            self.expression(model),
            Sense.AT_LEAST,
            np.array([least]),
            np.ones(1),
            "share",
            self.spec.source,
        )

    def steer(self, model: Model) -> Model:
        """Return the model with this tilt's reward or floor in it; a budget changes nothing here."""
        if isinstance(self.mode, Reward):
            reward = ObjectiveTerm(f"tilt:{self.spec.name}", self.spec.label, self.expression(model), self.mode.reward)
            return replace(model, objective=(*model.objective, reward))
        if isinstance(self.mode, Floor):
            least = self.of(model, model.space.current) if self.mode.min is None else self.mode.min
            return replace(model, terms=(*model.terms, self.term(model, least)))
        return model
