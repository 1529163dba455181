"""The typed form of FUND.yaml. Reading, line numbers and messages are in `allocator.config.load`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from allocator.config.values import Day, Money, Number, RequiredRatio, parse_date, parse_number
from allocator.types import LocalizedPhrase, Text

__all__ = [
    "AccountSettings",
    "BacktestSettings",
    "BalanceSheetSettings",
    "CapitalSettings",
    "Day",
    "FundSettings",
    "Money",
    "Number",
    "ObjectiveSettings",
    "PlanSettings",
    "PluginSettings",
    "RequiredRatio",
    "Section",
    "Settings",
    "SolveSettings",
    "StressSettings",
    "TermSettings",
    "TimeAxis",
    "parse_date",
    "parse_number",
]


class Section(BaseModel):
    """Base of every section of the fund file: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class TimeAxis(StrEnum):
    """How days become years: by anniversaries of the valuation date, or days / 365."""

    ANNIVERSARIES = "anniversaries"
    DAYS_365 = "days_365"


class FundSettings(Section):
    """``fund:`` — what the fund is, on which date, in which unit.

    ``name`` stands on every report; ``as_of`` is the valuation date and decides which rules are in force.
    ``unit`` is CNY per unit of money in the file and its tables: 1, 1e4 (万元) or 1e8 (亿元). ``frequency`` is
    the periods a year of the table ``returns``. ``time_axis``: by ``anniversaries`` of the valuation date, or
    ``days_365``. ``mandate`` says that the rows are a part of the company's assets, however small.
    """

    name: str
    as_of: Day
    unit: Annotated[Number, Field(gt=0)] = 1.0
    frequency: Annotated[int, Field(gt=0)] = 252
    time_axis: TimeAxis = TimeAxis.ANNIVERSARIES
    mandate: bool = False


class BalanceSheetSettings(Section):
    """``balance_sheet:`` — the company's own totals, in ``fund.unit``; never re-summed from the rows.

    ``total_assets`` is the denominator of limits, concentration and size factor. Give ``actual_capital``, or
    ``admitted_assets`` and ``admitted_liabilities``; if all are given they must agree. ``core_capital`` and
    the four tiers (``core_tier1``, ``core_tier2``, ``supplementary_tier1``, ``supplementary_tier2``) are the
    capital available by quality. ``reported_comprehensive_ratio`` is last quarter's: it sets the equity tier.
    """

    total_assets: Money | None = None
    admitted_assets: Money | None = None
    admitted_liabilities: Money | None = None
    core_capital: Money | None = None
    actual_capital: Money | None = None
    reported_comprehensive_ratio: Number | None = None
    core_tier1: Money | None = None
    core_tier2: Money | None = None
    supplementary_tier1: Money | None = None
    supplementary_tier2: Money | None = None


Ratios = dict[str, RequiredRatio]
"""Ratio name → what it must be."""


class CapitalSettings(BaseModel):
    """``capital:`` — the regime's name; its other keys are the regime's own options.

    ``require_under`` names stress scenarios in which an answer must hold ratios too: scenario → ratio → level.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    regime: str
    require_under: dict[str, Ratios] = {}

    @property
    def options(self) -> dict[str, Any]:
        """The regime's own keys, not yet validated."""
        return dict(self.__pydantic_extra__ or {})


class AccountSettings(Section):
    """``accounts.NAME:`` — the account's budget, in ``fund.unit``; omitted: its current sum.

    ``budget`` is an equality; ``min`` and ``max`` bound the account's sum instead.
    """

    budget: Money | None = None
    min: Money | None = None
    max: Money | None = None


class RiskSettings(BaseModel):
    """``objective.risk:`` — ``aversion`` times ``measure`` is subtracted; further keys are the measure's own."""

    model_config = ConfigDict(frozen=True, extra="allow")
    measure: str = "variance"
    aversion: Annotated[Number, Field(ge=0)] = 0.0

    @property
    def options(self) -> dict[str, Any]:
        """The measure's own keys, not yet validated."""
        return dict(self.__pydantic_extra__ or {})


class CostSettings(Section):
    """``objective.costs:`` — trading costs beside each row's ``transaction_cost``.

    ``linear`` is the cost per unit traded where the row gives none; ``quadratic`` the cost per unit
    traded and per unit of what all accounts hold after trading (a trade t costs ``quadratic · t² / Σ target``);
    ``horizon`` the years over which a one-off cost is spread.
    """

    linear: Annotated[Number, Field(ge=0)] = 0.0
    quadratic: Annotated[Number, Field(ge=0)] = 0.0
    horizon: Annotated[Number, Field(gt=0)] = 1.0


class ObjectiveSettings(BaseModel):
    """``objective:`` — one term to ``maximize`` or to ``minimize``; further keys are the term's own options.

    ``risk`` is subtracted from a maximized objective, and so are trading ``costs``.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    maximize: str | None = None
    minimize: str | None = None
    risk: RiskSettings | None = None
    costs: CostSettings = CostSettings()

    @property
    def options(self) -> dict[str, Any]:
        """The objective's own keys, not yet validated."""
        return dict(self.__pydantic_extra__ or {})


class TermSettings(BaseModel):
    """One entry of a list such as ``constraints:`` or ``tilts:``: a name and its options."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    options: dict[str, Any] = {}
    position: int


TIME_LIMIT = 300.0
"""Seconds that one call into a plugin may take unless ``plugins.time_limit`` says otherwise."""


class PluginSettings(Section):
    """``plugins:`` — third-party plugins to ``enable``, first-party ones to ``disable``, by name.

    ``time_limit``: seconds that one call into a plugin may take; ``pin``: plugin → SHA-256 of its installed
    files, as ``allocator plugins list --json`` shows it: a plugin with other files is refused.
    """

    enable: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()
    time_limit: Annotated[Number, Field(gt=0)] = TIME_LIMIT
    pin: dict[str, Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")]] = {}


class SolveSettings(Section):
    """``solve:`` — when to stop and with what.

    ``gap`` at which an answer counts as optimal: annual return, or relative for money; ``time_limit`` in
    seconds; ``max_nodes`` of branch and bound; ``solver`` by name, or ``auto``; ``seed`` of all that is random.
    ``relax``: when the rules contradict each other, those with a ``priority`` give way, the lowest first, each
    by as little as possible, in place of an error.
    """

    relax: bool = False
    gap: Annotated[Number, Field(ge=0)] = 1e-5
    time_limit: Annotated[Number, Field(gt=0)] = 60.0
    max_nodes: Annotated[int, Field(gt=0)] = 2000
    solver: str = "auto"
    seed: int = 0


class StressSettings(Section):
    """``stress:`` — scenarios of your own in addition to those that plugins offer.

    Parameters
    ----------
    only : tuple of str or None
        Names of the scenarios to run; None runs all.
    scenarios : dict of str to dict
        Name → shocks by name with their options; ``label`` and ``capital`` (options of the ``capital`` section
        that differ in the scenario) may stand beside them.
    reverse : dict of str to dict or None
        Name → shocks at their far end, between which and no shock at all the reverse stress test searches; None
        takes the far ends that the shocks themselves name.
    """

    only: tuple[str, ...] | None = None
    scenarios: dict[str, dict[str, Any]] = {}
    reverse: dict[str, dict[str, Any]] | None = None


BySteps = dict[Annotated[int, Field(ge=1)], Money]
"""Step → amount, in ``fund.unit``."""


class BranchSettings(Section):
    """``plan.branches[]`` — a step at which the plan splits, and the probability of each scenario there.

    ``base`` names the branch on which nothing happens; the others are scenarios of the stress test.
    """

    at: Annotated[int, Field(ge=1)]
    scenarios: Annotated[dict[str, Annotated[Number, Field(gt=0, le=1)]], Field(min_length=1)]

    @model_validator(mode="after")
    def _whole(self) -> BranchSettings:
        if abs(sum(self.scenarios.values()) - 1.0) > 1e-9:
            raise ValueError(Text("the probabilities must add up to 1", "各分支概率之和须为 1"))
        return self


class PlanSettings(Section):
    """``plan:`` — years ahead, for ``allocator plan``; money in ``fund.unit``.

    Parameters
    ----------
    steps : int
        How many steps.
    per_year : int
        Steps a year: 4 for quarters, 1 for years.
    require : dict of str to number
        Ratios at every step; omitted: those of the ``capital`` section.
    end : dict of str to number
        Ratios at the last step, where they are higher.
    under : dict of str to dict
        Scenario → ratios that must hold at every step should it happen there.
    branches : tuple of BranchSettings
        Steps at which the plan splits; decisions before a split are the same on all its branches.
    turnover : number
        Most that may be sold at a step, as a share of all holdings, beside what accounts must pay out: what
        matures is not sold.
    premiums : dict of str to number
        Account → new premium a step, beyond the liability table.
    reserve_share : number
        Part of a new premium that becomes a liability.
    new_capital, dividends : dict of int to number
        Step → amount paid in by, or out to, shareholders.
    shareholder_account : str
        Account these amounts run through; omitted: the first one.
    commitments : bool
        Whether committed funds call and pay out by themselves, as the enabled plugins project them.
    calls : dict of str to dict
        Fund (asset_id) → step → capital called, which must be paid in then; takes the place of projected calls.
    leave_out : tuple of str
        Rules that make no sense at a later step.
    rounds : int
        How many rounds re-solve the plan with charges and totals at its own path, tightened where it falls short.
    gap : number
        Optimality gap at which a round stops, yearly return.
    time_limit : number
        Seconds for the search of all rounds together; the first round is given all of them if it needs them.
    """

    steps: Annotated[int, Field(ge=1, le=120)] = 20
    per_year: Literal[1, 2, 4, 12] = 4
    require: Ratios | None = None
    end: Ratios = {}
    under: dict[str, Ratios] = {}
    branches: tuple[BranchSettings, ...] = ()
    turnover: Annotated[Number, Field(gt=0, le=1)] = 0.1
    premiums: dict[str, Money] = {}
    reserve_share: Annotated[Number, Field(ge=0)] = 1.0
    new_capital: BySteps = {}
    dividends: BySteps = {}
    shareholder_account: str | None = None
    commitments: bool = True
    calls: dict[str, BySteps] = {}
    leave_out: tuple[str, ...] = ("turnover",)
    rounds: Annotated[int, Field(ge=1, le=10)] = 4
    gap: Annotated[Number, Field(ge=0)] = 1e-4
    time_limit: Annotated[Number, Field(gt=0)] = 120.0


class BacktestSettings(Section):
    """``backtest:`` — how ``allocator backtest`` walks through returns.csv.

    Parameters
    ----------
    every : int
        Periods of returns between two decisions.
    window : int
        Past periods that an estimate of returns looks at.
    prior : number
        Weight of the fund file's own expected returns in the estimate, 0 to 1.
    start : date
        Day before which nothing is decided; omitted: as early as the window allows.
    liability_rate : number
        What liabilities cost a year, as a share of admitted liabilities, paid out of the accounts.
    """

    every: Annotated[int, Field(ge=1)] = 3
    window: Annotated[int, Field(ge=2)] = 36
    prior: Annotated[Number, Field(ge=0, le=1)] = 0.5
    start: Day | None = None
    liability_rate: Number = 0.0


class Settings(Section):
    """A whole fund file, validated.

    ``strict_columns``: columns that no plugin declares are errors instead of notes.
    ``register`` is where runs are registered: a file, a database URL, or ``off``; the field has another name
    because models have a method of that one. ``folder`` is where relative paths start; ``lines`` maps dotted
    keys (list items by number) to line numbers of the fund file, for messages; ``overrides`` holds the keys
    set on the command line instead, ``given`` the ``KEY=VALUE`` of each as it was given.
    """

    fund: FundSettings
    inputs: dict[str, Path]
    balance_sheet: BalanceSheetSettings = BalanceSheetSettings()
    capital: CapitalSettings | None = None
    accounts: dict[str, AccountSettings] = {}
    objective: ObjectiveSettings = ObjectiveSettings(maximize="expected_return")
    constraints: tuple[TermSettings, ...] = ()
    tilts: tuple[TermSettings, ...] = ()
    models: dict[str, Any] = {}
    plugins: PluginSettings = PluginSettings()
    solve: SolveSettings = SolveSettings()
    stress: StressSettings = StressSettings()
    plan: PlanSettings = PlanSettings()
    backtest: BacktestSettings = BacktestSettings()
    strict_columns: bool = False
    language: Literal["en", "zh"] | None = None
    csv_formulas: Literal["escape", "keep"] = "escape"
    run_register: str | Literal[False] | None = Field(default=None, alias="register")
    folder: Path = Path()
    file: str = ""
    lines: dict[str, int] = {}
    overrides: frozenset[str] = frozenset()
    given: tuple[str, ...] = ()

    def where(self, key: str) -> str:
        """Return the place of a dotted key, e.g. ``"fund.yaml, line 14, capital.sarmra_score"``."""
        if any(key == changed or key.startswith(f"{changed}.") for changed in self.overrides):
            return f"--set {key}"
        known = key
        while known and known not in self.lines:
            known = known.rpartition(".")[0]
        line = self.lines.get(known)
        english = [self.file, f"line {line}" if line else "", key]
        chinese = [self.file, f"第 {line} 行" if line else "", key]
        return LocalizedPhrase(", ".join(filter(None, english)), "，".join(filter(None, chinese)))
