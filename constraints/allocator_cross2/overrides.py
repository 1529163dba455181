"""What departs from the rules: overridden figures, added coefficients, factors the user gave. All of it is marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Mask, Problems, Text, did_you_mean
from allocator.plugin.capital import RegimeNote
from allocator_cross2.lines import Codes, Lines
from allocator_cross2.options import ChargeOptions, WhatIf
from allocator_cross2.pack import RulePack

__all__ = ["apply_what_ifs", "changed", "check_options", "option_notes"]


def check_options(
    options: ChargeOptions, known: Mapping[str, object], kinds: Sequence[str], problems: Problems
) -> None:
    """Report factors for kinds the rules do know, and what-ifs named twice or for kinds that do not exist.

    Parameters
    ----------
    options : ChargeOptions
        The user's.
    known : mapping
        Kinds with rules of their own.
    kinds : sequence of str
        All kinds that may be held.
    problems : Problems
        Receives what is wrong.
    """
    for kind in options.factors:
        if kind in known:
            problems.add(
                Text("the rules give a factor for this kind", "规则已规定该类资产的因子"),
                f"capital.factors.{kind}",
                kind,
                None,
                Text("change it under capital.overrides", "如需更改请使用 capital.overrides"),
            )
    seen: set[str] = set()
    for number, what_if in enumerate(options.what_if):
        where = f"capital.what_if.{number}.kind"
        if what_if.kind in seen:
            problems.add(Text("this kind has a what-if already", "该资产类别已有假设系数"), where, what_if.kind)
        if what_if.kind not in kinds:
            what = Text("no such kind of asset", "没有该资产类别")
            problems.add(what, where, what_if.kind, None, did_you_mean(what_if.kind, kinds))
        seen.add(what_if.kind)


def apply_what_ifs(lines: Lines, kinds: Codes, surface: NDArray[np.int16], what_ifs: Sequence[WhatIf]) -> Lines:
    """Return the lines with the coefficient of each what-if on the charges of its kind.

    Parameters
    ----------
    lines : Lines
        All charges.
    kinds : Codes
        Names of the kind codes.
    surface : ndarray of int16 (lines,)
        Kind of the asset row each line belongs to: a what-if for a product also reaches what lies under it.
    what_ifs : sequence of WhatIf
        Kinds and coefficients.
    """
    if not what_ifs:
        return lines
    k = np.zeros(len(lines))
    for what_if in what_ifs:
        code = kinds.code(what_if.kind)
        k[(lines.kind == code) | (surface == code)] += what_if.k
    return lines.with_(k_what_if=k)


def changed(lines: Lines, rule: Lines | None, figures: Codes, user_prefix: str, overridden: frozenset[str]) -> Mask:
    """Return which lines are not the rule's: touched by an override, a what-if or a factor the user gave.

    Parameters
    ----------
    lines : Lines
        The charges with the user's options.
    rule : Lines or None
        The charges by the rules alone; None when nothing is overridden.
    figures : Codes
        Names of the figure codes.
    user_prefix : str
        Prefix of figures that the user gave.
    overridden : frozenset of str
        Figures overridden.
    """
    foreign = np.array([name.startswith(user_prefix) or name in overridden for name in figures.names], dtype=bool)
    touched = foreign[lines.figure] | (lines.k_what_if != 0.0)
    if rule is None:
        return np.asarray(touched)
    # Lines stand in order of rows in both: where a row has as many in both, they answer to each other.
    size = int(max(lines.row.max(initial=-1), rule.row.max(initial=-1))) + 1
    alike = np.bincount(lines.row, minlength=size) == np.bincount(rule.row, minlength=size)
    mine, theirs = lines.take(alike[lines.row]), rule.take(alike[rule.row])
    differs = np.zeros(len(mine), dtype=bool)
    for item in fields(Lines):
        if item.name != "k_what_if":
            differs |= getattr(mine, item.name) != getattr(theirs, item.name)
    touched |= ~alike[lines.row]
    touched[alike[lines.row]] |= differs
    return np.asarray(touched)


def option_notes(options: ChargeOptions, pack: RulePack, rule_pack: RulePack) -> tuple[RegimeNote, ...]:
    """Return a sentence for each override, factor, what-if and changed reading."""
    notes = []
    for path, value in options.overrides.items():
        key = next(key for key in sorted(pack.overridden, key=len, reverse=True) if f"{path}.".startswith(f"{key}."))
        label = pack.label(key)
        notes.append(
            RegimeNote(
                Text(
                    f"Not the rule: {path} ({label.en}) is set to {value:g}.",
                    f"非监管规则：{path}（{label.zh}）设为 {value:g}。",
                ),
                rule_pack.article(key),
                rule=False,
            )
        )
    for kind, value in options.factors.items():
        text = Text(
            f"Not the rule: the rules give no factor for {kind}; the user's {value:g} is charged as equity price risk.",
            f"非监管规则：规则未规定 {kind} 的因子，按用户给定的 {value:g} 计入权益价格风险。",
        )
        notes.append(RegimeNote(text, "R8 §72", rule=False))
    for what_if in options.what_if:
        text = Text(
            f"Not the rule: what if {what_if.kind} had a coefficient k = {what_if.k:g}.",
            f"非监管规则：假设 {what_if.kind} 适用特征系数 k = {what_if.k:g}。",
        )
        notes.append(RegimeNote(text, "R8 §71, R9 §44", rule=False))
    for name, question, article, answer in pack.reading_notes():
        if options.readings.get(name, answer) != rule_pack.readings[name]:
            said = Text("yes", "是") if answer else Text("no", "否")
            text = Text(
                f"Reading {name}: {question.en} Answered {said.en}.",
                f"解释选项 {name}：{question.zh} 取值：{said.zh}。",
            )
            notes.append(RegimeNote(text, article))
    return tuple(notes)
