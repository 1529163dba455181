"""Class ratios and monitoring lines: equity by solvency tier, real estate, other financial assets, overseas, …"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field

from allocator.plugin import Number, Problems, Text
from allocator.plugin.tables import SCALE, rating_ranks
from allocator.plugin.terms import STATUTORY, ConstraintSpec, LimitOptions, Mode, ModelContext, Sense, Term, percent
from allocator_limits.conditions import no_purchases
from allocator_limits.view import View

__all__ = ["CLASSES"]

Share = Annotated[Number, Field(ge=0, le=1)]

CLASS_LABELS = {
    "equity": Text("Equity assets", "权益类资产"),
    "real_estate": Text("Real estate without own use", "不动产类资产（不含自用）"),
    "other_financial": Text("Other financial assets", "其他金融资产"),
    "overseas": Text("Overseas investments", "境外投资"),
}


class EquityCeilingOptions(LimitOptions):
    """``max``: the user's own ceiling; ``supervisory``: whether the supervisor's condition caps it lower."""

    max: Share | None = None
    supervisory: bool = False


class ClassLimitsOptions(LimitOptions):
    """``real_estate``, ``other_financial``, ``overseas``: the user's own ceilings in place of the rule's;
    ``monitoring``: how the monitoring lines bind (default: reported)."""

    real_estate: Share | None = None
    other_financial: Share | None = None
    overseas: Share | None = None
    monitoring: Mode = Mode.MONITOR


class LineOptions(LimitOptions):
    """A monitoring line: reported unless ``mode`` makes it bind; ``limit``: the user's own line."""

    mode: Mode = Mode.MONITOR
    limit: Share | None = None


class LeverageOptions(LineOptions):
    """``borrowed``: what is owed from repo and interbank borrowing, in ``fund.unit``."""

    borrowed: Annotated[Number, Field(ge=0)]


class CeilingOptions(LimitOptions):
    """``max``: the user's own ceiling."""

    max: Share | None = None


def equity_ceiling(context: ModelContext, options: EquityCeilingOptions) -> Sequence[Term]:
    """Book value of equity assets ≤ c(reported comprehensive ratio) × total assets; below 100% no equity is bought.

    Source: 金规〔2025〕12号 from 2025-04-08, 银保监办发〔2020〕63号 from 2020-07-17; item 2 of the latter stops
    purchases, item 3 caps the ceiling under supervisory conditions.
    """
    view = View(context)
    ladder = view.figure("equity.ceiling")
    ceiling, from_, below = ladder.step(view.solvency)
    figure = replace(ladder, value=ceiling)
    band = Text(
        f"the tier of the reported comprehensive ratio {percent(view.solvency)}: {_interval(from_, below).en}",
        f"上季末综合偿付能力充足率{percent(view.solvency)}，适用{_interval(from_, below).zh}档",
    )
    cap = view.figure("equity.supervisory")
    if options.supervisory and cap.number < figure.number:
        figure, band = cap, Text("a supervisory condition applies", "适用监管情形")
    if options.max is not None:
        figure, band = figure.or_user(options.max), Text("the user's own ceiling", "用户自定上限")
    label = Text(
        f"Equity assets may be at most {percent(figure.number)} of total assets ({band.en}).",
        f"权益类资产账面余额不得高于上季末总资产的{percent(figure.number)}（{band.zh}）。",
    )
    ceiling_term = view.share("equity_ceiling", label, view.in_class("equity"), Sense.AT_MOST, figure, options)
    return (ceiling_term, *_no_equity_purchases(view, options))


def _no_equity_purchases(view: View, options: EquityCeilingOptions) -> Sequence[Term]:
    figure = view.figure("equity.no_purchases_below")
    if view.solvency >= figure.number:
        return ()
    label = Text(
        f"No equity is bought while the reported comprehensive ratio is below {percent(figure.number)}.",
        f"上季末综合偿付能力充足率低于{percent(figure.number)}，不得新增权益类投资。",
    )
    name = "equity_ceiling:no_purchases"
    return no_purchases(view.context, name, label, view.in_class("equity"), figure.source, options)


def class_limits(context: ModelContext, options: ClassLimitsOptions) -> Sequence[Term]:
    """Book value of each class ≤ its ceiling, and beside it the monitoring line.

    Source: 保监发〔2014〕13号. The ceiling of equity is `equity_ceiling`.
    """
    view = View(context)
    terms = []
    for name, label in CLASS_LABELS.items():
        rows = view.in_class(name)
        if name != "equity":
            figure = view.figure(f"class.{name}", getattr(options, name))
            sentence = _at_most(label, figure.number)
            terms.append(view.share(f"class_limits:{name}", sentence, rows, Sense.AT_MOST, figure, options))
        line = view.figure(f"monitoring.{name}")
        sentence = Text(
            f"{label.en} are watched above {percent(line.number)} of total assets.",
            f"{label.zh}账面余额占上季末总资产比例高于{percent(line.number)}时列入监测。",
        )
        name = f"class_limits:{name}:monitoring"
        terms.append(view.share(name, sentence, rows, Sense.AT_MOST, line, options, options.monitoring))
    return terms


def liquid_assets(context: ModelContext, options: LineOptions) -> Sequence[Term]:
    """Book value of liquid assets and of government and quasi-government bonds ≥ line × total assets."""
    view = View(context)
    rows = view.in_class("liquid") | view.of_kinds("monitoring.liquid.kinds")
    figure = view.figure("monitoring.liquid", options.limit)
    label = Text(
        f"Liquid assets and government or quasi-government bonds should be at least {percent(figure.number)} "
        "of total assets.",
        f"流动性资产及政府债券、准政府债券占上季末总资产比例不宜低于{percent(figure.number)}。",
    )
    return (view.share("liquid_assets", label, rows, Sense.AT_LEAST, figure, options),)


def low_rated_bonds(context: ModelContext, options: LineOptions) -> Sequence[Term]:
    """Book value of domestic bonds rated AA or below ≤ line × total assets; unrated ones count."""
    view = View(context)
    problems = Problems()
    bonds = view.of_kinds("monitoring.low_rated.kinds")
    ranks = rating_ranks(view.inputs, bonds, problems)
    problems.raise_if_any()
    highest = view.figure("monitoring.low_rated.from").value
    figure = view.figure("monitoring.low_rated", options.limit)
    label = Text(
        f"Domestic bonds rated {highest} or below, or not rated, should be at most {percent(figure.number)} "
        "of total assets.",
        f"境内{highest}级（含）以下及无评级债券占上季末总资产比例不宜高于{percent(figure.number)}。",
    )
    rows = bonds & (ranks >= SCALE.index(highest))
    return (view.share("low_rated_bonds", label, rows, Sense.AT_MOST, figure, options),)


def leverage(context: ModelContext, options: LeverageOptions) -> Sequence[Term]:
    """Borrowing by repo and on the interbank market ≤ line × total assets: given, not decided."""
    view = View(context)
    figure = view.figure("monitoring.leverage", options.limit)
    label = Text(
        f"Borrowing by repo and on the interbank market should be at most {percent(figure.number)} of total assets.",
        f"正回购、同业拆借等融入资金余额占上季末总资产比例不宜高于{percent(figure.number)}。",
    )
    nothing = np.zeros(len(view.kind), dtype=bool)
    return (
        view.share(
            "leverage", label, nothing, Sense.AT_MOST, figure, options, held=options.borrowed * view.inputs.unit
        ),
    )


def venture_total(context: ModelContext, options: CeilingOptions) -> Sequence[Term]:
    """Book value of all venture capital funds ≤ ceiling × total assets (保监发〔2014〕101号)."""
    view = View(context)
    figure = view.figure("venture.total", options.max)
    label = _at_most(Text("Venture capital funds together", "创业投资基金合计"), figure.number)
    return (
        view.share("venture_total", label, (view.kind == "venture_fund").to_numpy(), Sense.AT_MOST, figure, options),
    )


def gold(context: ModelContext, options: CeilingOptions) -> Sequence[Term]:
    """Book value of gold ≤ ceiling × total assets, for the insurers of the pilot."""
    view = View(context)
    figure = view.figure("gold", options.max)
    label = _at_most(Text("Gold (insurers of the pilot only)", "黄金（仅限试点公司）"), figure.number)
    return (view.share("gold", label, (view.kind == "gold").to_numpy(), Sense.AT_MOST, figure, options),)


def _at_most(what: Text, share: float) -> Text:
    return Text(
        f"{what.en} may be at most {percent(share)} of total assets.",
        f"{what.zh}账面余额不得高于上季末总资产的{percent(share)}。",
    )


def _interval(from_: float, below: float) -> Text:
    if np.isinf(from_):
        return Text(f"below {percent(below)}", f"{percent(below)}以下")
    if np.isinf(below):
        return Text(f"{percent(from_)} and above", f"{percent(from_)}及以上")
    return Text(f"{percent(from_)} to {percent(below)}", f"{percent(from_)}（含）至{percent(below)}")


CLASSES = tuple(
    ConstraintSpec(name, label, options, build, () if name in ("leverage", "gold") else (STATUTORY,))
    for name, label, options, build in (
        ("equity_ceiling", Text("Equity by solvency tier", "权益类资产比例上限"), EquityCeilingOptions, equity_ceiling),
        ("class_limits", Text("Class ratios and lines", "大类资产比例与监测线"), ClassLimitsOptions, class_limits),
        ("liquid_assets", Text("Line of liquid assets", "流动性资产监测线"), LineOptions, liquid_assets),
        ("low_rated_bonds", Text("Line of low ratings", "低评级债券监测线"), LineOptions, low_rated_bonds),
        ("leverage", Text("Line of leverage", "融资杠杆监测线"), LeverageOptions, leverage),
        ("venture_total", Text("Venture funds together", "创业投资基金合计上限"), CeilingOptions, venture_total),
        ("gold", Text("Gold in the pilot", "黄金投资试点上限"), CeilingOptions, gold),
    )
)
