"""A small verified answer made by hand, so that reports are tested without any solver.

Eight rows in two accounts, money in CNY 100 million (``fund.unit`` 1e8). The tree has the shape of the
life company's rule: rate risk is a maximum, market and credit are correlated, loss absorption is a
minimum, the size factor is a weight. Every amount is chosen by hand; ratios follow from the tree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from allocator_cross2.jurisdiction import COMPREHENSIVE, JURISDICTION, YUAN
from allocator_cross2.jurisdiction import CORE as CORE_RATIO
from numpy.typing import NDArray
from scipy import sparse

from allocator import api
from allocator.capital import (
    Aggregate,
    CapitalTree,
    Leaf,
    Maximum,
    Memorandum,
    Minimum,
    WeightedSum,
    correlation_matrix,
)
from allocator.config.settings import Settings
from allocator.extension.registry import Registry
from allocator.inputs.fund import BalanceSheet, Inputs, TableSource
from allocator.model.constraints import term_rows
from allocator.model.expressions import Linear, TradeCost
from allocator.model.model import CapitalLimit, Model
from allocator.model.models import Risk
from allocator.model.position import CapitalPosition
from allocator.model.regime import OwnFunds, Regime, RegimeNote, Requirement
from allocator.model.space import Space
from allocator.model.terms import Mode, ObjectiveTerm, Sense, Term
from allocator.result.result import Result, TiltPrice
from allocator.result.tables import ReportSectionSpec
from allocator.solve.search.solution import Solution
from allocator.types import AssetKind, Certainty, Source, Text

__all__ = ["NO_PLUGINS", "FakeFund", "fake_result", "with_sections"]

UNIT = 1e8
NO_PLUGINS = Registry(())


def with_sections(*specs: ReportSectionSpec) -> Registry:
    """Return a registry with one plugin that offers these report sections."""
    return Registry([("sections", SimpleNamespace(allocator_report_sections=lambda: list(specs)))])


Vector = NDArray[np.float64]

CURRENT = np.array([120.0, 300.0, 260.0, 90.0, 80.0, 150.0, 60.0, 40.0])
TARGET = np.array([80.0, 300.0, 300.0, 120.0, 50.0, 150.0, 40.0, 60.0])
RETURN = np.array([0.021, 0.019, 0.0245, 0.026, 0.075, 0.0195, 0.024, 0.068])
SCORE = np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.25])


def _settings(folder: Path, minimize: str | None) -> Settings:
    return Settings.model_validate(
        {
            "fund": {"name": "仿真寿险 <fund> & co", "as_of": "2026-06-30", "unit": UNIT},
            "inputs": {"assets": folder / "assets.csv"},
            "balance_sheet": {"total_assets": 1200.0, "actual_capital": CAPITAL / UNIT, "core_capital": CORE / UNIT},
            "capital": {"regime": "fake", "require": {"comprehensive": 1.8}},
            "objective": {"minimize": minimize} if minimize else {"maximize": "expected_return"},
            "folder": folder,
            "file": "fund.yaml",
        }
    )


def _inputs(folder: Path, minimize: str | None) -> Inputs:
    assets = pd.DataFrame(
        {
            "asset_id": ["DEP1", "CGB10", "LGB20", "TIB5", "=SUM(A1:A9)", "CGB10", "AAA5", "CSI"],
            "name": [
                "大额存单 3年",
                "国债 10年",
                "地方债 20年",
                "科创债 5年 AAA",
                "<script>alert('name')</script>",
                "国债 10年",
                "+公司债 AAA 5年",
                '红利低波 "100"',
            ],
            "kind": [
                "deposit",
                "government_bond",
                "local_government_bond",
                "tech_innovation_bond",
                "listed_stock",
                "government_bond",
                "corporate_bond",
                "listed_stock",
            ],
            "account": ["traditional"] * 5 + ["participating"] * 3,
            "amount": CURRENT * UNIT,
            "expected_return": RETURN,
        }
    )
    kinds = [
        AssetKind("deposit", Text("Deposit", "存款"), "deposit"),
        AssetKind("government_bond", Text("Government bond", "国债"), "fixed_income"),
        AssetKind("local_government_bond", Text("Local government bond", "地方政府债"), "fixed_income"),
        AssetKind("tech_innovation_bond", Text("Technology-innovation bond", "科技创新债券"), "fixed_income"),
        AssetKind("corporate_bond", Text("Corporate bond", "企业（公司）债券"), "fixed_income"),
        AssetKind("listed_stock", Text("Listed stock", "上市股票"), "equity"),
    ]
    return Inputs(
        _settings(folder, minimize),
        BalanceSheet(total_assets=1200 * UNIT, actual_capital=CAPITAL, further={"core_capital": CORE}),
        {"assets": assets},
        {"assets": TableSource("assets.csv", np.arange(2, 10), fingerprint="ab" * 32)},
        {kind.name: kind for kind in kinds},
        jurisdiction=JURISDICTION,
    )


LEAVES = {  # charge per CNY of each row; what each leaf holds apart from the assets, CNY 100 million
    "rate_up": (np.array([-0.02, -0.12, -0.20, -0.04, 0.0, -0.12, -0.04, 0.0]), 140.0),
    "rate_down": (np.array([0.02, 0.13, 0.22, 0.04, 0.0, 0.13, 0.04, 0.0]), -160.0),
    "equity_price_risk": (np.array([0.0, 0.0, 0.0, 0.0, 0.35, 0.0, 0.0, 0.30]), 0.0),
    "spread_risk": (np.array([0.0, 0.0, 0.0, 0.066, 0.0, 0.0, 0.066, 0.0]), 0.0),
    "counterparty_default_risk": (np.array([0.03, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]), 1.5),
    "life_insurance_risk": (np.zeros(8), 45.0),
    "loss_absorption_cap": (np.zeros(8), 6.0),
}


def _tree() -> CapitalTree:
    leaf = {
        name: Leaf(
            name, Text(name.replace("_", " ").capitalize(), zh), "R8 §18", row=row, shown=name != "loss_absorption_cap"
        )
        for row, (name, zh) in enumerate(
            zip(
                LEAVES,
                (
                    "利率上行",
                    "利率下行",
                    "权益价格风险",
                    "利差风险",
                    "交易对手违约风险",
                    "寿险保险风险",
                    "损失吸收上限",
                ),
                strict=True,
            )
        )
    }
    rate = Maximum(
        "interest_rate_risk", Text("Interest rate risk", "利率风险"), "R8 §18", (leaf["rate_up"], leaf["rate_down"])
    )
    market = Aggregate(
        "market_risk",
        Text("Market risk", "市场风险"),
        "R8 §69",
        (rate, leaf["equity_price_risk"]),
        correlations=(correlation_matrix(["r", "e"], {("r", "e"): -0.14}),),
    )
    credit = Aggregate(
        "credit_risk",
        Text("Credit risk", "信用风险"),
        "R9 §43",
        (leaf["spread_risk"], leaf["counterparty_default_risk"]),
        correlations=(correlation_matrix(["s", "d"], {("s", "d"): 0.25}),),
    )
    quantifiable = Aggregate(
        "quantifiable_risk",
        Text("Quantifiable risk before loss absorption", "损失吸收前量化风险"),
        "R2 §15",
        (leaf["life_insurance_risk"], market, credit),
        correlations=(correlation_matrix(["l", "m", "c"], {("l", "m"): 0.30, ("l", "c"): 0.15, ("m", "c"): 0.35}),),
    )
    half = WeightedSum(
        "half_of_market", Text("Half of market risk", "市场风险之半"), "", (market,), False, weights=(0.5,)
    )
    absorption = Minimum(
        "loss_absorption", Text("Loss absorption", "损失吸收效应"), "R2 §19", (half, leaf["loss_absorption_cap"])
    )
    star = WeightedSum(
        "quantifiable_risk_capital",
        Text("Quantifiable risk capital", "量化风险最低资本"),
        "R2 §15",
        (quantifiable, absorption),
        weights=(1.0, -1.0),
    )
    root = WeightedSum("minimum_capital", Text("Minimum capital", "最低资本"), "R2 §4", (star,), weights=(0.95,))
    effect = WeightedSum(
        "market_diversification",
        Text("Diversification of market risk", "市场风险分散效应"),
        "R8 §70",
        (rate, leaf["equity_price_risk"], market),
        weights=(1.0, 1.0, -1.0),
    )
    size = WeightedSum("size_factor_effect", Text("Size factor", "规模系数"), "", (star,), weights=(-0.05,))
    matrix = sparse.csr_array(np.vstack([charge for charge, _ in LEAVES.values()]))
    constants = np.array([constant for _, constant in LEAVES.values()]) * UNIT
    memoranda = (Memorandum(effect, "market_risk"), Memorandum(size, "minimum_capital"))
    return CapitalTree(root, matrix, constants, memoranda)


TRADED = float(np.abs(TARGET - CURRENT).sum()) * UNIT
CAPITAL = 1.8 * _tree().value(TARGET * UNIT) + 0.001 * TRADED
"""Chosen so that the comprehensive ratio after costs is exactly the 180% required."""
CORE = 80 * UNIT


class FakeRegime(Regime):
    """A regime whose charges do not depend on the holdings."""

    name = "fake"
    label = Text("Fake regime", "仿真制度")

    def own_funds(self) -> OwnFunds:
        return OwnFunds({"comprehensive": CAPITAL, "core": CORE})

    def requirements(self) -> tuple[Requirement, ...]:
        return (
            Requirement(COMPREHENSIVE, CAPITAL, 1.8, 1.0, "§8"),
            Requirement(CORE_RATIO, CORE, None, 0.5, "§8"),
        )

    def tree(self, holdings: Vector | None = None) -> CapitalTree:
        return _tree()

    def charges(self, holdings: Vector | None = None) -> pd.DataFrame:
        amounts = CURRENT * UNIT if holdings is None else holdings
        rows = [
            (
                "TIB5",
                "traditional",
                "spread_risk",
                amounts[3],
                0.066,
                amounts[3] * 0.066,
                "R9 §13",
                "AAA, D 5: 5×(0.0006×5+0.012)…",
            ),
            (
                "CSI",
                "participating",
                "equity_price_risk",
                amounts[7],
                0.30,
                amounts[7] * 0.30,
                "R8 §24",
                "CSI 300 0.30",
            ),
        ]
        columns = ["asset_id", "account", "module", "exposure", "factor", "charge", "article", "derivation"]
        return pd.DataFrame(rows, columns=columns)

    def notes(self) -> tuple[RegimeNote, ...]:
        return (
            RegimeNote(Text("Charges are made by hand.", "风险因子为手工设定。"), "R8 §1"),
            RegimeNote(Text("The deposit's factor is a what-if.", "存款因子为假设情景。"), rule=False),
        )


def _terms(current: Vector) -> tuple[Term, ...]:
    size = len(current)
    equity = np.zeros(size)
    equity[[4, 7]] = 1.0
    one = np.ones(1)
    budget = np.zeros((2, size))
    budget[0, :5] = budget[1, 5:] = 1.0
    duration = np.array([2.5, 8.6, 14.0, 4.6, 0.0, 8.6, 4.6, 0.0])
    return (
        Term(
            "equity_ceiling",
            Text("Equity at most 30% of total assets", "权益类资产不超过总资产的 30%"),
            Linear.of(equity),
            Sense.AT_MOST,
            one * 110 * UNIT,
            one * 1200 * UNIT,
            "ratio",
            Source("金发〔2025〕12号", "§3"),
        ),
        Term(
            "rate_hedge_ratio",
            Text("Assets' rate sensitivity over liabilities'", "资产与负债的利率敏感度之比"),
            Linear.of(duration),
            Sense.AT_LEAST,
            one * 0.5 * 14000 * UNIT,
            one * 14000 * UNIT,
            "ratio",
            Source("user", certainty=Certainty.USER),
        ),
        *(
            Term(
                f"budget[{name}]",
                Text(f"Budget of account {name}", f"{name}账户预算"),
                Linear.of(row),
                Sense.EQUAL,
                one * held * UNIT,
                one * 1100 * UNIT,
                "share",
                Source("accounts", certainty=Certainty.USER),
            )
            for name, row, held in (("traditional", budget[0], 850.0), ("participating", budget[1], 250.0))
        ),
        Term(
            "floor",
            Text("Amount at least", "金额下限"),
            Linear.of(np.eye(size)[[0, 6]]),
            Sense.AT_LEAST,
            np.array([80.0, 30.0]) * UNIT,
            np.ones(2),
            "money",
            Source("user", certainty=Certainty.USER),
            rows=("DEP1", "AAA5"),
        ),
        Term(
            "duration_gap",
            Text("Asset duration", "资产久期"),
            Linear.of(duration),
            Sense.AT_LEAST,
            one * 12 * 1100 * UNIT,
            one * 1100 * UNIT,
            "years",
            Source("user", certainty=Certainty.USER),
            mode=Mode.MONITOR,
        ),
    )


def fake_result(folder: Path = Path(), *, minimize: str | None = None, status: str = "optimal") -> Result:
    """Return the answer; ``minimize="capital"`` makes minimum capital the objective."""
    inputs, regime = _inputs(folder, minimize), FakeRegime()
    current, target = CURRENT * UNIT, TARGET * UNIT
    total = float(current.sum())
    space = Space(
        np.array(inputs.assets["asset_id"], dtype=str),
        np.array(inputs.assets["account"], dtype=str),
        current,
        np.zeros(8),
        np.array([np.inf, 300 * UNIT, np.inf, np.inf, np.inf, np.inf, np.inf, np.inf]),
        np.ones(8, dtype=bool),
        np.full(8, 0.001),
        total,
        UNIT,
        YUAN,
    )
    cost = TradeCost(np.full(8, 0.001), np.full(8, 0.001), np.zeros(8), current)
    tree = _tree()
    terms = _terms(current)
    after_cost = float(cost.value(target)[0])
    maximized = float(RETURN @ target) / total - after_cost / total
    objective = ObjectiveTerm("expected_return", Text("Expected return", "预期收益"), Linear.of(RETURN / total))
    model = Model(
        space,
        () if minimize else (objective,),
        terms,
        cost,
        tree,
        (
            CapitalLimit(
                "comprehensive", Text("Comprehensive ratio", "综合偿付能力充足率"), "minimum_capital", 1.8, CAPITAL
            ),
        ),
        capital_weight=1.0 if minimize else 0.0,
    )
    value = -tree.value(target) if minimize else maximized
    solution = Solution(
        target,
        "feasible" if status == "feasible" else "optimal",
        value,
        value + (0.02 * UNIT if minimize else 4e-6),
        0.02 * UNIT if minimize else 4e-6,
        3,
        "CLARABEL 0.11.1",
        0.125,
        {
            "equity_ceiling": np.array([0.012]),
            "rate_hedge_ratio": np.array([0.0]),
            "budget[traditional]": np.array([0.021]),
            "budget[participating]": np.array([0.019]),
            "floor": np.array([1.5e-13, 0.0]),
        },
        {"comprehensive": 3.5e-13},
        np.array([0.0, -0.0008, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
    )
    before_capital = CapitalPosition(current, tree, regime.own_funds(), regime.requirements(), 0.0, space)
    after_requirements = tuple(replace(r, capital=r.capital - after_cost) for r in regime.requirements())
    after_capital = CapitalPosition(
        target, tree, regime.own_funds().less(after_cost), after_requirements, after_cost, space
    )
    rng = np.random.default_rng(7)
    risk = Risk(rng.normal(0.0, 0.02, (3, 8)), np.full(8, 1e-5), Text("Three made-up factors", "三个虚构因子"))
    moved, nan = np.array([0.0, 0.0, 0.0, 20.0, -20.0, 0.0, 0.0, 0.0]) * UNIT, float("nan")
    tilts = (
        TiltPrice("tech_bonds", "budget", 0.09, 0.12, 0.00031, 1.7 * UNIT, -0.013, 0.1, 0.00029, moved),
        TiltPrice("all", "", nan, nan, 0.00031, 1.7 * UNIT, -0.013, nan, 0.00029, moved),
    )
    return Result(
        inputs,
        model,
        regime,
        solution,
        before_capital,
        after_capital,
        RETURN,
        risk,
        {"tech_bonds": SCORE},
        tilts,
        {"load": 0.21, "model": 0.05, "solve": 0.125, "verify": 0.01},
    )


@dataclass
class FakeFund:
    """Stands for `allocator.pipeline.fund.Fund` in tests of the command line."""

    result: Result
    error: Exception | None = None

    @property
    def inputs(self) -> Inputs:
        return self.result.inputs

    @property
    def regime(self) -> Regime | None:
        return self.result.regime

    @property
    def registry(self) -> Registry:
        return NO_PLUGINS

    @property
    def unchecked(self) -> tuple[Text, ...]:
        return self.result.unchecked

    def position(self) -> CapitalPosition | None:
        return self.result.before

    def optimize(self) -> api.Result:
        if self.error is not None:
            raise self.error
        return api.Result(self.result)

    def validate(self) -> list[RegimeNote]:
        return list(self.result.regime.notes()) if self.result.regime else []

    @property
    def terms(self) -> tuple[Term, ...]:
        return self.result.model.terms

    def rule_checks(self) -> pd.DataFrame:
        model = self.result.model
        columns = ["name", "lhs", "sense", "rhs", "slack", "unit", "mode", "source", "certainty"]
        rows = [row for term in model.terms for row in term_rows(term, model.space.current, None)]
        return pd.DataFrame(rows)[columns]
