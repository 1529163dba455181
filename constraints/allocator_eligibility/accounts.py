"""What an account may hold, and the tenors that science-and-technology innovation bonds must have."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from allocator.plugin import EMPTY, InputError, Mask, Number, Problem, Problems, Text, did_you_mean
from allocator.plugin.cash_flows import DAYS_IN_YEAR
from allocator.plugin.rules import USER, RuleBook
from allocator.plugin.tables import SCALE, UNRATED, parse_rating, rating_ranks
from allocator.plugin.terms import (
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
    place,
    position_term,
)
from allocator_eligibility.trading import chosen_rows

__all__ = ["ACCOUNTS", "BOOK", "Existing"]


BOOK = RuleBook.load("allocator_eligibility", "rules/eligibility.yaml")


class Existing(StrEnum):
    """What happens to holdings that the account may not have: kept without being added to, or sold."""

    KEEP = "keep"
    SELL = "sell"


class AllowedOptions(LimitOptions):
    """What rows may be held; each key that is given must be met.

    ``account``: the account spoken of, omitted: all. ``where``: only these rows are judged. ``kinds``,
    ``currencies``, ``accounting``: values allowed. ``min_rating``: the lowest rating. ``min_tenor``,
    ``max_tenor``: years to maturity. ``existing``: keep (default) or sell what is held already.
    ``name``: the term's name.
    """

    account: str | None = None
    where: str | None = None
    kinds: tuple[str, ...] | None = None
    currencies: tuple[str, ...] | None = None
    accounting: tuple[str, ...] | None = None
    min_rating: str | None = None
    min_tenor: Annotated[Number, Field(ge=0)] | None = None
    max_tenor: Annotated[Number, Field(ge=0)] | None = None
    existing: Existing = Existing.KEEP
    name: str | None = None


def allowed(context: ModelContext, options: AllowedOptions) -> Sequence[Term]:
    """Rows that the account may not hold: target ≤ current, or target ≤ 0 when they are to be sold.

    Where a rating or a tenor is asked for, a row without one does not meet it; a rating is asked of every row,
    so ``where`` should name the bonds.
    """
    barred = _barred(context, options)
    who = Text(f"The account {options.account}" if options.account else "The fund", options.account or "本组合")
    called = options.name or (f"allowed:{options.account}" if options.account else "allowed")
    if options.existing is Existing.KEEP:
        label = Text(f"{who.en} does not add to what it may not hold.", f"{who.zh}不得增持不符合投资范围的资产。")
        term = position_term(context, called, label, barred, Sense.AT_MOST, USER)
        return () if term is None else (bound(term, options, context.space.current),)
    chosen = np.flatnonzero(barred & context.space.funded)
    if not chosen.size:
        return ()
    label = Text(f"{who.en} holds nothing of what it may not hold.", f"{who.zh}不得持有不符合投资范围的资产。")
    left: Linear = grouped(np.where(barred & context.space.funded, 0, -1), 1.0)
    per = np.array([context.space.total])
    term = Term(called, label, left, Sense.AT_MOST, np.zeros(1), per, "share of the portfolio", USER)
    return (bound(term, options, context.space.current),)


def _barred(context: ModelContext, options: AllowedOptions) -> Mask:
    """Return the rows of the account that miss a key given (n,)."""
    inputs, assets = context.inputs, context.inputs.assets
    judged = chosen_rows(context, "allowed", options.where)
    if options.account is not None:
        known = dict.fromkeys(context.space.account.tolist())
        where = place(context, "allowed", "account", options.account)
        (account,) = named_choices(context, "account", (options.account,), where)
        if account not in known:
            raise InputError(
                Problem(
                    Text("no row of assets.csv is in this account", "assets.csv 中没有该账户的资产"),
                    place(context, "allowed", "account", options.account),
                    options.account,
                    ", ".join(known),
                    did_you_mean(options.account, known),
                )
            )
        judged = judged & (context.space.account == account)
    missed = np.zeros(len(assets), dtype=bool)
    for name, option, values in (
        ("kind", "kinds", options.kinds),
        ("currency", "currencies", options.currencies),
        ("accounting", "accounting", options.accounting),
    ):
        if values is not None:
            where = place(context, "allowed", option, list(values))
            values = named_choices(context, name, values, where)
            missed |= ~_column(context, name).fillna(BLANK.get(name, "")).isin(values).to_numpy(dtype=bool)
    if options.min_rating is not None:
        lowest = parse_rating(options.min_rating)
        if lowest is None or lowest == UNRATED:
            where = place(context, "allowed", "min_rating", options.min_rating)
            what = Text("no such rating", "没有该评级")
            raise InputError(Problem(what, where, options.min_rating, ", ".join(SCALE)))
        problems = Problems()
        missed |= rating_ranks(inputs, judged, problems) > lowest
        problems.raise_if_any()
    if options.min_tenor is not None or options.max_tenor is not None:
        origin = np.datetime64(inputs.as_of, "D")
        maturity = pd.to_datetime(_column(context, "maturity")).to_numpy().astype("datetime64[D]")
        years = (maturity - origin) / np.timedelta64(DAYS_IN_YEAR, "D")
        longest = np.inf if options.max_tenor is None else options.max_tenor
        missed |= ~((years >= (options.min_tenor or 0.0)) & (years <= longest))
    return judged & missed


BLANK = {"currency": "CNY"}
"""What a blank cell of a domestic asset means."""


def _column(context: ModelContext, name: str) -> pd.Series:
    assets = context.inputs.assets
    if name in assets:
        return assets[name]
    what = Text("the rule needs a column that assets.csv does not have", "规则所需的列在 assets.csv 中不存在")
    raise InputError(Problem(what, place(context, "allowed"), name))


class TenorOptions(LimitOptions):
    """``blank``: ``skip`` leaves bonds out whose issuer's type or dates are empty; the default is an error."""

    blank: Blank = Blank.ERROR


def tech_bond_tenor(context: ModelContext, options: TenorOptions) -> Sequence[Term]:
    """No science-and-technology innovation bond is added to that was issued shorter than its issuer's type allows.

    Technology firms: at least 270 days; equity-investment institutions: at least 3 years, from issue to
    maturity. It speaks of bonds issued from its date on; other issuers' bonds need no dates.
    """
    inputs, assets = context.inputs, context.inputs.assets
    firm = BOOK.at("tech_bond.technology_firm", inputs.as_of)
    institution = BOOK.at("tech_bond.equity_investment_institution", inputs.as_of)
    bonds = (assets["kind"] == "tech_innovation_bond").to_numpy(dtype=bool)
    if not bonds.any():
        return ()
    issued, maturity = pd.to_datetime(_dates(assets, "issue_date")), pd.to_datetime(_dates(assets, "maturity"))
    types = _issuer_types(context)
    if options.blank is Blank.ERROR:
        dated = bonds & types.isin(["technology_firm", "equity_investment_institution"]).to_numpy(dtype=bool)
        _require(context, "issuer", bonds & types.isna().to_numpy(dtype=bool))
        _require(context, "issue_date", dated & issued.isna().to_numpy(dtype=bool))
        _require(context, "maturity", dated & maturity.isna().to_numpy(dtype=bool))
    short = pd.Series(False, index=assets.index)
    short |= (types == "technology_firm") & (maturity < issued + pd.Timedelta(days=int(firm.number)))
    years = pd.DateOffset(years=int(institution.number))
    short |= (types == "equity_investment_institution") & (maturity < issued + years)
    late = issued >= pd.Timestamp(firm.source.effective)
    label = Text(
        f"Science-and-technology innovation bonds issued for less than {firm.number:g} days (technology firms) or "
        f"{institution.number:g} years (equity-investment institutions) are not bought.",
        f"不得增持发行期限短于{firm.number:g}天（科技型企业）或{institution.number:g}年（股权投资机构）的科技创新债券。",
    )
    rows = bonds & (short & late).to_numpy(dtype=bool)
    term = position_term(context, "tech_bond_tenor", label, rows, Sense.AT_MOST, firm.source)
    return () if term is None else (bound(term, options, context.space.current),)


def _require(context: ModelContext, name: str, missing: Mask) -> None:
    problems = Problems()
    what = Text(
        "the tenor rule of science-and-technology innovation bonds needs the issuer's type and both dates",
        "科技创新债券期限规则需要发行人类型、起息日与到期日",
    )
    hint = Text("fill it, or set blank: skip for the rule", "请补填，或为该规则设置 blank: skip")
    for row in np.flatnonzero(missing):
        problems.add(what, context.inputs.where("assets", int(row), name), EMPTY, hint=hint)
    problems.raise_if_any()


def _dates(assets: pd.DataFrame, name: str) -> pd.Series:
    return assets[name] if name in assets else pd.Series(pd.NaT, index=assets.index)


def _issuer_types(context: ModelContext) -> pd.Series:
    """Return the type of each row's issuer; None where it is not known."""
    assets, issuers = context.inputs.assets, context.inputs.table("issuers")
    if issuers is None or "issuer" not in assets or "type" not in issuers:
        return pd.Series(None, index=assets.index, dtype=object)
    return assets["issuer"].map(issuers.set_index("issuer")["type"])


ACCOUNTS = (
    ConstraintSpec("allowed", Text("What an account may hold", "账户投资范围"), AllowedOptions, allowed),
    ConstraintSpec("tech_bond_tenor", Text("Tenor of tech bonds", "科技创新债券期限"), TenorOptions, tech_bond_tenor),
)
