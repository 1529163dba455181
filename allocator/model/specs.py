"""What plugins hand over for rules and objectives: a name, its options and how it is built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from allocator.types import Text

if TYPE_CHECKING:
    from allocator.model.context import ModelContext
    from allocator.model.model import CapitalLimit
    from allocator.model.terms import Objective, Term

__all__ = ["STATUTORY", "ConstraintSpec", "ObjectiveSpec"]

STATUTORY = "statutory"
"""The set of rules that the law asks of every fund."""


@dataclass(frozen=True, slots=True)
class ConstraintSpec:
    """What the hook ``allocator_constraints`` returns, one for each term name.

    ``build(context, options) -> sequence of Term or CapitalLimit``; it raises InputError for data it lacks.
    ``presets`` names sets of rules that it belongs to: a fund file that names the set under ``constraints:`` has it
    with its own defaults. The set `STATUTORY` is what the law asks of every fund: a fund under a solvency regime that
    leaves out a rule of it says so.
    """

    name: str
    label: Text
    options: type[BaseModel]
    build: Callable[[ModelContext, Any], Sequence[Term | CapitalLimit]]
    presets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectiveSpec:
    """What the hook ``allocator_objectives`` returns, one for each objective name.

    ``build(context, options) -> Objective`` in maximized form (a minimized variance has weight −1).
    ``direction`` is ``"maximize"`` or ``"minimize"``: the key under which the fund file may name it. A
    specification with direction ``"minimize"`` may also be named by ``objective.risk.measure``.
    """

    name: str
    label: Text
    direction: str
    options: type[BaseModel]
    build: Callable[[ModelContext, Any], Objective] = field(repr=False)
