"""What a regime was computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from allocator.plugin.tables import Inputs
from allocator_cross2.capital_options import CapitalOptions
from allocator_cross2.charges import Charges
from allocator_cross2.pack import RulePack
from allocator_cross2.rate import RateRisk
from allocator_cross2.tree import GivenCapital

__all__ = ["Basis"]


@dataclass(frozen=True, eq=False)
class Basis:
    """Everything about a fund's capital that does not depend on its holdings.

    Parameters
    ----------
    inputs : Inputs
        The fund.
    options : CapitalOptions
        Its ``capital`` section.
    pack : RulePack
        The rules in force.
    charges : Charges
        Charges of the rows.
    rate : RateRisk
        Interest rate risk of the rows and the liabilities.
    given : GivenCapital
        What the company gives, CNY.
    core : float or None
        Core capital within the tier limits, CNY; None where it is not given.
    comprehensive : float
        Actual capital within the tier limits, CNY.
    excess : mapping of str to float
        What each tier limit cuts off, by its figure, CNY.
    """

    inputs: Inputs
    options: CapitalOptions
    pack: RulePack
    charges: Charges
    rate: RateRisk
    given: GivenCapital
    core: float | None
    comprehensive: float
    excess: Mapping[str, float]
