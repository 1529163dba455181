"""The size the simulation is built for: 100,000 paths of 50 funds over 15 years."""

from __future__ import annotations

import resource
import time

import pytest
from allocator_venture.parameters import load_parameters
from allocator_venture.simulation import VentureFund, build_portfolio, simulate


@pytest.mark.acceptance
def test_a_hundred_thousand_paths_of_fifty_funds_over_fifteen_years_take_less_than_twenty_seconds_on_two_cores() -> (
    None
):
    parameters = load_parameters()
    fields, stages = tuple(parameters.fields), tuple(parameters.stages)
    calls = (0.0, 25.0, 25.0, 25.0, 12.5, 12.5)
    funds = [VentureFund((fields[k % 7],), stages[k % 3], calls, 15, 15) for k in range(50)]
    portfolio = build_portfolio(funds, parameters)
    assert portfolio.horizon == 15
    wall, work = time.perf_counter(), time.process_time()
    outcome = simulate(portfolio, 100_000, seed=1, threads=2)
    wall, work = time.perf_counter() - wall, time.process_time() - work
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{wall:.1f} s, processor time {work:.1f} s, peak memory {peak:.2f} GB")
    assert outcome.multiple.shape == (100_000, 50)
    # Processor time over two cores: other work on the machine does not count.
    assert work / 2 < 20.0
    # All distributions at once would be 100,000 × 50 × 16 × 8 bytes = 0.64 GB.
    assert peak < 0.6
