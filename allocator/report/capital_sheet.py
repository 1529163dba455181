"""The sheet of minimum capital: the modules as a tree of live formulas, then the bridge from modules to total.

Every module whose parts all have a line of their own is a formula over those lines, written from the tree's
own weights and correlations, so that the sheet recomputes the rule and can be audited cell by cell. Leaves,
and modules with a part that tables do not print, are values.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

from allocator.capital.nodes import Absolute, Aggregate, Maximum, Minimum, Node, WeightedSum
from allocator.capital.tree import CapitalTree
from allocator.report.csv_table import in_unit
from allocator.report.sheets import BOLD, TOTAL, Formula, Sheet
from allocator.report.view import View
from allocator.report.waterfall import waterfall
from allocator.report.words import HEADINGS
from allocator.types import Text

__all__ = ["bridge", "change", "module_formula", "modules"]

FORMS = ("text", "money", "money", "money", "text", "text")
COLUMNS = ("module", "before", "amount", "change", "article", "parent")


def modules(sheet: Sheet, view: View) -> None:
    """Write one line for each module, indented by depth, below a heading that is there already."""
    before, after = view.result.before, view.result.after
    assert before is not None
    assert after is not None
    table, language = view.tables["capital"], view.language
    frame = in_unit(table, view.result.inputs.unit)
    rows = {name: sheet.row + place for place, name in enumerate(frame["module"], 1)}
    trees = (("before", "B", _nodes(before.tree)), ("amount", "C", _nodes(after.tree)))
    for line in frame.to_dict("records"):
        name, here = line["module"], sheet.row + 1
        cells = []
        for column, letter, nodes in trees:
            text = module_formula(nodes.get(name), letter, rows)
            cells.append(line[column] if text is None else Formula(text, line[column]))
        labels = [table.labels["module"][key][language] if key else "" for key in (name, line["parent"])]
        moved = change(here, line["before"], line["amount"])
        sheet.append([labels[0], *cells, moved, line["article"], labels[1]], FORMS, depth=table.indent[name])


def change(row: int, before: float, after: float, *, in_points: bool = False) -> Formula:
    """Return the formula of what changed in a row whose columns B and C hold before and after.

    ``in_points`` gives a change of shares or ratios in percentage points.
    """
    if in_points:
        return Formula(f"=100*(C{row}-B{row})", 100.0 * (after - before))
    return Formula(f"=C{row}-B{row}", after - before)


def _nodes(tree: CapitalTree) -> dict[str, Node]:
    return {node.name: node for node in (*tree.nodes, *(memorandum.node for memorandum in tree.memoranda))}


def module_formula(node: Node | None, letter: str, rows: Mapping[str, int]) -> str | None:
    """Return a module's formula over the cells of its parts in column ``letter``; None where it has none.

    Parameters
    ----------
    node : Node or None
        The module.
    letter : str
        Column of the amounts.
    rows : mapping of str to int
        Line of each module printed.
    """
    if node is None or not node.children or any(child.name not in rows for child in node.children):
        return None
    writer = _WRITERS.get(type(node))
    text = None if writer is None else writer(node, [f"{letter}{rows[child.name]}" for child in node.children])
    return None if text is None else f"={text}"


def _sum(node: Node, cells: Sequence[str]) -> str:
    assert isinstance(node, WeightedSum)
    return _added(zip(node.weights, cells, strict=True))


def _aggregate(node: Node, cells: Sequence[str]) -> str | None:
    """Return sqrt(Σ vᵢ² + 2 Σ ρᵢⱼ vᵢ vⱼ); None where the matrix depends on the scenario."""
    assert isinstance(node, Aggregate)
    if node.selector is not None:
        return None
    correlation = node.correlations[0]
    terms = [(1.0, f"{cell}^2") for cell in cells]
    for i, j in itertools.combinations(range(len(cells)), 2):
        if correlation[i, j]:
            terms.append((2.0 * float(correlation[i, j]), f"{cells[i]}*{cells[j]}"))
    return f"SQRT({_added(terms)})"


def _added(terms: object) -> str:
    """Return ``a*X+b*Y`` with signs written once and factors of one left out."""
    parts = []
    for factor, cell in terms:  # type: ignore[attr-defined]
        size = "" if abs(factor) == 1.0 else f"{abs(factor)!r}*"
        parts.append(f"{'-' if factor < 0 else '+'}{size}{cell}")
    return "".join(parts).removeprefix("+")


_WRITERS: Mapping[type[Node], Callable[[Node, Sequence[str]], str | None]] = {
    WeightedSum: _sum,
    Aggregate: _aggregate,
    Maximum: lambda node, cells: f"MAX({','.join(cells)})",
    Minimum: lambda node, cells: f"MIN({','.join(cells)})",
    Absolute: lambda node, cells: f"ABS({cells[0]})",
}


def bridge(sheet: Sheet, view: View) -> None:
    """Write the steps from the modules to minimum capital; the total is the formula that adds them up."""
    after, before = view.result.after, view.result.before
    assert after is not None
    assert before is not None
    unit, language = view.result.inputs.unit, view.language
    steps = waterfall(after.tree, after.tree.values(after.holdings))
    former = {step.name: step for step in waterfall(before.tree, before.tree.values(before.holdings))}
    names = [step.name for step in steps[:-1]]
    left_out = [step for name, step in former.items() if name not in names and step.kind != "total"]
    sheet.row += 1
    sheet.line(Text("From risk modules to minimum capital", "从各风险模块到最低资本")[language], BOLD)
    words = (Text("Step", "步骤"), HEADINGS["before"], HEADINGS["amount"], HEADINGS["change"])
    first = sheet.heading([word[language] for word in words]) + 1
    amounts = [(0.0, 0.0, 0.0)]  # a book without any charge has no steps
    for step in (*steps[:-1], *left_out):
        here = sheet.row + 1
        now = step.amount / unit if step.name in names else 0.0
        then = former[step.name].amount / unit if step.name in former else 0.0
        amounts.append((then, now, now - then))
        sheet.append([step.label[language], then, now, change(here, then, now)], FORMS[:4])
    last = sheet.row
    totals = zip("BCD", map(math.fsum, zip(*amounts, strict=True)), strict=True)
    sums = [Formula(f"=SUM({letter}{first}:{letter}{last})", total) for letter, total in totals]
    sheet.append([steps[-1].label[language], *sums], FORMS[:4], TOTAL)
