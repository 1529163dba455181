"""From the kind and attributes of each row to its charges; what is not a base asset is left for look-through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Mask, Text, did_you_mean
from allocator_cross2.charge_builder import ChargeBuilder, KindRule, Need
from allocator_cross2.charges_credit import CREDIT_RULES
from allocator_cross2.charges_derivatives import DERIVATIVE_RULES
from allocator_cross2.charges_equity import EQUITY_RULES
from allocator_cross2.charges_overseas import OVERSEAS_RULES
from allocator_cross2.charges_receivables import RECEIVABLE_RULES
from allocator_cross2.lines import EQUITY_PRICE
from allocator_cross2.products import PRODUCTS, charge_exempt, charge_opaque, charge_reit
from allocator_cross2.protection import refuse_protection

__all__ = ["BASE_RULES", "USER_FACTOR", "Remaining", "classify", "required_columns"]

Rows = NDArray[np.int64]

USER_FACTOR = "capital.factors."
"""Prefix of the figure of a factor the user gave."""

BASE_RULES: Mapping[str, KindRule] = MappingProxyType(
    {**CREDIT_RULES, **RECEIVABLE_RULES, **EQUITY_RULES, **OVERSEAS_RULES, **DERIVATIVE_RULES}
)
"""How each kind of base asset is charged."""

_NEEDS_FACTOR = Need("capital.factors", Text("the rules give no factor", "规则未规定因子"))


@dataclass(frozen=True, slots=True)
class Remaining:
    """Products of one kind to be looked through.

    Parameters
    ----------
    kind : str
        The kind of the product.
    rows : ndarray of int
        Its rows.
    """

    kind: str
    rows: Rows


def required_columns(kind: str) -> tuple[Need, ...]:
    """Return the columns beside amount that the charge of a kind asks for, and when.

    Parameters
    ----------
    kind : str
        Any value of the ``kind`` column.

    Returns
    -------
    tuple of Need
        Empty when nothing is needed; a kind the rules do not know needs a factor from the user.
    """
    if kind in PRODUCTS:
        return PRODUCTS[kind].needs
    if kind in BASE_RULES:
        return BASE_RULES[kind].needs
    return (_NEEDS_FACTOR,)


def classify(scope: ChargeBuilder, factors: Mapping[str, float], among: Mask | None = None) -> tuple[Remaining, ...]:
    """Charge every row of a table that can be charged without looking through it.

    Parameters
    ----------
    scope : Scope
        The table; its lines receive the charges, its problems what is missing.
    factors : mapping of str to float
        Factors the user gives for kinds the rules do not know.
    among : ndarray of bool or None
        Rows to charge; None for all.

    Returns
    -------
    tuple of Remaining
        The products to be looked through, by kind.
    """
    a = scope.attributes
    rows = np.arange(len(a)) if among is None else np.flatnonzero(among)
    a.require(rows, a.kinds.codes[rows] >= 0, "kind", Text("a row needs a kind", "每行须填写资产类别"))
    remaining: list[Remaining] = []
    for kind, rows in _by_kind(scope, among):
        scope.lines.of_kind(kind)
        if kind in PRODUCTS:
            seen = _product(scope, kind, rows)
            if len(seen):
                remaining.append(Remaining(kind, seen))
        elif kind in BASE_RULES:
            _base(scope, kind, rows)
        elif kind in factors:
            scope.lines.add(rows, EQUITY_PRICE, USER_FACTOR + kind, factors[kind])
            scope.charge_currency(rows)
        else:
            _no_rule(scope, kind, rows)
    return tuple(remaining)


def _by_kind(scope: ChargeBuilder, among: Mask | None) -> Iterator[tuple[str, Rows]]:
    kinds = scope.attributes.kinds
    order = np.argsort(kinds.codes, kind="stable")
    if among is not None:
        order = order[among[order]]
    ends = np.searchsorted(kinds.codes[order], np.arange(len(kinds.labels) + 1))
    for code, kind in enumerate(kinds.labels):
        rows = order[ends[code] : ends[code + 1]]
        if len(rows):
            yield kind, rows


def _base(scope: ChargeBuilder, kind: str, rows: Rows) -> None:
    if not scope.direct and kind in DERIVATIVE_RULES:
        what = Text("a derivative inside a product cannot be charged by its share", "产品底层的衍生品无法按份额计量")
        hint = Text("leave its share out: the rest is charged as opaque", "请勿列示其份额，未列示部分按无法穿透计量")
        scope.attributes.report(rows, "kind", what, kind, hint)
        return
    rule = BASE_RULES[kind]
    if all(need.column != "protection_rating" for need in rule.needs):
        refuse_protection(scope.attributes, rows)
    rule.charge(scope, rows)
    if rule.currency:
        scope.charge_currency(rows)


def _product(scope: ChargeBuilder, kind: str, rows: Rows) -> Rows:
    """Charge exempt and opaque products and public REITs as such; return the rows to be looked through."""
    a = scope.attributes
    rows = a.require_choice(rows, "transparency", PRODUCTS[kind].transparency)
    state = a.text("transparency")
    covered = state.equals("exempt")[rows] & (PRODUCTS[kind].debt is True)
    refuse_protection(a, rows[~covered])
    base, exempt, opaque = (rows[state.equals(name)[rows]] for name in ("base", "exempt", "opaque"))
    charge_reit(scope, base)
    if len(exempt):
        charge_exempt(scope, kind, exempt)
    charge_opaque(scope, kind, opaque)
    scope.charge_currency(np.concatenate([base, exempt, opaque]))
    return rows[state.equals("look_through")[rows]]


def _no_rule(scope: ChargeBuilder, kind: str, rows: Rows) -> None:
    what = Text("the rules give no factor for this kind", "规则未规定该类资产的因子")
    hint = did_you_mean(kind, (*BASE_RULES, *PRODUCTS)) or Text(
        f"give one under capital.factors, e.g. {{{kind}: 0.45}}; it is marked as not the rule",
        f"请在 capital.factors 中给出，例如 {{{kind}: 0.45}}；输出中将标明其非监管规则",
    )
    scope.attributes.report(rows, "kind", what, kind, hint)
