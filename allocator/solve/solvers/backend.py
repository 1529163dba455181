"""What every solver looks like from the chain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import ClassVar

from allocator.solve.program.program import ConeProgram, SolverResult

__all__ = ["ALMOST", "Backend"]

ALMOST = 1e-6
"""Residuals at which an interior-point answer counts as solved when it gets no further."""


class Backend(ABC):
    """A solver behind a common door. It may stay set up for a program that is like the last one."""

    name: ClassVar[str]
    package: ClassVar[str]

    @classmethod
    def installed(cls) -> bool:
        """Return whether its package can be imported."""
        return find_spec(cls.package) is not None

    @classmethod
    def label(cls) -> str:
        """Return name and version."""
        return f"{cls.name} {_version(cls.package)}"

    @abstractmethod
    def accepts(self, program: ConeProgram) -> bool:
        """Return whether it knows every cone of the program."""

    @abstractmethod
    def solve(self, program: ConeProgram, seconds: float) -> SolverResult:
        """Solve within ``seconds``.

        Parameters
        ----------
        program : ConeProgram
            The program, N columns and m rows.
        seconds : float
            Time limit.
        """


@cache
def _version(package: str) -> str:
    return version(package)
