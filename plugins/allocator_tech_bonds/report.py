"""What the report says of science-and-technology innovation bonds: merged lines and prices."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from allocator.errors import InputError
from allocator.report.sections import ReportSectionSpec, ReportTable
from allocator.result import Result
from allocator.types import Text
from allocator_tech_bonds.lines import merged_positions
from allocator_tech_bonds.pricing import KIND, bond_prices

__all__ = ["SECTIONS", "line_tables", "price_tables"]

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


def line_tables(result: Result) -> Sequence[ReportTable]:
    """Return the lines held in several issues, merged; nothing without a tap."""
    title = Text("Re-opened bonds as one position", "续发债券合并持仓")
    try:
        frame = merged_positions(result.inputs, result.target)
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
    ReportSectionSpec("bond_lines", Text("Re-opened bonds", "续发债券"), line_tables),
    ReportSectionSpec("tech_bond_prices", Text("Prices of tech bonds", "科技创新债券定价"), price_tables),
)
