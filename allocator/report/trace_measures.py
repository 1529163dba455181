"""The measures of a report's first page, followed to the rows they sum, and what a tilt cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from allocator.errors import InputError, Problem
from allocator.report.run_folder import RunFolder
from allocator.report.trace_lines import Line, named
from allocator.types import LocalizedPhrase, Text

__all__ = ["MEASURES", "WORDS", "measure", "tilt"]

WORDS: Mapping[str, Text] = MappingProxyType(
    {
        "objective": Text("Objective", "目标值"),
        "bound": Text("Certified bound", "可证明的界"),
        "gap": Text("Gap", "差距"),
        "expected_return": Text("Expected return", "预期收益率"),
        "volatility": Text("Volatility", "波动率"),
        "turnover": Text("Turnover (one way)", "换手率（单边）"),
        "trading_cost": Text("Trading cost", "交易成本"),
        "funded_total": Text("Funded total", "资产总额"),
        "score_before": Text("Score before", "调整前得分"),
        "score_untilted": Text("Score without the tilt", "不倾斜时得分"),
        "score_after": Text("Score after", "调整后得分"),
        "return_given_up": Text("Return given up", "让渡收益"),
        "objective_given_up": Text("Objective given up", "让渡目标值"),
        "capital_used": Text("Capital used", "占用资本"),
        "ratio_change": Text("Change of the ratio", "充足率变化"),
    }
)
RISK_TABLES = ("covariance", "factor_exposures", "factor_covariance", "returns", "market_history")
"""Inputs that a volatility can come from."""

Row = Mapping[Any, Any]


def measure(run: RunFolder, name: str, figure: str) -> Iterator[Line]:
    """Yield a measure of the first page and the rows that it sums."""
    lines = [] if name else list(_MEASURES[figure](run))
    if not lines:
        raise InputError(Problem(Text("no such figure", "没有该数字"), figure, name or None, ", ".join(MEASURES)))
    yield from lines


def tilt(run: RunFolder, name: str, figure: str) -> Iterator[Line]:
    """Yield what a tilt changed and what it cost, each the difference of two optima."""
    prices = run.table("tilts")
    price = prices[prices["name"] == named(name, prices["name"].tolist(), figure)].iloc[0]
    how = LocalizedPhrase("optimum with the tilt less optimum without it", "有倾斜的最优解减去无倾斜的最优解")
    yield Line(0, str(price["name"]), float(price["objective_given_up"]), "objective", how=how)
    units = {"return_given_up": "a year", "capital_used": "money", "ratio_change": "ratio"}
    units |= dict.fromkeys(("score_before", "score_untilted", "score_after"), "score")
    for column, unit in units.items():
        if price[column] == price[column]:  # the line of all tilts together has no score
            yield Line(1, column, float(price[column]), unit)


def _objective(run: RunFolder) -> Iterator[Line]:
    told, aim = run.manifest, run.manifest["aim"]
    unit = "money" if aim["unit"] == "money" else "a year"
    yield Line(
        0, "objective", float(told["objective"]), unit, how=f"{aim['direction']} {aim['name']}", place=_fund(run)
    )
    yield Line(1, "bound", float(told["bound"]), unit)
    yield Line(1, "gap", float(told["gap"]), unit)
    if aim["name"] == "expected_return":
        yield from (replace(line, depth=line.depth + 1) for line in _expected_return(run))


def _expected_return(run: RunFolder) -> Iterator[Line]:
    total = float(run.manifest["funded_total"])
    how = LocalizedPhrase("Σ target × expected return / total", "Σ 目标 × 预期收益率 / 总额")
    yield Line(0, "expected_return", float(run.manifest["expected_return"]["after"]), "a year", how=how)
    for row in _held(run):
        how_row = f"{row['target']:,.10g} × {row['expected_return']:.6g} / {total:,.10g}"
        yield _row(run, row, float(row["target"]) * float(row["expected_return"]) / total, "a year", how_row)


def _volatility(run: RunFolder) -> Iterator[Line]:
    told = run.manifest["volatility"]
    if told is not None:
        files = ", ".join(one["file"] for name, one in run.manifest["inputs"].items() if name in RISK_TABLES)
        how = LocalizedPhrase(told["method"]["en"], told["method"]["zh"])
        yield Line(0, "volatility", float(told["after"]), "a year", how=how, place=files)


def _turnover(run: RunFolder) -> Iterator[Line]:
    total = float(run.manifest["funded_total"])
    how = LocalizedPhrase("Σ |trade| / 2 / total", "Σ |交易| / 2 / 总额")
    yield Line(0, "turnover", float(run.manifest["turnover"]), "", how=how)
    for row in _held(run):
        if row["trade"]:
            yield _row(
                run, row, abs(float(row["trade"])) / 2.0 / total, "", f"|{row['trade']:+,.10g}| / 2 / {total:,.10g}"
            )


def _trading_cost(run: RunFolder) -> Iterator[Line]:
    how = LocalizedPhrase("Σ transaction cost × |trade|", "Σ 交易成本率 × |交易|")
    yield Line(0, "trading_cost", float(run.manifest["trading_cost"]), "money", how=how)
    for row in _held(run):
        if row["trade"]:
            yield _row(run, row, float(row["cost"]), "money", f"|{row['trade']:+,.10g}|")


def _funded_total(run: RunFolder) -> Iterator[Line]:
    yield Line(0, "funded_total", float(run.manifest["funded_total"]), "money")
    for row in _held(run):
        yield _row(run, row, float(row["target"]), "money", f"{row['current']:,.10g} {row['trade']:+,.10g}")


def _held(run: RunFolder) -> Sequence[Row]:
    return run.table("allocation").to_dict("records")


def _row(run: RunFolder, row: Row, amount: float, unit: str, how: str) -> Line:
    return Line(1, f"{row['asset_id']} / {row['account']}", amount, unit, how=how, place=run.place(row))


def _fund(run: RunFolder) -> str:
    return str(run.manifest["inputs"].get("fund", {}).get("file", ""))


_MEASURES = MappingProxyType(
    {
        **{"objective": _objective, "expected_return": _expected_return, "volatility": _volatility},
        **{"turnover": _turnover, "trading_cost": _trading_cost, "funded_total": _funded_total},
    }
)
MEASURES = tuple(_MEASURES)
"""Names of the figures that stand for themselves."""
