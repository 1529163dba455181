"""The frontier: a hand-worked one, levels that equal runs of their own, kinks, files in both languages."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import allocator
from allocator import cli
from allocator.capital.nodes import Leaf, Maximum
from allocator.capital.tree import CapitalTree
from allocator.config.settings import SolveSettings
from allocator.errors import Infeasible, InputError
from allocator.model.model import Model
from allocator.pipeline.scenarios import stress
from allocator.solve import solve
from allocator.solve.program.program import SolverStatus
from allocator.solve.relaxation.formulation import Formulation
from allocator.solve.solvers.backends import SolverChain
from allocator.solve.sweep.sweep import Sweep
from allocator.study.corner_portfolios import CornerPortfolio, find_corner_portfolios, find_segments
from allocator.study.frontier import FrontierSettings, frontier
from allocator.study.plan import plan
from allocator.study.studies import STUDIES
from allocator.types import Text
from allocator.verify import verify
from tests.books import book
from tests.small_models import trap

FIRST = Path(__file__).resolve().parent.parent / "examples" / "first_fund" / "fund.yaml"


def _by_hand() -> allocator.Fund:
    """100 of cash at 1%; at most 20 of a stock at 6% and 40 of a bond at 3% can be bought."""
    assets = pd.DataFrame(
        {
            "asset_id": ["cash", "stock", "bond"],
            "kind": ["cash", "listed_stock", "government_bond"],
            "amount": [100.0, 0.0, 0.0],
            "max": [100.0, 20.0, 40.0],
            "expected_return": [0.01, 0.06, 0.03],
        }
    )
    settings = {
        "fund": {"name": "by <hand>", "as_of": "2026-06-30"},
        "objective": {"maximize": "expected_return"},
        "constraints": [{"turnover": {"max": 1.0}}],
    }
    return allocator.Fund(settings, assets)


def test_a_frontier_worked_by_hand() -> None:
    # Turnover is ½ Σ |trade| / 100: the stock first, 5% more a unit up to 0.2, then the bond, 2% more up to 0.6.
    found = _by_hand().frontier(13, "turnover", "expected_return").value
    levels = np.array([point.level for point in found.points])
    assert levels[[0, -1]] == pytest.approx([0.003, 0.6], abs=2e-6)
    by_hand = 0.01 + 0.05 * np.minimum(levels, 0.2) + 0.02 * np.maximum(levels - 0.2, 0.0)
    assert [point.value for point in found.points] == pytest.approx(by_hand, abs=1e-6)
    kink = found.corner_portfolios[0]
    assert kink.at == pytest.approx(0.2, abs=1e-4)
    assert kink.slopes == pytest.approx((0.05, 0.02), abs=1e-4)
    assert "stock" in kink.rows
    assert found.segments[0].binding == ("turnover",)


def _larger_of_two() -> CapitalTree:
    """Return the larger of what the stock and the bond are charged."""
    label = Text("Test", "测试")
    leaves = tuple(Leaf(name, label, "", row=row) for row, name in enumerate(("equity", "spread")))
    coefficients = sparse.csr_array(np.array([[0.0, 0.4, 0.0], [0.0, 0.0, 0.2]]))
    return CapitalTree(Maximum("largest", label, "", leaves), coefficients, np.zeros(2))


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        ((80.0, 20.0, 0.0), (70.0, 10.0, 20.0), "rows"),
        ((90.0, 5.0, 5.0), (85.0, 10.0, 5.0), "traded"),
        ((80.0, 10.0, 10.0), (55.0, 10.0, 35.0), "modules"),
        ((80.0, 15.0, 5.0), (79.0, 15.0, 6.0), ""),
    ],
)
def test_a_kink_where_no_rule_changes_names_what_does(
    before: tuple[float, ...], after: tuple[float, ...], cause: str
) -> None:
    """A stock with bounds 0 and 20 of which 5 are held now, traded at a cost; a bond with bounds 0 and 40."""
    model = _by_hand().model
    cost = replace(model.cost, buy=np.array([0.0, 0.01, 0.0]), reference=np.array([95.0, 5.0, 0.0]))
    points: list[Any] = [
        SimpleNamespace(level=level, value=0.0, slope=slope, prices={"turnover": 1.0}, holdings=np.array(held))
        for level, slope, held in ((0.1, -1.0, before), (0.2, -2.0, after))
    ]
    segments = tuple(find_segments(points))
    (kink,) = find_corner_portfolios(replace(model, cost=cost), points, segments, lambda holdings: _larger_of_two())
    named = {"rows": kink.rows, "traded": kink.traded, "modules": kink.modules}
    assert kink.enters == kink.leaves == ()
    assert [name for name, found in named.items() if found][:1] == ([cause] if cause else [])
    assert not cause or named[cause][0] == {"rows": "stock", "traded": "stock", "modules": "largest"}[cause]


def test_each_level_equals_a_run_of_its_own() -> None:
    found = allocator.load(FIRST).frontier(5).value
    for point in found.points[:4]:
        run = allocator.load(FIRST, [f"capital.require.comprehensive={point.level!r}"]).optimize().value
        assert point.value == pytest.approx(run.solution.objective, abs=2e-5)
        assert point.value <= run.solution.bound + 1e-9
        assert run.solution.objective <= point.bound + 1e-9
        assert point.ratios["comprehensive"] >= point.level - 1e-7


def test_the_slope_is_that_of_the_values() -> None:
    found = allocator.load(FIRST).frontier(30).value
    middle = found.points[5:15]
    rise = (middle[-1].value - middle[0].value) / (middle[-1].level - middle[0].level)
    assert np.mean([point.slope for point in middle]) == pytest.approx(rise, rel=0.1)
    values = [point.value for point in found.points]
    assert all(later < earlier + 1e-5 for earlier, later in zip(values, values[1:], strict=False))


def _levels(model: Model, count: int) -> list[Model]:
    """Return the model under rising requirements, from what it requires down to 0.9 of it, tightest first."""
    limits = model.capital_limits
    return [
        replace(model, capital_limits=tuple(replace(one, multiplier=factor * one.multiplier) for one in limits))
        for factor in np.linspace(0.9, 1.0, count)[::-1]
    ]


@pytest.mark.parametrize("seed", range(8))
def test_a_sweep_answers_what_separate_searches_answer(seed: int) -> None:
    settings = SolveSettings(gap=1e-5)
    levels = _levels(book(seed).model, 4)
    sweep = Sweep(levels[-1], settings)
    for level in levels:
        swept, alone = sweep.solve(level), solve(level, settings)
        verify(swept.model, swept.solution.holdings, swept.model.tree)
        assert swept.solution.status == "optimal"
        assert swept.solution.objective <= alone.bound + 1e-9
        assert alone.objective <= swept.solution.bound + 1e-9


def test_a_sweep_does_not_fall_into_the_naive_cones_hole() -> None:
    levels = _levels(trap(), 5)
    sweep = Sweep(levels[-1], SolveSettings(gap=1e-6))
    for level in levels:
        swept = sweep.solve(level).solution
        assert swept.objective == pytest.approx(solve(level).objective, abs=1e-5)


def test_a_part_split_where_capital_is_dear_is_one_again_where_it_is_not() -> None:
    """Near the far end a point of the ratio is dear, and the charges' range of the whole book too wide for the gap."""
    found = allocator.load(FIRST.parents[1] / "life_insurer" / "fund.yaml").frontier(12).value
    assert not any(point.alone for point in found.points)
    assert {point.status for point in found.points} == {"optimal"}
    programs = [point.programs for point in found.points]
    assert programs[-1] > 1
    assert programs[:-2] == [1] * 10


def test_a_level_that_nothing_meets_is_said_to_be_so() -> None:
    model = book(0).model
    limits = tuple(replace(limit, multiplier=100.0 * limit.multiplier) for limit in model.capital_limits)
    with pytest.raises(Infeasible):
        Sweep(model, SolveSettings()).solve(replace(model, capital_limits=limits))


def test_a_kept_solver_answers_as_a_new_one() -> None:
    formulation = Formulation(_levels(book(3).model, 3)[-1])
    kept = SolverChain("CLARABEL")
    for level in _levels(book(3).model, 3):
        program = formulation.at(level).relaxation(formulation.whole).program
        first, second = kept.solve(program, 10.0), SolverChain("CLARABEL").solve(program, 10.0)
        assert first.verdict is second.verdict is SolverStatus.SOLVED
        assert program.value(first.primal) == pytest.approx(program.value(second.primal), abs=1e-7)


def test_a_moved_right_side_is_that_of_a_formulation_of_its_own() -> None:
    fund = _by_hand()
    terms = tuple(replace(t, right=0.5 * t.right) if t.name == "turnover" else t for t in fund.model.terms)
    tighter = replace(fund.model, terms=terms)
    moved, own = Formulation(fund.model).at(tighter), Formulation(tighter)
    program = moved.relaxation(None).program
    assert SolverChain().solve(program, 10.0).primal[moved.plain.holdings] == pytest.approx(
        SolverChain().solve(own.relaxation(None).program, 10.0).primal[own.plain.holdings], abs=1e-6
    )


def test_a_relaxation_moved_from_another_level_is_the_one_built_there() -> None:
    levels = _levels(book(3).model, 3)
    formulation = Formulation(levels[-1])
    first = formulation.at(levels[0]).relaxation(formulation.whole)
    for level in levels:
        here = formulation.at(level)
        moved, built = here.relaxation(formulation.whole, like=first), here.relaxation(formulation.whole)
        assert moved.limits == built.limits and moved.program.blocks == built.program.blocks
        np.testing.assert_array_equal(moved.program.matrix.toarray(), built.program.matrix.toarray())
        np.testing.assert_array_equal(moved.program.right, built.program.right)
        np.testing.assert_array_equal(moved.right, built.right)
    # A limit of zero leaves its row without entries of the tree: the places of another level do not do.
    free = replace(levels[0], capital_limits=(replace(levels[0].capital_limits[0], multiplier=0.0),))
    other = formulation.at(free)
    moved, built = other.relaxation(formulation.whole, like=first), other.relaxation(formulation.whole)
    assert moved.program.matrix.nnz == built.program.matrix.nnz < first.program.matrix.nnz


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (FrontierSettings(between="turnovr"), "turnover"),
        (FrontierSettings(between="turnover", best="turnover"), "two different"),
        (FrontierSettings(between="turnover", low=0.3, high=0.1), "no range"),
    ],
)
def test_what_cannot_be_a_frontier_is_named(settings: FrontierSettings, named: str) -> None:
    with pytest.raises(InputError, match=named):
        frontier(_by_hand(), settings)


@pytest.mark.parametrize("modules", [("market_risk",), ()])
def test_every_kink_is_told_with_its_cause(modules: tuple[str, ...]) -> None:
    from allocator.report.frontier import frontier_lines
    from allocator.types import Language

    found = allocator.load(FIRST).frontier(3).value
    kink = CornerPortfolio(found.points[0].level, found.points[1].level, 2.0, (-1.0, -2.0), (), (), (), (), modules)
    bare = replace(
        found, corner_portfolios=(kink,) * (len(found.segments) - 1), segments=(*found.segments[:1], found.segments[0])
    )
    for language, words in ((Language.ENGLISH, ("counts in:", "bends")), (Language.CHINESE, ("部分改变", "弯曲"))):
        (line,) = [
            line for line in frontier_lines(bare, language) if "2" in line and ("kink" in line or "拐点" in line)
        ]
        assert words[0 if modules else 1] in line


def test_ratios_have_one_name_in_every_table() -> None:
    fund = allocator.load(FIRST, ["plan.steps=1"])
    tables = [fund.frontier(2).value.frame, stress(fund).frame, plan(fund).frame]
    tables += [pd.DataFrame(STUDIES[name].rows(fund, STUDIES[name].options())) for name in ("run", "capital")]
    for frame in tables:
        assert {"comprehensive_ratio", "core_ratio"} <= set(frame.columns)
        assert not [name for name in frame if str(name).startswith("ratio_")]


def test_a_frontier_needs_two_points() -> None:
    with pytest.raises(InputError, match="points"):
        FrontierSettings(points=1)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_command_writes_whole_files_in_both_languages(
    language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as end:
        cli.main(["frontier", str(FIRST), "-o", str(out), "--points", "4", "--to", "3.0", "--lang", language])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert {"en": "each verified", "zh": "均已复核"}[language] in shown
    entry = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert entry["status"] == "optimal"
    assert len(entry["points"]) == 4
    assert set(entry["files"]) == {"allocations.csv", "frontier.csv", "report.html", "report.xlsx", "stretches.csv"}
    frame = pd.read_csv(out / "frontier.csv")
    assert frame["level"].tolist() == pytest.approx([point["level"] for point in entry["points"]])
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("<circle") == 4
    assert "有效前沿" in page and "against comprehensive solvency ratio" in page


def test_names_are_escaped_on_the_page() -> None:
    from allocator.report.frontier import frontier_report
    from allocator.types import Language

    page = frontier_report(_by_hand().frontier(3, "turnover", "expected_return").value, Language.ENGLISH).page()
    assert "by <hand>" not in page and "by &lt;hand&gt;" in page
