"""How sure each expected return is: given, from the length of a history, or one stated figure for the rest."""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy import sparse

from allocator.plugin import Number, Problems, Section, Text, Vector
from allocator.plugin.tables import Column, Inputs, Measure, Table, column

__all__ = ["TABLES", "RobustOptions", "errors_by_asset", "return_uncertainty"]

NotNegative = Annotated[Number, Field(ge=0)]

TABLES = (
    Table(
        "assets",
        (
            Column(
                "return_uncertainty",
                Measure.RATE,
                Text("Half width of the expected return's uncertainty", "预期收益率的不确定半宽"),
                ("收益率不确定性", "预期收益率误差"),
                minimum=0.0,
                maximum=1.0,
            ),
        ),
    ),
)


class RobustOptions(Section):
    """How far the true expected returns may lie from the given ones.

    ``box``: every return may be off by this many of its ``return_uncertainty`` at once; ``ellipsoid``: the
    errors, in units of their ``return_uncertainty``, together have at most this length; given both, the two
    add up. ``without_history``: the uncertainty of assets that give none and have no complete column in
    returns.csv, an assumption of the user's own and therefore without a default.
    """

    box: NotNegative = 1.0
    ellipsoid: NotNegative = 0.0
    without_history: NotNegative | None = None

    @model_validator(mode="after")
    def _something_is_uncertain(self) -> Self:
        if self.box == 0.0 and self.ellipsoid == 0.0:
            raise ValueError(
                Text("give box or ellipsoid above 0, or maximize expected_return", "box 与 ellipsoid 至少一项须大于 0")
            )
        return self


def return_uncertainty(inputs: Inputs, options: RobustOptions) -> Vector:
    """Return the uncertainty of each row's expected return, annual decimals (n,).

    The column ``return_uncertainty`` where it is filled; else the standard error of the mean, annual
    volatility / √years, of an asset with a complete column in ``returns``; else ``without_history``.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    options : RobustOptions
        The keys of the fund file.

    Raises
    ------
    InputError
        Naming each row for which none of the three says anything.
    """
    given = column(inputs.assets, "return_uncertainty")
    errors = np.array([_standard_error(inputs, name) for name in inputs.assets["asset_id"]])
    wide = np.nan if options.without_history is None else options.without_history
    found = np.where(~np.isnan(given), given, np.where(~np.isnan(errors), errors, wide))
    problems = Problems()
    for row in np.flatnonzero(np.isnan(found)):
        problems.add(
            Text("nothing says how sure the expected return is", "无从得知该预期收益率的可靠程度"),
            inputs.where("assets", int(row), "return_uncertainty"),
            hint=Text(
                "fill the column, give a history in inputs.returns, or state objective.without_history, e.g. 3%",
                "请填写该列，或在 inputs.returns 提供历史收益率，或设定 objective.without_history（如 3%）",
            ),
        )
    problems.raise_if_any()
    return np.asarray(found)


def _standard_error(inputs: Inputs, name: str) -> float:
    """Return s √f / √(N / f) = s f / √N of an asset's history, f periods a year; NaN without a complete one."""
    table = inputs.table("returns")
    if table is None or name not in table or table[name].isna().any() or len(table) < 2:
        return np.nan
    history = table[name].to_numpy(dtype=float)
    return float(history.std(ddof=1) * inputs.settings.fund.frequency / np.sqrt(len(history)))


def errors_by_asset(asset_id: NDArray[np.str_], uncertainty: Vector) -> sparse.csr_array:
    """Return E (assets, n): the error of each asset, at every row that holds it.

    Parameters
    ----------
    asset_id : ndarray of str (n,)
        Asset of each row.
    uncertainty : ndarray (n,)
        Error of each row's expected return, annual decimal.
    """
    _, asset = np.unique(asset_id, return_inverse=True)
    size = len(asset_id)
    return sparse.csr_array((uncertainty, (asset, np.arange(size))), shape=(int(asset.max(initial=-1)) + 1, size))
