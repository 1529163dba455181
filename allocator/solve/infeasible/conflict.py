"""Why nothing is feasible: rules of which each is needed for the conflict, and how far each must give way.

The rules that the certificate of the root relaxation (Farkas multipliers) touches are a first suspicion;
without one, every rule is suspect. Then each suspect is left out in turn for good unless something becomes
feasible without it (deletion filter): what is left is irreducible. For each rule left, the least breach
that makes all the other rules of the model feasible is a model of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from allocator.arrays import Vector
from allocator.capital.tree import CapitalTree
from allocator.config.settings import SolveSettings
from allocator.errors import InputError, Problem, SolverFailure
from allocator.model.expressions import Linear
from allocator.model.model import CapitalLimit, Model
from allocator.model.terms import Mode, ObjectiveTerm, Sense, Term
from allocator.model.units import UNIT_NAMES, MoneyUnit
from allocator.solve.program.program import SolverStatus
from allocator.solve.search.discrete import search_for
from allocator.solve.search.search import Outcome
from allocator.types import Text

__all__ = ["Conflict", "Rule", "find_conflicts", "problems_of"]

TIGHT = 1e-6
"""Room, relative to the larger of 1 and the limit in the unit shown, at which a rule holds others back."""

MOST_NAMED = 3
"""Rules without room that a message names."""


COARSE = 1e-4
"""Gap at which the least breach is sought: a hundred-thousandth of an amount of capital."""

SHARE_OF_TIME = 0.1
"""Part of the time limit that one feasibility question may take."""


@dataclass(frozen=True, eq=False)
class Rule:
    """One row of a hard term, all of one in whole numbers, or one capital limit."""

    term: Term | None = None
    row: int = 0
    limit: CapitalLimit | None = None

    @property
    def name(self) -> str:
        """The name that constraints.csv prints."""
        if self.limit is not None:
            return self.limit.name
        assert self.term is not None
        return self.term.name if self.term.left.discrete else self.term.row_names()[self.row]


@dataclass(frozen=True, eq=False)
class Conflict:
    """A rule of the irreducible set and the least by which it alone must give way.

    Parameters
    ----------
    rule : Rule
        The rule.
    reachable, required : float
        The side the rule looks at, at its best under all other rules, and the side it asks for; in the unit
        shown, a ratio for a capital limit. ``reachable`` is NaN when giving way alone is not enough.
    amount : float
        Capital missing for a capital limit, else the difference of the two; 0 for a rule in whole
        numbers that must be left out.
    held_by : tuple of Text
        For a capital limit: the other rules that have no room left where its ratio is best.
    proven : bool
        Whether ``reachable`` is the best there is.
    """

    rule: Rule
    reachable: float
    required: float
    amount: float
    held_by: tuple[Text, ...] = ()
    proven: bool = True


Ask = Callable[[Model, SolveSettings], Outcome]


def _searched(model: Model, settings: SolveSettings) -> Outcome:
    return search_for(model, settings).run()


def find_conflicts(
    model: Model, settings: SolveSettings, ask: Ask = _searched, tree_at: Callable[[Vector], CapitalTree] | None = None
) -> tuple[Conflict, ...]:
    """Return an irreducible set of rules in conflict, each with its cheapest relaxation.

    Parameters
    ----------
    model : Model
        A model proven infeasible.
    settings : SolveSettings
        Each of the questions gets a tenth of the time limit.
    ask : callable
        Answers one question; left out, with the charges the model has.
    tree_at : callable or None
        The exact tree at given holdings; None where the model's own is exact everywhere.
    """
    brief = settings.model_copy(update={"time_limit": SHARE_OF_TIME * settings.time_limit})
    every = _rules(model)
    questions = _Questions(model, every, brief, ask, tree_at)
    suspects = _suspects(model, brief, every) if tree_at is None else every
    if len(suspects) < len(every) and questions.feasible(suspects):
        suspects = every
    kept = list(suspects)
    # What is tried last is left: a budget goes first, before the rules that a reader can change.
    for rule in sorted(suspects, key=_is_budget, reverse=True):
        fewer = [other for other in kept if other is not rule]
        if not questions.feasible(fewer):
            kept = fewer
    return tuple(questions.relaxation(rule) for rule in kept)


def _is_budget(rule: Rule) -> bool:
    return rule.term is not None and rule.term.sense is Sense.EQUAL


def _rules(model: Model) -> list[Rule]:
    hard = [term for term in model.terms if term.mode is Mode.HARD]
    rows = [Rule(term, row) for term in hard for row in range(1 if term.left.discrete else len(term.right))]
    return rows + [Rule(limit=limit) for limit in model.capital_limits]


def _suspects(model: Model, settings: SolveSettings, every: list[Rule]) -> list[Rule]:
    """Return the rules with a multiplier in the certificate that the root relaxation is infeasible."""
    if np.array_equal(model.space.lower, model.space.upper):
        return every
    search = search_for(_asking(model, every), settings)
    assembled = search.formulation.relaxation(search.formulation.whole)
    answer = search.solve(assembled)
    if answer.verdict is not SolverStatus.INFEASIBLE or not answer.dual.any():
        return every
    weight = np.abs(answer.dual)
    floor = 1e-6 * float(weight.max())
    rows = {(id(rule.term.left), rule.index): rule.row for rule in search.formulation.plain.rules}
    limits = dict(zip((id(limit) for limit in model.capital_limits), assembled.limits, strict=True))
    return [
        rule
        for rule in every
        if weight[limits[id(rule.limit)] if rule.limit else rows[id(rule.term and rule.term.left), rule.row]] > floor
    ]


def _asking(model: Model, rules: Sequence[Rule], objective: tuple[ObjectiveTerm, ...] = ()) -> Model:
    """Return the model with only these rules and another objective."""
    by_term: dict[int, list[int]] = {}
    for rule in rules:
        if rule.term is not None:
            by_term.setdefault(id(rule.term), []).append(rule.row)
    terms = [
        term if term.left.discrete or len(by_term[id(term)]) == len(term.right) else term.only(by_term[id(term)])
        for term in model.terms
        if id(term) in by_term
    ]
    limits = tuple(rule.limit for rule in rules if rule.limit is not None)
    return replace(
        model,
        objective=objective,
        terms=tuple(terms),
        capital_limits=limits,
        capital_module="",
        capital_weight=0.0,
        per_capital=False,
    )


@dataclass(frozen=True, eq=False)
class _Questions:
    """What is asked of a model with fewer rules or another objective; the parts as for `find_conflicts`."""

    model: Model
    every: list[Rule]
    settings: SolveSettings
    ask: Ask
    tree_at: Callable[[Vector], CapitalTree] | None

    def feasible(self, rules: Sequence[Rule]) -> bool:
        """Return whether the rules can hold together; an open question counts as yes, which keeps a rule."""
        outcome = self._asked(_asking(self.model, rules))
        return outcome.best is not None or not outcome.proven

    def _asked(self, model: Model, gap: float = 0.0) -> Outcome:
        """Return the answer to one question; one that cannot be asked without the rule left out stays open."""
        try:
            return self.ask(model, self.settings.model_copy(update={"gap": max(gap, self.settings.gap)}))
        except (InputError, SolverFailure):
            return Outcome(None, np.inf, False, 0, "")

    def relaxation(self, rule: Rule) -> Conflict:
        """Return the least by which a rule alone must give way."""
        model, others = self.model, [other for other in self.every if other is not rule]
        if rule.limit is not None:
            # What negative own funds cannot meet either is missed by itself, whatever this one asks for.
            others = [other for other in others if other.limit is None or other.limit.available >= 0.0]
            return self._of_limit(rule, rule.limit, others)
        assert rule.term is not None
        if rule.term.left.discrete:
            # It has no soft form: all that is asked is whether leaving it out helps.
            helps = self._asked(_asking(model, others)).best is not None
            right = float(rule.term.right[rule.row] / rule.term.per[rule.row])
            return Conflict(rule, np.nan, right, 0.0 if helps else np.nan)
        soft = replace(rule.term.only([rule.row]), mode=Mode.SOFT, price=1.0)
        asked = _asking(model, others)
        outcome = self._asked(replace(asked, terms=(*asked.terms, soft)), COARSE)
        required = float(soft.right[0] / soft.per[0])
        if outcome.best is None:
            return Conflict(rule, np.nan, required, np.nan)
        reachable = float(soft.shown(outcome.best.holdings)[0][0])
        return Conflict(rule, reachable, required, abs(reachable - required))

    def _of_limit(self, rule: Rule, limit: CapitalLimit, others: list[Rule]) -> Conflict:
        """The least ``multiplier × module + cost`` under the other rules, against what is available."""
        model = self.model
        if limit.cost_weight:
            part = ObjectiveTerm("cost", limit.label, model.cost, -limit.cost_weight, "money")
        else:
            part = ObjectiveTerm("nothing", limit.label, Linear.of(np.zeros(model.space.size)), 1.0, "money")
        weight = abs(limit.multiplier)
        asked = replace(_asking(model, others, (part,)), capital_module=limit.module, capital_weight=weight)
        outcome = self._asked(asked, COARSE)
        tree = model.tree
        if outcome.best is None or tree is None:
            return Conflict(rule, np.nan, limit.multiplier, np.nan)
        held = outcome.best.holdings
        module = (tree if self.tree_at is None else self.tree_at(held)).values(held)[limit.module]
        cost = float(model.cost.value(held)[0])
        ratio = (limit.available - limit.cost_weight * cost) / module
        return Conflict(rule, ratio, limit.multiplier, -limit.slack(module, cost), _tight(others, held), outcome.proven)


def _tight(rules: Sequence[Rule], holdings: Vector) -> tuple[Text, ...]:
    """Return the labels of the limits without room at ``holdings`` (n,); budgets and whole numbers aside."""
    found: dict[str, Text] = {}
    for rule in rules:
        term = rule.term
        if term is None or term.left.discrete or term.sense is Sense.EQUAL:
            continue
        room = float(term.slack(holdings)[rule.row])
        if room <= TIGHT * max(1.0, abs(float(term.right[rule.row] / term.per[rule.row]))):
            found.setdefault(term.label.en, term.label)
    return tuple(found.values())


def problems_of(conflicts: Iterable[Conflict], money: MoneyUnit) -> tuple[Problem, ...]:
    """Return one problem per rule in conflict, in words.

    Parameters
    ----------
    conflicts : iterable of Conflict
        The rules in conflict.
    money : MoneyUnit
        The unit in which amounts are shown.
    """
    found = tuple(conflicts)
    return tuple(_problem(conflict, len(found) == 1, money) for conflict in found)


def _most_reachable(own: float, conflict: Conflict, money: MoneyUnit) -> Text:
    """Say how far a ratio can go while every other rule holds, which rules stop it there, and what is missing."""
    named, missing = conflict.held_by[:MOST_NAMED], money.amount(conflict.amount)
    if own < 0.0:
        funds = money.amount(own)
        return Text(
            f"own funds are negative ({funds.en}), which no holdings cover; capital of {missing.en} is missing",
            f"资本为负（{funds.zh}），任何持仓均无法弥补；资本缺口 {missing.zh}",
        )
    if not conflict.proven:
        return Text(
            f"{conflict.reachable:.4%} is reached, more is not ruled out; capital of up to {missing.en} is missing",
            f"可达 {conflict.reachable:.4%}，未证明不能更高；资本缺口至多 {missing.zh}",
        )
    more = len(conflict.held_by) - len(named)
    english, chinese = "; ".join(rule.en for rule in named), "；".join(rule.zh for rule in named)
    english += f" and {more} more" if more else ""
    chinese += f"等 {len(conflict.held_by)} 项" if more else ""
    return Text(
        f"with every other rule kept, at most {conflict.reachable:.4%} is reachable"
        + (f", held back by: {english}" if english else "")
        + f"; capital of {missing.en} is missing",
        f"在其余规则均满足时最高可达 {conflict.reachable:.4%}"
        + (f"，受限于：{chinese}" if chinese else "")
        + f"；资本缺口 {missing.zh}",
    )


def _apart(first: float, second: float) -> tuple[str, str]:
    """Return two figures with as many digits as tell them apart."""
    for digits in (6, 8, 10, 12, 15):
        found = f"{first:.{digits}g}", f"{second:.{digits}g}"
        if found[0] != found[1]:
            break
    return found


def _problem(conflict: Conflict, alone: bool, money: MoneyUnit) -> Problem:
    rule = conflict.rule
    reached, required = _apart(conflict.reachable, conflict.required)
    if conflict.amount == 0.0:
        hint = Text("without this rule the others can hold", "取消本条规则后其余规则可行")
        got = None
    elif np.isnan(conflict.reachable):
        hint = Text("giving way on this rule alone is not enough", "仅放宽本条规则仍不可行")
        got = None
    elif rule.limit is not None:
        # Where own funds are negative, the ratio is no measure: it falls as less capital is required.
        got = reached if rule.limit.available >= 0.0 else None
        hint = _most_reachable(rule.limit.available, conflict, money)
    else:
        assert rule.term is not None
        got = reached
        in_money, unit = rule.term.unit == "money", rule.term.unit
        step = conflict.amount / (money.scale if in_money else 1.0)
        said = money.label if in_money else UNIT_NAMES.get(unit, Text(unit, unit))
        hint = Text(
            f"relaxed by {step:.6g} ({money.code if in_money else unit}), this rule alone makes the others feasible",
            f"仅将本条放宽 {step:.6g}（{said.zh}）即可行",
        )
    label = rule.limit.label if rule.limit is not None else rule.term.label if rule.term is not None else None
    assert label is not None
    sense = (Sense.AT_LEAST if rule.term is None else rule.term.sense).sign
    others = Text(f"in conflict with the others listed: {label.en}", f"与所列其他规则冲突：{label.zh}")
    bounds = Text(f"out of reach inside the rows' bounds: {label.en}", f"在各行上下限之内即无法满足：{label.zh}")
    return Problem(
        bounds if alone else others,
        where=rule.name,
        got=got,
        allowed=f"{sense} {required}",
        hint=hint,
    )
