"""Options of shocks: a number for everything, or numbers by name."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from allocator.plugin import Number, Section, Text

__all__ = ["Change", "ByName", "ByTenor"]

Change = Annotated[Number, Field(ge=-1)]
"""A relative change of a value: −0.3 is a fall by 30%; nothing falls by more than all of it."""


class ByName(Section):
    """``{all: x}`` for everything, or ``{name: x}``: a name takes precedence over ``all``.

    Names stand directly under the shock; ``named`` is how they are kept.
    """

    all: Change | None = None
    named: dict[str, Change] = {}

    @model_validator(mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        if not given:
            raise ValueError(Text("give a number, or numbers by name", "请给出一个数值，或按名称给出数值"))
        return {"all": given.get("all"), "named": {str(key): value for key, value in given.items() if key != "all"}}

    def of(self, name: str) -> float:
        """Return the number for a name; 0 where neither it nor ``all`` is given."""
        found = self.named.get(name, self.all)
        return 0.0 if found is None else found


class ByTenor(Section):
    """A shift of rates: ``{all: 50bp}``, or ``{1: 30bp, 10: 60bp}`` by tenor in years, linear between, flat outside.

    Tenors stand directly under the shock; ``tenors`` is how they are kept.
    """

    tenors: dict[float, Number] = {}

    @model_validator(mode="before")
    @classmethod
    def _tenors(cls, given: Any) -> Any:
        if not isinstance(given, dict) or set(given) == {"tenors"}:
            return given
        if not given or ("all" in given and len(given) > 1):
            raise ValueError(Text("give one shift, or shifts by tenor in years", "请给出一个平移幅度，或按年期给出"))
        return {"tenors": {0.0 if key == "all" else key: value for key, value in given.items()}}
