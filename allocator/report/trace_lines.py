"""The lines of a trace, and how a figure's name is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from allocator.errors import InputError, Problem, did_you_mean
from allocator.types import Text

__all__ = ["Line", "named"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a trace.

    Parameters
    ----------
    depth : int
        How deep it stands in the tree; 0 is the figure asked for.
    name : str
        Module, rule, ``asset / account``, or a key of `OWN_WORDS`.
    amount : float
        In ``unit``.
    unit : str
        ``"money"`` (``fund.unit``) or the rule's own unit.
    source : str
        Article or document.
    how : str
        What it is made of, in the regime's words; empty for an aggregate of the lines below.
    place : str
        File and row of the input; empty where there is none.
    """

    depth: int
    name: str
    amount: float
    unit: str
    source: str = ""
    how: str = ""
    place: str = ""


def named(name: str, known: Sequence[str], figure: str) -> str:
    """Return the one name that is meant: itself, itself and ``_risk``, or the only one that begins so."""
    for whole in (name, f"{name}_risk"):
        if whole in known:
            return whole
    beginning = [one for one in known if name and one.startswith(name)]
    if len(beginning) == 1:
        return beginning[0]
    what = Text("several figures begin so", "有多个数字以此开头") if beginning else Text("no such figure", "没有该数字")
    raise InputError(Problem(what, figure, name, ", ".join(beginning or known), did_you_mean(name, known)))
