"""Concentration: a single asset, a single legal entity, one company's share capital, one private fund."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from allocator.plugin import EMPTY, Mask, Number, Problems, Text
from allocator.plugin.rules import Figure
from allocator.plugin.tables import column, flags
from allocator.plugin.terms import (
    STATUTORY,
    Blank,
    ConstraintSpec,
    LimitOptions,
    Linear,
    ModelContext,
    Sense,
    Term,
    bound,
    grouped,
    named_choices,
    percent,
)
from allocator_limits.view import View

__all__ = ["CONCENTRATION"]

Share = Annotated[Number, Field(ge=0, le=1)]


class ConcentrationOptions(LimitOptions):
    """``max``: the user's own ceiling; ``exempt_kinds``, ``exempt_assets``: further exemptions."""

    max: Share | None = None
    exempt_kinds: tuple[str, ...] = ()
    exempt_assets: tuple[str, ...] = ()


class EntityOptions(ConcentrationOptions):
    """``blank``: ``skip`` leaves rows without an issuer out (baskets); the default is an error."""

    blank: Blank = Blank.ERROR


class FundSizeOptions(LimitOptions):
    """``venture``, ``pe``, ``pe_group``: the user's own ceilings of one venture fund, one private equity fund and
    a group's private equity funds; ``blank``: ``skip`` leaves funds without a size out."""

    venture: Share | None = None
    pe: Share | None = None
    pe_group: Share | None = None
    blank: Blank = Blank.ERROR


class ShareCapitalOptions(LimitOptions):
    """``max``: the user's own ceiling; ``blank``: ``skip`` leaves held rows without a share out (baskets)."""

    max: Share | None = None
    blank: Blank = Blank.ERROR


def single_asset(context: ModelContext, options: ConcentrationOptions) -> Sequence[Term]:
    """Book value of any one asset over all accounts ≤ ceiling × total assets (保监发〔2014〕13号).

    Issues that re-open a bond (``tap_of``) are one asset with it. Liquid assets are not among the four classes
    that the rule names.
    """
    view = View(context)
    marked = flags(view.inputs.assets, "own_use") | flags(view.inputs.assets, "own_group")
    exempt = view.of_kinds("single_asset.exempt") | marked
    covered = np.isin(view.classes, ("fixed_income", "equity", "real_estate", "other_financial")) & ~exempt
    assets = view.inputs.assets
    identity = assets["asset_id"]
    if "tap_of" in assets:
        identity = assets["tap_of"].where(assets["tap_of"].notna(), identity)
    figure = view.figure("single_asset", options.max)
    label = Text(
        f"Any single asset may be at most {percent(figure.number)} of total assets.",
        f"单一资产账面余额不得高于上季末总资产的{percent(figure.number)}。",
    )
    return _by_name(view, "single_asset", label, identity, covered & ~_exempted(view, options), figure, options)


def single_entity(context: ModelContext, options: EntityOptions) -> Sequence[Term]:
    """Book value of everything that finances one legal entity ≤ ceiling × total assets (保监发〔2014〕13号).

    The entity is the issuer, else the counterparty.
    """
    view = View(context)
    assets = view.inputs.assets
    exempt = view.of_kinds("single_entity.exempt") | view.own_capital_stakes | _exempted(view, options)
    nobody = pd.Series(None, index=assets.index, dtype=object)
    entity = assets["issuer"].astype(object) if "issuer" in assets else nobody
    if "counterparty" in assets:
        entity = entity.where(entity.notna(), assets["counterparty"].astype(object))
    named = entity.notna().to_numpy()
    what = Text("the single-entity ceiling needs the issuer", "单一法人主体上限需要发行人")
    _require(view, view.of_kinds("single_entity.kinds") & ~exempt & ~named, "issuer", what, options.blank)
    figure = view.figure("single_entity", options.max)
    label = Text(
        f"What finances any single legal entity may be at most {percent(figure.number)} of total assets.",
        f"投资单一法人主体的账面余额合计不得高于上季末总资产的{percent(figure.number)}。",
    )
    rows = named & ~exempt & view.context.space.funded
    return _by_name(view, "single_entity", label, entity, rows, figure, options)


def share_capital(context: ModelContext, options: ShareCapitalOptions) -> Sequence[Term]:
    """Share of a listed company's capital held after trading ≤ ceiling: share today × target / amount today.

    A company not held today has no share to scale and no row.
    """
    view = View(context)
    amount, held = column(view.inputs.assets, "amount"), column(view.inputs.assets, "share_capital_held")
    rows = view.of_kinds("share_capital.kinds") & (amount > 0)
    what = Text("the ceiling needs the share of capital held", "持股比例上限需要所持股份比例")
    _require(view, rows & np.isnan(held), "share_capital_held", what, options.blank)
    rows = rows & ~np.isnan(held)
    groups, names = _groups(view.inputs.assets["asset_id"], rows)
    if not names:
        return ()
    figure = view.figure("share_capital", options.max)
    label = Text(
        f"At most {percent(figure.number)} of one listed company's share capital may be held.",
        f"持有单一上市公司股份不得高于其总股本的{percent(figure.number)}。",
    )
    left = grouped(groups, np.where(rows, held / np.where(rows, amount, 1.0), 0.0))
    right = np.full(len(names), figure.number)
    unit = "share of the company's capital"
    term = Term(
        "share_capital", label, left, Sense.AT_MOST, right, np.ones(len(names)), unit, figure.source, rows=names
    )
    return (bound(term, options, context.space.current),)


def fund_size(context: ModelContext, options: FundSizeOptions) -> Sequence[Term]:
    """Book value in one venture or private equity fund ≤ ceiling × the fund's size; the group's share together.

    ``fund_size`` is the figure that the rule names: the size raised; for venture funds the paid-in size from
    2025-04-08 (金规〔2025〕12号; before that 保监发〔2014〕101号).
    """
    view = View(context)
    size = column(view.inputs.assets, "fund_size")
    terms: list[Term] = []
    for kind, key, user in (("venture_fund", "venture.single", options.venture), ("pe_fund", "pe.single", options.pe)):
        rows = (view.kind == kind).to_numpy()
        what = Text("the ceiling of one fund's share needs the fund's size", "单一基金份额上限需要基金规模")
        _require(view, rows & ~(size > 0), "fund_size", what, options.blank)
        rows = rows & (size > 0)
        figure = view.figure(key, user)
        note = figure.note or Text("of the user's own setting", "按用户设定")
        label = Text(
            f"At most {percent(figure.number)} of one fund may be held ({kind}). {note.en}",
            f"投资单一基金（{kind}）的份额不得高于{percent(figure.number)}。{note.zh}",
        )
        terms += _of_fund(view, f"fund_size:{kind}", label, rows, figure, options, np.zeros(len(size)))
        if kind == "pe_fund":
            figure = view.figure("pe.group", options.pe_group)
            label = Text(
                f"The group together may hold at most {percent(figure.number)} of one private equity fund.",
                f"集团及关联方合计投资单一股权投资基金的份额不得高于{percent(figure.number)}。",
            )
            others = np.nan_to_num(column(view.inputs.assets, "group_share_held")) * np.nan_to_num(size)
            terms += _of_fund(view, "fund_size:group", label, rows, figure, options, others)
    return terms


def _of_fund(
    view: View, name: str, label: Text, rows: Mask, figure: Figure, options: LimitOptions, others: NDArray[np.float64]
) -> Sequence[Term]:
    """Σ book value of the fund over its rows + what others hold ≤ ceiling × size, one row per fund."""
    assets = view.inputs.assets
    groups, names = _groups(assets["asset_id"], rows)
    if not names:
        return ()
    facts = pd.DataFrame({"group": groups, "size": column(assets, "fund_size"), "others": others})[rows]
    spread = facts.groupby("group").agg(["min", "max"])
    problems = Problems()
    for group in np.flatnonzero((spread["size"]["min"] != spread["size"]["max"]).to_numpy()):
        row = int(np.flatnonzero(groups == group)[-1])
        what = Text("the rows of one fund give two sizes", "同一基金各行的规模不一致")
        problems.add(what, view.inputs.where("assets", row, "fund_size"), names[group])
    problems.raise_if_any()
    size = spread["size"]["max"].to_numpy(dtype=float)
    left = grouped(groups, view.book)
    left = Linear(left.matrix, spread["others"]["max"].to_numpy(dtype=float))
    right = figure.number * size
    term = Term(name, label, left, Sense.AT_MOST, right, size, "share of the fund", figure.source, rows=names)
    return (bound(term, options, view.context.space.current),)


def _by_name(
    view: View, name: str, label: Text, names: pd.Series, rows: Mask, figure: Figure, options: LimitOptions
) -> Sequence[Term]:
    """One row per distinct name among ``rows``: Σ book value ≤ figure × total assets."""
    groups, uniques = _groups(names, rows)
    if not uniques:
        return ()
    total = np.full(len(uniques), view.total)
    term = Term(
        name,
        label,
        grouped(groups, view.book),
        Sense.AT_MOST,
        figure.number * total,
        total,
        view.unit,
        figure.source,
        rows=uniques,
    )
    return (bound(term, options, view.context.space.current),)


def _groups(names: pd.Series, rows: Mask) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Number the distinct names among ``rows`` in order of appearance; −1 elsewhere."""
    codes, uniques = pd.factorize(names.astype(object).where(rows, None), use_na_sentinel=True)
    return codes, tuple(str(name) for name in uniques)


def _exempted(view: View, options: ConcentrationOptions) -> Mask:
    where = view.inputs.settings.where("constraints")
    kinds = view.kind.isin(named_choices(view.context, "kind", options.exempt_kinds, where))
    return (kinds | view.inputs.assets["asset_id"].isin(options.exempt_assets)).to_numpy()


def _require(view: View, missing: Mask, name: str, what: Text, blank: Blank) -> None:
    if blank is Blank.SKIP:
        return
    problems = Problems()
    hint = Text("fill it, or set blank: skip for the rule", "请补填，或为该规则设置 blank: skip")
    for row in np.flatnonzero(missing):
        problems.add(what, view.inputs.where("assets", int(row), name), EMPTY, hint=hint)
    problems.raise_if_any()


CONCENTRATION = tuple(
    ConstraintSpec(name, label, options, build, (STATUTORY,) if name.startswith("single_") else ())
    for name, label, options, build in (
        ("single_asset", Text("Any single asset", "单一资产上限"), ConcentrationOptions, single_asset),
        ("single_entity", Text("Any single legal entity", "单一法人主体上限"), EntityOptions, single_entity),
        (
            "share_capital",
            Text("One company's capital", "单一公司持股比例上限"),
            ShareCapitalOptions,
            share_capital,
        ),
        ("fund_size", Text("Share of one private fund", "单一私募基金份额上限"), FundSizeOptions, fund_size),
    )
)
