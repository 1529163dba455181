"""What desks reported of solver names, whole numbers, ties, frontiers and plans around the search."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator import Fund, Infeasible, InputError
from allocator.study.frontier import FrontierSettings, frontier
from allocator.study.plan.plan_node import moments_along
from allocator.study.plan.projection_basis import make_world
from allocator.study.plan.timeline import timeline
from tests.test_desk_cases_search import BASE, fund, stock


def plain(earned: list[float], amounts: list[float] | None = None, **sections: Any) -> Fund:
    """Return a fund of listed stock without a regime, in CNY."""
    held = amounts or [10.0, 20.0, 0.0, 30.0, 5.0, 35.0][: len(earned)]
    rows = [
        {"asset_id": f"A{n}", "kind": "listed_stock", "account": "traditional", "amount": amount, "expected_return": mu}
        for n, (amount, mu) in enumerate(zip(held, earned, strict=True))
    ]
    settings = {"fund": {"name": "plain", "as_of": "2026-06-30"}, "objective": {"maximize": "expected_return"}}
    return Fund(settings | sections, pd.DataFrame(rows))


# ---- among equals the book stays


@pytest.mark.parametrize("level", [0.05, 0.0, -0.01])
def test_where_all_rows_earn_the_same_nothing_is_traded(level: float) -> None:
    result = plain([level] * 6).optimize().value
    assert result.status == "optimal" and result.objective == pytest.approx(level)
    assert result.traded == pytest.approx(np.zeros(6), abs=1e-9)


def test_a_gain_however_small_is_traded_for() -> None:
    result = plain([0.05, 0.05, 0.0501]).optimize().value
    assert result.holdings == pytest.approx([0.0, 0.0, 30.0], abs=1e-6)


# ---- a rule in whole numbers that cannot hold


@pytest.mark.parametrize(
    "rule", [{"minimum_ticket": {"amount": 300}}, {"max_names": {"max": 0}}, {"lots": {"size": 7}}]
)
def test_whole_numbers_that_cannot_hold_are_a_conflict_and_no_bad_input(rule: dict[str, Any]) -> None:
    pytest.importorskip("pyscipopt")
    with pytest.raises(Infeasible) as told:
        plain([0.05, 0.04], [50.0, 50.0], constraints=[rule]).optimize()
    assert {str(x.where) for x in told.value.problems} == {"budget[traditional]", *rule}


# ---- a solver by name


@pytest.mark.parametrize("required", [1.0, 1.5])
def test_a_solver_that_cannot_do_it_is_named_with_what_each_can(required: float) -> None:
    with pytest.raises(InputError) as told:
        fund(BASE, required, solve={"solver": "HIGHS"}).optimize()
    (problem,) = told.value.problems
    assert (problem.where, problem.got) == ("solve.solver", "HIGHS")
    assert "CLARABEL" in str(problem.allowed)


def test_a_linear_model_is_one_for_the_simplex() -> None:
    result = plain([0.05, 0.04, 0.06], solve={"solver": "HIGHS"}).optimize().value
    assert result.status == "optimal" and result.solution.solver.startswith("HIGHS")


# ---- frontiers


@pytest.mark.parametrize(("high", "most"), [(0.09, 0.07), (0.0701, 0.07)])
def test_a_level_beyond_reach_is_told_with_what_is_reachable(high: float, most: float) -> None:
    book = plain([0.05, 0.07, 0.03])
    with pytest.raises(Infeasible) as told:
        frontier(book, FrontierSettings(3, "expected_return", "objective", 0.04, high))
    (problem,) = told.value.problems
    assert (problem.where, problem.allowed) == ("--to", f"≤ {most:g}")


def test_ends_are_written_as_every_number_is(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from allocator import cli

    assets = "asset_id,kind,account,amount,expected_return\nA,listed_stock,traditional,50,5%\n"
    (tmp_path / "assets.csv").write_text(assets + "B,listed_stock,traditional,50,4%\n")
    (tmp_path / "fund.yaml").write_text(
        "fund: {name: F, as_of: 2026-06-30, unit: 1}\ninputs: {assets: assets.csv}\nregister: 'off'\n"
        "objective: {maximize: expected_return}\n"
    )
    asked = ["frontier", str(tmp_path / "fund.yaml"), "-o", str(tmp_path / "out"), "--between", "expected_return"]
    for high, status in (("four", 2), ("480bp", 0), ("4.8%", 0), ("5.2%", 3)):
        with pytest.raises(SystemExit) as ended:
            cli.main([*asked, "--from", "4.2%", "--to", high, "--points", "3"])
        assert ended.value.code == status
        assert status == 0 or "--to" in capsys.readouterr().err


# ---- a plan ages what is held


def aged(years: float, per_year: int = 4) -> Fund:
    rows = [stock("CSI", 12.0, 0.06, indices="csi300", holding_years=years), *BASE[1:]]
    return fund(rows, 1.0, plan={"steps": 3, "per_year": per_year})


@pytest.mark.parametrize(("years", "per_year"), [(2.9, 4), (0.0, 1), (1.5, 2)])
def test_holding_years_move_with_the_steps_and_purchases_lower_them(years: float, per_year: int) -> None:
    book = aged(years, per_year)
    world = make_world(book, book.settings.plan)
    nodes = timeline(book, book.settings.plan)
    grown = world.start.copy()
    path = np.zeros((len(nodes), world.size))
    for node in nodes:
        grown = grown * world.growth(node.step).kept
        path[node.number] = grown
    for node, moment in zip(nodes, moments_along(world, nodes, path), strict=True):
        assert moment.ages[0] == pytest.approx(years + node.step / per_year)
        assert moment.fund.inputs.assets["holding_years"][0] == pytest.approx(years + node.step / per_year)
    doubled = path.copy()
    doubled[0, 0] *= 2.0  # as much is bought as is held
    first = moments_along(world, nodes, doubled)[0]
    assert first.ages[0] == pytest.approx(0.5 * (years + 1.0 / per_year))


def test_stock_held_for_three_years_is_charged_by_the_factor_of_the_long_holding() -> None:
    """CSI 300 stock: 0.30 until three years, 0.27 beyond (notice of 2025-12-01)."""
    book = aged(2.9)
    world = make_world(book, book.settings.plan)
    nodes = timeline(book, book.settings.plan)
    path = np.stack([world.start] * len(nodes))
    path[:, 0] *= world.growth(1).kept[0]
    later = moments_along(world, nodes, path)[0].fund
    now, then = (one.regime.charges().query("module == 'equity_price'") for one in (book, later))
    assert now["factor"].iloc[0] == pytest.approx(0.30)
    assert then["factor"].iloc[0] == pytest.approx(0.27)
