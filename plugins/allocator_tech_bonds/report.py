"""What the report says of science-and-technology innovation bonds: merged lines and prices."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from allocator.plugin import InputError, Text
from allocator.plugin.report import ReportSectionSpec, ReportTable, Result
from allocator_tech_bonds.lines import merged_positions
from allocator_tech_bonds.pricing import KIND, bond_prices
from allocator_tech_bonds.terms import EQUITY_TERMS, ORIGINS, PLEDGES, bond_terms

__all__ = ["SECTIONS", "line_tables", "price_tables", "term_tables"]

_LINES = {
    "asset_id": Text("Bond", "债券"),
    "account": Text("Account", "账户"),
    "issues": Text("Issues", "发行期数"),
    "amount": Text("Held now", "当前持仓"),
    "target": Text("Target", "目标持仓"),
    "face": Text("Face", "面值"),
    "cost": Text("Cost", "成本"),
    "book_value": Text("Book value", "账面价值"),
    "cost_price": Text("Average cost price", "加权成本价"),
}
_TERMS = {
    "asset_id": Text("Bond", "债券"),
    "account": Text("Account", "账户"),
    "issuer_type": Text("Type of issuer", "发行人类型"),
    "tenor_at_issue": Text("Tenor at issue, years", "发行期限（年）"),
    "shortest_tenor": Text("Shortest tenor allowed, years", "最短期限要求（年）"),
    "tenor_met": Text("Tenor allowed", "期限符合要求"),
    "equity_terms": Text("Right to shares", "权益条款"),
    "pledge": Text("Pledge", "质押"),
    "guarantor": Text("Guarantor", "担保人"),
    "protected_share": Text("Under credit protection", "信用保护比例"),
    "rating": Text("Rating used", "采用评级"),
    "rating_of": Text("It is that of", "评级来源"),
}
_PRICES = {
    "asset_id": Text("Bond", "债券"),
    "account": Text("Account", "账户"),
    "price_maturity": Text("Price to maturity", "到期价格"),
    "price_call": Text("Price to the call", "赎回日价格"),
    "price_put": Text("Price to the put", "回售日价格"),
    "price": Text("Price", "价格"),
    "ends": Text("Ends by", "终止方式"),
    "end": Text("On", "终止日"),
    "yield": Text("Yield to that end", "对应收益率"),
    "spread": Text("Spread", "信用利差"),
    "fair_value": Text("Value of the face held", "持仓面值的估值"),
    "richness": Text("Amount above that value", "持仓金额相对估值溢价"),
}
_ENDS = {"maturity": Text("maturity", "到期"), "call": Text("call", "赎回"), "put": Text("put", "回售")}


def term_tables(result: Result) -> Sequence[ReportTable]:
    """Return what decides how each bond is charged and whom it is from; nothing without such bonds."""
    frame = bond_terms(result.inputs)
    if frame.empty:
        return ()
    types = {
        "technology_firm": Text("technology firm", "科技企业"),
        "equity_investment_institution": Text("equity-investment institution", "股权投资机构"),
        "bank": Text("bank", "银行"),
        "financial_institution": Text("financial institution", "金融机构"),
    }
    note = Text(
        "A right to shares makes a bond a convertible for the charge, the rate hedge and the liquid reserve. A pledge "
        "or a guarantee enters through the rating of the issue alone; bought credit protection by its own formula.",
        "含权益条款的债券在资本计量、利率对冲与流动性储备中均按可转债处理。质押与担保仅通过债项评级体现；"
        "购买的信用保护按规则公式计量。",
    )
    title = Text("Terms of science-and-technology innovation bonds", "科技创新债券条款")
    formats = {"tenor_at_issue": "years", "shortest_tenor": "years", "tenor_met": "flag", "protected_share": "percent"}
    labels = {"issuer_type": types, "equity_terms": EQUITY_TERMS, "pledge": PLEDGES, "rating_of": ORIGINS}
    return (ReportTable("tech_bond_terms", title, frame, _TERMS, formats, note, labels),)


def line_tables(result: Result) -> Sequence[ReportTable]:
    """Return the lines held in several issues, merged; nothing without a tap."""
    title = Text("Re-opened bonds as one position", "续发债券合并持仓")
    try:
        frame = merged_positions(result.inputs, result.holdings)
    except InputError as error:
        return (_not_possible("bond_lines", title, error),)
    if frame.empty:
        return ()
    money = dict.fromkeys(("amount", "target", "face", "cost", "book_value"), "money")
    return (ReportTable("bond_lines", title, frame, _LINES, {**money, "issues": "integer", "cost_price": "number"}),)


def price_tables(result: Result) -> Sequence[ReportTable]:
    """Return prices from curve and spreads; nothing without a table of spreads or without such bonds."""
    inputs = result.inputs
    if inputs.table("spreads") is None or not (inputs.assets["kind"] == KIND).any():
        return ()
    title = Text("Prices of science-and-technology innovation bonds", "科技创新债券定价")
    try:
        frame = bond_prices(inputs)
    except InputError as error:
        return (_not_possible("tech_bond_prices", title, error),)
    frame["end"] = frame["end"].astype(str)
    percent = dict.fromkeys(("yield", "spread", "richness"), "percent")
    prices = {name: "number" for name in _PRICES if name.startswith("price")}
    formats = {**prices, **percent, "fair_value": "money"}
    note = Text(
        "Dirty, per 100 of face, on the spot curve plus the spread of rating and tenor; the holder's put and the "
        "issuer's call at their value today, without time value.",
        "每百元面值全价，按即期曲线加评级与期限对应利差；投资者回售与发行人赎回按当前价值计，不含时间价值。",
    )
    return (ReportTable("tech_bond_prices", title, frame, _PRICES, formats, note, {"ends": _ENDS}),)


def _not_possible(name: str, title: Text, error: InputError) -> ReportTable:
    what = pd.DataFrame({"problem": [problem.render() for problem in error.problems]})
    return ReportTable(name, title, what, {"problem": Text("What is missing or wrong", "缺少或有误的数据")})


SECTIONS = (
    ReportSectionSpec("bond_terms", Text("Terms of tech bonds", "科技创新债券条款"), term_tables),
    ReportSectionSpec("bond_lines", Text("Re-opened bonds", "续发债券"), line_tables),
    ReportSectionSpec("tech_bond_prices", Text("Prices of tech bonds", "科技创新债券定价"), price_tables),
)
