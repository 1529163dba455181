"""What the fund file demands of an allocation: budgets, the constraints it names, the regime's guards and ratios."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.capital.tree import CapitalTree
from allocator.config.load import choose, validate_options
from allocator.errors import Problems
from allocator.model import CapitalLimit, ConstraintSpec, ModelContext, Term
from allocator.model.build import build_budgets
from allocator.model.objective import require_module
from allocator.model.regime import Requirement

__all__ = ["build_rules", "check_terms", "required_capital"]

Vector = NDArray[np.float64]


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
    for entry in settings.constraints:
        prefix = f"constraints.{entry.position}.{entry.name}"
        with problems.collected():
            spec = choose(offered, entry.name, settings.where(f"constraints.{entry.position}"))
            options = validate_options(spec.options, entry.options, settings, prefix)
            for rule in spec.build(context, options):
                if isinstance(rule, CapitalLimit):
                    require_module(rule.module, tree(), settings.where(prefix))
                    limits.append(rule)
                else:
                    terms.append(rule)
    problems.raise_if_any()
    return tuple(terms), tuple(limits)


def required_capital(requirements: Iterable[Requirement], root: str) -> tuple[CapitalLimit, ...]:
    """Return the limits on the module ``root`` that keep the ratios and the free capital asked for."""
    limits = []
    for item in requirements:
        if item.required is not None:
            limits.append(CapitalLimit(item.name, item.label, root, item.required, item.capital))
        if item.free_capital is not None:
            limits.append(CapitalLimit(item.name, item.label, root, 1.0, item.capital - item.free_capital))
    return tuple(limits)


def check_terms(terms: Sequence[Term], holdings: Vector) -> pd.DataFrame:
    """Return name, left, right, slack (unit shown), unit, mode, source, certainty of every rule row."""
    rows = []
    for term in terms:
        left, right = term.shown(holdings)
        slack = term.slack(holdings)
        rows += [
            (
                name,
                float(left[i]),
                term.sense.value,
                float(right[i]),
                float(slack[i]),
                term.unit,
                term.mode.value,
                str(term.source),
                term.source.certainty.value,
            )
            for i, name in enumerate(term.row_names())
        ]
    columns = ["name", "lhs", "sense", "rhs", "slack", "unit", "mode", "source", "certainty"]
    return pd.DataFrame(rows, columns=columns)
