"""Risk as F′F + diag(d): from factors, from a history of returns, or from a covariance that was given."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import linalg, sparse

from allocator.plugin import InputError, Number, Problem, Problems, Section, Text
from allocator.plugin.tables import Column, Inputs, Measure, Table
from allocator.plugin.terms import Risk, RiskModelSpec, factor_risk

__all__ = ["RISK_MODELS", "TABLES"]

TABLES = (
    Table(
        "factor_exposures",
        (
            Column("asset_id", Measure.TEXT, Text("Asset", "资产代码"), ("资产代码", "证券代码"), required=True),
            Column("factor", Measure.TEXT, Text("Factor", "因子"), ("因子",), required=True),
            Column("exposure", Measure.NUMBER, Text("Exposure", "因子暴露"), ("因子暴露", "暴露"), required=True),
        ),
        key=("asset_id", "factor"),
        references={"asset_id": ("assets", "asset_id")},
    ),
    Table(
        "factor_covariance",
        (
            Column("factor", Measure.TEXT, Text("Factor", "因子"), ("因子",), required=True),
            Column("other", Measure.TEXT, Text("Other factor", "另一因子"), ("另一因子",), required=True),
            Column("covariance", Measure.NUMBER, Text("Annual covariance", "年化协方差"), ("协方差",), required=True),
        ),
        key=("factor", "other"),
    ),
    Table(
        "assets",
        (
            Column(
                "specific_volatility",
                Measure.RATE,
                Text("Annual volatility outside the factors", "因子以外的年化特质波动率"),
                ("特质波动率",),
                minimum=0.0,
            ),
        ),
    ),
)


class CovarianceOptions(Section):
    """No keys: the figures are the table ``covariance``."""


class HistoryOptions(Section):
    """``half_life``: periods after which an observation counts half; omitted: all count the same."""

    half_life: Annotated[Number, Field(gt=0)] | None = None


class FactorOptions(Section):
    """No keys: the figures are ``factor_exposures``, ``factor_covariance`` and ``specific_volatility``."""


def covariance_risk(inputs: Inputs, options: CovarianceOptions) -> Risk:
    """Return the covariance given, as a root F with F′F = Σ (eigenvalues below zero by rounding only)."""
    table = _need(inputs, "covariance")
    order = inputs.assets["asset_id"].to_numpy()
    indexed = table.set_index("asset_id")
    matrix = indexed.loc[order, order].to_numpy(dtype=float)
    values, vectors = linalg.eigh((matrix + matrix.T) / 2.0)
    kept = values > values[-1] * 1e-14
    factors = (vectors[:, kept] * np.sqrt(values[kept])).T
    return Risk(factors, np.zeros(len(order)), Text("covariance as given", "采用给定的协方差矩阵"))


def history_risk(inputs: Inputs, options: HistoryOptions) -> Risk:
    """Return the sample covariance through its T observations, F = √(p·f) (r − r̄): never an n × n matrix.

    Source: unbiased sample covariance; with a half-life, exponential weights p with Σp = 1 and the
    reliability correction 1 / (1 − Σp²).
    """
    table = _need(inputs, "returns")
    order = inputs.assets["asset_id"].to_numpy()
    problems = Problems()
    for asset in dict.fromkeys(order):
        if asset not in table.columns or table[asset].isna().any():
            problems.add(
                Text("an asset has no complete history of returns", "资产缺少完整的历史收益率"),
                f"{inputs.sources['returns'].file}, column {asset}",
                hint=Text("complete the column or use models.risk: factors", "请补全该列，或改用 models.risk: factors"),
            )
    if len(table) < 2:
        problems.add(
            Text("a covariance needs two observations at least", "协方差至少需要两期观测"),
            inputs.sources["returns"].file,
            str(len(table)),
            "≥ 2",
        )
    problems.raise_if_any()
    returns = table[list(order)].to_numpy(dtype=float)
    age = np.arange(len(returns))[::-1]
    weight = np.ones(len(returns)) if options.half_life is None else 0.5 ** (age / options.half_life)
    weight /= weight.sum()
    centred = returns - weight @ returns
    annual = inputs.settings.fund.frequency / (1.0 - weight @ weight)
    factors = centred * np.sqrt(weight * annual)[:, None]
    return Risk(
        factors,
        np.zeros(len(order)),
        Text(f"sample covariance of {len(returns)} observations", f"{len(returns)} 个观测的样本协方差"),
    )


def given_factor_risk(inputs: Inputs, options: FactorOptions) -> Risk:
    """Return B′ Ω B + diag(s²) of the tables, B sparse; an asset in two accounts moves as one."""
    exposures, covariance = _need(inputs, "factor_exposures"), _need(inputs, "factor_covariance")
    names = list(dict.fromkeys(covariance["factor"]))
    omega = covariance.pivot(index="factor", columns="other", values="covariance").reindex(index=names, columns=names)
    omega = omega.where(omega.notna(), omega.T).fillna(0.0)
    problems = Problems()
    for factor in sorted(set(exposures["factor"]) - set(names)):
        problems.add(
            Text("a factor has no covariance", "因子缺少协方差"), inputs.sources["factor_exposures"].file, factor
        )
    matrix = omega.to_numpy(dtype=float)
    values = linalg.eigvalsh((matrix + matrix.T) / 2.0)
    if not np.allclose(matrix, matrix.T, rtol=1e-8, atol=0.0) or values[0] < -1e-10 * max(values[-1], 1e-300):
        problems.add(
            Text("the factor covariance is not symmetric positive semidefinite", "因子协方差矩阵不对称或非半正定"),
            inputs.sources["factor_covariance"].file,
            f"smallest eigenvalue {values[0]:.3g}",
        )
    specific = inputs.assets["specific_volatility"].to_numpy(dtype=float)
    for row in np.flatnonzero(np.isnan(specific)):
        problems.add(
            Text("the specific volatility is missing", "缺少特质波动率"),
            inputs.where("assets", int(row), "specific_volatility"),
            hint=Text("0 for none", "没有则填 0"),
        )
    problems.raise_if_any()
    assets = inputs.assets["asset_id"].to_numpy()
    rows = pd.Series(np.arange(len(assets))).groupby(assets).indices
    at = [rows[asset] for asset in exposures["asset_id"]]
    column = np.concatenate(at) if at else np.empty(0, dtype=int)
    repeat = [len(block) for block in at]
    factor = np.repeat(exposures["factor"].map({name: i for i, name in enumerate(names)}).to_numpy(), repeat)
    value = np.repeat(exposures["exposure"].to_numpy(dtype=float), repeat)
    loading = sparse.csr_array((value, (factor, column)), shape=(len(names), len(assets)))
    return factor_risk(
        assets.astype(str),
        tuple(names),
        loading,
        matrix,
        specific,
        Text(f"{len(names)} factors as given", f"采用给定的 {len(names)} 个因子"),
    )


def _need(inputs: Inputs, name: str) -> pd.DataFrame:
    table = inputs.table(name)
    if table is None:
        raise InputError(
            Problem(
                Text("the risk model needs a table that the fund does not name", "风险模型所需的表未在组合文件中给出"),
                inputs.settings.where("inputs"),
                allowed=f"inputs.{name}",
                hint=Text("add the file or choose another model under models.risk", "请补充文件或更换 models.risk"),
            )
        )
    return table


RISK_MODELS = (
    RiskModelSpec("covariance", Text("Covariance as given", "给定协方差矩阵"), CovarianceOptions, covariance_risk),
    RiskModelSpec(
        "history", Text("Sample covariance of returns.csv", "历史收益率样本协方差"), HistoryOptions, history_risk
    ),
    RiskModelSpec("factors", Text("Factor model as given", "给定因子模型"), FactorOptions, given_factor_risk),
)
