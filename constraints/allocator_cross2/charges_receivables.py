"""Counterparty default risk of claims that are no investments, and what R9 and R8 charge beside them.

Structured deposits (R9 §21), interbank lending and payment accounts (§20), premiums, other and reinsurance
receivables (§22-25, §34, §36), guarantees (§38); loans to property project companies are real estate risk (R8 §42).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Text
from allocator_cross2.charge_builder import ChargeBuilder, KindRule, Need
from allocator_cross2.charges_equity import property_by_city
from allocator_cross2.lines import COUNTERPARTY_DEFAULT, Basis

__all__ = ["RECEIVABLE_RULES"]

Rows = NDArray[np.int64]


def _plain(figure: str, basis: Basis = Basis.BOOK) -> Callable[[ChargeBuilder, Rows], None]:
    """R9 §20, §38: one factor."""

    def charge(scope: ChargeBuilder, rows: Rows) -> None:
        scope.charge(rows, COUNTERPARTY_DEFAULT, figure, basis=basis)

    return charge


def _charge_by_age(scope: ChargeBuilder, rows: Rows, figure: str) -> None:
    """Charge receivables by the months since they arose: each step of the table includes its upper bound."""
    steps = scope.pack.table(figure)
    names = list(steps)
    bounds = [float(re.findall(r"\d+", name)[-1]) for name in names[:-1]]
    place = np.searchsorted(bounds, scope.attributes.number("age_months")[rows], side="left")
    factors = np.array([steps[name] for name in names])
    scope.lines.add(rows, COUNTERPARTY_DEFAULT, figure, factors[place])


def _other_receivable(scope: ChargeBuilder, rows: Rows) -> None:
    """R9 §36 (5)."""
    _charge_by_age(scope, scope.attributes.require_number(rows, "age_months"), "default.other_receivable")


def _premium_receivable(scope: ChargeBuilder, rows: Rows) -> None:
    """R9 §34; of business with government subsidies by a ladder of its own."""
    a = scope.attributes
    rows = a.require_number(rows, "age_months")
    subsidised = a.number("subsidised")[rows] == 1.0
    _charge_by_age(scope, rows[~subsidised], "default.premium_receivable")
    _charge_by_age(scope, rows[subsidised], "default.premium_receivable.subsidised")


def _reinsurance(scope: ChargeBuilder, rows: Rows) -> None:
    """R9 §22-25: EX = max(net claim, 0); at home by the reinsurer's comprehensive ratio, the last step where unknown.

    An overseas reinsurer takes the factor of one that misses its requirement or whose data are unknown.
    """
    a, pack = scope.attributes, scope.pack
    k = np.where(a.number("direct_insurer") == 1.0, pack.value("default.reinsurer.k2.direct_insurer"), 0.0)
    k = k + np.where(a.number("reinsurer_branch") == 1.0, pack.value("default.reinsurer.k3.branch"), 0.0)
    home, abroad = scope.split_market(rows)
    ladder, ratio = "default.reinsurer.domestic", np.nan_to_num(a.number("reinsurer_ratio"), nan=-np.inf)
    scope.lines.add(home, COUNTERPARTY_DEFAULT, ladder, pack.ladder(ladder).at(ratio[home]), k1=k[home])
    clear = np.where(a.number("transparency_measures") == 1.0, pack.value("default.reinsurer.k4.transparency"), 0.0)
    scope.charge(abroad, COUNTERPARTY_DEFAULT, "default.reinsurer.overseas_unmet", k1=k[abroad] + clear[abroad])


def _project_company_loan(scope: ChargeBuilder, rows: Rows) -> None:
    """R8 §42: loans to controlled property project companies are charged as the property, at their book value."""
    property_by_city(scope, rows, Basis.BOOK)


_AGE = Need("age_months", Text("months since the receivable arose", "应收款项账龄（月）"))

RECEIVABLE_RULES: Mapping[str, KindRule] = MappingProxyType(
    {
        "interbank_lending": KindRule(_plain("default.interbank_lending")),
        "third_party_payment": KindRule(_plain("default.third_party_payment")),
        "guarantee": KindRule(_plain("default.guarantee", Basis.MARKET)),
        "other_receivable": KindRule(_other_receivable, (_AGE,)),
        "premium_receivable": KindRule(
            _premium_receivable, (_AGE, Need("subsidised", Text("empty means no", "为空表示否")))
        ),
        "reinsurance_recoverable": KindRule(
            _reinsurance,
            (
                Need("reinsurer_ratio", Text("of a domestic reinsurer; empty: unknown", "境内分入人；为空表示未知")),
                Need("direct_insurer", Text("empty means no", "为空表示否")),
                Need("reinsurer_branch", Text("empty means no", "为空表示否")),
            ),
        ),
        "project_company_loan": KindRule(_project_company_loan, (Need("city_tier"),)),
    }
)
"""Rules by kind."""
