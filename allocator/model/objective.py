"""What the fund file asks for, as one objective: the aim, less a price on risk, less the cost of trading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from allocator.capital.tree import CapitalTree
from allocator.config.load import lookup, validate_options
from allocator.errors import InputError, Problem, did_you_mean
from allocator.model import ModelContext, Objective, ObjectiveSpec, ObjectiveTerm
from allocator.model.build import build_trade_cost
from allocator.types import Text

__all__ = ["build_objective", "require_module"]


def build_objective(
    context: ModelContext, offered: Mapping[str, ObjectiveSpec], tree: Callable[[], CapitalTree | None]
) -> Objective:
    """Return the objective of a fund file in maximized form.

    Parameters
    ----------
    context : ModelContext
        The fund and its estimates.
    offered : mapping of str to ObjectiveSpec
        The objectives of the enabled plugins.
    tree : callable
        Returns the regime's tree, whose modules an objective may name, or None without a regime; asked only
        when the objective speaks of capital.

    Raises
    ------
    InputError
        For a name or an option that does not exist, or data that are missing.
    """
    settings = context.inputs.settings
    chosen = settings.objective
    way, name = ("minimize", chosen.minimize) if chosen.minimize else ("maximize", chosen.maximize)
    assert name is not None
    fitting = {key: spec for key, spec in offered.items() if spec.direction == way}
    spec = lookup(fitting, name, settings.where(f"objective.{way}"))
    objective = spec.build(context, validate_options(spec.options, chosen.options, settings, "objective"))
    objective = _less_risk(context, objective, offered)
    if objective.capital_weight or objective.per_capital:
        require_module(objective.capital_module, tree(), settings.where("objective"))
    return replace(objective, terms=(*objective.terms, *_cost_terms(context, objective)))


def _less_risk(context: ModelContext, objective: Objective, offered: Mapping[str, ObjectiveSpec]) -> Objective:
    """Subtract aversion × measure, in the objective's own unit; a measure in CNY counts per Σ target."""
    settings, total = context.inputs.settings, context.space.total
    risk = settings.objective.risk
    if risk is None or risk.aversion == 0.0:
        return objective
    place = settings.where("objective.risk.measure")
    spec = lookup({key: spec for key, spec in offered.items() if spec.direction == "minimize"}, risk.measure, place)
    measure = spec.build(context, validate_options(spec.options, risk.options, settings, "objective.risk"))
    if measure.capital_weight and (objective.per_capital or objective.capital_weight):
        what = Text("the objective speaks of capital already", "目标本身已含资本")
        raise InputError(Problem(what, place, risk.measure))
    scale = risk.aversion * (total if objective.per_capital else 1.0)
    terms = [replace(term, name=f"risk:{term.name}", weight=term.weight * scale) for term in measure.terms]
    objective = replace(objective, terms=(*objective.terms, *terms))
    if not measure.capital_weight:
        return objective
    weight = measure.capital_weight * risk.aversion / total
    return replace(objective, capital_weight=weight, capital_module=measure.capital_module)


def _cost_terms(context: ModelContext, objective: Objective) -> tuple[ObjectiveTerm, ...]:
    cost = build_trade_cost(context.inputs, context.space)
    if not (np.any(cost.buy) or np.any(cost.quadratic)) or not objective.terms:
        return ()
    per = 1.0 if objective.per_capital else context.space.total
    weight = -1.0 / (context.inputs.settings.objective.costs.horizon * per)
    return (ObjectiveTerm("costs", Text("Trading costs a year", "年化交易成本"), cost, weight),)


def require_module(module: str, tree: CapitalTree | None, place: str) -> None:
    """Refuse a rule or an objective that speaks of a risk module the regime does not have.

    Parameters
    ----------
    module : str
        Name of the risk module; empty for minimum capital.
    tree : CapitalTree or None
        The regime's tree; None without a regime.
    place : str
        Place in the fund file, for the message.

    Raises
    ------
    InputError
        Without a regime, or when ``module`` is not empty and not in ``tree``.
    """
    if tree is None:
        what = Text("capital is asked of a fund without a solvency regime", "组合未设定偿付能力规则，无从计量资本")
        hint = Text("give the section capital", "请填写 capital 部分")
        raise InputError(Problem(what, place, hint=hint))
    names = [node.name for node in tree.nodes]
    if module and module not in names:
        what = Text("the regime has no risk module of this name", "偿付能力规则中没有该风险模块")
        raise InputError(Problem(what, place, module, ", ".join(names), did_you_mean(module, names)))
