"""Expected returns as the user's own column gives them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Problems, Section, Text
from allocator.plugin.tables import Inputs
from allocator.plugin.terms import ReturnModelSpec

__all__ = ["RETURN_MODELS"]


class TableReturnOptions(Section):
    """No keys: the figures are the column ``expected_return`` of assets.csv."""


def table_returns(inputs: Inputs, options: TableReturnOptions) -> NDArray[np.float64]:
    """Return the column ``expected_return``, annual decimals (n,); InputError names each empty cell."""
    column = inputs.assets["expected_return"]
    problems = Problems()
    for row in np.flatnonzero(column.isna().to_numpy()):
        problems.add(
            Text("the expected return is missing", "缺少预期收益率"),
            inputs.where("assets", int(row), "expected_return"),
            hint=Text("give an annual figure before costs, e.g. 3.2%", "请填写扣除成本前的年化数值，例如 3.2%"),
        )
    problems.raise_if_any()
    return column.to_numpy(dtype=float)


RETURN_MODELS = (
    ReturnModelSpec(
        "table",
        Text("Expected returns as given in assets.csv", "采用 assets.csv 中给定的预期收益率"),
        TableReturnOptions,
        table_returns,
    ),
)
