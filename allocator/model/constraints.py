"""What the fund file demands of an allocation: budgets, the constraints it names, the regime's guards and ratios."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from allocator.arrays import Vector
from allocator.capital.tree import CapitalTree
from allocator.config.load import lookup, validate_options
from allocator.config.settings import Settings, TermSettings
from allocator.errors import Problems
from allocator.model import CapitalLimit, ConstraintSpec, Mode, ModelContext, Term
from allocator.model.build import build_budgets
from allocator.model.objective import require_module
from allocator.model.regime import Requirement
from allocator.model.specs import STATUTORY
from allocator.types import Text

__all__ = ["BINDING_TOLERANCE", "build_rules", "check_terms", "required_capital", "term_rows", "unchecked_limits"]


def build_rules(
    context: ModelContext, offered: Mapping[str, ConstraintSpec], tree: Callable[[], CapitalTree | None]
) -> tuple[tuple[Term, ...], tuple[CapitalLimit, ...]]:
    """Return budgets and the constraints that the fund file names, its limits on capital apart.

    Parameters
    ----------
    context : ModelContext
        The fund and its estimates.
    offered : mapping of str to ConstraintSpec
        The constraints of the enabled plugins.
    tree : callable
        Returns the regime's tree, whose modules a limit may name, or None without a regime.

    Raises
    ------
    InputError
        With everything that the constraints find wrong or missing.
    """
    settings = context.inputs.settings
    terms = list(build_budgets(context.inputs, context.space))
    limits: list[CapitalLimit] = []
    problems = Problems()
    for spec, entry in _named(settings, offered, problems):
        prefix = f"constraints.{entry.position}.{entry.name}"
        with problems.collected():
            options = validate_options(spec.options, entry.options, settings, prefix)
            for rule in spec.build(context, options):
                if isinstance(rule, CapitalLimit):
                    require_module(rule.module, tree(), settings.where(prefix))
                    limits.append(rule)
                else:
                    terms.append(rule)
    problems.raise_if_any()
    return tuple(terms), tuple(limits)


def _named(
    settings: Settings, offered: Mapping[str, ConstraintSpec], problems: Problems
) -> Iterator[tuple[ConstraintSpec, TermSettings]]:
    """Yield every rule that the fund file names, by its own name or by a set's; its own name wins."""
    own = {entry.name for entry in settings.constraints}
    presets = {preset: None for spec in offered.values() for preset in spec.presets}
    for entry in settings.constraints:
        if entry.name in offered or entry.name not in presets:
            found: dict[str, ConstraintSpec] = {}
            with problems.collected():
                found[entry.name] = lookup(offered, entry.name, settings.where(f"constraints.{entry.position}"))
            yield from ((spec, entry) for spec in found.values())
            continue
        if entry.options:
            what = Text("a set of rules has no options", "规则集不带选项")
            hint = Text("name the rule itself with them", "请直接列出该规则并写明选项")
            where = settings.where(f"constraints.{entry.position}.{entry.name}")
            problems.add(what, where, ", ".join(entry.options), hint=hint)
        for name, spec in offered.items():
            if entry.name in spec.presets and name not in own:
                yield spec, entry.model_copy(update={"options": {}})


def unchecked_limits(settings: Settings, offered: Mapping[str, ConstraintSpec]) -> tuple[ConstraintSpec, ...]:
    """Return the statutory limits that a fund under a solvency regime does not check; empty for any other fund.

    Parameters
    ----------
    settings : Settings
        The fund file.
    offered : mapping of str to ConstraintSpec
        The constraints of the enabled plugins.
    """
    named = {entry.name for entry in settings.constraints}
    if settings.capital is None or STATUTORY in named:
        return ()
    return tuple(spec for name, spec in offered.items() if STATUTORY in spec.presets and name not in named)


def required_capital(requirements: Iterable[Requirement], root: str) -> tuple[CapitalLimit, ...]:
    """Return the limits on the module ``root`` that keep the ratios and the free capital asked for.

    Parameters
    ----------
    requirements : iterable of Requirement
        Ratios and free capital as the regime states them, capital in currency units.
    root : str
        Module that they are held against: minimum capital.
    """
    limits = []
    for item in requirements:
        if item.required is not None:
            limits.append(CapitalLimit(item.name, item.label, root, item.required, item.capital))
        if item.free_capital is not None:
            limits.append(CapitalLimit(item.name, item.label, root, 1.0, item.capital - item.free_capital))
    return tuple(limits)


BINDING_TOLERANCE = 1e-6
"""A rule binds when its slack is within this of the larger of one and its right side, in the unit shown."""


def term_rows(term: Term, holdings: Vector, price: Vector | None = None) -> list[dict[str, Any]]:
    """Return one line for each row of a term, in the unit shown.

    Parameters
    ----------
    term : Term
        The rule.
    holdings : ndarray (n,)
        Where its sides are taken.
    price : ndarray (rows,) or None
        Shadow prices; None: 0, and NaN for a rule that is only watched.
    """
    left, right = term.shown(holdings)
    slack = term.slack(holdings)
    if price is None:
        price = np.full(len(right), np.nan if term.mode is Mode.MONITOR else 0.0)
    hard = term.mode is not Mode.MONITOR
    return [
        {
            "name": name,
            "source": str(term.source),
            "unit": term.unit,
            "lhs": float(left[i]),
            "sense": term.sense.value,
            "rhs": float(right[i]),
            "slack": float(slack[i]),
            "shadow_price": float(price[i]),
            "binding": bool(hard and slack[i] <= BINDING_TOLERANCE * max(1.0, abs(right[i]))),
            "mode": term.mode.value,
            "certainty": term.source.certainty.value,
        }
        for i, name in enumerate(term.row_names())
    ]


def check_terms(terms: Sequence[Term], holdings: Vector) -> pd.DataFrame:
    """Return the two sides of every rule row at ``holdings``: what `term_rows` says, prices left out.

    Parameters
    ----------
    terms : sequence of Term
        Rules, monitored ones too.
    holdings : ndarray (n,)
        Amounts, money.
    """
    columns = ["name", "lhs", "sense", "rhs", "slack", "unit", "mode", "source", "certainty"]
    return pd.DataFrame([row for term in terms for row in term_rows(term, holdings)], columns=columns)
