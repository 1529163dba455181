"""Commitments decided with the holdings: limits over the whole horizon, and the plan that supports a target.

`allocator_venture.funds` says what a row's target means. For one row with amount a now, target x and a path
h(t) of what is held (its calls, say), u(t) per CNY added, the path is

    h(t) + u(t) · (x − a)      for x ≥ a,        h(t) · x / a      for x < a.

It is convex in x where the slope rises at a, that is h(t)/a ≤ u(t). Where it does not, a limit counts the
smaller slope u(t) on the way down: a sale is then given no more relief than a purchase costs. The plan below
uses the exact path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import sparse

from allocator.plugin import LocalizedPhrase, Number, Text, Vector
from allocator.plugin.rules import USER, RuleBook
from allocator.plugin.tables import Inputs
from allocator.plugin.terms import (
    SHARE_OF_TOTAL_ASSETS,
    ConstraintSpec,
    Expression,
    LimitOptions,
    Linear,
    ModelContext,
    Sense,
    Term,
    bound,
    total_assets,
)
from allocator_venture.funds import FundRows, fund_rows
from allocator_venture.pacing import commitment_schedule

if TYPE_CHECKING:
    import cvxpy as cp

__all__ = [
    "CONSTRAINTS",
    "RULES",
    "CommitmentOptions",
    "Path",
    "commitment_plan",
    "recommitment_plan",
    "venture_commitments",
    "vintage_limit",
]

NAME = "venture_commitments"

Share = Annotated[Number, Field(ge=0, le=1)]

RULES = RuleBook.load("allocator_venture", "rules/venture.yaml")


class CommitmentOptions(LimitOptions):
    """Keys of ``venture_commitments``.

    ``years``: horizon of the projection; ``max``: ceiling of all venture funds in place of the rule's, share of
    total assets; ``liquid_share``: share of the liquid assets that the cumulative calls may take in any year;
    ``distributions``: share of the cumulative distributions that pays for calls; ``vintage``: ceiling of what is
    newly committed now, share of total assets (omitted: none).
    """

    years: Annotated[int, Field(ge=1, le=50)] = 10
    max: Share | None = None
    liquid_share: Share | None = None
    distributions: Share = 0.0
    vintage: Share | None = None


@dataclass(frozen=True, eq=False)
class Path(Expression):
    """A x + b + P (x − r)₊ with P ≥ 0: a piecewise linear path over years, convex in the holdings.

    Parameters
    ----------
    slope : csr_array (rows, n)
        A, per CNY.
    constant : ndarray (rows,)
        b.
    rise : csr_array (rows, n)
        P ≥ 0, what is added above the reference.
    reference : ndarray (n,)
        r, CNY.
    """

    slope: sparse.csr_array
    constant: Vector
    rise: sparse.csr_array
    reference: Vector

    def value(self, holdings: Vector) -> Vector:
        above = np.maximum(holdings - self.reference, 0.0)
        return np.asarray(self.slope @ holdings + self.constant + self.rise @ above)

    def convex(self, variable: cp.Variable, scale: float) -> cp.Expression:
        import cvxpy as cp

        rest = (self.slope * scale) @ variable + self.constant
        return rest + (self.rise * scale) @ cp.pos(variable - self.reference / scale)

    def affine(self) -> Linear | None:
        return None if self.rise.count_nonzero() else Linear(self.slope, self.constant)

    def gradient(self, holdings: Vector) -> sparse.csr_array:
        above = (holdings > self.reference).astype(float)
        return sparse.csr_array(self.slope + self.rise @ sparse.diags_array(above))


def venture_commitments(context: ModelContext, options: CommitmentOptions) -> Sequence[Term]:
    """Venture exposure, capital calls and new commitments within their limits in every year of the horizon.

    Parameters
    ----------
    context : ModelContext
        The fund as a term sees it.
    options : CommitmentOptions
        The keys of the fund file.
    """
    inputs = context.inputs
    funds = fund_rows(inputs, options.years)
    if not len(funds.row):
        return ()
    terms = [_exposure(context, funds, options), _calls(context, funds, options)]
    if options.vintage is not None:
        terms.append(_vintage(context, funds, options.vintage))
    return tuple(bound(term, options, context.space.current) for term in terms)


def _exposure(context: ModelContext, funds: FundRows, options: CommitmentOptions) -> Term:
    """Σ NAV(t) of the venture funds ≤ ceiling × total assets, t = 0 … years."""
    inputs = context.inputs
    figure = RULES.at("venture.total", inputs.as_of).or_user(options.max)
    kinds = RULES.at("venture.kinds", inputs.as_of).names
    counted = inputs.assets["kind"].isin(kinds).to_numpy()[funds.row].astype(float)
    ones = np.ones((len(funds.row), 1))
    held = np.hstack([funds.current[:, None], funds.held.nav]) * counted[:, None]
    added = np.hstack([ones, funds.added.nav]) * counted[:, None]
    total = total_assets(inputs)
    return Term(
        "venture_commitments:exposure",
        Text("Venture funds within their ceiling in every year", "创业投资基金各年均不超上限"),
        _path(context, funds, held, added),
        Sense.AT_MOST,
        np.full(options.years + 1, figure.number * total),
        np.full(options.years + 1, total),
        SHARE_OF_TOTAL_ASSETS,
        figure.source,
        rows=_years(0, options.years),
    )


def _calls(context: ModelContext, funds: FundRows, options: CommitmentOptions) -> Term:
    """Σ_{s ≤ t} calls(s) − d Σ_{s ≤ t} distributions(s) ≤ share × liquid assets, t = 1 … years."""
    inputs = context.inputs
    figure = RULES.at("calls.liquid_share", inputs.as_of).or_user(options.liquid_share)
    liquid = inputs.assets["kind"].isin(RULES.at("calls.liquid", inputs.as_of).names).to_numpy() & context.space.funded

    def net(part: Any) -> Vector:
        return np.cumsum(part.calls - options.distributions * part.distributions, axis=1)

    called = _path(context, funds, net(funds.held), net(funds.added))
    backing = sparse.csr_array(np.where(liquid, -figure.number, 0.0)[None, :])
    left = replace(called, slope=sparse.csr_array(called.slope + sparse.vstack([backing] * options.years)))
    return Term(
        "venture_commitments:calls",
        Text("Capital calls covered by liquid assets in every year", "各年累计缴款由流动资产覆盖"),
        left,
        Sense.AT_MOST,
        np.zeros(options.years),
        np.full(options.years, context.space.total),
        "share of the portfolio",
        figure.source,
        rows=_years(1, options.years),
    )


def _vintage(context: ModelContext, funds: FundRows, share: float) -> Term:
    """Σ new commitments ≤ share × total assets."""
    total = total_assets(context.inputs)
    new = funds.commitment_per_cny[:, None]
    return Term(
        "venture_commitments:vintage",
        Text("New commitments of this vintage within their ceiling", "本年新增认缴不超上限"),
        _path(context, funds, np.zeros_like(new), new),
        Sense.AT_MOST,
        np.array([share * total]),
        np.array([total]),
        SHARE_OF_TOTAL_ASSETS,
        USER,
    )


def _path(context: ModelContext, funds: FundRows, held: Vector, added: Vector) -> Path:
    """Return Σ over the fund rows of the path by year, from (r, years) arrays, as a function of all holdings."""
    size, years = context.space.size, held.shape[1]
    # A row that can only grow has one slope: without a kink the limit is linear.
    falls = (funds.current > 0) & (context.space.lower[funds.row] < funds.current)
    amount = np.where(falls, funds.current, 1.0)[:, None]
    down = np.where(falls[:, None], np.minimum(held / amount, added), added)

    def spread(values: Vector) -> sparse.csr_array:
        place = (np.tile(np.arange(years), len(funds.row)), np.repeat(funds.row, years))
        return sparse.csr_array((values.ravel(), place), shape=(years, size))

    constant = (held - down * funds.current[:, None]).sum(axis=0)
    return Path(spread(down), constant, spread(added - down), context.space.current)


def commitment_plan(inputs: Inputs, holdings: Vector, years: int = 10) -> pd.DataFrame:
    """Return the commitments that support the target holdings, and the calls they lead to.

    Parameters
    ----------
    inputs : Inputs
        The fund, with the table ``funds``.
    holdings : ndarray (n,)
        Target amounts, CNY.
    years : int
        Periods of one year from the valuation date.

    Returns
    -------
    DataFrame
        One row per fund row: asset_id, account, current and target (commitments, CNY), uncalled (of the target
        commitment, now), peak_nav, and call_1 … call_``years``, CNY.
    """
    funds = fund_rows(inputs, years)
    target = holdings[funds.row]
    kept, more = _parts(funds, target)
    new = more * funds.commitment_per_cny
    calls = kept[:, None] * funds.held.calls + more[:, None] * funds.added.calls
    nav = kept[:, None] * funds.held.nav + more[:, None] * funds.added.nav
    assets = inputs.assets.iloc[funds.row]
    frame = pd.DataFrame(
        {
            "asset_id": assets["asset_id"].to_numpy(),
            "account": assets["account"].fillna("").to_numpy(),
            "current": funds.commitment,
            "target": kept * funds.commitment + new,
            "uncalled": kept * funds.uncalled + new,
            "peak_nav": np.maximum(np.minimum(target, funds.current), nav.max(axis=1)),
        }
    )
    for year in range(years):
        frame[f"call_{year + 1}"] = calls[:, year]
    return frame


def recommitment_plan(inputs: Inputs, holdings: Vector, years: int = 10, vintage_limit: float = np.inf) -> pd.DataFrame:
    """Return what to commit each year so that every fund's NAV, once at its target, stays there.

    Today's commitments (`commitment_plan`) take the NAV to its peak; from there on the target is to be held.
    Later commitments are made on the terms of the asset's latest vintage, those of all funds within
    ``vintage_limit`` (CNY) a year: each fund has a share of it by its target. Source: `allocator_venture.pacing`.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    holdings : ndarray (n,)
        Amounts, CNY.
    years : int
        Length of the plan.
    vintage_limit : float
        Most that all funds together commit a year, CNY.

    Returns
    -------
    DataFrame
        One row per fund row: asset_id, account, target (NAV, CNY), commit_1 … commit_``years`` (CNY, made during
        that year), nav_``years`` (NAV then, CNY).
    """
    funds = fund_rows(inputs, years)
    kept, more = _parts(funds, holdings[funds.row])
    left = kept[:, None] * funds.held.nav + more[:, None] * funds.added.nav
    assets = inputs.assets.iloc[funds.row]
    frame = pd.DataFrame(
        {"asset_id": assets["asset_id"].to_numpy(), "account": assets["account"].fillna("").to_numpy()}
    )
    frame["target"] = holdings[funds.row]
    rising = np.arange(years) < left.argmax(axis=1)[:, None]
    wanted = np.where(rising, left, holdings[funds.row][:, None])
    share = holdings[funds.row] / max(float(holdings[funds.row].sum()), 1.0)
    limits = np.where(share > 0, share * vintage_limit if np.isfinite(vintage_limit) else np.inf, np.inf)
    found = commitment_schedule(wanted, left, funds.unit_nav, limits)
    for year in range(years):
        frame[f"commit_{year + 1}"] = found.commitments[:, year]
    frame[f"nav_{years}"] = found.nav[:, -1]
    return frame


def vintage_limit(inputs: Inputs) -> float:
    """Return the ceiling of a year's commitments that the fund file states, CNY; infinite for none."""
    for entry in inputs.settings.constraints:
        if entry.name == NAME and entry.options.get("vintage") is not None:
            options = CommitmentOptions.model_validate(entry.options)
            assert options.vintage is not None
            return options.vintage * total_assets(inputs)
    return np.inf


def _parts(funds: FundRows, target: Vector) -> tuple[Vector, Vector]:
    """Return the share of what is held that stays, and the amount added."""
    held = np.where(funds.current > 0, funds.current, 1.0)
    return np.where(funds.current > 0, np.minimum(target / held, 1.0), 1.0), np.maximum(target - funds.current, 0.0)


CONSTRAINTS = (
    ConstraintSpec(
        NAME,
        Text("Fund commitments over the horizon", "基金认缴的全期约束"),
        CommitmentOptions,
        venture_commitments,
    ),
)


def _years(first: int, last: int) -> tuple[str, ...]:
    return tuple(LocalizedPhrase(f"year {year}", f"第 {year} 年") for year in range(first, last + 1))
