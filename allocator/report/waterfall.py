"""From the stand-alone modules to minimum capital, step by step; the steps sum to the total exactly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from allocator.capital.nodes import Aggregate, Node, WeightedSum
from allocator.capital.tree import CapitalTree
from allocator.types import Text

__all__ = ["Step", "waterfall"]

ROUNDING = 1e-9
"""A step below this share of the total is nothing but rounding."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a module, what diversification or absorption takes away, or the total itself.

    Parameters
    ----------
    name : str
        The module's name; with ``_diversification`` or ``_factor`` behind it for what adding up changes. Unique.
    label : Text
        What it is.
    amount : float
        What the step adds, money; the total's own amount for the last step.
    kind : str
        ``"module"``, ``"relief"`` (a step that comes from adding modules up) or ``"total"``.
    """

    name: str
    label: Text
    amount: float
    kind: str


def waterfall(tree: CapitalTree, amounts: Mapping[str, float]) -> tuple[Step, ...]:
    """Return the steps from the modules to the root.

    An aggregate gives its children and then "diversification", its amount less their sum. A weighted sum
    gives its first child's steps, then each further child at its weight, then, where the weight of the first
    child is not one, what that weight changes. Every other node is one step.

    Parameters
    ----------
    tree : CapitalTree
        The tree.
    amounts : mapping of str to float
        Amount of every node by name, money, as `CapitalTree.values` gives it.
    """
    total = amounts[tree.root.name]
    steps = _named_by_memoranda(tree, _open(tree.root, amounts, 1.0), amounts)
    shown = [step for step in steps if abs(step.amount) > ROUNDING * abs(total)]
    return (*shown, Step(tree.root.name, tree.root.label, total, "total"))


def _named_by_memoranda(tree: CapitalTree, steps: list[Step], amounts: Mapping[str, float]) -> list[Step]:
    """Put the root's memoranda (control risk, a size factor) in the place of the step they add up to."""
    lines = [memorandum.node for memorandum in tree.memoranda if memorandum.parent == tree.root.name]
    explained = sum(amounts[node.name] for node in lines)
    out: list[Step] = []
    for step in steps:
        if lines and step.name == f"{tree.root.name}_factor" and math.isclose(step.amount, explained, rel_tol=1e-9):
            kinds = ["relief" if amounts[node.name] < 0 else "module" for node in lines]
            out += [Step(n.name, n.label, amounts[n.name], kind) for n, kind in zip(lines, kinds, strict=True)]
        else:
            out.append(step)
    return out


def _open(node: Node, amounts: Mapping[str, float], weight: float) -> list[Step]:
    if isinstance(node, Aggregate) and node.children:
        return _open_aggregate(node, amounts, weight)
    if isinstance(node, WeightedSum) and node.children and node.shown:
        return _open_sum(node, amounts, weight)
    return [Step(node.name, node.label, weight * amounts[node.name], "module" if weight > 0 else "relief")]


def _open_aggregate(node: Node, amounts: Mapping[str, float], weight: float) -> list[Step]:
    steps = [step for child in node.children for step in _open(child, amounts, weight)]
    spread = weight * (amounts[node.name] - sum(amounts[child.name] for child in node.children))
    label = Text(f"Diversification: {node.label.en}", f"分散效应：{node.label.zh}")
    return [*steps, Step(f"{node.name}_diversification", label, spread, "relief")]


def _open_sum(node: WeightedSum, amounts: Mapping[str, float], weight: float) -> list[Step]:
    first, share = node.children[0], node.weights[0]
    steps = _open(first, amounts, weight)
    for child, part in zip(node.children[1:], node.weights[1:], strict=True):
        kind = "relief" if part < 0 else "module"
        steps.append(Step(child.name, child.label, weight * part * amounts[child.name], kind))
    if share != 1.0:
        label = Text(f"{node.label.en}: factor {share:.4g}", f"{node.label.zh}：系数 {share:.4g}")
        steps.append(Step(f"{node.name}_factor", label, weight * (share - 1.0) * amounts[first.name], "relief"))
    return steps
