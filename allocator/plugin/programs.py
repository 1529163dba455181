"""Cone programs of a plugin's own, and the solvers that the library trusts."""

from allocator.solve.program.program import Block, Cone, ConeProgram
from allocator.solve.solvers.backends import Chain

__all__ = [
    "Block",
    "Chain",
    "Cone",
    "ConeProgram",
]
