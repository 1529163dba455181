"""The policy tilt toward science-and-technology innovation bonds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.errors import InputError, Problem, did_you_mean
from allocator.inputs.fund import Inputs
from allocator.model import TiltSpec
from allocator.settings import Section
from allocator.types import Certainty, Source, Text

__all__ = ["TILTS", "TechBondOptions", "score"]


class TechBondOptions(Section):
    """``issuer_types``: count only bonds of these issuer types (issuers.csv ``type``); omitted: all."""

    issuer_types: tuple[str, ...] = ()


def score(inputs: Inputs, options: TechBondOptions) -> NDArray[np.float64]:
    """Return 1 for each science-and-technology innovation bond, else 0, shape (n,).

    Raises
    ------
    InputError
        When issuer types are asked for and issuers.csv is missing or has no issuer of such a type.
    """
    chosen = (inputs.assets["kind"] == "tech_innovation_bond").to_numpy()
    if not options.issuer_types:
        return chosen.astype(float)
    issuers = inputs.table("issuers")
    known = [] if issuers is None else issuers["type"].dropna().unique().tolist()
    for name in options.issuer_types:
        if issuers is None or name not in known:
            raise InputError(
                Problem(
                    Text("no issuer of this type", "没有该类型的发行人"),
                    inputs.settings.where("tilts"),
                    name,
                    ", ".join(sorted(known)) or "inputs.issuers",
                    did_you_mean(name, known),
                )
            )
    assert issuers is not None
    types = dict(zip(issuers["issuer"], issuers["type"], strict=True))
    return (chosen & inputs.assets["issuer"].map(types).isin(options.issuer_types).to_numpy()).astype(float)


TILTS = (
    TiltSpec(
        "tech_innovation_bonds",
        Text("Science-and-technology innovation bonds", "科技创新债券"),
        TechBondOptions,
        score,
        Source("科技部、金融监管总局、工信部、知识产权局 2026-03-02", "", "2026-03-02", Certainty.SECONDARY),
    ),
)
