"""The capital tree of a life company: from module rows to minimum capital (R2 §15–19, R5, R8 §69, R9 §43, R12 §120).

    minimum capital = size factor × (1 + Q) × (sqrt(v′ R_quant v) − LA) + additional capital
    LA = min( (1 + K) 0.5 P, (1 + K) (0.22 cap + 0.02 P), cap ),  P = sqrt(market² + 2·0.35·market·credit + credit²)

P is taken of the participating and universal accounts alone, its modules named ``pool_…``. Names are those of
the columns of a quarterly filing. Diversification lines and control risk are printed, not built upon.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from allocator.plugin.capital import (
    Absolute,
    Aggregate,
    CapitalTree,
    Leaf,
    Maximum,
    Memorandum,
    Minimum,
    Node,
    WeightedSum,
)
from allocator_cross2.labels import label
from allocator_cross2.lines import CURRENCY, CURRENCY_UNHEDGED, EQUITY_HEDGE, EQUITY_PRICE, shown_module
from allocator_cross2.pack import RulePack

__all__ = ["INTEREST_RATE_DOWN", "INTEREST_RATE_UP", "POOL", "GivenCapital", "ModuleRows", "build_tree"]


INTEREST_RATE_UP, INTEREST_RATE_DOWN = "interest_rate_up", "interest_rate_down"
POOL = "pool_"
"""Prefix of the modules of the participating and universal accounts."""


@dataclass(frozen=True, eq=False)
class ModuleRows:
    """What every module gets from the rows and from the liabilities.

    Parameters
    ----------
    coefficients : mapping of str to csr_array (1, n)
        Module → charge per CNY of each row.
    constants : mapping of str to float
        Module → what it holds apart from the rows, CNY.
    size : int
        Rows n.
    """

    coefficients: Mapping[str, sparse.csr_array]
    constants: Mapping[str, float]
    size: int

    def names(self, prefix: str = "") -> tuple[str, ...]:
        """Return the modules that start with ``prefix``, sorted."""
        return tuple(sorted(name for name in {*self.coefficients, *self.constants} if name.startswith(prefix)))


@dataclass(frozen=True, slots=True)
class GivenCapital:
    """What the company gives, CNY, and the factors that multiply.

    Parameters
    ----------
    life : float or mapping of str to float
        Life insurance risk, or its parts loss_occurrence, expense and lapse.
    nonlife : float
        Non-life insurance risk.
    absorption_cap : float
        LA_cap, ≥ 0; 0 means that nothing is absorbed.
    absorption : float or None
        Loss absorption itself where it is given instead of computed.
    additional : float
        Additional capital.
    size_factor, control_factor : float
        Size factor and Q.
    """

    life: float | Mapping[str, float]
    nonlife: float
    absorption_cap: float
    absorption: float | None
    additional: float
    size_factor: float
    control_factor: float


@dataclass(eq=False)
class _Leaves:
    """The rows of the tree's matrix, in the order leaves are asked for."""

    size: int
    rows: list[sparse.csr_array] = field(default_factory=list)
    constants: list[float] = field(default_factory=list)

    def constant(self, name: str, article: str, amount: float, given: str = "", shown: bool = True) -> Leaf:
        """Return a leaf that does not depend on the rows; ``given`` is the key of the fund file it comes from."""
        return self.add(Leaf(name, label(name), article, shown=shown, given=given), empty(self.size), amount)

    def add(self, leaf: Leaf, row: sparse.csr_array, amount: float) -> Leaf:
        """Return the leaf, with one row of the matrix and its constant."""
        self.rows.append(row)
        self.constants.append(amount)
        return replace(leaf, row=len(self.rows) - 1)


def empty(size: int) -> sparse.csr_array:
    """Return a row of the matrix that holds nothing."""
    return sparse.csr_array((1, size))


LIABILITIES = "inputs.liabilities"
CURRENCY_LIABILITIES = "capital.currency_liabilities"


@dataclass(frozen=True, eq=False)
class _Modules:
    """Builds the modules of one set of accounts: the company's, or the pool's with its prefix."""

    rows: ModuleRows
    leaves: _Leaves
    pack: RulePack
    prefix: str = ""

    def leaf(self, module: str, article: str, name: str | None = None, shown: bool = True) -> Leaf:
        """Return the leaf of a module; one that holds nothing is an empty row."""
        row = self.rows.coefficients.get(module)
        title = self.prefix + (name or module)
        given = LIABILITIES if module in (INTEREST_RATE_UP, INTEREST_RATE_DOWN) else CURRENCY_LIABILITIES
        leaf = Leaf(title, label(title), article, shown=shown, charged=shown_module(module), given=given)
        return self.leaves.add(
            leaf, empty(self.leaves.size) if row is None else row, self.rows.constants.get(module, 0.0)
        )

    def held(self, *modules: str) -> bool:
        """Return whether any row or liability adds to one of these modules."""
        rows = (self.rows.coefficients.get(module) for module in modules)
        return any(row is not None and row.nnz for row in rows) or any(self.rows.constants.get(one) for one in modules)

    def aggregate(self, name: str, figure: str, children: Mapping[str, Node]) -> Aggregate:
        """Return sqrt(v′Rv) of the children that the figure's matrix names, in its order."""
        matrix = self.pack.matrix(figure)
        ordered = tuple(children[one] for one in matrix.order)
        title = self.prefix + name
        return Aggregate(title, label(title), self.pack.article(figure), ordered, correlations=(matrix.values,))

    def market(self) -> Aggregate:
        """Market risk of its six modules (R8 §69)."""
        makers: Mapping[str, Callable[[], Node]] = {
            "interest_rate": self.interest_rate,
            "equity_price": self.equity_price,
            "real_estate_price": lambda: self.leaf("real_estate_price", "R8 §38–43"),
            "overseas_fixed_income": lambda: self.overseas("overseas_fixed_income", "R8 §44–47"),
            "overseas_equity": lambda: self.overseas("overseas_equity", "R8 §48–54"),
            "currency": self.currency,
        }
        return self.aggregate("market_risk", "market.correlation", {name: make() for name, make in makers.items()})

    def interest_rate(self) -> Node:
        """The largest of up, down and zero (R8 §20)."""
        up = self.leaf(INTEREST_RATE_UP, "R8 §20")
        down = self.leaf(INTEREST_RATE_DOWN, "R8 §20")
        zero = self.leaves.constant(self.prefix + "interest_rate_zero", "R8 §20", 0.0, shown=False)
        title = self.prefix + "interest_rate"
        return Maximum(title, label(title), "R8 §18–20", (up, down, zero))

    def equity_price(self) -> Node:
        """Domestic equity; stock that index futures hedge counts by its absolute net charge (R8 §35)."""
        if EQUITY_HEDGE not in self.rows.names():
            return self.leaf(EQUITY_PRICE, "R8 §24–37")
        net = self.leaf(EQUITY_HEDGE, "R8 §35", f"{EQUITY_HEDGE}_net", shown=False)
        title = self.prefix + EQUITY_HEDGE
        hedged = Absolute(title, label(title), "R8 §35", (net,))
        rest = self.leaf(EQUITY_PRICE, "R8 §24–37", f"{EQUITY_PRICE}_unhedged")
        title = self.prefix + EQUITY_PRICE
        return WeightedSum(title, label(title), "R8 §24–37", (hedged, rest), weights=(1.0, 1.0))

    def overseas(self, name: str, article: str) -> Node:
        """Developed and emerging markets with their correlation (R8 §47, §53)."""
        figure = f"{name}.correlation"
        markets = self.pack.matrix(figure).order
        parts = {market: self.leaf(market, article, shown=self.held(market)) for market in markets}
        return self.aggregate(name, figure, parts)

    def currency(self) -> Node:
        """Σ |net position of each currency| × RF0 and the forwards that hedge nothing (R8 §55–59)."""
        parts: list[Node] = []
        for module in self.rows.names(CURRENCY):
            code = module.removeprefix(CURRENCY)
            if not self.held(module):
                continue
            net = self.leaf(module, "R8 §56", f"currency_net_{code}", shown=False)
            title = f"{self.prefix}currency_{code}"
            parts.append(Absolute(title, label(title), "R8 §57", (net,)))
        if CURRENCY_UNHEDGED in self.rows.names():
            parts.append(self.leaf(CURRENCY_UNHEDGED, "R8 §58"))
        title = self.prefix + "currency"
        return WeightedSum(title, label(title), "R8 §55–59", tuple(parts), weights=(1.0,) * len(parts))

    def credit(self) -> Aggregate:
        """Credit risk of spread and counterparty default (R9 §43)."""
        parts = {
            "spread": self.leaf("spread", "R9 §11–17"),
            "counterparty_default": self.leaf("counterparty_default", "R9 §18–39"),
        }
        return self.aggregate("credit_risk", "credit.correlation", parts)


def build_tree(company: ModuleRows, pool: ModuleRows, given: GivenCapital, pack: RulePack) -> CapitalTree:
    """Return the capital tree.

    Parameters
    ----------
    company, pool : ModuleRows
        Modules of the company, and of the participating and universal accounts alone.
    given : GivenCapital
        What the company gives.
    pack : RulePack
        The rules in force.
    """
    leaves = _Leaves(company.size)
    modules = _Modules(company, leaves, pack)
    market, credit = modules.market(), modules.credit()
    life = _life(given, leaves, pack)
    nonlife = leaves.constant("nonlife_insurance_risk", "R4", given.nonlife, "capital.nonlife_insurance_risk")
    by_name = {"life_insurance": life, "nonlife_insurance": nonlife, "market": market, "credit": credit}
    before = modules.aggregate("quantifiable_before_absorption", "quantifiable.correlation.life", by_name)
    absorbed, uncapped = _absorption(pool, given, leaves, pack)
    factor = given.size_factor
    quantifiable = WeightedSum(
        "quantifiable_risk_capital",
        label("quantifiable_risk_capital"),
        "R2 §15",
        (before, absorbed),
        weights=(factor, -factor),
    )
    # Q acts on the size-factored amount, or before the size factor under the other reading.
    earlier = pack.reading("control_risk_before_size_factor")
    control = given.control_factor / factor if earlier else given.control_factor
    additional = leaves.constant("additional_capital", "R2 §21", given.additional, "capital.additional_capital")
    root = WeightedSum(
        "minimum_capital",
        label("minimum_capital"),
        "R2 §15",
        (quantifiable, additional),
        weights=(1.0 + control, 1.0),
    )
    lines = [_diversification(node) for node in (life, market, credit, before) if isinstance(node, Aggregate)]
    lines += uncapped
    title = label("control_risk")
    lines.append(
        Memorandum(WeightedSum("control_risk", title, "R12 §120", (quantifiable,), weights=(control,)), root.name)
    )
    matrix = sparse.csr_array(sparse.vstack(leaves.rows, format="csr"))
    return CapitalTree(root, matrix, np.array(leaves.constants), tuple(lines))


def _life(given: GivenCapital, leaves: _Leaves, pack: RulePack) -> Node:
    """Life insurance risk as given, or from its parts (R5 §24–25)."""
    name = "life_insurance_risk"
    if not isinstance(given.life, Mapping):
        return leaves.constant(name, "R5", given.life, "capital.life_insurance_risk")
    matrix = pack.matrix("life.correlation")
    parts = tuple(
        leaves.constant(f"life_{one}", "R5 §24", given.life[one], f"capital.life_insurance_risk.{one}")
        for one in matrix.order
    )
    return Aggregate(name, label(name), pack.article("life.correlation"), parts, correlations=(matrix.values,))


def _absorption(
    pool: ModuleRows, given: GivenCapital, leaves: _Leaves, pack: RulePack
) -> tuple[Node, list[Memorandum]]:
    """Loss absorption of participating and universal business (R2 §19), with its amount before the cap."""
    name, article = "loss_absorption", pack.article("loss_absorption.largest_ratio")
    if given.absorption is not None:
        return leaves.constant(name, article, given.absorption, "capital.loss_absorption"), []
    if given.absorption_cap == 0.0:
        return leaves.constant(name, article, 0.0), []
    modules = _Modules(pool, leaves, pack, POOL)
    parts = {"market": modules.market(), "credit": modules.credit()}
    total = modules.aggregate("market_and_credit_risk", "loss_absorption.correlation", parts)
    cap = leaves.constant("loss_absorption_cap", article, given.absorption_cap, "capital.loss_absorption_cap")
    scale = 1.0 + pack.value("loss_absorption.k")
    steep = WeightedSum(
        "loss_absorption_by_ratio",
        label("loss_absorption_by_ratio"),
        article,
        (total,),
        shown=False,
        weights=(scale * pack.value("loss_absorption.largest_ratio"),),
    )
    flat = WeightedSum(
        "loss_absorption_by_cap",
        label("loss_absorption_by_cap"),
        article,
        (total, cap),
        shown=False,
        weights=(scale * pack.value("loss_absorption.floor"), scale * pack.value("loss_absorption.cap_weight")),
    )
    absorbed = Minimum(name, label(name), article, (steep, flat, cap))
    before_cap = Minimum("loss_absorption_uncapped", label("loss_absorption_uncapped"), article, (steep, flat))
    lines = [Memorandum(before_cap, name), _diversification(parts["market"]), _diversification(parts["credit"])]
    return absorbed, lines


_DIVERSIFICATION = {
    "life_insurance_risk": "life_diversification",
    "market_risk": "market_diversification",
    "credit_risk": "credit_diversification",
    "quantifiable_before_absorption": "diversification",
}


def _diversification(node: Aggregate) -> Memorandum:
    """Return the line Σ children − aggregate below an aggregate."""
    plain = node.name.removeprefix(POOL)
    name = node.name[: len(node.name) - len(plain)] + _DIVERSIFICATION[plain]
    weights = (1.0,) * len(node.children) + (-1.0,)
    line = WeightedSum(name, label(name), node.article, (*node.children, node), weights=weights)
    return Memorandum(line, node.name)
