"""The stress tests that rule 10 asks of a life company, as scenarios of the shocks that plugins offer.

They are laid on the balance sheet of the valuation date, as an instant move. R10 §14 and §23 lay the annual ones on
a base projected to the next year-end, R10 §9 the quarterly ones on the next quarter-end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from allocator.plugin import Number, Problems, Section, Text
from allocator.plugin.stress import Scenario, Shocked, ShockSpec, StressSpec
from allocator.plugin.tables import Inputs, flags
from allocator_cross2.exposed import exposed_parts, fund_charges, fund_options
from allocator_cross2.pack import RulePack
from allocator_cross2.tax import tax_shock

__all__ = ["RULE_10", "STRESSES", "Falls"]

_INSTANT = Text(
    "laid on the balance sheet of the valuation date, not on a projected one; before what policyholders share, and "
    "before tax unless capital.tax_rate states one",
    "作用于评估日资产负债表，未作预测；未计保单持有人分担，未填所得税率时为税前",
)


class Falls(Section):
    """``rule_10``: what annex 4 lets fall. ``equity``: change of whatever bears equity price risk, a share;
    ``default``: loss of admitted value of whatever bears credit risk; ``marked``: of rows that in_default marks alone.
    """

    equity: Annotated[Number, Field(ge=-1, le=1)] = 0.0
    default: Annotated[Number, Field(ge=0, le=1)] = 0.0
    marked: bool = False


def fall(shocked: Shocked, options: Falls, problems: Problems) -> Shocked:
    """Take falls of value off every row by the part that is charged for the risk, looked through.

    A row with a part e of equity price risk and c of credit risk is left with 1 + equity · e − default · c. A
    derivative loses of its claim on the counterparty alone; index futures move with their notional.
    """
    inputs = shocked.inputs
    settings, pack = fund_options(inputs), _pack(inputs)
    if settings is None or pack is None:
        where = inputs.settings.where("stress.scenarios")
        problems.add(Text("this shock needs the regime cross2", "该冲击需要 cross2 监管制度"), where, "rule_10")
        return shocked
    charges = fund_charges(inputs, pack, settings, problems)
    if charges is None:
        return shocked
    parts = exposed_parts(charges)
    lost = np.full(shocked.size, options.default)
    if options.marked:
        lost = np.where(flags(inputs.assets, "in_default"), lost, 0.0)
    moved = shocked.valued(1.0 + options.equity * parts.equity - lost * parts.credit).earning(-lost * parts.claim)
    if inputs.table("underlying") is None:
        return moved
    return moved.noting(
        Text(
            "products lose by what lies under them; how they are composed is left as it was",
            "产品按其底层资产计损失，底层资产构成比例保持不变",
        )
    )


RULE_10 = ShockSpec("rule_10", Text("Falls of annex 4 to rule 10", "规则第10号附件4资产跌价与违约"), Falls, fall)
"""What the hook ``allocator_shocks`` returns."""


def _pack(inputs: Inputs) -> RulePack | None:
    """Return the rules in force, with the user's overrides; None for a fund under another regime."""
    options = fund_options(inputs)
    return None if options is None else RulePack.at(inputs.as_of, options.overrides, options.readings)


def _equity(pack: RulePack, key: str) -> Mapping[str, Any]:
    return {"rule_10": {"equity": pack.value(key)}}


def _default(pack: RulePack, key: str) -> Mapping[str, Any]:
    return {"default": pack.value(key), "marked": pack.reading("default_loss_of_marked_rows")}


def _macro(pack: RulePack) -> Mapping[str, Any]:
    falls = {"equity": pack.value("stress.annual.equity"), **_default(pack, "stress.annual.default_loss")}
    return {"curve": {"all": pack.value("stress.annual.curve")}, "rule_10": falls}


def _rate_overrides(pack: RulePack) -> Mapping[str, Any]:
    """Return each adverse parameter times the scenario's multiple, as overrides of the rule's figure."""
    points = pack.points("rate.stress")
    multiple = pack.value("stress.annual.rate_multiple")
    return {
        "overrides": {
            f"rate.stress.rows.{row}.{place}": float(points[side][row - 1]) * multiple
            for row in range(1, len(points["tenor"]) + 1)
            for place, side in ((2, "up"), (3, "down"))
        }
    }


def _insurance_gap(pack: RulePack) -> Text:
    """Say what the insurance scenario moves and that the company's own models must give its effect."""
    figures = {
        name: pack.value(f"stress.annual.{name}")
        for name in ("premium_up", "premium_down", "mortality", "lapse", "morbidity", "expenses")
    }
    return Text(
        f"new business premium at {figures['premium_up']:.0%} or {figures['premium_down']:.0%}, mortality "
        f"{figures['mortality']:+.0%}, lapse {figures['lapse']:+.0%}, morbidity {figures['morbidity']:+.0%}, expenses "
        f"{figures['expenses']:+.0%}: not computed, because cash flows by policy are needed; state your actuaries' "
        "result in the fund file, as a scenario of this name: {own_funds: …, capital: {life_insurance_risk: …}}",
        f"新业务保费 {figures['premium_up']:.0%} 或 {figures['premium_down']:.0%}、死亡率 {figures['mortality']:+.0%}、"
        f"退保率 {figures['lapse']:+.0%}、疾病发生率 {figures['morbidity']:+.0%}、费用 {figures['expenses']:+.0%}："
        "需保单级现金流，未计算；请将精算结果写入组合文件的同名情景："
        "{own_funds: …, capital: {life_insurance_risk: …}}",
    )


def _spec(
    name: str,
    label: Text,
    figure: str,
    shocks: Callable[[RulePack], Mapping[str, Any]] = lambda pack: {},
    capital: Callable[[RulePack], Mapping[str, Any]] = lambda pack: {},
    missing: Callable[[RulePack], Text] | None = None,
    notes: tuple[Text, ...] = (_INSTANT,),
) -> StressSpec:
    def scenario(inputs: Inputs) -> Scenario | None:
        pack = _pack(inputs)
        if pack is None:
            return None
        gap = None if missing is None else missing(pack)
        moved = shocks(pack)
        moved = {**moved, **tax_shock(inputs)} if moved else moved
        return Scenario(name, label, pack.source(figure), moved, capital(pack), notes, gap)

    return StressSpec(name, label, scenario)


STRESSES = (
    _spec(
        "annual_insurance",
        Text("Annual scenario 1: insurance risk", "年度必测情景一：保险风险"),
        "stress.annual.lapse",
        missing=_insurance_gap,
        notes=(),
    ),
    _spec(
        "annual_macro",
        Text("Annual scenario 2: macroeconomic", "年度必测情景二：宏观经济"),
        "stress.annual.curve",
        _macro,
    ),
    _spec(
        "annual_rate",
        Text("Annual scenario 3: harsher rate stresses", "年度必测情景三：利率风险参数上浮"),
        "stress.annual.rate_multiple",
        capital=_rate_overrides,
    ),
    _spec(
        "sensitivity_liability_curve",
        Text("Sensitivity: the 750-day curve falls", "敏感性：750日移动平均曲线下行"),
        "stress.sensitivity.liability_curve",
        lambda pack: {"liability_curve": {"all": pack.value("stress.sensitivity.liability_curve")}},
    ),
    _spec(
        "sensitivity_equity",
        Text("Sensitivity: equity-type assets fall", "敏感性：权益类资产下跌"),
        "stress.sensitivity.equity",
        lambda pack: _equity(pack, "stress.sensitivity.equity"),
    ),
    _spec(
        "quarterly_default",
        Text("Quarterly scenario: default loss on whatever bears credit risk", "季度必测情景：信用风险资产违约损失"),
        "stress.quarterly.default_loss",
        lambda pack: {"rule_10": _default(pack, "stress.quarterly.default_loss")},
    ),
    _spec(
        "quarterly_equity",
        Text("Quarterly scenario: equity-type assets fall", "季度必测情景：权益类资产下跌"),
        "stress.quarterly.equity",
        lambda pack: _equity(pack, "stress.quarterly.equity"),
    ),
)
"""What the hook ``allocator_stresses`` returns."""
