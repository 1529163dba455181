"""From a model to an allocation with its certificate."""

from allocator.solve.api import solve
from allocator.solve.infeasible.conflict import Conflict, find_conflicts
from allocator.solve.infeasible.priority import RelaxedConstraint, relax_by_priority
from allocator.solve.search.solution import Solution, Status
from allocator.solve.sweep.sweep import Sweep, SweepSolution

__all__ = [
    "RelaxedConstraint",
    "Conflict",
    "SweepSolution",
    "Solution",
    "Status",
    "Sweep",
    "find_conflicts",
    "relax_by_priority",
    "solve",
]
