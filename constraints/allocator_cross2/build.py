"""Building the charges of a fund: both tables classified, products looked through, what-ifs and marks laid on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plugin import LocalizedPhrase, Problems, Text, Vector, counted, money_unit
from allocator.plugin.capital import RegimeNote
from allocator.plugin.tables import rating_cells
from allocator_cross2.attributes import Attributes
from allocator_cross2.charge_builder import ChargeBuilder
from allocator_cross2.charges import Charges, Ratios
from allocator_cross2.charges_derivatives import DERIVATIVE_RULES, hedges_stock
from allocator_cross2.classify import BASE_RULES, USER_FACTOR, classify
from allocator_cross2.concentration import Holding, concentration_tests
from allocator_cross2.jurisdiction import REPORTED_RATIO, YUAN
from allocator_cross2.lines import Codes, LineBuilder, Lines
from allocator_cross2.look_through import exempt_rate_risk, look_through
from allocator_cross2.lots import seasoned_lines
from allocator_cross2.options import ChargeOptions
from allocator_cross2.overrides import apply_what_ifs, changed, check_options, option_notes
from allocator_cross2.pack import RulePack
from allocator_cross2.products import PRODUCTS
from allocator_cross2.stock import stock_book

if TYPE_CHECKING:
    from allocator.plugin.tables import Inputs

__all__ = ["ChargeContext", "build_charges"]


def _place(table: str, row: int, column: str) -> str:
    return LocalizedPhrase(f"{table}, row {row + 1}, column {column}", f"{table}，第 {row + 1} 行，“{column}”列")


@dataclass(frozen=True, eq=False)
class ChargeContext:
    """What charges need beside the assets table and the rules.

    Parameters
    ----------
    as_of : datetime.date
        Valuation date: contracts that mature by then are an error.
    issuers, underlying : DataFrame or None
        The tables of issuers and of underlying assets.
    duration, underlying_duration : ndarray or None
        Modified durations in years computed from terms, NaN where there are none; a given
        ``modified_duration`` wins.
    accrued, underlying_accrued : ndarray or None
        Accrued interest per CNY of amount; None: the column ``accrued_interest`` alone gives it.
    total_assets : float or None
        The company's, CNY.
    comprehensive_ratio : float or None
        Of the last quarter end.
    limit_assets : float or None
        Base of the class ratios, CNY; None: total assets.
    where : callable
        ``where(table, row, column) -> str``: the place of a cell.
    unit : float
        CNY per unit of the fund's money, in which notes say amounts.
    """

    as_of: date
    issuers: pd.DataFrame | None = None
    underlying: pd.DataFrame | None = None
    duration: Vector | None = None
    underlying_duration: Vector | None = None
    total_assets: float | None = None
    comprehensive_ratio: float | None = None
    where: Callable[[str, int, str], str] = _place
    unit: float = 1.0
    accrued: Vector | None = None
    underlying_accrued: Vector | None = None
    limit_assets: float | None = None

    @classmethod
    def of(
        cls,
        inputs: Inputs,
        duration: Vector | None = None,
        underlying_duration: Vector | None = None,
        accrued: tuple[Vector | None, Vector | None] = (None, None),
    ) -> ChargeContext:
        """Return the context of a fund's inputs."""
        return cls(
            inputs.as_of,
            inputs.table("issuers"),
            inputs.table("underlying"),
            duration,
            underlying_duration,
            inputs.balance_sheet.total_assets,
            inputs.balance_sheet.figure(REPORTED_RATIO),
            inputs.where,
            inputs.unit,
            *accrued,
            inputs.balance_sheet.limit_assets,
        )


@dataclass(frozen=True, eq=False)
class _Built:
    lines: Lines
    tables: tuple[Attributes, Attributes]
    rate_risk_share: Vector


def build_charges(frame: pd.DataFrame, pack: RulePack, options: ChargeOptions, context: ChargeContext) -> Charges:
    """Classify every row and return its charges, ready to be evaluated at any holdings.

    Parameters
    ----------
    frame : DataFrame (n rows)
        The assets table: money in CNY, rates in decimals, dates as datetime64.
    pack : RulePack
        Figures in force, with the overrides and readings of ``options``.
    options : ChargeOptions
        What the user changes.
    context : ChargeContext
        Everything else.

    Raises
    ------
    InputError
        Naming every attribute that a charge needs and the files lack, and every value it cannot use.
    """
    problems = Problems()
    check_options(options, {**BASE_RULES, **PRODUCTS}, _kinds(frame, context), problems)
    codes = (Codes(), Codes(), Codes())
    built = _lines(frame, pack, options, context, problems, codes)
    assets = built.tables[0]
    amount = assets.number("amount")
    ratios = _ratios(assets, amount)
    stock = stock_book(assets, amount, ratios.book)
    modules, figures, kinds = codes
    names = {"modules": tuple(modules.names), "figures": tuple(figures.names)}
    held_claim = np.maximum(ratios.claim * np.sign(amount), 0.0)
    holding = Holding(ratios.book, held_claim, context.total_assets, context.comprehensive_ratio, context.limit_assets)
    tests = concentration_tests(pack, built.lines, names, built.tables, holding, problems)
    problems.raise_if_any()
    rule_pack = RulePack.at(pack.valuation_date)
    by_rule = None
    if pack.overridden:
        plain = RulePack.at(pack.valuation_date, readings=pack.readings)
        by_rule = _lines(frame, plain, options, context, Problems(), codes).lines
    return Charges(
        built.lines,
        modules=tuple(modules.names),
        figures=tuple(figures.names),
        kinds=tuple(kinds.names),
        current=amount,
        ratios=ratios,
        stock=stock,
        tests=tests,
        changed=changed(built.lines, by_rule, figures, USER_FACTOR, pack.overridden),
        rate_risk_share=built.rate_risk_share,
        pack=pack,
        accrued=assets.accrued_part,
        seasoned=seasoned_lines(built.lines, list(figures.names), assets.frame, pack),
        notes=(*option_notes(options, pack, rule_pack), *_test_notes(tests.untested, amount, ratios, context)),
    )


def _kinds(frame: pd.DataFrame, context: ChargeContext) -> tuple[str, ...]:
    held = set(frame["kind"].dropna().unique())
    below = set() if context.underlying is None else set(context.underlying["kind"].dropna().unique())
    return (*BASE_RULES, *PRODUCTS, *sorted(held | below))


def _lines(
    frame: pd.DataFrame,
    pack: RulePack,
    options: ChargeOptions,
    context: ChargeContext,
    problems: Problems,
    codes: tuple[Codes, Codes, Codes],
) -> _Built:
    below = context.underlying if context.underlying is not None else pd.DataFrame({"kind": pd.Series(dtype=object)})
    common = {"where": context.where, "problems": problems, "as_of": context.as_of, "issuers": context.issuers}
    # R9 §5: the rating of the issue, else that of the counterparty.
    frame, below = (part.assign(rating=rating_cells(part, context.issuers)) for part in (frame, below))
    assets = Attributes(frame, "assets", duration=context.duration, accrued=context.accrued, **common)  # type: ignore[arg-type]
    inner = Attributes(
        below,
        "underlying",
        duration=context.underlying_duration,
        accrued=context.underlying_accrued,
        **common,  # type: ignore[arg-type]
    )
    amount = assets.number("amount")
    everything = np.arange(len(frame))
    assets.require(everything, ~np.isnan(amount), "amount", Text("a row needs an amount", "每行须填写金额"))
    scope = ChargeBuilder(assets, pack, LineBuilder(*codes))
    included = options.amount_includes_accrued
    scope = ChargeBuilder(assets, pack, scope.lines, hedged_stock=hedges_stock(scope), interest_included=included)
    products = classify(scope, options.factors)
    parts = [_with_interest(scope, scope.lines.finish())]
    share = exempt_rate_risk(scope)
    if products or context.underlying is not None:
        seen = look_through(
            scope, ChargeBuilder(inner, pack, LineBuilder(*codes), direct=False), products, options.factors
        )
        parts.append(seen.lines)
        share = share + seen.rate_risk_share
    lines = Lines.join(parts)
    kinds = codes[2]
    surface = np.array([*(kinds.code(label) for label in assets.kinds.labels), -1], dtype=np.int16)
    lines = apply_what_ifs(lines, kinds, surface[assets.kinds.codes][lines.row], options.what_if)
    return _Built(lines, (assets, inner), share)


def _with_interest(scope: ChargeBuilder, lines: Lines) -> Lines:
    """R9 §35: where ``amount`` is without interest, that on other assets joins their own exposure."""
    if scope.interest_included:
        return lines
    figures = scope.lines.figures.names
    by_ladder = np.array([name.startswith(("default.interest", "spread.")) for name in figures], dtype=bool)
    joined = np.where(by_ladder[lines.figure], 0.0, scope.attributes.accrued_part[lines.row])
    return lines.with_(share=lines.share * (1.0 + joined))


def _ratios(assets: Attributes, amount: Vector) -> Ratios:
    """EX per CNY of amount: a blank book value or a zero amount gives 1; the ratio holds for the target too."""
    book = assets.number("book_value")
    derivative = assets.kinds.where(DERIVATIVE_RULES.__contains__)
    held = (amount != 0) & ~np.isnan(amount)
    claim = np.divide(np.nan_to_num(book), amount, out=np.zeros(len(amount)), where=held & derivative)
    ratio = np.divide(book, amount, out=np.ones(len(amount)), where=held & ~np.isnan(book) & ~derivative)
    own = assets.number("property_book_value")
    through_company = np.divide(own, amount, out=np.zeros(len(amount)), where=held & ~np.isnan(own))
    party = np.where(derivative, assets.text("counterparty").codes, -1)
    return Ratios(ratio, np.maximum(ratio, through_company), claim, party)


def _test_notes(
    untested: NDArray[np.int64], amount: Vector, ratios: Ratios, context: ChargeContext
) -> tuple[RegimeNote, ...]:
    notes = []
    if len(untested):
        total = money_unit(context.unit, YUAN).amount(float((amount[untested] * ratios.book[untested]).sum()))
        notes.append(
            RegimeNote(
                Text(
                    f"Not tested for counterparty concentration: {counted(len(untested), 'row')} (book value "
                    f"{total.en}) with neither counterparty nor issuer.",
                    f"{len(untested)} 行资产（账面价值 {total.zh}）未填写交易对手或发行人，未计量交易对手集中度。",
                ),
                "R8 §63-65",
            )
        )
    if context.total_assets is not None and context.comprehensive_ratio is None:
        notes.append(
            RegimeNote(
                Text(
                    "The reported comprehensive ratio is not given: the equity class is not tested for concentration.",
                    "未填写已报告的综合偿付能力充足率，未计量权益类资产的大类集中度。",
                ),
                "R8 §66",
            )
        )
    return tuple(notes)
