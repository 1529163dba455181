"""Equity price risk of domestic base assets (R8 §24-37) and real estate price risk (R8 §38-43)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Mask, Text
from allocator_cross2.charge_builder import ChargeBuilder, KindRule, Need
from allocator_cross2.lines import EQUITY_HEDGE, EQUITY_PRICE, REAL_ESTATE_PRICE, Basis

__all__ = ["EQUITY_RULES", "charge_convertible", "charge_domestic_property", "property_by_city"]

Rows = NDArray[np.int64]

_BOARDS = ("main", "chinext", "star")
_CSI300 = "csi300"
_DIVIDEND = "csi_dividend_low_vol_100"
_BANK_TYPES = ("large_state", "policy", "joint_stock", "city", "rural", "foreign", "other")
_MAJOR_CITIES = ("municipality", "provincial_capital", "separately_planned")


def _one_factor(figure: str) -> Callable[[ChargeBuilder, Rows], None]:
    def charge(scope: ChargeBuilder, rows: Rows) -> None:
        scope.charge(scope.domestic(rows, "overseas_fund"), EQUITY_PRICE, figure)

    return charge


def charge_convertible(scope: ChargeBuilder, rows: Rows) -> None:
    """R8 §34: convertible and exchangeable bonds, and bonds that carry a right to shares (``equity_terms``)."""
    scope.charge(scope.domestic(rows, "overseas_bond"), EQUITY_PRICE, "equity.convertible")


def _listed_stock(scope: ChargeBuilder, rows: Rows) -> None:
    """R8 §26, 金规〔2023〕5号 (6), notice of 2025-12-01: RF0 by board, index and holding period; k2 of the CSI 300."""
    a, pack = scope.attributes, scope.pack
    rows = a.require_choice(scope.domestic(rows, "overseas_stock"), "board", _BOARDS)
    board = a.text("board")
    star = board.equals("star")[rows]
    csi300, dividend = a.members("indices", _CSI300, rows), a.members("indices", _DIVIDEND, rows)
    if pack.reading("dividend_factor_needs_csi300"):
        dividend &= csi300
    # The notice of 2023 gives index members a factor of their own: by default where it lowers the main board's 0.35.
    reach = board.equals("main")[rows] | pack.reading("csi300_factor_on_all_boards")
    long_index, long_star = _held_long(scope, rows, (csi300 | dividend) & reach, star)
    index = csi300 & reach & ("equity.listed.csi300" in pack)
    figures = {  # the first that holds gives RF0
        "equity.listed.index_long": long_index,
        "equity.listed.csi300": index,
        "equity.listed.star_long": long_star,
        "equity.listed.star": star,
        "equity.listed.chinext": board.equals("chinext")[rows],
        "equity.listed.main": np.ones(len(rows), dtype=bool),
    }
    k2 = np.where(_keeps_k2(scope, csi300, index | long_index, star), pack.value("equity.listed.k2.csi300"), 0.0)
    gain = scope.direct or pack.reading("looked_through_stock_has_k1")
    module = EQUITY_HEDGE if scope.direct and scope.hedged_stock else EQUITY_PRICE
    left = np.ones(len(rows), dtype=bool)
    for figure, mask in figures.items():
        chosen = mask & left
        left &= ~mask
        if chosen.any():
            scope.charge(rows[chosen], module, figure, k2=k2[chosen], gain=gain)


def _held_long(scope: ChargeBuilder, rows: Rows, index: Mask, star: Mask) -> tuple[Mask, Mask]:
    """Return which index members and which STAR stock pass the holding periods of the notice of 2025-12-01."""
    pack, nobody = scope.pack, np.zeros(len(rows), dtype=bool)
    if "equity.listed.index_long" not in pack:
        return nobody, nobody
    scope.attributes.require_number(rows[index | star], "holding_years")
    years = scope.attributes.number("holding_years")[rows]  # NaN compares False
    return (
        index & (years > pack.value("equity.listed.index_years")),
        star & (years > pack.value("equity.listed.star_years")),
    )


def _keeps_k2(scope: ChargeBuilder, csi300: Mask, index_factor: Mask, star: Mask) -> Mask:
    """Return which rows have k2: CSI 300 members, unless the factor that replaced 0.35 or 0.45 replaced k2 with it."""
    pack = scope.pack
    if "equity.listed.csi300" not in pack:
        return csi300
    star_factor = star & ~index_factor
    return (
        csi300
        & (~index_factor | pack.reading("csi300_factor_keeps_k2"))
        & (~star_factor | pack.reading("star_member_keeps_k2"))
    )


def _unlisted_equity(scope: ChargeBuilder, rows: Rows) -> None:
    """R8 §27; 52号 1 (7): China Insurance Investment Fund II; 金规〔2023〕5号 (8): strategic emerging industries."""
    a = scope.attributes
    rows = scope.domestic(rows, "overseas_unlisted")
    in_fund = a.number("national_strategy_fund")[rows] == 1.0
    scope.charge(rows[in_fund], EQUITY_PRICE, "equity.unlisted.national_strategy_fund")
    rows = rows[~in_fund]
    strategic = np.zeros(len(rows), dtype=bool)
    if "equity.unlisted.strategic_emerging" in scope.pack:
        flag = a.issuer_flag("strategic_emerging")
        rows = a.require(rows, ~np.isnan(flag[rows]), "strategic_emerging")
        strategic = flag[rows] == 1.0
        scope.charge(rows[strategic], EQUITY_PRICE, "equity.unlisted.strategic_emerging")
    scope.charge(rows[~strategic], EQUITY_PRICE, "equity.unlisted")


def _associate(scope: ChargeBuilder, rows: Rows) -> None:
    """R8 §28 (2), §49 overseas with k1: listed when ``listed`` says so or, where that is empty, a board is named."""
    a = scope.attributes
    said = a.number("listed")[rows]
    listed = np.where(np.isnan(said), a.text("board").codes[rows] >= 0, said == 1.0)
    scope.charge_equity(rows[listed], "equity.associate.listed")
    scope.charge_equity(rows[~listed], "equity.associate.unlisted")


def _subsidiary(scope: ChargeBuilder, rows: Rows) -> None:
    """R8 §28 (1); §49 gives overseas subsidiaries no k1. Insurance: so flagged, or the issuer is an insurer."""
    a = scope.attributes
    said, kind = a.number("insurance_related"), a.of_issuer("type")
    reason = Text(
        "whether this subsidiary is an insurer or within the main business is not known",
        "无法判断该子公司是否属于保险类或保险主业",
    )
    rows = a.require(rows, ~np.isnan(said[rows]) | (kind.codes[rows] >= 0), "issuer", reason)
    insurance = np.where(np.isnan(said[rows]), kind.equals("insurer")[rows], said[rows] == 1.0)
    scope.charge_equity(rows[insurance], "equity.subsidiary.insurance", k1_abroad=False)
    scope.charge_equity(rows[~insurance], "equity.subsidiary.other", k1_abroad=False)


def _preferred_stock(scope: ChargeBuilder, rows: Rows) -> None:
    """R8 §36, and §48 for preferred stock issued overseas by domestic companies: the same factors, k1 by market."""
    a = scope.attributes
    banks, managers, insurers, others = _issuer_classes(scope, rows)
    for chosen, key in _financial_issuers(scope, banks, managers, insurers):
        scope.charge_equity(chosen, key)
    others = a.require_number(others, "conversion_clause")
    clause = a.number("conversion_clause")[others] == 1.0
    scope.charge_equity(others[clause], "equity.preferred.nonfinancial.conversion")
    scope.charge_equity(others[~clause], "equity.preferred.nonfinancial.plain")


def _perpetual_capital_bond(scope: ChargeBuilder, rows: Rows) -> None:
    """R8 §36; perpetuals of non-financial issuers are bonds to the next call date (R9 §16)."""
    banks, managers, insurers, others = _issuer_classes(scope, rows)
    if len(others):
        what = Text(
            "a perpetual capital bond has a bank, an asset management company or an insurer as issuer",
            "无固定期限资本债券的发行人应为银行、金融资产管理公司或保险公司",
        )
        hint = Text(
            "another issuer's perpetual is a corporate_bond at next_call_date",
            "其他发行人的永续债请按 corporate_bond 并填写下一赎回日",
        )
        scope.attributes.report(others, "issuer", what, "", hint)
    for chosen, key in _financial_issuers(scope, banks, managers, insurers):
        scope.charge_equity(chosen, key)


def _issuer_classes(scope: ChargeBuilder, rows: Rows) -> tuple[Rows, Rows, Rows, Rows]:
    """Return banks, asset management companies, insurers and all others; a bank_type alone makes a bank."""
    a = scope.attributes
    kind, bank_type = a.of_issuer("type"), a.text("bank_type").codes >= 0
    reason = Text("the type of issuer decides the factor and is not known", "发行人类型决定因子，但未给出")
    rows = a.require(rows, (kind.codes[rows] >= 0) | bank_type[rows], "issuer", reason)
    untold = kind.codes[rows] < 0
    bank = kind.equals("bank", "policy_bank")[rows] | (untold & bank_type[rows])
    manager, insurer = kind.equals("asset_management_company")[rows], kind.equals("insurer")[rows]
    unregulated = kind.equals("financial_institution")[rows]
    if unregulated.any():
        what = Text("the rules give no factor for this type of financial issuer", "规则未规定该类金融机构的因子")
        hint = Text("choose the kind and factor with the regulator's approval", "请与监管沟通后确定资产类别与因子")
        a.report(
            rows[unregulated], "issuer", what, "financial_institution", hint, "bank, asset_management_company, insurer"
        )
    return rows[bank], rows[manager], rows[insurer], rows[~(bank | manager | insurer | unregulated)]


def _financial_issuers(scope: ChargeBuilder, banks: Rows, managers: Rows, insurers: Rows) -> list[tuple[Rows, str]]:
    """Return the rows of each factor of the table of R8 §36."""
    a = scope.attributes
    kind = a.of_issuer("type")
    found: list[tuple[Rows, str]] = []
    issuers = (("bank", banks), ("asset_manager", managers), ("insurer", insurers))
    for name, rows in issuers:
        rows = a.require_number(rows, "conversion_clause")
        clause = a.number("conversion_clause")[rows] == 1.0
        found.append((rows[~clause], "equity.preferred.financial.plain"))
        rows = a.require_number(rows[clause], "bank_ratios_met")
        met = a.number("bank_ratios_met")[rows] == 1.0
        found.append((rows[~met], f"equity.preferred.{name}.unmet"))
        if name != "bank":
            found.append((rows[met], f"equity.preferred.{name}.met"))
            continue
        rows = rows[met]
        policy = kind.equals("policy_bank")[rows]
        found.append((rows[policy], "equity.preferred.bank.large"))
        rows = a.require_choice(rows[~policy], "bank_type", _BANK_TYPES)
        found.extend((rows[a.text("bank_type").equals(*types)[rows]], key) for key, types in _BANK_FACTORS.items())
    return found


_BANK_FACTORS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "equity.preferred.bank.large": ("large_state", "policy"),
        "equity.preferred.bank.joint_stock": ("joint_stock",),
        "equity.preferred.bank.city": ("city",),
        "equity.preferred.bank.other": ("rural", "foreign", "other"),
    }
)


def charge_domestic_property(scope: ChargeBuilder, rows: Rows) -> None:
    """R8 §40-42: by city. Through a project company EX is the larger of two values: see ``property_book_value``."""
    property_by_city(scope, rows, Basis.PROPERTY)


def property_by_city(scope: ChargeBuilder, rows: Rows, basis: Basis) -> None:
    """R8 §40: RF0 with k1 by city, on an exposure of this basis."""
    a = scope.attributes
    rows = a.require_choice(rows, "city_tier", (*_MAJOR_CITIES, "other"))
    major = a.text("city_tier").equals(*_MAJOR_CITIES)[rows]
    for chosen, where in ((rows[major], "major_city"), (rows[~major], "elsewhere")):
        k1 = scope.pack.value(f"real_estate.k1.{where}")
        scope.charge(chosen, REAL_ESTATE_PRICE, "real_estate", k1=k1, basis=basis)


def _property(scope: ChargeBuilder, rows: Rows) -> None:
    charge_domestic_property(scope, scope.domestic(rows, "overseas_property"))


_ISSUER = Need("issuer", Text("its type in the issuers table decides the factor", "发行人表中的类型决定因子"))
_CLAUSE = Need("conversion_clause")
_MET = Need("bank_ratios_met", Text("with a conversion or write-down clause", "带转股或减记条款时"))
_BANK = Need("bank_type", Text("banks with the clause whose ratios are met", "带条款且充足率达标的银行"))

EQUITY_RULES: Mapping[str, KindRule] = MappingProxyType(
    {
        "money_market_fund": KindRule(_one_factor("equity.fund.money_market")),
        "bond_fund": KindRule(_one_factor("equity.fund.bond")),
        "equity_fund": KindRule(_one_factor("equity.fund.equity")),
        "mixed_fund": KindRule(_one_factor("equity.fund.mixed")),
        "convertible_bond": KindRule(charge_convertible),
        "listed_stock": KindRule(
            _listed_stock,
            (
                Need("board"),
                Need("cost", Text("held stock: k1 of the stock book", "已持有股票：股票账户特征系数k1")),
                Need("indices", Text("empty means a member of none", "为空表示不属于任何指数")),
                Need(
                    "holding_years",
                    Text("from 2025-12-01: index members and STAR stock", "2025-12-01起：指数成分股与科创板股票"),
                ),
            ),
        ),
        "unlisted_equity": KindRule(
            _unlisted_equity,
            (
                Need(
                    "strategic_emerging",
                    Text("from 2023-09-10, of the issuer or the row", "2023-09-10起，取自发行人表或本行"),
                ),
            ),
        ),
        "associate": KindRule(
            _associate, (Need("board", Text("listed ones (or the flag listed)", "上市企业填写（或填写是否上市）")),)
        ),
        "subsidiary": KindRule(_subsidiary, (_ISSUER,)),
        "preferred_stock": KindRule(_preferred_stock, (_ISSUER, _CLAUSE, _MET, _BANK)),
        "perpetual_capital_bond": KindRule(_perpetual_capital_bond, (_ISSUER, _CLAUSE, _MET, _BANK)),
        "property": KindRule(_property, (Need("city_tier"),)),
    }
)
"""Rules by kind."""
