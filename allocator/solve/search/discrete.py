"""Mixed-integer search: whole numbers outside, the exact continuous search inside.

A relaxation of the tree with its whole numbers is a mixed-integer cone program; its solver's own dual bound
bounds the node. The whole numbers it proposes are then fixed: each becomes a bound of a holding, the model is
an ordinary one, and the ordinary search answers it exactly. Best of these answers against best open bound is
the certificate, as in `allocator.solve.search.search`.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from allocator.arrays import Vector
from allocator.config.settings import SolveSettings
from allocator.model.model import Model
from allocator.model.terms import Mode
from allocator.solve.decomposition.sifting import WarmStart
from allocator.solve.search.search import Node, Outcome, Search

__all__ = ["DiscreteSearch", "search_for"]


def search_for(
    model: Model, settings: SolveSettings, warm_start: WarmStart | None = None, *, settled: bool = True
) -> Search:
    """Return the search that fits the model; the rest as for `Search`, of use without whole numbers only.

    Parameters
    ----------
    model : Model
        The model.
    settings : SolveSettings
        Gap, limits and solver.
    warm_start : WarmStart or None
        Prices of an earlier search over the same holdings.
    settled : bool
        Whether the answer is moved to its local optimum.
    """
    discrete = any(term.left.discrete for term in model.terms if term.mode is Mode.HARD)
    return DiscreteSearch(model, settings) if discrete else Search(model, settings, warm_start, settled=settled)


class DiscreteSearch(Search):
    """One run on a model with choices in whole numbers."""

    margin = 0.0

    def __init__(self, model: Model, settings: SolveSettings) -> None:
        self._tried: set[bytes] = set()
        self._inner: Search | None = None
        super().__init__(model, settings)

    @property
    def continuous(self) -> Search:
        """The search with the whole numbers of the best answer fixed: what prices are taken from."""
        assert self._inner is not None
        return self._inner

    def _look_around(self, node: Node, bound: float, thorough: bool) -> None:
        """Answer the model exactly with the whole numbers of a relaxation's answer, once for each choice."""
        whole = self.formulation.plain.whole
        numbers = np.round(node.answer.primal[[column for _, columns in whole for column in columns]])
        if numbers.tobytes() in self._tried:
            return
        self._tried.add(numbers.tobytes())
        left = max(self.deadline - time.monotonic(), 1.0)
        inner = Search(self._fixed(numbers), self.settings.model_copy(update={"time_limit": left}))
        outcome = inner.run()
        self.solves += inner.solves
        if outcome.best is not None and self.offer(outcome.best.holdings):
            self._inner = inner

    def _fixed(self, numbers: Vector) -> Model:
        space, place = self.model.space, 0
        lower, upper = space.lower, space.upper
        for choices, columns in self.formulation.plain.whole:
            lower, upper = choices.narrowed(numbers[place : place + len(columns)], lower, upper)
            place += len(columns)
        terms = tuple(term for term in self.model.terms if not term.left.discrete)
        # A ticket may exceed its row's bound by rounding only: the solver has kept both.
        return replace(self.model, space=replace(space, lower=np.minimum(lower, upper), upper=upper), terms=terms)

    def _finished(self, bound: float, proven: bool) -> Outcome:
        if self.best is not None:
            bound = max(bound, self.best.objective)
        return Outcome(self.best, bound, proven, self.solves, self.solver)
