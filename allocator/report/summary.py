"""The first page in figures: before and after, top trades, binding rules with prices, tilts, proof.

Console and page lay out the same `Summary`; every figure comes from run.json or from the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.model.units import MoneyUnit
from allocator.report.formats import FORMATS, format_name
from allocator.report.tables import BINDING_TOLERANCE, row_name
from allocator.report.view import View
from allocator.report.words import RATIOS
from allocator.result.result import TRADE_NOISE
from allocator.types import Text

__all__ = [
    "SHARE",
    "BindingRule",
    "Breach",
    "Measure",
    "Trade",
    "binding_rules",
    "count_trades",
    "given_way",
    "key_measures",
    "proof_line",
    "top_trades",
    "watched_breaches",
]

RATE_HEDGE = "rate_hedge_ratio"

SHARE = "share:"
"""How the names of the measures of themes begin."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One line "before → after" with what is required and whether a rise is welcome (None: neither)."""

    name: str
    label: Text
    format: str
    before: float | None
    after: float | None
    required: float | None = None
    welcome: bool | None = None

    def write(self, value: float | None, money: MoneyUnit, *, sign: bool = False) -> str:
        """Return a figure of this line as text."""
        return FORMATS[self.format].write(value, money, sign=sign)

    @property
    def change(self) -> float | None:
        """After less before."""
        return None if self.before is None or self.after is None else self.after - self.before

    def improves(self, money: MoneyUnit) -> bool | None:
        """Return whether the change is welcome; None where it is neither or too small to be shown."""
        sign = self.write_change(money)[0]
        return (sign == "+") == self.welcome if self.welcome is not None and sign in "+−" else None

    def write_change(self, money: MoneyUnit) -> str:
        """Return the change as text; a change of a percentage is in percentage points."""
        return FORMATS["points" if self.format == "percent" else self.format].write(self.change, money, sign=True)


def key_measures(view: View) -> tuple[Measure, ...]:
    """Return the measures of the first page, money in CNY."""
    entry = view.manifest
    lines = [_pair("expected_return", Text("Expected return", "预期收益率"), entry["expected_return"], True)]
    if entry["volatility"] is not None:
        lines.append(_pair("volatility", Text("Volatility", "波动率"), entry["volatility"], False))
    for name, ratio in entry.get("solvency", {}).items():
        lines.append(_pair(name, RATIOS.get(name) or Text(name, name), ratio, True, ratio["required"]))
    if "capital" in entry:
        capital = entry["capital"]
        for name, label, welcome in (
            ("minimum_capital", Text("Minimum capital", "最低资本"), False),
            ("actual_capital", Text("Actual capital after costs", "实际资本（扣除成本后）"), True),
        ):
            before, after = view.cny(capital[f"{name}_before"]), view.cny(capital[name])
            lines.append(Measure(name, label, "money", before, after, welcome=welcome))
    for term in view.result.model.terms:
        if term.name.split(":")[0] == RATE_HEDGE:
            before = float(term.shown(view.result.model.space.current)[0][0])
            after = float(term.shown(view.result.holdings)[0][0])
            label = Text("Rate hedge ratio", "利率对冲率")
            lines.append(Measure(RATE_HEDGE, label, "percent", before, after))
            break
    for name, share in entry["shares"].items():
        label = Text(f"Share of {share['label']['en'].lower()}", f"{share['label']['zh']}占比")
        lines.append(Measure(f"{SHARE}{name}", label, "percent", share["before"], share["after"]))
    lines.append(Measure("turnover", Text("Turnover (one way)", "换手率（单边）"), "percent", None, entry["turnover"]))
    cost = view.cny(entry["trading_cost"])
    lines.append(Measure("trading_cost", Text("Trading cost", "交易成本"), "money", None, cost))
    return tuple(lines)


def _pair(name: str, label: Text, pair: Mapping[str, float], welcome: bool, required: float | None = None) -> Measure:
    return Measure(name, label, "percent", pair["before"], pair["after"], required, welcome)


@dataclass(frozen=True, slots=True)
class Trade:
    """One row that is bought or sold, CNY."""

    asset_id: str
    name: str
    account: Text
    current: float
    target: float
    trade: float
    expected_return: float
    capital_marginal: float | None


def top_trades(view: View, most: int) -> tuple[tuple[Trade, ...], tuple[Trade, ...]]:
    """Return the largest purchases and the largest sales, at most ``most`` of each."""
    table = view.tables["allocation"]
    frame, labels = table.frame, table.labels["account"]

    def take(rows: NDArray[np.int64]) -> tuple[Trade, ...]:
        return tuple(
            Trade(
                str(line["asset_id"]),
                row_name(line),
                labels[line["account"]],
                float(line["current"]),
                float(line["target"]),
                float(line["trade"]),
                float(line["expected_return"]),
                float(line["capital_marginal"]) if "capital_marginal" in frame else None,
            )
            for line in frame.iloc[rows].to_dict("records")
        )

    bought, sold = _by_size(view)
    return take(bought[:most]), take(sold[:most])


def count_trades(view: View) -> tuple[int, int]:
    """Return how many rows are bought and how many sold."""
    bought, sold = _by_size(view)
    return len(bought), len(sold)


def _by_size(view: View) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows bought and the rows sold, the largest trades first."""
    trade = view.tables["allocation"].frame["trade"].to_numpy()
    noise = TRADE_NOISE * view.result.model.space.total
    order = np.argsort(trade, kind="stable")
    return order[::-1][trade[order[::-1]] > noise], order[trade[order] < -noise]


@dataclass(frozen=True, slots=True)
class BindingRule:
    """A rule without room left, and what one step of it is worth.

    ``cited`` is the source as a reader sees it; ``step`` says what is relaxed by how much, ``gain`` what the
    objective gains by it: annual decimal, or CNY when ``gain_in_money``.
    """

    name: str
    label: Text
    source: str
    cited: Text
    limit: str
    step: Text
    gain: float
    gain_in_money: bool

    def write_gain(self, money: MoneyUnit) -> str:
        """Return the gain as text."""
        return FORMATS["money" if self.gain_in_money else "basis_points"].write(self.gain, money, sign=True)


def binding_rules(view: View, most: int | None = None) -> tuple[BindingRule, ...]:
    """Return the rules that bind, dearest step first; equalities such as budgets come last."""
    table = view.tables["constraints"]
    frame = table.frame[table.frame["binding"]]
    in_money = view.manifest["aim"]["unit"] == "money"
    found = []
    for line in frame.to_dict("records"):
        size, step = _step(line["unit"], view)
        gain = float(line["shadow_price"]) * size
        limit = FORMATS[format_name("by_unit", line["unit"])].write(line["rhs"], view.money)
        label = table.labels["name"][line["name"]]
        rule = BindingRule(
            line["name"],
            label,
            line["source"],
            table.labels["source"].get(line["source"]) or Text(line["source"] or "—", line["source"] or "—"),
            f"{_SENSE[line['sense']]} {limit}".strip(),
            step,
            gain,
            in_money,
        )
        found.append((line["sense"] == "==", -abs(gain), rule))
    found.sort(key=lambda entry: entry[:2])
    rules = tuple(rule for _, _, rule in found)
    return rules if most is None else rules[:most]


_SENSE = {"<=": "≤", ">=": "≥", "==": ""}


POINT = Text("1 percentage point", "1 个百分点")


LEAST_STEP = 1e-4
"""Share of the portfolio that a step of money comes to at least."""


def _step(unit: str, view: View) -> tuple[float, Text]:
    """Return the step that a price is quoted for: a point of a share, a round amount of money, a year, one."""
    form = format_name("by_unit", unit)
    if form == "money":
        return _money_step(view.money, view.result.model.space.total)
    steps = {"percent": (0.01, POINT), "years": (1.0, Text("1 year", "1 年"))}
    return steps.get(form, (1.0, Text("1 unit", "1 单位")))


def _money_step(money: MoneyUnit, total: float) -> tuple[float, Text]:
    """Return one unit of money, or the power of ten of it that can be felt in a portfolio of ``total`` CNY."""
    power = 0
    while money.scale * 10.0**power < LEAST_STEP * total:
        power += 1
    while money.scale * 10.0**power > total:
        power -= 1
    size = 10.0**power
    figure = f"{size:,.10g}"
    english = money.label.en if power == 0 and money.scale > 1.0 else f"{figure} × {money.label.en}"
    if money.scale == 1.0:
        english = f"CNY {figure}"
    return size * money.scale, Text(english, f"{figure} {money.label.zh}")


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that is only watched and does not hold, or that gave way; ``said`` is the sentence about it."""

    label: Text
    value: str
    limit: str
    said: Text


def watched_breaches(view: View) -> tuple[Breach, ...]:
    """Return the rules that gave way, then the monitored ones that do not hold, in the file's order."""
    table = view.tables["constraints"]
    frame = table.frame
    found = list(given_way(view))
    for line in frame[(frame["mode"] == "monitor") & (frame["slack"] < -BINDING_TOLERANCE)].to_dict("records"):
        shown = FORMATS[format_name("by_unit", line["unit"])]
        limit = f"{_SENSE[line['sense']]} {shown.write(line['rhs'], view.money)}".strip()
        label, value = table.labels["name"][line["name"]], shown.write(line["lhs"], view.money)
        said = Text(
            f"not met: {label.en.rstrip('.')}: {value} (asked {limit})",
            f"未满足：{label.zh.rstrip('。')}：实际 {value}（要求 {limit}）",
        )
        found.append(Breach(label, value, limit, said))
    return tuple(found)


def given_way(view: View) -> tuple[Breach, ...]:
    """Return the rules that gave way on request: by how much, and what is left of them."""
    table = view.tables["constraints"]
    limits = dict(zip(table.frame["name"], table.frame[["sense", "rhs"]].to_dict("records"), strict=True))
    found = []
    for item in view.result.relaxed_constraints:
        shown, moved = FORMATS[format_name("by_unit", item.unit)], limits[item.name]
        label = table.labels["name"][item.name]
        value = shown.write(item.amount, view.money)
        limit = f"{_SENSE[moved['sense']]} {shown.write(moved['rhs'], view.money)}".strip()
        said = Text(
            f"{label.en} (priority {item.priority}) gave way by {value}; asked now {limit}",
            f"{label.zh}（优先级 {item.priority}）已放宽 {value}，现要求 {limit}",
        )
        found.append(Breach(label, value, limit, said))
    return tuple(found)


def proof_line(view: View) -> dict[str, Text | str | bool]:
    """Return status, objective, bound, gap, nodes, solver and the re-check, written out."""
    entry = view.manifest
    in_money = entry["aim"]["unit"] == "money"
    unit = view.result.inputs.unit if in_money else 1.0
    shown = FORMATS["money" if in_money else "percent"]
    gap = FORMATS["money" if in_money else "basis_points"]
    if not in_money:
        shown = type(shown)(factor=100.0, decimals=4, suffix="%")
    return {
        "status": entry["status"],
        "objective": shown.write(entry["objective"] * unit, view.money),
        "bound": shown.write(entry["bound"] * unit, view.money),
        "gap": gap.write(entry["gap"] * unit, view.money),
        "nodes": str(entry["nodes"]),
        "solver": entry["solver"],
        "verified": bool(entry["verified"]),
    }
