"""The tilt ``technology_securitised``: securitised products by the share of technology firms in their pool.

What the pool holds (underlying.csv, by issuer type) decides; a product that lists nothing counts by the share that its
pool report states, and one with neither counts nothing.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from allocator.plugin import Section, Text
from allocator.plugin.rules import RuleBook
from allocator.plugin.tables import Column, Inputs, Measure, Table, contents
from allocator.plugin.terms import PartScore, TiltSpec

__all__ = ["TECHNOLOGY_TABLES", "TILTS", "TechnologyPoolOptions", "parts"]

RULES = RuleBook.load("allocator_securitised", "rules/securitised.yaml")

_SHARE = Column(
    "technology_pool_share",
    Measure.RATE,
    Text(
        "Share of technology firms in the pool, as the pool report states", "资产池中科技企业占比（以资产池报告为准）"
    ),
    ("科技企业占比", "资产池科技企业占比"),
    minimum=0.0,
    maximum=1.0,
)
TECHNOLOGY_TABLES = (Table("assets", (_SHARE,)), Table("underlying", (_SHARE,)))


class TechnologyPoolOptions(Section):
    """``issuer_types``: types of issuer in the pool that count; omitted: technology firms."""

    issuer_types: tuple[str, ...] = ()


def parts(inputs: Inputs, options: TechnologyPoolOptions) -> PartScore:
    """Score the parts of securitised products by the type of their issuer, unlisted pools by the share given.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    options : TechnologyPoolOptions
        The keys of the fund file.
    """
    found = contents(inputs)
    kinds = RULES.at("kinds", inputs.as_of).names
    types = options.issuer_types or RULES.at("technology.types", inputs.as_of).names
    product = inputs.assets["kind"].isin(kinds).to_numpy(dtype=bool)[found.row]
    itself = found.column("kind").isin(kinds).to_numpy(dtype=bool)
    technology = found.joined("issuers", "issuer", "type").isin(types).to_numpy(dtype=float)
    stated = np.nan_to_num(found.column("technology_pool_share").astype(float).to_numpy())
    return PartScore(found, np.where(itself, stated, np.where(product, technology, 0.0)))


TILTS = (
    TiltSpec.opened(
        "technology_securitised",
        Text("Securitised products of technology firms", "科技型企业资产证券化产品"),
        TechnologyPoolOptions,
        parts,
        RULES.at("technology.aim", date.max).source,
    ),
)
