"""Charges of products that are looked through (R7): what lies under them, opaque rests, debt-type surfaces.

    charge of underlying i = EX_i × min(RF0 (1 + K + K_p), 1)
    K_p = 0.1 (n − 1) if the surface asset is debt, 0.1 n otherwise; n counts layers with the surface

EX_i is the share of the product's own exposure; the opaque rest of a product is charged 0.6 (0.5 of a REIT)
without K_p, as the rule says nothing else of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Mask, Text, Vector
from allocator_cross2.charge_builder import ChargeBuilder
from allocator_cross2.classify import Remaining, classify
from allocator_cross2.lines import CURRENCY, Basis, LineBuilder, Lines
from allocator_cross2.products import PRODUCTS, charge_opaque, charge_surface, debt_type
from allocator_cross2.structure import SHARE_TOLERANCE, Paths, Structure, own_layers

__all__ = ["LookThrough", "exempt_rate_risk", "look_through"]

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LookThrough:
    """What looking through gives.

    Parameters
    ----------
    lines : Lines
        Charges of the underlying assets, of opaque rests and of debt-type surfaces.
    rate_risk_share : ndarray (n,)
        Share of each row that repays principal and fixed interest through few enough layers to count for
        interest rate risk (金规〔2023〕5号 (5)); 0 before the notice.
    """

    lines: Lines
    rate_risk_share: Vector


def look_through(
    assets: ChargeBuilder, underlying: ChargeBuilder, products: Sequence[Remaining], factors: Mapping[str, float]
) -> LookThrough:
    """Charge the products that are looked through.

    Parameters
    ----------
    assets, underlying : Scope
        Both tables. The lines of ``underlying`` are filled on the way; those of ``assets`` are not touched.
    products : sequence of Remaining
        Asset rows to be looked through.
    factors : mapping of str to float
        Factors the user gives for kinds the rules do not know.

    Source: R7 §9-24, §33-34; 金规〔2023〕5号 (5).
    """
    rows, debt = _surfaces(assets, products)
    structure = Structure(assets.attributes, underlying.attributes, rows)
    _check_exempt(assets, structure)
    inner = classify(underlying, factors, structure.reachable)
    if not assets.pack.reading("leveraged_look_through"):
        structure.check_shares()
    if not structure.check():
        return LookThrough(_fresh(assets).lines.finish(), np.zeros(len(assets.attributes)))
    leaves, rests = structure.walk()
    seen = _underlying_lines(assets, underlying.lines.finish().sorted(), leaves, debt)
    surface = _surface_lines(assets, products, debt)
    surface_rests, inner_rests = rests.take(rests.end < 0), rests.take(rests.end >= 0)
    if_opaque = _opaque_lines(assets, products)
    parts = [
        seen,
        surface,
        _rest_lines(if_opaque, surface_rests, surface_rests.row),
        _rest_lines(_opaque_lines(underlying, inner), inner_rests, inner_rests.end),
    ]
    wholly = _wholly_opaque(assets, underlying, leaves, rests)
    parts = [part.take(~wholly[part.row]) for part in parts]
    parts.append(if_opaque.take(wholly[if_opaque.row]))
    return LookThrough(Lines.join(parts), _rate_risk_share(assets, underlying, leaves, wholly))


def _surfaces(scope: ChargeBuilder, products: Sequence[Remaining]) -> tuple[Rows, Mask]:
    """Return the rows to look through in order, and (n,) whether each row's surface is a debt-type asset."""
    debt = np.zeros(len(scope.attributes), dtype=bool)
    known = [np.zeros(0, dtype=np.int64)]
    for product in products:
        rows, is_debt = debt_type(scope, product.kind, product.rows)
        debt[rows] = is_debt
        known.append(rows)
    return np.sort(np.concatenate(known)), debt


def _fresh(scope: ChargeBuilder) -> ChargeBuilder:
    """Return the scope with a builder of its own for lines that are not the rows' plain charges."""
    old = scope.lines
    return replace(scope, lines=LineBuilder(old.modules, old.figures, old.kinds))


def _underlying_lines(assets: ChargeBuilder, charged: Lines, leaves: Paths, debt: Mask) -> Lines:
    """R7 §14, §18-19: the charges of what lies at the end of each way, with K_p and a REIT's k1."""
    pack = assets.pack
    index, way = _each(charged, leaves.end)
    lines = charged.take(index)
    figures, modules = assets.lines.figures.names, assets.lines.modules.names
    opaque = np.array([name.startswith("opaque.") for name in figures], dtype=bool)[lines.figure]
    currency = np.array([name.startswith(CURRENCY) for name in modules], dtype=bool)[lines.module]
    # Currency risk is charged on the company's net position, opaque products by one factor: no K_p on either.
    structural = ~(opaque | currency)
    layers = leaves.layers[way] - debt[leaves.row[way]]
    return lines.with_(
        row=leaves.row[way],
        underlying=leaves.end[way],
        share=lines.share * leaves.share[way],
        k_p=np.where(structural, pack.value("look_through.layer") * layers, 0.0),
        k_product=np.where(structural & leaves.reit[way], pack.value("look_through.reit.k1"), 0.0),
        basis=np.where(lines.basis == Basis.PROPERTY, Basis.BOOK, lines.basis),
    )


def _each(lines: Lines, rows: Rows) -> tuple[Rows, Rows]:
    """Return, for each of ``rows`` and each line of it, the line's position and the position in ``rows``."""
    start = np.searchsorted(lines.row, rows, side="left")
    count = np.searchsorted(lines.row, rows, side="right") - start
    way = np.repeat(np.arange(len(rows)), count)
    offset = np.arange(len(way)) - np.repeat(np.cumsum(count) - count, count)
    return start[way] + offset, way


def _opaque_lines(scope: ChargeBuilder, products: Sequence[Remaining]) -> Lines:
    """Return the charges the products would have if they were opaque, in order of rows."""
    fresh = _fresh(scope)
    for product in products:
        fresh.lines.of_kind(product.kind)
        charge_opaque(fresh, product.kind, product.rows)
        fresh.charge_currency(product.rows)
    return fresh.lines.finish().sorted()


def _rest_lines(if_opaque: Lines, rests: Paths, rows: Rows) -> Lines:
    """R7 §33 (2): the part of a product that is not identified is charged as opaque."""
    index, way = _each(if_opaque, rows)
    lines = if_opaque.take(index)
    return lines.with_(row=rests.row[way], underlying=rests.end[way], share=lines.share * rests.share[way])


def _surface_lines(scope: ChargeBuilder, products: Sequence[Remaining], debt: Mask) -> Lines:
    fresh = _fresh(scope)
    for product in products:
        fresh.lines.of_kind(product.kind)
        charge_surface(fresh, product.kind, product.rows[debt[product.rows]])
    return fresh.lines.finish()


def _opaque_leaves(underlying: ChargeBuilder) -> Mask:
    a = underlying.attributes
    return np.asarray(a.kinds.where(PRODUCTS.__contains__) & a.text("transparency").equals("opaque"))


def _wholly_opaque(assets: ChargeBuilder, underlying: ChargeBuilder, leaves: Paths, rests: Paths) -> Mask:
    """R7 §34: which rows may be taken as opaque wholly, if the reading is to do so."""
    size = len(assets.attributes)
    if not assets.pack.reading("mostly_opaque_is_wholly_opaque"):
        return np.zeros(size, dtype=bool)
    hidden = leaves.take(_opaque_leaves(underlying)[leaves.end])
    share = np.bincount(rests.row, rests.share, size) + np.bincount(hidden.row, hidden.share, size)
    # "90% or more": shares are typed by hand, and nine tenths may come out a rounding short.
    return np.asarray(share >= assets.pack.value("opaque.whole_above") - SHARE_TOLERANCE)


def _rate_risk_share(assets: ChargeBuilder, underlying: ChargeBuilder, leaves: Paths, wholly: Mask) -> Vector:
    """金规〔2023〕5号 (5): underlying assets repaying principal and fixed interest, at most three layers."""
    pack, size = assets.pack, len(assets.attributes)
    if "rate.non_base_layers" not in pack:
        return np.zeros(size)
    a = underlying.attributes
    fixed = a.kinds.equals(*pack.names("rate.non_base_kinds")) & (a.text("equity_terms").codes < 0)
    inside = fixed[leaves.end] & (leaves.layers <= pack.value("rate.non_base_layers")) & ~wholly[leaves.row]
    return np.bincount(leaves.row[inside], leaves.share[inside], size).astype(float)


def exempt_rate_risk(assets: ChargeBuilder) -> Vector:
    """Return the share of exempt asset-backed plans that counts for interest rate risk: all or nothing, by layers."""
    a, pack = assets.attributes, assets.pack
    share = np.zeros(len(a))
    if "rate.non_base_layers" not in pack:
        return share
    exempt = np.flatnonzero(a.kinds.equals("abs_plan") & a.text("transparency").equals("exempt"))
    share[exempt[own_layers(a, exempt) <= pack.value("rate.non_base_layers")]] = 1.0
    return share


def _check_exempt(scope: ChargeBuilder, structure: Structure) -> None:
    """R7 §25: where the underlying assets of an exempt product are listed, they must bear the exemption out."""
    a, u = scope.attributes, structure.underlying
    rows = np.flatnonzero(a.kinds.equals("am_product", "wealth_product") & a.text("transparency").equals("exempt"))
    ids = a.text_at("asset_id", rows)
    products, safe = u.kinds.where(PRODUCTS.__contains__), u.kinds.equals(*scope.pack.names("exempt.unlimited_kinds"))
    if scope.pack.reading("central_bank_bill_is_liquidity_tool"):
        safe |= u.kinds.equals("central_bank_bill")
    share, limit = u.number("share"), scope.pack.value("exempt.largest_share")
    for label in ids.labels:
        listed = structure.listed(label)
        what = Text("an exempt product holds base assets only", "豁免穿透产品应全部直接投资于基础资产")
        u.report(
            listed[products[listed]],
            "kind",
            what,
            "",
            Text("look it through (R7 §25)", "请穿透计量（规则第7号第二十五条）"),
        )
        large = listed[(share[listed] > limit) & ~safe[listed]]
        what = Text("an exempt product holds no underlying asset over 20%", "豁免穿透产品的单笔底层资产不得超过20%")
        u.report(
            large, "share", what, share, Text("look it through (R7 §25)", "请穿透计量（规则第7号第二十五条）"), "≤ 20%"
        )
