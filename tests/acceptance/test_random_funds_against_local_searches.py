"""Random funds near the edge of their rules, each against local searches on the exact capital.

Several house limits, a turnover ceiling, gained stock, counterparties near and above their concentration threshold,
derivatives that may change sides, and a ratio between what the book has and what can be reached. No fund may be told
infeasible, or left without an answer, where a local search finds one; none may earn less than the best of them.

``ALLOCATOR_FUNDS`` and ``ALLOCATOR_STARTS`` set how many funds and searches; 300 and 100 take hours.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator import Fund
from allocator.errors import AllocatorError, Infeasible, NotProven
from tests.local_searches import local_best

pytestmark = pytest.mark.acceptance

FUNDS = int(os.environ.get("ALLOCATOR_FUNDS", "40"))
STARTS = int(os.environ.get("ALLOCATOR_STARTS", "6"))
FIRST = int(os.environ.get("ALLOCATOR_FIRST_FUND", "0"))

OPEN = 0.02
"""Share of the funds that may end without proof."""

CURVE = pd.DataFrame({"tenor": range(1, 51), "spot": np.linspace(0.014, 0.026, 50)})
ISSUERS = pd.DataFrame({"issuer": ["I0", "I1", "I2"], "type": "non_financial", "rating": "AA"})


def drawn(seed: int) -> Fund:
    """Return one random fund whose ratio is asked for close to what its rules leave in reach."""
    random = np.random.default_rng(seed)
    rows = [_row(random, number) for number in range(int(random.integers(6, 11)))]
    if random.random() < 0.4:
        rows.append(_forward(random))
    if random.random() < 0.4:
        rows.append(_future(random))
    assets = pd.DataFrame(rows)
    funded = assets[~assets["kind"].isin(["fx_forward", "index_future"])]
    total = float(funded["amount"].sum())
    tight = random.random() < 0.7
    company = total * float(random.uniform(1.0, 3.0))
    own = total * float(random.uniform(0.08, 0.25))
    limits = [{"turnover": {"max": round(float(random.uniform(0.12, 0.5)), 3)}}]
    equity = 'kind in ("listed_stock", "equity_fund", "unlisted_equity")'
    held = float(funded.loc[funded["kind"].isin(["listed_stock", "equity_fund", "unlisted_equity"]), "amount"].sum())
    share = max(held / total, 0.05) * float(random.uniform(0.7, 1.3))
    if random.random() < 0.7:
        rule = f"sum(amount where {equity}) <= {100 * share:.4f}% of portfolio"
        limits.append({"limit": {"name": "equity", "rule": rule}})
    years = np.arange(1, 41)
    outflow = total * float(random.uniform(0.4, 0.9)) * np.exp(-years / float(random.uniform(5.0, 20.0)))
    liabilities = pd.DataFrame(
        {"account": "traditional", "year": years, "outflow": outflow / years.size * 2.0, "inflow": 0.0}
    )
    settings: dict[str, Any] = {
        "fund": {"name": "drawn", "as_of": "2026-06-30", "unit": 1e8},
        "balance_sheet": {
            "total_assets": company,
            "actual_capital": own,
            "core_capital": own,
            "reported_comprehensive_ratio": 2.2,
        },
        "capital": {
            "regime": "cross2",
            "life_insurance_risk": 0.1 * own,
            "sarmra_score": 80,
            "loss_absorption_cap": 0.1 * own if random.random() < 0.5 else 0.0,
            "require": {"comprehensive": 1e-3},
        },
        "constraints": limits,
        "objective": {"maximize": "expected_return"},
        "solve": {"time_limit": 60},
    }
    tables = {"curve": CURVE, "liabilities": liabilities, "issuers": ISSUERS}
    free = Fund(settings, assets, **tables)
    now, lean = free.position(), Fund({**settings, "objective": {"minimize": "capital"}}, assets, **tables)
    assert now is not None
    reach = own * 1e8 / -local_best(lean, 3, seed)[0]
    part = random.uniform(0.7, 0.99) if tight else random.uniform(0.2, 0.7)
    asked = now.ratio("comprehensive") + part * (max(reach, now.ratio("comprehensive")) - now.ratio("comprehensive"))
    settings["capital"] = {**settings["capital"], "require": {"comprehensive": round(float(asked), 4)}}
    return Fund(settings, assets, **tables)


def _row(random: np.random.Generator, number: int) -> dict[str, Any]:
    kinds = ("listed_stock", "listed_stock", "unlisted_equity", "equity_fund", "abs_plan", "corporate_bond")
    kind = str(random.choice([*kinds, "government_bond", "overseas_stock", "cash", "property"]))
    amount = round(float(random.uniform(1.0, 20.0)), 3)
    row: dict[str, Any] = {
        "asset_id": f"{kind}{number}",
        "kind": kind,
        "account": "traditional",
        "amount": amount,
        "min": 0.0 if random.random() < 0.7 else round(amount * float(random.uniform(0.0, 0.6)), 3),
        "max": round(amount * float(random.uniform(1.2, 4.0)), 3),
        "expected_return": round(float(random.uniform(0.01, 0.09)), 4),
    }
    issuer = str(random.choice(["I0", "I1", "I2"]))
    more: dict[str, dict[str, Any]] = {
        "listed_stock": {
            "board": str(random.choice(["main", "star", "chinext"])),
            "holding_years": 1,
            "cost": round(amount * float(random.uniform(0.3, 1.3)), 3),
            "issuer": issuer,
        },
        "unlisted_equity": {"strategic_emerging": "yes"},
        "abs_plan": {
            "transparency": "exempt",
            "rating": "AA",
            "layers": 4,
            "underlying_count": 200,
            "largest_underlying_share": 0.05,
        },
        "corporate_bond": {"rating": "AA", "issuer": issuer, **_terms("2032-06-30", 0.03)},
        "government_bond": _terms(str(random.choice(["2031-06-30", "2046-06-30", "2056-06-30"])), 0.025),
        "overseas_stock": {"market": "developed", "currency": "USD"},
        "property": {"city_tier": "other"},
    }
    return row | more.get(kind, {})


def _terms(maturity: str, rate: float) -> dict[str, Any]:
    return {"coupon": rate, "yield": rate, "frequency": 1, "maturity": maturity}


def _forward(random: np.random.Generator) -> dict[str, Any]:
    amount = round(float(random.uniform(-6.0, -1.0)), 3)
    return {
        "asset_id": "FWD",
        "kind": "fx_forward",
        "account": "traditional",
        "amount": amount,
        "min": -12.0,
        "max": 4.0,
        "expected_return": 0.0,
        "currency": "USD",
        "hedge_effectiveness": int(random.random() < 0.5),
        "counterparty": "CP",
        "rating": "AA",
        "book_value": round(float(random.uniform(-0.2, 0.2)), 3),
    }


def _future(random: np.random.Generator) -> dict[str, Any]:
    return {
        "asset_id": "FUT",
        "kind": "index_future",
        "account": "traditional",
        "amount": 0.0 if random.random() < 0.5 else round(float(random.uniform(-3.0, -0.5)), 3),
        "min": -5.0,
        "max": 0.0 if random.random() < 0.5 else 3.0,
        "expected_return": 0.0,
        "board": "main",
        "hedge_effectiveness": float(random.choice([0.0, 0.9])),
        "hedge_months": 3,
    }


def test_no_local_search_finds_what_the_search_does_not() -> None:
    ended: Counter[str] = Counter()
    failed: list[str] = []
    for seed in range(FIRST, FIRST + FUNDS):
        fund = drawn(seed)
        found, held = local_best(fund, STARTS, seed)
        try:
            result = fund.optimize().value
            outcome, objective = result.status, result.objective
            after = result.after
            assert after is not None
            required = next(item.required for item in after.requirements if item.name == "comprehensive")
            if after.ratio("comprehensive") < required * (1.0 - 1e-14):
                failed.append(f"{seed}: the ratio misses what is required as written")
            if result.solution.bound < found - 1e-8:
                failed.append(f"{seed}: the bound {result.solution.bound:.8f} is no bound, {found:.8f} complies")
            if objective < found - 1e-5:
                failed.append(f"{seed}: {outcome} {objective:.6f}, a local search has {found:.6f}")
        except (Infeasible, NotProven) as error:
            outcome = "infeasible" if isinstance(error, Infeasible) else "no answer"
            if held is not None:
                failed.append(f"{seed}: {outcome}, a local search has {found:.6f}")
        except AllocatorError as error:
            outcome = type(error).__name__
            failed.append(f"{seed}: {error}")
        ended[outcome] += 1
        print(seed, outcome, flush=True)
    print(f"{FUNDS} funds, {STARTS} local searches each:", dict(ended))
    assert not failed, "\n".join(failed)
    open_ = ended["feasible"] + ended["no answer"]
    assert open_ <= max(OPEN * FUNDS, 1), dict(ended)
