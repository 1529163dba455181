"""What a certified bound rests on, for random trees of every kind of node.

Intervals enclose what the tree is worth; the envelope over a box's corners lies nowhere below the norm; the rows of a
relaxation admit every point of its box; and the branches of a box leave none of them out.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from allocator.capital import Aggregate, CapitalTree, Leaf, Maximum, WeightedSum, correlation_matrix
from allocator.model import CapitalLimit
from allocator.solve.program.affine import Affine, Rows
from allocator.solve.program.program import Cone, SolverStatus
from allocator.solve.relaxation.boxes import Box, Branch, _norm_range
from allocator.solve.relaxation.branching import split
from allocator.solve.relaxation.envelope import Norm, add_envelope, slope_signs
from allocator.solve.relaxation.formulation import Assembled, Formulation
from allocator.solve.relaxation.indexed_tree import IndexedTree
from allocator.solve.solvers.backends import SolverChain
from tests.books import build_model, label
from tests.random_trees import correlations, draw_model, draw_points
from tests.small_models import space_of

Vector = NDArray[np.float64]
SEEDS = st.integers(0, 2**32 - 1)
CLOSE = 1e-9
"""What a row may miss: the amounts are of size one, a few roundings each."""


# ---- the judge: written for these tests, from the definitions --------------------------------------------


def inside(formulation: Formulation, branch: Branch, amounts: Vector) -> bool:
    """Return whether a point with these exact amounts belongs to the branch."""
    form = formulation.form
    assert form is not None
    for at, (low, high) in branch.intervals.items():
        if not low - CLOSE <= amounts[at] <= high + CLOSE:
            return False
    for at, allowed in branch.pieces.items():
        pieces = form.pieces[at]
        values = pieces.sign * np.array(pieces.weights) * amounts[list(pieces.children)]
        # A matrix goes with the first largest piece; elsewhere any largest piece will do.
        largest = (
            {int(np.argmax(values))} if at in form.selected.values() else set(np.flatnonzero(values == max(values)))
        )
        if not largest & set(allowed):
            return False
    return True


def enclosed(box: Box, amounts: Vector) -> bool:
    """Return whether the box's intervals hold these amounts."""
    return bool(np.all(box.lower <= amounts + CLOSE) and np.all(amounts <= box.upper + CLOSE))


def point_of(formulation: Formulation, assembled: Assembled, holdings: Vector) -> tuple[Vector, NDArray[np.int64]]:
    """Return the program's columns at exact amounts, and those that no amount settles (an envelope's shares)."""
    form, plain = formulation.form, formulation.plain
    assert form is not None
    found = np.full(assembled.program.size, np.nan)
    found[plain.holdings] = holdings / plain.scale
    found[plain.leaves] = form.tree.leaves(holdings) / plain.scale
    amounts = form.amounts(holdings)
    for at, function in assembled.functions.items():
        if not isinstance(form.nodes[at], (Leaf, WeightedSum)):
            (column,) = function.coefficients
            found[column] = amounts[at]
    return np.nan_to_num(found), np.flatnonzero(np.isnan(found))


def missed(formulation: Formulation, assembled: Assembled, holdings: Vector) -> float:
    """Return by how much the rows miss the point: the least over the columns that no amount settles."""
    program = assembled.program
    known, free = point_of(formulation, assembled, holdings)
    rest = program.right - program.matrix @ known
    above, equal, worst, start = [], [], 0.0, 0
    for block in program.blocks:
        span = np.arange(start, start + block.rows)
        start += block.rows
        if block.cone is Cone.SECOND_ORDER:
            assert not program.matrix[span][:, free].nnz
            worst = max(worst, float(np.linalg.norm(rest[span[1:]]) - rest[span[0]]))
        else:
            (equal if block.cone is Cone.ZERO else above).append(span)
    rows = sparse.csr_array(program.matrix)
    over, exact = (np.concatenate([np.zeros(0, dtype=int), *spans]) for spans in (above, equal))
    if not len(free):
        return max(worst, float(-rest[over].min(initial=0.0)), float(np.abs(rest[exact]).max(initial=0.0)))
    # min t  with  A u ≤ rest + t on inequalities,  |A u − rest| ≤ t on equalities
    columns = np.concatenate([rows[over][:, free].toarray(), *(s * rows[exact][:, free].toarray() for s in (1, -1))])
    sides = np.concatenate([rest[over], rest[exact], -rest[exact]])
    slack = -np.ones((len(sides), 1))
    aim = np.append(np.zeros(len(free)), 1.0)
    limits = [(None, None)] * len(free) + [(0.0, None)]
    answer = linprog(aim, A_ub=np.hstack([columns, slack]), b_ub=sides, bounds=limits)
    return max(worst, float(answer.x[-1]))


# ---- the laws --------------------------------------------------------------------------------------------


@seed(1)
@given(SEEDS)
@settings(max_examples=60)
def test_intervals_enclose_every_point_of_the_book(number: int) -> None:
    model = draw_model(number)
    formulation = Formulation(model)
    assert formulation.form is not None and formulation.whole is not None
    for holdings in draw_points(model, np.random.default_rng(number), 8):
        assert enclosed(formulation.whole, formulation.form.amounts(holdings))


@seed(2)
@given(SEEDS)
@settings(max_examples=40)
def test_what_no_piece_exceeds_is_exceeded_nowhere(number: int) -> None:
    """The differences of the pieces of a maximum are bounded, and a piece that may be the active one is kept."""
    model = draw_model(number)
    formulation = Formulation(model)
    form, box = formulation.form, formulation.whole
    assert form is not None and box is not None
    for holdings in draw_points(model, np.random.default_rng(number), 8):
        amounts = form.amounts(holdings)
        for at, pieces in form.pieces.items():
            values = pieces.sign * np.array(pieces.weights) * amounts[list(pieces.children)]
            assert np.all(values[:, None] - values[None, :] <= box.above[at] + CLOSE)
            assert max(values[list(box.allowed[at])]) >= max(values) - CLOSE


def test_of_equal_pieces_the_first_picks_the_matrix() -> None:
    """Both pieces are zero, and R of the first adds up what that of the second sets off: 3 + 4, not 5."""
    leaves = [Leaf(name, label(name), row=row) for row, name in enumerate(("up", "down", "equity", "credit"))]
    rate = Maximum("rate", label("rate"), children=tuple(leaves[:2]))
    first, second = (
        correlation_matrix(("rate", "equity", "credit"), {("equity", "credit"): rho}) for rho in (1.0, 0.0)
    )
    root = Aggregate("root", label("root"), children=(rate, *leaves[2:]), correlations=(first, second), selector=0)
    charges = sparse.csr_array(np.array([[0.0, 0.0], [0.0, 0.0], [0.3, 0.0], [0.0, 0.4]]))
    model = build_model(
        space_of([10.0, 10.0], None, ["one", "two"]),
        np.array([0.1, 0.1]),
        CapitalTree(root, charges, np.zeros(4)),
        (CapitalLimit("root", label("root"), "root", 1.0, 10.0),),
    )
    formulation = Formulation(model)
    assert model.tree is not None and formulation.whole is not None and formulation.form is not None
    assert model.tree.value(np.array([10.0, 10.0])) == pytest.approx(7.0)
    assert formulation.whole.allowed[formulation.form.position("rate")] == (0,)
    assert formulation.whole.lower[-1] == formulation.whole.upper[-1] == pytest.approx(7.0 / 20.0)


@seed(3)
@given(SEEDS, st.integers(1, 9))
@settings(max_examples=60)
def test_the_range_of_a_norm_holds_every_value_in_the_box(number: int, size: int) -> None:
    random = np.random.default_rng(number)
    matrix = correlations(random, size)
    lower = random.normal(size=size)
    upper = lower + random.choice([0.0, 1.0], size) * random.uniform(0.0, 2.0, size)
    low, high = _norm_range(matrix, lower, upper)
    points = lower + random.choice([0.0, 0.3, 1.0], (200, size)) * (upper - lower)
    values = np.array([Aggregate.value_with(point, matrix) for point in points])
    assert low <= values.min() + CLOSE and values.max() <= high + CLOSE
    signs = slope_signs([matrix], lower, upper)
    for point, value in zip(points, values, strict=True):
        slopes = matrix @ point
        assert np.all(slopes[signs > 0] >= -CLOSE) and np.all(slopes[signs < 0] <= CLOSE), value


def test_thirteen_modules_have_a_range_without_their_corners() -> None:
    """More modules than corners are listed for: the range is wider, never narrower."""
    random = np.random.default_rng(4)
    for _ in range(5):
        matrix = correlations(random, 13)
        lower = random.normal(size=13)
        upper = lower + random.uniform(0.0, 1.0, 13)
        low, high = _norm_range(matrix, lower, upper)
        values = [
            Aggregate.value_with(lower + share * (upper - lower), matrix)
            for share in random.choice([0.0, 1.0, 0.5], (500, 13))
        ]
        assert low <= min(values) + CLOSE and max(values) <= high + CLOSE


def _flat(
    matrix: NDArray[np.float64], lower: Vector, upper: Vector, inner: NDArray[np.float64] | None
) -> tuple[IndexedTree, Box]:
    """Return one aggregate over leaves, the first two of them in an aggregate of their own, and a box of it."""
    size = len(lower)
    leaves = [Leaf(f"leaf{row}", label("leaf"), row=row) for row in range(size)]
    children: list[Aggregate | Leaf] = list(leaves)
    if inner is not None:
        pair = Aggregate("pair", label("pair"), children=(leaves[0], leaves[1]), correlations=(inner,))
        children = [pair, *leaves[2:]]
    root = Aggregate("root", label("root"), children=tuple(children), correlations=(matrix,))
    form = IndexedTree(CapitalTree(root, sparse.csr_array(np.eye(size)), np.zeros(size)), 1.0)
    ends = []
    for side in (lower, upper):
        at = np.full(len(form.nodes), np.inf if side is upper else 0.0)
        for leaf, amount in zip(leaves, side, strict=True):
            at[form.position(leaf.name)] = amount
        ends.append(at)
    return form, Box(ends[0], ends[1], {}, {}, {}, Branch())


def _highest(form: IndexedTree, box: Box, point: Vector) -> float:
    """Return the highest value that the envelope leaves the root where its modules are ``point``."""
    norm = Norm.over(form, len(form.nodes) - 1, box)
    size = len(norm.arguments)
    rows = Rows(size + 1)
    functions = {argument: Affine.column(i) for i, argument in enumerate(norm.arguments)}
    add_envelope(rows, norm, box, functions, Affine.column(size))
    made = rows.frozen()
    matrix = np.zeros((len(made.right), size + 1 + made.columns))
    np.add.at(matrix, made.entries[:2], made.entries[2])
    kinds = np.concatenate([np.full(block.rows, block.cone is Cone.ZERO) for block in made.blocks])
    at = dict(zip(norm.arguments, point, strict=True))
    held = [(at[argument], at[argument]) for argument in norm.arguments]
    answer = linprog(
        np.where(np.arange(matrix.shape[1]) == size, -1.0, 0.0),
        matrix[~kinds],
        made.right[~kinds],
        matrix[kinds],
        made.right[kinds],
        [*held, (None, None), *[(None, None)] * made.columns],
    )
    assert answer.status == 0, answer.message
    return float(answer.x[size])


@seed(5)
@given(SEEDS, st.integers(2, 9), st.booleans())
@settings(max_examples=60)
def test_the_envelope_lies_nowhere_below_the_norm(number: int, size: int, nested: bool) -> None:
    """And at the corners of at most six modules it is the norm."""
    random = np.random.default_rng(number)
    nested = nested and size > 2
    inner = correlation_matrix(("a", "b"), {("a", "b"): 0.3}) if nested else None
    matrix = np.abs(correlations(random, size - nested)) if nested else correlations(random, size - nested)
    if nested and np.linalg.eigvalsh(matrix)[0] < 0.0:
        matrix = np.eye(size - 1)
    lower = random.uniform(0.0, 1.0, size) if nested else random.normal(size=size)
    upper = lower + random.choice([0.0, 0.2, 2.0], size, p=[0.1, 0.3, 0.6])
    form, box = _flat(matrix, lower, upper, inner)
    norm = Norm.over(form, len(form.nodes) - 1, box)
    order = np.array([form.tree.nodes[argument].row for argument in norm.arguments])  # type: ignore[attr-defined]
    shares = np.concatenate([random.choice([0.0, 0.25, 0.6, 1.0], (3, size)), random.choice([0.0, 1.0], (5, size))])
    for share in shares:
        point = (lower + share * (upper - lower))[order]
        exact = form.tree.value(lower + share * (upper - lower))
        assert _highest(form, box, point) >= exact - 1e-7
    corner = np.where(random.random(size) < 0.5, lower, upper)
    if size <= 6:
        assert _highest(form, box, corner[order]) == pytest.approx(form.tree.value(corner), abs=1e-7)


def _random_branches(formulation: Formulation, box: Box, amounts: Vector, random: np.random.Generator) -> list[Branch]:
    """Return a split as the search could make it: a watched interval in two, or the pieces of one node."""
    form = formulation.form
    assert form is not None
    open_pieces = [
        at for at, allowed in box.allowed.items() if len(allowed) > 1 and at in formulation.relaxed.functions
    ]
    if open_pieces and random.random() < 0.5:
        at = int(random.choice(open_pieces))
        return [box.branch.decided(at, (piece,)) for piece in box.allowed[at]]
    wide = [
        at for at in formulation.relaxed.watched & set(formulation.relaxed.functions) if box.upper[at] > box.lower[at]
    ]
    if not wide:
        return []
    at = int(random.choice(sorted(wide)))
    low, high = float(box.lower[at]), float(box.upper[at])
    middle = 0.5 * (low + high) if np.isfinite([low, high]).all() else amounts[at] + 0.1
    cut = float(random.choice([amounts[at], middle]))
    return [box.branch.narrowed(at, (low, cut)), box.branch.narrowed(at, (cut, high))]


def _follow(formulation: Formulation, holdings: Vector, random: np.random.Generator, depth: int = 4) -> None:
    """Walk down branches with a point: each split keeps it, and each relaxation on the way admits it."""
    form, box, chain = formulation.form, formulation.whole, SolverChain()
    assert form is not None and box is not None
    amounts, worth = form.amounts(holdings), formulation.model.objective_value(holdings)
    price = formulation.price(formulation.model.capital_weight)
    for _ in range(depth):
        assert not box.empty and enclosed(box, amounts)
        assembled = formulation.relaxation(box, price)
        assert missed(formulation, assembled, holdings) <= CLOSE
        answer = chain.solve(assembled.program, 10.0)
        assert answer.verdict is SolverStatus.SOLVED
        bound = -assembled.program.bound(answer.primal, answer.dual) * formulation.plain.objective_scale
        assert worth <= bound + 1e-12
        branches = split(formulation, box, assembled, answer)
        if not branches or random.random() < 0.3:
            branches = _random_branches(formulation, box, amounts, random)
        if not branches:
            return
        with_point = [branch for branch in branches if inside(formulation, branch, amounts)]
        assert with_point, "no branch has the point"
        for branch in with_point[1:]:
            assert enclosed(formulation.box(branch, box), amounts)
        box = formulation.box(with_point[0], box)


@seed(6)
@given(SEEDS)
@settings(max_examples=40)
def test_branches_cover_their_parent_and_relaxations_their_box(number: int) -> None:
    model = draw_model(number)
    random = np.random.default_rng(number)
    formulation = Formulation(model)
    for holdings in draw_points(model, random, 2):
        _follow(formulation, holdings, random)


def test_a_margin_tightens_the_program_and_leaves_the_bound_to_the_limits_as_they_are() -> None:
    """A ratio of 1.5 of capital 30 in 100: the module's size at its limit is 0.2, which a margin is a share of."""
    model = build_model(
        space_of([50.0, 50.0]),
        np.array([0.02, 0.06]),
        CapitalTree(Leaf("root", label("root"), row=0), sparse.csr_array([[0.0, 1.0]]), np.zeros(1)),
        (CapitalLimit("ratio", label("ratio"), "root", 1.5, 30.0),),
    )
    formulation = Formulation(model)
    loose, tight = (formulation.relaxation(formulation.whole, margin=margin) for margin in (0.0, 0.01))
    (row,) = tight.limits
    assert loose.program.right[row] == pytest.approx(0.3)
    assert tight.program.right[row] == pytest.approx(0.3 - 0.01 * 0.2)
    assert tight.right == pytest.approx(loose.program.right)
