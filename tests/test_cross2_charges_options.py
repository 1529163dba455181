"""What departs from the rules is marked; how a charge is shown; and the laws charges obey."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from allocator_cross2.derivation import derivations
from allocator_cross2.leaves import Charged, LeafLayout
from allocator_cross2.options import ChargeOptions
from charging import (
    BOND,
    CSI,
    Row,
    deposit,
    factors,
    stock,
    table,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from allocator.errors import InputError

# ---- what departs from the rules ------------------------------------------------------------------------


def test_a_user_factor_is_charged_and_marked() -> None:
    found = table([{"kind": "gold"}], options={"factors": {"gold": 0.25}})
    assert found.rf.tolist() == [0.25]
    assert found.frame()["rule"].tolist() == [False]
    assert any(not note.rule and "gold" in note.text.zh for note in found.charges.notes)
    with pytest.raises(InputError, match="capital.overrides"):
        table([BOND], options={"factors": {"corporate_bond": 0.1}})


def test_an_override_marks_the_rows_it_touches_and_no_others() -> None:
    rows = [stock("main"), stock("main", (CSI,)), BOND, {"kind": "overseas_stock", "market": "emerging"}]
    found = table(rows, options={"overrides": {"equity": {"listed": {"main": 0.30}}, "overseas.k1.emerging": "20%"}})
    assert found.frame().set_index("row")["rule"].to_dict() == {0: False, 1: True, 2: True, 3: False}
    assert found.rf[0] == pytest.approx(0.30) and found.rf[3] == pytest.approx(0.39 * 1.2)
    assert sum(not note.rule for note in found.charges.notes) == 2


def test_an_override_that_moves_a_row_to_another_figure_marks_it() -> None:
    rows = [stock("main", (CSI,), 2.5), stock("main", (CSI,), 4.0), stock("chinext")]
    found = table(rows, options={"overrides": {"equity.listed.index_years": 2}})
    assert found.frame()["rule"].tolist() == [False, True, True]
    assert found.rf[0] == pytest.approx(0.27)


def test_a_what_if_joins_the_clip_and_marks_its_kind() -> None:
    rows = [
        {"kind": "tech_innovation_bond", "rating": "AAA", "modified_duration": 10.0},
        {"kind": "tech_innovation_bond", "rating": "AAA", "modified_duration": 10.0, "green": True},
        BOND,
    ]
    found = table(rows, options={"what_if": [{"kind": "tech_innovation_bond", "k": -0.2}]})
    assert found.rf[0] == pytest.approx(0.15 * 0.8)
    assert found.rf[1] == pytest.approx(0.15 * 0.75)  # −0.1 and −0.2 are clipped to −0.25
    assert found.clipped.tolist() == [False, True, False]
    assert found.frame()["rule"].tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("what_if", "message"),
    [
        ([{"kind": "tech_bond", "k": -0.1}], "no such kind"),
        ([{"kind": "abn", "k": -0.1}, {"kind": "abn", "k": -0.2}], "already"),
    ],
)
def test_what_ifs_that_cannot_be_are_refused(what_if: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        table([BOND], options={"what_if": what_if})


def test_a_changed_reading_is_noted_but_is_still_the_rule() -> None:
    found = table([stock("main", (CSI,))], options={"readings": {"csi300_factor_keeps_k2": True}})
    (note,) = [note for note in found.charges.notes if "csi300_factor_keeps_k2" in note.text.en]
    assert note.rule and found.frame()["rule"].all()


def test_options_refuse_unknown_keys() -> None:
    with pytest.raises(ValueError, match="overide"):
        ChargeOptions.model_validate({"overide": {}})


# ---- how a charge is shown ------------------------------------------------------------------------------


def test_a_derivation_names_every_part() -> None:
    rows = [stock("chinext", (CSI,), cost=50.0), {**BOND, "modified_duration": 100.0}]
    found = table(rows)
    english, bond = derivations(found)
    for part in ("0.45", "k1 1", "k2 0.05", "clipped to +0.25", "0.5625", "R8 §26", "ChiNext"):
        assert part in english
    assert "capped at 1" in bond
    assert "创业板" in derivations(found, [0], "zh")[0] and "截断" in derivations(found, [0], "zh")[0]


def test_the_frame_is_the_formula() -> None:
    found = table([stock("main", (CSI,), cost=80.0), BOND, {"kind": "overseas_property", "market": "emerging"}])
    shown = found.frame()
    np.testing.assert_allclose(shown["rf"], np.minimum(shown["rf0"] * (1 + shown["k_total"]), 1.0))
    np.testing.assert_allclose(shown["factor"], shown["rf"] * shown["exposure_per_amount"])
    assert set(shown["article"]) == {"金规〔2023〕5号 (6)", "R9 §15", "R8 §50-52"}


def test_leaf_coefficients_hold_the_charge_per_cny_and_the_pool_holds_its_rows_again() -> None:
    rows = [{"kind": "overseas_stock", "market": "developed", "currency": "HKD"}, BOND, {"kind": "cash"}]
    found = table(rows)
    place = {name: number for number, name in enumerate(found.charges.modules)}
    modules = len(place)
    used = found.factor != 0.0
    charged = Charged(found.module[used].astype(int), found.row[used].astype(int), modules, 3, np.array([0, 1, 0]) > 0)
    # The company's spread, twice the pool's spread, the company's currency.
    entering = np.zeros((3, 2 * modules))
    entering[0, place["spread"]] = entering[2, place["currency:USD"]] = 1.0
    entering[1, modules + place["spread"]] = 2.0
    layout = LeafLayout.of(charged, sparse.csc_array(entering))
    spread = 3 * (0.0018 + 0.012)
    expected = np.array([[0, spread, 0], [0, 2 * spread, 0], [0.05, 0, 0]])
    np.testing.assert_allclose(layout.at(found.factor[used]).toarray(), expected)
    np.testing.assert_allclose(layout.at(3.0 * found.factor[used]).toarray(), 3.0 * expected)


# ---- laws -----------------------------------------------------------------------------------------------

BOOK = [
    stock("main", (CSI,), 4.0, cost=80.0, book_value=100.0),
    stock("star", (), 1.0, cost=130.0, book_value=100.0),
    {**BOND, "book_value": 90.0},
    deposit("rural", 0.14),
    {"kind": "overseas_stock", "market": "emerging", "currency": "JPY", "book_value": 110.0},
    {"kind": "property", "city_tier": "other"},
]
MONEY = ("amount", "book_value", "cost")


def scaled(row: Row, by: float) -> Row:
    row = {"amount": 100.0, **row}
    return {key: value * by if key in MONEY and value is not None else value for key, value in row.items()}


@given(st.floats(1e-3, 1e6))
@settings(max_examples=25, deadline=None)
def test_scaling_money_scales_charges(by: float) -> None:
    plain, large = factors(BOOK), factors([scaled(row, by) for row in BOOK], total_assets=1e12 * by)
    assert large == {module: pytest.approx(amount * by) for module, amount in plain.items()}


@given(st.permutations(range(len(BOOK))))
@settings(max_examples=25, deadline=None)
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    plain, moved = factors(BOOK), factors([BOOK[number] for number in order])
    assert moved == {module: pytest.approx(amount) for module, amount in plain.items()}


@given(st.integers(0, len(BOOK) - 1), st.floats(0.05, 0.95))
@settings(max_examples=25, deadline=None)
def test_splitting_an_asset_changes_nothing(number: int, part: float) -> None:
    rows = [*BOOK[:number], scaled(BOOK[number], part), scaled(BOOK[number], 1 - part), *BOOK[number + 1 :]]
    assert factors(rows) == {module: pytest.approx(amount) for module, amount in factors(BOOK).items()}
