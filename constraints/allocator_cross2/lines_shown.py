"""Charge lines as reports show them: one a row and module, in CNY, with the derivation in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plugin import Language, LocalizedPhrase, Text, Vector
from allocator.plugin.tables import Inputs
from allocator_cross2.charges import ChargeTable
from allocator_cross2.derivation import derivations
from allocator_cross2.lines import shown_module
from allocator_cross2.rate import RateRisk

__all__ = ["charge_lines", "rate_lines"]


_PV = Text("PV per CNY held {was:.6f}, stressed {now:.6f}", "每元持仓现值 {was:.6f}，压力情景 {now:.6f}")


def charge_lines(table: ChargeTable, inputs: Inputs) -> pd.DataFrame:
    """Return the charges at the table's holdings, columns as `allocator.model.regime.Regime.charges` asks and the k's.

    ``underlying`` is the row of the underlying file that is charged (1-based, heading included); none where it is
    the asset itself.
    """
    frame = table.frame()
    row = frame.pop("row").to_numpy()
    held = table.holdings[row]
    identity = {name: inputs.assets[name].to_numpy()[row] for name in ("asset_id", "account")}
    shown = {name: shown_module(name) for name in table.charges.modules}
    per_cny = frame.pop("factor").to_numpy()
    frame["underlying"] = _rows_of_the_file(frame["underlying"].to_numpy(), inputs)
    frame["module"] = frame["module"].cat.rename_categories(shown).astype(str)
    frame["exposure"] = frame.pop("exposure_per_amount").to_numpy() * held
    frame["factor"] = frame.pop("rf").to_numpy()
    frame["charge"] = per_cny * held
    english, chinese = derivations(table), derivations(table, language=Language.CHINESE)
    said = [LocalizedPhrase(one, other) for one, other in zip(english, chinese, strict=True)]
    frame["derivation"] = pd.Series(said, dtype=object)  # as text they would lose their Chinese
    first = ["module", "exposure", "factor", "charge", "article", "derivation"]
    rest = [name for name in frame if name not in first]
    return pd.concat([pd.DataFrame(identity), frame[first + rest]], axis=1)


def rate_lines(risk: RateRisk, inputs: Inputs, holdings: Vector) -> pd.DataFrame:
    """Return one line per row in scope and scenario, with the same leading columns."""
    if risk.curves is None:
        return pd.DataFrame()
    rows = np.flatnonzero(risk.scope)
    base = risk.base[rows]
    parts = []
    for module, change in (("interest_rate_up", risk.up), ("interest_rate_down", risk.down)):
        stressed = base - change[rows]
        parts.append(
            pd.DataFrame(
                {
                    "asset_id": inputs.assets["asset_id"].to_numpy()[rows],
                    "account": inputs.assets["account"].to_numpy()[rows],
                    "module": module,
                    "exposure": holdings[rows],
                    "factor": change[rows],
                    "charge": holdings[rows] * change[rows],
                    "article": "R8 §18–20",
                    "derivation": pd.Series(_values(base, stressed), dtype=object),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _rows_of_the_file(place: NDArray[np.int32], inputs: Inputs) -> pd.api.extensions.ExtensionArray:
    """Return the file row of each position in the underlying table; missing where there is none (−1)."""
    source = inputs.sources.get("underlying")
    rows = np.zeros(0, dtype=np.int64) if source is None else source.numbers
    return pd.arrays.IntegerArray(np.append(rows, 0)[place], place < 0)


def _values(base: Vector, stressed: Vector) -> list[LocalizedPhrase]:
    return [
        LocalizedPhrase(_PV.en.format(was=was, now=now), _PV.zh.format(was=was, now=now))
        for was, now in zip(base, stressed, strict=True)
    ]
