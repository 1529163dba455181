"""Random whole funds, badly scaled on purpose: files' worth of frames for the engine and the optimizer.

A fund has 3 to 12 rows over one or two accounts, kinds whose charges need few attributes, a total between
1 and 1e14 CNY, rows that differ by up to nine orders of magnitude, bounds that may leave no room, and a
covariance that may be of rank one to within 1e-14. The requirement is the current ratio times a factor from
0.7 to 1.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from allocator import Fund

__all__ = ["RandomFund", "random_fund"]

KINDS: tuple[Mapping[str, Any], ...] = (
    {"kind": "cash"},
    {
        "kind": "deposit",
        "bank_type": "large_state",
        "coupon": 0.018,
        "yield": 0.018,
        "frequency": 1,
        "maturity": "2029-06-30",
    },
    {"kind": "government_bond", "coupon": 0.025, "yield": 0.024, "frequency": 2, "maturity": "2056-06-30"},
    {"kind": "government_bond", "coupon": 0.02, "yield": 0.018, "frequency": 1, "maturity": "2031-06-30"},
    {
        "kind": "corporate_bond",
        "rating": "AA+",
        "coupon": 0.03,
        "yield": 0.026,
        "frequency": 1,
        "maturity": "2032-06-30",
    },
    {
        "kind": "tech_innovation_bond",
        "rating": "AAA",
        "coupon": 0.02,
        "yield": 0.021,
        "frequency": 1,
        "maturity": "2029-06-30",
    },
    {"kind": "listed_stock", "board": "main", "indices": "csi300", "holding_years": 1.0},
    {"kind": "listed_stock", "board": "star", "holding_years": 2.5},
    {"kind": "equity_fund"},
    {"kind": "venture_fund", "transparency": "opaque"},
    {"kind": "overseas_stock", "market": "developed", "currency": "USD"},
    {"kind": "overseas_stock", "market": "emerging", "currency": "HKD"},
    {"kind": "property", "city_tier": "other"},
)


@dataclass(frozen=True)
class RandomFund:
    """A fund's settings and frames; `fund` builds it, with another requirement if given."""

    settings: Mapping[str, Any]
    assets: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]

    def fund(self, **require: float) -> Fund:
        settings = dict(self.settings)
        if require:
            settings["capital"] = {**settings["capital"], "require": require}
        return Fund(settings, self.assets, **self.tables)

    def minimizing_capital(self) -> Fund:
        return Fund(
            {**self.settings, "objective": {"minimize": "capital"}, "capital": self._free()}, self.assets, **self.tables
        )

    def _free(self) -> dict[str, Any]:
        return {**self.settings["capital"], "require": {"comprehensive": 1e-6}}


def random_fund(seed: int) -> RandomFund:
    """Return the fund of a seed."""
    random = np.random.default_rng([2026, seed])
    size = int(random.integers(3, 13))
    total = 10.0 ** random.uniform(0.0, 14.0)
    spread = random.choice([0.3, 1.0, 3.0])
    amounts = np.exp(random.normal(0.0, spread, size))
    amounts *= total / amounts.sum()
    kinds = [KINDS[place] for place in random.integers(0, len(KINDS), size)]
    stock = np.array([kind["kind"] == "listed_stock" for kind in kinds])
    assets = pd.DataFrame(kinds).assign(
        asset_id=[f"A{number}" for number in range(size)],
        account=random.choice(["traditional", "participating"], size) if random.random() < 0.6 else "traditional",
        amount=amounts,
        expected_return=random.uniform(-0.01, 0.09, size),
        transaction_cost=random.choice([0.0, 0.0005, 0.02], size),
    )
    assets["cost"] = np.where(stock, amounts * random.uniform(0.5, 2.0, size), np.nan)
    room = random.choice([0.0, 0.2, 1.0, 5.0], size, p=[0.25, 0.25, 0.3, 0.2])
    assets["min"], assets["max"] = amounts * np.maximum(1.0 - room, 0.0), amounts * (1.0 + room)
    liabilities = pd.concat(
        _liabilities(random, str(account), float(held.sum())) for account, held in assets.groupby("account")["amount"]
    )
    tables = {"liabilities": liabilities, "curve": pd.DataFrame({"tenor": [1, 10, 50], "spot": [0.013, 0.018, 0.025]})}
    aversion = float(random.choice([0.0, 1.0, 50.0]))
    if aversion:
        tables["covariance"] = _covariance(random, assets["asset_id"].tolist())
    capital = {
        **{
            "regime": "cross2",
            "life_insurance_risk": 0.02 * total,
            "loss_absorption_cap": random.choice([0.0, 0.05]) * total,
        },
        **{"sarmra_score": 80},
        **{"size_factor": 1.0, "guard_concentration": False},
    }
    settings: dict[str, Any] = {
        "fund": {"name": f"Random {seed}", "as_of": "2026-06-30", "unit": 1.0},
        "balance_sheet": {
            "total_assets": 1.02 * total,
            "actual_capital": random.uniform(0.05, 0.4) * total,
            "core_capital": 0.05 * total,
        },
        "capital": capital,
        "objective": {"maximize": "expected_return", "risk": {"measure": "variance", "aversion": aversion}},
        "solve": {"time_limit": 20.0, "max_nodes": 300},
    }
    made = RandomFund(settings, assets, tables)
    before = made.fund().capital().value
    assert before is not None
    required = before.ratio("comprehensive") * random.uniform(0.7, 1.3)
    return RandomFund({**settings, "capital": {**capital, "require": {"comprehensive": required}}}, assets, tables)


def _liabilities(random: np.random.Generator, account: str, assets: float) -> pd.DataFrame:
    """Return thirty years of payments that sum to about nine tenths of an account's assets."""
    outflow = 0.9 * assets / 30.0 * random.uniform(0.5, 1.5, 30)
    return pd.DataFrame({"account": account, "year": np.arange(1, 31), "outflow": outflow})


def _covariance(random: np.random.Generator, ids: list[str]) -> pd.DataFrame:
    """Return a covariance: of full rank, or of rank one to within 1e-14 of its size."""
    size = len(ids)
    loading = random.normal(0.0, 0.1, (size, 1 if random.random() < 0.5 else size))
    matrix = loading @ loading.T + (1e-16 if loading.shape[1] == 1 else 1e-4) * np.eye(size)
    return pd.DataFrame(matrix, index=pd.Index(ids, name="asset_id"), columns=ids)
