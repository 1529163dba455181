"""From a model to an allocation with its certificate."""

from allocator.solve.entry import solve
from allocator.solve.infeasible.conflict import Conflict, find_conflicts
from allocator.solve.infeasible.priority import Concession, relax_by_priority
from allocator.solve.search.solution import Solution, Status
from allocator.solve.sweep.sweep import Reached, Sweep

__all__ = [
    "Concession",
    "Conflict",
    "Reached",
    "Solution",
    "Status",
    "Sweep",
    "find_conflicts",
    "relax_by_priority",
    "solve",
]
