"""A made-up regime as a stranger would write it: its own money, two accounts, three ratios, two lines of capital.

Minimum capital is the root of the squares of a charge of 30% of shares and 2% of bonds, uncorrelated. The test of the
core copies this file into a folder of its own and installs it there; it imports `allocator.plugin` alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel
from scipy import sparse

from allocator.plugin import Number, Section, Text, hookimpl
from allocator.plugin.capital import (
    Account,
    Aggregate,
    BalanceSheetKey,
    CapitalTree,
    Currency,
    Jurisdiction,
    Leaf,
    OwnFunds,
    Ratio,
    Regime,
    RegimeNote,
    RegimeSpec,
    Requirement,
    correlation_matrix,
)
from allocator.plugin.tables import Inputs

COVER = Ratio("cover", Text("Cover of all risks", "全面保障率"), Text("Cover", "全面"))
PRIME = Ratio("prime", Text("Prime cover", "优质保障率"), Text("Prime", "优质"))
SWIFT = Ratio("swift", Text("Swift cover", "速动保障率"), Text("Swift", "速动"))
STATUTORY = {"cover": 1.2, "prime": 0.8, "swift": 0.5}

HARBOUR = Jurisdiction(
    (COVER, PRIME, SWIFT),
    (
        Account("savings", Text("Savings", "储蓄"), ("储蓄账户",)),
        Account("linked", Text("Unit-linked", "投连"), ("投连账户",)),
    ),
    Currency("FLR", Text("FLR", "弗罗林"), ((1e6, Text("FLR million", "百万弗罗林")),), (("百万弗罗林", 1e6),)),
    (
        BalanceSheetKey(
            "prime_capital", Text("prime capital", "优质资本"), at_most="actual_capital", bears_losses=True
        ),
        BalanceSheetKey("swift_capital", Text("swift capital", "速动资本"), minimum=0.0),
    ),
)

CHARGES = {"shares": ({"listed_stock"}, 0.30), "bonds": ({"government_bond", "corporate_bond"}, 0.02)}
LABELS = {"shares": Text("Shares", "股份风险"), "bonds": Text("Bonds", "债券风险")}


class HarbourOptions(Section):
    """``capital:`` under the harbour rules."""

    require: dict[str, Number] = {}


class HarbourRegime(Regime):
    """The harbour rules bound to one fund."""

    name, label = "harbour", Text("Harbour rules", "港口规则")

    def __init__(self, inputs: Inputs, options: HarbourOptions) -> None:
        self.inputs, self.options = inputs, options

    def own_funds(self) -> OwnFunds:
        sheet = self.inputs.balance_sheet
        given = {"cover": sheet.actual_capital, "prime": sheet.figure("prime_capital")}
        given["swift"] = sheet.figure("swift_capital")
        return OwnFunds({name: amount for name, amount in given.items() if amount is not None})

    def requirements(self) -> tuple[Requirement, ...]:
        amounts, asked = self.own_funds().amounts, self.options.require
        return tuple(
            Requirement(ratio, amounts[ratio.name], asked.get(ratio.name), STATUTORY[ratio.name], "Harbour Act 7")
            for ratio in HARBOUR.ratios
            if ratio.name in amounts
        )

    def _factors(self) -> Mapping[str, NDArray[np.float64]]:
        kinds = self.inputs.assets["kind"]
        return {name: kinds.isin(those).to_numpy(dtype=float) * factor for name, (those, factor) in CHARGES.items()}

    def tree(self, holdings: NDArray[np.float64] | None = None) -> CapitalTree:
        factors = self._factors()
        leaves = tuple(Leaf(name, LABELS[name], "Harbour Act 9", row=row) for row, name in enumerate(factors))
        root = Aggregate(
            "minimum_capital",
            Text("Minimum capital", "最低资本"),
            "Harbour Act 8",
            leaves,
            correlations=(correlation_matrix(list(factors), {("shares", "bonds"): 0.0}),),
        )
        return CapitalTree(root, sparse.csr_array(np.vstack(list(factors.values()))), np.zeros(len(factors)))

    def charges(self, holdings: NDArray[np.float64] | None = None) -> pd.DataFrame:
        assets = self.inputs.assets
        held = assets["amount"].to_numpy(dtype=float) if holdings is None else holdings
        lines = [
            (assets["asset_id"][row], assets["account"][row], name, held[row], factor[row], held[row] * factor[row])
            for name, factor in self._factors().items()
            for row in np.flatnonzero(factor)
        ]
        frame = pd.DataFrame(lines, columns=["asset_id", "account", "module", "exposure", "factor", "charge"])
        return frame.assign(article="Harbour Act 9", derivation="amount × factor")

    def notes(self) -> tuple[RegimeNote, ...]:
        return (RegimeNote(Text("a made-up regime", "虚构制度")),)


def _build(inputs: Inputs, options: BaseModel) -> HarbourRegime:
    assert isinstance(options, HarbourOptions)
    return HarbourRegime(inputs, options)


@hookimpl
def allocator_regimes() -> Sequence[RegimeSpec]:
    """Offer the harbour rules."""
    return (RegimeSpec("harbour", HarbourRegime.label, HarbourOptions, HARBOUR, _build),)
