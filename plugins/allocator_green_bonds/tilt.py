"""The tilt ``green_bonds``: bonds marked green, held directly or inside a product."""

from __future__ import annotations

from datetime import date

from allocator.plugin import Section, Text
from allocator.plugin.rules import RuleBook
from allocator.plugin.tables import Inputs, contents
from allocator.plugin.terms import PartScore, TiltSpec

__all__ = ["TILTS", "GreenOptions", "parts"]

RULES = RuleBook.load("allocator_green_bonds", "rules/green.yaml")


class GreenOptions(Section):
    """No keys of its own."""


def parts(inputs: Inputs, options: GreenOptions) -> PartScore:
    """Score 1 for each bond with the green flag, else 0.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    options : GreenOptions
        The keys of the fund file.
    """
    found = contents(inputs)
    kinds = RULES.at("green.kinds", inputs.as_of).names
    green = found.column("kind").isin(kinds) & found.column("green").eq(True).fillna(False)
    return PartScore(found, green.to_numpy(dtype=bool).astype(float))


TILTS = (
    TiltSpec.opened(
        "green_bonds",
        Text("Green bonds", "绿色债券"),
        GreenOptions,
        parts,
        RULES.at("catalogue", date.max).source,
    ),
)
