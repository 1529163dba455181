"""The balance sheet in CNY, and whether its figures agree with each other and with the rows."""

from __future__ import annotations

from allocator.config.settings import Settings
from allocator.errors import Problem
from allocator.inputs.error_collector import ErrorCollector
from allocator.inputs.fund import BalanceSheet, Inputs
from allocator.inputs.relations import funded_rows
from allocator.types import Text

__all__ = ["AGREEMENT", "check_balance_sheet", "check_total", "sum_of_rows"]

AGREEMENT = 1e-6
"""Relative difference within which two statements of one figure agree."""
ROUNDING = 1e-9
"""Relative excess of the rows' sum over total assets put down to rounding."""
SMALLEST_SHARE = 0.01
"""Share of total assets below which the rows are a mandate only where the fund file says so: a unit may be wrong."""
HIGHEST_RATIO = 100.0
"""A solvency ratio above 10,000% is a percentage written as a multiple."""

_POSITIVE = ("total_assets", "admitted_assets")
_NOT_NEGATIVE = ("admitted_liabilities", "core_tier1", "core_tier2", "supplementary_tier1", "supplementary_tier2")


def check_balance_sheet(settings: Settings, errors: ErrorCollector) -> BalanceSheet:
    """Return the company's totals in CNY; contradictions go to ``errors``.

    Actual capital is admitted assets less admitted liabilities (R1); where only these are given it is their
    difference.
    """
    given = settings.balance_sheet
    unit = settings.fund.unit
    figures: dict[str, float | None] = {
        name: None if value is None else float(value) * unit
        for name, value in given.model_dump(exclude={"reported_comprehensive_ratio"}).items()
    }
    ratio = given.reported_comprehensive_ratio
    _report_signs(settings, figures, errors)
    if ratio is not None and abs(ratio) > HIGHEST_RATIO:
        errors.add(
            Text("the reported ratio is not a multiple", "填报的偿付能力充足率不是倍数"),
            settings.where("balance_sheet.reported_comprehensive_ratio"),
            f"{ratio:g}",
            hint=Text("write 1.85 or 185%", "请写 1.85 或 185%"),
        )
    assets, liabilities = figures["admitted_assets"], figures["admitted_liabilities"]
    if assets is not None and liabilities is not None:
        difference = assets - liabilities
        if figures["actual_capital"] is None:
            figures["actual_capital"] = difference
        else:
            _agree(settings, "actual_capital", "admitted_assets − admitted_liabilities", figures, difference, errors)
    _report_tiers(settings, figures, errors)
    return BalanceSheet(**figures, reported_comprehensive_ratio=ratio)


def check_total(settings: Settings, total_assets: float | None, funded: float, errors: ErrorCollector) -> None:
    """Report rows that sum to more than the company's total assets, or to next to nothing of them.

    Parameters
    ----------
    settings : Settings
        For places and the unit.
    total_assets : float or None
        CNY.
    funded : float
        Sum of the current amounts of the rows that are no derivatives, CNY.
    """
    if total_assets is None:
        return
    unit = settings.fund.unit
    if 0.0 < funded < SMALLEST_SHARE * total_assets and not settings.fund.mandate:
        errors.add(
            Text("the rows sum to under 1% of the company's total assets", "各行金额之和不足公司总资产的 1%"),
            settings.where("balance_sheet.total_assets"),
            f"{funded / unit:,.6g} / {total_assets / unit:,.6g}",
            None,
            Text(
                "check fund.unit and the units in headings; where the rows are so small a part, set fund.mandate: true",
                "请检查单位：fund.unit 及表头所注单位；如持仓确为公司资产的一小部分，请写 fund.mandate: true",
            ),
        )
    if funded <= total_assets * (1.0 + ROUNDING):
        return
    errors.add(
        Text("the rows sum to more than the company's total assets", "各行金额之和大于公司总资产"),
        settings.where("balance_sheet.total_assets"),
        f"{total_assets / unit:,.6g}",
        f"≥ {funded / unit:,.6g}",
        Text("check the units: fund.unit and those in headings", "请检查单位：fund.unit 及表头所注单位"),
    )


def sum_of_rows(inputs: Inputs) -> Text:
    """Return what the rows sum to in ``fund.unit``, derivatives aside, and their share of total assets if given."""
    funded = funded_rows(inputs.assets, inputs.kinds)
    total, whole = float(inputs.assets["amount"].to_numpy()[funded].sum()), inputs.balance_sheet.total_assets
    amount = f"{total / inputs.unit:,.6g}"
    if not whole:
        return Text(f"The rows sum to {amount}.", f"各行金额合计 {amount}。")
    share = f"{total / whole:.1%}"
    return Text(f"The rows sum to {amount}, {share} of total assets.", f"各行金额合计 {amount}，占总资产 {share}。")


def _report_signs(settings: Settings, figures: dict[str, float | None], errors: ErrorCollector) -> None:
    for name in (*_POSITIVE, *_NOT_NEGATIVE):
        value = figures[name]
        if value is None:
            continue
        positive = name in _POSITIVE
        if value < 0 or (positive and value == 0):
            errors.add(
                Text("out of range", "超出允许范围"),
                settings.where(f"balance_sheet.{name}"),
                f"{value / settings.fund.unit:g}",
                "> 0" if positive else "≥ 0",
            )


def _report_tiers(settings: Settings, figures: dict[str, float | None], errors: ErrorCollector) -> None:
    """Core ≤ actual; the tiers, where all are given, sum to what they are tiers of (R1)."""
    core, actual = figures["core_capital"], figures["actual_capital"]
    if core is not None and actual is not None and core > actual + AGREEMENT * abs(actual):
        errors.extend(
            (
                Problem(
                    Text("core capital exceeds actual capital", "核心资本大于实际资本"),
                    settings.where("balance_sheet.core_capital"),
                    f"{core / settings.fund.unit:,.6g}",
                    f"≤ {actual / settings.fund.unit:,.6g}",
                ),
            )
        )
    tiers = [figures[name] for name in ("core_tier1", "core_tier2", "supplementary_tier1", "supplementary_tier2")]
    first = [value for value in tiers[:2] if value is not None]
    every = [value for value in tiers if value is not None]
    if core is not None and len(first) == 2:
        _agree(settings, "core_capital", "core_tier1 + core_tier2", figures, sum(first), errors)
    if actual is not None and len(every) == 4:
        _agree(settings, "actual_capital", "the sum of the four tiers", figures, sum(every), errors)


def _agree(
    settings: Settings, name: str, formula: str, figures: dict[str, float | None], other: float, errors: ErrorCollector
) -> None:
    value = figures[name]
    if value is None or abs(value - other) <= AGREEMENT * max(abs(value), abs(other)):
        return
    unit = settings.fund.unit
    errors.add(
        Text(f"{name} does not agree with {formula}", f"{name} 与 {formula} 不一致"),
        settings.where(f"balance_sheet.{name}"),
        f"{value / unit:,.10g}",
        f"{other / unit:,.10g}",
        Text("give one of the two, or mend them", "只填其一，或更正数据"),
    )
