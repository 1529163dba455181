"""From a model to an allocation with its certificate."""

from allocator.solve.conflict import Conflict, find_conflicts
from allocator.solve.entry import solve
from allocator.solve.priority import Concession, relax_by_priority
from allocator.solve.solution import Solution, Status
from allocator.solve.sweep import Reached, Sweep

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
