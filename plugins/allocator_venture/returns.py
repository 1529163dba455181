"""The return model ``technology``: simulated expected returns for venture funds, the given column for the rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Problems, Text
from allocator.plugin.tables import Inputs, column
from allocator.plugin.terms import ReturnModelSpec
from allocator_venture.risk import expected_return
from allocator_venture.simulation import build_portfolio, simulate
from allocator_venture.technology import TechnologyOptions, technology_rows

__all__ = ["RETURN_MODELS", "technology_returns"]

KEY = "models.returns"


def technology_returns(inputs: Inputs, options: TechnologyOptions) -> NDArray[np.float64]:
    """Return annual expected returns (n,): the rate of a fund's expected flows, else ``expected_return``.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    options : TechnologyOptions
        The keys of the fund file.

    Raises
    ------
    InputError
        For a row with neither, and as `technology_rows` does.
    """
    parameters = options.parameters(KEY)
    rows = technology_rows(inputs, parameters)
    returns = column(inputs.assets, "expected_return").copy()
    if rows.funds:
        outcome = simulate(build_portfolio(rows.funds, parameters), options.paths, options.seed_of(inputs))
        returns[rows.row] = expected_return(outcome)[rows.fund]
    problems = Problems()
    for row in np.flatnonzero(np.isnan(returns)):
        problems.add(
            Text("the expected return is missing", "缺少预期收益率"),
            inputs.where("assets", int(row), "expected_return"),
        )
    problems.raise_if_any()
    return returns


RETURN_MODELS = (
    ReturnModelSpec(
        "technology",
        Text("Venture funds from technical parameters, the rest as given", "创投基金按技术参数估计，其余采用给定值"),
        TechnologyOptions,
        technology_returns,
    ),
)
