"""Which part of each row the scenarios of rule 10 reach: what bears equity price risk, what bears credit risk.

A row is reached by what it is charged for, directly and through what lies under it (annex 4 of 52号):

    equity  Σ share of the lines of equity price risk (R8 §24-37), money-market funds left out
    credit  Σ share of the lines of spread and default risk with a factor above zero (R9)

Overseas assets are charged under chapter 5 of R8 and so are in neither, unless they bear credit risk (R9 §21).
A debt-type product whose surface bears default risk of its own (R7 §21) is reached wholly, and once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import InputError, Problems, Vector
from allocator.plugin.cash_flows import modified_durations
from allocator.plugin.tables import Inputs
from allocator_cross2.accrued import accrued_parts
from allocator_cross2.build import ChargeContext, build_charges
from allocator_cross2.charges import Charges
from allocator_cross2.classify import USER_FACTOR
from allocator_cross2.lines import COUNTERPARTY_DEFAULT, EQUITY_HEDGE, EQUITY_PRICE, SPREAD, Basis
from allocator_cross2.lots import with_holding_years
from allocator_cross2.options import ChargeOptions
from allocator_cross2.pack import RulePack
from allocator_cross2.rate import DIRECT_SCOPE

__all__ = ["Exposed", "exposed_parts", "fund_charges", "fund_options"]

INTEREST_LADDER = DIRECT_SCOPE - {
    "deposit",
    "structured_deposit",
    "loan",
    "policy_loan",
    "government_bond",
    "local_government_bond",
    "central_bank_bill",
    "rate_swap",
    "bond_future",
}
"""Kinds under spread risk, whose interest has a ladder of its own (R9 §35)."""


@dataclass(frozen=True, eq=False)
class Exposed:
    """What of each row the scenarios reach, per CNY of its amount (n,).

    Parameters
    ----------
    equity : ndarray (n,)
        Part that is charged for equity price risk.
    credit : ndarray (n,)
        Part that bears capital for credit risk.
    claim : ndarray (n,)
        Book claim of a derivative on a counterparty that owes on balance (R9 §33), per CNY of notional.
    """

    equity: Vector
    credit: Vector
    claim: Vector


def fund_options(inputs: Inputs) -> ChargeOptions | None:
    """Return what the fund file changes about the charges; None for a fund under another regime."""
    capital = inputs.settings.capital
    if capital is None or capital.regime != "cross2":
        return None
    given: Mapping[str, Any] = capital.options
    return ChargeOptions.model_validate({key: given[key] for key in ChargeOptions.model_fields if key in given})


def fund_charges(inputs: Inputs, pack: RulePack, options: ChargeOptions, problems: Problems) -> Charges | None:
    """Return the charges of the rows, with durations computed where the terms allow it; None with a problem."""
    inputs = with_holding_years(inputs, pack, problems)
    below = inputs.table("underlying")
    places = {"assets": inputs.sources["underlying"]} if "underlying" in inputs.sources else {}
    inner = None if below is None else replace(inputs, tables={"assets": below}, sources=places)
    included = options.amount_includes_accrued
    accrued = (_accrued(inputs, included), None if inner is None else _accrued(inner, included))
    context = ChargeContext.of(inputs, _durations(inputs), None if inner is None else _durations(inner), accrued)
    try:
        return build_charges(inputs.assets, pack, options, context)
    except InputError as error:
        problems.extend(error.problems)
        return None


def _durations(inputs: Inputs) -> Vector:
    """Return modified durations of bonds by their terms, NaN where these do not suffice: charges name the rows."""
    return modified_durations(inputs, inputs.assets["kind"].isin(DIRECT_SCOPE).to_numpy(), Problems())


def _accrued(inputs: Inputs, included: bool) -> Vector:
    """Return the interest accrued on spread-risk bonds per CNY (n,): computed where their terms allow it."""
    return accrued_parts(inputs, inputs.assets["kind"].isin(INTEREST_LADDER).to_numpy(), included)


def exposed_parts(charges: Charges) -> Exposed:
    """Return the parts of each row that the scenarios of annex 4 reach.

    Parameters
    ----------
    charges : Charges
        Every charge of every row.

    Source: annex 4 of 银保监发〔2021〕52号.
    """
    lines, size = charges.lines, len(charges.current)
    module = np.array(charges.modules + ("",))[lines.module]
    figure = np.array(charges.figures + ("",))[lines.figure]
    left_out = np.isin(figure, charges.pack.names("stress.equity_left_out")) | np.char.startswith(figure, USER_FACTOR)
    equity = np.isin(module, (EQUITY_PRICE, EQUITY_HEDGE)) & lines.position & ~left_out
    # A guarantee has no admitted value to lose.
    bearing = np.isin(module, (SPREAD, COUNTERPARTY_DEFAULT)) & (lines.rf0 > 0.0) & (figure != "default.guarantee")
    bearing &= lines.basis != Basis.CLAIM
    # A line of no position of its own is a surface or the protected part of the row: the row is reached wholly.
    wholly = bearing & ~lines.position & (lines.underlying < 0)
    credit = _by_row(lines.row, lines.share, bearing & (lines.position | (lines.underlying >= 0)), size)
    credit = np.maximum(credit, _by_row(lines.row, np.ones(len(lines)), wholly, size).clip(max=1.0))
    owed = charges.ratios.owed(charges.current)
    return Exposed(_by_row(lines.row, lines.share, equity, size), credit, np.where(owed, charges.ratios.claim, 0.0))


def _by_row(row: NDArray[np.int32], value: Vector, chosen: NDArray[np.bool_], size: int) -> Vector:
    return np.bincount(row[chosen], value[chosen], size).astype(float)
