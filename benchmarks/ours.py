"""The library on the measured problems, from arrays to a certified answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from allocator.config.settings import SolveSettings
from allocator.model import (
    ConditionalValueAtRisk,
    Linear,
    Model,
    ObjectiveTerm,
    Quadratic,
    Sense,
    Space,
    Term,
    TradeCost,
)
from allocator.solve import Sweep, solve
from allocator.types import Source, Text
from benchmarks.problems import CONFIDENCE, Market
from benchmarks.universe import universe

Vector = NDArray[np.float64]
NAME = Text("Benchmark", "基准")
OWN = Source("benchmark")
EXACT = SolveSettings(gap=1e-9, time_limit=600)


def minimum_variance(of: Market) -> Vector:
    return solve(_model(of, (_variance(of, -1.0),), ()), EXACT).holdings


def maximum_return(of: Market, variance: float) -> Vector:
    return solve(_model(of, (_expected(of),), (_limit(of, variance),)), EXACT).holdings


def frontier(of: Market, variances: Vector) -> list[Vector]:
    model = _model(of, (_expected(of),), (_limit(of, variances[-1]),))
    budget, limit = model.terms
    sweep = Sweep(model, EXACT)
    return [
        sweep.solve(replace(model, terms=(budget, replace(limit, right=np.array([each]))))).solution.holdings
        for each in variances
    ]


def least_shortfall(returns: Vector) -> Vector:
    """Return the weights of least shortfall, by the expression that funds use."""
    count, size = returns.shape
    tail = ConditionalValueAtRisk(returns, np.full(count, 1.0 / count), CONFIDENCE)
    objective = (ObjectiveTerm("tail", NAME, tail, -1.0),)
    return solve(_budgeted(size, objective, ()), EXACT).holdings


def solvency(size: int) -> float:
    return solve(universe(size), SolveSettings(time_limit=3000)).objective


def _model(of: Market, objective: tuple[ObjectiveTerm, ...], rules: tuple[Term, ...]) -> Model:
    return _budgeted(len(of.expected), objective, rules)


def _budgeted(size: int, objective: tuple[ObjectiveTerm, ...], rules: tuple[Term, ...]) -> Model:
    zeros, even = np.zeros(size), np.full(size, 1.0 / size)
    names = np.char.add("a", np.arange(size).astype(str))
    space = Space(names, np.full(size, ""), even, zeros, np.ones(size), np.ones(size, dtype=bool), zeros, 1.0)
    whole = Linear.of(np.ones(size))
    budget = Term("budget", NAME, whole, Sense.EQUAL, np.ones(1), np.ones(1), "share", OWN)
    return Model(space, objective, (budget, *rules), TradeCost(zeros, zeros, zeros, even))


def _variance(of: Market, weight: float) -> ObjectiveTerm:
    return ObjectiveTerm("variance", NAME, Quadratic(of.factors, of.specific), weight)


def _expected(of: Market) -> ObjectiveTerm:
    return ObjectiveTerm("return", NAME, Linear.of(of.expected))


def _limit(of: Market, variance: float) -> Term:
    curve = Quadratic(of.factors, of.specific)
    return Term("risk", NAME, curve, Sense.AT_MOST, np.array([variance]), np.ones(1), "variance", OWN)
