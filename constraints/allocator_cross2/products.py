"""Non-base assets (R7 §4): which products there are, and their charge when exempt or opaque (R7 §25-32)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Mask, Text
from allocator_cross2.attributes import TABLE_ROWS
from allocator_cross2.charge_builder import ChargeBuilder, Need
from allocator_cross2.charges_equity import charge_domestic_property
from allocator_cross2.charges_overseas import PRODUCT_TYPES, charge_overseas_property
from allocator_cross2.lines import COUNTERPARTY_DEFAULT, EQUITY_PRICE, overseas_equity
from allocator_cross2.protection import protected_part

__all__ = ["PRODUCTS", "Product", "charge_exempt", "charge_opaque", "charge_reit", "charge_surface", "debt_type"]

Rows = NDArray[np.int64]

_EXEMPT_FIGURES = {
    "money_market": "exempt.product.money_market",
    "fixed_income": "exempt.product.fixed_income",
    "equity": "exempt.product.equity",
    "mixed": "exempt.product.mixed",
    "commodity_derivative": "exempt.product.mixed",
}


@dataclass(frozen=True, slots=True)
class Product:
    """A kind of non-base asset.

    Parameters
    ----------
    transparency : tuple of str
        What its ``transparency`` may say.
    debt : bool or None
        Whether the surface is a debt-type asset (R9 §19 (9)); None when ``product_type`` decides.
    opaque : str
        Figure charged when it cannot be looked through, if not by ``debt``.
    """

    transparency: tuple[str, ...]
    debt: bool | None
    opaque: str = ""

    @property
    def needs(self) -> tuple[Need, ...]:
        """Columns its charge asks for."""
        table = Need(
            "underlying", Text("rows of the underlying table, when look_through", "可穿透时：底层资产表中的行")
        )
        found = [Need("transparency"), table]
        if self.debt is None:
            found.append(Need("product_type", Text("fixed_income or equity", "fixed_income 或 equity")))
        if self.debt is not False:
            found.append(Need("rating", Text("unless opaque", "无法穿透时除外")))
        if "exempt" in self.transparency:
            found.append(Need("largest_underlying_share", Text("when exempt", "豁免穿透时")))
            column = "underlying_count" if self.debt else "product_type"
            found.append(Need(column, Text("when exempt", "豁免穿透时")))
        return tuple(found)


_SEEN = ("look_through", "opaque")
_EXEMPTABLE = ("look_through", "exempt", "opaque")
_EQUITY, _DEBT = "opaque.equity_type", "opaque.debt_type"

PRODUCTS: Mapping[str, Product] = MappingProxyType(
    {
        "abs_plan": Product(_EXEMPTABLE, True, _DEBT),
        "debt_plan": Product(_SEEN, True, _DEBT),
        "debt_to_equity_plan": Product(_SEEN, False, _EQUITY),
        "special_purpose_vehicle": Product(_SEEN, False, _EQUITY),
        "property_product": Product(_SEEN, False, _EQUITY),
        "trust_plan": Product(_SEEN, None),
        "am_product": Product(_EXEMPTABLE, False, _EQUITY),
        "wealth_product": Product(_EXEMPTABLE, False, _EQUITY),
        "pe_fund": Product(_SEEN, False, _EQUITY),
        "venture_fund": Product(_SEEN, False, _EQUITY),
        "equity_plan": Product(_SEEN, False, _EQUITY),
        "reit": Product(("base", *_SEEN), False, "opaque.reit"),
    }
)
"""Non-base kinds."""


def debt_type(scope: ChargeBuilder, kind: str, rows: Rows) -> tuple[Rows, Mask]:
    """Return the rows whose surface type is known, and whether it is a debt-type asset (R9 §19 (9))."""
    product = PRODUCTS[kind]
    if product.debt is not None:
        return rows, np.full(len(rows), product.debt)
    rows = scope.attributes.require_choice(rows, "product_type", ("fixed_income", "equity"))
    return rows, scope.attributes.text("product_type").equals("fixed_income")[rows]


def charge_opaque(scope: ChargeBuilder, kind: str, rows: Rows) -> None:
    """R7 §31-32: 0.6 of equity price risk or of default risk, by the list of products; REITs 0.5 since 2023-09-10."""
    rows, debt = debt_type(scope, kind, rows)
    figure = PRODUCTS[kind].opaque or _EQUITY
    scope.charge(rows[~debt], EQUITY_PRICE, figure)
    scope.charge(rows[debt], COUNTERPARTY_DEFAULT, _DEBT)


def charge_surface(scope: ChargeBuilder, kind: str, rows: Rows) -> None:
    """R7 §21-23: default risk of a debt-type surface asset, K = −0.2 for debt investment plans."""
    k1 = scope.pack.value("look_through.surface.k.debt_plan") if kind == "debt_plan" else 0.0
    scope.charge_by_rating(rows, COUNTERPARTY_DEFAULT, "look_through.surface", k1=k1, position=False)


def charge_reit(scope: ChargeBuilder, rows: Rows) -> None:
    """A property REIT in public form is a base asset (R7 §3 (5)): property price risk, overseas R8 §51."""
    home, abroad = scope.split_market(rows)
    charge_domestic_property(scope, home)
    charge_overseas_property(scope, abroad)


def charge_exempt(scope: ChargeBuilder, kind: str, rows: Rows) -> None:
    """R7 §25-28: the conditions of the exemption, then one factor for the product."""
    a, pack = scope.attributes, scope.pack
    rows = a.require_number(rows, "largest_underlying_share")
    largest = a.number("largest_underlying_share")
    rows = _keep(scope, rows, largest[rows] <= pack.value("exempt.largest_share"), "largest_underlying_share", "≤ 20%")
    if PRODUCTS[kind].debt:
        rows = a.require_number(rows, "underlying_count")
        count = a.number("underlying_count")
        rows = _keep(scope, rows, count[rows] > pack.value("exempt.abs_plan.count"), "underlying_count", "> 100")
        _exempt_plan(scope, rows)
        return
    home, abroad = scope.split_market(rows)
    for market, chosen in scope.by_overseas_market(abroad):  # mainly overseas: R8 §48
        k1 = pack.value(f"overseas.k1.{market}")
        scope.charge(chosen, overseas_equity(market), "overseas.exempt_product", k1=k1)
    home = a.require_choice(home, "product_type", PRODUCT_TYPES)
    for product_type, figure in _EXEMPT_FIGURES.items():
        scope.charge(home[a.text("product_type").equals(product_type)[home]], EQUITY_PRICE, figure)


def _exempt_plan(scope: ChargeBuilder, rows: Rows) -> None:
    """R7 §28 by rating; R9 §8 for credit protection, whose CRM is 1 under default risk."""
    a, figure = scope.attributes, "exempt.abs_plan"
    rows, rank = a.ratings(rows)
    factors = np.array(list(scope.pack.table(figure).values()))
    split = protected_part(a, rows, rank, np.full(len(rows), scope.pack.value("protection.default")))
    own, better = factors[np.minimum(rank, TABLE_ROWS)], factors[np.minimum(split.rank, TABLE_ROWS)]
    scope.lines.add(rows, COUNTERPARTY_DEFAULT, figure, own, share=split.before)
    covered = rows[split.place]
    scope.lines.add(covered, COUNTERPARTY_DEFAULT, figure, better, share=split.after, position=False)


def _keep(scope: ChargeBuilder, rows: Rows, met: Mask, column: str, allowed: str) -> Rows:
    if not met.all():
        what = Text("this product does not meet the conditions of the exemption", "该产品不符合豁免穿透条件")
        hint = Text("look it through or mark it opaque (R7 §25)", "请穿透计量或标记为无法穿透（规则第7号第二十五条）")
        scope.attributes.report(rows[~met], column, what, scope.attributes.number(column), hint, allowed)
    return rows[met]
