"""From a model to an allocation with its certificate."""

from allocator.solve.entry import solve
from allocator.solve.solution import Solution, Status

__all__ = ["Solution", "Status", "solve"]
