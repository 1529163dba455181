"""The surplus: assets less liabilities, and how it varies.

With L the liabilities' value and r_L its growth over a year, T = Σ target and w = x / T, the surplus moves by

    T w′r − L r_L,    so its variance over T² is    Var(w′r − (L / T) r_L).

Where the scenarios say how the liabilities grow, it is the scenarios' own variance, Σ p (s − s̄)². Otherwise
the liabilities are a short position in the factors of the risk model, without a part of their own:

    ‖F w − (L / T) Ω^½ b‖² + Σ d w²,    b the exposures of r_L to the factors.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from allocator.plugin import InputError, Number, Problem, Problems, Section, Text, Vector, did_you_mean
from allocator.plugin.cash_flows import SpotCurve, spot_curve, years_ahead
from allocator.plugin.tables import Inputs, column
from allocator.plugin.terms import ModelContext, Quadratic, Scenarios

__all__ = ["SurplusOptions", "surplus_variance_of"]


_REACH = (1.0, 20.0)
"""Tenors the curve must reach; beyond its last one it is flat."""


class SurplusOptions(Section):
    """What the liabilities are worth and what moves them.

    ``value``: their value in ``fund.unit``; omitted, the present value of liabilities.csv on curve.csv when
    ``rate_factor`` is given, else ``balance_sheet.admitted_liabilities``. ``exposures``: factor → exposure of
    their growth, as factor_exposures.csv gives it for assets. ``rate_factor``: the factor that is a parallel
    move of the yield; the liabilities' exposure to it is minus their modified duration.
    Neither is used when the scenarios hold a column ``liabilities``.
    """

    value: Annotated[Number, Field(gt=0)] | None = None
    exposures: dict[str, Number] = {}
    rate_factor: str | None = None


def surplus_variance_of(context: ModelContext, options: SurplusOptions) -> Quadratic:
    """Return the variance of the surplus over T² as a function of the amounts.

    Parameters
    ----------
    context : ModelContext
        The fund as a term sees it.
    options : SurplusOptions
        The keys of the fund file.

    Raises
    ------
    InputError
        When nothing says how the liabilities move, or what they are worth.
    """
    if "scenarios" in context.inputs.settings.models or context.inputs.table("scenarios") is not None:
        scenarios = context.scenarios
        if scenarios.liabilities is not None:
            return _by_scenarios(context, options, scenarios, scenarios.liabilities)
    if not options.exposures and options.rate_factor is None:
        raise InputError(
            Problem(
                Text("nothing says how the liabilities move", "未说明负债价值如何变动"),
                context.inputs.settings.where("objective"),
                hint=Text(
                    "give objective.exposures or objective.rate_factor, or a column liabilities in the scenarios",
                    "请给出 objective.exposures 或 objective.rate_factor，或在情景表中增加 liabilities 列",
                ),
            )
        )
    return _by_factors(context, options)


def _by_scenarios(context: ModelContext, options: SurplusOptions, scenarios: Scenarios, growth: Vector) -> Quadratic:
    share = _value(context.inputs, options) / context.space.total
    both = np.column_stack([scenarios.returns / context.space.total, share * growth])
    weighted = np.sqrt(scenarios.probability)[:, None] * (both - scenarios.probability @ both)
    if len(weighted) > weighted.shape[1]:
        # ‖Q R z‖ = ‖R z‖: as many rows as there are columns say the same.
        weighted = np.asarray(np.linalg.qr(weighted, mode="r"))
    return Quadratic(weighted[:, :-1], np.zeros(context.space.size), offset=weighted[:, -1])


def _by_factors(context: ModelContext, options: SurplusOptions) -> Quadratic:
    inputs, total, risk = context.inputs, context.space.total, context.risk
    exposures, value = dict(options.exposures), None
    if options.rate_factor is not None:
        present, duration = _present_value_and_duration(inputs)
        exposures[options.rate_factor] = exposures.get(options.rate_factor, 0.0) - duration
        value = present
    try:
        loaded = risk.exposure(exposures)
    except KeyError as error:
        name = str(error.args[0])
        raise InputError(
            Problem(
                Text("the risk model has no factor of this name", "风险模型中没有该因子"),
                inputs.settings.where("objective"),
                name,
                ", ".join(risk.names) or "models.risk: factors",
                did_you_mean(name, risk.names),
            )
        ) from None
    share = _value(inputs, options, value) / total
    return Quadratic(risk.factors / total, risk.specific / total**2, offset=share * loaded)


def _value(inputs: Inputs, options: SurplusOptions, present: float | None = None) -> float:
    if options.value is not None:
        return options.value * inputs.unit
    value = inputs.balance_sheet.admitted_liabilities if present is None else present
    if value is None:
        raise InputError(
            Problem(
                Text("the liabilities' value is not given", "缺少负债价值"),
                inputs.settings.where("objective.value"),
                hint=Text(
                    "give objective.value or balance_sheet.admitted_liabilities",
                    "请填写 objective.value 或 balance_sheet.admitted_liabilities",
                ),
            )
        )
    return value


def _present_value_and_duration(inputs: Inputs) -> tuple[float, float]:
    """Return PV = Σ c d(t), CNY, and Σ c t d(t) / (1 + r(t)) / PV, years, of outflows less inflows."""
    problems = Problems()
    table, frame = inputs.table("liabilities"), inputs.table("curve")
    for name, found in (("liabilities", table), ("curve", frame)):
        if found is None:
            what = Text(
                "rate_factor needs liability cash flows and a spot curve", "rate_factor 需要负债现金流与即期曲线"
            )
            problems.add(what, inputs.settings.where(f"inputs.{name}"), "missing")
    problems.raise_if_any()
    assert table is not None
    assert frame is not None
    curve = spot_curve(frame, *_REACH, inputs.settings.where("inputs.curve"), problems)
    problems.raise_if_any()
    assert curve is not None
    present, slope = _discounted(inputs, table, curve)
    if not present > 0:
        raise InputError(
            Problem(
                Text("the liabilities' present value is not positive", "负债现值不为正"),
                inputs.settings.where("inputs.liabilities"),
                f"{present:.6g}",
                "> 0",
            )
        )
    return present, slope / present


def _discounted(inputs: Inputs, table: pd.DataFrame, curve: SpotCurve) -> tuple[float, float]:
    time = column(table, "year")
    if "date" in table:
        days = table["date"].to_numpy().astype("datetime64[D]") - np.datetime64(inputs.as_of, "D")
        time = np.where(np.isnat(days), time, years_ahead(inputs, days / np.timedelta64(1, "D")))
    ahead = time > 0
    time = time[ahead]
    net = (np.nan_to_num(column(table, "outflow")) - np.nan_to_num(column(table, "inflow")))[ahead]
    worth = net * curve.discount(time)
    return float(worth.sum()), float(worth @ (time / (1.0 + curve.rate(time))))
