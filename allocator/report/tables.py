"""The tables of a result, each built once: every file, page and screen shows these and nothing else.

Money stands in currency units, rates in decimals; writers turn money into the unit they show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.capital.tree import CapitalTree
from allocator.inputs.fund import Inputs
from allocator.jurisdiction import Jurisdiction
from allocator.model.constraints import BINDING_TOLERANCE, term_rows
from allocator.model.model import CapitalLimit
from allocator.model.terms import Mode, Sense, Term
from allocator.model.units import money_unit, unit_names
from allocator.report.formats import is_missing
from allocator.report.matching import matching_tables
from allocator.report.words import (
    BOUNDS,
    CERTAINTY,
    HEADINGS,
    MODES,
    SENSES,
    SOURCES,
    TILT_MODES,
    UNIT_NAMES,
)
from allocator.result.result import Result
from allocator.result.tables import ReportTable
from allocator.types import LocalizedPhrase, Source, Text

__all__ = [
    "BINDING_TOLERANCE",
    "CHARGE_COLUMNS",
    "account_labels",
    "allocation_table",
    "by_trade",
    "capital_limit_source",
    "capital_table",
    "charges_table",
    "kind_labels",
    "RULE_LABELS",
    "result_tables",
    "row_name",
    "rules_table",
    "source_labels",
    "term_labels",
    "tilts_table",
]


CHARGE_COLUMNS = ("asset_id", "account", "module", "exposure", "factor", "charge", "article", "derivation")
"""Columns of the charges that every regime gives; the page shows these, the workbook also a regime's own."""

COMMITMENT_COLUMNS = ("asset_id", "account", "current", "target")


def result_tables(result: Result, tilts: Mapping[str, Text] | None = None) -> dict[str, ReportTable]:
    """Return the tables of a result by name; those that need a regime or liabilities are left out without.

    ``tilts`` holds the label of each tilt.
    """
    tables = [allocation_table(result), rules_table(result), tilts_table(result, tilts or {})]
    if result.after is not None and result.before is not None:
        tables.insert(
            1, capital_table(result.after.tree, result.after.holdings, result.before.holdings, result.before.tree)
        )
    if result.regime is not None:
        tables.append(charges_table(result))
    tables += matching_tables(result)
    return {table.name: table for table in tables}


def allocation_table(result: Result) -> ReportTable:
    """Return one line per row of the assets table: what is held, bought and sold, and what it costs in capital."""
    space, assets, target = result.model.space, result.inputs.assets, result.holdings
    frame = pd.DataFrame({"asset_id": space.asset_id, "account": space.account})
    for column in ("name", "kind"):
        if column in assets:
            frame[column] = assets[column].to_numpy()
    if "name" in frame:
        frame["name"] = frame["name"].where(frame["name"].notna(), frame["asset_id"])
    frame["current"], frame["target"], frame["trade"] = space.current, target, result.traded
    frame["weight_before"], frame["weight"] = space.current_weights, result.shares
    frame["expected_return"] = result.expected_return
    if result.after is not None:
        attribution = result.after.tree.attribute(target)
        frame["capital_marginal"], freed = result.after.marginals
        frame["capital_contribution"], frame["capital_freed"] = attribution.contribution, freed
    frame["reduced_cost"] = result.solution.reduced_costs
    if result.scores:
        frame["tilt_score"] = np.max(np.vstack(list(result.scores.values())), axis=0)
        for name, score in result.scores.items():
            frame[f"tilt_score_{name}"] = score
    frame["min"], frame["max"] = (np.where(np.isfinite(bound), bound, np.nan) for bound in (space.lower, space.upper))
    frame["at_bound"] = _at_bound(target, space.lower, space.upper)
    formats = dict.fromkeys(("current", "target", "trade", "capital_contribution", "min", "max"), "money")
    formats |= dict.fromkeys(("weight_before", "weight", "expected_return"), "percent")
    formats |= dict.fromkeys(("capital_marginal", "capital_freed"), "percent")
    formats |= {"reduced_cost": "money" if result.objective_in_money else "basis_points"}
    formats |= {column: "percent" for column in frame.columns if column.startswith("tilt_score")}
    headings = dict(HEADINGS) | {
        f"tilt_score_{name}": Text(f"Score: {name}", f"评分：{name}") for name in result.scores
    }
    labels = {
        "account": account_labels(frame["account"], result.inputs.jurisdiction),
        "kind": kind_labels(result.inputs),
        "at_bound": BOUNDS,
    }
    title = Text("Allocation", "资产配置")
    summed = ("current", "target", "trade", "weight_before", "weight", "capital_contribution")
    return ReportTable("allocation", title, frame, headings, formats, labels=labels, summed=summed)


def row_name(line: Mapping[Any, Any]) -> str:
    """Return the name of a row of the allocation, its id where it has none."""
    name = line.get("name")
    return str(line["asset_id"] if is_missing(name) or name == "" else name)


def by_trade(allocation: pd.DataFrame) -> NDArray[np.int64]:
    """Return the order that puts the largest trades first, then the largest holdings, then rows by their names."""
    trade, target = (allocation[name].abs().to_numpy() for name in ("trade", "target"))
    largest = max(allocation["current"].abs().max(), target.max(initial=0.0), trade.max(initial=0.0))
    noise = 1e-9 * largest if largest > 0.0 else 1.0
    names = [np.unique(allocation[name].astype(str), return_inverse=True)[1] for name in ("account", "asset_id")]
    return np.lexsort((*names, -np.round(target / noise), -np.round(trade / noise)))


def _at_bound(target: Vector, lower: Vector, upper: Vector) -> NDArray[np.object_]:
    """Say which bound a row lies at; a row held at zero because it may not be short is not worth a word."""
    room = BINDING_TOLERANCE * np.maximum(1.0, np.abs(target))
    at_max = (upper - target <= room) & np.isfinite(upper)
    at_min = (target - lower <= room) & (lower != 0.0)
    return np.where(at_max, "max", np.where(at_min, "min", "")).astype(object)


def account_labels(accounts: pd.Series[Any], jurisdiction: Jurisdiction) -> Mapping[str, Text]:
    """Return the label of each account named; a name of the user's own stays as it is."""
    known = jurisdiction.account_labels
    return {name: known.get(name) or Text(str(name), str(name)) for name in accounts.unique() if name}


def kind_labels(inputs: Inputs) -> Mapping[str, Text]:
    """Return the label of each kind of asset."""
    return {name: kind.label for name, kind in inputs.kinds.items()}


def capital_table(
    tree: CapitalTree, holdings: Vector, before: Vector | None = None, tree_before: CapitalTree | None = None
) -> ReportTable:
    """Return the risk modules as a solvency report prints them.

    Parameters
    ----------
    tree, holdings
        The tree with its charges taken at ``holdings`` (n,): the column ``amount``.
    before, tree_before
        The same at the current holdings: the columns ``before`` and ``change``. None leaves them out.
    """
    frame = tree.table(holdings)
    formats = {"amount": "money", "before": "money", "change": "money"}
    headings = dict(HEADINGS)
    if before is not None and tree_before is not None:
        former = tree_before.table(before).set_index("module")["amount"]
        frame["before"] = former.reindex(frame["module"]).to_numpy()
        frame["change"] = frame["amount"] - frame["before"]
    else:
        headings["amount"] = Text("Amount", "金额")
    labels = tree.labels
    depth: dict[str, int] = {}
    for module, parent in zip(frame["module"], frame["parent"], strict=True):
        depth[module] = depth.get(parent, -1) + 1
    title = Text("Minimum capital", "最低资本表")
    return ReportTable(
        "capital", title, frame, headings, formats, labels={"module": labels, "parent": labels}, indent=depth
    )


def charges_table(result: Result) -> ReportTable:
    """Return how each row is charged, with its derivation and article."""
    assert result.regime is not None
    frame = result.regime.charges(result.holdings).reset_index(drop=True)
    labels: dict[str, Mapping[str, Text]] = {"account": account_labels(frame["account"], result.inputs.jurisdiction)}
    if result.after is not None:
        labels["module"] = result.after.tree.labels
    if "kind" in frame:
        labels["kind"] = kind_labels(result.inputs)
    if "derivation" in frame:
        said = (value for value in frame["derivation"] if isinstance(value, LocalizedPhrase))
        labels["derivation"] = {str(value): Text(value, value.zh) for value in said}
    formats = {"exposure": "money", "charge": "money", "factor": "percent"}
    formats |= {str(name): "flag" for name in frame if _is_flag(frame[name])}
    title = Text("Charges", "逐项计量")
    note = Text("Each line before diversification, at the target holdings.", "各行为分散效应前金额，按调整后持仓计量。")
    return ReportTable("charges", title, frame, HEADINGS, formats, note, labels)


def _is_flag(column: pd.Series[Any]) -> bool:
    """Return whether a column holds yes and no, and nothing else but gaps."""
    if not (pd.api.types.is_bool_dtype(column) or pd.api.types.is_object_dtype(column)):
        return False
    kinds = set(map(type, column.dropna()))
    return bool(kinds) and kinds <= {bool, np.bool_}


def rules_table(result: Result) -> ReportTable:
    """Return every rule at the target holdings, limits on capital included, with its price.

    The shadow price is what the objective gains per unit shown by which the limit is relaxed (annual
    decimal, or money where the objective is money). A ratio r of capital K to minimum capital M is relaxed
    by dr where M·dr more capital would do the same, so its price is M times the price of one unit of money.
    """
    rows: list[dict[str, Any]] = []
    labels: dict[str, Text] = {}
    prices, money = result.solution.shadow_prices, money_unit(result.inputs.unit, result.inputs.jurisdiction.currency)
    for limit in result.model.capital_limits:
        rows.append(_capital_row(result, limit))
        labels[limit.name] = result.inputs.jurisdiction.ratio_labels.get(limit.name) or limit.label
    for term in result.model.terms:
        rows += term_rows(term, result.holdings, prices.get(term.name))
        labels |= term_labels(term, result.inputs.jurisdiction.account_labels)
    frame = pd.DataFrame(rows, columns=list(RULE_COLUMNS))
    return ReportTable(
        "constraints",
        Text("Rules", "约束与限额"),
        frame,
        HEADINGS | {"name": HEADINGS["rule"]},
        {"lhs": "by_unit", "rhs": "by_unit", "slack": "by_unit", "shadow_price": "number", "binding": "flag"},
        labels=RULE_LABELS
        | {
            "name": labels,
            "source": source_labels(result.model.terms),
            "unit": unit_names(money),
        },
    )


def source_labels(terms: Iterable[Term]) -> Mapping[str, Text]:
    """Return what a reader sees for the sources of rules."""
    return {str(term.source): term.source.text for term in terms} | dict(SOURCES)


RULE_LABELS: dict[str, Mapping[str, Text]] = {
    "mode": MODES,
    "certainty": CERTAINTY,
    "sense": SENSES,
    "unit": UNIT_NAMES,
}

RULE_COLUMNS = (
    "name",
    "source",
    "unit",
    "lhs",
    "sense",
    "rhs",
    "slack",
    "shadow_price",
    "binding",
    "mode",
    "certainty",
)


def term_labels(term: Term, accounts: Mapping[str, Text]) -> dict[str, Text]:
    """Return what a reader sees for each row of a term; ``accounts``: what accounts are called."""
    if not term.rows:
        return {term.name: _with_accounts(term.label, accounts)}
    return {
        name: Text(f"{term.label.en}: {row}", f"{term.label.zh}：{_account(row, accounts)['zh']}")
        for name, row in zip(term.row_names(), term.rows, strict=True)
    }


def _with_accounts(label: Text, accounts: Mapping[str, Text]) -> Text:
    """Return the label with the usual accounts named in Chinese where it names them."""
    chinese = label.zh
    for name, account in accounts.items():
        chinese = chinese.replace(name, account.zh)
    return Text(label.en, chinese)


def _account(name: str, accounts: Mapping[str, Text]) -> Text:
    if isinstance(name, LocalizedPhrase):
        return _with_accounts(Text(name, name.zh), accounts)
    return accounts.get(name) or Text(name, name)


def capital_limit_source(result: Result, limit: CapitalLimit) -> Source:
    """Return where a limit on capital comes from: the rule when it asks no more than the rule, else the user."""
    requirement = _requirement(result, limit)
    if requirement is not None and limit.multiplier <= requirement.statutory:
        return Source("", requirement.article)
    return Source("user")


def _requirement(result: Result, limit: CapitalLimit) -> Any:
    found = result.after.requirements if result.after is not None else ()
    return next((item for item in found if item.name == limit.name), None)


def _capital_row(result: Result, limit: CapitalLimit) -> dict[str, Any]:
    assert result.after is not None
    module = result.after.tree.values(result.holdings)[limit.module]
    cost = limit.cost_weight * float(result.model.cost.value(result.holdings)[0])
    price = result.solution.capital_prices.get(limit.name, 0.0)
    requirement = _requirement(result, limit)
    row: dict[str, Any] = {"name": limit.name, "source": str(capital_limit_source(result, limit))}
    if requirement is not None:
        ratio = requirement.over(module)
        row |= {"unit": "ratio", "lhs": ratio, "sense": Sense.AT_LEAST.value, "rhs": limit.multiplier}
        row |= {"slack": ratio - limit.multiplier, "shadow_price": price * module}
    else:
        used = limit.multiplier * module + cost
        row |= {"unit": "money", "lhs": used, "sense": Sense.AT_MOST.value, "rhs": limit.available}
        row |= {"slack": limit.available - used, "shadow_price": price}
    row["binding"] = bool(row["slack"] <= BINDING_TOLERANCE * max(1.0, abs(row["rhs"]))) or _is_dear(result, price)
    certainty = "user" if row["source"] == "user" else "A"
    return row | {"mode": Mode.HARD.value, "certainty": certainty}


def _is_dear(result: Result, price: float) -> bool:
    """Return whether a limit on capital has a price although the exact tree leaves it room.

    The price is the solver's, taken with charges as they stood before its last step; the exact tree takes
    them anew at the answer, so a limit that steered the answer can end with a little room. Capital of a
    thousandth of the total must be worth more than the solver's noise.
    """
    total = result.model.space.total
    gain = price * 0.001 * total
    return gain > PRICE_NOISE * (total if result.objective_in_money else 1.0)


PRICE_NOISE = 1e-7
"""Objective (annual decimal, or share of the total) below which a price is rounding."""


def tilts_table(result: Result, named: Mapping[str, Text]) -> ReportTable:
    """Return each tilt with what it steered, what it cost, and what was bought and sold for it."""
    frame = pd.DataFrame(
        [[getattr(tilt, column) for column in TILT_COLUMNS] for tilt in result.tilts], columns=list(TILT_COLUMNS)
    )
    for column, sign in (("bought_for_it", 1.0), ("sold_for_it", -1.0)):
        frame[column] = [_largest(result, sign * tilt.moved) for tilt in result.tilts]
    formats = dict.fromkeys(("score_before", "score_untilted", "score_after"), "percent") | {"ratio_change": "points"}
    formats |= {"return_given_up": "basis_points", "capital_used": "money"}
    formats |= {"objective_given_up": "money" if result.objective_in_money else "basis_points"}
    labels = {"mode": TILT_MODES, "name": {**named, "all": Text("all together", "合计")}}
    headings = HEADINGS | {"name": HEADINGS["tilt"]}
    return ReportTable("tilts", Text("Policy tilts", "政策倾斜"), frame, headings, formats, labels=labels)


TILT_COLUMNS = (
    "name",
    "mode",
    "score_before",
    "score_untilted",
    "score_after",
    "return_given_up",
    "objective_given_up",
    "capital_used",
    "ratio_change",
)


def _largest(result: Result, moved: Vector, most: int = 3) -> str:
    """Return the rows with the largest positive amounts, ids separated by semicolons."""
    order = np.argsort(-moved, kind="stable")[:most]
    chosen = order[moved[order] > BINDING_TOLERANCE * result.model.space.total]
    return "; ".join(result.model.space.asset_id[chosen].tolist())
