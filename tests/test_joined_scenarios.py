"""One set of paths for bonds, stocks, venture funds and liabilities, and the figures that are taken of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_markets import CURVE, LIABILITIES, ROWS, history

from allocator import Fund, load
from allocator.errors import InputError

TECHNOLOGY = {
    **{"asset_id": "V", "vintage": 2026, "commitment": 100.0, "paid_in": 0.0, "nav": 100.0, "life": 10, "growth": 0.1},
    **{"bow": 2.5, "contribution_rates": "25%;33%;50%", "technology_fields": "集成电路", "stage": "early"},
}


def joined(*sources: Any, rows: tuple[dict[str, Any], ...] = ROWS) -> Fund:
    settings = {"fund": {"name": "Joined", "as_of": "2026-06-30"}, "models": {"scenarios": list(sources)}}
    tables = {"market_history": history(), "liabilities": LIABILITIES, "curve": CURVE}
    return Fund(settings, pd.DataFrame(rows), funds=pd.DataFrame([TECHNOLOGY]), **tables)


MARKET = {"name": "market", "paths": 4000, "seed": 3}


def test_the_same_paths_drive_bonds_stocks_funds_and_liabilities() -> None:
    """Technology puts its fund on the market's paths and leaves everything else on them as it was."""
    plain = joined(MARKET).context.scenarios
    both = joined(MARKET, {"name": "technology", "market": "equity", "seed": 3}).context.scenarios
    np.testing.assert_array_equal(both.returns[:, :4], plain.returns[:, :4])
    np.testing.assert_array_equal(both.liabilities, plain.liabilities)
    assert (both.returns[:, 4] != plain.returns[:, 4]).any()
    equity = both.factors["equity"]
    poor = equity <= np.quantile(equity, 0.1)
    assert both.returns[poor, 4].mean() < both.returns[~poor, 4].mean() - 0.03
    assert both.returns[poor, 2].mean() < -0.1
    assert np.corrcoef(both.returns[:, 0], both.liabilities)[0, 1] > 0.95
    assert "funds from technical parameters on the same paths" in both.method.en


AIMS = """
fund: {name: Joined, as_of: 2026-06-30}
inputs:
  {assets: assets.csv, market_history: history.csv, liabilities: liabilities.csv, curve: curve.csv, funds: funds.csv}
models:
  scenarios:
    - {name: market, paths: 1000, seed: 3}
    - {name: technology, market: equity, seed: 3}
constraints: [{expected_return: {min: 4%}}]
"""


@pytest.mark.parametrize(
    "aim", ["{minimize: cvar, confidence: 90%}", "{minimize: surplus_variance, value: 300}"], ids=["cvar", "surplus"]
)
def test_cvar_and_surplus_of_a_fund_file_are_those_of_the_joined_paths(tmp_path: Path, aim: str) -> None:
    """By hand from the paths that drive bonds, stock, the venture fund and the liabilities together.

    The worst 100 of 1,000 equally likely paths, averaged; and the variance of Σ wᵢ rᵢ − 300/500 · r_L.
    """
    (tmp_path / "fund.yaml").write_text(f"{AIMS}objective: {aim}\n", encoding="utf-8")
    frames = {"assets": pd.DataFrame(ROWS), "history": history(), "liabilities": LIABILITIES, "curve": CURVE}
    for name, frame in {**frames, "funds": pd.DataFrame([TECHNOLOGY])}.items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    answer = load(tmp_path / "fund.yaml").optimize()
    result = answer.value
    order = [
        ("Z", "traditional"),
        ("B", "traditional"),
        ("S", "traditional"),
        ("S", "participating"),
        ("V", "traditional"),
    ]
    weights = answer.allocation.set_index(["asset_id", "account"])["target"].loc[order].to_numpy() / 500.0
    paths = joined({**MARKET, "paths": 1000}, {"name": "technology", "market": "equity", "seed": 3}).context.scenarios

    def by_hand(returns: np.ndarray) -> float:
        if "cvar" in aim:
            return float(np.sort(-returns @ weights)[-100:].mean())
        return float(np.var(returns @ weights - 0.6 * paths.liabilities))

    figure = -result.solution.objective
    assert figure == pytest.approx(by_hand(paths.returns), rel=1e-6)
    assert weights[4] > 0.05
    # On paths without the technology on them the same holdings have another figure.
    assert abs(figure / by_hand(joined({**MARKET, "paths": 1000}).context.scenarios.returns) - 1) > 1e-3


def test_the_market_may_be_an_asset_and_must_be_one_that_is_there() -> None:
    by_asset = joined(MARKET, {"name": "technology", "market": "S"}).context.scenarios
    assert np.corrcoef(by_asset.returns[:, 2], by_asset.returns[:, 4])[0, 1] > 0.1
    with pytest.raises(InputError, match="did you mean 'equity'"):
        _ = joined(MARKET, {"name": "technology", "market": "equities"}).context.scenarios
    with pytest.raises(InputError, match="cannot stand behind another"):
        _ = joined(MARKET, "market").context.scenarios
