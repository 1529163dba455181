"""What the report says of funds: the commitment plan, and the simulation with its doubt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from allocator.plugin import InputError, Text
from allocator.plugin.report import ReportSectionSpec, ReportTable, Result
from allocator.plugin.tables import Inputs
from allocator_venture.commitments import RULES, commitment_plan, recommitment_plan, vintage_limit
from allocator_venture.risk import QUANTILES, assess
from allocator_venture.technology import TechnologyOptions, technology_rows

__all__ = ["SECTIONS", "commitment_tables", "simulation_tables"]

YEARS = 10

_COMMITMENTS = {
    "asset_id": Text("Fund", "基金"),
    "account": Text("Account", "账户"),
    "current": Text("Commitment now", "当前认缴"),
    "target": Text("Target commitment", "目标认缴"),
    "uncalled": Text("Uncalled after the decision", "决策后未缴"),
    "peak_nav": Text("Highest NAV ahead", "未来净值峰值"),
}
_SIMULATION = {
    "asset_id": Text("Fund", "基金"),
    "expected_return": Text("Expected return", "预期收益率"),
    "standard_error": Text("Sampling error", "抽样误差"),
    "lowest": Text("Under pessimistic parameters", "悲观参数下"),
    "highest": Text("Under optimistic parameters", "乐观参数下"),
    "uncertainty": Text("Suggested uncertainty of return", "建议收益率不确定半宽"),
    "loss_probability": Text("Probability of a loss", "亏损概率"),
    "value_at_risk": Text("95% loss quantile", "95% 损失分位数"),
    "tail_loss": Text("95% CVaR", "95% CVaR"),
    "reserve": Text("Suggested special risk reserve, share of money paid in", "建议专项风险准备（占投入资金）"),
    "reserve_amount": Text("Suggested special risk reserve", "建议专项风险准备金额"),
}


def commitment_tables(result: Result) -> Sequence[ReportTable]:
    """Return the commitment plan of the answer, or why there is none; nothing without a table of funds."""
    inputs = result.inputs
    if inputs.table("funds") is None:
        return ()
    title = Text("Fund commitments and capital calls", "基金认缴与缴款计划")
    try:
        plan = commitment_plan(inputs, result.holdings, YEARS)
    except InputError as error:
        return (_not_possible("commitments_missing", title, error),)
    until = [pd.Timestamp(inputs.as_of) + pd.DateOffset(years=year + 1) for year in range(YEARS)]
    calls = {
        f"call_{year + 1}": Text(f"Calls until {end:%Y-%m-%d}", f"至 {end:%Y-%m-%d} 当年缴款")
        for year, end in enumerate(until)
    }
    money = dict.fromkeys(("current", "target", "uncalled", "peak_nav", *calls), "money")
    note = Text(
        "A target above today's holding is reached by a new commitment whose projected NAV peaks at the amount added; "
        "one below is sold with its uncalled part (Takahashi and Alexander, 2002).",
        "目标高于现有持仓时，以净值峰值等于新增金额的新认缴实现；低于现有持仓时，连同未缴部分按比例转让"
        "（Takahashi 与 Alexander，2002）。",
    )
    return (
        ReportTable("commitments", title, plan, {**_COMMITMENTS, **calls}, money, note),
        _recommitments(result, [f"{end:%Y-%m-%d}" for end in until]),
    )


def _recommitments(result: Result, until: list[str]) -> ReportTable:
    frame = recommitment_plan(result.inputs, result.holdings, YEARS, vintage_limit(result.inputs))
    headings = {f"commit_{year + 1}": Text(f"Until {end}", f"至 {end}") for year, end in enumerate(until)}
    headings |= {
        "asset_id": _COMMITMENTS["asset_id"],
        "account": _COMMITMENTS["account"],
        "target": Text("NAV to hold", "目标净值"),
        f"nav_{YEARS}": Text(f"NAV on {until[-1]}", f"{until[-1]} 净值"),
    }
    note = Text(
        "Beside today's commitments: what to commit in each year so that the NAV, once at its target, stays there.",
        "除当期认缴外，净值达到目标后为维持该水平，各年需新增的认缴。",
    )
    formats = dict.fromkeys([name for name in frame if name not in ("asset_id", "account")], "money")
    title = Text("Recommitments that hold the target", "维持目标净值的滚动认缴")
    return ReportTable("recommitments", title, frame, headings, {str(k): v for k, v in formats.items()}, note)


def simulation_tables(result: Result) -> Sequence[ReportTable]:
    """Return the simulated figures of every fund that names its fields and stage."""
    inputs = result.inputs
    table = inputs.table("funds")
    if table is None or "stage" not in table or not table["stage"].notna().any():
        return ()
    title = Text("Venture funds from technical parameters", "创投基金技术参数情景模拟")
    try:
        frame = _simulation(inputs, result)
    except InputError as error:
        return (_not_possible("technology_missing", title, error),)
    rates = {
        f"rate_{q:.0%}".rstrip("%"): Text(f"{q:.0%} quantile of the IRR", f"IRR {q:.0%} 分位数") for q in QUANTILES
    }
    percent = [name for name in (*_SIMULATION, *rates) if name not in ("asset_id", "reserve_amount")]
    note = Text(
        "Every technical parameter is an assumption or names its source (fields.yaml); no field has a loss history. "
        "Losses are per unit of money paid in; the reserve is the loss in the worst 5% of the paths of all funds "
        "together beyond what their solvency charge covers. It is a suggestion, not a rule.",
        "各项技术参数均为假设或注明来源（fields.yaml），相关领域尚无损失历史。损失按投入资金计；"
        "准备为全部基金合计最差 5% 路径上的平均损失超出偿付能力资本已覆盖的部分，仅为建议，并非监管规定。",
    )
    formats = {**dict.fromkeys(percent, "percent"), "reserve_amount": "money"}
    return (ReportTable("technology", title, frame, {**_SIMULATION, **rates}, formats, note),)


def _simulation(inputs: Inputs, result: Result) -> pd.DataFrame:
    options = _options(inputs)
    parameters = options.parameters("models.scenarios")
    rows = technology_rows(inputs, parameters)
    confidence, covered = (
        RULES.at(f"reserve.{name}", inputs.as_of, early=True).number for name in ("confidence", "covered")
    )
    found = assess(rows.funds, parameters, options.paths, options.seed_of(inputs), confidence, covered)
    plan = commitment_plan(inputs, result.holdings, 1).groupby("asset_id")["uncalled"].sum()
    target = pd.Series(result.holdings).groupby(inputs.assets["asset_id"].to_numpy()).sum()
    money = np.array([target[name] + plan[name] for name in rows.names])
    frame = pd.DataFrame({"asset_id": rows.names})
    for name in _SIMULATION:
        if name not in ("asset_id", "reserve_amount"):
            frame[name] = getattr(found, name)
    frame["reserve_amount"] = found.reserve * money
    for q, rates in zip(QUANTILES, found.rates, strict=True):
        frame[f"rate_{q:.0%}".rstrip("%")] = rates
    return frame


def _options(inputs: Inputs) -> TechnologyOptions:
    """Return the options under which the fund file names the model ``technology``, or the defaults."""
    for key in ("scenarios", "returns"):
        given: Any = inputs.settings.models.get(key)
        for entry in given if isinstance(given, list) else [given]:
            if isinstance(entry, dict) and entry.get("name") == "technology":
                return TechnologyOptions.model_validate(
                    {k: v for k, v in entry.items() if k in TechnologyOptions.model_fields}
                )
    return TechnologyOptions()


def _not_possible(name: str, title: Text, error: InputError) -> ReportTable:
    what = pd.DataFrame({"problem": [problem.render() for problem in error.problems]})
    note = Text("Not computed: the table of funds lacks what it needs.", "未计算：基金表缺少所需数据。")
    return ReportTable(name, title, what, {"problem": Text("What is missing", "缺少的数据")}, {}, note)


SECTIONS = (
    ReportSectionSpec("commitments", Text("Fund commitments", "基金认缴"), commitment_tables),
    ReportSectionSpec("technology", Text("Technology scenarios", "技术情景"), simulation_tables),
)
