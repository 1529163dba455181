"""Sensitivities of the two sides against each other: hedge ratio, duration gaps, DV01 gap, key rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated

import numpy as np
from pydantic import Field
from scipy import sparse

from allocator.plugin import InputError, Number, Problem, Source, Text, Vector
from allocator.plugin.rules import USER
from allocator.plugin.terms import (
    ConstraintSpec,
    LimitOptions,
    Linear,
    Mode,
    ModelContext,
    Sense,
    Term,
    bound,
    percent,
    place,
)
from allocator_alm.sides import BOOK, AlmOptions, Scope, Sides, sentence

__all__ = ["GAPS", "GapMeasure"]


_SIDES = ((Sense.AT_LEAST, "min"), (Sense.AT_MOST, "max"))
_WORDS = {Sense.AT_LEAST: Text("at least", "不低于"), Sense.AT_MOST: Text("at most", "不高于")}


class GapMeasure(StrEnum):
    """Which duration gap: effective, over assets; or scaled, over the value of liability outflows."""

    EFFECTIVE = "effective"
    SCALED = "scaled"


class BandOptions(AlmOptions):
    """``min`` and ``max`` of the indicator, in place of the rule's own."""

    min: Number | None = None
    max: Number | None = None


class Premiums(StrEnum):
    """Where the liabilities' inflows count: in the numerator, netted from the outflows, or not at all."""

    NUMERATOR = "numerator"
    NET = "net"
    LEFT_OUT = "left_out"


class HedgeOptions(BandOptions):
    """``premiums``: where premium inflows count, in place of the rule's ``numerator``: ``net`` or ``left_out``.

    ``plan``: the board's plan for the transition, from a day on the least ratio: ``{2027-01-01: 0.35, …}``; it stands
    for ``min`` until the transition ends.
    """

    premiums: Premiums | None = None
    plan: Mapping[date, Annotated[Number, Field(ge=0)]] = {}


class DurationOptions(BandOptions):
    """``measure``: effective (default) or scaled; years. A line to watch unless ``mode`` makes it bind."""

    mode: Mode = Mode.MONITOR
    measure: GapMeasure = GapMeasure.EFFECTIVE


class Dv01Options(AlmOptions):
    """``max``: largest gap as a share of the liabilities' own DV01; ``money``: in ``fund.unit`` per basis point."""

    max: Annotated[Number, Field(ge=0)] | None = None
    money: Annotated[Number, Field(ge=0)] | None = None


class KeyRateOptions(AlmOptions):
    """``tenors``: key tenors in years; ``max``: largest gap at each, as a share of the liabilities' own DV01."""

    tenors: Annotated[tuple[Annotated[Number, Field(gt=0)], ...], Field(min_length=1)] = (1, 3, 5, 7, 10, 15, 20, 30)
    max: Annotated[Number, Field(ge=0)]


def rate_hedge_ratio(context: ModelContext, options: HedgeOptions) -> Sequence[Term]:
    """min ≤ sensitivity of cash inflows / sensitivity of cash outflows ≤ max; derivatives count.

    Inflows are the assets' payments and the liabilities' own, premiums above all:

        (S_assets + S_premiums) / S_outflows

    Source: 国家金融监督管理总局令2026年第4号 art. 30, in force 2027-01-01 (band from secondary sources).
    """
    sides = Sides(context, options)
    figure = BOOK.at("hedge_ratio", context.inputs.as_of, early=True)
    scopes = sides.scopes()
    liabilities = sides.liabilities
    where = options.premiums or Premiums(BOOK.at("hedge_ratio.premiums", context.inputs.as_of, early=True).value)
    payments = liabilities.outflow - liabilities.inflow if where is Premiums.NET else liabilities.outflow
    base = np.array([sides.liability_sensitivity(payments * scope.payments) for scope in scopes])
    _positive(context, "rate_hedge_ratio", base, scopes)
    left = sides.per_scope(sides.sensitivity, scopes)
    if where is Premiums.NUMERATOR:
        premiums = [sides.liability_sensitivity(liabilities.inflow * scope.payments) for scope in scopes]
        left = Linear(left.matrix, left.constant + np.array(premiums))
    terms = []
    least = options.min if options.min is not None else _planned(context, options)
    for (sense, side), given in zip(_SIDES, (least, options.max), strict=True):
        line = float(figure.table[side]) if given is None else given
        words = _WORDS[sense]
        english = f"The interest-rate hedge ratio is {words.en} {percent(line)}"
        label = sentence(english, f"利率风险对冲率{words.zh}{percent(line)}", figure, context.inputs.as_of)
        source = figure.source if given is None else USER
        name = f"rate_hedge_ratio:{side}"
        term = Term(name, label, left, sense, line * base, base, "ratio", source, rows=sides.names(scopes))
        terms.append(bound(term, options, context.space.current))
    return terms


def _planned(context: ModelContext, options: HedgeOptions) -> float | None:
    """Return the least ratio of the board's plan at the valuation date; None without one, or after the transition."""
    today = context.inputs.as_of
    ends = date.fromisoformat(BOOK.at("transition.ends", today, early=True).value)
    if not options.plan or today > ends:
        return None
    past = [day for day in options.plan if day <= today]
    return options.plan[max(past)] if past else options.plan[min(options.plan)]


def duration_gap(context: ModelContext, options: DurationOptions) -> Sequence[Term]:
    """min ≤ duration gap ≤ max, years.

    With S the sensitivities, A the assets held today, and L_out, L_in the value of liability flows:

        effective  (S_A − (S_out − S_in)) / A                 = D_A − D_L · L/A
        scaled     (S_A + S_in − S_out) / L_out               = (D_A A + D_in L_in)/L_out − D_out

    Source: the scaled gap 保监发〔2018〕27号; the line of ±5 years on the effective one is the draft's of
    2025-12-19, no longer a limit.
    """
    sides = Sides(context, options)
    scopes, liabilities = sides.scopes(), sides.liabilities
    effective = options.measure is GapMeasure.EFFECTIVE
    if effective:
        held = [context.space.current[scope.rows & context.space.funded].sum() for scope in scopes]
    else:
        held = [sides.liability_value(liabilities.outflow * scope.payments) for scope in scopes]
    per = np.array(held, dtype=float)
    _positive(context, "duration_gap", per, scopes)
    net = liabilities.outflow - liabilities.inflow
    owed = [sides.liability_sensitivity(net * scope.payments) for scope in scopes]
    left = Linear(sides.per_scope(sides.sensitivity, scopes).matrix, -np.array(owed))
    lines, source = _duration_lines(context, options)
    called = Text(f"{options.measure.value} duration gap", "有效久期缺口" if effective else "规模调整后的修正久期缺口")
    terms = []
    for sense, side in _SIDES:
        line = lines.get(side)
        if line is None:
            continue
        words = _WORDS[sense]
        label = Text(f"The {called.en} is {words.en} {line:g} years.", f"{called.zh}{words.zh}{line:g}年。")
        name = f"duration_gap:{options.measure.value}:{side}"
        term = Term(name, label, left, sense, line * per, per, "years", source, rows=sides.names(scopes))
        terms.append(bound(term, options, context.space.current))
    return terms


def dv01_gap(context: ModelContext, options: Dv01Options) -> Sequence[Term]:
    """|DV01 of assets − DV01 of liabilities net of premiums| ≤ max; DV01 = sensitivity × 1 bp."""
    if (options.max is None) == (options.money is None):
        what = Text("give the largest gap once: as a share or in money", "须且仅须给出 max（比例）或 money（金额）之一")
        raise InputError(Problem(what, place(context, "dv01_gap"), None, "max | money"))
    sides = Sides(context, options)
    scopes, liabilities = sides.scopes(), sides.liabilities
    net = (liabilities.outflow - liabilities.inflow)[None, :] * np.array([scope.payments for scope in scopes])
    owed = np.array([sides.liability_sensitivity(row) for row in net])
    per = np.abs(owed) * 1e-4
    _positive(context, "dv01_gap", per, scopes)
    left = Linear(sides.per_scope(sides.sensitivity * 1e-4, scopes).matrix, -owed * 1e-4)
    if options.max is not None:
        room = per * options.max
        limit = Text(f"{percent(options.max)} of the liabilities' own", f"负债DV01的{percent(options.max)}")
    else:
        money = (options.money or 0.0) * context.inputs.unit
        room, limit = np.full(len(scopes), money), Text(f"{money:,.6g} CNY", f"{money:,.6g}元")
    label = Text(
        f"The DV01 of assets and of liabilities differ by at most {limit.en}.", f"资产与负债DV01之差不超过{limit.zh}。"
    )
    return _both_ways(context, options, "dv01_gap", label, left, room, per, sides.names(scopes))


def key_rate_durations(context: ModelContext, options: KeyRateOptions) -> Sequence[Term]:
    """|sensitivity of assets − of liabilities| at each key tenor ≤ max × sensitivity of the liabilities."""
    tenors = sorted(options.tenors)
    sides = Sides(context, options)
    scopes, liabilities = sides.scopes(), sides.liabilities
    net = [(liabilities.outflow - liabilities.inflow) * scope.payments for scope in scopes]
    whole = np.array([abs(sides.liability_sensitivity(payments)) for payments in net])
    _positive(context, "key_rate_durations", whole, scopes)
    owed = np.concatenate([sides.liability_key_sensitivities(payments, tenors) for payments in net])
    split = sides.key_sensitivities(tenors)
    stacked = [sparse.csr_array(np.where(scope.rows[:, None], split, 0.0).T) for scope in scopes]
    left = Linear(sparse.csr_array(sparse.vstack(stacked)), -owed)
    per = np.repeat(whole, len(tenors))
    rows = sides.tenor_names(scopes, tenors)
    label = Text(
        f"At every key tenor the sensitivities of assets and liabilities differ by at most {percent(options.max)} "
        "of the liabilities' own.",
        f"各关键期限上资产与负债的利率敏感度之差不超过负债总敏感度的{percent(options.max)}。",
    )
    return _both_ways(context, options, "key_rate_durations", label, left, options.max * per, per, rows)


def _both_ways(
    context: ModelContext,
    options: LimitOptions,
    name: str,
    label: Text,
    left: Linear,
    room: Vector,
    per: Vector,
    rows: tuple[str, ...],
) -> Sequence[Term]:
    """Return −room ≤ left ≤ room as two terms."""
    unit = "share of the liabilities' DV01"
    return [
        bound(
            Term(f"{name}:{side}", label, left, sense, sign * room, per, unit, USER, rows=rows),
            options,
            context.space.current,
        )
        for (sense, side), sign in zip(_SIDES, (-1.0, 1.0), strict=True)
    ]


def _duration_lines(context: ModelContext, options: DurationOptions) -> tuple[dict[str, float | None], Source]:
    if options.min is not None or options.max is not None:
        return {"min": options.min, "max": options.max}, USER
    if options.measure is GapMeasure.SCALED:
        what = Text(
            "no rule gives a line for the scaled gap: give min or max", "规则未给出该缺口的界限，请填写 min 或 max"
        )
        raise InputError(Problem(what, place(context, "duration_gap"), None, "min | max"))
    figure = BOOK.at("duration_gap.effective", context.inputs.as_of, early=True)
    return {side: float(value) for side, value in figure.table.items()}, figure.source


def _positive(context: ModelContext, rule: str, base: Vector, scopes: Sequence[Scope]) -> None:
    for scope, value in zip(scopes, base, strict=True):
        if not value > 0:
            what = Text(
                f"the base that the indicator divides by is not positive ({scope.name})",
                f"指标的分母不为正（{scope.name}）",
            )
            raise InputError(Problem(what, place(context, rule), f"{value:g}", "> 0"))


GAPS = tuple(
    ConstraintSpec(name, label, options, build)
    for name, label, options, build in (
        ("rate_hedge_ratio", Text("Interest-rate hedge ratio", "利率风险对冲率"), HedgeOptions, rate_hedge_ratio),
        ("duration_gap", Text("Duration gap", "久期缺口"), DurationOptions, duration_gap),
        ("dv01_gap", Text("DV01 gap", "DV01缺口"), Dv01Options, dv01_gap),
        ("key_rate_durations", Text("Key-rate gaps", "关键期限敏感度缺口"), KeyRateOptions, key_rate_durations),
    )
)
