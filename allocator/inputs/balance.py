"""The balance sheet in currency units, and whether its figures agree with each other and with the rows."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from pydantic import ConfigDict, create_model

from allocator.config.load import validate_options
from allocator.config.settings import BalanceSheetSettings, Number, Settings
from allocator.config.values import Money
from allocator.errors import InputError
from allocator.inputs.error_collector import ErrorCollector
from allocator.inputs.fund import BalanceSheet, Inputs
from allocator.inputs.relations import funded_rows
from allocator.jurisdiction import BalanceSheetKey, Jurisdiction
from allocator.types import Measure, Text

__all__ = ["AGREEMENT", "check_balance_sheet", "check_total", "sum_of_rows"]

AGREEMENT = 1e-6
"""Relative difference within which two statements of one figure agree."""
ROUNDING = 1e-9
"""Relative excess of the rows' sum over total assets put down to rounding."""
SMALLEST_SHARE = 0.01
"""Share of total assets below which the rows are a mandate only where the fund file says so: a unit may be wrong."""
HIGHEST_RATIO = 100.0
"""A solvency ratio above 10,000% is a percentage written as a multiple."""

_TOTALS = (
    BalanceSheetKey("total_assets", Text("total assets", "总资产")),
    BalanceSheetKey("limit_assets", Text("assets that limits are measured by", "比例计算基数")),
    BalanceSheetKey("admitted_assets", Text("admitted assets", "认可资产")),
    BalanceSheetKey("admitted_liabilities", Text("admitted liabilities", "认可负债"), minimum=0.0),
    BalanceSheetKey("actual_capital", Text("actual capital", "实际资本")),
)
_POSITIVE = ("total_assets", "limit_assets", "admitted_assets")


class _Sheet(BalanceSheetSettings):
    model_config = ConfigDict(frozen=True, extra="forbid")


def check_balance_sheet(
    settings: Settings, jurisdiction: Jurisdiction, errors: ErrorCollector
) -> tuple[Settings, BalanceSheet]:
    """Return the settings with the balance sheet as understood, and its figures in currency units.

    Actual capital is admitted assets less admitted liabilities; where only these are given it is their difference.

    Parameters
    ----------
    settings : Settings
        The fund file.
    jurisdiction : Jurisdiction
        Declares the further keys.
    errors : ErrorCollector
        Receives unknown keys and contradictions.
    """
    unit, keys = settings.fund.unit, (*_TOTALS, *jurisdiction.balance_sheet)
    fields: dict[str, Any] = {
        key.name: ((Money if key.measure is Measure.MONEY else Number) | None, None)
        for key in jurisdiction.balance_sheet
    }
    model = create_model("BalanceSheet", __base__=_Sheet, **fields)
    try:
        given = validate_options(
            model, settings.balance_sheet.model_dump(exclude_unset=True), settings, "balance_sheet"
        )
    except InputError as error:
        errors.extend(error.problems)
        return settings, BalanceSheet(further={key.name: None for key in jurisdiction.balance_sheet})
    read: dict[str, float | None] = given.model_dump()
    scales = {key.name: unit if key.measure is Measure.MONEY else 1.0 for key in keys}
    figures = {name: None if value is None else float(value) * scales[name] for name, value in read.items()}
    for key in keys:
        _report_range(settings, key, figures[key.name], errors)
    assets, liabilities = figures["admitted_assets"], figures["admitted_liabilities"]
    if assets is not None and liabilities is not None:
        difference = assets - liabilities
        if figures["actual_capital"] is None:
            figures["actual_capital"] = difference
        else:
            _agree(settings, "actual_capital", "admitted_assets − admitted_liabilities", figures, difference, errors)
    _report_parts(settings, jurisdiction, figures, errors)
    understood = settings.model_copy(update={"balance_sheet": BalanceSheetSettings.model_validate(read)})
    totals = {key.name: figures.pop(key.name) for key in _TOTALS}
    return understood, BalanceSheet(**totals, further=MappingProxyType(figures))


def check_total(settings: Settings, total_assets: float | None, funded: float, errors: ErrorCollector) -> None:
    """Report rows that sum to more than the company's total assets, or to next to nothing of them.

    Parameters
    ----------
    settings : Settings
        For places and the unit.
    total_assets : float or None
        Currency units.
    funded : float
        Sum of the current amounts of the rows that are no derivatives.
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


def _report_range(settings: Settings, key: BalanceSheetKey, value: float | None, errors: ErrorCollector) -> None:
    where = settings.where(f"balance_sheet.{key.name}")
    positive = key.name in _POSITIVE
    if value is None:
        return
    if key.measure is Measure.RATE:
        if abs(value) > HIGHEST_RATIO:
            errors.add(
                Text("the reported ratio is not a multiple", "填报的偿付能力充足率不是倍数"),
                where,
                f"{value:g}",
                hint=Text("write 1.85 or 185%", "请写 1.85 或 185%"),
            )
    elif (positive and value <= 0.0) or (key.minimum is not None and value < key.minimum):
        allowed = "> 0" if positive else f"≥ {key.minimum:g}"
        errors.add(Text("out of range", "超出允许范围"), where, f"{value / settings.fund.unit:g}", allowed)


def _report_parts(
    settings: Settings, jurisdiction: Jurisdiction, figures: dict[str, float | None], errors: ErrorCollector
) -> None:
    """Report what exceeds another figure that it is a part of, and what is not the sum of its parts."""
    labels = {key.name: key.label for key in (*_TOTALS, *jurisdiction.balance_sheet)}
    sums = {key.name: key.sum_of for key in jurisdiction.balance_sheet}
    for key in jurisdiction.balance_sheet:
        value, most = figures[key.name], figures.get(key.at_most)
        if value is not None and most is not None and value > most + AGREEMENT * abs(most):
            whole = labels[key.at_most]
            errors.add(
                Text(f"{key.label.en} exceeds {whole.en}", f"{key.label.zh}大于{whole.zh}"),
                settings.where(f"balance_sheet.{key.name}"),
                f"{value / settings.fund.unit:,.6g}",
                f"≤ {most / settings.fund.unit:,.6g}",
            )
    for name, parts in {**sums, "actual_capital": jurisdiction.actual_capital_parts}.items():
        values = [value for part in parts if (value := figures[part]) is not None]
        if parts and len(values) == len(parts):
            _agree(settings, name, " + ".join(parts), figures, sum(values), errors)


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
