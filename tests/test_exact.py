"""Points judged all at once are judged as each term by itself would."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.model import Linear, Model, Quadratic, Sense, Term
from allocator.model.terms import TOLERANCE
from allocator.solve.search.exact import Exact
from allocator.types import Source
from tests.books import book, label

OWN = Source("test")


def term(name: str, left: Linear | Quadratic, sense: Sense, right: float, per: float = 1.0) -> Term:
    return Term(name, label(name), left, sense, np.array([right]), np.array([per]), "ratio", OWN)


def model(shift: float = 0.0) -> Model:
    """A book without capital: a sum of at most and at least, an equality, and a curved risk."""
    base, size = book(2).model, book(2).model.space.size
    row = np.arange(1.0, size + 1.0)
    terms = (
        term("most", Linear.of(row, 3.0), Sense.AT_MOST, 100.0 + shift, 4.0),
        term("least", Linear.of(-row), Sense.AT_LEAST, -97.0 - shift, 5.0),
        term("equal", Linear.of(np.eye(size)[0]), Sense.EQUAL, 1.0),
        term("curved", Quadratic(np.eye(size)[:2], np.zeros(size)), Sense.AT_MOST, 2.0),
    )
    return replace(base, terms=terms, capital_limits=(), tree=None)


@pytest.mark.parametrize("shift", [0.0, 1.0])
@pytest.mark.parametrize("moved", [False, True])
def test_each_side_of_each_limit_is_told(shift: float, moved: bool) -> None:
    judged = model(shift)
    size = judged.space.size
    # The left sides must be the very same expressions for the matrix to stay.
    base = model()
    judged = replace(
        judged,
        terms=tuple(replace(a, left=b.left) for a, b in zip(judged.terms, base.terms, strict=True)),
    )
    exact = Exact(base).moved(judged) if moved else Exact(judged)
    inside = np.zeros(size)
    inside[0] = 1.0
    assert exact.keeps_terms(inside)
    last = np.eye(size)[-1]
    ceiling = (97.0 + shift - 1.0) / size  # both sums bind where Σ k xₖ = 97 + shift
    for miss, kept in ((-1e-3, True), (0.0, True), (0.5, True), (2.0, False)):
        point = inside + last * (ceiling + miss * TOLERANCE * (97.0 + shift) / size)
        assert exact.keeps_terms(point) == kept == all(one.holds(point) for one in judged.terms)
    for move in (1e-3, -1e-3):
        assert not exact.keeps_terms(inside + move * np.eye(size)[0])
    assert not exact.keeps_terms(inside + 1.1 * np.eye(size)[1])  # 1 + 1.1² > 2
    assert not exact.keeps_terms(np.full(size, np.nan))


def test_another_set_of_terms_is_judged_by_its_own() -> None:
    size = model().space.size
    other = replace(model(), terms=(term("other", Linear.of(np.ones(size)), Sense.AT_MOST, 5.0),))
    exact = Exact(model()).moved(other)
    assert exact.keeps_terms(np.full(size, 5.0 / size)) and not exact.keeps_terms(np.full(size, 6.0 / size))
