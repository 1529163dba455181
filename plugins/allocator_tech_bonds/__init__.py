"""Policy tilt toward science-and-technology innovation bonds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from allocator.hooks import hookimpl
from allocator.inputs.fund import Inputs
from allocator.model import TiltSpec
from allocator.settings import Section
from allocator.types import Certainty, Source, Text

__all__ = ["TechBondOptions", "score"]


class TechBondOptions(Section):
    """``issuer_types``: count only bonds of these issuer types (issuers.csv ``type``); omitted: all."""

    issuer_types: tuple[str, ...] = ()


def score(inputs: Inputs, options: TechBondOptions) -> NDArray[np.float64]:
    """Return 1 for each science-and-technology innovation bond, else 0, shape (n,)."""
    chosen = (inputs.assets["kind"] == "tech_innovation_bond").to_numpy()
    issuers = inputs.table("issuers")
    if options.issuer_types and issuers is not None:
        types = dict(zip(issuers["issuer"], issuers["type"], strict=True))
        chosen &= inputs.assets["issuer"].map(types).isin(options.issuer_types).to_numpy()
    return chosen.astype(float)


@hookimpl
def allocator_tilts() -> Sequence[TiltSpec]:
    return (
        TiltSpec(
            "tech_innovation_bonds",
            Text("Science-and-technology innovation bonds", "科技创新债券"),
            TechBondOptions,
            score,
            Source("科技部、金融监管总局、工信部、知识产权局 2026-03-02", "", "2026-03-02", Certainty.SECONDARY),
        ),
    )
