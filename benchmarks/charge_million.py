"""Charging a million holdings: time and memory of classification, evaluation and the coefficient matrix.

Run: ``python -m benchmarks.charge_million [rows]``. BLAS threads do not matter here: nothing is dense.
"""

from __future__ import annotations

import resource
import sys
import time
from datetime import date

import numpy as np
import pandas as pd
from allocator_cross2.build import ChargeContext, build_charges
from allocator_cross2.leaves import Charged, LeafLayout
from allocator_cross2.options import ChargeOptions
from allocator_cross2.pack import RulePack
from scipy import sparse

AS_OF = date(2026, 6, 30)
MIX = {
    "corporate_bond": 0.30,
    "government_bond": 0.20,
    "financial_bond": 0.10,
    "policy_bank_bond": 0.05,
    "listed_stock": 0.15,
    "deposit": 0.05,
    "unlisted_equity": 0.03,
    "overseas_stock": 0.03,
    "overseas_bond": 0.02,
    "debt_plan": 0.03,
    "pe_fund": 0.02,
    "bond_fund": 0.02,
}


def holdings(size: int, seed: int = 0) -> pd.DataFrame:
    """Return a table of ``size`` rows in the shape the inputs room hands over."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(list(MIX), size=size, p=list(MIX.values()))
    amount = rng.lognormal(17.0, 1.0, size)
    indices = np.empty(3, dtype=object)
    indices[:] = [(), ("csi300",), ("csi300", "csi_dividend_low_vol_100")]
    frame = pd.DataFrame(
        {
            "asset_id": np.char.add("A", np.arange(size).astype(str)),
            "kind": kinds,
            "amount": amount,
            "book_value": amount * rng.uniform(0.9, 1.1, size),
            "cost": amount * rng.uniform(0.6, 1.2, size),
            "rating": rng.choice(["AAA", "AA+", "AA", "AAAsf", "无评级", "AA+/AAA"], size),
            "modified_duration": rng.uniform(0.1, 20.0, size),
            "green": rng.random(size) < 0.05,
            "board": rng.choice(["main", "star", "chinext"], size),
            "holding_years": rng.uniform(0.0, 5.0, size),
            "bank_type": rng.choice(["large_state", "joint_stock", "city", "rural", "other"], size),
            "capital_adequacy": rng.uniform(0.10, 0.16, size),
            "issuer": np.char.add("I", rng.integers(0, 20_000, size).astype(str)),
            "market": np.where(np.char.startswith(kinds.astype(str), "overseas"), "developed", "domestic"),
            "currency": np.where(np.char.startswith(kinds.astype(str), "overseas"), "USD", "CNY"),
            "transparency": rng.choice(["opaque", "opaque"], size),
        }
    )
    text = frame.select_dtypes(include="str").columns
    frame = frame.astype({**dict.fromkeys(text, object), "green": "boolean"})
    return frame.assign(indices=indices[rng.integers(0, 3, size)])


def main(size: int) -> None:
    """Print what was measured."""
    frame = holdings(size)
    # One fund in a thousand is looked through to ten assets.
    funds = np.flatnonzero(frame["kind"].to_numpy() == "pe_fund")[::20]
    frame.loc[funds, "transparency"] = "look_through"
    ids = np.repeat(frame["asset_id"].to_numpy()[funds], 10)
    underlying = pd.DataFrame({"asset_id": ids, "kind": "unlisted_equity", "share": 0.09, "issuer": "I1"})
    issuers = pd.DataFrame({"issuer": [f"I{number}" for number in range(20_000)]})
    issuers["type"] = "non_financial"
    issuers["strategic_emerging"] = np.arange(len(issuers)) % 3 == 0
    context = ChargeContext(AS_OF, issuers, underlying, total_assets=5e13, comprehensive_ratio=2.0)
    pack = RulePack.at(AS_OF)
    before = _peak()
    start, busy = time.perf_counter(), time.process_time()
    charges = build_charges(frame, pack, ChargeOptions(), context)
    built = time.perf_counter()
    table = charges.at()
    evaluated = time.perf_counter()
    modules, used_lines = len(charges.modules), table.factor != 0.0
    module, row = table.module[used_lines].astype(np.int64), table.row[used_lines].astype(np.int64)
    charged = Charged(module, row, modules, size, np.zeros(size, dtype=bool))
    entering = sparse.csc_array(sparse.eye_array(modules, 2 * modules))
    matrix = LeafLayout.of(charged, entering).at(table.factor[used_lines])
    done, used = time.perf_counter(), time.process_time() - busy
    print(f"{size:,} holdings, {len(charges):,} charges, {matrix.nnz:,} coefficients")
    for stage, seconds in (
        ("classify", built - start),
        ("evaluate", evaluated - built),
        ("matrix", done - evaluated),
        ("all", done - start),
    ):
        print(f"{stage:10} {seconds:6.2f} s")
    print(f"processor  {used:6.2f} s")
    print(f"peak memory {_peak():.2f} GiB, {before:.2f} GiB of it the tables themselves")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
