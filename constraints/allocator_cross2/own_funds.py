"""Actual and core capital, and the limits on their tiers (R1 §41)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from allocator.plugin import Problems, Text
from allocator.plugin.tables import Inputs
from allocator_cross2.jurisdiction import TIERS
from allocator_cross2.pack import RulePack

__all__ = ["RecognisedCapital", "Tiers", "given_tiers", "recognised_capital"]


@dataclass(frozen=True, slots=True)
class Tiers:
    """Capital as given, CNY.

    Parameters
    ----------
    core_tier1, core_tier2, supplementary_tier1, supplementary_tier2 : float
        Before the limits.
    future_surplus : float
        Policy future surplus inside core_tier1 and core_tier2.
    """

    core_tier1: float
    core_tier2: float
    supplementary_tier1: float
    supplementary_tier2: float
    future_surplus: float = 0.0


@dataclass(frozen=True, slots=True)
class RecognisedCapital:
    """Capital within the limits, CNY.

    Parameters
    ----------
    core, comprehensive : float
        Core capital and actual capital.
    excess : mapping of str to float
        What each limit cuts off, by the figure that sets it; positive amounts only.
    """

    core: float
    comprehensive: float
    excess: Mapping[str, float]


def given_tiers(inputs: Inputs, future_surplus: float, problems: Problems) -> tuple[Tiers | None, float]:
    """Return the tiers of the balance sheet (None where it gives no core capital) and actual capital, CNY.

    Without the four lines, core capital counts as core tier 1 and the rest as supplementary tier 1.
    """
    sheet = inputs.balance_sheet
    core, actual = sheet.figure("core_capital"), sheet.actual_capital
    first, second, third, fourth = map(sheet.figure, TIERS)
    if core is None and first is not None:
        core = first + (second or 0.0)
    if actual is None and first is not None and third is not None:
        actual = first + (second or 0.0) + third + (fourth or 0.0)
    if actual is None:
        problems.add(
            Text("actual capital is not given", "缺少实际资本"),
            inputs.settings.where("balance_sheet.actual_capital"),
            hint=Text(
                "give actual_capital, or admitted_assets and admitted_liabilities",
                "请填写 actual_capital，或 admitted_assets 与 admitted_liabilities",
            ),
        )
        return None, 0.0
    if core is None:
        return None, actual
    second, fourth = second or 0.0, fourth or 0.0
    return Tiers(core - second, second, actual - core - fourth, fourth, future_surplus), actual


def recognised_capital(tiers: Tiers, pack: RulePack) -> RecognisedCapital:
    """Return capital within the limits: what exceeds one counts as a liability.

        core C = rest + min(surplus, l_s C⁺) + min(tier 2, l₂ C⁺)
        supplementary = min(tier 1 + min(tier 2, l C⁺), L C⁺)

    A share of core capital that is negative is a share of nothing: C⁺ = max(C, 0). The first line has one answer: the
    right side at C = 0 where that is below 0, else the smallest over which of its limits bind, as both slopes sum
    below 1.
    """
    surplus_limit, tier2_limit = pack.value("tier.future_surplus"), pack.value("tier.core_tier2")
    rest = tiers.core_tier1 - tiers.future_surplus
    core = rest + min(tiers.future_surplus, 0.0) + min(tiers.core_tier2, 0.0)
    if core > 0.0:
        core = min(
            (rest + (0.0 if first else tiers.future_surplus) + (0.0 if second else tiers.core_tier2))
            / (1.0 - (surplus_limit if first else 0.0) - (tier2_limit if second else 0.0))
            for first, second in product((False, True), repeat=2)
        )
    base = max(core, 0.0)
    second = min(tiers.supplementary_tier2, pack.value("tier.supplementary_tier2") * base)
    supplementary = min(tiers.supplementary_tier1 + second, pack.value("tier.supplementary") * base)
    cut = {
        "tier.future_surplus": tiers.future_surplus - surplus_limit * base,
        "tier.core_tier2": tiers.core_tier2 - tier2_limit * base,
        "tier.supplementary_tier2": tiers.supplementary_tier2 - second,
        "tier.supplementary": tiers.supplementary_tier1 + second - supplementary,
    }
    small = 1e-9 * abs(core)
    return RecognisedCapital(
        core, core + supplementary, {name: amount for name, amount in cut.items() if amount > small}
    )
