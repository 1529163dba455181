"""Look-through (R7), worked by hand: layers, debt surfaces, exempt, opaque and partly opaque products."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from charging import TODAY, Row, build, factors, table
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.errors import InputError

NOTICE = date(2023, 9, 10)
DAY = timedelta(days=1)

CHIPS = {"kind": "unlisted_equity", "strategic_emerging": True}
STEEL = {"kind": "unlisted_equity", "strategic_emerging": False}
LOAN = {"kind": "loan", "loan_class": "normal"}
BOND = {"kind": "corporate_bond", "rating": "AAA", "modified_duration": 2.0}  # 2 (0.0006 · 2 + 0.012) = 0.0264


def product(kind: str, transparency: str = "look_through", **more: Any) -> Row:
    return {"asset_id": "P", "kind": kind, "transparency": transparency, **more}


def under(row: Row, share: float = 1.0, of: str = "P", **more: Any) -> Row:
    return {"asset_id": of, "share": share, **row, **more}


def per_cny(row: Row, underlying: list[Row], when: date = TODAY, **more: Any) -> dict[str, float]:
    return {module: value / 100.0 for module, value in factors([row], when, underlying=underlying, **more).items()}


# ---- layers and K_p -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("company", "when", "factor"),
    [(CHIPS, TODAY, 0.44), (STEEL, TODAY, 0.451), (CHIPS, NOTICE - DAY, 0.451)],
)
def test_a_one_layer_venture_fund(company: Row, when: date, factor: float) -> None:
    assert per_cny(product("venture_fund"), [under(company)], when) == {"equity_price": pytest.approx(factor)}


@pytest.mark.parametrize(("layers", "factor"), [(1, 0.451), (2, 0.492), (3, 0.533), (4, 0.574)])
def test_k_p_grows_by_a_tenth_a_layer(layers: int, factor: float) -> None:
    got = per_cny(product("pe_fund", layers=layers), [under(STEEL)])
    assert got == {"equity_price": pytest.approx(factor)}


@pytest.mark.parametrize(("layers", "factor"), [(1, 0.085), (2, 0.0935), (3, 0.102)])
def test_a_debt_surface_does_not_count_as_a_layer(layers: int, factor: float) -> None:
    got = per_cny(product("debt_plan", rating="AAA", layers=layers), [under(LOAN)])
    assert got["counterparty_default"] == pytest.approx(factor + 0.010 * 0.8)


def test_products_inside_products_are_counted_layer_by_layer() -> None:
    rows = [
        under({"kind": "pe_fund", "transparency": "look_through", "underlying_id": "Q"}, 0.5),
        under(STEEL, 0.5),
        under({"kind": "venture_fund", "transparency": "look_through", "underlying_id": "R"}, 1.0, of="Q"),
        under(CHIPS, 1.0, of="R"),
    ]
    got = per_cny(product("equity_plan"), rows)
    assert got == {"equity_price": pytest.approx(0.5 * 0.41 * 1.1 + 0.5 * 0.40 * 1.3)}


def test_stated_layers_add_to_listed_ones() -> None:
    rows = [
        under({"kind": "pe_fund", "transparency": "look_through", "underlying_id": "Q", "layers": 2}),
        under(STEEL, 1.0, of="Q"),
    ]
    assert per_cny(product("equity_plan", layers=1), rows)["equity_price"] == pytest.approx(0.41 * 1.3)


def test_k_p_stands_outside_the_clip() -> None:
    # green −0.1 and a what-if −0.2 are clipped to −0.25; K_p = 0.2 of two layers is added after
    got = per_cny(
        product("am_product", layers=2),
        [under({**BOND, "green": True})],
        options={"what_if": [{"kind": "corporate_bond", "k": -0.2}]},
    )
    assert got["spread"] == pytest.approx(0.0264 * (1 - 0.25 + 0.2))


def test_a_looked_through_factor_is_at_most_one() -> None:
    rows = [under({"kind": "loan", "loan_class": "loss"})]
    assert per_cny(product("pe_fund", layers=3), rows)["counterparty_default"] == 1.0


def test_a_bundle_charges_each_asset_in_its_own_module() -> None:
    rows = [
        under(BOND, 0.4),
        under({"kind": "listed_stock", "board": "main", "indices": ("csi300",), "holding_years": 1.0}, 0.3),
        under({"kind": "cash"}, 0.1),
        under({"kind": "overseas_stock", "market": "developed", "currency": "HKD"}, 0.2),
    ]
    got = per_cny(product("am_product"), rows)
    assert got == {
        "spread": pytest.approx(0.4 * 0.0264 * 1.1),
        "equity_price": pytest.approx(0.3 * 0.30 * 1.1),
        "counterparty_default": 0.0,
        "overseas_equity_developed": pytest.approx(0.2 * 0.39 * 1.1),
        "currency:USD": pytest.approx(0.2 * 0.05),
    }


def test_k1_of_the_stock_book_stays_off_looked_through_stock_unless_the_reading_says_so() -> None:
    held = {"kind": "listed_stock", "board": "main", "cost": 50.0, "asset_id": "S"}  # x = 1, k1 = 1, clipped to 0.25
    rows = [under({"kind": "listed_stock", "board": "chinext"})]
    direct = 35 * 1.25
    assert factors([held, product("am_product")], underlying=rows)["equity_price"] == pytest.approx(direct + 45 * 1.1)
    got = factors(
        [held, product("am_product")], underlying=rows, options={"readings": {"looked_through_stock_has_k1": True}}
    )
    assert got["equity_price"] == pytest.approx(direct + 45 * 1.35)


def test_the_book_ratio_of_the_product_scales_what_lies_under_it_but_spread_risk_takes_market_value() -> None:
    rows = [under(STEEL, 0.5), under(BOND, 0.5)]
    got = per_cny(product("pe_fund", book_value=80.0), rows)
    assert got["equity_price"] == pytest.approx(0.5 * 0.8 * 0.451)
    assert got["spread"] == pytest.approx(0.5 * 0.0264 * 1.1)


def test_one_product_in_two_accounts_is_looked_through_in_both() -> None:
    rows = [{**product("pe_fund"), "account": "traditional"}, {**product("pe_fund"), "account": "universal"}]
    found = table(rows, underlying=[under(STEEL)])
    assert found.row.tolist() == [0, 1] and found.rf.tolist() == pytest.approx([0.451, 0.451])


# ---- debt-type surfaces ---------------------------------------------------------------------------------

SURFACE = [("AAA", 0.010), ("AA+", 0.015), ("AA", 0.020), ("AA-", 0.025), ("A+", 0.075), ("A", 0.075), ("A-", 0.075)]
SURFACE += [("BBB+", 0.150), ("BB", 0.150), ("NR", 0.150)]


@pytest.mark.parametrize(("rating", "factor"), SURFACE)
def test_the_surface_charge_by_rating(rating: str, factor: float) -> None:
    rows = [under({"kind": "government_bond"})]
    trust = product("trust_plan", product_type="fixed_income", rating=rating)
    assert per_cny(trust, rows)["counterparty_default"] == pytest.approx(factor)
    assert per_cny(product("abs_plan", rating=rating), rows)["counterparty_default"] == pytest.approx(factor)
    assert per_cny(product("debt_plan", rating=rating), rows)["counterparty_default"] == pytest.approx(0.8 * factor)


def test_an_equity_surface_has_no_charge_of_its_own() -> None:
    rows = [under({"kind": "cash"})]
    for row in (product("trust_plan", product_type="equity"), product("am_product"), product("wealth_product")):
        assert per_cny(row, rows) == {"counterparty_default": 0.0}


# ---- public infrastructure REITs ------------------------------------------------------------------------


def test_assets_under_a_reit_have_k1() -> None:
    rows = [under({"kind": "property", "city_tier": "other"}, 0.5), under(STEEL, 0.5)]
    got = per_cny(product("reit"), rows)
    assert got["real_estate_price"] == pytest.approx(0.5 * 0.15 * (1 + 0.2 - 0.2 + 0.1))
    assert got["equity_price"] == pytest.approx(0.5 * 0.41 * (1 - 0.2 + 0.1))


def test_a_reit_inside_another_product_lays_k1_on_its_own_assets_only() -> None:
    rows = [
        under({"kind": "reit", "transparency": "look_through", "underlying_id": "Q"}, 0.5),
        under(STEEL, 0.5),
        under(STEEL, 1.0, of="Q"),
    ]
    got = per_cny(product("am_product"), rows)
    assert got["equity_price"] == pytest.approx(0.5 * 0.41 * 1.1 + 0.5 * 0.41 * (1 - 0.2 + 0.2))


@pytest.mark.parametrize(("when", "factor"), [(NOTICE - DAY, 0.6), (NOTICE, 0.5)])
def test_an_opaque_reit(when: date, factor: float) -> None:
    assert per_cny(product("reit", "opaque"), [], when) == {"equity_price": factor}


def test_a_property_reit_in_public_form_is_a_base_asset() -> None:
    assert per_cny(product("reit", "base", city_tier="other"), []) == {"real_estate_price": pytest.approx(0.18)}


# ---- exempt ---------------------------------------------------------------------------------------------

EXEMPT = [("money_market", 0.01), ("fixed_income", 0.06), ("equity", 0.28), ("mixed", 0.23)]
EXEMPT += [("commodity_derivative", 0.23)]


@pytest.mark.parametrize("kind", ["am_product", "wealth_product"])
@pytest.mark.parametrize(("product_type", "factor"), EXEMPT)
def test_exempt_products(kind: str, product_type: str, factor: float) -> None:
    row = product(kind, "exempt", product_type=product_type, largest_underlying_share=0.2)
    assert per_cny(row, []) == {"equity_price": factor}


@pytest.mark.parametrize(("market", "factor"), [("developed", 0.39), ("emerging", 0.4875)])
def test_exempt_products_mainly_overseas(market: str, factor: float) -> None:
    row = product("am_product", "exempt", product_type="equity", largest_underlying_share=0.1, market=market)
    got = per_cny({**row, "currency": "USD"}, [])
    assert got == {f"overseas_equity_{market}": pytest.approx(factor), "currency:USD": 0.05}


PLANS = [("AAA", 0.10), ("AA+", 0.13), ("AA", 0.18), ("AA-", 0.23), ("A+", 0.33), ("A", 0.33), ("A-", 0.33)]
PLANS += [("BBB+", 0.45), ("BBB", 0.45), ("NR", 0.45)]


@pytest.mark.parametrize(("rating", "factor"), PLANS)
def test_exempt_asset_backed_plans(rating: str, factor: float) -> None:
    row = product("abs_plan", "exempt", rating=rating, underlying_count=101, largest_underlying_share=0.2)
    assert per_cny(row, []) == {"counterparty_default": factor}


def test_an_exempt_product_under_another_is_charged_as_such_with_k_p() -> None:
    inner = {"kind": "am_product", "transparency": "exempt", "product_type": "fixed_income"}
    rows = [under({**inner, "largest_underlying_share": 0.1})]
    assert per_cny(product("wealth_product"), rows) == {"equity_price": pytest.approx(0.06 * 1.1)}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([under({"kind": "trust_plan", "product_type": "equity"}, 0.1)], "base assets only"),
        ([under(BOND, 0.3)], "over 20%"),
        ([under({"kind": "government_bond"}, 0.9)], None),
        ([under({"kind": "cash"}, 0.9), under(BOND, 0.1)], None),
    ],
)
def test_a_list_of_assets_must_bear_the_exemption_out(rows: list[Row], message: str | None) -> None:
    row = product("am_product", "exempt", product_type="fixed_income", largest_underlying_share=0.1)
    if message is None:
        assert per_cny(row, rows) == {"equity_price": 0.06}
        return
    with pytest.raises(InputError, match=message):
        per_cny(row, rows)


# ---- opaque ---------------------------------------------------------------------------------------------

OPAQUE = [
    ("trust_plan", {"product_type": "equity"}, "equity_price"),
    ("equity_plan", {}, "equity_price"),
    ("pe_fund", {}, "equity_price"),
    ("venture_fund", {}, "equity_price"),
    ("wealth_product", {}, "equity_price"),
    ("am_product", {}, "equity_price"),
    ("debt_to_equity_plan", {}, "equity_price"),
    ("special_purpose_vehicle", {}, "equity_price"),
    ("property_product", {}, "equity_price"),
    ("trust_plan", {"product_type": "fixed_income"}, "counterparty_default"),
    ("debt_plan", {}, "counterparty_default"),
    ("abs_plan", {}, "counterparty_default"),
]


@pytest.mark.parametrize(("kind", "more", "module"), OPAQUE)
def test_opaque_products(kind: str, more: dict[str, Any], module: str) -> None:
    assert per_cny(product(kind, "opaque", **more), []) == {module: 0.6}


def test_what_is_not_identified_is_opaque() -> None:
    got = per_cny(product("venture_fund"), [under(CHIPS, 0.7)])
    assert got["equity_price"] == pytest.approx(0.7 * 0.44 + 0.3 * 0.6)
    got = per_cny(product("debt_plan", rating="AA"), [under(LOAN, 0.7)])  # the surface is charged whole
    assert got["counterparty_default"] == pytest.approx(0.7 * 0.085 + 0.3 * 0.6 + 0.020 * 0.8)


def test_the_rest_of_an_inner_product_is_opaque_by_its_own_kind() -> None:
    rows = [
        under({"kind": "debt_plan", "transparency": "look_through", "underlying_id": "Q"}, 0.5),
        under(LOAN, 0.6, of="Q"),
        under({"kind": "pe_fund", "transparency": "opaque"}, 0.5),
    ]
    got = per_cny(product("am_product"), rows)
    assert got["counterparty_default"] == pytest.approx(0.5 * (0.6 * 0.085 * 1.2 + 0.4 * 0.6))
    assert got["equity_price"] == pytest.approx(0.5 * 0.6)


@pytest.mark.parametrize(("share", "wholly"), [(0.05, 0.6), (0.1, 0.6), (0.11, None), (0.15, None)])
def test_a_mostly_opaque_product_may_be_taken_as_opaque(share: float, wholly: float | None) -> None:
    options = {"readings": {"mostly_opaque_is_wholly_opaque": True}}
    row, rows = product("debt_plan", rating="AAA"), [under(LOAN, share)]
    split = share * 0.085 + (1 - share) * 0.6 + 0.008
    assert per_cny(row, rows)["counterparty_default"] == pytest.approx(split)
    assert per_cny(row, rows, options=options)["counterparty_default"] == pytest.approx(wholly or split)


def test_an_opaque_product_in_foreign_currency_is_exposed_to_it() -> None:
    got = per_cny(product("pe_fund", "opaque", currency="EUR"), [])
    assert got == {"equity_price": 0.6, "currency:EUR": 0.08}


# ---- interest rate risk since 金规〔2023〕5号 (5) --------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "layers", "share"), [(TODAY, 1, 0.6), (TODAY, 3, 0.6), (TODAY, 4, 0.0), (NOTICE - DAY, 1, 0.0)]
)
def test_fixed_return_assets_within_three_layers_count_for_rate_risk(when: date, layers: int, share: float) -> None:
    rows = [under(LOAN, 0.6), under(STEEL, 0.4)]
    charges = build([product("debt_plan", rating="AAA", layers=layers)], when, underlying=rows)
    assert charges.rate_risk_share.tolist() == pytest.approx([share])


def test_exempt_plans_count_for_rate_risk_and_base_assets_by_themselves_do_not() -> None:
    plan = product("abs_plan", "exempt", rating="AAA", underlying_count=500, largest_underlying_share=0.1)
    rows = [plan, {**plan, "layers": 4}, {"kind": "government_bond"}, product("abs_plan", "opaque")]
    assert build(rows).rate_risk_share.tolist() == [1.0, 0.0, 0.0, 0.0]


# ---- what cannot be looked through ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "nothing is listed under this product"),
        ([under(STEEL, 0.7), under(CHIPS, 0.4)], "sum to more than 1"),
        ([under(STEEL, 0.0)], "a share must be positive"),
        ([under({"kind": "pe_fund", "transparency": "look_through"})], "needs a name"),
        (
            [under({"kind": "pe_fund", "transparency": "look_through", "underlying_id": "Q"})],
            "nothing is listed under this product",
        ),
        (
            [
                under({"kind": "pe_fund", "transparency": "look_through", "underlying_id": "Q"}),
                under({"kind": "pe_fund", "transparency": "look_through", "underlying_id": "R"}, of="Q"),
                under({"kind": "pe_fund", "transparency": "look_through", "underlying_id": "Q"}, of="R"),
            ],
            "Q → R → Q",
        ),
        ([under({"kind": "pe_fund", "transparency": "look_through", "underlying_id": "P"})], "P → P"),
        ([under({"kind": "pe_fund"})], "needs transparency"),
        ([under({"kind": "loan"})], "needs loan_class"),
        ([under({"kind": "index_future"})], "derivative inside a product"),
        ([under({"kind": "gold"})], "capital.factors"),
    ],
)
def test_structures_that_cannot_be_walked_are_refused(rows: list[Row], message: str) -> None:
    with pytest.raises(InputError) as caught:
        per_cny(product("pe_fund"), rows)
    assert message in str(caught.value)
    assert all(problem.where and problem.render("zh") for problem in caught.value.problems)


def test_a_missing_attribute_of_an_underlying_asset_is_named_in_its_own_table() -> None:
    with pytest.raises(InputError, match="underlying, row 2, column rating"):
        per_cny(product("pe_fund"), [under(STEEL, 0.5), under({**BOND, "rating": None}, 0.5)])


def test_rows_that_nothing_leads_to_are_left_alone() -> None:
    assert per_cny(product("pe_fund"), [under(STEEL), under({"kind": "loan"}, 1.0, of="elsewhere")]) == {
        "equity_price": pytest.approx(0.451)
    }


def test_a_leveraged_product_needs_the_reading() -> None:
    rows = [under(STEEL, 0.8), under({"kind": "government_bond"}, 0.4)]
    got = per_cny(product("pe_fund"), rows, options={"readings": {"leveraged_look_through": True}})
    assert got == {"equity_price": pytest.approx(0.8 * 0.451), "spread": 0.0}


# ---- any structure against the rule read one asset at a time --------------------------------------------

Tree = list[Any]  # a product: its children are factors of leaves or further products, in equal parts of what it holds


def leaves_of(tree: Tree, depth: int = 1) -> list[tuple[float, float, int]]:
    """Return (share, RF0, layers) of each leaf, by plain recursion."""
    found: list[tuple[float, float, int]] = []
    for child in tree:
        below = leaves_of(child, depth + 1) if isinstance(child, list) else [(1.0, child, depth)]
        found += [(share / len(tree), factor, layers) for share, factor, layers in below]
    return found


def rows_of(tree: Tree, name: str) -> list[Row]:
    rows: list[Row] = []
    for number, child in enumerate(tree):
        if isinstance(child, list):
            inner = {"kind": "pe_fund", "transparency": "look_through", "underlying_id": f"{name}.{number}"}
            rows += [under(inner, 1 / len(tree), of=name), *rows_of(child, f"{name}.{number}")]
        else:
            rows.append(under(CHIPS if child == 0.40 else STEEL, 1 / len(tree), of=name))
    return rows


TREES = st.recursive(
    st.sampled_from([0.40, 0.41]), lambda child: st.lists(child, min_size=1, max_size=3), max_leaves=12
).filter(lambda tree: isinstance(tree, list))


@given(TREES)
@settings(max_examples=40, deadline=None)
def test_any_structure_is_charged_leaf_by_leaf(tree: Tree) -> None:
    expected = sum(share * min(factor * (1 + 0.1 * layers), 1.0) for share, factor, layers in leaves_of(tree))
    assert per_cny(product("equity_plan"), rows_of(tree, "P")) == {"equity_price": pytest.approx(expected)}
