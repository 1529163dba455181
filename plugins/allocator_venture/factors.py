"""Base scenarios drawn from the factor model that the fund names."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import linalg

from allocator.plugin import Problems, Text
from allocator.plugin.tables import Inputs, column

__all__ = ["factor_draws"]


def factor_draws(inputs: Inputs, paths: int, seed: int) -> pd.DataFrame:
    """Return normal draws r = μ + B f + s ε of every asset and the factors f themselves, a column each.

    Parameters
    ----------
    inputs : Inputs
        With ``factor_exposures`` (B), ``factor_covariance`` (of f), and the columns ``expected_return`` (μ) and
        ``specific_volatility`` (s) of assets.csv; an asset with an empty cell of these gets an empty column.
    paths : int
        Draws.
    seed : int
        Same seed, same draws.

    Raises
    ------
    InputError
        When the factor covariance is no covariance, or a factor of an asset is not in it.
    """
    exposures, table = inputs.table("factor_exposures"), inputs.table("factor_covariance")
    assert exposures is not None
    assert table is not None
    matrix = table.pivot(index="factor", columns="other", values="covariance")
    names = list(dict.fromkeys(table["factor"]))
    matrix = matrix.reindex(index=names, columns=names)
    omega = matrix.where(matrix.notna(), matrix.T).fillna(0.0).to_numpy(dtype=float)
    values, vectors = linalg.eigh((omega + omega.T) / 2.0)
    problems = Problems()
    if values[0] < -1e-10 * max(values[-1], 1e-300):
        problems.add(
            Text("the factor covariance is not positive semidefinite", "因子协方差矩阵非半正定"),
            inputs.sources["factor_covariance"].file,
            f"smallest eigenvalue {values[0]:.3g}",
        )
    for factor in sorted(set(exposures["factor"]) - set(names)):
        problems.add(
            Text("a factor has no covariance", "因子缺少协方差"), inputs.sources["factor_exposures"].file, factor
        )
    problems.raise_if_any()
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((paths, len(names))) @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
    assets = inputs.assets.drop_duplicates("asset_id")
    identity = pd.Index(assets["asset_id"])
    loading = np.zeros((len(names), len(assets)))
    known = exposures[exposures["asset_id"].isin(identity)]
    places = (pd.Index(names).get_indexer(pd.Index(known["factor"])), identity.get_indexer(pd.Index(known["asset_id"])))
    loading[places] = known["exposure"].to_numpy(dtype=float)
    own = column(assets, "specific_volatility") * rng.standard_normal((paths, len(assets)))
    returns = column(assets, "expected_return") + factors @ loading + own
    return pd.concat([pd.DataFrame(factors, columns=names), pd.DataFrame(returns, columns=identity)], axis=1)
