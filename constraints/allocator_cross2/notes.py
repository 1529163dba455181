"""What a reader of the capital figure must know: readings, assumptions, what-ifs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from allocator.plugin import Text
from allocator.plugin.capital import RegimeNote
from allocator.plugin.tables import flags

if TYPE_CHECKING:
    from allocator_cross2.basis import Basis

__all__ = ["regime_notes"]


def regime_notes(basis: Basis) -> tuple[RegimeNote, ...]:
    """Return the notes: what departs from the rules first, then assumptions, readings not taken by default."""
    told = (note for note in basis.charges.notes if note.rule)
    return (*_departures(basis), *_assumptions(basis), *told)


def _departures(basis: Basis) -> Iterator[RegimeNote]:
    options, pack = basis.options, basis.pack
    yield from (note for note in basis.charges.notes if not note.rule)
    if options.loss_absorption is not None:
        yield RegimeNote(
            Text("loss absorption is given, not computed", "损失吸收效应为给定值，未按规则计算"),
            pack.article("loss_absorption.largest_ratio"),
            rule=False,
        )
    if options.without_liabilities:
        yield RegimeNote(
            Text("interest rate risk counts the assets alone", "利率风险仅计资产，不含负债现金流"), "R8 §18", rule=False
        )


def _assumptions(basis: Basis) -> Iterator[RegimeNote]:
    options, given, pack = basis.options, basis.given, basis.pack
    sheet = basis.inputs.balance_sheet
    yield RegimeNote(
        Text(
            f"rules in force on {pack.valuation_date.isoformat()}; size factor {given.size_factor:g}, "
            f"control risk factor {given.control_factor:+.4f}",
            f"适用 {pack.valuation_date.isoformat()} 有效规则；规模系数 {given.size_factor:g}，"
            f"控制风险因子 {given.control_factor:+.4f}",
        ),
        "R2 §15, R12 §120",
    )
    if options.size_factor == "auto" and sheet.total_assets is None and sheet.admitted_assets is not None:
        yield RegimeNote(
            Text("the size factor takes admitted assets for total assets", "规模系数以认可资产代替总资产"),
            pack.article("size_factor.life"),
        )
    for figure, amount in basis.excess.items():
        shown = amount / basis.inputs.unit
        yield RegimeNote(
            Text(
                f"{pack.label(figure).en}: {shown:,.2f} is cut off",
                f"{pack.label(figure).zh}：超限 {shown:,.2f} 不计入",
            ),
            pack.article(figure),
        )
    if options.loss_absorption is None and given.absorption_cap == 0.0 and _has_pool(basis):
        yield RegimeNote(
            Text("no cap of loss absorption is given: nothing is absorbed", "未提供损失吸收效应上限：不计损失吸收效应"),
            pack.article("loss_absorption.largest_ratio"),
        )
    if flags(basis.inputs.assets, "floating")[basis.rate.scope].any():
        told = {
            "reset": Text("floating coupons: par at the next coupon date", "浮动利率：下一付息日按面值"),
            "contract": Text("floating coupons: the present coupon until maturity", "浮动利率：按当前票息至到期"),
        }
        yield RegimeNote(told[options.floating_rate.value], "R8 §18")


def _has_pool(basis: Basis) -> bool:
    return bool(basis.inputs.assets["account"].isin(("participating", "universal")).any())
