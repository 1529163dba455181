"""What every fund needs, through the hooks that a third party's plugin uses: returns, risk, plain limits."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import hookimpl
from allocator.plugin.tables import Table
from allocator.plugin.terms import ConstraintSpec, ObjectiveSpec, ReturnModelSpec, RiskModelSpec, ScenarioSpec

__all__: list[str] = []

requires_api = "1"


@hookimpl
def allocator_tables() -> Sequence[Table]:
    from allocator_essentials.discrete import TABLES as DISCRETE
    from allocator_essentials.risk import TABLES
    from allocator_essentials.uncertainty import TABLES as UNCERTAINTY

    return (*TABLES, *UNCERTAINTY, *DISCRETE)


@hookimpl
def allocator_return_models() -> Sequence[ReturnModelSpec]:
    from allocator_essentials.returns import RETURN_MODELS

    return RETURN_MODELS


@hookimpl
def allocator_risk_models() -> Sequence[RiskModelSpec]:
    from allocator_essentials.risk import RISK_MODELS

    return RISK_MODELS


@hookimpl
def allocator_scenarios() -> Sequence[ScenarioSpec]:
    from allocator_essentials.scenarios import SCENARIOS

    return SCENARIOS


@hookimpl
def allocator_objectives() -> Sequence[ObjectiveSpec]:
    from allocator_essentials.objectives import OBJECTIVES

    return OBJECTIVES


@hookimpl
def allocator_constraints() -> Sequence[ConstraintSpec]:
    from allocator_essentials.concentration import CONCENTRATION
    from allocator_essentials.constraints import CONSTRAINTS
    from allocator_essentials.discrete import CONSTRAINTS as DISCRETE

    return (*CONSTRAINTS, *CONCENTRATION, *DISCRETE)
