"""Shadow prices in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from allocator.report.summary import BindingRule, binding_rules, given_way, proof_line
from allocator.report.tables import row_name
from allocator.report.tilts import tilt_sentences
from allocator.report.view import View
from allocator.report.words import ACCOUNTS, STATUS
from allocator.types import Text

__all__ = ["Absentee", "absentees", "explain_entry", "explain_lines"]

MOST_ABSENTEES = 10
"""Rows not held that the text names, those nearest to being held; JSON has them all."""

NOTHING = 1e-7
"""Yield (a thousandth of a basis point) below which a row is as good as held: nothing is said of it."""


@dataclass(frozen=True, slots=True)
class Absentee:
    """A row that is not held, and by how much its expected return falls short of entering, annual decimal."""

    asset_id: str
    account: str
    name: str
    needed: float


def absentees(view: View) -> tuple[Absentee, ...]:
    """Return the rows that may be held and are not, the nearest to being held first.

    The reduced cost is objective per unit of weight; divided by what the objective gains from one more of the
    row's expected return it is yield. An objective that does not look at expected returns has none.
    """
    result = view.result
    model, space, solution = result.model, result.model.space, result.solution
    gained = sum(part.weight * part.per_yield for part in model.objective)
    if model.per_capital:
        gained /= model.module(solution.holdings, None if result.after is None else result.after.tree)
    if gained <= 0.0:
        return ()
    needed = solution.reduced_costs / gained
    absent = (solution.holdings == space.lower) & (space.lower == 0.0) & (space.upper > 0.0) & (needed > NOTHING)
    frame = view.tables["allocation"].frame
    return tuple(
        Absentee(
            str(space.asset_id[row]), str(space.account[row]), row_name(frame.iloc[row].to_dict()), float(needed[row])
        )
        for row in sorted(np.flatnonzero(absent).tolist(), key=lambda row: (needed[row], row))
    )


def explain_entry(view: View) -> dict[str, Any]:
    """Return the binding rules with their prices and the rows not held, for JSON: figures as in the tables."""
    prices = view.tables["constraints"].frame.set_index("name")["shadow_price"]
    rules = [
        {
            "name": rule.name,
            "label": {"en": rule.label.en, "zh": rule.label.zh},
            "source": rule.source,
            "shadow_price": float(prices[rule.name]) / _money(view, rule),
            "step": {"en": rule.step.en, "zh": rule.step.zh},
            "gain": rule.gain / _money(view, rule),
        }
        for rule in binding_rules(view)
    ]
    entry = view.manifest
    kept = ("status", "objective", "bound", "gap", "verified", "aim", "tilts")
    known = {key: entry[key] for key in kept if key in entry}
    rows = [{"asset_id": row.asset_id, "account": row.account, "needed_yield": row.needed} for row in absentees(view)]
    return known | {"rules": rules, "concessions": entry.get("concessions", []), "not_held": rows}


def _money(view: View, rule: BindingRule) -> float:
    return view.result.inputs.unit if rule.gain_in_money else 1.0


def explain_lines(view: View) -> tuple[str, ...]:
    """Return sentences: the answer, each binding rule and its price, what rows not held lack, each tilt's price."""
    language, proof = view.language, proof_line(view)
    status = STATUS[str(proof["status"])]
    head = Text(
        f"The allocation is {status.en}: objective {proof['objective']}, bound {proof['bound']}, gap {proof['gap']}.",
        f"配置方案{status.zh}：目标值 {proof['objective']}，界 {proof['bound']}，差距 {proof['gap']}。",
    )
    lines = [head[language]]
    rules = binding_rules(view)
    lines += [breach.said[language] for breach in given_way(view)]
    lines += [_sentence(rule, view)[language] for rule in rules]
    if not rules:
        lines.append(
            Text("No rule binds: relaxing any of them gains nothing.", "没有起约束作用的规则：放松任何规则都无收益。")[
                language
            ]
        )
    lines += [_lack(row)[language] for row in absentees(view)[:MOST_ABSENTEES]]
    return (*lines, *(sentence[language] for sentence in tilt_sentences(view)))


def _lack(row: Absentee) -> Text:
    account = ACCOUNTS.get(row.account) or Text(row.account or "—", row.account or "—")
    points = f"{1e4 * row.needed:.4g}"
    return Text(
        f"“{row.name}” ({account.en}) is not held: it needs {points} bp more yield to enter.",
        f"“{row.name}”（{account.zh}）未持有：收益率再高 {points} 个基点才会配置。",
    )


def _sentence(rule: BindingRule, view: View) -> Text:
    gain = rule.write_gain(view.money)
    english = f"“{rule.label.en}” ({rule.limit}) binds: relaxed by {rule.step.en}, the objective improves by {gain}"
    chinese = f"“{rule.label.zh}”（{rule.limit}）起约束作用：放松{rule.step.zh}，目标改善 {gain}"
    if not rule.gain_in_money:
        yearly = rule.gain * view.result.model.space.total / view.money.scale
        english += f", {view.money.label.en} × {yearly:,.4f} a year"
        chinese += f"，合每年 {yearly:,.4f} {view.money.label.zh}"
    return Text(
        english + (f" [{rule.cited.en}]." if rule.source else "."),
        chinese + (f" [{rule.cited.zh}]。" if rule.source else "。"),
    )
