"""A walk through history: at each date decide with what was known then, live with what came after.

A strategy is handed a fund that holds only the past: returns up to the date, the curve up to the date (its days moved
so that the date becomes the valuation date), the amounts it has lived to see. Rules, liabilities and the terms of
instruments are those of the fund file throughout: today's rules on yesterday's markets. Between two dates each row
earns its realised returns; trading costs and the cost of liabilities are paid out of the accounts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.config.settings import BacktestSettings
from allocator.errors import Infeasible, InputError, NotProven, Problem
from allocator.inputs.fund import Inputs
from allocator.inputs.terms import column
from allocator.pipeline.optimize import optimize
from allocator.pipeline.scenario_requirements import holding
from allocator.pipeline.scenarios import capital_of
from allocator.stress.shocks import moved_sheet
from allocator.study.naive import naive_answer
from allocator.types import Text

if TYPE_CHECKING:
    from allocator.pipeline.fund import Fund

__all__ = ["STRATEGIES", "BacktestStudy", "Decision", "backtest"]

Strategy = Callable[["Fund"], Vector | None]
"""What to hold, given a fund that knows the past alone; None where there is no answer."""


def _exact(fund: Fund) -> Vector | None:
    try:
        return optimize(fund).holdings
    except (Infeasible, NotProven):
        return None


def _naive(fund: Fund) -> Vector | None:
    return naive_answer(fund.model)


def _hold(fund: Fund) -> Vector | None:
    """Return the first mix of each account, scaled to what the account holds now."""
    frame = fund.inputs.assets
    amount, mix = fund.space.current.copy(), column(frame, MIX)
    for rows in fund.space.accounts().values():
        share = mix[rows] / mix[rows].sum() if mix[rows].sum() > 0.0 else amount[rows] / amount[rows].sum()
        amount[rows] = share * amount[rows].sum()
    return amount


MIX = "backtest_first_amount"
"""Column that tells what the fund held at first, money."""

STRATEGIES: Mapping[str, Strategy] = MappingProxyType({"exact": _exact, "hold": _hold, "naive": _naive})
"""The library's optimizer, the mix kept, and the naive cone."""


@dataclass(frozen=True, eq=False)
class Decision:
    """One date of one strategy.

    Parameters
    ----------
    strategy, date : str
        Who and when.
    answered : bool
        Whether the strategy had an answer; else it kept what it held.
    holdings : ndarray (n,)
        Amounts after trading, money.
    ratios : mapping of str to float
        Exact ratios after trading, by name.
    limits : mapping of str to float
        What is required of them.
    own_funds, cost, turnover : float
        Own funds after trading and the cost of it, money; half of all trades as a share of assets.
    """

    strategy: str
    date: str
    answered: bool
    holdings: Vector
    ratios: Mapping[str, float]
    limits: Mapping[str, float]
    own_funds: float
    cost: float
    turnover: float

    @property
    def holds(self) -> bool:
        """Whether every ratio is at least what is required, within a millionth."""
        return all(self.ratios[name] >= level - 1e-6 for name, level in self.limits.items())


@dataclass(frozen=True, eq=False)
class BacktestStudy:
    """All decisions of all strategies, and how each of them ended.

    Parameters
    ----------
    decisions : tuple of Decision
        By strategy, then date.
    last : mapping of str to float
        Assets of each strategy at the end of the history, before its liabilities' cost of no further period, money.
    first : float
        Assets at the start, money.
    years : float
        Length of the walk.
    unseen : tuple of str
        Assets without returns: they earn their expected return.
    """

    decisions: tuple[Decision, ...]
    last: Mapping[str, float]
    first: float
    years: float
    unseen: tuple[str, ...]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line a strategy and date; money."""
        return pd.DataFrame(
            {
                "strategy": item.strategy,
                "date": item.date,
                **{f"{name}_ratio": value for name, value in item.ratios.items()},
                **{f"{name}_required": value for name, value in item.limits.items()},
                "holds": item.holds,
                "answered": item.answered,
                "assets": float(item.holdings.sum()),
                "actual_capital": item.own_funds,
                "cost": item.cost,
                "turnover": item.turnover,
            }
            for item in self.decisions
        )

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One line a strategy: growth of assets a year after all costs, worst room, dates short, cost, turnover."""
        lines = []
        for name, last in self.last.items():
            own = [item for item in self.decisions if item.strategy == name]
            room = [item.ratios[key] - level for item in own for key, level in item.limits.items()]
            lines.append(
                {
                    "strategy": name,
                    "growth": (last / self.first) ** (1.0 / self.years) - 1.0,
                    "worst_room": min(room, default=np.nan),
                    "dates_short": sum(not item.holds for item in own),
                    "dates": len(own),
                    "unanswered": sum(not item.answered for item in own),
                    "cost": sum(item.cost for item in own),
                    "turnover": float(np.mean([item.turnover for item in own])),
                }
            )
        return pd.DataFrame(lines)


def backtest(fund: Fund, strategies: Mapping[str, Strategy] = STRATEGIES) -> BacktestStudy:
    """Return what each strategy would have done and lived to see.

    Parameters
    ----------
    fund : Fund
        With a history of returns.
    strategies : mapping of str to Strategy
        What is compared, by name.

    Raises
    ------
    InputError
        Without returns, or with too few of them.
    """
    walk = _Walk.of(fund)
    decisions: list[Decision] = []
    last: dict[str, float] = {}
    for name, strategy in strategies.items():
        found, end = _live(walk, name, strategy)
        decisions += found
        last[name] = end
    years = (len(walk.dates) - 1 - walk.steps[0]) / fund.settings.fund.frequency
    return BacktestStudy(tuple(decisions), last, float(walk.start.sum()), years, walk.unseen)


@dataclass(frozen=True, eq=False)
class _Walk:
    """The history and the fund as given."""

    fund: Fund
    settings: BacktestSettings
    dates: pd.Series
    returns: NDArray[np.float64]
    steps: tuple[int, ...]
    start: Vector
    unseen: tuple[str, ...]

    @classmethod
    def of(cls, fund: Fund) -> _Walk:
        settings, table = fund.settings.backtest, fund.inputs.table("returns")
        if table is None:
            what = Text("a backtest needs the history of returns", "回测需要历史收益率")
            raise InputError(Problem(what, fund.settings.where("inputs.returns")))
        capital_of(fund)
        dates = pd.to_datetime(table["date"])
        names = fund.inputs.assets["asset_id"].to_numpy(dtype=str)
        known = [name in table for name in names]
        expected = np.nan_to_num(fund.context.expected_return) / fund.settings.fund.frequency
        columns = [
            table[name].to_numpy(dtype=float) if seen else np.full(len(table), expected[row])
            for row, (name, seen) in enumerate(zip(names, known, strict=True))
        ]
        returns = np.column_stack(columns)
        first = settings.window - 1
        if settings.start is not None:
            first = max(first, int(np.searchsorted(dates.to_numpy(), np.datetime64(settings.start))))
        steps = tuple(range(first, len(table) - 1, settings.every))
        if not steps or np.isnan(returns[max(first - settings.window + 1, 0) :]).any():
            what = Text(
                "the history of returns is too short for the window, or has gaps", "历史收益率短于估计窗口，或存在缺口"
            )
            got = f"{len(table)} periods"
            raise InputError(Problem(what, fund.settings.where("backtest.window"), got, f"> {settings.window}"))
        unseen = tuple(sorted({name for name, seen in zip(names, known, strict=True) if not seen}))
        return cls(fund, settings, dates, returns, steps, fund.space.current.copy(), unseen)

    def then(self, step: int, amounts: Vector, reported: Mapping[str, float]) -> Fund:
        """Return the fund as it stood at a step: the past alone, the amounts lived to see, the ratios last reported."""
        base = self.fund.inputs
        inputs = holding(base, amounts)
        frame = inputs.assets
        past = self.returns[step - self.settings.window + 1 : step + 1]
        seen = past.mean(axis=0) * self.fund.settings.fund.frequency
        prior = np.nan_to_num(self.fund.context.expected_return)
        estimate = self.settings.prior * prior + (1.0 - self.settings.prior) * seen
        scale = self._scale(amounts)
        columns = {
            "expected_return": estimate,
            "min": column(base.assets, "min") * scale,
            "max": column(base.assets, "max") * scale,
            MIX: self.start,
        }
        tables: dict[str, pd.DataFrame] = {**inputs.tables, "assets": frame.assign(**columns)}
        tables["returns"] = base.tables["returns"].iloc[: step + 1].reset_index(drop=True)
        if "curve_history" in tables:
            day = self.dates.iloc[step]
            history = tables["curve_history"]
            past_days = history.loc[pd.to_datetime(history["date"]) <= day]
            moved = pd.to_datetime(past_days["date"]) + (pd.Timestamp(base.as_of) - day)
            tables["curve_history"] = past_days.assign(date=moved).reset_index(drop=True)
        change = float(amounts.sum() - self.start.sum())
        keys = [key for key in base.jurisdiction.balance_sheet if key.reports in reported]
        sheet = moved_sheet(base, change, 0.0).changed(**{key.name: reported[key.reports] for key in keys})
        moved_inputs: Inputs = replace(inputs, tables=MappingProxyType(tables), balance_sheet=sheet)
        return self.fund.with_inputs(moved_inputs)

    def _scale(self, amounts: Vector) -> Vector:
        """How much larger each row's account is than at first."""
        scale = np.ones(len(amounts))
        for rows in self.fund.space.accounts().values():
            before = float(self.start[rows].sum())
            scale[rows] = float(amounts[rows].sum()) / before if before > 0.0 else 1.0
        return scale

    def grown(self, amounts: Vector, first: int, last: int) -> Vector:
        """Return amounts after the periods ``first`` … ``last``, the cost of liabilities paid from every account."""
        owed = self.fund.inputs.balance_sheet.admitted_liabilities or 0.0
        rate = self.settings.liability_rate * owed / self.fund.settings.fund.frequency
        held = amounts.copy()
        for period in range(first, last + 1):
            held = held * (1.0 + self.returns[period])
            held *= 1.0 - rate / float(held.sum())
        return held


def _live(walk: _Walk, name: str, strategy: Strategy) -> tuple[list[Decision], float]:
    amounts, reported = walk.start.copy(), dict[str, float]()
    decisions = []
    for place, step in enumerate(walk.steps):
        fund = walk.then(step, amounts, reported)
        wanted = strategy(fund)
        target = amounts if wanted is None else np.maximum(wanted, 0.0)
        cost = walk.fund.space.linear_cost * np.abs(target - amounts)
        turnover = 0.5 * float(np.abs(target - amounts).sum() / amounts.sum())
        for rows in walk.fund.space.accounts().values():
            if target[rows].sum() > 0.0:
                target[rows] *= 1.0 - cost[rows].sum() / target[rows].sum()
        position = capital_of(walk.then(step, target, reported))
        ratios = {item.name: position.ratio(item.name) for item in position.requirements}
        levels = {item.name: item.required for item in position.requirements if item.required is not None}
        decisions.append(
            Decision(
                name,
                walk.dates.iloc[step].date().isoformat(),
                wanted is not None,
                target.copy(),
                ratios,
                levels,
                position.own_funds.actual,
                float(cost.sum()),
                turnover,
            )
        )
        reported |= ratios
        after = walk.steps[place + 1] if place + 1 < len(walk.steps) else len(walk.dates) - 1
        amounts = walk.grown(target, step + 1, after)
    return decisions, float(amounts.sum())
