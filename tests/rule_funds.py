"""Small funds for the tests of rules: frames in, a model context out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from allocator.config.settings import FundSettings, Settings
from allocator.inputs.fund import BalanceSheet, Inputs
from allocator.model import ConstraintSpec, ModelContext, Term
from allocator.model.build import build_space
from allocator.types import AssetKind, Text

AS_OF = date(2026, 6, 30)
DERIVATIVES = ("rate_swap", "bond_future", "index_future", "fx_forward")
DATES = ("maturity", "issue_date", "next_call_date", "put_date")


def context(
    rows: Sequence[Mapping[str, Any]],
    *,
    as_of: date = AS_OF,
    unit: float = 1.0,
    balance_sheet: Mapping[str, float | None] | None = None,
    labels: Mapping[str, str] | None = None,
    assets: pd.DataFrame | None = None,
    **tables: pd.DataFrame,
) -> ModelContext:
    """Return the context of a fund with these rows; total assets are 1,000 CNY unless said otherwise.

    ``labels`` are Chinese names of kinds; ``assets`` stands in for ``rows``.
    """
    frame = pd.DataFrame([dict(row) for row in rows]) if assets is None else assets
    defaults = {"kind": "cash", "account": "traditional", "amount": 0.0}
    for name, value in defaults.items():
        frame[name] = frame[name].fillna(value) if name in frame else value
    frame["asset_id"] = frame["asset_id"] if "asset_id" in frame else [f"A{n}" for n in range(len(frame))]
    for name in ("min", "max", "transaction_cost"):
        frame[name] = frame[name].astype(float) if name in frame else np.nan
    for name in DATES:
        if name in frame:
            frame[name] = pd.to_datetime(frame[name])
    names = {*frame["kind"], *DERIVATIVES}
    chinese = labels or {}
    kinds = {
        name: AssetKind(name, Text(name, chinese.get(name, name)), "group", derivative=name in DERIVATIVES)
        for name in names
    }
    sheet = BalanceSheet(**{"total_assets": 1000.0, "reported_comprehensive_ratio": 1.9, **(balance_sheet or {})})
    settings = Settings(fund=FundSettings(name="test", as_of=as_of, unit=unit), inputs={})
    inputs = Inputs(settings, sheet, {"assets": frame, **tables}, {}, MappingProxyType(kinds))
    returns = frame["expected_return"].to_numpy(dtype=float) if "expected_return" in frame else np.zeros(len(frame))
    return ModelContext(inputs, build_space(inputs), lambda: returns, lambda: _absent(), lambda: _absent())


def build(specs: Sequence[ConstraintSpec], rule: str, fund: ModelContext, /, **options: Any) -> dict[str, Term]:
    """Return the terms of a rule by name, its options read as the fund file's would be."""
    spec = {spec.name: spec for spec in specs}[rule]
    terms = spec.build(fund, TypeAdapter(spec.options).validate_python(options))
    return {term.name: term for term in terms}


def at(*amounts: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return holdings."""
    return np.array(amounts, dtype=float)


def _absent() -> Any:
    raise AssertionError("no rule needs the risk model")
