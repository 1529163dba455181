"""Income against what the liabilities cost: comprehensive and net yield coverage, spread over guaranteed rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated

import numpy as np
from pydantic import Field

from allocator.plugin import EMPTY, InputError, Mask, Number, Problem, Problems, Text, Vector, did_you_mean
from allocator.plugin.rules import USER, Figure
from allocator.plugin.tables import column
from allocator.plugin.terms import (
    ConstraintSpec,
    LimitOptions,
    Linear,
    ModelContext,
    Sense,
    Term,
    bound,
    percent,
    place,
)
from allocator_alm.sides import BOOK, AlmOptions, By, Sides, sentence

__all__ = ["COVERAGE", "Income"]


class Income(StrEnum):
    """Which yield of a row is meant: comprehensive (expected return) or net (coupon, dividend, rent)."""

    COMPREHENSIVE = "comprehensive"
    NET = "net"


class CoverageOptions(LimitOptions):
    """``income_history``, ``cost_history``: those of the years before, most distant first; ``cost`` of the year ahead;
    in ``fund.unit``.

    ``min``: the user's own floor. ``account``: of one account, omitted: of the company.
    """

    income_history: tuple[Number, ...] = ()
    cost_history: tuple[Annotated[Number, Field(ge=0)], ...] = ()
    cost: Annotated[Number, Field(gt=0)]
    min: Number | None = None
    account: str | None = None


class SpreadOptions(AlmOptions):
    """``min``: least spread, annual decimal; ``income``: comprehensive (default) or net.

    ``rates``: guaranteed rate by account, in place of the liabilities' own column.
    """

    by: By = By.ACCOUNT
    min: Number = 0.0
    income: Income = Income.COMPREHENSIVE
    rates: Mapping[str, Number] = {}


def comprehensive_yield_coverage(context: ModelContext, options: CoverageOptions) -> Sequence[Term]:
    """(Σ past comprehensive income + next year's) / (Σ past funding cost + next year's) ≥ line.

    Next year's income is yield × target amount: the expected return, and for bonds not carried through profit
    or loss the yield, since changes of their fair value do not count. Source: 国家金融监督管理总局令2026年第4号.
    """
    label = Text("Comprehensive yield coverage", "综合投资收益覆盖率")
    return _coverage(context, options, "comprehensive_coverage", label, Income.COMPREHENSIVE)


def net_yield_coverage(context: ModelContext, options: CoverageOptions) -> Sequence[Term]:
    """(Σ past net income + next year's) / (Σ past guaranteed cost + next year's) ≥ line.

    Net income is coupon, dividend and rent: the column ``net_yield``, else a fixed-income row's ``yield``, else
    what cash is expected to return.
    Source: 国家金融监督管理总局令2026年第4号.
    """
    label = Text("Net yield coverage", "净投资收益覆盖率")
    return _coverage(context, options, "net_coverage", label, Income.NET)


def guaranteed_spread(context: ModelContext, options: SpreadOptions) -> Sequence[Term]:
    """Σ (yield − guaranteed rate of the account) × amount ≥ min × the account's assets today."""
    sides = Sides(context, options)
    scopes, space = sides.scopes(), context.space
    rates = _guaranteed_rates(sides, options)
    owed = np.array([rates.get(account, 0.0) for account in space.account.tolist()])
    rows = space.funded & np.isin(space.account, list(rates))
    problems = Problems()
    income = _yields(sides.context, sides.fixed, options.income, rows, problems)
    problems.raise_if_any()
    left = sides.per_scope(np.where(rows, income - owed, 0.0), scopes)
    per = np.array([space.current[scope.rows & rows].sum() for scope in scopes])
    per = np.where(per > 0, per, space.total)
    chinese = "综合投资收益率" if options.income is Income.COMPREHENSIVE else "净投资收益率"
    label = Text(
        f"The {options.income.value} yield exceeds the guaranteed rate by at least {percent(options.min)}.",
        f"{chinese}较保证利率至少高出{percent(options.min)}。",
    )
    term = Term(
        f"guaranteed_spread:{options.income.value}",
        label,
        left,
        Sense.AT_LEAST,
        options.min * per,
        per,
        "annual decimal",
        USER,
        rows=sides.names(scopes),
    )
    return (bound(term, options, space.current),)


def _coverage(
    context: ModelContext, options: CoverageOptions, key: str, called: Text, income: Income
) -> Sequence[Term]:
    inputs, space, rule = context.inputs, context.space, f"{income.value}_yield_coverage"
    figure = BOOK.at(key, inputs.as_of, early=True).or_user(options.min)
    _check_window(context, options, rule, BOOK.at(f"{key}.years", inputs.as_of, early=True))
    rows = space.funded if options.account is None else space.funded & _account(context, rule, options.account)
    problems = Problems()
    fixed = Sides(context, AlmOptions()).fixed
    yields = _yields(context, fixed, income, rows, problems)
    problems.raise_if_any()
    left = Linear.of(np.where(rows, yields, 0.0), sum(options.income_history) * inputs.unit)
    cost = (sum(options.cost_history) + options.cost) * inputs.unit
    english = f"{called.en} over its window is at least {percent(figure.number)}"
    label = sentence(english, f"观察期{called.zh}不低于{percent(figure.number)}", figure, inputs.as_of)
    name = rule if options.account is None else f"{rule}:{options.account}"
    right = np.array([figure.number * cost])
    term = Term(name, label, left, Sense.AT_LEAST, right, np.array([cost]), "ratio", figure.source)
    return (bound(term, options, space.current),)


def _check_window(context: ModelContext, options: CoverageOptions, rule: str, years: Figure) -> None:
    past = int(years.number) - 1
    problems = Problems()
    for key, given in (("income_history", options.income_history), ("cost_history", options.cost_history)):
        if len(given) != past:
            what = Text(
                f"the window of {past + 1} years needs the {past} years before the one ahead",
                f"{past + 1}年观察期须提供此前{past}年的数据",
            )
            problems.add(what, place(context, rule, key), f"{len(given)}", f"{past}")
    problems.raise_if_any()


def _account(context: ModelContext, rule: str, account: str) -> Mask:
    known = dict.fromkeys(context.space.account.tolist())
    if account not in known:
        what = Text("no row of assets.csv is in this account", "assets.csv 中没有该账户的资产")
        where = place(context, rule, "account", account)
        raise InputError(Problem(what, where, account, ", ".join(known), did_you_mean(account, known)))
    return np.asarray(context.space.account == account)


def _yields(context: ModelContext, fixed: Mask, income: Income, rows: Mask, problems: Problems) -> Vector:
    """Return the yield of each row (n,), annual decimal; what is missing among ``rows`` is a problem."""
    assets = context.inputs.assets
    given = column(assets, "yield")
    if income is Income.COMPREHENSIVE:
        carried = np.zeros(len(given), dtype=bool)
        if "accounting" in assets:
            carried = assets["accounting"].isin(["ac", "fvoci"]).to_numpy(dtype=bool)
        return np.where(fixed & carried & ~np.isnan(given), given, context.expected_return)
    net = column(assets, "net_yield")
    net = np.where(np.isnan(net) & fixed, given, net)
    cash = assets["kind"].isin(BOOK.at("opening.kinds", context.inputs.as_of).names).to_numpy(dtype=bool)
    net = np.where(np.isnan(net) & cash, context.expected_return, net)
    for row in np.flatnonzero(rows & np.isnan(net)):
        what = Text("net income needs the row's net yield", "净投资收益需要该资产的净投资收益率")
        hint = Text("coupon, dividend and rent a year; 0 for none", "票息、股息、租金的年化收益率；没有则填 0")
        problems.add(what, context.inputs.where("assets", int(row), "net_yield"), EMPTY, hint=hint)
    return net


def _guaranteed_rates(sides: Sides, options: SpreadOptions) -> Mapping[str, float]:
    """Return the guaranteed rate by account: given, else the mean weighted by the value of the outflows."""
    liabilities = sides.liabilities
    value = liabilities.outflow * sides.curve.discount(liabilities.time)
    rates: dict[str, float] = {}
    for account in dict.fromkeys(liabilities.account.tolist()):
        if account in options.rates:
            rates[account] = options.rates[account]
            continue
        chosen = (liabilities.account == account) & ~np.isnan(liabilities.guaranteed_rate)
        if not value[chosen].sum() > 0:
            what = Text(f"no guaranteed rate is known for account {account}", f"缺少{account}账户的保证利率")
            where = place(sides.context, "guaranteed_spread", "rates")
            hint = Text("fill guaranteed_rate in liabilities.csv, or give rates", "请填写负债表保证利率或给出 rates")
            raise InputError(Problem(what, where, "missing", hint=hint))
        rates[account] = float(value[chosen] @ liabilities.guaranteed_rate[chosen] / value[chosen].sum())
    return rates


COVERAGE = tuple(
    ConstraintSpec(name, label, options, build)
    for name, label, options, build in (
        (
            "comprehensive_yield_coverage",
            Text("Comprehensive yield coverage", "综合投资收益覆盖率"),
            CoverageOptions,
            comprehensive_yield_coverage,
        ),
        ("net_yield_coverage", Text("Net yield coverage", "净投资收益覆盖率"), CoverageOptions, net_yield_coverage),
        ("guaranteed_spread", Text("Spread over guarantees", "保证成本利差"), SpreadOptions, guaranteed_spread),
    )
)
