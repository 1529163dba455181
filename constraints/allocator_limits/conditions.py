"""Conditions of purchase: what may not be added to while the company or the issuer falls short."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Number, Problems, Source, Text
from allocator.plugin.tables import SCALE, column, rating_ranks
from allocator.plugin.terms import (
    Blank,
    ConstraintSpec,
    LimitOptions,
    ModelContext,
    Sense,
    Term,
    bound,
    percent,
    position_term,
)
from allocator_limits.view import View

__all__ = ["CONDITIONS"]

Mask = NDArray[np.bool_]


class SolvencyOptions(LimitOptions):
    """``min``: the user's own ratio in place of the rule's."""

    min: Number | None = None


class VentureOptions(LimitOptions):
    """``blank``: ``skip`` takes a condition whose column is empty for met; the default is an error."""

    blank: Blank = Blank.ERROR


def reit_solvency(context: ModelContext, options: SolvencyOptions) -> Sequence[Term]:
    """No public REIT is added to while the reported comprehensive ratio is below the line."""
    view = View(context)
    figure = view.figure("reit.solvency", options.min)
    if view.solvency >= figure.number:
        return ()
    label = Text(
        f"No public REITs are bought while the reported comprehensive ratio is below {percent(figure.number)}.",
        f"上季末综合偿付能力充足率低于{percent(figure.number)}，不得新增投资公募REITs。",
    )
    return _no_purchases(context, "reit_solvency", label, (view.kind == "reit").to_numpy(), figure.source, options)


def corporate_rating_floor(context: ModelContext, options: LimitOptions) -> Sequence[Term]:
    """No corporate bond rated below the floor of the reported comprehensive ratio is added to; unrated is below."""
    view = View(context)
    figure = view.figure("corporate_rating_floor")
    floor, _, _ = figure.step(view.solvency)
    if floor == "none":
        return ()
    problems = Problems()
    bonds = view.of_kinds("corporate_rating_floor.kinds")
    ranks = rating_ranks(view.inputs, bonds, problems)
    problems.raise_if_any()
    label = Text(
        f"No corporate bond rated below {floor} is bought while the reported comprehensive ratio is "
        f"{percent(view.solvency)}.",
        f"上季末综合偿付能力充足率为{percent(view.solvency)}，不得新增{floor}级以下企业类债券。",
    )
    rows = bonds & (ranks > SCALE.index(floor))
    return _no_purchases(context, "corporate_rating_floor", label, rows, figure.source, options)


def venture_conditions(context: ModelContext, options: VentureOptions) -> Sequence[Term]:
    """No venture fund is added to whose manager or spread misses 保监发〔2014〕101号: one term per condition."""
    view = View(context)
    rows = (view.kind == "venture_fund").to_numpy()
    conditions = (
        ("venture.manager.years", "manager_years", 1.0),
        ("venture.manager.assets", "manager_assets", 1.0),
        ("venture.manager.exits", "manager_exits", 1.0),
        ("venture.one_start_up", "largest_underlying_share", -1.0),
    )
    problems = Problems()
    terms: list[Term] = []
    for key, name, sign in conditions:
        figure, found = view.figure(key), column(view.inputs.assets, name)
        if options.blank is Blank.ERROR:
            for row in np.flatnonzero(rows & np.isnan(found)):
                problems.add(
                    Text("a condition of venture funds needs this column", "创业投资基金条件需要该列"),
                    view.inputs.where("assets", int(row), name),
                    "empty",
                    hint=Text("fill it, or set blank: skip for the rule", "请补填，或为该规则设置 blank: skip"),
                )
        short = rows & (sign * found < sign * figure.number)
        side = Text("at least", "不低于") if sign > 0 else Text("at most", "不高于")
        label = Text(
            f"No venture fund is bought that misses a condition: {figure.label.en}, "
            f"{side.en} {figure.number:,.6g} ({figure.unit}).",
            f"不得新增不符合条件的创业投资基金：{figure.label.zh}，{side.zh}{figure.number:,.6g}。",
        )
        terms += _no_purchases(context, f"venture_conditions:{name}", label, short, figure.source, options)
    problems.raise_if_any()
    return terms


def _no_purchases(
    context: ModelContext, name: str, label: Text, rows: Mask, source: Source, options: LimitOptions
) -> Sequence[Term]:
    term = position_term(context, name, label, rows, Sense.AT_MOST, source)
    return () if term is None else (bound(term, options, context.space.current),)


CONDITIONS = tuple(
    ConstraintSpec(name, label, options, build)
    for name, label, options, build in (
        ("reit_solvency", Text("Solvency for REITs", "投资公募REITs的偿付能力条件"), SolvencyOptions, reit_solvency),
        ("corporate_rating_floor", Text("Rating floor", "企业类债券评级下限"), LimitOptions, corporate_rating_floor),
        ("venture_conditions", Text("Conditions of venture funds", "创投基金条件"), VentureOptions, venture_conditions),
    )
)
