"""The keys of ``capital:`` beside those of the charges: what the company gives and what it must hold."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from allocator.plugin import Money, Number, RequiredRatio, Section
from allocator.plugin.cash_flows import FloatingRule
from allocator_cross2.options import ChargeOptions

__all__ = ["CapitalOptions", "FreeCapital", "LifeInsuranceRisk", "Required", "Requirements"]

NotNegative = Annotated[Money, Field(ge=0)]


class LifeInsuranceRisk(Section):
    """Life insurance risk by its parts (R5 §24): ``loss_occurrence``, ``expense``, ``lapse``, in ``fund.unit``."""

    loss_occurrence: NotNegative
    expense: NotNegative
    lapse: NotNegative


class FreeCapital(Section):
    """``free_capital``: capital to keep above minimum capital, in ``fund.unit``."""

    free_capital: Money


Required = RequiredRatio | FreeCapital | Literal["no_worse"] | None
"""A ratio, an amount of free capital, ``no_worse`` than now, or null: reported only."""


class Requirements(Section):
    """``capital.require``: what the ``comprehensive`` and the ``core`` ratio must be; left out, the rules' own minimum.

    A ratio, ``{free_capital: AMOUNT}``, ``no_worse`` than now, or null: reported only.
    """

    comprehensive: Required = None
    core: Required = None


class CapitalOptions(ChargeOptions):
    """The ``capital`` section of a fund under C-ROSS II; money in ``fund.unit``.

    Parameters
    ----------
    life_insurance_risk : number or LifeInsuranceRisk
        Given, or by its parts.
    nonlife_insurance_risk : number
        Given; 0 if the company writes none.
    sarmra_score, control_risk : number
        The risk management score (0–100), or the factor Q itself: one of them.
    size_factor : ``auto`` or number
        ``auto``: by total assets (admitted assets where those are not given) and date.
    loss_absorption_cap : number
        LA_cap of participating and universal business; 0: nothing is absorbed.
    loss_absorption : number
        Loss absorption given instead of computed from the pool.
    additional_capital : number
        Additional capital (R2 §21).
    require : Requirements
        What to hold.
    currency_liabilities : dict
        Currency → liabilities in it (as CNY amounts), or account → amount.
    future_surplus : number
        Policy future surplus inside core capital, for its limit (R1 §41).
    without_liabilities : bool
        Says that there are no liability cash flows on purpose.
    floating_rate : FloatingRule
        How floating coupons enter the cash flows.
    guard_concentration : bool or ``choose``
        Whether an answer must stay below the concentration thresholds that the current book keeps; ``choose``: each
        is passed where that pays for its charge (needs a mixed-integer solver).
    """

    life_insurance_risk: NotNegative | LifeInsuranceRisk
    nonlife_insurance_risk: NotNegative = 0.0
    sarmra_score: Annotated[Number, Field(ge=0, le=100)] | None = None
    control_risk: Annotated[Number, Field(ge=-1, le=1)] | None = None
    size_factor: Literal["auto"] | Annotated[Number, Field(gt=0, le=1)] = "auto"
    loss_absorption_cap: NotNegative = 0.0
    loss_absorption: NotNegative | None = None
    additional_capital: NotNegative = 0.0
    require: Requirements | None = None
    currency_liabilities: dict[str, NotNegative | dict[str, NotNegative]] = {}
    future_surplus: NotNegative = 0.0
    without_liabilities: bool = False
    floating_rate: FloatingRule = FloatingRule.RESET
    guard_concentration: bool | Literal["choose"] = True
