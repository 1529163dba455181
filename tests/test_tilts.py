"""Tilts: modes against one another and against independent runs, look-through, and how concentrated they may be."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import make_inputs, make_registry

import allocator
from allocator import Fund, InputError
from allocator.config.settings import Section
from allocator.extension.registry import load_registry
from allocator.hooks import hookimpl
from allocator.inputs.look_through import contents
from allocator.model import PartScore, TiltSpec
from allocator.report.tilts import tilt_sentences
from allocator.report.view import View
from allocator.result.result import Result
from allocator.rulebook.book import RuleBook
from allocator.types import Language, Source, Text

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

HEAD = {"fund": {"name": "Test", "as_of": "2026-03-31", "unit": 1e8}, "solve": {"gap": 1e-10}}
CURVED = {"maximize": "expected_return", "risk": {"measure": "variance", "aversion": 2.0}}


class AColumn:
    """A plugin whose two tilts score whatever the column of their name says."""

    @hookimpl
    def allocator_tilts(self) -> list[TiltSpec]:
        return [
            TiltSpec.opened(name, Text(name, name), Section, self._by(name), Source("test"))
            for name in ("first_aim", "second_aim")
        ]

    @staticmethod
    def _by(name: str) -> Any:
        def parts(inputs: Any, options: Section) -> PartScore:
            found = contents(inputs)
            return PartScore(found, found.column(name).astype(float).to_numpy())

        return parts


REGISTRY = make_registry(("aims", AColumn()))


def fund(tilts: Any = (), *, objective: Any = None, constraints: Any = (), tables: Any = None, **columns: Any) -> Fund:
    size = len(columns["amount"])
    ids = [f"A{i}" for i in range(size)]
    assets = pd.DataFrame(
        {"asset_id": ids, "kind": ["government_bond"] * size, "account": ["traditional"] * size, **columns}
    )
    made = {**HEAD, "objective": objective or {"maximize": "expected_return"}, "tilts": list(tilts)}
    made["constraints"] = list(constraints)
    return Fund.of(make_inputs(assets, tables=tables, settings=made, registry=REGISTRY), REGISTRY)


# Three bonds of which the best paid serves no aim; weights are free between 0 and 1.
BOOK = {"amount": [10.0, 50.0, 40.0], "expected_return": [0.02, 0.03, 0.04]}
AIMS = {"first_aim": [1.0, 0.2, 0.0], "second_aim": [0.0, 1.0, 0.5]}
SIGMA = np.diag([0.01, 0.02, 0.04])


def curved(*tilts: Any) -> Result:
    ids = [f"A{i}" for i in range(3)]
    covariance = pd.DataFrame(SIGMA, index=pd.Index(ids, name="asset_id"), columns=ids)
    return fund(tilts, objective=CURVED, tables={"covariance": covariance}, **BOOK, **AIMS).optimize().value


def by_hand(reward: float) -> np.ndarray[Any, Any]:
    """Maximize (μ + reward·s)′w − 2 w′Σw, Σw = 1: w = Σ⁻¹ (μ + reward·s − λ) / 4, all weights positive."""
    gain = np.array(BOOK["expected_return"]) + reward * np.array(AIMS["first_aim"])
    inverse = 1.0 / np.diag(SIGMA)
    level = (inverse @ gain - 4.0) / inverse.sum()
    return inverse * (gain - level) / 4.0


def test_a_reward_gives_the_allocation_of_the_formula() -> None:
    assert curved({"first_aim": {"mode": "reward", "reward": "40bp"}}).shares == pytest.approx(by_hand(0.004), abs=1e-6)


def test_reward_floor_and_budget_are_one_allocation() -> None:
    """The budget's price is the reward, its score the floor, and what it spends the reward's price."""
    spent = curved({"first_aim": {"mode": "budget", "cost": "5bp"}})
    price = spent.solution.shadow_prices["tilt:first_aim"][0]
    rewarded = curved({"first_aim": {"mode": "reward", "reward": float(price)}})
    floored = curved({"first_aim": {"mode": "floor", "min": spent.tilts[0].score_after}})
    assert spent.shares == pytest.approx(by_hand(price), abs=1e-6)
    assert rewarded.shares == pytest.approx(spent.shares, abs=1e-6)
    assert floored.shares == pytest.approx(spent.shares, abs=1e-6)
    assert floored.solution.shadow_prices["tilt:first_aim"][0] == pytest.approx(price, rel=1e-4)
    for run in (spent, rewarded, floored):
        assert run.tilts[0].objective_given_up == pytest.approx(5e-4, abs=1e-8)


MODES = [
    {"mode": "reward", "reward": "40bp"},
    {"mode": "floor", "min": 0.6},
    {"mode": "budget", "cost": "5bp"},
    {"mode": "budget", "expected_return": "10bp"},
    {"mode": "rank", "keep": 0.7},
]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "-".join(map(str, mode.values())))
def test_the_price_of_a_tilt_is_the_difference_of_two_runs(mode: dict[str, Any]) -> None:
    plain, steered = curved(), curved({"first_aim": mode})
    alone, together = steered.tilts
    assert (alone.name, together.name) == ("first_aim", "all")
    own = {name: np.array(AIMS[name]) for name in AIMS}
    for price in (alone, together):
        assert price.return_given_up == pytest.approx(plain.return_after - steered.return_after, abs=1e-12)
        assert price.moved == pytest.approx(steered.holdings - plain.holdings, abs=1.0)
    value = [result.return_after - 2.0 * float(result.shares @ SIGMA @ result.shares) for result in (plain, steered)]
    assert alone.objective_given_up == pytest.approx(value[0] - value[1], abs=1e-12)
    assert alone.score_untilted == pytest.approx(own["first_aim"] @ plain.shares, abs=1e-9)
    assert alone.score_after == pytest.approx(own["first_aim"] @ steered.shares, abs=1e-9)
    assert alone.score_before == pytest.approx(0.1 + 0.2 * 0.5, abs=1e-12)


def test_each_tilt_is_priced_alone_and_all_together() -> None:
    first, second = {"first_aim": MODES[0]}, {"second_aim": MODES[0]}
    both, one, other = curved(first, second), curved(first), curved(second)
    assert [price.name for price in both.tilts] == ["first_aim", "second_aim", "all"]
    assert both.tilts[0].return_given_up == pytest.approx(one.tilts[0].return_given_up, abs=1e-9)
    assert both.tilts[1].return_given_up == pytest.approx(other.tilts[0].return_given_up, abs=1e-9)
    assert both.tilts[2].return_given_up == pytest.approx(curved().return_after - both.return_after, abs=1e-12)


def test_a_budget_of_expected_return_buys_what_the_rows_cost() -> None:
    """From all in the 4% row, 20 bp buy 0.1 of the first row: 0.1 × (4% − 2%)."""
    run = (
        fund(
            [{"first_aim": MODES[3] | {"expected_return": "20bp"}}],
            **BOOK,
            first_aim=[1.0, 0.0, 0.0],
            second_aim=[0.0] * 3,
        )
        .optimize()
        .value
    )
    assert run.shares == pytest.approx([0.1, 0.0, 0.9], abs=1e-7)
    assert run.tilts[0].return_given_up == pytest.approx(0.002, abs=1e-9)


def test_each_budget_counts_from_what_the_former_left() -> None:
    """10 bp for the first row and 5 bp for the second: 0.05 and 0.05, each at its own distance to 4%."""
    tilts = [{"first_aim": {"mode": "budget", "cost": "10bp"}}, {"second_aim": {"mode": "budget", "cost": "5bp"}}]
    run = fund(tilts, **BOOK, first_aim=[1.0, 0.0, 0.0], second_aim=[0.0, 1.0, 0.0]).optimize().value
    assert run.shares == pytest.approx([0.05, 0.05, 0.9], abs=1e-6)


def test_ranks_are_lexicographic_and_come_before_the_return() -> None:
    """The first aim takes A0 and A1 alike up to their bounds; the second then prefers A1; the return comes last."""
    book = {**BOOK, "max": [30.0, 60.0, 100.0], "first_aim": [1.0, 1.0, 0.0], "second_aim": [0.0, 1.0, 0.0]}
    strict = fund([{"first_aim": {"mode": "rank"}}, {"second_aim": {"mode": "rank"}}], **book).optimize().value
    assert strict.shares == pytest.approx([0.3, 0.6, 0.1], abs=1e-6)
    turned = {**book, "max": [30.0, 60.0, 100.0], "first_aim": [0.0, 0.0, 1.0]}
    run = fund([{"first_aim": {"mode": "rank"}}, {"second_aim": {"mode": "rank"}}], **turned).optimize().value
    assert run.shares == pytest.approx([0.0, 0.0, 1.0], abs=1e-6)
    order = fund([{"second_aim": {"mode": "rank"}}, {"first_aim": {"mode": "rank"}}], **turned).optimize().value
    assert order.shares == pytest.approx([0.0, 0.6, 0.4], abs=1e-6)


def test_a_rank_that_keeps_a_part_leaves_room_for_the_return() -> None:
    """The best score is 0.3 (A0 at its bound); half of it must stay, the rest earns 4%."""
    book = {**BOOK, "max": [30.0, 60.0, 100.0], "first_aim": [1.0, 0.0, 0.0], "second_aim": [0.0] * 3}
    run = fund([{"first_aim": {"mode": "rank", "keep": 0.5}}], **book).optimize().value
    assert run.shares == pytest.approx([0.15, 0.0, 0.85], abs=1e-6)


@given(st.floats(0.0005, 0.02), st.floats(0.0005, 0.02))
@settings(max_examples=10, deadline=None)
def test_a_higher_reward_never_lowers_the_score(one: float, other: float) -> None:
    low, high = sorted((one, other))
    runs = [curved({"first_aim": {"mode": "reward", "reward": reward}}) for reward in (low, high)]
    assert runs[1].tilts[0].score_after >= runs[0].tilts[0].score_after - 1e-7


@pytest.mark.parametrize(
    ("tilts", "told"),
    [
        ([{"first_aim": {"mode": "budget"}}], r"tilts\.0\.first_aim: a budget needs cost or expected_return"),
        ([{"first_aim": {"mode": "flor"}}], r"tilts\.0\.first_aim\.mode: .*got flor.*rank.*did you mean 'floor'"),
        ([{"first_aim": {}}], r"tilts\.0\.first_aim\.mode: .*allowed reward, floor, budget, rank"),
        ([{"first_aim": {"mode": "reward"}}], r"tilts\.0\.first_aim\.reward: a needed key is missing"),
        ([{"first_aim": {"mode": "rank", "keep": 1.5}}], r"tilts\.0\.first_aim\.keep: out of range"),
        ([{"first_aim": {"mode": "floor", "cost": "5bp"}}], r"tilts\.0\.first_aim\.cost: an unknown key.*mode, min"),
        ([{"first_aim": MODES[0]}, {"first_aim": MODES[1]}], "one name"),
    ],
)
def test_what_cannot_be_a_tilt_is_refused(tilts: list[Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        curved(*tilts)


UNDERLYING = pd.DataFrame(
    [
        {"asset_id": "A0", "kind": "corporate_bond", "share": 0.5, "issuer": "X", "underlying_id": None},
        {"asset_id": "A0", "kind": "bond_fund", "share": 0.4, "issuer": None, "underlying_id": "INNER"},
        {"asset_id": "INNER", "kind": "corporate_bond", "share": 0.25, "issuer": "Y", "underlying_id": None},
    ]
)


def test_products_are_opened_layer_by_layer() -> None:
    """A0 holds 50% X and 40% of a fund with 25% Y: 0.5 and 0.1; the unlisted 40% are no part."""
    book = fund(tables={"underlying": UNDERLYING}, **BOOK, **AIMS)
    found = contents(book.inputs)
    issuers = found.column("issuer")
    shares = {
        str(issuer): share for issuer, share, row in zip(issuers, found.share, found.row, strict=True) if row == 0
    }
    assert shares == {"X": 0.5, "Y": pytest.approx(0.1)}
    own = found.row[found.underlying < 0]
    assert own.tolist() == [1, 2]
    assert found.by_row(np.where(issuers == "Y", 1.0, 0.0)).tolist() == [pytest.approx(0.1), 0.0, 0.0]


def test_a_product_within_itself_is_refused() -> None:
    circle = UNDERLYING.assign(underlying_id=[None, "INNER", "INNER"])
    with pytest.raises(InputError, match="lies within itself"):
        contents(fund(tables={"underlying": circle}, **BOOK, **AIMS).inputs)


ISSUERS = pd.DataFrame(
    {
        "issuer": ["X", "Y", "Z"],
        "strategic_class": ["biotech", "biotech", None],
        "future_fields": [None, "quantum_technology", None],
    }
)


def guarded(by: str, most: float, **more: Any) -> Result:
    columns = {**BOOK, "issuer": ["X", "Y", "Z"], "first_aim": [1.0, 1.0, 0.0], "second_aim": [0.0, 0.0, 1.0]}
    rule = {"tilt_concentration": {"max": most, "by": by, "tilts": ["first_aim"], **more}}
    floor = {"first_aim": {"mode": "floor", "min": 0.5}}
    return fund([floor], constraints=[rule], tables={"issuers": ISSUERS}, **columns).optimize().value


def test_no_issuer_takes_more_than_its_share_of_a_tilt() -> None:
    """Half is tilted and Y pays more: without the guard all of it, with 60% only 0.3; X takes the other 0.2."""
    assert guarded("issuer", 1.0).shares == pytest.approx([0.0, 0.5, 0.5], abs=1e-6)
    assert guarded("issuer", 0.6).shares == pytest.approx([0.2, 0.3, 0.5], abs=1e-6)


def test_a_field_is_guarded_by_class_and_by_future_field() -> None:
    """Y alone is in quantum technology: at most 40% of the tilt; biotech holds both and would bar all, so 100%."""
    term = guarded("field", 1.0).model.terms[-2]
    assert term.rows == ("biotech", "quantum_technology")
    left, _ = term.shown(np.array([20e8, 30e8, 50e8]))
    assert left == pytest.approx([0.5 - 0.5, 0.3 - 0.5])


def test_a_guard_looks_inside_products() -> None:
    """One CNY of A0 steers 0.6 of which X has 0.5 and Y 0.1."""
    scored = UNDERLYING.assign(first_aim=[1.0, 0.0, 1.0], second_aim=0.0)
    rule = {"tilt_concentration": {"max": 0.5, "tilts": ["first_aim"]}}
    columns = {**BOOK, "issuer": ["M", None, "Z"], "first_aim": [1.0, 0.0, 0.0], "second_aim": [0.0] * 3}
    tables = {"issuers": pd.DataFrame({"issuer": ["X", "Y", "Z", "M"]}), "underlying": scored}
    book = fund([{"first_aim": MODES[0]}], constraints=[rule], tables=tables, **columns)
    term = next(term for term in book.model.terms if term.name.startswith("tilt_concentration"))
    assert dict(zip(term.rows, term.left.value(np.array([100.0, 0.0, 0.0])), strict=True)) == {
        "X": pytest.approx(50.0 - 30.0),
        "Y": pytest.approx(10.0 - 30.0),
    }


def test_a_guard_of_a_tilt_that_is_not_named_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'first_aim'"):
        guarded("issuer", 0.5, tilts=["frst_aim"])


def test_modes_agree_on_the_replica_under_solvency_rules() -> None:
    """The same on a whole book under capital that is not convex: a budget, its price as reward, its score as floor."""

    def steered(**mode: Any) -> Result:
        override = f"tilts={json.dumps([{'tech_innovation_bonds': mode}])}"
        return allocator.load(EXAMPLES / "life_insurer" / "fund.yaml", [override]).optimize().value

    spent = steered(mode="budget", cost="0.1bp")
    price = spent.solution.shadow_prices["tilt:tech_innovation_bonds"][0]
    assert spent.tilts[0].objective_given_up == pytest.approx(1e-5, abs=1e-9)
    for mode in ({"mode": "reward", "reward": float(price)}, {"mode": "floor", "min": spent.tilts[0].score_after}):
        assert steered(**mode).shares == pytest.approx(spent.shares, abs=1e-8)
    assert spent.tilts[0].score_gap <= 1e-5 / price
    plain = allocator.load(EXAMPLES / "life_insurer" / "fund.yaml").optimize().value
    assert plain.after is not None and spent.after is not None
    paid = spent.tilts[0]
    assert paid.return_given_up == pytest.approx(plain.return_after - spent.return_after, abs=1e-12)
    assert paid.capital_used == pytest.approx(spent.after.minimum_capital - plain.after.minimum_capital, abs=1.0)
    ratio = spent.after.ratio("comprehensive") - plain.after.ratio("comprehensive")
    assert paid.ratio_change == pytest.approx(ratio, abs=1e-12)
    assert paid.moved == pytest.approx(spent.holdings - plain.holdings, abs=1.0)


PAGE = (EXAMPLES.parent / "docs" / "tilts.md").read_text(encoding="utf-8")
BOOKS = {
    "allocator_national_projects": "national_projects",
    "allocator_future_industries": "industries",
    "allocator_green_bonds": "green",
    "allocator_long_term_holding": "marks",
    "allocator_disclosure_screen": "screen",
}


def test_the_page_names_every_tilt_with_its_options_and_every_figure() -> None:
    registry = load_registry()
    rows = {cells[0].strip("` "): cells for cells in (line.strip("|").split("|") for line in PAGE.splitlines())}
    for name, spec in registry.tilts.items():
        assert set(re.findall(r"`(\w+)`", rows[name][2])) == set(spec.options.model_fields), name
    for package, book in BOOKS.items():
        for key in RuleBook.load(package, f"rules/{book}.yaml").keys:
            assert f"`{key}`" in PAGE, (package, key)


def test_each_tilt_is_told_in_words_in_both_languages() -> None:
    """From all in A2, a floor of 0.1 in A0 moves 10 of 100 and gives up 0.1 × (4% − 2%) = 20 bp."""
    columns = {**BOOK, "first_aim": [1.0, 0.0, 0.0], "second_aim": [0.0] * 3}
    result = fund([{"first_aim": {"mode": "floor", "min": 0.1}}], **columns).optimize().value
    english, chinese = (
        [sentence[language] for sentence in tilt_sentences(View.of(result, language, REGISTRY))]
        for language in Language
    )
    (one,) = english
    assert "from 0.00% to 10.00%" in one and "falls by 20.00 bp" in one
    assert "bought for it: A0 10.00; sold for it: A2 10.00" in one
    (one,) = chinese
    assert "由 0.00% 变为 10.00%" in one and "下降 20.00 bp" in one


def test_the_policy_frontier_trades_score_for_return_as_worked_by_hand() -> None:
    """The best paid bond scores ½, the next 1 for 1% less: a score of a costs 0.02 (a − ½)."""
    book = fund([{"second_aim": {"mode": "budget", "cost": "5bp"}}], **BOOK, **AIMS)
    found = book.frontier(6, "second_aim", "expected_return").value
    levels = np.array([point.level for point in found.points])
    assert levels[[0, -1]] == pytest.approx([0.5, 1.0 - 0.5 / 200], abs=1e-6)
    assert [point.value for point in found.points] == pytest.approx(0.04 - 0.02 * (levels - 0.5), abs=1e-9)
    assert [point.slope for point in found.points[1:]] == pytest.approx([-0.02] * 5, abs=1e-8)
    assert all(point.reached >= point.level - 1e-9 for point in found.points)
    assert found.segments[-1].binding == ("second_aim",)
