"""The hook specifications: how regimes, rules, tilts, models and report sections enter, and the only way.

Every hook takes no arguments and returns a sequence of specifications; None or an empty sequence means
"nothing from me". A specification names its options as a pydantic model (unknown keys forbidden), so that
the fund file is checked before anything is built. Hooks are called once, after the fund file is parsed and
before any table is read; the functions inside a specification are called later, as each says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pluggy

from allocator.types import Text

if TYPE_CHECKING:
    from allocator.model.models import ReturnModelSpec, RiskModelSpec, ScenarioSpec
    from allocator.model.regime import RegimeSpec
    from allocator.model.specs import ConstraintSpec, ObjectiveSpec
    from allocator.model.tilts import TiltSpec
    from allocator.result.tables import ReportSectionSpec
    from allocator.stress.commitments import CommitmentSpec
    from allocator.stress.shocks import ShockSpec, StressSpec
    from allocator.types import AssetKind, Table

__all__ = ["API_VERSION", "HOOKS", "hookimpl", "hookspec", "CommandSpec"]

API_VERSION = "1"
"""Version of the hooks: what a plugin states as ``requires_api``."""

GROUP = "allocator"

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)
"""Marks a function of a plugin's module as its part of the hook of the same name (pluggy)."""


@hookspec
def allocator_asset_kinds() -> Sequence[AssetKind]:  # type: ignore[empty-body]
    """Declare kinds of asset: the values of the ``kind`` column. Two plugins may not declare one name."""


@hookspec
def allocator_tables() -> Sequence[Table]:  # type: ignore[empty-body]
    """Declare tables under ``inputs:`` and further columns of tables that exist (same name: columns are merged)."""


@hookspec
def allocator_regimes() -> Sequence[RegimeSpec]:  # type: ignore[empty-body]
    """Offer solvency regimes: the values of ``capital.regime``. `RegimeSpec.build` is called once per fund."""


@hookspec
def allocator_constraints() -> Sequence[ConstraintSpec]:  # type: ignore[empty-body]
    """Offer constraint terms: the names under ``constraints:``. `build` is called once per mention in the file."""


@hookspec
def allocator_objectives() -> Sequence[ObjectiveSpec]:  # type: ignore[empty-body]
    """Offer objectives: the values of ``objective.maximize``, ``objective.minimize``, ``objective.risk.measure``."""


@hookspec
def allocator_tilts() -> Sequence[TiltSpec]:  # type: ignore[empty-body]
    """Offer policy tilts: the names under ``tilts:``. `TiltSpec.score` is called once per mention in the file."""


@hookspec
def allocator_return_models() -> Sequence[ReturnModelSpec]:  # type: ignore[empty-body]
    """Offer models of expected return: the values of ``models.returns``. Called when the fund is loaded."""


@hookspec
def allocator_risk_models() -> Sequence[RiskModelSpec]:  # type: ignore[empty-body]
    """Offer models of risk: the values of ``models.risk``. Called when an objective or rule asks for the risk."""


@hookspec
def allocator_scenarios() -> Sequence[ScenarioSpec]:  # type: ignore[empty-body]
    """Offer sources of return scenarios: the values of ``models.scenarios``. Called when a term asks for them."""


@hookspec
def allocator_shocks() -> Sequence[ShockSpec]:  # type: ignore[empty-body]
    """Offer shocks: the keys of a scenario under ``stress.scenarios``. `apply` is called once per scenario."""


@hookspec
def allocator_stresses() -> Sequence[StressSpec]:  # type: ignore[empty-body]
    """Offer whole stress scenarios, such as those a rule prescribes. `scenario` is called once per study."""


@hookspec
def allocator_commitments() -> Sequence[CommitmentSpec]:  # type: ignore[empty-body]
    """Offer projections of what committed funds call and pay out. `project` is called once per plan."""


@hookspec
def allocator_report_sections() -> Sequence[ReportSectionSpec]:  # type: ignore[empty-body]
    """Offer sections of report.html and sheets of report.xlsx. Called after verification, with the result."""


@hookspec
def allocator_commands() -> Sequence[CommandSpec]:  # type: ignore[empty-body]
    """Offer commands of the command line. Only plugins enabled by default or named on the command line are asked."""


HOOKS = (
    "allocator_asset_kinds",
    "allocator_tables",
    "allocator_regimes",
    "allocator_constraints",
    "allocator_objectives",
    "allocator_tilts",
    "allocator_return_models",
    "allocator_risk_models",
    "allocator_scenarios",
    "allocator_shocks",
    "allocator_stresses",
    "allocator_commitments",
    "allocator_report_sections",
    "allocator_commands",
)
"""Names of all hooks, in the order above."""


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One command: ``function`` is a typer command function; its signature declares the arguments."""

    name: str
    help: Text
    function: Callable[..., Any] = field(repr=False)
