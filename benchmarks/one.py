"""One measurement in a process of its own: ``python -m benchmarks.one CASE RIVAL SIZE`` prints a line of JSON."""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time

import numpy as np

from benchmarks.problems import market, scenarios, shortfall, targets

__all__ = ["main"]


def main(case: str, rival: str, size: int) -> None:
    """Import what the rival needs, make the data, then time from arrays to weights once."""
    module, _, inner = rival.partition(":")
    solver = importlib.import_module(f"benchmarks.{module}")
    action = getattr(getattr(solver, inner) if inner else solver, case)
    if case == "solvency":
        given, worth = (size,), float
    elif case == "least_shortfall":
        returns = scenarios(size)
        given, worth = (returns,), lambda weights: shortfall(returns, weights)
    else:
        of = market(size)
        variances = targets(of)
        given = {"minimum_variance": (of,), "maximum_return": (of, variances[12]), "frontier": (of, variances)}[case]
        worth = {
            "minimum_variance": of.variance,
            "maximum_return": lambda weights: float(of.expected @ weights),
            "frontier": lambda points: float(np.sum([of.expected @ weights for weights in points])),
        }[case]
    _warm(rival)
    start, busy = time.perf_counter(), time.process_time()
    answer = action(*given)
    busy, seconds = time.process_time() - busy, time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"seconds": seconds, "busy": busy, "objective": worth(answer), "peak": peak}))


def _warm(rival: str) -> None:
    """Import the rival's solvers and run everything once on a small problem, so that imports are not timed."""
    module, _, inner = rival.partition(":")
    solver = importlib.import_module(f"benchmarks.{module}")
    (getattr(solver, inner) if inner else solver).minimum_variance(market(30))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
