"""What the report says of tranches and of the parts of the expected returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from allocator.plugin import Problems, Text
from allocator.plugin.report import ReportSectionSpec, ReportTable, Result
from allocator_securitised.building_blocks import PARTS, building_blocks
from allocator_securitised.deals import read_deals, tranche_rows

__all__ = ["SECTIONS", "part_tables", "tranche_tables"]

_NAMES = {"asset_id": Text("Asset", "资产"), "account": Text("Account", "账户")}
_TRANCHES = {
    "attachment": Text("Attachment", "起赔点"),
    "detachment": Text("Detachment", "止赔点"),
    "average_life": Text("Average life", "加权平均期限"),
    "pool_loss": Text("Expected loss of the pool", "资产池预期损失"),
    "loss": Text("Expected loss of the tranche", "本档预期损失"),
    "annual_loss": Text("Expected loss a year", "年化预期损失"),
}


def tranche_tables(result: Result) -> Sequence[ReportTable]:
    """Return the tranches that say how their pool defaults; nothing when there is none that is complete."""
    inputs = result.inputs
    deals = read_deals(inputs, tranche_rows(inputs), Problems())
    if not len(deals.row):
        return ()
    flows, loss = deals.flows(), deals.loss()
    ends = {"attachment": np.zeros(len(deals.row)), "detachment": np.ones(len(deals.row))}
    pool = replace(deals, tranches=replace(deals.tranches, **ends))
    frame = inputs.assets.iloc[deals.row][["asset_id", "account"]].reset_index(drop=True)
    frame["attachment"], frame["detachment"] = deals.tranches.attachment, deals.tranches.detachment
    frame["average_life"] = flows.average_life(deals.pools.frequency)
    frame["pool_loss"] = pool.loss().share
    frame["loss"], frame["annual_loss"] = loss.share, loss.annual
    title = Text("Securitised products", "资产证券化产品")
    formats = {**dict.fromkeys(_TRANCHES, "percent"), "average_life": "years"}
    note = Text(
        "Sequential tranches; losses averaged over one common factor (Vasicek, 2002); excess spread absorbs none.",
        "各档按顺序偿付；损失按单一公共因子取平均（Vasicek，2002）；超额利差不吸收损失。",
    )
    return (ReportTable("securitised", title, frame, {**_NAMES, **_TRANCHES}, formats, note),)


def part_tables(result: Result) -> Sequence[ReportTable]:
    """Return the parts of the expected returns when the fund chose to build them."""
    inputs = result.inputs
    given = inputs.settings.models.get("returns")
    if (given.get("name") if isinstance(given, dict) else given) != "building_blocks":
        return ()
    parts = building_blocks(inputs)
    frame = pd.concat([inputs.assets[["asset_id", "account"]], parts], axis=1)
    frame["expected_return"] = parts.sum(axis=1)
    headings = {**_NAMES, **PARTS, "expected_return": Text("Expected return", "预期收益率")}
    formats = dict.fromkeys((*PARTS, "expected_return"), "percent")
    title = Text("Parts of the expected returns", "预期收益率构成")
    return (ReportTable("return_parts", title, frame, headings, formats, saved=True),)


SECTIONS = (
    ReportSectionSpec("securitised", Text("Securitised products", "资产证券化产品"), tranche_tables),
    ReportSectionSpec("return_parts", Text("Expected returns", "预期收益率"), part_tables),
)
