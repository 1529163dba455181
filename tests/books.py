"""Random books for the optimizer's tests: a life insurer's accounts under a tree with C-ROSS II's shape.

A book has 12 to 40 asset rows over one or two accounts (traditional; participating, whose modules also feed
the loss-absorption pool), drawn from a catalogue of 20 types (`CATALOGUE`: duration, charge, module, centre
of the expected return). The charges and the correlations are those of the published rules in round figures;
the liabilities are one cash-flow duration per account.

- ``matched`` books (55%): the liabilities' duration lies up to 0.4 years of the account short of the assets',
  and bonds may only move by 5–20% of what is held, as where most are held to maturity. The rate module is
  small beside equity; its correlations with equity, property and overseas equity are negative, so the
  aggregate falls in it near the optimum: the naive cone's hole.
- ``short`` books (15%): liabilities of 2–6 years, rising rates bind.
- ``long`` books (30%): liabilities of 10–16 years, falling rates bind.
- actual capital is 1.5 to 3 times the current book's minimum capital; the required ratio is the current one
  times a factor in [0.95, 1.35] (loose to tight), and at most 0.97 of the best ratio that a hundred random
  books inside the bounds reach, so that something compliant exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.capital import (
    Absolute,
    Aggregate,
    CapitalTree,
    Leaf,
    Maximum,
    Minimum,
    Node,
    WeightedSum,
    correlation_matrix,
)
from allocator.model import Linear, ObjectiveTerm, Sense, Space, Term, TradeCost
from allocator.model.model import CapitalLimit, Model
from allocator.types import Source, Text

__all__ = ["MARKET", "QUANT", "Book", "Shape", "book", "budgets", "build_model", "label"]

Vector = NDArray[np.float64]
MARKET_ORDER = ("rate", "equity", "property", "overseas_fi", "overseas_eq", "currency")
MARKET = correlation_matrix(
    MARKET_ORDER,
    {
        ("rate", "equity"): -0.14,
        ("rate", "property"): -0.18,
        ("rate", "overseas_eq"): -0.16,
        ("rate", "currency"): 0.07,
        ("equity", "property"): 0.22,
        ("equity", "overseas_fi"): 0.06,
        ("equity", "overseas_eq"): 0.50,
        ("equity", "currency"): 0.04,
        ("property", "overseas_fi"): 0.18,
        ("property", "overseas_eq"): 0.19,
        ("property", "currency"): -0.14,
        ("overseas_fi", "overseas_eq"): 0.04,
        ("overseas_fi", "currency"): -0.01,
        ("overseas_eq", "currency"): -0.19,
    },
)
QUANT = correlation_matrix(
    ("life", "market", "credit"), {("life", "market"): 0.3, ("life", "credit"): 0.15, ("market", "credit"): 0.35}
)
CREDIT = correlation_matrix(("spread", "default"), {("spread", "default"): 0.25})
POOL = correlation_matrix(("market", "credit"), {("market", "credit"): 0.35})
OVERSEAS_FI = correlation_matrix(("developed", "emerging"), {("developed", "emerging"): 0.1365})
OVERSEAS_EQ = correlation_matrix(("developed", "emerging"), {("developed", "emerging"): 0.375})
UP, DOWN = 0.017, 0.0095  # a shift of the curve of about the rules' size at ten years

LEAVES = (
    "equity",
    "property",
    "ofi_developed",
    "ofi_emerging",
    "oeq_developed",
    "oeq_emerging",
    "usd",
    "other",
    "spread",
    "default",
)


@dataclass(frozen=True)
class Kind:
    """A type of asset: module charges per CNY, duration in years, centre of the expected return."""

    name: str
    expected: float
    duration: float = 0.0
    charges: tuple[tuple[str, float], ...] = ()


CATALOGUE = (
    Kind("cash", 0.012),
    Kind("deposit", 0.021, 2.0, (("default", 0.005),)),
    Kind("deposit_joint", 0.024, 2.5, (("default", 0.03),)),
    Kind("government_5", 0.018, 4.6),
    Kind("government_10", 0.020, 8.7),
    Kind("government_30", 0.024, 20.0),
    Kind("policy_bank_10", 0.021, 8.5, (("spread", 0.0335),)),
    Kind("corporate_aaa_5", 0.023, 4.5, (("spread", 0.066),)),
    Kind("corporate_aaa_10", 0.026, 8.2, (("spread", 0.123),)),
    Kind("corporate_aa", 0.030, 4.2, (("spread", 0.121),)),
    Kind("debt_plan", 0.036, 4.0, (("default", 0.06),)),
    Kind("stock", 0.075, 0.0, (("equity", 0.35),)),
    Kind("stock_star", 0.090, 0.0, (("equity", 0.45),)),
    Kind("dividend_stock", 0.062, 0.0, (("equity", 0.30),)),
    Kind("bond_fund", 0.030, 0.0, (("equity", 0.06),)),
    Kind("unlisted", 0.085, 0.0, (("equity", 0.41),)),
    Kind("property", 0.050, 0.0, (("property", 0.15),)),
    Kind("hong_kong", 0.080, 0.0, (("oeq_developed", 0.39), ("usd", 1.0))),
    Kind("emerging_stock", 0.088, 0.0, (("oeq_emerging", 0.4875), ("other", 1.0))),
    Kind("overseas_bond", 0.042, 0.0, (("ofi_developed", 0.08), ("usd", 1.0))),
)


class Shape(StrEnum):
    """How the liabilities lie to the assets; see the module's head."""

    MATCHED = "matched"
    SHORT = "short"
    LONG = "long"


@dataclass(frozen=True, eq=False)
class Book:
    """A model and the ratio it must hold."""

    model: Model
    required: float
    accounts: int
    shape: Shape


def label(text: str) -> Text:
    """Return a label that reads the same in both languages."""
    return Text(text, text)


def budgets(space: Space) -> tuple[Term, ...]:
    """Return one equality per account: what it holds stays what it held."""
    terms = []
    for account, rows in space.accounts().items():
        row = np.zeros(space.size)
        row[rows] = 1.0
        total = float(space.current[rows].sum())
        terms.append(
            Term(
                f"budget[{account}]",
                label(account),
                Linear.of(row),
                Sense.EQUAL,
                np.array([total]),
                np.array([space.total]),
                "share",
                Source("user"),
            )
        )
    return tuple(terms)


def build_model(
    space: Space,
    expected: Vector,
    tree: CapitalTree | None,
    limits: tuple[CapitalLimit, ...] = (),
    terms: tuple[Term, ...] = (),
) -> Model:
    """Return a model that maximizes the expected return under budgets, terms and limits."""
    zero = np.zeros(space.size)
    return Model(
        space,
        (ObjectiveTerm("expected_return", label("return"), Linear.of(expected / space.total)),),
        (*budgets(space), *terms),
        TradeCost(zero, zero, zero, space.current),
        tree,
        limits,
    )


class _Leaves:
    """Collects rows of the tree's matrix."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.rows: list[Vector] = []
        self.constants: list[float] = []

    def leaf(self, name: str, row: Vector | None = None, constant: float = 0.0) -> Leaf:
        self.rows.append(np.zeros(self._size) if row is None else row)
        self.constants.append(constant)
        return Leaf(name, label(name), row=len(self.rows) - 1)

    def tree(self, root: Node) -> CapitalTree:
        return CapitalTree(root, sparse.csr_array(np.array(self.rows)), np.array(self.constants))


def _market(
    leaves: _Leaves, prefix: str, charges: dict[str, Vector], rate: Vector, liability: float, fx: float
) -> Aggregate:
    """Market risk of the rows that ``charges`` and ``rate`` cover; ``liability`` is amount × duration."""

    def leaf(name: str) -> Leaf:
        return leaves.leaf(prefix + name, charges[name])

    up = leaves.leaf(prefix + "rate_up", UP * rate, -UP * liability)
    down = leaves.leaf(prefix + "rate_down", -DOWN * rate, DOWN * liability)
    zero = leaves.leaf(prefix + "rate_zero")
    rate_risk = Maximum(prefix + "rate", label("rate"), children=(up, down, zero))
    fi = Aggregate(
        prefix + "overseas_fi",
        label("ofi"),
        children=(leaf("ofi_developed"), leaf("ofi_emerging")),
        correlations=(OVERSEAS_FI,),
    )
    eq = Aggregate(
        prefix + "overseas_eq",
        label("oeq"),
        children=(leaf("oeq_developed"), leaf("oeq_emerging")),
        correlations=(OVERSEAS_EQ,),
    )
    positions = [
        Absolute(
            prefix + f"fx_{name}", label(name), children=(leaves.leaf(prefix + f"open_{name}", charges[name], -held),)
        )
        for name, held in (("usd", fx), ("other", 0.3 * fx))
    ]
    currency = WeightedSum(prefix + "currency", label("fx"), children=tuple(positions), weights=(0.05, 0.15))
    return Aggregate(
        prefix + "market",
        label("market"),
        children=(rate_risk, leaf("equity"), leaf("property"), fi, eq, currency),
        correlations=(MARKET,),
    )


def _credit(leaves: _Leaves, prefix: str, charges: dict[str, Vector]) -> Aggregate:
    return Aggregate(
        prefix + "credit",
        label("credit"),
        children=(
            leaves.leaf(prefix + "spread", charges["spread"]),
            leaves.leaf(prefix + "default", charges["default"]),
        ),
        correlations=(CREDIT,),
    )


def _tree(
    kinds: list[Kind],
    account: NDArray[np.str_],
    liability: dict[str, float],
    life: float,
    cap: float,
    fx: float,
    factor: float,
) -> CapitalTree:
    size = len(kinds)
    rate = np.array([kind.duration for kind in kinds])
    charges = {name: np.array([dict(kind.charges).get(name, 0.0) for kind in kinds]) for name in LEAVES}
    leaves = _Leaves(size)
    company = Aggregate(
        "quantifiable",
        label("quantifiable"),
        children=(
            leaves.leaf("life", constant=life),
            _market(leaves, "", charges, rate, sum(liability.values()), fx),
            _credit(leaves, "", charges),
        ),
        correlations=(QUANT,),
    )
    net: Node = company
    if cap > 0:
        mask = (account == "participating").astype(float)
        inside = {name: row * mask for name, row in charges.items()}
        pool = Aggregate(
            "pool",
            label("pool"),
            children=(
                _market(leaves, "pool_", inside, rate * mask, liability["participating"], 0.4 * fx),
                _credit(leaves, "pool_", inside),
            ),
            correlations=(POOL,),
        )
        limit = leaves.leaf("absorption_cap", constant=cap)
        steep = WeightedSum("absorption_steep", label("steep"), children=(pool,), weights=(0.5,))
        flat = WeightedSum("absorption_flat", label("flat"), children=(limit, pool), weights=(0.22, 0.02))
        absorption = Minimum("absorption", label("LA"), children=(steep, flat, limit))
        net = WeightedSum("net", label("net"), children=(company, absorption), weights=(1.0, -1.0))
    return leaves.tree(WeightedSum("minimum_capital", label("MC"), children=(net,), weights=(factor,)))


def book(seed: int, accounts: int | None = None, shape: Shape | None = None) -> Book:
    """Return the random book of that seed; see the module's head."""
    random = np.random.default_rng(seed)
    accounts = accounts or int(random.integers(1, 3))
    shape = shape or Shape(str(random.choice(list(Shape), p=[0.55, 0.15, 0.3])))
    kinds, account = _draw_kinds(random, accounts)
    size = len(kinds)
    expected = np.array([kind.expected for kind in kinds]) + random.normal(0.0, 0.003, size)
    total = 10 ** random.uniform(9, 12)
    share = {"traditional": 1.0} if accounts == 1 else {"traditional": 0.55, "participating": 0.45}
    free = np.array([total * share[name] for name in account])
    current = _draw_holdings(random, account, np.zeros(size), free, share, total)
    lower, upper = np.zeros(size), np.minimum(free, np.maximum(current, total * random.uniform(0.15, 0.4, size)))
    years = np.array([kind.duration for kind in kinds])
    if shape is Shape.MATCHED:
        give = random.uniform(0.05, 0.2)
        lower, upper = (
            np.where(years > 0, (1 - give) * current, lower),
            np.where(years > 0, (1 + give) * current, upper),
        )
    tree = _tree(
        kinds,
        account,
        {name: _liability(random, shape, share[name] * total, (years * current)[account == name]) for name in share},
        life=total * random.uniform(0.01, 0.03),
        cap=total * random.uniform(0.01, 0.06) if accounts == 2 else 0.0,
        fx=total * random.uniform(0.0, 0.03),
        factor=random.uniform(0.9, 1.0),
    )
    capital = tree.value(current) * random.uniform(1.5, 3.0)
    others = [_draw_holdings(random, account, lower, upper, share, total) for _ in range(100)]
    best = capital / min(tree.value(other) for other in [current, *others])
    required = min(capital / tree.value(current) * random.uniform(0.95, 1.35), 0.97 * best)
    names = np.array([f"{kind.name}_{i}" for i, kind in enumerate(kinds)])
    funded = np.ones(size, dtype=bool)
    space = Space(names, account, current, lower, upper, funded, np.zeros(size), total)
    limit = CapitalLimit("comprehensive", label("comprehensive"), "minimum_capital", required, capital)
    return Book(build_model(space, expected, tree, (limit,)), required, accounts, shape)


def _draw_kinds(random: np.random.Generator, accounts: int) -> tuple[list[Kind], NDArray[np.str_]]:
    """Draw 12 to 40 rows from the catalogue, the same types in every account."""
    count = int(random.integers(12, 41)) // accounts
    order = random.permutation(max(count, len(CATALOGUE)))
    kinds = [CATALOGUE[i % len(CATALOGUE)] for i in order[:count]]
    names = np.repeat(["traditional", "participating"][:accounts], count)
    return kinds * accounts, names


def _draw_holdings(
    random: np.random.Generator,
    account: NDArray[np.str_],
    lower: Vector,
    upper: Vector,
    share: dict[str, float],
    total: float,
) -> Vector:
    """Draw amounts inside the bounds that meet every account's budget."""
    amounts = random.gamma(0.7, size=len(account)) + 1e-3
    for name, part in share.items():
        rows = account == name
        low, high = lower[rows], upper[rows]
        # Fill the room above the lower bounds in proportion to the draw, as far as the upper ones let it.
        room, filled = part * total - low.sum(), np.zeros(rows.sum())
        for _ in range(50):
            open_ = filled < high - low
            missing = room - filled.sum()
            if missing <= 0 or not open_.any():
                break
            step = np.where(open_, amounts[rows], 0.0)
            filled = np.minimum(filled + missing * step / step.sum(), high - low)
        amounts[rows] = low + filled
    return amounts


def _liability(random: np.random.Generator, shape: Shape, total: float, held: Vector) -> float:
    """Draw amount × duration of an account's liabilities."""
    if shape is Shape.MATCHED:
        return float(held.sum()) - total * random.uniform(0.0, 0.4)
    years = random.uniform(2, 6) if shape is Shape.SHORT else random.uniform(10, 16)
    return 0.85 * total * years * random.uniform(0.8, 1.2)
