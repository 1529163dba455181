"""Shadow prices in words."""

from __future__ import annotations

from typing import Any

from allocator.report.summary import BindingRule, binding_rules, proof_line
from allocator.report.tilts import tilt_sentences
from allocator.report.view import View
from allocator.report.words import SOURCES, STATUS
from allocator.types import Text

__all__ = ["explain_entry", "explain_lines"]


def explain_entry(view: View) -> dict[str, Any]:
    """Return the binding rules with their prices for JSON: figures as in constraints.csv."""
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
    return {key: entry[key] for key in kept if key in entry} | {"rules": rules}


def _money(view: View, rule: BindingRule) -> float:
    return view.result.inputs.unit if rule.gain_in_money else 1.0


def explain_lines(view: View) -> tuple[str, ...]:
    """Return sentences: the answer, each binding rule with what one step of it costs, each tilt with its price."""
    language, proof = view.language, proof_line(view)
    status = STATUS[str(proof["status"])]
    head = Text(
        f"The allocation is {status.en}: objective {proof['objective']}, bound {proof['bound']}, gap {proof['gap']}.",
        f"配置方案{status.zh}：目标值 {proof['objective']}，界 {proof['bound']}，差距 {proof['gap']}。",
    )
    lines = [head[language]]
    lines += [_sentence(rule, view)[language] for rule in binding_rules(view)]
    if len(lines) == 1:
        lines.append(
            Text("No rule binds: relaxing any of them gains nothing.", "没有起约束作用的规则：放松任何规则都无收益。")[
                language
            ]
        )
    return (*lines, *(sentence[language] for sentence in tilt_sentences(view)))


def _sentence(rule: BindingRule, view: View) -> Text:
    gain = rule.write_gain(view.money)
    source = SOURCES.get(rule.source) or Text(rule.source or "—", rule.source or "—")
    english = f"“{rule.label.en}” ({rule.limit}) binds: relaxed by {rule.step.en}, the objective improves by {gain}"
    chinese = f"“{rule.label.zh}”（{rule.limit}）起约束作用：放松{rule.step.zh}，目标改善 {gain}"
    if not rule.gain_in_money:
        yearly = rule.gain * view.result.model.space.total / view.money.scale
        english += f", {view.money.label.en} × {yearly:,.4f} a year"
        chinese += f"，合每年 {yearly:,.4f} {view.money.label.zh}"
    return Text(
        english + (f" [{source.en}]." if rule.source else "."),
        chinese + (f" [{source.zh}]。" if rule.source else "。"),
    )
