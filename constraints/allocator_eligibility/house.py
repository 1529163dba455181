"""``limit``: a house limit in the rule language, from its text to terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from allocator.plugin import InputError, Problem, Text
from allocator.plugin.rules import USER
from allocator.plugin.terms import (
    SHARE_OF_TOTAL_ASSETS,
    ConstraintSpec,
    LimitOptions,
    Linear,
    ModelContext,
    Sense,
    Term,
    bound,
    place,
)
from allocator_eligibility.faults import Fault, pointed
from allocator_eligibility.meaning import Affine, Meaning, unlike
from allocator_eligibility.nodes import Rule
from allocator_eligibility.syntax import parse_rule

__all__ = ["HOUSE", "HouseLimitOptions", "house_limit"]

_SENSES = {"<=": Sense.AT_MOST, ">=": Sense.AT_LEAST, "==": Sense.EQUAL}
_TURNED = {Sense.AT_MOST: Sense.AT_LEAST, Sense.AT_LEAST: Sense.AT_MOST, Sense.EQUAL: Sense.EQUAL}


class HouseLimitOptions(LimitOptions):
    """``rule``: e.g. ``sum(amount where kind == "venture_fund") <= 2% of total_assets``; ``name``: the term's name."""

    rule: Annotated[str, Field(min_length=1)]
    name: str | None = None


def house_limit(context: ModelContext, options: HouseLimitOptions) -> Sequence[Term]:
    """Return the term of a house limit, two for a chain such as ``1% <= sum(weight …) <= 5%``.

    Parameters
    ----------
    context : ModelContext
        The fund as a term sees it.
    options : HouseLimitOptions
        The keys of the fund file.

    Raises
    ------
    InputError
        Pointing at the character of the rule where it goes wrong.
    """
    where = place(context, "limit", "rule", options.rule)
    try:
        terms = _terms(context, options)
    except Fault as fault:
        raise pointed(fault, options.rule, where) from None
    if options.no_worse and any(term.sense is Sense.EQUAL for term in terms):
        what = Text("an equality has no worse side", "等式约束不适用 no_worse")
        raise InputError(Problem(what, where, options.rule, "<= | >="))
    return tuple(bound(term, options, context.space.current) for term in terms)


def _terms(context: ModelContext, options: HouseLimitOptions) -> Sequence[Term]:
    rule = parse_rule(options.rule)
    meaning = Meaning(context)
    groups, names = meaning.groups(rule)
    count = max(len(names), 1)
    sides = [meaning.value(side, groups, count) for side in rule.sides]
    written = " ".join(options.rule.split())
    called = options.name or written
    label = Text(f"The house's own limit holds: {written}", f"须满足自定限额：{written}")
    suffixes = ("",) if len(rule.signs) == 1 else (":first", ":second")
    return [
        _term(context, rule, number, (sides[number], sides[number + 1]), names, f"{called}{suffixes[number]}", label)
        for number in range(len(rule.signs))
    ]


def _term(
    context: ModelContext,
    rule: Rule,
    number: int,
    sides: tuple[Affine, Affine],
    names: tuple[str, ...],
    called: str,
    label: Text,
) -> Term:
    """Return ``left <sign> right`` with everything that depends on the holdings on the left."""
    (at, sign), (left, right) = rule.signs[number], sides
    if None not in (left.money, right.money) and left.money != right.money:
        raise unlike(at)
    if not left.held and not right.held:
        raise Fault(at, Text("neither side depends on the holdings", "两边都与持仓无关"), "sum(amount where …)")
    sense = _SENSES[sign]
    if not left.held:
        left, right, sense = right, left, _TURNED[sense]
    matrix = left.slope - right.slope if right.held else left.slope
    money = right.money if left.money is None else left.money
    per, unit = _scale(context, at, money)
    return Term(
        called,
        label,
        Linear(matrix, left.level.copy()),
        sense,
        right.level.copy(),
        np.full(len(right.level), per),
        unit,
        USER,
        rows=names,
    )


def _scale(context: ModelContext, at: int, money: int | None) -> tuple[float, str]:
    """Return the divisor and the unit that both sides are shown in."""
    if money in (None, 0):
        return 1.0, "number"
    if money != 1:
        raise Fault(at, Text("the sides are neither money nor plain numbers", "两边既非金额也非数值"))
    total = context.inputs.balance_sheet.total_assets
    return (total, SHARE_OF_TOTAL_ASSETS) if total else (context.space.total, "share of the portfolio")


HOUSE = (
    ConstraintSpec("limit", Text("A limit of the house, in words", "自定限额表达式"), HouseLimitOptions, house_limit),
)
