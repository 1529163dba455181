"""Liquidity coverage (R13), and what may be sold.

Over a horizon of m months, with P and I the principal and interest that the holdings pay within it:

    LCR1 = (premiums + other inflows + P + I + cash) / (surrenders + other outflows + calls)
    LCR2 = (stressed premiums + other inflows + (1 − default) (P + I) + cash + reserve) / stressed outflows
    LCR3 = LCR2 without the reserve
    stressed premiums  = renewals + (1 − fall) · new premiums of the same months last year
    stressed surrenders = max( lapse rate · m/12 · surrender value, min( multiple · base surrenders, surrender value ) )

An asset that repays within the horizon counts there and not in the reserve. The denominators do not depend on
the holdings, so each ratio is linear in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import sparse

from allocator.plugin import InputError, LocalizedPhrase, Number, Problem, Problems, Section, Text, Vector
from allocator.plugin.cash_flows import CashFlows, asset_cash_flows
from allocator.plugin.rules import USER
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
    position_term,
)
from allocator_liquidity.reserve import BOOK, reserve_factors

__all__ = ["LIQUIDITY", "CoverageOptions", "Forecast", "SaleBy"]

Money = Annotated[Number, Field(ge=0)]

_MONTHS = (3, 12)


class Forecast(Section):
    """The company's own cash flows of the months ahead without its assets', in ``fund.unit``.

    In come ``new_premiums``, ``renewal_premiums`` and ``other_inflows``, out go ``surrenders`` and
    ``other_outflows``. ``new_premiums_last_year`` are those of the same months last year,
    ``surrender_value`` what policyholders could surrender at the start.
    """

    new_premiums: Money
    renewal_premiums: Money = 0.0
    other_inflows: Money = 0.0
    surrenders: Money
    other_outflows: Money
    new_premiums_last_year: Money
    surrender_value: Money


class CoverageOptions(LimitOptions):
    """``months_3`` and ``months_12``: the forecasts; ``lcr1``, ``lcr2``, ``lcr3``: the user's own lines.

    ``kinds``: kinds whose principal and interest are inflows, in place of the rule's.
    """

    months_3: Forecast
    months_12: Forecast
    lcr1: Number | None = None
    lcr2: Number | None = None
    lcr3: Number | None = None
    kinds: tuple[str, ...] | None = None


class SaleBy(StrEnum):
    """What a sale limit is taken of: every asset, or the chosen rows together."""

    ASSET = "asset"
    GROUP = "group"


class SaleOptions(LimitOptions):
    """``max``: largest part of today's amount that may be sold; ``kinds``: of these, omitted: of all; ``by``: of every
    asset, or of the group together; ``name``: the term's name."""

    max: Annotated[Number, Field(ge=0, le=1)]
    kinds: tuple[str, ...] | None = None
    by: SaleBy = SaleBy.ASSET
    name: str | None = None


@dataclass(frozen=True, eq=False)
class _Horizon:
    """Both scenarios of one horizon: what the holdings bring per CNY (n,), what else comes in and goes out, CNY."""

    base: Vector
    stressed: Vector
    reserve: Vector
    inflow: float
    stressed_inflow: float
    outflow: float
    stressed_outflow: float


def liquidity_coverage(context: ModelContext, options: CoverageOptions) -> Sequence[Term]:
    """LCR1 ≥ 100%, LCR2 ≥ 100%, LCR3 ≥ 50% over three and twelve months (R13)."""
    horizons = _horizons(context, options)
    ratios = (
        ("lcr1", options.lcr1, [(h.base, h.inflow, h.outflow) for h in horizons]),
        ("lcr2", options.lcr2, [(h.stressed + h.reserve, h.stressed_inflow, h.stressed_outflow) for h in horizons]),
        ("lcr3", options.lcr3, [(h.stressed, h.stressed_inflow, h.stressed_outflow) for h in horizons]),
    )
    rows = tuple(LocalizedPhrase(f"{months} months", f"{months} 个月") for months in _MONTHS)
    terms = []
    for key, given, parts in ratios:
        figure = BOOK.at(key, context.inputs.as_of).or_user(given)
        label = Text(
            f"{figure.label.en} over three and twelve months is at least {percent(figure.number)}.",
            f"未来3个月与12个月的{figure.label.zh.removesuffix('下限')}不低于{percent(figure.number)}。",
        )
        left = Linear(sparse.csr_array(np.array([part[0] for part in parts])), np.array([part[1] for part in parts]))
        per = np.array([part[2] for part in parts])
        right = figure.number * per
        name = f"liquidity_coverage:{key}"
        term = Term(name, label, left, Sense.AT_LEAST, right, per, "ratio", figure.source, rows=rows)
        terms.append(bound(term, options, context.space.current))
    return terms


def sale_limit(context: ModelContext, options: SaleOptions) -> Sequence[Term]:
    """Target ≥ (1 − max) × current, row by row or over the chosen rows together."""
    space, kind = context.space, context.inputs.assets["kind"]
    rows = space.funded if options.kinds is None else space.funded & kind.isin(options.kinds).to_numpy(dtype=bool)
    called = options.name or (f"sale_limit:{'|'.join(options.kinds)}" if options.kinds else "sale_limit")
    which = Text(", ".join(options.kinds or ("any asset",)), "、".join(options.kinds or ("任一资产",)))
    english = f"At most {percent(options.max)} of {which.en} may be sold."
    label = Text(english, f"{which.zh}的减持不得超过现有金额的{percent(options.max)}。")
    if options.by is SaleBy.GROUP:
        held = float(space.current[rows].sum())
        left, right = Linear.of(np.where(rows, 1.0, 0.0)), np.array([(1.0 - options.max) * held])
        per = np.array([held if held > 0 else space.total])
        term = Term(called, label, left, Sense.AT_LEAST, right, per, "share of the group", USER)
        return (bound(term, options, space.current),)
    each = position_term(context, called, label, rows, Sense.AT_LEAST, USER)
    if each is None:
        return ()
    return (bound(replace(each, right=(1.0 - options.max) * each.right), options, space.current),)


def _horizons(context: ModelContext, options: CoverageOptions) -> tuple[_Horizon, ...]:
    inputs, kind, problems = context.inputs, context.inputs.assets["kind"], Problems()
    kinds = BOOK.at("inflow.kinds", inputs.as_of).names if options.kinds is None else options.kinds
    flows = asset_cash_flows(inputs, kind.isin(kinds).to_numpy(dtype=bool), problems)
    reserve = reserve_factors(inputs, problems)
    problems.raise_if_any()
    cash = kind.isin(BOOK.at("cash.kinds", inputs.as_of).names).to_numpy(dtype=bool).astype(float)
    forecasts = (options.months_3, options.months_12)
    return tuple(
        _horizon(context, months, forecast, flows, reserve, cash)
        for months, forecast in zip(_MONTHS, forecasts, strict=True)
    )


def _horizon(
    context: ModelContext, months: int, forecast: Forecast, flows: CashFlows, reserve: Vector, cash: Vector
) -> _Horizon:
    inputs, size = context.inputs, context.space.size
    due = flows.day <= _days(inputs.as_of, months)
    principal = np.bincount(flows.row[due], flows.principal[due], minlength=size).astype(float)
    interest = np.bincount(flows.row[due], flows.interest[due], minlength=size).astype(float)

    def figure(key: str) -> float:
        return BOOK.at(f"stress.{key}", inputs.as_of).number

    calls = float(np.nansum(column(inputs.assets, f"calls_{months}m")))
    new = (1.0 - figure("new_premiums")) * forecast.new_premiums_last_year
    most = figure("lapse_largest") * forecast.surrender_value
    lapse = max(
        figure("lapse_rate") * months / 12 * forecast.surrender_value,
        min(figure("lapse_multiple") * forecast.surrenders, most),
    )
    steady = forecast.renewal_premiums + forecast.other_inflows
    outflow = (forecast.surrenders + forecast.other_outflows) * inputs.unit + calls
    stressed = (lapse + forecast.other_outflows) * inputs.unit + calls
    if not outflow > 0:
        what = Text("a coverage ratio divides by outflows, which are zero", "流动性覆盖率的分母（现金流出）为零")
        raise InputError(Problem(what, place(context, "liquidity_coverage", f"months_{months}"), "0", "> 0"))
    return _Horizon(
        principal + interest + cash,
        (1.0 - figure("default")) * (principal + interest) + cash,
        reserve * np.maximum(1.0 - principal, 0.0),
        (forecast.new_premiums + steady) * inputs.unit,
        (new + steady) * inputs.unit,
        outflow,
        stressed,
    )


def _days(as_of: date, months: int) -> int:
    """Return the days of so many calendar months; from a month's last day they end on one."""
    start = pd.Timestamp(as_of)
    end = start + (pd.offsets.MonthEnd(months) if start.is_month_end else pd.DateOffset(months=months))
    return (end - start).days


LIQUIDITY = (
    ConstraintSpec("liquidity_coverage", Text("LCR1, LCR2, LCR3", "流动性覆盖率"), CoverageOptions, liquidity_coverage),
    ConstraintSpec("sale_limit", Text("What may be sold", "资产减持上限"), SaleOptions, sale_limit),
)
