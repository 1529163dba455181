"""Cone programs of a plugin's own, and the solvers that the library trusts."""

from allocator.solve.program.program import Block, Cone, ConeProgram
from allocator.solve.solvers.backends import SolverChain

__all__ = [
    "Block",
    "SolverChain",
    "Cone",
    "ConeProgram",
]
