"""Plans: money is conserved, contracts run off, ratios hold at every step by an engine of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator import AllocatorError, Fund, InputError, cli, load
from allocator.pipeline.scenarios import capital_of, scenario_named, shock_fund, stressed_fund
from allocator.report.plan import plan_report
from allocator.study.plan import PlanStudy, plan
from allocator.study.plan.timeline import step_date
from allocator.types import Language

CASH = {"asset_id": "CASH", "kind": "cash", "amount": 100.0, "expected_return": 0.01}
STOCK = {
    **{"asset_id": "STOCK", "kind": "listed_stock", "amount": 100.0, "cost": 100.0, "board": "main"},
    **{"expected_return": 0.06, "transaction_cost": 0.01},
}
BOND = {
    **{"asset_id": "BOND", "kind": "government_bond", "amount": 200.0, "yield": 0.03, "coupon": 0.03},
    **{"frequency": 1, "maturity": "2028-06-30", "expected_return": 0.03},
}
CURVE = pd.DataFrame({"tenor": range(1, 51), "spot": [0.02] * 50})
POLICIES = pd.DataFrame(
    {"account": ["traditional"] * 3, "year": [1, 2, 3], "outflow": [10.0, 40.0, 200.0], "inflow": [30.0, 0.0, 0.0]}
)


def fund(
    *rows: Mapping[str, Any],
    level: float = 1.5,
    stress: Any = None,
    table_funds: pd.DataFrame | None = None,
    **asked: Any,
) -> Fund:
    """Return a fund of 400 in assets with own funds of 100, planned by years."""
    settings = {
        "fund": {"name": "tiny", "as_of": "2026-06-30"},
        "balance_sheet": {"total_assets": 1000.0, "actual_capital": 100.0, "core_capital": 100.0},
        "capital": {
            **{"regime": "cross2", "life_insurance_risk": 20.0, "control_risk": 0.0, "size_factor": 1.0},
            "require": {"comprehensive": level},
        },
        "objective": {"maximize": "expected_return"},
        "stress": stress or {},
        "plan": {"per_year": 1, "steps": 3, "turnover": 1.0, **asked},
    }
    frame = pd.DataFrame([{"account": "traditional", **row} for row in (rows or (CASH, STOCK, BOND))])
    tables = {} if table_funds is None else {"funds": table_funds}
    return Fund(settings, frame, curve=CURVE, liabilities=POLICIES, **tables)


def check(study: PlanStudy) -> None:
    """Every ratio from checked inputs of its own, and money conserved, account by account."""
    assert study.holds, (study.ratios.to_string(), study.breaches)
    basis = study.basis
    costs = basis.fund.space.linear_cost[basis.source]
    for moment in study.moments:
        number, step = moment.node.number, moment.node.step
        before = basis.start if moment.node.parent < 0 else study.path[moment.node.parent]
        growth = basis.growth(step)
        rolled = growth.kept * moment.price * before
        sold = rolled + study.bought[number] - study.path[number]
        assert sold.min() > -1e-7 * basis.fund.space.total
        spent = study.path[number].sum() + costs @ (study.bought[number] + sold)
        came = rolled.sum() + (growth.paid * before).sum() + sum(basis.outside(step).values())
        assert spent == pytest.approx(came, rel=1e-7)
        own = study.positions[number].own_funds.actual
        change = study.path[number].sum() - basis.start.sum() - moment.liabilities
        assert own == pytest.approx(100.0 + change, abs=1e-6)


def test_money_is_conserved_and_every_ratio_holds() -> None:
    study = plan(fund())
    check(study)
    assert study.frame["comprehensive_ratio"].min() >= 1.5 - 1e-7
    assert study.frame["date"].tolist() == ["2027-06-30", "2028-06-30", "2029-06-30"]


def test_the_report_says_which_step_binds_and_why() -> None:
    """Where a ratio stands at what is required and own funds have a price, with the modules that grew most."""
    book = fund(level=2.0)
    study = plan(book)
    binding = {point.node.step for point in study.points if point.binds}
    assert binding and all(point.reached == pytest.approx(2.0, abs=1e-4) for point in study.points if point.binds)
    assert study.frame.loc[study.frame["binding"], "step"].tolist() == sorted(binding)
    lines = [line for line in plan_report(book, study, Language.ENGLISH).lines if "binds: " in line.en]
    assert [line.en.split()[1] for line in lines] == [str(step) for step in sorted(binding)]
    first = study.moments[min(binding) - 1]
    labels = [study.positions[first.node.number].tree.labels[name] for name in study.causes(first)]
    assert labels and all(label.en in lines[0].en and label.zh in lines[0].zh for label in labels)


@pytest.mark.parametrize(
    ("as_of", "per_year", "days"),
    [
        ("2026-06-30", 4, ["2026-09-30", "2026-12-31", "2027-03-31", "2027-06-30"]),
        ("2026-11-30", 4, ["2027-02-28", "2027-05-31", "2027-08-31", "2027-11-30"]),
        ("2027-02-28", 1, ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28"]),
        ("2026-06-15", 2, ["2026-12-15", "2027-06-15", "2027-12-15", "2028-06-15"]),
        ("2026-12-30", 12, ["2027-01-30", "2027-02-28", "2027-03-30", "2027-04-30"]),
    ],
)
def test_steps_fall_on_calendar_dates(as_of: str, per_year: int, days: list[str]) -> None:
    start = date.fromisoformat(as_of)
    assert [step_date(start, step, per_year).isoformat() for step in range(1, 5)] == days


def test_what_costs_nothing_is_not_bought_and_sold_in_one_step() -> None:
    study = plan(fund(CASH, STOCK | {"transaction_cost": 0.0}, BOND, premiums={"traditional": 10.0}))
    check(study)
    for moment in study.moments:
        number, basis = moment.node.number, study.basis
        before = basis.start if moment.node.parent < 0 else study.path[moment.node.parent]
        sold = basis.growth(moment.node.step).kept * moment.price * before + study.bought[number] - study.path[number]
        assert np.minimum(sold, study.bought[number]).max() <= 1e-7 * basis.fund.space.total


def test_liabilities_by_hand() -> None:
    """Flat 2%: now −20/1.02 + 40/1.02² + 200/1.02³; after a year 40/1.02 + 200/1.02²; after three nothing."""
    study = plan(fund())
    now = -20.0 / 1.02 + 40.0 / 1.02**2 + 200.0 / 1.02**3
    later = [40.0 / 1.02 + 200.0 / 1.02**2, 200.0 / 1.02, 0.0]
    assert [moment.liabilities for moment in study.moments] == pytest.approx([value - now for value in later])


def test_a_contract_pays_its_coupon_and_is_paid_back() -> None:
    """A par bond at 3% pays 3 of 103 after a year, and all of what it is worth when it matures (731 days)."""
    study = plan(fund(BOND | {"amount": 300.0}, CASH))
    basis = study.basis
    first, second, third = (basis.growth(step) for step in (1, 2, 3))
    share = 0.03 / (0.03 + 1.03 * 1.03 ** -(366 / 365))
    assert first.paid[0] == pytest.approx(1.03 * share, rel=1e-9)
    assert first.kept[0] + first.paid[0] == pytest.approx(1.03)
    assert first.alive[0] and second.paid[0] == pytest.approx(1.03) and not second.alive[0]
    assert not third.alive[0] and study.path[1, 0] == study.path[2, 0] == 0.0
    assert basis.is_new.tolist() == [False, False, True]


def test_a_higher_ratio_at_the_end_is_reached() -> None:
    usual = plan(fund(level=1.2)).frame["comprehensive_ratio"].tolist()[-1]
    study = plan(fund(level=1.2, end={"comprehensive": usual + 0.3}))
    check(study)
    assert study.frame["comprehensive_ratio"].tolist()[-1] >= usual + 0.3 - 1e-7
    assert bool(study.frame["binding"].tolist()[-1])


def test_a_tighter_promise_never_earns_more() -> None:
    loose, tight = (plan(fund(level=level)).solution.objective for level in (1.2, 2.4))
    assert tight <= loose + 1e-9


def test_a_scenario_is_survived_at_every_step() -> None:
    crash = {"scenarios": {"crash": {"equity": -0.4}}}
    book = fund(stress=crash, under={"crash": {"comprehensive": 1.4}})
    study = plan(book)
    check(study)
    scenario = scenario_named(book, "crash", "plan.under")
    for moment in study.moments:
        after = stressed_fund(moment.fund, shock_fund(moment.fund, scenario), scenario)
        assert capital_of(after).ratio("comprehensive") >= 1.4 - 1e-7
    free = plan(fund(stress=crash))
    assert study.solution.objective <= free.solution.objective + 1e-9


def test_branches_share_what_was_decided_before_they_part() -> None:
    crash = {"scenarios": {"crash": {"equity": -0.5}}}
    split = [{"at": 2, "scenarios": {"base": 0.75, "crash": 0.25}}]
    study = plan(fund(stress=crash, branches=split, level=1.2))
    check(study)
    assert study.frame["branch"].tolist() == ["base", "base", "crash", "base", "crash"]
    assert study.frame["probability"].tolist() == pytest.approx([1.0, 0.75, 0.25, 0.75, 0.25])
    fallen = study.moments[2]
    assert fallen.price.tolist() == pytest.approx([1.0, 0.5, 1.0, 1.0])
    assert fallen.node.parent == study.moments[1].node.parent == 0


def test_premiums_dividends_and_calls() -> None:
    unlisted = {
        "asset_id": "PE",
        "kind": "unlisted_equity",
        "amount": 5.0,
        "strategic_emerging": False,
        "expected_return": 0.0,
    }
    book = fund(
        *(CASH, STOCK, BOND, unlisted),
        premiums={"traditional": 20.0},
        dividends={2: 5.0},
        new_capital={1: 8.0},
        calls={"PE": {1: 7.0}},
    )
    study = plan(book)
    check(study)
    assert [sum(study.basis.outside(step).values()) for step in (1, 2, 3)] == pytest.approx(
        [20.0 + 20.0 + 8.0, -40.0 + 20.0 - 5.0, -200.0 + 20.0]
    )
    assert study.basis.reserves(3) == pytest.approx(60.0)
    assert study.bought[0, 3] >= 7.0 - 1e-6


PRIVATE = {
    **{"asset_id": "PE", "kind": "pe_fund", "amount": 25.0, "min": 25.0, "max": 25.0, "transparency": "opaque"},
    **{"expected_return": 0.08, "transaction_cost": 0.01},
}
COMMITTED = pd.DataFrame(
    {
        **{"asset_id": ["PE"], "vintage": [2025], "commitment": [100.0], "paid_in": [30.0], "nav": [25.0]},
        **{"life": [10], "growth": [0.08], "bow": [2.5], "contribution_rates": ["25%;33%;50%"]},
    }
)
"""In its second year in mid-2026: 33% of what is uncalled is called, then half; RD = (t/10)^2.5 is paid out."""


def takahashi_alexander(years: int) -> list[tuple[float, float, float]]:
    """Calls, distributions and NAV of `COMMITTED` by year, by hand."""
    uncalled, nav, found = 70.0, 25.0, []
    for t in range(2, 2 + years):
        called = (0.33 if t == 2 else 0.50) * uncalled
        paid = (t / 10.0) ** 2.5 * nav * 1.08
        uncalled, nav = uncalled - called, nav * 1.08 - paid + called
        found.append((called, paid, nav))
    return found


def test_committed_funds_call_and_pay_out_by_themselves() -> None:
    book = fund(CASH, STOCK, BOND, PRIVATE, level=1.0, table_funds=COMMITTED)
    study = plan(book)
    check(study)
    by_hand = takahashi_alexander(3)
    assert study.frame["capital_called"].tolist() == pytest.approx([called for called, _, _ in by_hand])
    assert study.frame["distributed"].tolist() == pytest.approx([paid for _, paid, _ in by_hand])
    held = study.holdings[study.holdings["asset_id"] == "PE"]
    # Its bounds stand at what is held: at all of what it becomes by itself, so nothing else is bought or sold.
    assert held["amount"].tolist() == pytest.approx([nav for _, _, nav in by_hand], rel=1e-6)
    assert held["bought"].tolist() == pytest.approx([called for called, _, _ in by_hand], rel=1e-6)
    paid_in = 30.0
    for moment, (called, _, nav) in zip(study.moments, by_hand, strict=True):
        paid_in += called
        line = moment.fund.inputs.tables["funds"].iloc[0]
        assert (line["paid_in"], line["nav"]) == pytest.approx((paid_in, nav), rel=1e-6)


def test_calls_by_hand_take_the_place_of_projected_ones_and_all_can_be_switched_off() -> None:
    book = fund(CASH, STOCK, BOND, PRIVATE | {"max": 99.0}, level=1.0, calls={"PE": {1: 7.0}}, table_funds=COMMITTED)
    assert plan(book).frame["capital_called"].tolist() == pytest.approx([7.0, 0.0, 0.0])
    off = plan(fund(CASH, STOCK, BOND, PRIVATE, level=1.0, commitments=False, table_funds=COMMITTED))
    assert off.frame[["capital_called", "distributed"]].to_numpy().tolist() == [[0.0, 0.0]] * 3


@pytest.mark.parametrize("per_year", [1, 2, 4, 12])
def test_the_steps_of_a_year_call_and_pay_out_what_the_year_does(per_year: int) -> None:
    """A fund that calls no more ends the year where the yearly model does; calls come in equal parts."""
    called_up = COMMITTED.assign(paid_in=[100.0])
    whole, parts = (
        fund(PRIVATE, table_funds=table)
        .registry.commitments["funds"]
        .project(fund(PRIVATE, table_funds=table).inputs, 3 * steps, steps)
        for table, steps in ((called_up, 1), (called_up, per_year))
    )
    assert whole is not None and parts is not None
    kept = (1.0 - parts.share_paid[:, 0]).reshape(3, per_year).prod(axis=1)
    assert kept == pytest.approx(1.0 - whole.share_paid[:, 0])
    assert [1.0 - (t / 10.0) ** 2.5 for t in (2, 3, 4)] == pytest.approx(kept)
    book = fund(PRIVATE, table_funds=COMMITTED)
    flows = book.registry.commitments["funds"].project(book.inputs, 2 * per_year, per_year)
    assert flows is not None
    assert flows.called[:, 0].tolist() == pytest.approx([23.1 / per_year] * per_year + [23.45 / per_year] * per_year)


def test_sales_stay_within_the_turnover() -> None:
    study = plan(fund(turnover=0.02))
    check(study)
    # Benefits of 40 and 200 take more than the accounts earn: that much is sold beside what the cap allows.
    free = [0.0, *(max(-sum(study.basis.outside(step).values()), 0.0) for step in (2, 3))]
    for line, paid in zip(study.frame.itertuples(), free, strict=True):
        assert line.sold <= 0.02 * 1.05 * line.assets + paid + 1e-6


def test_what_cannot_be_met_is_said() -> None:
    with pytest.raises(AllocatorError) as caught:
        plan(fund(level=15.0))
    assert caught.value.exit_status in (3, 4)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"premiums": {"universal": 1.0}}, ("plan.premiums", "universal", "该账户没有资产")),
        ({"calls": {"PE": {1: 1.0}}}, ("plan.calls.PE", "no such asset")),
        ({"under": {"crash": {"comprehensive": 1.0}}}, ("plan.under", "no scenario has this name")),
        ({"under": {"annual_insurance": {"comprehensive": 1.0}}}, ("plan.under", "not computed")),
        ({"require": {"solvency": 1.0}}, ("plan.require", "solvency", "comprehensive")),
        ({"branches": [{"at": 9, "scenarios": {"base": 1.0}}]}, ("plan.branches", "1 … 3")),
        ({"branches": [{"at": 1, "scenarios": {"base": 0.5}}]}, ("probabilities", "概率")),
    ],
)
def test_what_is_wrong_is_named(asked: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        plan(fund(**asked))
    told = caught.value.render("en") + caught.value.render("zh")
    assert all(word in told for word in words), told


EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "first_fund" / "fund.yaml"


def test_the_command_writes_and_tells_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    asked = ["--set", "plan.steps=2", "--set", "plan.per_year=1"]
    with pytest.raises(SystemExit) as end:
        cli.main(["plan", str(EXAMPLE), *asked, "-o", str(out), "--json"])
    assert int(end.value.code or 0) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["holds"] and told["status"] == "optimal"
    table = pd.read_csv(out / "plan.csv")
    assert np.allclose(table["comprehensive_ratio"], [row["comprehensive_ratio"] for row in told["plan"]])
    assert (table["comprehensive_ratio"] >= 2.0 - 1e-7).all()
    held = pd.read_csv(out / "plan_holdings.csv")
    assert held.groupby("step")["amount"].sum().tolist() == pytest.approx(table["assets"].tolist(), rel=1e-6)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "多期规划" in page and "<svg" in page


def test_net_asset_values_of_funds_follow_what_is_held() -> None:
    """The replica's fund table states each vintage's NAV, which a rule holds against the amounts of the same date."""
    path = EXAMPLE.parents[1] / "life_insurer" / "fund.yaml"
    study = plan(load(path, ["plan.steps=1", "plan.gap=10bp"]))
    assert study.holds
    frame = study.moments[0].fund.inputs.tables["funds"]
    held = study.holdings.groupby("asset_id")["amount"].sum()
    assert frame.groupby("asset_id")["nav"].sum().to_dict() == pytest.approx(
        held[frame["asset_id"].unique()].to_dict(), rel=0.01
    )


def test_the_page_names_accounts_kinds_ratios_and_scenarios_in_both_languages() -> None:
    branches = [{"at": 2, "scenarios": {"base": "70%", "sensitivity_equity": "30%"}}]
    book = fund(level=1.0, branches=branches, under={"quarterly_equity": {"comprehensive": 0.5}})
    report = plan_report(book, plan(book), Language.CHINESE)
    page = report.page()
    cells = set(re.findall(r'<td[^>]*><span class="en" lang="en">([^<]*)</span><span class="zh" lang="zh">', page))
    assert {"Traditional", "Government bond", "Comprehensive solvency ratio", "as planned"} <= cells
    assert any("equity-type assets" in cell for cell in cells)
    raw = ("traditional", "government_bond", "comprehensive", "sensitivity_equity", "quarterly_equity", "base")
    assert not [name for name in raw if f">{name}</td>" in page]
    assert set(report.tables[2].frame["kind"]) == {"cash", "listed_stock", "government_bond"}
