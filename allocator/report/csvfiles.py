"""Tables as CSV: money in ``fund.unit``, figures at full precision, so that a reader can recompute them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from allocator.inputs.fund import Inputs
from allocator.report.csv_table import in_unit, rules_in_unit
from allocator.report.leaves import summed_by
from allocator.result.tables import ReportTable
from allocator.types import LocalizedPhrase

if TYPE_CHECKING:
    from allocator.report.view import View

__all__ = [
    "csv_frames",
]


CAPITAL_COLUMNS = ("module", "parent", "amount", "article", "before")


def csv_frames(view: View) -> dict[str, pd.DataFrame]:
    """Return the frame of each CSV file of OUT by file name without suffix."""
    unit = view.result.inputs.unit
    frames = {name: in_unit(view.tables[name], unit) for name in ("allocation", "commitments", "tilts")}
    frames |= {name: in_unit(view.tables[name], unit) for name in ("stress", "stress_modules") if name in view.tables}
    frames |= {table.name: in_unit(table, unit) for section in view.sections for table in section.tables if table.saved}
    frames["allocation"]["cost"] = view.result.model.cost.by_row(view.result.holdings) / unit
    frames["allocation"] = _as_in_the_file(frames["allocation"], view.result.inputs)
    charges = view.tables.get("charges")
    if charges is not None:
        held = ["asset_id", "account"]
        place = pd.DataFrame({name: view.result.inputs.assets[name] for name in held})
        place["place"], place["row"] = _places(view.result.inputs), range(len(place))
        frame = in_unit(charges, unit).merge(place, on=held, how="left", validate="many_to_one")
        row = frame.pop("row").to_numpy(np.int64)
        if view.result.after is not None:
            frame["leaves"] = summed_by(view.result.after.tree, frame["module"], row)
        frame["derivation_zh"] = [
            said.zh if isinstance(said, LocalizedPhrase) else said for said in frame["derivation"]
        ]
        frames["charges"] = frame
    frames["constraints"] = _labelled(_rules(view), "name", view.tables["constraints"])
    capital = view.tables.get("capital")
    if capital is None:
        frames["capital"] = pd.DataFrame(columns=list(CAPITAL_COLUMNS))
    else:
        frames["capital"] = _labelled(in_unit(capital, unit)[list(CAPITAL_COLUMNS)], "module", capital)
    return frames


def _labelled(frame: pd.DataFrame, column: str, table: ReportTable) -> pd.DataFrame:
    """Return the frame with what a reader sees for a column's names, in both languages."""
    said = [table.labels[column][name] for name in frame[column]]
    return frame.assign(label_en=[text.en for text in said], label_zh=[text.zh for text in said])


def _as_in_the_file(allocation: pd.DataFrame, inputs: Inputs) -> pd.DataFrame:
    """Return the rows in the order of the assets file, beside which a desk lays them."""
    source = inputs.sources.get("assets")
    return allocation if source is None else allocation.iloc[np.argsort(source.rows, kind="stable")]


def _places(inputs: Inputs) -> list[str]:
    """Return where each row of the assets table stands: file and row."""
    source = inputs.sources.get("assets")
    if source is None:
        return [""] * len(inputs.assets)
    places = (source.place(row) for row in range(len(source.rows)))
    return [f"{file}, row {number}" for file, number in places]


def _rules(view: View) -> pd.DataFrame:
    return rules_in_unit(view.tables["constraints"].frame, view.unit, view.result.objective_in_money)
