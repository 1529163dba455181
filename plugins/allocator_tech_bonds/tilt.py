"""The policy tilt toward science-and-technology innovation bonds."""

from __future__ import annotations

from allocator.plugin import Certainty, Problems, Section, Source, Text, did_you_mean
from allocator.plugin.tables import Inputs, contents
from allocator.plugin.terms import PartScore, TiltSpec

__all__ = ["TILTS", "TechBondOptions", "parts"]


class TechBondOptions(Section):
    """``issuer_types``: count only bonds of these issuer types (issuers.csv ``type``); omitted: all."""

    issuer_types: tuple[str, ...] = ()


def parts(inputs: Inputs, options: TechBondOptions) -> PartScore:
    """Score 1 for each science-and-technology innovation bond, held directly or inside a product, else 0.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    options : TechBondOptions
        The keys of the fund file.

    Raises
    ------
    InputError
        When issuer types are asked for and issuers.csv is missing or has no issuer of such a type.
    """
    found = contents(inputs)
    chosen = (found.column("kind") == "tech_innovation_bond").to_numpy(dtype=bool)
    if options.issuer_types:
        _check_types(inputs, options)
        types = found.joined("issuers", "issuer", "type")
        chosen = chosen & types.isin(options.issuer_types).to_numpy(dtype=bool)
    return PartScore(found, chosen.astype(float))


def _check_types(inputs: Inputs, options: TechBondOptions) -> None:
    issuers = inputs.table("issuers")
    known = [] if issuers is None else issuers["type"].dropna().unique().tolist()
    problems = Problems()
    for name in options.issuer_types:
        if name not in known:
            problems.add(
                Text("no issuer of this type", "没有该类型的发行人"),
                inputs.settings.where("tilts"),
                name,
                ", ".join(sorted(known)) or "inputs.issuers",
                did_you_mean(name, known),
            )
    problems.raise_if_any()


TILTS = (
    TiltSpec.opened(
        "tech_innovation_bonds",
        Text("Science-and-technology innovation bonds", "科技创新债券"),
        TechBondOptions,
        parts,
        Source("科技部、金融监管总局、工信部、知识产权局 2026-03-02", "", "2026-03-02", Certainty.SECONDARY),
    ),
)
