"""Conditions of purchase: what may not be added to while the company or the issuer falls short."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from allocator.plugin import EMPTY, Mask, Number, Problems, Source, Text
from allocator.plugin.tables import SCALE, column, flags, rating_ranks
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

__all__ = ["CONDITIONS", "no_purchases"]


class SolvencyOptions(LimitOptions):
    """``min``: the user's own ratio in place of the rule's."""

    min: Number | None = None


class VentureOptions(LimitOptions):
    """``blank``: ``skip`` takes a condition whose column is empty for met; the default is an error."""

    blank: Blank = Blank.ERROR


def reit_solvency(context: ModelContext, options: SolvencyOptions) -> Sequence[Term]:
    """No public REIT is added to while the reported comprehensive ratio is below the line.

    Rows marked ``through_manager`` have a lower line than those held for own account. Source: 银保监办发〔2021〕120号.
    """
    view = View(context)
    reit, managed = (view.kind == "reit").to_numpy(), flags(view.inputs.assets, "through_manager")
    own = Text("public REITs for own account", "自行投资公募REITs")
    through = Text("public REITs through a manager", "委托投资公募REITs")
    return (
        *_gate(view, "reit_solvency", "reit.solvency", own, reit & ~managed, options),
        *_gate(view, "reit_solvency:manager", "reit.solvency.manager", through, reit & managed, options),
    )


def solvency_gates(context: ModelContext, options: SolvencyOptions) -> Sequence[Term]:
    """Nothing of a group is added to while the reported comprehensive ratio is below its line.

    Unlisted equity, private equity and real estate (保监发〔2012〕59号 item 1), venture funds (保监发〔2014〕101号),
    tier-2 and perpetual capital bonds of banks (notice of 2020-05-27). A perpetual whose issuer is known to be no bank
    is left out.
    """
    view = View(context)
    equity = Text("unlisted equity, private equity and real estate", "未上市股权、股权基金与不动产")
    venture = Text("venture capital funds", "创业投资基金")
    bank = Text("tier-2 and perpetual bonds of banks", "银行二级资本债与无固定期限资本债")
    bonds = flags(view.inputs.assets, "tier2_capital") | (
        (view.kind == "perpetual_capital_bond").to_numpy() & ~view.issued_by("insurer", "asset_management_company")
    )
    name, key = "solvency_gates", "gate.private_equity"
    funds = (view.kind == "venture_fund").to_numpy()
    return (
        *_gate(view, f"{name}:private_equity", key, equity, view.of_kinds(f"{key}.kinds"), options),
        *_gate(view, f"{name}:venture", "gate.venture", venture, funds, options),
        *_gate(view, f"{name}:bank_capital", "gate.bank_capital", bank, bonds, options),
    )


def _gate(view: View, name: str, key: str, what: Text, rows: Mask, options: SolvencyOptions) -> Sequence[Term]:
    """No purchases of ``rows`` below the ratio of the figure ``key``; no term where the company has it."""
    figure = view.figure(key, options.min)
    if view.solvency >= figure.number:
        return ()
    label = Text(
        f"No {what.en} are bought while the reported comprehensive ratio is below {percent(figure.number)}.",
        f"上季末综合偿付能力充足率低于{percent(figure.number)}，不得新增{what.zh}。",
    )
    return no_purchases(view.context, name, label, rows, figure.source, options)


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
    return no_purchases(context, "corporate_rating_floor", label, rows, figure.source, options)


def venture_conditions(context: ModelContext, options: VentureOptions) -> Sequence[Term]:
    """No venture fund is added to whose manager or spread misses 保监发〔2014〕101号: one term per condition."""
    view = View(context)
    rows = (view.kind == "venture_fund").to_numpy()
    conditions = (
        ("venture.manager.years", "manager_years", 1.0),
        ("venture.manager.assets", "manager_assets", 1.0),
        ("venture.manager.exits", "manager_exits", 1.0),
        ("venture.manager.coinvestment", "manager_coinvestment", 1.0),
        ("venture.manager.professionals", "manager_professionals", 1.0),
        ("venture.manager.earlier_funds", "manager_earlier_funds", 1.0),
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
                    EMPTY,
                    hint=Text("fill it, or set blank: skip for the rule", "请补填，或为该规则设置 blank: skip"),
                )
        short = rows & (sign * found < sign * figure.number)
        side = Text("at least", "不低于") if sign > 0 else Text("at most", "不高于")
        label = Text(
            f"No venture fund is bought that misses a condition: {figure.label.en}, "
            f"{side.en} {figure.number:,.6g} ({figure.unit}).",
            f"不得新增不符合条件的创业投资基金：{figure.label.zh}，{side.zh}{figure.number:,.6g}。",
        )
        terms += no_purchases(context, f"venture_conditions:{name}", label, short, figure.source, options)
    problems.raise_if_any()
    return terms


def no_purchases(
    context: ModelContext, name: str, label: Text, rows: Mask, source: Source, options: LimitOptions
) -> Sequence[Term]:
    """Return the term that none of ``rows`` is added to.

    Parameters
    ----------
    context : ModelContext
        The fund as a term sees it.
    name : str
        Name of the term.
    label : Text
        A sentence for reports.
    rows : ndarray of bool (n,)
        Rows it speaks of.
    source : Source
        Where the rule stands.
    options : LimitOptions
        The rule's own keys.
    """
    term = position_term(context, name, label, rows, Sense.AT_MOST, source)
    return () if term is None else (bound(term, options, context.space.current),)


CONDITIONS = tuple(
    ConstraintSpec(name, label, options, build)
    for name, label, options, build in (
        ("reit_solvency", Text("Solvency for REITs", "投资公募REITs的偿付能力条件"), SolvencyOptions, reit_solvency),
        ("solvency_gates", Text("Solvency gates", "按偿付能力的投资资格"), SolvencyOptions, solvency_gates),
        ("corporate_rating_floor", Text("Rating floor", "企业类债券评级下限"), LimitOptions, corporate_rating_floor),
        ("venture_conditions", Text("Conditions of venture funds", "创投基金条件"), VentureOptions, venture_conditions),
    )
)
