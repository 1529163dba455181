"""Writes docs/house.md: the rooms of the house, their floors and its laws. Run: make house"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))
from house import LAWS, Graph, House, rooms  # noqa: E402

SHELVES = {
    "constraints": "Shelf of regime and rule plugins, one package each.",
    "plugins": "Shelf of asset kinds, models and policy tilts, one package each.",
}
WIDTH, HEIGHT, GAP, LANE, MARGIN = 116, 28, 34, 14, 12
"""Measures of the drawing in pixels: a box, the space between floors, between lanes, and around."""

INTRODUCTION = """# The house

Data walks one way: config → inputs → model → solve → verify → report. A room is a file or a folder of `allocator/`, and
knows the rooms below it only, by the typed values that it is handed. An arrow leads from a room to one that it imports;
arrows that follow from others are left out. `make house` writes this page from the imports and checks the laws.
"""

LAWS_INTRODUCTION = """
## Its laws

Each is a function of `tests/house.py`; a test plants violations and sees them found.
"""


def page() -> str:
    """Return the page: diagram, rooms, laws."""
    house = House(HERE.parent)
    graph = graph_of(house)
    levels = floors(graph)
    table = [f"| {_shown(room)} | {levels[room]} | {_purpose(room, house)} |" for room in _from_the_top(levels)]
    laws = [f"- {_markdown(inspect.getdoc(law) or '')}" for law in LAWS]
    parts = [INTRODUCTION, f"```mermaid\n{diagram(graph)}\n```\n"]
    parts += ["| room | floor | what it does |", "|---|---|---|", *table, LAWS_INTRODUCTION, *laws]
    return "\n".join(parts) + "\n"


def graph_of(house: House) -> Graph:
    """Return which room imports which: the rooms of the core, and each shelf as one."""
    graph = dict(rooms(house, "allocator"))
    for shelf in SHELVES:
        packages = {name for name, path in house.files.items() if (house.root / shelf) in path.parents}
        targets = {target for name in packages for target in house.imports[name]} - packages
        graph[shelf] = frozenset(target.split(".")[1] for target in targets if target.startswith("allocator."))
    return reduced(graph)


def reduced(graph: Graph) -> Graph:
    """Return the transitive reduction of a graph without circles: no arrow that a longer way replaces."""

    @cache
    def below(room: str) -> frozenset[str]:
        return graph[room].union(*(below(other) for other in graph[room]))

    return {
        room: frozenset(other for other in others if not any(other in below(third) for third in others))
        for room, others in graph.items()
    }


def floors(graph: Graph) -> dict[str, int]:
    """Return each room's floor: one above the highest room that it imports, 0 for one that imports none."""

    @cache
    def floor(room: str) -> int:
        return 1 + max((floor(other) for other in graph[room]), default=-1)

    return {room: floor(room) for room in graph}


def diagram(graph: Graph) -> str:
    """Return the graph as a Mermaid flowchart, a subgraph for each floor, the top floor first."""
    levels, lines = floors(graph), ["flowchart TD"]
    for level in range(max(levels.values()), -1, -1):
        lines += [f'  subgraph floor{level}["{level}"]']
        lines += [f'    {_id(room)}["{_label(room)}"]' for room in sorted(levels) if levels[room] == level]
        lines += ["  end"]
    lines += [f"  {_id(room)} --> {_id(other)}" for room, other in _arrows(graph)]
    return "\n".join(lines)


def drawing(graph: Graph) -> str:
    """Return the same picture as SVG in one line, for pages that load no script.

    Arrows to the floor below are straight; longer ones run down a lane of their own beside the boxes.
    """
    levels = floors(graph)
    top = max(levels.values())
    rows = {level: sorted(room for room in levels if levels[room] == level) for level in range(top + 1)}
    widest = max(map(len, rows.values())) * (WIDTH + MARGIN)
    place = {
        room: (MARGIN + (widest - len(row) * (WIDTH + MARGIN)) / 2 + (WIDTH + MARGIN) * (index + 0.5), top - level)
        for level, row in rows.items()
        for index, room in enumerate(row)
    }
    arrows, lanes = [], 0
    for start, target in _arrows(graph):
        (x, row), (z, end) = place[start], place[target]
        y, bottom = _above(row) + HEIGHT, _above(end) - 4
        if end - row == 1:
            arrows.append(f"M{x:g} {y:g}L{z:g} {bottom:g}")
            continue
        lanes += 1
        lane, step = MARGIN + widest + LANE * lanes, 4 + 3 * (lanes % 6)
        arrows.append(f"M{x:g} {y:g}v{step}H{lane:g}V{bottom - step:g}H{z + 3 * lanes - WIDTH / 4:g}v{step}")
    size = MARGIN + widest + LANE * (lanes + 1), _above(top) + HEIGHT + MARGIN
    return "".join(_svg(size, place, arrows))


def _svg(size: tuple[float, float], place: Mapping[str, tuple[float, int]], arrows: list[str]) -> Iterator[str]:
    width, height = size
    yield f'<div><svg role="img" aria-label="rooms and floors" viewBox="0 0 {width:g} {height:g}"'
    yield f' style="max-width: {width:g}px" fill="none" stroke="currentColor">'
    yield '<defs><marker id="tip" viewBox="0 0 6 6" refX="3" refY="3" markerWidth="5" markerHeight="5" orient="auto">'
    yield '<path d="M0 0L6 3L0 6z" fill="currentColor"/></marker></defs>'
    yield from (f'<path d="{arrow}" stroke-opacity=".55" marker-end="url(#tip)"/>' for arrow in arrows)
    for room, (x, row) in place.items():
        y = _above(row)
        yield f'<rect x="{x - WIDTH / 2:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="4"/>'
        yield f'<text x="{x:g}" y="{y + 18:g}" text-anchor="middle" font-size="13" fill="currentColor" stroke="none">'
        yield f"{_label(room)}</text>"
    yield "</svg></div>"


def _above(row: int) -> float:
    return MARGIN + row * (HEIGHT + GAP)


def _from_the_top(levels: Mapping[str, int]) -> list[str]:
    return sorted(levels, key=lambda room: (-levels[room], room))


def _arrows(graph: Graph) -> list[tuple[str, str]]:
    return [(room, other) for room in _from_the_top(floors(graph)) for other in sorted(graph[room])]


def _id(room: str) -> str:
    return room.strip("_")


def _label(room: str) -> str:
    return f"{room}/*" if room in SHELVES else _id(room)


def _shown(room: str) -> str:
    if room in SHELVES:
        return f"`{room}/`"
    return f"`{room}{'/' if (HERE.parent / 'allocator' / room).is_dir() else '.py'}`"


def _purpose(room: str, house: House) -> str:
    """Return the first paragraph of a room's docstring as Markdown."""
    text = SHELVES.get(room) or ast.get_docstring(house.trees[f"allocator.{room}"]) or ""
    return _markdown(text.split("\n\n")[0])


def _markdown(text: str) -> str:
    return " ".join(text.split()).replace("``", "`")


if __name__ == "__main__":
    (HERE / "house.md").write_text(page(), encoding="utf-8")
