"""The asset tables of the replica, from the stated instruments, the market and a few amounts left to calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from replica.market import AS_OF, BASIS_POINT, RATE_TENORS, Market, tenor_weights

__all__ = ["Instrument", "asset_table", "factor_tables", "read_instruments"]

ASSET_COLUMNS = [
    *("asset_id", "name", "kind", "account", "amount", "min", "max", "expected_return", "transaction_cost"),
    *("specific_volatility", "cost", "yield", "coupon", "frequency", "maturity", "next_call_date", "rating", "issuer"),
    *("market", "currency", "board", "indices", "holding_years", "bank_type", "capital_adequacy", "bank_ratios_met"),
    *("conversion_clause", "transparency", "layers", "underlying_count", "largest_underlying_share", "city_tier"),
    *("product_type", "strategic_emerging", "accounting"),
]
WHOLE_NUMBERS = ["frequency", "layers", "underlying_count"]
CALLED = {"perpetual_capital_bond"}
HELD_AT_PAR = {"deposit", "policy_loan"}


@dataclass(frozen=True)
class Instrument:
    """One entry of instruments.yaml.

    ``amount`` is CNY 100 million by account before calibration; ``bond`` tenor, coupon and pricing curve;
    ``risk`` exposures to the factors and the volatility outside them; ``range`` the multiples of today's
    amount within which a row may move; ``scale`` the name of the calibrated group it belongs to.
    """

    asset_id: str
    name: str
    kind: str
    amount: Mapping[str, float]
    risk: Mapping[str, float]
    range: tuple[float, float]
    transaction_cost_bp: float
    columns: Mapping[str, Any] = field(default_factory=dict)
    bond: Mapping[str, Any] | None = None
    expected_return: float | None = None
    gain: float | None = None
    scale: str | None = None


def read_instruments(path: Path) -> list[Instrument]:
    """Read instruments.yaml."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [Instrument(asset_id=name, **entry) for name, entry in document.items()]


def asset_table(
    instruments: list[Instrument], market: Market, scale: Mapping[str, float], digits: int = 2
) -> pd.DataFrame:
    """Return assets.csv with each amount multiplied by the scale of its group (1 for none), money in ``digits``."""
    rows = []
    for item in instruments:
        terms = _bond_terms(item, market)
        for account, stated in item.amount.items():
            amount = round(stated * scale.get(f"{item.scale}.{account}", scale.get(str(item.scale), 1.0)), digits)
            row: dict[str, Any] = {
                "asset_id": item.asset_id,
                "name": item.name,
                "kind": item.kind,
                "account": account,
                "amount": amount,
                "min": round(amount * item.range[0], digits),
                "max": round(amount * item.range[1], digits),
                "expected_return": round(_expected_return(item, terms), 5),
                "transaction_cost": round(item.transaction_cost_bp * BASIS_POINT, 6),
                "specific_volatility": item.risk["specific"],
                **terms,
                **item.columns,
            }
            if item.gain is not None:
                row["cost"] = round(amount / (1.0 + item.gain), digits)
            rows.append(row)
    frame = pd.DataFrame(rows)
    unknown = set(frame.columns) - set(ASSET_COLUMNS)
    if unknown:
        raise ValueError(f"instruments.yaml names columns that assets.csv does not hold: {sorted(unknown)}")
    frame[WHOLE_NUMBERS] = frame[WHOLE_NUMBERS].astype("Int64")
    return frame.reindex(columns=ASSET_COLUMNS)


def _bond_terms(item: Instrument, market: Market) -> dict[str, Any]:
    """Return yield, coupon, frequency and the date the principal is due; nothing for what is not a bond."""
    if item.bond is None:
        return {}
    tenor = item.bond["tenor"]
    due = AS_OF + timedelta(days=round(365 * tenor))
    terms = {"coupon": item.bond["coupon"], "frequency": item.bond["frequency"]}
    terms["next_call_date" if item.kind in CALLED else "maturity"] = due.isoformat()
    terms["yield"] = round(_yield(item, market, tenor), 5)
    return terms


def _yield(item: Instrument, market: Market, tenor: float) -> float:
    """Return curve + spread; deposits and loans stand at par, so theirs is the coupon."""
    assert item.bond is not None
    if item.kind in HELD_AT_PAR:
        return float(item.bond["coupon"])
    if "yield" in item.bond:
        return float(item.bond["yield"])
    return market.rate(item.bond["curve"], tenor) + item.bond["spread_bp"] * BASIS_POINT


def _expected_return(item: Instrument, terms: Mapping[str, Any]) -> float:
    """Return the stated figure, else yield − expected loss."""
    if item.expected_return is not None:
        return item.expected_return
    assert item.bond is not None
    return float(terms["yield"]) - item.bond["loss_bp"] * BASIS_POINT


def modified_duration(rate: float, coupon: float, frequency: int, tenor: float) -> float:
    """Return −dP/dy / P of a bullet bond of face 1, y compounded ``frequency`` times a year."""
    step = 1.0 / frequency
    times = [tenor - k * step for k in range(int(tenor * frequency) + 1) if tenor - k * step > 1e-9]
    flows = [coupon * step] * len(times)
    flows[0] += 1.0
    growth = 1.0 + rate * step
    values = [flow * growth ** (-frequency * time) for flow, time in zip(flows, times, strict=True)]
    return sum(time * value for time, value in zip(times, values, strict=True)) / sum(values) / growth


def factor_tables(instruments: list[Instrument], market: Market) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return factor_exposures.csv and factor_covariance.csv (upper triangle).

    A bond without stated exposures loses its duration times the change of the yields beside its tenor, and
    times the change of the AAA spread (scaled by its curve's spread over AAA's) where it is not government's.
    """
    exposures = []
    for item in instruments:
        own = {name: value for name, value in item.risk.items() if name != "specific"}
        if not own and item.bond is not None and item.kind not in HELD_AT_PAR:
            own = _bond_exposures(item, market)
        exposures += [(item.asset_id, factor, round(value, 4)) for factor, value in own.items() if round(value, 4)]
    covariance = market.factor_covariance
    names = list(covariance.index)
    pairs = [
        (first, second, float(f"{covariance.loc[first, second]:.6g}"))
        for i, first in enumerate(names)
        for second in names[i:]
    ]
    return (
        pd.DataFrame(exposures, columns=["asset_id", "factor", "exposure"]),
        pd.DataFrame(pairs, columns=["factor", "other", "covariance"]),
    )


def _bond_exposures(item: Instrument, market: Market) -> dict[str, float]:
    assert item.bond is not None
    tenor = item.bond["tenor"]
    rate = _yield(item, market, tenor)
    years = modified_duration(rate, item.bond["coupon"], item.bond["frequency"], tenor)
    exposures = dict(zip(RATE_TENORS, -years * tenor_weights(tenor), strict=True))
    if item.bond["curve"] != "cgb":
        government, aaa = market.rate("cgb", tenor), market.rate("aaa", tenor)
        curve = market.rate(item.bond["curve"], tenor)
        exposures["aaa_spread"] = -years * (curve - government) / (aaa - government)
    return exposures
