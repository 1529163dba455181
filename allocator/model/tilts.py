"""Policy tilts: a score per row, and how it steers.

A tilt never hides its price: each mode turns a model into a steered one, and the pipeline compares the two
optima. With s the score per unit and T = Σ target, the score of a portfolio is s′x / T. Of a product that lists
what it holds, s is the share-weighted score of what is inside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

import numpy as np
from pydantic import BaseModel, Field, model_validator

from allocator.arrays import Vector
from allocator.config.load import lookup, validate_options
from allocator.config.settings import Number, Section, Settings
from allocator.errors import InputError, Problem, did_you_mean
from allocator.inputs.fund import Inputs
from allocator.inputs.look_through import contents
from allocator.model.expressions import Linear
from allocator.model.model import Model
from allocator.model.scores import PartScore
from allocator.model.terms import ObjectiveTerm, Sense, Term, refuse_repeated
from allocator.types import Source, Text

if TYPE_CHECKING:
    from allocator.inputs.fund import Inputs

__all__ = ["MODES", "Budget", "Floor", "Rank", "Reward", "Tilt", "TiltSpec", "mode_keys", "options_of", "named_tilts"]


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
        ``score(inputs, options) -> ndarray (n,)`` in [0, 1]: what share of each row's amount serves the aim.
    source : Source
        Where the aim is stated.
    parts : callable or None
        ``parts(inputs, options) -> PartScore``: the same score by what lies inside each row, for guards that look
        at issuers or fields. None: each row is one part.
    """

    name: str
    label: Text
    options: type[BaseModel]
    score: Callable[[Inputs, Any], Vector] = field(repr=False)
    source: Source = Source("user")
    parts: Callable[[Inputs, Any], PartScore] | None = field(default=None, repr=False)

    @classmethod
    def opened(
        cls,
        name: str,
        label: Text,
        options: type[BaseModel],
        parts: Callable[[Inputs, Any], PartScore],
        source: Source,
    ) -> TiltSpec:
        """Return a tilt that scores what lies inside the rows.

        Parameters
        ----------
        name : str
            Name in the fund file.
        label : Text
            Its title.
        options : type of pydantic.BaseModel
            Its own keys; extra keys must be forbidden.
        parts : callable
            ``parts(inputs, options) -> PartScore``: scores of what the rows consist of, in [0, 1].
        source : Source
            The policy it serves.
        """
        return cls(name, label, options, lambda inputs, chosen: parts(inputs, chosen).by_row, source, parts)


class Reward(Section):
    """``reward``: annual return credited per unit of score, e.g. ``10bp``."""

    mode: Literal["reward"]
    reward: Annotated[Number, Field(ge=0)]


class Floor(Section):
    """``min``: lowest score of the portfolio, a share; omitted: no worse than the current holdings."""

    mode: Literal["floor"]
    min: Number | None = None


class Budget(Section):
    """As much score as possible while nothing falls or rises by more than is given; at least one of the first two.

    ``cost``: how far the objective may fall, e.g. ``5bp``; ``expected_return``: how far the expected return may
    fall; ``capital``: how far minimum capital may rise, in ``fund.unit``; omitted: as far as the ratios allow.
    Each counts from the optimum under the rewards, floors, ranks and earlier budgets.
    """

    mode: Literal["budget"]
    cost: Annotated[Number, Field(ge=0)] | None = None
    expected_return: Annotated[Number, Field(ge=0)] | None = None
    capital: Annotated[Number, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _has_a_budget(self) -> Self:
        if self.cost is None and self.expected_return is None:
            raise ValueError(
                Text("a budget needs cost or expected_return", "预算模式须给出 cost 或 expected_return"),
            )
        return self


class Rank(Section):
    """Lexicographic: the ranked tilts in the order of the list, each as high as it goes, and the objective after them.

    ``keep``: the share of the highest score that is kept for good, so that what comes after has room; 1 gives nothing
    back.
    """

    mode: Literal["rank"]
    keep: Annotated[Number, Field(ge=0, le=1)] = 1.0


MODES: Mapping[str, type[Reward | Floor | Budget | Rank]] = {
    "reward": Reward,
    "floor": Floor,
    "budget": Budget,
    "rank": Rank,
}
"""The values of ``mode`` with the keys that each takes."""


def mode_keys() -> frozenset[str]:
    """Return the keys of a tilt's entry that belong to its mode, not to the tilt itself."""
    return frozenset(name for mode in MODES.values() for name in mode.model_fields)


Options = TypeVar("Options", bound=BaseModel)


def options_of(settings: Settings, name: str, options: type[Options]) -> Options | None:
    """Return a tilt's own options as the fund file gives them; None when it does not name the tilt.

    Parameters
    ----------
    settings : Settings
        The fund file.
    name : str
        Name of the tilt.
    options : type of pydantic.BaseModel
        Its own keys.
    """
    for entry in settings.tilts:
        if entry.name == name:
            return options.model_validate({k: v for k, v in entry.options.items() if k not in mode_keys()})
    return None


@dataclass(frozen=True, eq=False)
class Tilt:
    """A tilt as one fund uses it: the score of each row and the mode.

    Parameters
    ----------
    spec : TiltSpec
        What it is.
    mode : Reward, Floor, Budget or Rank
        How it steers.
    parts : PartScore
        The score by what lies inside the rows.
    """

    spec: TiltSpec
    mode: Reward | Floor | Budget | Rank
    parts: PartScore

    @cached_property
    def score(self) -> Vector:
        """Score per unit of money of each row (n,), in [0, 1]."""
        return self.parts.by_row

    def expression(self, model: Model) -> Linear:
        """Return s′x / T over the funded rows."""
        return Linear.of(np.where(model.space.funded, self.score, 0.0) / model.space.total)

    def of(self, model: Model, holdings: Vector) -> float:
        """Return the score of a portfolio.

        Parameters
        ----------
        model : Model
            Its space says what scores are a share of.
        holdings : ndarray (n,)
            Amounts, money.
        """
        return float(self.expression(model).value(holdings)[0])

    def before(self, model: Model) -> float:
        """Return the score of what is held now, as a share of that."""
        return float(np.where(model.space.funded, self.score, 0.0) @ model.space.current_weights)

    def aim(self, model: Model, weight: float = 1.0, unit: str = "share") -> ObjectiveTerm:
        """Return weight × s′x / T as a part of an objective.

        Parameters
        ----------
        model : Model
            Its space says what scores are a share of.
        weight : float
            Factor of the score.
        unit : str
            Unit of weight × score.
        """
        return ObjectiveTerm(f"tilt:{self.spec.name}", self.spec.label, self.expression(model), weight, unit)

    def highest(self, model: Model) -> Model:
        """Return the model whose objective is this score and nothing else."""
        return replace(model, objective=(self.aim(model),), capital_weight=0.0, per_capital=False)

    def term(self, model: Model, least: float) -> Term:
        """Return ``s′x / T ≥ least``.

        Parameters
        ----------
        model : Model
            Its space says what scores are a share of.
        least : float
            Score that must be kept, a share of T.
        """
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

    def apply_tilts(self, model: Model) -> Model:
        """Return the model with this tilt's reward or floor in it; budgets and ranks change nothing here."""
        if isinstance(self.mode, Reward):
            reward = self.aim(model, self.mode.reward, "annual decimal")
            return replace(model, objective=(*model.objective, reward))
        if isinstance(self.mode, Floor):
            least = self.before(model) if self.mode.min is None else self.mode.min
            return replace(model, terms=(*model.terms, self.term(model, least)))
        return model


def named_tilts(inputs: Inputs, offered: Mapping[str, TiltSpec]) -> tuple[Tilt, ...]:
    """Return the tilts that the fund file names, scored.

    Parameters
    ----------
    inputs : Inputs
        The fund, with its ``tilts`` section.
    offered : mapping of str to TiltSpec
        Tilts of the enabled plugins, by name.

    Raises
    ------
    InputError
        For an unknown name, mode or key, a name that stands twice, and whatever the tilts miss.
    """
    tilts = []
    for entry in inputs.settings.tilts:
        spec = lookup(offered, entry.name, inputs.settings.where(f"tilts.{entry.position}"))
        prefix = f"tilts.{entry.position}.{entry.name}"
        own = {key: value for key, value in entry.options.items() if key not in mode_keys()}
        steering = {key: value for key, value in entry.options.items() if key in mode_keys()}
        mode = _mode(steering, inputs.settings, prefix)
        if isinstance(mode, Budget) and mode.capital is not None:
            mode = mode.model_copy(update={"capital": mode.capital * inputs.unit})
        options = validate_options(spec.options, own, inputs.settings, prefix)
        if spec.parts is not None:
            parts = spec.parts(inputs, options)
        else:
            parts = PartScore(contents(inputs, opened=False), spec.score(inputs, options))
        tilts.append(Tilt(spec, mode, parts))
    refuse_repeated([tilt.spec for tilt in tilts], inputs.settings.where("tilts"))
    return tuple(tilts)


def _mode(given: Mapping[str, Any], settings: Settings, prefix: str) -> Reward | Floor | Budget | Rank:
    """Return how a tilt steers: its mode says which keys there may be, so that a problem names the right one."""
    name = given.get("mode")
    if not isinstance(name, str) or name not in MODES:
        got = None if name is None else str(name)
        what = Text("a tilt steers by one of these modes", "倾斜须采用以下模式之一")
        where, hint = settings.where(f"{prefix}.mode"), did_you_mean(got or "", MODES)
        raise InputError(Problem(what, where, got, ", ".join(MODES), hint))
    return validate_options(MODES[name], given, settings, prefix)
