"""Spread risk (R9 §11-17) and counterparty default risk (R9 §18-39) of base assets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Text, Vector
from allocator.plugin.tables import SCALE
from allocator_cross2.attributes import TABLE_ROWS
from allocator_cross2.charge_builder import ChargeBuilder, KindRule, Need
from allocator_cross2.charges_equity import charge_convertible
from allocator_cross2.lines import COUNTERPARTY_DEFAULT, SPREAD, Basis
from allocator_cross2.protection import protected_part, refuse_protection

__all__ = ["CREDIT_RULES"]

Rows = NDArray[np.int64]

_LADDERS = {"large_state": "large", "policy": "large", "joint_stock": "joint_stock", "city": "city", "rural": "rural"}
_BANK_TYPES = ("large_state", "policy", "joint_stock", "city", "rural", "foreign", "other", "finance_company")


def _government(scope: ChargeBuilder, rows: Rows) -> None:
    """R9 §10: government bonds and central bank bills carry no credit risk charge."""
    rows = scope.attributes.alive(scope.domestic(rows, "overseas_bond"))
    scope.charge(rows, SPREAD, "spread.government", basis=Basis.MARKET)


def _fixed_figure(figure: str) -> Callable[[ChargeBuilder, Rows], None]:
    """R9 §13-14: RF0 is one function of D for policy banks, one for government-supported agencies."""

    def charge(scope: ChargeBuilder, rows: Rows) -> None:
        a = scope.attributes
        rows, duration = a.durations(a.alive(scope.domestic(rows, "overseas_bond")))
        factor = scope.pack.piecewise(figure).at(duration)
        interest = "default.interest_receivable.policy"
        left = scope.charge_interest(rows, scope.pack.value(interest), interest)
        columns = {"k1": _green(scope, rows), "share": left, "duration": duration}
        scope.lines.add(rows, SPREAD, figure, factor, basis=Basis.MARKET, **columns)

    return charge


def _standardised(scope: ChargeBuilder, rows: Rows) -> None:
    """R9 §15: RF0 by rating and modified duration; §16: k1 of green bonds; §8: credit protection; §35: interest."""
    a = scope.attributes
    rows = _without_equity_terms(scope, a.alive(scope.domestic(rows, "overseas_bond")))
    dated, _ = a.durations(rows)
    rated, rank = a.ratings(rows)
    # Both must be known; each lack has been reported on its own.
    known = np.isin(rated, dated)
    rank = rank[known]
    rows, duration = a.durations(rated[known])
    k1, figure = _green(scope, rows), "spread.standardised"
    mitigation = np.array(list(scope.pack.table("protection.spread").values()))[np.minimum(rank, TABLE_ROWS)]
    split = protected_part(a, rows, rank, mitigation)
    own, better = _by_rank(scope, rank, duration), _by_rank(scope, split.rank, duration[split.place])
    market, interest = Basis.MARKET, "default.interest_receivable"
    ladder = np.array(list(scope.pack.table(interest).values()))
    left = scope.charge_interest(rows, ladder[np.minimum(rank, TABLE_ROWS)], interest)
    read = {"duration": duration, "rank": np.minimum(rank, TABLE_ROWS)}
    scope.lines.add(rows, SPREAD, figure, own, k1=k1, share=split.before * left, basis=market, **read)
    covered, k1, after = rows[split.place], k1[split.place], split.after * left[split.place]
    read = {"duration": duration[split.place], "rank": np.minimum(split.rank, TABLE_ROWS)}
    scope.lines.add(covered, SPREAD, figure, better, k1=k1, share=after, basis=market, position=False, **read)


def _without_equity_terms(scope: ChargeBuilder, rows: Rows) -> Rows:
    """Charge the bonds that give a right to shares as convertibles; return the others."""
    equity = scope.attributes.text("equity_terms").codes[rows] >= 0
    refuse_protection(scope.attributes, rows[equity])
    charge_convertible(scope, rows[equity])
    return rows[~equity]


def _by_rank(scope: ChargeBuilder, rank: Rows, duration: Vector) -> Vector:
    """RF0 of standardised debt (R9 §15)."""
    factor = np.empty(len(rank))
    row_of_table = np.minimum(rank, TABLE_ROWS)
    for number, curve in enumerate(scope.pack.piecewise_table("spread.standardised").values()):
        mask = row_of_table == number
        factor[mask] = curve.at(duration[mask])
    return factor


def _green(scope: ChargeBuilder, rows: Rows) -> Vector:
    """k1 of green bonds that support carbon reduction (R9 §16); an empty cell is no green bond."""
    green = scope.attributes.number("green")[rows] == 1.0
    return np.where(green, scope.pack.value("spread.k1.green"), 0.0)


def _cash(scope: ChargeBuilder, rows: Rows) -> None:
    """R9 §20, at home and overseas."""
    scope.charge(rows, COUNTERPARTY_DEFAULT, "default.cash")


def _deposit(scope: ChargeBuilder, rows: Rows) -> None:
    """R9 §21, at home and overseas: by type of bank and capital adequacy ratio."""
    _by_bank(scope, scope.attributes.alive(rows), "default.deposit")


def _structured_deposit(scope: ChargeBuilder, rows: Rows) -> None:
    """R9 §21: a ladder of its own where the principal is guaranteed, one factor else."""
    a = scope.attributes
    rows = a.require_number(a.alive(rows), "principal_guaranteed")
    guaranteed = a.number("principal_guaranteed")[rows] == 1.0
    figure = "default.structured_deposit"
    scope.charge(rows[~guaranteed], COUNTERPARTY_DEFAULT, f"{figure}.not_guaranteed")
    _by_bank(scope, rows[guaranteed], figure)


def _by_bank(scope: ChargeBuilder, rows: Rows, figure: str) -> None:
    a = scope.attributes
    own = f"{figure}.finance_company"
    rows = a.require_choice(rows, "bank_type", _BANK_TYPES if own in scope.pack else _BANK_TYPES[:-1])
    bank = a.text("bank_type")
    finance_company = bank.equals("finance_company")[rows]
    scope.charge(rows[finance_company], COUNTERPARTY_DEFAULT, own)
    ladder = np.full(len(rows), "other", dtype=object)
    for name, key in _LADDERS.items():
        ladder[bank.equals(name)[rows]] = key
    foreign = rows[bank.equals("foreign")[rows]]
    rated, rank = a.ratings(foreign)
    strong = rated[rank <= SCALE.index("A")]
    ladder[np.isin(rows, strong)] = "city"
    unrated_foreign = np.isin(rows, np.setdiff1d(foreign, rated))
    needs_ratio = ~finance_company & ~unrated_foreign & (ladder != "large")
    a.require_number(rows[needs_ratio], "capital_adequacy")
    adequacy = a.number("capital_adequacy")[rows]
    charged = ~finance_company & ~unrated_foreign & (~needs_ratio | ~np.isnan(adequacy))
    for key in ("large", "joint_stock", "city", "rural", "other"):
        mask = charged & (ladder == key)
        scope.charge_by_ladder(rows[mask], COUNTERPARTY_DEFAULT, f"{figure}.{key}", adequacy[mask])


def _policy_loan(scope: ChargeBuilder, rows: Rows) -> None:
    """R9 §32."""
    scope.charge(rows, COUNTERPARTY_DEFAULT, "default.policy_loan")


def _loan(scope: ChargeBuilder, rows: Rows) -> None:
    """R9 §37, reached by look-through or lent directly: by the five-level classification."""
    a = scope.attributes
    factors = scope.pack.table("default.loan")
    rows = a.require_choice(rows, "loan_class", tuple(factors))
    for name, factor in factors.items():
        scope.lines.add(rows[a.text("loan_class").equals(name)[rows]], COUNTERPARTY_DEFAULT, "default.loan", factor)


_DURATION = Need("modified_duration", Text("or the terms it is computed from", "或据以计算的条款"))
_GREEN = Need("green", Text("empty means no", "为空表示否"))
_GOVERNMENT = KindRule(_government)
_PROTECTED = Text("with protected_share", "填写 protected_share 时")
_PROTECTION = (Need("protection_rating", _PROTECTED), Need("protection_book_value", _PROTECTED))
_EQUITY_TERMS = Need(
    "equity_terms", Text("empty means none; else charged as a convertible", "为空表示无；填写则按可转债计量")
)
_GUARANTEED = Text("where the principal is guaranteed", "保本时")
_STANDARDISED = KindRule(_standardised, (Need("rating"), _DURATION, _GREEN, _EQUITY_TERMS, *_PROTECTION))

CREDIT_RULES: Mapping[str, KindRule] = MappingProxyType(
    {
        "cash": KindRule(_cash),
        "reverse_repo": KindRule(_cash),
        "deposit": KindRule(
            _deposit,
            (
                Need("bank_type"),
                Need("capital_adequacy", Text("all but large state and policy banks", "国有大型银行、政策性银行除外")),
                Need("rating", Text("foreign banks", "外资银行")),
            ),
        ),
        "structured_deposit": KindRule(
            _structured_deposit,
            (
                Need("principal_guaranteed"),
                Need("bank_type", _GUARANTEED),
                Need("capital_adequacy", _GUARANTEED),
                Need("rating", Text("foreign banks", "外资银行")),
            ),
        ),
        "policy_loan": KindRule(_policy_loan),
        "loan": KindRule(_loan, (Need("loan_class"),)),
        "government_bond": _GOVERNMENT,
        "local_government_bond": _GOVERNMENT,
        "central_bank_bill": _GOVERNMENT,
        "policy_bank_bond": KindRule(_fixed_figure("spread.policy_bank"), (_DURATION, _GREEN)),
        "agency_bond": KindRule(_fixed_figure("spread.agency"), (_DURATION, _GREEN)),
        "financial_bond": _STANDARDISED,
        "interbank_certificate_of_deposit": _STANDARDISED,
        "corporate_bond": _STANDARDISED,
        "tech_innovation_bond": _STANDARDISED,
        "credit_abs": _STANDARDISED,
        "exchange_abs": _STANDARDISED,
        "abn": _STANDARDISED,
    }
)
"""Rules by kind."""
