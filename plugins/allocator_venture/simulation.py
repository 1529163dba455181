"""Paths of venture funds from technical parameters, where no history of losses exists.

A fund buys companies of equal cost. Company c of field f and stage s has the milestones k = 1 … K ahead of it:

    technology   Z = √a·A + √b·B_f + √(1−a−b)·ε₁     A common to all, B_f to the field, ε₁ its own
                 milestone k is passed while Z > Φ⁻¹(1 − p₁…p_k): every pₖ is met exactly, and companies are
                 joined by a Gaussian copula
    market       ln X = ln m − σ²/2 + σ(√ρ·M + √(1−ρ)·ε₂)     multiple of cost at exit, mean m
    time         T = (years of the milestones up to the decisive one) · exp(s·ε₃ − s²/2), mean kept

All factors are independent and standard normal, so the exit multiple of a company that succeeds has mean m.
A company that fails a milestone returns the recovery at that time; one still held when the fund ends is sold
for a share of what it would have brought. The investor receives, of the cumulative proceeds G and with P the
sum of all calls, G − carry · max(G − P, 0), the fees being part of the calls.

Paths are drawn in chunks with a random stream each: the answer depends on the seed and the
number of paths alone, not on the number of threads, and memory is bounded.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Vector
from allocator_venture.irr import internal_rate_of_return
from allocator_venture.parameters import Common, Parameters

__all__ = ["Outcome", "Portfolio", "VentureFund", "build_portfolio", "simulate"]

Places = NDArray[np.int64]

_CELLS = 1 << 18
"""Companies × paths drawn at a time, at most."""

_CHUNKS = 32
"""Chunks at least: the sampling error is taken from their differences."""


@dataclass(frozen=True, slots=True)
class VentureFund:
    """One fund as the simulation sees it.

    Parameters
    ----------
    fields : sequence of str
        Fields its companies belong to, in turn.
    stage : str
        Stage at which it buys.
    calls : sequence of float
        Money put to work at times 0, 1, 2 … years; the first is today's net asset value, fees included.
    life : int
        Years until it ends, ≥ 1.
    companies : int
        How many companies it holds in the end, ≥ 1.
    """

    fields: Sequence[str]
    stage: str
    calls: Sequence[float]
    life: int
    companies: int


@dataclass(frozen=True, eq=False)
class Portfolio:
    """k funds with c companies, as arrays; K is the longest list of milestones.

    ``calls`` (k, Y + 1) per unit of each fund's total; ``total`` (k,) that total; by company (c,): ``fund``,
    ``field``, ``bought`` (years), ``cost`` (of the fund's unit), ``log_mean``, ``log_volatility``;
    ``hurdle`` and ``years`` (c, K) by milestone.
    """

    calls: Vector
    total: Vector
    life: Places
    fund: Places
    field: Places
    bought: Vector
    cost: Vector
    hurdle: Vector
    years: Vector
    log_mean: Vector
    log_volatility: Vector
    fields: int
    common: Common

    @property
    def size(self) -> int:
        """Number of funds k."""
        return len(self.total)

    @property
    def horizon(self) -> int:
        """Years simulated, Y."""
        return int(self.calls.shape[1]) - 1


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the funds brought.

    Parameters
    ----------
    portfolio : Portfolio
        The funds.
    multiple : ndarray (S, k)
        Distributions per unit paid in.
    rate : ndarray (S, k)
        Internal rate of return, −1 when nothing came back, NaN on the rare path that has none.
    distributions : ndarray (chunks, k, Y + 1)
        Mean distribution per unit paid in at times 0 … Y, by chunk of paths.
    paths : ndarray of int (chunks,)
        Paths in each chunk.
    """

    portfolio: Portfolio
    multiple: Vector
    rate: Vector
    distributions: Vector
    paths: Places

    @property
    def expected_distributions(self) -> Vector:
        """Mean distribution over all paths (k, Y + 1)."""
        return np.asarray(np.tensordot(self.paths / self.paths.sum(), self.distributions, axes=1))


def build_portfolio(funds: Sequence[VentureFund], parameters: Parameters) -> Portfolio:
    """Lay the funds out as arrays: companies are bought in turn as the money is called.

    Parameters
    ----------
    funds : sequence of VentureFund
        The funds.
    parameters : Parameters
        Of the fields of technology.

    Raises
    ------
    ValueError
        When the fees of a fund's life leave nothing to invest.
    """
    horizon = max(max(fund.life, len(fund.calls) - 1) for fund in funds)
    calls = np.array([np.pad(fund.calls, (0, horizon + 1 - len(fund.calls))) for fund in funds], dtype=float)
    total = calls.sum(axis=1)
    paid = calls / total[:, None]
    count = np.array([fund.companies for fund in funds])
    fund_of = np.repeat(np.arange(len(funds)), count)
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    # Company j is bought when the money called so far reaches (j + ½) / companies.
    reached = (place + 0.5) / count[fund_of] * (1.0 - 1e-12)
    bought = (np.cumsum(paid, axis=1)[fund_of] < reached[:, None]).sum(axis=1)
    life = np.array([fund.life for fund in funds])
    invested = 1.0 - parameters.common.management_fee * life
    if np.any(invested <= 0.0):
        raise ValueError("the management fee over a fund's life leaves nothing to invest")
    kinds = {
        (name, fund.stage): _kind(parameters, name, fund.stage) for fund in funds for name in dict.fromkeys(fund.fields)
    }
    names = [(fund.fields[j % len(fund.fields)], fund.stage) for fund in funds for j in range(fund.companies)]
    hurdle, years, log_mean, log_volatility = (
        np.array(column) for column in zip(*(kinds[name] for name in names), strict=True)
    )
    order = list(parameters.fields)
    field = np.array([order.index(name) for name, _ in names])
    cost = (invested / count)[fund_of]
    return Portfolio(
        calls=paid,
        total=total,
        life=life,
        fund=fund_of,
        field=field,
        bought=bought.astype(float),
        cost=cost,
        hurdle=hurdle,
        years=years,
        log_mean=log_mean,
        log_volatility=log_volatility,
        fields=len(order),
        common=parameters.common,
    )


def _kind(parameters: Parameters, field: str, stage: str) -> tuple[Vector, Vector, float, float]:
    """Return a company's hurdles and years by milestone, and its exit's log mean and volatility.

    Lists shorter than the longest repeat their last entry: nothing is passed or waited for twice.
    """
    from scipy import special  # its import is felt in every command

    deepest = max(len(technology.milestones) for technology in parameters.fields.values())
    ahead, end = parameters.path(field, stage), parameters.fields[field].exit[stage]
    passing = np.cumprod([milestone.probability for milestone in ahead])
    years = np.cumsum([milestone.years for milestone in ahead])
    missing = (0, deepest - len(ahead))
    hurdle: Vector = special.ndtri(1.0 - np.pad(passing, missing, mode="edge"))
    mean = float(np.log(end.multiple)) - 0.5 * end.log_volatility**2
    return hurdle, np.pad(years, missing, mode="edge"), mean, end.log_volatility


def simulate(
    portfolio: Portfolio, paths: int, seed: int, market: Vector | None = None, threads: int | None = None
) -> Outcome:
    """Draw the paths.

    Parameters
    ----------
    portfolio : Portfolio
        The funds.
    paths : int
        S ≥ 1.
    seed : int
        Same seed, same answer.
    market : ndarray (S,) or None
        The market factor M of every path, standard normal over the paths; None draws it.
    threads : int or None
        Chunks worked on at a time; None takes the processors there are. Does not change the answer.
    """
    size = max(min(_CELLS // len(portfolio.fund), -(-paths // _CHUNKS)), 1)
    starts = range(0, paths, size)
    streams = np.random.SeedSequence(seed).spawn(len(starts))
    multiple, rate = np.empty((paths, portfolio.size)), np.empty((paths, portfolio.size))
    counts = np.array([min(size, paths - start) for start in starts])
    distributions = np.empty((len(starts), portfolio.size, portfolio.horizon + 1))

    def work(chunk: int) -> None:
        piece = slice(starts[chunk], starts[chunk] + int(counts[chunk]))
        rng = np.random.Generator(np.random.SFC64(streams[chunk]))
        factor = rng.standard_normal(counts[chunk]) if market is None else market[piece]
        received = _distributions(portfolio, rng, factor)
        paid = np.broadcast_to(portfolio.calls.T[:, None, :], received.shape)
        multiple[piece] = received.sum(axis=0)
        rate[piece] = internal_rate_of_return(received, paid)
        distributions[chunk] = received.mean(axis=1).T

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        list(pool.map(work, range(len(starts))))
    return Outcome(portfolio, multiple, rate, distributions, counts)


def _distributions(portfolio: Portfolio, rng: np.random.Generator, market: Vector) -> Vector:
    """Return what the investor receives at times 0 … Y, (Y + 1, paths, k), per unit paid in."""
    count = len(market)
    decisive, success = _milestones(portfolio, rng, count)
    value = _exit_multiple(portfolio, rng, market, success)
    spread = portfolio.common.time_dispersion
    when = _normal(rng, success.shape)
    when *= spread
    when -= 0.5 * spread**2
    when = decisive * np.exp(when) + _single(portfolio.bought)
    life = _single(portfolio.life[portfolio.fund])
    value *= np.where(when > life, np.float32(portfolio.common.forced_sale), np.float32(1.0))
    year = np.ceil(np.minimum(when, life)).astype(np.int64)
    cell = (year * count + np.arange(count)[:, None]) * portfolio.size + portfolio.fund
    gross = np.bincount(cell.ravel(), value.ravel(), (portfolio.horizon + 1) * count * portfolio.size)
    proceeds = np.cumsum(gross.reshape(portfolio.horizon + 1, count, portfolio.size), axis=0)
    kept = proceeds - portfolio.common.carried_interest * np.maximum(proceeds - 1.0, 0.0)
    return np.diff(kept, axis=0, prepend=0.0)


def _milestones(
    portfolio: Portfolio, rng: np.random.Generator, count: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the mean years up to the decisive milestone, and whether it was the last one passed, (count, c)."""
    common, shape = portfolio.common, (count, len(portfolio.fund))
    shared = np.sqrt(common.field_technology) * rng.standard_normal((count, portfolio.fields))
    shared += np.sqrt(common.common_technology) * rng.standard_normal((count, 1))
    own = np.sqrt(1.0 - common.common_technology - common.field_technology)
    latent = _normal(rng, shape)
    latent *= own
    latent += _single(shared)[:, portfolio.field]
    hurdle, further = _single(portfolio.hurdle), _single(np.diff(portfolio.years, axis=1))
    decisive = np.broadcast_to(_single(portfolio.years[:, 0]), shape).copy()
    for milestone in range(further.shape[1]):
        decisive += (latent > hurdle[:, milestone]) * further[:, milestone]
    return decisive, latent > hurdle[:, -1]


def _exit_multiple(
    portfolio: Portfolio, rng: np.random.Generator, market: Vector, success: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return what each company brings, per unit of the fund's calls (count, c)."""
    common = portfolio.common
    drift = _normal(rng, success.shape)
    drift *= np.sqrt(1.0 - common.market)
    drift += _single(np.sqrt(common.market) * market)[:, None]
    drift *= _single(portfolio.log_volatility)
    drift += _single(portfolio.log_mean)
    return _single(portfolio.cost) * np.where(success, np.exp(drift), np.float32(common.recovery))


def _single(values: Vector | Places) -> NDArray[np.float32]:
    return values.astype(np.float32)


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return standard normals; single precision halves the time and is far finer than the sampling error."""
    return rng.standard_normal(shape, dtype=np.float32)
