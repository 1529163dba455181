"""What each hook must return, and what the functions inside a specification must: checked at every call.

`CONTRACTS` is the one table of it. The registry checks what a hook returns and hands on each specification with
its functions watched, so that an error in a later call names the plugin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from allocator.arrays import Vector
from allocator.extension.isolation import Watch
from allocator.hooks import CommandSpec
from allocator.model.choices import Choices
from allocator.model.epigraph import Epigraph
from allocator.model.expressions import Expression, Linear
from allocator.model.model import CapitalLimit
from allocator.model.models import ReturnModelSpec, Risk, RiskModelSpec, Scenarios, ScenarioSpec
from allocator.model.regime import Regime, RegimeSpec
from allocator.model.scores import PartScore
from allocator.model.specs import ConstraintSpec, ObjectiveSpec
from allocator.model.terms import Objective, ObjectiveTerm, Term
from allocator.model.tilts import TiltSpec
from allocator.result.tables import ReportSectionSpec, ReportTable
from allocator.stress.commitments import CommitmentSpec, CommittedFlows
from allocator.stress.shocks import Scenario, Shocked, ShockSpec, StressSpec
from allocator.types import AssetKind, Table

if TYPE_CHECKING:
    import cvxpy as cp

__all__ = ["CONTRACTS", "Contract", "Watched"]

Finish = Callable[[Watch, Any, Any], Any]

_CORE = "allocator."
_PROBABILITY_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Contract:
    """What one hook returns.

    Parameters
    ----------
    kind : type
        The specification.
    calls : mapping of str to callable or None
        Function inside the specification → ``finish(watch, first argument, result)``, which refuses garbage.
    """

    kind: type
    calls: Mapping[str, Finish | None] = field(default_factory=lambda: MappingProxyType({}))

    def watched(self, item: Any, watch: Watch) -> Any:
        """Return the specification with its functions watched."""
        if not self.calls:
            return item
        guarded = {
            name: watch.at(f"{item.name}.{name}").guard(getattr(item, name), finish)
            for name, finish in self.calls.items()
            if getattr(item, name) is not None
        }
        return replace(item, **guarded)


@dataclass(frozen=True, eq=False)
class Watched(Expression):
    """A plugin's own expression: the same function, and whatever fails in it names the plugin."""

    inner: Expression
    watch: Watch

    def value(self, holdings: Vector) -> Vector:
        return self.watch.at("value").call(self.inner.value, holdings)

    def convex(self, variable: cp.Variable, scale: float) -> cp.Expression:
        return self.watch.at("convex").call(self.inner.convex, variable, scale)

    def gradient(self, holdings: Vector) -> sparse.csr_array:
        return self.watch.at("gradient").call(self.inner.gradient, holdings)

    def epigraph(self, sign: float) -> Epigraph | None:
        return self.watch.at("epigraph").call(self.inner.epigraph, sign)

    def affine(self) -> Linear | None:
        return self.watch.at("affine").call(self.inner.affine)

    @property
    def discrete(self) -> bool:
        return self.inner.discrete

    def choices(self, upper: Vector) -> Choices:
        return self.watch.at("choices").call(self.inner.choices, upper)


def _expression(expression: Expression, watch: Watch) -> Expression:
    """Return the expression, watched unless it is one of the library's own."""
    own = type(expression).__module__.startswith(_CORE)
    return expression if own else Watched(expression, watch.at(type(expression).__name__))


def _rules(watch: Watch, context: Any, result: Any) -> tuple[Term | CapitalLimit, ...]:
    if not isinstance(result, (list, tuple)) or not all(isinstance(rule, (Term, CapitalLimit)) for rule in result):
        raise watch.refuse(result, "a list or a tuple of Term or CapitalLimit")
    return tuple(_term(watch, context.space.current, rule) if isinstance(rule, Term) else rule for rule in result)


def _term(watch: Watch, holdings: Vector, term: Term) -> Term:
    if not isinstance(term.left, Expression):
        raise watch.refuse(term.left, f"{term.name}: left is an Expression")
    term = replace(term, left=_expression(term.left, watch))
    left, rows = np.asarray(term.left.value(holdings)), np.shape(term.right)
    if len(rows) != 1 or left.shape != rows:
        raise watch.refuse(left, f"{term.name}: left and right of one shape (rows,), right has {rows}")
    if np.isnan(left).any() or np.isnan(term.right).any():
        raise watch.refuse("NaN", f"{term.name}: numbers on both sides")
    if not np.all(np.asarray(term.per) > 0) or np.shape(term.per) not in (rows, (1,), ()):
        raise watch.refuse(term.per, f"{term.name}: per is positive, shape (rows,)")
    if term.rows and len(term.rows) != rows[0]:
        raise watch.refuse(str(len(term.rows)), f"{term.name}: a name for each of {rows[0]} rows")
    return term


def _objective(watch: Watch, context: Any, result: Any) -> Objective:
    if not isinstance(result, Objective) or not all(isinstance(term, ObjectiveTerm) for term in result.terms):
        raise watch.refuse(result, "an Objective of ObjectiveTerms")
    terms = [replace(term, expression=_expression(term.expression, watch)) for term in result.terms]
    for term in terms:
        value = np.asarray(term.expression.value(context.space.current))
        if value.shape != (1,) or not np.isfinite(value).all() or not np.isfinite(term.weight):
            raise watch.refuse(value, f"{term.name}: one finite row")
    return replace(result, terms=tuple(terms))


def _size(inputs: Any) -> int:
    return len(inputs.assets)


def _vector(watch: Watch, inputs: Any, result: Any) -> Vector:
    if not isinstance(result, np.ndarray) or result.shape != (_size(inputs),) or result.dtype.kind not in "fiub":
        raise watch.refuse(result, f"an array of {_size(inputs)} numbers, one for each row of assets")
    if not np.isfinite(result).all():
        row = int(np.flatnonzero(~np.isfinite(result))[0])
        raise watch.refuse(f"{result[row]} in row {row + 1}", "finite numbers")
    numbers = result.astype(float, copy=False)
    numbers.setflags(write=False)  # other plugins are handed this very array
    return numbers


def _score(watch: Watch, inputs: Any, result: Any) -> Vector:
    score = _vector(watch, inputs, result)
    outside = np.flatnonzero((score < 0.0) | (score > 1.0))
    if outside.size:
        raise watch.refuse(f"{score[outside[0]]:g} in row {outside[0] + 1}", "scores from 0 to 1")
    return score


def _parts(watch: Watch, inputs: Any, result: Any) -> PartScore:
    if not isinstance(result, PartScore) or result.values.shape != result.contents.row.shape:
        raise watch.refuse(result, "a PartScore with a value for each part")
    outside = np.flatnonzero(~((result.values >= 0.0) & (result.values <= 1.0)))
    if outside.size:
        raise watch.refuse(f"{result.values[outside[0]]:g} of part {outside[0] + 1}", "scores from 0 to 1")
    return result


def _risk(watch: Watch, inputs: Any, result: Any) -> Risk:
    if not isinstance(result, Risk):
        raise watch.refuse(result, "a Risk")
    size = _size(inputs)
    if result.factors.ndim != 2 or result.factors.shape[1] != size or result.specific.shape != (size,):
        raise watch.refuse(result.factors, f"factors of shape (k, {size}) and specific of shape ({size},)")
    if not np.all(result.specific >= 0.0):
        raise watch.refuse("a specific variance below zero or NaN", "specific variances of at least zero")
    return result


def _scenarios(watch: Watch, inputs: Any, result: Any) -> Scenarios:
    if not isinstance(result, Scenarios):
        raise watch.refuse(result, "Scenarios")
    returns, probability = result.returns, result.probability
    if returns.ndim != 2 or returns.shape[1] != _size(inputs) or probability.shape != returns.shape[:1]:
        raise watch.refuse(returns, f"returns of shape (scenarios, {_size(inputs)}) and a probability for each")
    if not np.isfinite(returns).all() or np.any(probability < 0.0):
        raise watch.refuse("a return that is no number, or a probability below zero", "finite returns")
    if abs(float(probability.sum()) - 1.0) > _PROBABILITY_TOLERANCE:
        raise watch.refuse(f"{probability.sum():.12g}", "probabilities that sum to one")
    beside = {**result.factors} if result.liabilities is None else {**result.factors, "liabilities": result.liabilities}
    for name, values in beside.items():
        if values.shape != probability.shape or not np.isfinite(values).all():
            raise watch.refuse(values, f"{name}: a finite number for each of {len(probability)} scenarios")
    return result


def _regime(watch: Watch, inputs: Any, result: Any) -> Regime:
    if not isinstance(result, Regime):
        raise watch.refuse(result, "a Regime")
    return result


def _shocked(watch: Watch, before: Any, result: Any) -> Shocked:
    if not isinstance(result, Shocked):
        raise watch.refuse(result, "a Shocked")
    for name in ("price", "gain"):
        values = getattr(result, name)
        if values.shape != (before.size,) or not np.isfinite(values).all():
            raise watch.refuse(values, f"{name}: {before.size} finite numbers, one for each row of assets")
    if not np.isfinite(result.liabilities) or not np.isfinite(result.own_funds):
        raise watch.refuse("a change that is no number", "finite changes of liabilities and own funds")
    return result


def _scenario(watch: Watch, inputs: Any, result: Any) -> Scenario | None:
    if result is not None and not isinstance(result, Scenario):
        raise watch.refuse(result, "a Scenario or None")
    return result


def _committed(watch: Watch, inputs: Any, result: Any) -> CommittedFlows | None:
    if result is None:
        return None
    if not isinstance(result, CommittedFlows):
        raise watch.refuse(result, "CommittedFlows or None")
    row, called, paid = result.row, result.called, result.share_paid
    if row.ndim != 1 or row.dtype.kind not in "iu" or len(np.unique(row)) < len(row):
        raise watch.refuse(row, "places in the assets table, each once")
    if row.size and not 0 <= int(row.min()) <= int(row.max()) < _size(inputs):
        raise watch.refuse(row, f"places from 0 to {_size(inputs) - 1}")
    if called.shape != paid.shape or called.shape != (len(result.tables), len(row)):
        raise watch.refuse(called, f"called and share_paid of shape (steps, {len(row)}), and tables for every step")
    if not (np.isfinite(called).all() and np.all(called >= 0.0)):
        raise watch.refuse("a call below zero or no number", "calls of at least zero")
    if not np.all((paid >= 0.0) & (paid <= 1.0)):
        raise watch.refuse("a share paid outside 0 to 1", "shares from 0 to 1")
    return result


def _report_tables(watch: Watch, inputs: Any, result: Any) -> Sequence[ReportTable]:
    if not isinstance(result, (list, tuple)) or not all(isinstance(table, ReportTable) for table in result):
        raise watch.refuse(result, "a list or a tuple of ReportTable")
    return tuple(result)


CONTRACTS: Mapping[str, Contract] = MappingProxyType(
    {
        "allocator_asset_kinds": Contract(AssetKind),
        "allocator_tables": Contract(Table),
        "allocator_regimes": Contract(RegimeSpec, {"build": _regime, "filed": None, "summarise_filed": None}),
        "allocator_constraints": Contract(ConstraintSpec, {"build": _rules}),
        "allocator_objectives": Contract(ObjectiveSpec, {"build": _objective}),
        "allocator_tilts": Contract(TiltSpec, {"score": _score, "parts": _parts}),
        "allocator_return_models": Contract(ReturnModelSpec, {"build": _vector}),
        "allocator_risk_models": Contract(RiskModelSpec, {"build": _risk}),
        "allocator_scenarios": Contract(ScenarioSpec, {"build": _scenarios, "join": _scenarios}),
        "allocator_shocks": Contract(ShockSpec, {"apply": _shocked}),
        "allocator_stresses": Contract(StressSpec, {"scenario": _scenario}),
        "allocator_commitments": Contract(CommitmentSpec, {"project": _committed}),
        "allocator_report_sections": Contract(ReportSectionSpec, {"tables": _report_tables}),
        "allocator_commands": Contract(CommandSpec),
    }
)
"""Hook → what it returns."""
