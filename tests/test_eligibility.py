"""House limits in words against sums worked by hand; what may be traded; and that no text does harm."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from allocator_eligibility.accounts import ACCOUNTS
from allocator_eligibility.house import HOUSE
from allocator_eligibility.syntax import MAX_DEPTH
from allocator_eligibility.tokens import MAX_LENGTH
from allocator_eligibility.trading import TRADING
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rule_funds import at, build, context

from allocator.errors import InputError
from allocator.model import ModelContext, Sense, Term

SPECS = (*HOUSE, *TRADING, *ACCOUNTS)
ISSUERS = pd.DataFrame({"issuer": ["X", "Y"], "type": ["bank", "technology_firm"], "strategic_emerging": [False, True]})
ROWS: list[dict[str, Any]] = [
    {
        **{"asset_id": "B1", "kind": "corporate_bond", "amount": 100.0, "book_value": 90.0, "issuer": "X"},
        **{"rating": "AAA", "modified_duration": 4.0, "maturity": "2030-06-30", "green": True, "indices": ("a", "b")},
    },
    {
        **{"asset_id": "B2", "kind": "corporate_bond", "amount": 200.0, "issuer": "Y", "account": "universal"},
        **{"rating": "AA", "modified_duration": 2.0, "maturity": "2027-06-30", "indices": ("b",)},
    },
    {"asset_id": "V", "kind": "venture_fund", "amount": 50.0, "issuer": "Y", "fund_size": 400.0, "indices": ()},
    {"asset_id": "C", "kind": "cash", "amount": 600.0, "currency": "USD", "indices": ()},
    {"asset_id": "S", "kind": "rate_swap", "amount": -300.0, "indices": ()},
]
HELD = at(100, 200, 50, 600, -300)  # total 950, total assets 1,000


@pytest.fixture(scope="module")
def fund() -> ModelContext:
    return context(ROWS, issuers=ISSUERS)


def limit(fund: ModelContext, rule: str, **options: Any) -> Term:
    (term,) = build(SPECS, "limit", fund, rule=rule, **options).values()
    return term


def fails(fund: ModelContext, rule: str) -> tuple[str, int]:
    """Return the message of a rule that cannot be read and the position of its caret, from 1."""
    with pytest.raises(InputError) as raised:
        build(SPECS, "limit", fund, rule=rule)
    (problem,) = raised.value.problems
    message, shown, caret = problem.what.en.split("\n")
    assert problem.what.zh.split("\n")[1:] == [shown, caret] and shown[2:] == rule.replace("\n", " ")
    return message, int(message.rsplit("character ", 1)[1])


@pytest.mark.parametrize(
    ("measured", "value"),
    [
        ("sum(amount)", 950.0),
        ("sum(notional)", -300.0),
        ("1000 CNY * sum(weight)", 1000.0),
        ('sum(amount where kind == "corporate_bond")', 300.0),
        ('sum(book_value where kind == "corporate_bond")', 290.0),
        ('sum(amount where kind != "corporate_bond")', 650.0),
        ('sum(amount where kind in ("corporate_bond", "cash"))', 900.0),
        ('sum(amount where kind not in ("corporate_bond", "cash"))', 50.0),
        ('sum(amount * modified_duration where kind == "corporate_bond")', 800.0),
        ("sum(amount / 4 * modified_duration where modified_duration > 2)", 100.0),
        ("sum((amount - book_value) * 2 where issuer is not blank)", 20.0),
        ('sum(amount where rating >= "AA+")', 100.0),
        ('sum(amount where rating < "AA+")', 850.0),
        ('sum(amount where rating in ("AA", "A"))', 200.0),
        ("sum(amount where rating is blank)", 650.0),
        ('sum(amount where maturity <= "2027-12-31")', 200.0),
        ("sum(amount where green)", 100.0),
        ("sum(amount where not green)", 850.0),
        ("sum(amount where green == false)", 850.0),
        ('sum(amount where indices contains "b")', 300.0),
        ('sum(amount where issuer.type == "technology_firm")', 250.0),
        ("sum(amount where issuer.strategic_emerging)", 250.0),
        ("sum(amount where amount > 99元 and amount <= 200 CNY)", 300.0),
        ("sum(amount where 100 < amount)", 800.0),
        ('sum(amount where kind == "cash" or kind == "venture_fund" and amount > 1000)', 600.0),
        ('sum(amount where (kind == "cash" or kind == "venture_fund") and amount > 1000)', 0.0),
        ("sum(fund_size where fund_size is not blank) + 0 * sum(amount)", 400.0),
        ("10% of sum(amount) - -5元", 100.0),
        ("sum（amount where kind ＝= “cash”）", 600.0),
        ("sum(amount where kind == '国债')", 0.0),
    ],
)
def test_what_sums_and_tests_mean(measured: str, value: float) -> None:
    rows = [*ROWS, {"asset_id": "G", "kind": "government_bond", "amount": 0.0, "indices": ()}]
    fund = context(rows, issuers=ISSUERS, labels={"government_bond": "国债"})
    measured = measured.replace("＝=", "==")
    term = limit(fund, f"{measured} <= 1 billion")
    assert term.left.value(np.append(HELD, 0.0)) == pytest.approx([value], abs=1e-9)
    assert term.right.tolist() == [1e9]


@pytest.mark.parametrize(
    ("bound", "value"),
    [
        ("2% of total_assets", 20.0),
        ("200bp * total_assets", 20.0),
        ("total_assets / 50", 20.0),
        ("0.02 * (total_assets)", 20.0),
        ("10% of portfolio", 95.0),
        ("3亿元", 3e8),
        ("3 万", 3e4),
        ("1.5 million", 1.5e6),
        ("1e2 元 + 5CNY", 105.0),
        ("reported_comprehensive_ratio * total_assets", 1900.0),
    ],
)
def test_what_bounds_mean(fund: ModelContext, bound: str, value: float) -> None:
    term = limit(fund, f"sum(amount) <= {bound}")
    assert term.right == pytest.approx([value])
    assert (term.per.tolist(), term.unit) == ([1000.0], "share of total assets")


def test_a_limit_at_its_bound_inside_and_outside(fund: ModelContext) -> None:
    term = limit(fund, 'sum(amount where kind == "venture_fund") <= 2% of total_assets')
    assert term.holds(at(0, 0, 20, 0, 0)) and term.holds(at(0, 0, 19.999, 0, 0))
    assert not term.holds(at(0, 0, 20.001, 0, 0))
    assert (term.label.en, term.label.zh) != (term.label.zh, term.label.en)
    least = limit(fund, "5% of total_assets <= sum(amount where kind == 'cash')")
    assert least.sense is Sense.AT_LEAST
    assert least.holds(at(0, 0, 0, 50, 0)) and not least.holds(at(0, 0, 0, 49.999, 0))


def test_a_chain_gives_two_terms(fund: ModelContext) -> None:
    rule = "10% <= sum(weight where kind == 'cash') <= 20%"
    low, high = build(SPECS, "limit", fund, rule=rule, name="cash band").values()
    assert (low.name, high.name) == ("cash band:first", "cash band:second")
    assert low.holds(at(0, 0, 0, 95, 0)) and not low.holds(at(0, 0, 0, 94.9, 0))
    assert high.holds(at(0, 0, 0, 190, 0)) and not high.holds(at(0, 0, 0, 190.1, 0))


def test_both_sides_may_depend_on_the_holdings(fund: ModelContext) -> None:
    term = limit(fund, "sum(amount where kind == 'venture_fund') <= 10% of sum(amount)")
    assert term.holds(at(450, 0, 50, 0, 0)) and not term.holds(at(450, 0, 50.1, 0, 0))


def test_one_row_for_each_value(fund: ModelContext) -> None:
    term = limit(fund, "for each issuer: sum(amount) <= 20% of total_assets", name="issuers")
    assert term.row_names() == ("issuers[X]", "issuers[Y]")
    assert term.left.value(HELD).tolist() == [100.0, 250.0]
    assert term.holds(at(200, 100, 100, 999, 0)) and not term.holds(at(0, 100, 100.1, 0, 0))
    bonds = limit(fund, 'for each issuer where kind == "corporate_bond": sum(amount) <= 20% of total_assets')
    assert bonds.left.value(HELD).tolist() == [100.0, 200.0]
    shares = limit(fund, "for each issuer: sum(amount) <= 50% of total(amount where issuer is not blank)")
    assert shares.left.value(HELD) + shares.right == pytest.approx([100 - 175, 250 - 175])
    sizes = limit(fund, "for each fund_size: sum(amount) <= 30% of sum(fund_size)")
    assert sizes.right == pytest.approx([120.0])
    ratings = limit(fund, "for each rating: sum(weight) <= 50%")
    assert ratings.rows == ("AAA", "AA")


def test_no_worse_relaxes_only_what_is_in_breach(fund: ModelContext) -> None:
    rule = "for each issuer: sum(amount) <= 20% of total_assets"
    assert limit(fund, rule, no_worse=True).right.tolist() == [200.0, 250.0]
    with pytest.raises(InputError, match="no worse side"):
        limit(fund, "sum(weight) == 1", no_worse=True)


@pytest.mark.parametrize(
    ("rule", "message", "place"),
    [
        ("sum(amont) <= 5%", "no such column: amont", 5),
        ("sum(amount) <= 5%", "bare number", 13),
        ("sum(amount) < 5%", "holds at its bound", 13),
        ("sum(amount) = 5%", "written ==", 13),
        ("sum(amount)", "ends too early", 12),
        ("sum(amount where kind == cash) <= 1 CNY", "no such column: cash", 26),
        ('sum(amount where kind == "venture") <= 1 CNY', "no such kind: venture", 26),
        ("sum(amount where kind = 'cash') <= 1 CNY", "written ==", 23),
        ("sum(amount where rating >= 'AB') <= 1 CNY", "no such rating", 28),
        ("sum(amount where kind > 'cash') <= 1 CNY", "has no order", 23),
        ("sum(amount where amount > '5') <= 1 CNY", "compared with a number", 27),
        ("sum(amount where maturity > '2030') <= 1 CNY", "compared with a date", 29),
        ("sum(amount where maturity > issuer) <= 1 CNY", "do not compare", 27),
        ("sum(amount where indices == 'a') <= 1 CNY", "holds lists", 26),
        ("sum(amount where kind) <= 1 CNY", "not a flag", 18),
        ("sum(amount where 1 == 1) <= 1 CNY", "needs a column", 18),
        ("sum(amount where issuer.size > 1) <= 1 CNY", "no such column: issuer.size", 18),
        ("sum(amount * amount) <= 1 CNY", "multiplied", 12),
        ("sum(weight) / sum(weight) <= 1", "division by an amount", 13),
        ("sum(amount) <= 1 CNY / 0", "division by zero", 22),
        ("sum(amount) <= 1e999 CNY", "too large", 16),
        ("sum(amount) * 1e300 * 1e300 <= 1 CNY", "too large", 1),
        ("sum(sum(amount)) <= 1 CNY", "inside a sum", 5),
        ("sum(modified_duration * amount) <= 1 CNY", "is empty", 5),
        ("sum(kind) <= 1", "does not hold numbers", 5),
        ("modified_duration <= 1", "outside a sum", 1),
        ("nothing <= 1", "no such total", 1),
        ("core_capital <= sum(amount)", "does not give core_capital", 1),
        ("1 <= 2", "neither side", 3),
        ("0 CNY <= sum(amount) >= 0 CNY", "one comparison", 22),
        ("sum(amount) <= 1 CNY extra", "unexpected extra", 22),
        ("sum(amount ? 1) <= 1", "unexpected character", 12),
        ("sum(amount where kind == 'cash) <= 1", "never closed", 26),
        ("for each kinds: sum(amount) <= 1 CNY", "no such column: kinds", 10),
        ("for each green where not green: sum(amount) <= 1 CNY", "no row belongs", 10),
        ("(" * (MAX_DEPTH + 5), "nested too deeply", MAX_DEPTH + 1),
        ("-" * (MAX_DEPTH + 5), "nested too deeply", MAX_DEPTH + 1),
        ("1 + " * 600, "too long", MAX_LENGTH + 1),
    ],
)
def test_an_error_points_at_its_character(fund: ModelContext, rule: str, message: str, place: int) -> None:
    said, found = fails(fund, rule)
    assert message in said
    assert found == place


def test_the_caret_stands_below_the_character_whatever_its_width(fund: ModelContext) -> None:
    with pytest.raises(InputError) as raised:
        limit(fund, "sum(amount where 行业 == '科技') <= 1 CNY")
    shown, caret = str(raised.value.problems[0].what.zh).split("\n")[1:3]
    assert caret.index("^") == shown.index("行") == 19
    with pytest.raises(InputError) as raised:
        limit(fund, "sum(amount where issuer == '科技' and x) <= 1 CNY")
    caret = str(raised.value.problems[0].what).split("\n")[2]
    assert caret.index("^") == 2 + len("sum(amount where issuer == '科技' and ") + 2  # two wide characters


def test_names_that_are_keywords_or_hold_spaces_stand_in_backticks() -> None:
    fund = context([{"amount": 5.0, "sum": 2.0, "my sector": "a"}])
    assert limit(fund, "sum(amount * `sum` where `my sector` == 'a') <= 1 CNY").left.value(at(5)).tolist() == [10.0]


WORDS = [
    *("sum", "total", "where", "and", "or", "not", "in", "of", "for each", "is", "blank", "contains", "true", "("),
    *("(", ")", ")", ",", ":", "<=", ">=", "==", "!=", "<", ">", "=", "+", "-", "*", "/", "5%", "3亿", "1e400", "0"),
    *("amount", "weight", "book_value", "kind", "rating", "issuer", "issuer.type", "maturity", "indices", "green"),
    *("total_assets", "portfolio", "core_capital", '"cash"', "'AA'", '"2030-01-01"', "`", "modified_duration", "1"),
]
FUND = context(ROWS, issuers=ISSUERS)
SUM = 'sum(amount where kind == "cash")'


@settings(max_examples=300, deadline=1000)
@given(
    st.one_of(
        st.text(max_size=60),
        st.text(alphabet=string.printable, max_size=200),
        st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join),
        st.lists(st.sampled_from(WORDS), max_size=8).map(lambda words: f"sum(amount where {' '.join(words)}) <= 1 CNY"),
        st.lists(st.sampled_from(WORDS), max_size=8).map(lambda words: f"{SUM} <= {' '.join(words)}"),
        st.tuples(st.integers(0, 40), st.integers(0, 40), st.sampled_from(WORDS)).map(
            lambda cut: (f"{SUM} <= 5% of total_assets")[: cut[0]] + cut[2] + f"{SUM} <= 5% of total_assets"[cut[1] :]
        ),
    )
)
@example("\x00")
@example("sum(amount) <= " + "9" * 1900 + " CNY")
@example("not " * 400)
@example("__import__('os').system('true')")
def test_no_text_gives_anything_but_terms_or_an_input_error(rule: str) -> None:
    try:
        terms = build(SPECS, "limit", FUND, rule=rule or "x")
    except InputError:
        return
    for term in terms.values():
        assert np.isfinite(term.left.value(HELD)).all() and np.isfinite(term.right).all()


@st.composite
def sums(draw: st.DrawFn, depth: int = 3) -> tuple[str, Callable[[Any], float]]:
    """Draw a linear expression as text and as a function of the holdings."""
    shape = draw(
        st.sampled_from(["leaf", "leaf", "plus", "minus", "scaled", "share", "negated"] if depth else ["leaf"])
    )
    if shape == "leaf":
        kinds = draw(st.lists(st.sampled_from(["corporate_bond", "venture_fund", "cash"]), min_size=1, unique=True))
        rows = [row for row, given in enumerate(ROWS) if given["kind"] in kinds]
        listed = ", ".join(f'"{kind}"' for kind in kinds)
        return f"sum(amount where kind in ({listed}))", lambda x: float(sum(x[row] for row in rows))
    text, value = draw(sums(depth - 1))
    if shape in ("plus", "minus"):
        other, second = draw(sums(depth - 1))
        sign = 1 if shape == "plus" else -1
        return f"{text} {'+' if sign > 0 else '-'} ({other})", lambda x: value(x) + sign * second(x)
    if shape == "negated":
        return f"-({text})", lambda x: -value(x)
    percent = draw(st.integers(1, 300))
    if shape == "share":
        return f"{percent}% of ({text})", lambda x: percent / 100 * value(x)
    return f"({text}) / {percent}", lambda x: value(x) / percent


@settings(max_examples=60, deadline=1000)
@given(sums(), st.lists(st.floats(0, 1e4), min_size=5, max_size=5))
def test_any_linear_expression_means_what_it_says(drawn: tuple[str, Callable[[Any], float]], held: list[float]) -> None:
    text, value = drawn
    term = limit(FUND, f"{text} >= -1 billion")
    assert term.left.value(at(*held)) == pytest.approx([value(at(*held))], rel=1e-9, abs=1e-6)


def test_a_long_rule_over_many_rows_means_what_it_says() -> None:
    size = 200_000
    frame = {"kind": np.where(np.arange(size) % 2, "cash", "property").astype(object), "amount": np.ones(size)}
    fund = context([], assets=pd.DataFrame(frame | {"asset_id": np.arange(size).astype(str)}))
    term = limit(fund, " + ".join(["sum(amount where kind == 'cash')"] * 20) + " <= 5% of total_assets")
    assert term.left.value(np.ones(size)).tolist() == [20 * size / 2]


def test_rows_that_may_not_be_traded(fund: ModelContext) -> None:
    where = 'kind == "corporate_bond"'
    (buy,) = build(SPECS, "no_purchase", fund, where=where).values()
    assert buy.row_names() == tuple(f"no_purchase:{where}[{row}]" for row in ("B1/traditional", "B2/universal"))
    assert buy.holds(at(100, 0, 999, 999, 0)) and not buy.holds(at(100.001, 0, 0, 0, 0))
    (sell,) = build(SPECS, "no_sell", fund, where=where, name="kept").values()
    assert sell.name == "kept"
    assert sell.holds(at(100, 300, 0, 0, 0)) and not sell.holds(at(99.999, 300, 0, 0, 0))
    (both,) = build(SPECS, "hold", fund, where=where, no_worse=True).values()
    assert both.holds(at(100, 200, 0, 0, 0)) and not both.holds(at(100, 200.001, 0, 0, 0))
    (new_money_only,) = build(SPECS, "no_sell", fund).values()
    assert len(new_money_only.rows) == 4  # the swap is neither bought nor sold
    assert not build(SPECS, "no_sell", fund, where='kind == "rate_swap"')
    with pytest.raises(InputError, match="no such column: kinds"):
        build(SPECS, "no_sell", fund, where='kinds == "cash"')


def test_amortised_cost_is_kept_to_maturity() -> None:
    dated = {"kind": "government_bond", "amount": 10.0, "maturity": "2030-06-30"}
    cash = {"amount": 10.0, "accounting": "ac"}
    fund = context([dated | {"accounting": "ac"}, dated | {"accounting": "fvoci"}, cash])
    (term,) = build(SPECS, "buy_and_hold", fund).values()
    assert term.holds(at(10, 0, 0)) and not term.holds(at(9.999, 10, 10))


def test_the_size_of_a_trade(fund: ModelContext) -> None:
    buy, sell = build(SPECS, "trade_size", fund, max="10%").values()
    assert buy.holds(at(195, 200, 50, 600, 0)) and not buy.holds(at(195.01, 200, 50, 600, 0))
    assert sell.holds(at(5, 200, 50, 600, 0)) and not sell.holds(at(4.99, 200, 50, 600, 0))


def test_turnover_of_a_group(fund: ModelContext) -> None:
    (term,) = build(SPECS, "group_turnover", fund, where='kind == "corporate_bond"', max=0.1).values()
    assert term.holds(at(130, 170, 0, 0, 0)) and not term.holds(at(130, 169.99, 0, 0, 0))


def test_what_an_account_may_hold() -> None:
    rows = [
        {"kind": "corporate_bond", "amount": 10.0, "rating": "AA+", "currency": "CNY", "maturity": "2030-06-30"},
        {"kind": "corporate_bond", "amount": 10.0, "rating": "AA", "currency": "CNY", "maturity": "2030-06-30"},
        {"kind": "corporate_bond", "amount": 10.0, "rating": "AAA", "currency": "USD", "maturity": "2030-06-30"},
        {"kind": "corporate_bond", "amount": 10.0, "rating": "AAA", "currency": "CNY", "maturity": "2046-06-30"},
        {"kind": "property", "amount": 10.0, "rating": "AAA", "currency": "CNY", "maturity": "2030-06-30"},
        {
            "kind": "property",
            "amount": 10.0,
            "rating": None,
            "currency": "CNY",
            "maturity": None,
            "account": "universal",
        },
    ]
    fund = context(rows)
    options = {
        **{"account": "traditional", "kinds": ["corporate_bond"], "currencies": ["CNY"], "min_rating": "AA+"},
        **{"max_tenor": 10},
    }
    (kept,) = build(SPECS, "allowed", fund, **options).values()
    assert [row.split("/")[0] for row in kept.rows] == ["A1", "A2", "A3", "A4"]
    assert kept.holds(at(99, 10, 10, 10, 10, 99)) and not kept.holds(at(0, 10.001, 0, 0, 0, 0))
    (sold,) = build(SPECS, "allowed", fund, **options, existing="sell").values()
    assert sold.holds(at(99, 0, 0, 0, 0, 99)) and not sold.holds(at(0, 0, 0, 0, 0.001, 0))
    with pytest.raises(InputError, match="did you mean 'universal'"):
        build(SPECS, "allowed", fund, account="univers")
    with pytest.raises(InputError, match="no such rating"):
        build(SPECS, "allowed", fund, min_rating="AB")
    with pytest.raises(InputError, match="accounting"):
        build(SPECS, "allowed", fund, accounting=["ac"])


@pytest.mark.parametrize(
    ("issuer", "issued", "maturity", "barred"),
    [
        ("firm", "2026-03-02", "2026-11-27", False),  # 270 days
        ("firm", "2026-03-02", "2026-11-26", True),
        ("firm", "2026-03-01", "2026-08-01", False),  # issued before the notice
        ("investor", "2026-04-01", "2029-04-01", False),
        ("investor", "2026-04-01", "2029-03-31", True),
        ("bank", "2026-04-01", "2026-08-01", False),
    ],
)
def test_the_tenor_of_tech_bonds(issuer: str, issued: str, maturity: str, barred: bool) -> None:
    issuers = pd.DataFrame(
        {"issuer": ["firm", "investor", "bank"], "type": ["technology_firm", "equity_investment_institution", "bank"]}
    )
    row = {"kind": "tech_innovation_bond", "amount": 10.0, "issuer": issuer, "issue_date": issued, "maturity": maturity}
    terms = build(SPECS, "tech_bond_tenor", context([row, {"amount": 1.0}], issuers=issuers))
    assert bool(terms) is barred
    for term in terms.values():
        assert term.holds(at(10, 0)) and not term.holds(at(10.001, 0))


def test_a_tech_bond_without_its_dates_is_an_error_or_left_out() -> None:
    issuers = pd.DataFrame({"issuer": ["firm", "bank"], "type": ["technology_firm", "bank"]})
    bond = {"kind": "tech_innovation_bond", "amount": 1.0, "maturity": "2026-09-01"}
    fund = context([bond | {"issuer": "bank"}, bond | {"issuer": "firm"}], issuers=issuers)
    with pytest.raises(InputError) as raised:
        build(SPECS, "tech_bond_tenor", fund)
    assert [problem.where for problem in raised.value.problems] == ["assets, row 2, column issue_date"]
    assert not build(SPECS, "tech_bond_tenor", fund, blank="skip")
    with pytest.raises(InputError, match="row 1, column issuer"):
        build(SPECS, "tech_bond_tenor", context([bond]))
