"""The proportional limits at the limit, just inside and just outside, from the rules' own figures."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from allocator_limits.classes import CLASSES
from allocator_limits.concentration import CONCENTRATION
from allocator_limits.conditions import CONDITIONS
from rule_funds import at, build, context

from allocator.config.load import validate_options
from allocator.config.settings import FundSettings, Settings
from allocator.errors import InputError, Problems
from allocator.inputs.ratings import SCALE, UNRATED, parse_rating, rating_ranks
from allocator.model import Mode, ModelContext, Term
from allocator.model.limits import LimitOptions
from allocator.rulebook.book import RuleBook
from allocator.types import Certainty

SPECS = (*CLASSES, *CONCENTRATION, *CONDITIONS)
INSIDE, OUTSIDE = -0.001, 0.001  # CNY of total assets of 1,000: ten times the tolerance


def rule(name: str, fund: ModelContext, **options: Any) -> dict[str, Term]:
    return build(SPECS, name, fund, **options)


def one(name: str, fund: ModelContext, **options: Any) -> Term:
    (term,) = rule(name, fund, **options).values()
    return term


def two_rows(kind: str, **more: Any) -> ModelContext:
    return context([{"kind": kind, "amount": 10.0, **more}, {"kind": "cash", "amount": 990.0}])


def holds_up_to(term: Term, amount: float) -> None:
    """The first row's amount is the limit: it and less hold, more does not."""
    assert term.holds(at(amount, 0.0))
    assert term.holds(at(amount + INSIDE, 0.0))
    assert not term.holds(at(amount + OUTSIDE, 0.0))


TIERS_2025 = [
    (0.999, 100),
    (1.0, 200),
    (1.4999, 200),
    (1.5, 300),
    (2.4999, 300),
    (2.5, 400),
    (3.4999, 400),
    (3.5, 500),
]
TIERS_2020 = [(0.5, 100), (1.0, 200), (1.5, 250), (2.0, 300), (2.5, 350), (3.0, 400), (3.5, 450)]


@pytest.mark.parametrize(
    ("day", "ratio", "ceiling"),
    [
        *((date(2025, 4, 8), *tier) for tier in TIERS_2025),
        *((date(2025, 4, 7), *tier) for tier in TIERS_2020),
        *((date(2020, 7, 17), *tier) for tier in TIERS_2020),
    ],
)
def test_the_equity_ceiling_follows_the_table_of_the_date(day: date, ratio: float, ceiling: float) -> None:
    fund = context(
        [{"kind": "listed_stock", "amount": 10.0}, {"amount": 990.0}],
        as_of=day,
        balance_sheet={"reported_comprehensive_ratio": ratio},
    )
    holds_up_to(rule("equity_ceiling", fund)["equity_ceiling"], ceiling)


def test_before_the_first_table_there_is_no_ceiling_to_apply() -> None:
    fund = context([{"kind": "listed_stock", "amount": 1.0}], as_of=date(2020, 7, 16))
    with pytest.raises(InputError, match="not in force"):
        rule("equity_ceiling", fund)


def test_the_ceiling_names_its_source_and_tier() -> None:
    term = one("equity_ceiling", two_rows("listed_stock"))
    assert (term.source.document, term.source.certainty) == ("金规〔2025〕12号", Certainty.SECONDARY)
    assert "30%" in term.label.en and "150% to 250%" in term.label.en
    assert "30%" in term.label.zh and "190%" in term.label.zh
    left, right = term.shown(at(150.0, 0.0))
    assert (left.tolist(), right.tolist(), term.unit) == ([0.15], [0.3], "share of total assets")


def test_a_supervisory_condition_caps_the_ceiling_and_never_lifts_it() -> None:
    holds_up_to(one("equity_ceiling", two_rows("listed_stock"), supervisory=True), 150)
    low = context(
        [{"kind": "listed_stock", "amount": 10.0}, {"amount": 990.0}],
        balance_sheet={"reported_comprehensive_ratio": 0.9},
    )
    holds_up_to(rule("equity_ceiling", low, supervisory=True)["equity_ceiling"], 100)


def test_the_users_own_ceiling_is_marked_as_theirs() -> None:
    term = one("equity_ceiling", two_rows("listed_stock"), max="25%")
    holds_up_to(term, 250)
    assert term.source.certainty is Certainty.USER


def test_the_rule_goes_by_book_value() -> None:
    # 100 of market value stand at 80 in the books: 375 of market value are 300 of book value.
    fund = context([{"kind": "listed_stock", "amount": 100.0, "book_value": 80.0}, {"amount": 900.0}])
    holds_up_to(one("equity_ceiling", fund), 375)


def test_what_belongs_to_equity() -> None:
    equity = [
        *("listed_stock", "equity_fund", "mixed_fund", "unlisted_equity", "pe_fund", "venture_fund", "equity_plan"),
        *("overseas_stock", "overseas_unlisted", "associate", "subsidiary", "preferred_stock"),
    ]
    other = [
        "cash",
        "government_bond",
        "bond_fund",
        "property",
        "reit",
        "debt_plan",
        "overseas_bond",
        "gold",
        "rate_swap",
    ]
    term = one("equity_ceiling", context([{"kind": kind, "amount": 1.0} for kind in (*equity, *other)]))
    assert term.left.gradient(np.zeros(0)).toarray()[0].tolist() == [1.0] * len(equity) + [0.0] * len(other)


def test_a_row_can_name_its_own_class_and_a_strange_kind_must() -> None:
    product = {"kind": "am_product", "amount": 10.0, "regulatory_class": "equity"}
    holds_up_to(one("equity_ceiling", context([product, {"amount": 990.0, "regulatory_class": None}])), 300)
    with pytest.raises(InputError, match="row 2, column regulatory_class"):
        rule("equity_ceiling", context([{"amount": 1.0}, {"kind": "carbon_allowance", "amount": 1.0}]))


def test_a_stake_in_an_insurer_counts_unless_made_with_own_capital() -> None:
    issuers = pd.DataFrame({"issuer": ["X Life"], "type": ["insurer"]})
    stake = {"kind": "associate", "amount": 10.0, "issuer": "X Life"}
    rows = [stake | {"account": "shareholder"}, stake | {"account": "traditional"}]
    term = one("equity_ceiling", context(rows, issuers=issuers))
    assert term.left.value(at(7.0, 5.0)).tolist() == [5.0]


@pytest.mark.parametrize(
    ("name", "kind", "ceiling", "line"),
    [
        ("real_estate", "property", 300, 200),
        ("other_financial", "trust_plan", 250, 150),
        ("overseas", "overseas_bond", 150, 100),
        ("equity", "listed_stock", None, 200),
    ],
)
def test_class_ratios_and_their_monitoring_lines(name: str, kind: str, ceiling: float | None, line: float) -> None:
    terms = rule("class_limits", two_rows(kind))
    monitoring = terms[f"class_limits:{name}:monitoring"]
    assert monitoring.mode is Mode.MONITOR
    holds_up_to(monitoring, line)
    if ceiling is None:
        assert f"class_limits:{name}" not in terms
    else:
        assert terms[f"class_limits:{name}"].mode is Mode.HARD
        holds_up_to(terms[f"class_limits:{name}"], ceiling)


def test_monitoring_lines_can_be_made_to_bind() -> None:
    terms = rule("class_limits", two_rows("property"), monitoring="hard", mode="soft", price=0.01, priority=3)
    assert terms["class_limits:real_estate:monitoring"].mode is Mode.HARD
    limit = terms["class_limits:real_estate"]
    assert (limit.mode, limit.price, limit.priority) == (Mode.SOFT, 0.01, 3)


def test_overseas_cuts_across_the_classes_and_own_use_is_not_real_estate() -> None:
    rows = [{"kind": "overseas_property", "amount": 1.0}, {"kind": "property", "own_use": True, "amount": 1.0}]
    terms = rule("class_limits", context(rows))
    assert terms["class_limits:real_estate"].left.value(at(2, 3)).tolist() == [2.0]
    assert terms["class_limits:overseas"].left.value(at(2, 3)).tolist() == [2.0]


def test_the_line_of_liquid_assets() -> None:
    term = one("liquid_assets", context([{"kind": "policy_bank_bond", "amount": 10.0}, {"kind": "property"}]))
    assert term.mode is Mode.MONITOR
    assert term.holds(at(50, 0)) and term.holds(at(50 + OUTSIDE, 0)) and not term.holds(at(50 + INSIDE, 900))


@pytest.mark.parametrize(
    ("rating", "counts"), [("AA+", False), ("AA", True), ("BBB", True), ("无评级", True), (None, True)]
)
def test_the_line_of_low_rated_bonds(rating: str | None, counts: bool) -> None:
    rows = [{"kind": "corporate_bond", "amount": 10.0, "rating": rating}, {"amount": 990.0, "rating": None}]
    term = one("low_rated_bonds", context(rows))
    if counts:
        holds_up_to(term, 100)
    else:
        assert term.left.value(at(500, 0)).tolist() == [0.0]
    assert term.mode is Mode.MONITOR


def test_leverage_is_given() -> None:
    fund = context([{"amount": 1000.0}], unit=10.0)
    assert one("leverage", fund, borrowed=20).holds(at(1000)) and not one("leverage", fund, borrowed=20.01).holds(
        at(1000)
    )


def test_venture_funds_together_and_gold() -> None:
    holds_up_to(one("venture_total", two_rows("venture_fund")), 20)
    holds_up_to(one("gold", two_rows("gold")), 10)


def test_a_single_asset_over_all_its_accounts_and_taps() -> None:
    bond = {"kind": "corporate_bond", "amount": 1.0, "tap_of": None}
    rows = [
        bond | {"asset_id": "B", "account": "traditional"},
        bond | {"asset_id": "B", "account": "universal"},
        bond | {"asset_id": "B2", "tap_of": "B"},
        {"asset_id": "G", "kind": "government_bond", "amount": 1.0, "tap_of": None},
        {"asset_id": "C", "kind": "cash", "amount": 1.0, "tap_of": None},
    ]
    term = one("single_asset", context(rows))
    assert term.row_names() == ("single_asset[B]",)
    assert term.holds(at(20, 20, 10, 900, 900))
    assert not term.holds(at(20, 20, 10 + OUTSIDE, 0, 0))


@pytest.mark.parametrize(
    "kind",
    ["government_bond", "central_bank_bill", "policy_bank_bond", "agency_bond", "deposit", "associate", "subsidiary"],
)
def test_what_is_exempt_from_the_single_asset_ceiling(kind: str) -> None:
    assert not rule("single_asset", two_rows(kind))


def test_further_exemptions_are_the_users() -> None:
    assert not rule("single_asset", two_rows("local_government_bond"), exempt_kinds=["local_government_bond"])
    assert not rule("single_asset", two_rows("am_product"), exempt_assets=["A0"])
    assert not rule("single_asset", two_rows("am_product", own_group=True))


def test_a_single_entity_over_all_its_instruments() -> None:
    rows = [
        {"kind": "corporate_bond", "amount": 1.0, "issuer": "X"},
        {"kind": "listed_stock", "amount": 1.0, "issuer": "X"},
        {"kind": "deposit", "amount": 1.0, "counterparty": "Bank"},
        {"kind": "local_government_bond", "amount": 1.0, "issuer": "Province"},
        {"kind": "equity_fund", "amount": 1.0},
    ]
    term = one("single_entity", context(rows))
    assert term.rows == ("X", "Bank")
    assert term.holds(at(150, 50, 200, 900, 900)) and not term.holds(at(150, 50 + OUTSIDE, 0, 0, 0))
    assert not term.holds(at(0, 0, 200 + OUTSIDE, 0, 0))


def test_an_instrument_without_its_issuer_is_an_error_or_left_out() -> None:
    fund = context([{"kind": "corporate_bond", "amount": 1.0, "issuer": "X"}, {"kind": "deposit", "amount": 1.0}])
    with pytest.raises(InputError, match="row 2, column issuer"):
        rule("single_entity", fund)
    assert one("single_entity", fund, blank="skip").rows == ("X",)


def test_the_share_of_a_companys_capital_scales_with_the_amount() -> None:
    # 4% held for 200: 10% cost 500.
    holds_up_to_share = one("share_capital", two_rows("listed_stock", share_capital_held=0.0005))
    assert holds_up_to_share.left.value(at(10, 0)) == pytest.approx([0.0005])
    fund = context([{"kind": "listed_stock", "amount": 200.0, "share_capital_held": 0.04}, {"amount": 800.0}])
    holds_up_to(one("share_capital", fund), 500)
    with pytest.raises(InputError, match="row 1, column share_capital_held"):
        rule("share_capital", two_rows("listed_stock"))
    assert not rule("share_capital", two_rows("listed_stock"), blank="skip")


@pytest.mark.parametrize(
    ("kind", "day", "limit"),
    [
        ("venture_fund", date(2025, 4, 7), 40),
        ("venture_fund", date(2025, 4, 8), 60),
        ("pe_fund", date(2025, 4, 7), 40),
        ("pe_fund", date(2026, 6, 30), 40),
    ],
)
def test_the_share_of_one_fund(kind: str, day: date, limit: float) -> None:
    rows = [{"kind": kind, "amount": 10.0, "fund_size": 200.0}, {"amount": 990.0}]
    holds_up_to(rule("fund_size", context(rows, as_of=day))[f"fund_size:{kind}"], limit)


def test_a_group_together_holds_sixty_percent_of_a_private_equity_fund() -> None:
    rows = [{"kind": "pe_fund", "amount": 10.0, "fund_size": 200.0, "group_share_held": 0.45}, {"amount": 990.0}]
    terms = rule("fund_size", context(rows))
    holds_up_to(terms["fund_size:group"], 30)  # 60% − 45% of 200
    holds_up_to(terms["fund_size:pe_fund"], 40)


def test_a_fund_without_a_size_or_with_two() -> None:
    with pytest.raises(InputError, match="row 1, column fund_size"):
        rule("fund_size", two_rows("venture_fund"))
    assert not rule("fund_size", two_rows("venture_fund"), blank="skip")
    fund = {"kind": "pe_fund", "asset_id": "P", "amount": 1.0}
    twice = context([fund | {"fund_size": 200.0}, fund | {"fund_size": 300.0, "account": "universal"}])
    with pytest.raises(InputError, match="two sizes"):
        rule("fund_size", twice)


@pytest.mark.parametrize(("ratio", "barred"), [(1.5, False), (1.4999, True)])
def test_public_reits_need_solvency(ratio: float, barred: bool) -> None:
    rows = [{"kind": "reit", "amount": 10.0}, {"amount": 990.0}]
    terms = rule("reit_solvency", context(rows, balance_sheet={"reported_comprehensive_ratio": ratio}))
    assert bool(terms) is barred
    if barred:
        holds_up_to(terms["reit_solvency"], 10)


@pytest.mark.parametrize(("ratio", "barred"), [(1.2, False), (1.1999, True)])
def test_through_a_manager_public_reits_need_less_solvency(ratio: float, barred: bool) -> None:
    """银保监办发〔2021〕120号: 150% for own account, 120% through a manager."""
    rows = [{"kind": "reit", "amount": 10.0, "through_manager": True}, {"amount": 990.0}]
    terms = rule("reit_solvency", context(rows, balance_sheet={"reported_comprehensive_ratio": ratio}))
    assert set(terms) == ({"reit_solvency:manager"} if barred else set())
    for term in terms.values():
        holds_up_to(term, 10)


@pytest.mark.parametrize(("ratio", "barred"), [(1.0, False), (0.9999, True)])
def test_below_full_solvency_no_equity_is_bought(ratio: float, barred: bool) -> None:
    """银保监办发〔2020〕63号 item 2: at 99.99% stock of 10 may be kept or sold, not added to."""
    rows = [{"kind": "listed_stock", "amount": 10.0}, {"amount": 990.0}]
    terms = rule("equity_ceiling", context(rows, balance_sheet={"reported_comprehensive_ratio": ratio}))
    assert ("equity_ceiling:no_purchases" in terms) is barred
    if barred:
        holds_up_to(terms["equity_ceiling:no_purchases"], 10)


@pytest.mark.parametrize(
    ("row", "group"),
    [
        ({"kind": "unlisted_equity"}, "private_equity"),
        ({"kind": "pe_fund"}, "private_equity"),
        ({"kind": "property"}, "private_equity"),
        ({"kind": "venture_fund"}, "venture"),
        ({"kind": "perpetual_capital_bond"}, "bank_capital"),
        ({"kind": "financial_bond", "tier2_capital": True}, "bank_capital"),
        ({"kind": "perpetual_capital_bond", "issuer": "I"}, None),
        ({"kind": "financial_bond"}, None),
        ({"kind": "listed_stock"}, None),
    ],
)
def test_the_gates_of_120_percent(row: dict[str, object], group: str | None) -> None:
    """保监发〔2012〕59号 item 1, 101号, notice of 2020-05-27: nothing is added at 119.99%, all is free at 120%."""
    issuers = pd.DataFrame({"issuer": ["I"], "type": ["insurer"]})
    rows = [{"amount": 10.0, **row}, {"amount": 990.0}]
    free = context(rows, balance_sheet={"reported_comprehensive_ratio": 1.2}, issuers=issuers)
    assert not rule("solvency_gates", free)
    terms = rule(
        "solvency_gates", context(rows, balance_sheet={"reported_comprehensive_ratio": 1.1999}, issuers=issuers)
    )
    assert set(terms) == (set() if group is None else {f"solvency_gates:{group}"})
    for term in terms.values():
        holds_up_to(term, 10)


@pytest.mark.parametrize(
    ("ratio", "allowed"),
    [
        (2.0, {"AAA", "AA", "AA-", "BBB", "BBB-", None}),
        (1.9999, {"AAA", "AA", "AA-", "BBB"}),
        (1.2, {"AAA", "AA", "AA-", "BBB"}),
        (1.1999, {"AAA", "AA"}),
    ],
)
def test_the_rating_floor_of_corporate_bonds(ratio: float, allowed: set[str | None]) -> None:
    ratings = ["AAA", "AA", "AA-", "BBB", "BBB-", None]
    rows = [{"kind": "corporate_bond", "amount": 10.0, "rating": rating} for rating in ratings]
    terms = rule("corporate_rating_floor", context(rows, balance_sheet={"reported_comprehensive_ratio": ratio}))
    for row, rating in enumerate(ratings):
        bought = np.full(6, 10.0)
        bought[row] = 11.0
        assert all(term.holds(bought) for term in terms.values()) is (rating in allowed)
    assert all(term.holds(np.zeros(6)) for term in terms.values())


GOOD = {
    **{"manager_years": 5, "manager_assets": 1e9, "manager_exits": 10, "largest_underlying_share": 0.1},
    **{"manager_coinvestment": 0.03, "manager_professionals": 5, "manager_earlier_funds": 1},
}


@pytest.mark.parametrize(
    ("change", "barred"),
    [
        ({}, None),
        ({"manager_years": 4.9}, "manager_years"),
        ({"manager_assets": 0.99e9}, "manager_assets"),
        ({"manager_exits": 9}, "manager_exits"),
        ({"largest_underlying_share": 0.11}, "largest_underlying_share"),
        ({"manager_coinvestment": 0.029}, "manager_coinvestment"),
        ({"manager_professionals": 4}, "manager_professionals"),
        ({"manager_earlier_funds": 0}, "manager_earlier_funds"),
    ],
)
def test_the_conditions_of_venture_funds(change: dict[str, float], barred: str | None) -> None:
    terms = rule("venture_conditions", two_rows("venture_fund", **(GOOD | change)))
    assert set(terms) == ({f"venture_conditions:{barred}"} if barred else set())
    for term in terms.values():
        holds_up_to(term, 10)


def test_an_unknown_condition_is_an_error_or_taken_for_met() -> None:
    with pytest.raises(InputError) as raised:
        rule("venture_conditions", two_rows("venture_fund", manager_years=6))
    assert [problem.where for problem in raised.value.problems] == [
        f"assets, row 1, column {name}"
        for name in (
            "manager_assets",
            "manager_exits",
            "manager_coinvestment",
            "manager_professionals",
            "manager_earlier_funds",
            "largest_underlying_share",
        )
    ]
    assert not rule("venture_conditions", two_rows("venture_fund", manager_years=6), blank="skip")


def test_a_missing_denominator_is_named() -> None:
    fund = context([{"amount": 1.0}], balance_sheet={"total_assets": None})  # type: ignore[dict-item]
    with pytest.raises(InputError, match="balance_sheet.total_assets"):
        rule("class_limits", fund)
    silent = context([{"kind": "reit", "amount": 1.0}], balance_sheet={"reported_comprehensive_ratio": None})  # type: ignore[dict-item]
    with pytest.raises(InputError, match="reported_comprehensive_ratio"):
        rule("reit_solvency", silent)


def test_no_worse_holds_a_breach_where_it_is() -> None:
    rows = [{"kind": "listed_stock", "amount": 400.0}, {"kind": "corporate_bond", "amount": 60.0}, {"amount": 540.0}]
    ceiling = one("equity_ceiling", context(rows), no_worse=True)
    assert ceiling.holds(at(400, 0, 0)) and not ceiling.holds(at(400 + OUTSIDE, 0, 0))
    assert "in breach" in ceiling.label.en and "已超限" in ceiling.label.zh
    assets = one("single_asset", context(rows), no_worse=True)
    assert assets.holds(at(400, 60, 0)) and not assets.holds(at(400, 60 + OUTSIDE, 0))
    met = one("equity_ceiling", context([{"kind": "listed_stock", "amount": 100.0}, {"amount": 1.0}]), no_worse=True)
    assert met.right.tolist() == [300.0] and "breach" not in met.label.en
    line = one("liquid_assets", context([{"kind": "property", "amount": 990.0}, {"amount": 10.0}]), no_worse=True)
    assert line.holds(at(990, 10)) and not line.holds(at(990, 10 + INSIDE))


def test_every_figure_of_the_book_has_a_known_document_and_certainty() -> None:
    book = RuleBook.load("allocator_limits", "rules/limits.yaml")
    for key in book.keys:
        figure = book.at(key, date(2026, 6, 30))
        assert book.title(figure.source) is not None
        assert figure.source.certainty in (Certainty.RULE_TEXT, Certainty.SECONDARY, Certainty.RECALLED)


def test_a_soft_limit_needs_a_price() -> None:
    settings = Settings(fund=FundSettings(name="test", as_of=date(2026, 6, 30)), inputs={})
    with pytest.raises(InputError, match="needs a price") as raised:
        validate_options(LimitOptions, {"mode": "soft"}, settings, "constraints.1.gold")
    assert "price" in raised.value.render("zh")
    assert (
        validate_options(LimitOptions, {"mode": "soft", "price": "5bp"}, settings, "constraints.1.gold").price == 5e-4
    )


BOOK = """
documents: {act: {name: Act, title: {en: The act, zh: 法}}}
figures:
  rate:
    label: {en: Rate, zh: 比率}
    unit: share
    versions:
      - {document: act, certainty: C, value: 0.1}
      - {effective: 2025-01-01, document: act, article: §2, certainty: A, value: 0.2}
      - {effective: 2027-01-01, document: act, certainty: B, value: {least: 0.3}}
"""


def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> RuleBook:
    name = f"book_{abs(hash(content))}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    (tmp_path / name / "rules.yaml").write_text(content, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return RuleBook.load(name, "rules.yaml")


def test_a_rule_book_gives_the_version_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = book(tmp_path, monkeypatch, BOOK)
    always = rules.at("rate", date(2024, 12, 31))
    assert (always.number, always.source.effective, always.source.certainty) == (0.1, "", Certainty.RECALLED)
    first_day = rules.at("rate", date(2025, 1, 1))
    assert (first_day.number, str(first_day.source), first_day.source.effective) == (0.2, "Act §2", "2025-01-01")
    last = rules.at("rate", date(2030, 1, 1))
    assert last.table == {"least": 0.3}
    for form in ("number", "names"):
        with pytest.raises(TypeError, match="rate"):
            getattr(last, form)
    with pytest.raises(TypeError, match="rate"):
        _ = always.table
    assert always.or_user(None) is always and always.or_user(0.5).source.certainty is Certainty.USER
    assert [text.zh for text in (rules.title(always.source),) if text] == ["法"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("document: act, certainty: C", "document: law, certainty: C"),
        ("effective: 2025-01-01", "effective: 2028-01-01"),
        ("value: 0.1", "value: .nan"),
        ("unit: share", "units: share"),
        ("certainty: A", "certainty: Z"),
        ("versions:", "versions: ["),
    ],
)
def test_a_rule_book_out_of_form_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    with pytest.raises(ValueError, match="rules.yaml"):
        book(tmp_path, monkeypatch, BOOK.replace(old, new))


@pytest.mark.parametrize(
    ("cell", "rating"),
    [
        ("AAA", "AAA"),
        ("AA +", "AA+"),
        ("aa＋", "AA+"),
        ("AAAsf", "AAA"),
        ("AA级", "AA"),
        ("AA−", "AA-"),
        ("AA（稳定）", "AA"),
        ("AAA/AA+", "AA+"),
    ],
)
def test_ratings_in_usual_notations(cell: str, rating: str) -> None:
    assert parse_rating(cell) == SCALE.index(rating)


@pytest.mark.parametrize("cell", [None, np.nan, "", " ", "无评级", "NR", "-"])
def test_no_rating(cell: object) -> None:
    assert parse_rating(cell) == UNRATED


@pytest.mark.parametrize("cell", ["AB", "Aa1", "Baa2", "A-1", "AAAA"])
def test_what_is_not_on_the_scale(cell: str) -> None:
    assert parse_rating(cell) is None


def test_a_rating_that_is_none_is_an_error_with_its_row() -> None:
    fund = context([{"amount": 1.0, "rating": "AA"}, {"amount": 1.0, "rating": "AB"}])
    problems = Problems()
    ranks = rating_ranks(fund.inputs, np.array([True, True]), problems)
    assert ranks[0] == SCALE.index("AA")
    assert [problem.where for problem in problems] == ["assets, row 2, column rating"]
