"""Falls and rises of value: equity by market and board, property, currencies, defaults, anything by its kind."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from allocator.plugin import Number, Problems, Section, Text, did_you_mean
from allocator.plugin.stress import Shocked, ShockSpec
from allocator.plugin.tables import Column, Measure, Table, flags
from allocator_shocks.options import ByName, Change
from allocator_shocks.rates import AT_COST, CREDIT

__all__ = ["PRICE_SHOCKS", "TABLES"]


UNLISTED = ("unlisted_equity", "associate", "equity_plan", "debt_to_equity_plan")
PRIVATE_FUNDS = ("pe_fund", "venture_fund")
FUNDS = ("equity_fund", "mixed_fund")
ABROAD = ("overseas_stock", "overseas_fund", "overseas_unlisted")
PROPERTY = {"property": "domestic", "property_product": "domestic", "reit": "reit", "overseas_property": "overseas"}
EQUITY_NAMES = ("main", "star", "chinext", "fund", "unlisted", "private_fund", "developed", "emerging", "index_future")

TABLES = (
    Table(
        "assets",
        (
            Column(
                "in_default",
                Measure.FLAG,
                Text("In default, or expected to be", "是否已违约或预期违约"),
                ("违约", "是否违约", "预期违约"),
            ),
        ),
        open=True,
    ),
)
"""What the plugin's hook ``allocator_tables`` returns."""


class Loss(Section):
    """``default_loss``: what fixed income that carries credit risk loses.

    ``all`` is the share of admitted value lost. ``marked`` spares every row that the column in_default does not mark;
    ``kinds`` names other kinds than the usual: credit bonds, securitisations, debt plans, trusts, deposits.
    """

    all: Annotated[Number, Field(ge=0, le=1)]
    marked: bool = False
    kinds: tuple[str, ...] = (*CREDIT, *(kind for kind in AT_COST if kind != "policy_loan"))


class Revalue(Section):
    """``value``: everything of the ``kinds`` named changes by the share ``all``."""

    kinds: Annotated[tuple[str, ...], Field(min_length=1)]
    all: Change


def _known(options: ByName, names: tuple[str, ...], shock: str, problems: Problems) -> None:
    for name in options.named:
        if name not in names:
            what = Text("this shock has no such part", "该冲击没有此项")
            problems.add(what, shock, name, ", ".join(("all", *names)), did_you_mean(name, names))


def _equity_names(shocked: Shocked) -> NDArray[np.object_]:
    """Return which part of the equity shock each row belongs to (n,); empty for none."""
    found = np.full(shocked.size, "", dtype=object)
    stock, abroad = shocked.kinds("listed_stock"), shocked.kinds(*ABROAD)
    board, market = shocked.text("board"), shocked.text("market")
    found[stock] = np.where(board[stock] == "", "main", board[stock])
    for kinds, name in ((FUNDS, "fund"), (UNLISTED, "unlisted"), (PRIVATE_FUNDS, "private_fund")):
        found[shocked.kinds(*kinds)] = name
    found[abroad] = market[abroad]
    foreign = np.isin(market, ("developed", "emerging")) & (found != "")
    found[foreign] = market[foreign]
    found[shocked.kinds("index_future")] = "index_future"
    return found


def move_equity(shocked: Shocked, options: ByName, problems: Problems) -> Shocked:
    """Move equity by board and market; money-market and bond funds and hybrids are left out."""
    _known(options, EQUITY_NAMES, "equity", problems)
    names = _equity_names(shocked)
    changes = np.array([options.of(name) if name else 0.0 for name in names])
    return shocked.valued(1.0 + changes).noting(*_products(shocked))


def _products(shocked: Shocked) -> tuple[Text, ...]:
    """Products are moved by their own kind alone, whatever lies under them."""
    if not shocked.kinds("am_product", "wealth_product", "trust_plan").any():
        return ()
    return (
        Text(
            "equity under asset-management products and trusts is not moved: name them in the shock value",
            "资管产品与信托底层的权益资产未受冲击：如需计入，请在 value 冲击中列出",
        ),
    )


def move_property(shocked: Shocked, options: ByName, problems: Problems) -> Shocked:
    """Move property: ``domestic``, ``reit``, ``overseas``."""
    _known(options, tuple(dict.fromkeys(PROPERTY.values())), "property", problems)
    parts = [PROPERTY.get(kind, "") for kind in shocked.text("kind")]
    return shocked.valued(1.0 + np.array([options.of(part) if part else 0.0 for part in parts]))


def move_currency(shocked: Shocked, options: ByName, problems: Problems) -> Shocked:
    """Move the CNY value of foreign currencies, by their code; forwards gain on their notional."""
    codes = shocked.text("currency")
    changes = np.array([options.of(code) if code not in ("", "CNY") else 0.0 for code in codes])
    for code in options.named:
        if code not in codes:
            what = Text("nothing is held in this currency", "没有持有该币种资产")
            problems.add(what, "currency", code, ", ".join(sorted({c for c in codes if c})) or None)
    return shocked.valued(1.0 + changes).noting(
        Text("liabilities in foreign currency keep their CNY amount", "外币负债的人民币金额保持不变")
    )


def lose(shocked: Shocked, options: Loss, problems: Problems) -> Shocked:
    """Take a share of what defaults."""
    rows = shocked.kinds(*options.kinds)
    if options.marked:
        rows = rows & flags(shocked.inputs.assets, "in_default")
        if not rows.any():
            return shocked.noting(
                Text("no row is marked as in default: nothing is lost", "没有标记为违约的资产：无违约损失")
            )
    return shocked.valued(np.where(rows, 1.0 - options.all, 1.0))


def move_value(shocked: Shocked, options: Revalue, problems: Problems) -> Shocked:
    """Move everything of some kinds."""
    for kind in options.kinds:
        if kind not in shocked.inputs.kinds:
            known = shocked.inputs.kinds
            what = Text("no such kind of asset", "没有该资产类别")
            problems.add(what, "value.kinds", kind, None, did_you_mean(kind, known))
    return shocked.valued(np.where(shocked.kinds(*options.kinds), 1.0 + options.all, 1.0)).noting(*_products(shocked))


PRICE_SHOCKS = (
    ShockSpec("equity", Text("Equity prices", "权益价格"), ByName, move_equity, {"equity": -1.0}),
    ShockSpec("property", Text("Property prices", "房地产价格"), ByName, move_property, {"property": -1.0}),
    ShockSpec("currency", Text("Foreign currencies", "外币汇率"), ByName, move_currency, {"currency": -1.0}),
    ShockSpec("default_loss", Text("Losses by default", "违约损失"), Loss, lose, {"default_loss": 1.0}),
    ShockSpec("value", Text("Value of the kinds named", "指定类别资产价值"), Revalue, move_value),
)
