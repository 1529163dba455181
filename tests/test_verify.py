"""The independent check accepts what holds and names what does not."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import allocator.verify
from allocator.errors import VerificationError
from allocator.model import Linear, Model, Sense, Term
from allocator.solve import solve
from allocator.types import Source
from allocator.verify import verify
from tests.books import book, label
from tests.small_models import trap


def test_every_requirement_is_listed() -> None:
    case = book(2)
    answer = solve(case.model)
    found = verify(case.model, answer.holdings)
    assert found.passed
    names = [check.name for check in found.checks]
    assert names[0].startswith("bounds[")
    assert {"budget[traditional]", "budget[participating]", "capital[comprehensive]"} <= set(names)
    ratio = next(check for check in found.checks if check.name == "capital[comprehensive]")
    assert case.model.tree is not None
    assert ratio.left == pytest.approx(case.model.capital_limits[0].available / case.model.tree.value(answer.holdings))
    assert ratio.right == case.required


def test_a_miss_of_the_ratio_beyond_the_tolerance_is_refused() -> None:
    # All in equity: M = 0.35 × 100 = 35, so the ratio is 35 / 35 = 1 where 2 is required.
    with pytest.raises(VerificationError, match=r"capital\[comprehensive\].*got 1, allowed 2 "):
        verify(trap(), np.array([0.0, 0.0, 100.0]))


def test_the_worst_failure_comes_first() -> None:
    case = book(2)
    holdings = solve(case.model).holdings * 1.01
    holdings[0] = -1e-3 * case.model.space.total
    with pytest.raises(VerificationError) as caught:
        verify(case.model, holdings)
    where = [problem.where for problem in caught.value.problems]
    assert len(where) >= 3
    # A row at −0.1% of the total misses by 1e4 tolerances, the budgets, 1% too large, by about 1e5.
    assert where[0].startswith(("budget[", "bounds["))
    misses = [float(problem.got) - float(problem.allowed.split()[0]) for problem in caught.value.problems]  # type: ignore[arg-type,union-attr]
    assert abs(misses[0]) >= abs(misses[1]) >= abs(misses[2])


def test_a_number_that_is_none_fails() -> None:
    case = book(2)
    holdings = solve(case.model).holdings
    holdings[0] = np.nan
    with pytest.raises(VerificationError, match="nan"):
        verify(case.model, holdings)


@pytest.mark.parametrize(("miss", "passes"), [(0.5e-7, True), (2e-7, False)])
def test_the_tolerance_is_the_published_one(miss: float, passes: bool) -> None:
    case = book(2)
    holdings = solve(case.model).holdings
    held = float(holdings.sum())
    total = case.model.space.total
    # A share of the total that is missed by 0.5e-7 passes, by 2e-7 does not.
    rule = Term(
        "share",
        label("share"),
        Linear.of(np.ones(len(holdings))),
        Sense.AT_MOST,
        np.array([held - miss * total]),
        np.array([total]),
        "share",
        Source("user"),
    )
    model = Model(case.model.space, case.model.objective, (rule,), case.model.cost)
    if passes:
        assert verify(model, holdings).passed
    else:
        with pytest.raises(VerificationError, match="share"):
            verify(model, holdings)


def test_it_reads_nothing_of_the_solver() -> None:
    tree = ast.parse(Path(allocator.verify.__file__).read_text(encoding="utf-8"))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert not any("cvxpy" in name or "solve" in name for name in modules)
