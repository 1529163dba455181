"""``allocator rules``: every figure of the rules in force on a day, with its article."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from datetime import date, datetime
from functools import singledispatch
from typing import TYPE_CHECKING, Annotated, Any

import typer

from allocator.plugin import CommandSpec, InputError, Language, Problem, Text, preferred_language
from allocator_cross2.figures import Bands, Ladder, Matrix, Piecewise, Points
from allocator_cross2.pack import RulePack

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["COMMANDS", "figures_in_force", "rules"]

_HEADINGS = (
    Text("Figure", "参数"),
    Text("What it is", "含义"),
    Text("Value", "取值"),
    Text("Unit", "单位"),
    Text("Source", "依据"),
    Text("From", "生效日"),
)


def rules(
    prefix: Annotated[str, typer.Argument(metavar="[FIGURE]", help="Only figures whose name starts so.")] = "",
    when: Annotated[str, typer.Option("--date", metavar="YYYY-MM-DD", help="Valuation date; today if left out.")] = "",
    lang: Annotated[Language | None, typer.Option("--lang", help="Language of whatever people read.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Print every figure in force on a day with its document, article and effective date."""
    pack = RulePack.at(_day(when))
    figures = [figure for figure in figures_in_force(pack) if figure["figure"].startswith(prefix)]
    if not figures:
        what = Text("no figure in force has such a name", "没有以此开头的有效参数")
        raise InputError(Problem(what, "FIGURE", prefix, ", ".join(sorted({key.split(".")[0] for key in pack}))))
    if as_json:
        typer.echo(json.dumps({"date": pack.valuation_date.isoformat(), "figures": figures}, ensure_ascii=False))
        return
    from rich.console import Console

    console = Console() if sys.stdout.isatty() else Console(width=160)
    console.print(_table(pack, figures, preferred_language(lang, None, os.environ)))


def figures_in_force(pack: RulePack) -> list[dict[str, Any]]:
    """Return every figure in force as plain values: figure, label, value, unit, document, article, effective."""
    found = []
    for key in sorted(pack):
        source = pack.source(key)
        found.append(
            {
                "figure": key,
                "label": {"en": pack.label(key).en, "zh": pack.label(key).zh},
                "value": plain(pack.figure(key)),
                "unit": pack.unit(key),
                "document": source.document,
                "article": source.article,
                "effective": source.effective,
                "certainty": source.certainty.value,
            }
        )
    return found


@singledispatch
def plain(value: object) -> Any:
    """Return a figure as numbers, lists and dictionaries."""
    raise TypeError(f"a figure cannot be a {type(value).__name__}")


@plain.register(float)
@plain.register(int)
@plain.register(str)
def _scalar(value: float | str) -> float | str:
    return value


@plain.register(tuple)
def _names(value: tuple[str, ...]) -> list[Any]:
    return list(value)


@plain.register(Mapping)
def _mapping(value: Mapping[str, object]) -> dict[str, Any]:
    return {name: plain(item) for name, item in value.items()}


@plain.register
def _ladder(value: Ladder) -> list[dict[str, Any]]:
    bounds = [*map(float, value.bounds), None]
    return [{"at_least": bound, "value": float(step)} for bound, step in zip(bounds, value.values, strict=True)]


@plain.register
def _bands(value: Bands) -> list[dict[str, Any]]:
    bounds = [*map(float, value.bounds), None]
    return [{"up_to": bound, "share": float(share)} for bound, share in zip(bounds, value.shares, strict=True)]


@plain.register
def _piecewise(value: Piecewise) -> list[dict[str, Any]]:
    bounds = [*map(float, value.bounds), None][: len(value.coefficients)]
    rows = value.coefficients.tolist()
    return [{"up_to": bound, "coefficients": row} for bound, row in zip(bounds, rows, strict=True)]


@plain.register
def _points(value: Points) -> dict[str, list[float]]:
    return {name: column.tolist() for name, column in value.columns.items()}


@plain.register
def _matrix(value: Matrix) -> dict[str, Any]:
    return {"order": list(value.order), "rows": value.values.tolist()}


def _day(text: str) -> date:
    if not text:
        return date.today()
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError as error:
        raise InputError(Problem(Text("not a date", "不是有效日期"), "--date", text, "YYYY-MM-DD")) from error


def _table(pack: RulePack, figures: list[dict[str, Any]], language: Language) -> Table:
    from rich.table import Table

    title = Text(f"Figures in force on {pack.valuation_date}", f"{pack.valuation_date} 有效的规则参数")
    table = Table(title=title[language])
    for heading in _HEADINGS:
        table.add_column(heading[language], overflow="fold")
    for figure in figures:
        source = f"{figure['document']} {figure['article']}"
        value = json.dumps(figure["value"], ensure_ascii=False)
        table.add_row(figure["figure"], figure["label"][language], value, figure["unit"], source, figure["effective"])
    return table


COMMANDS = (
    CommandSpec(
        "rules",
        Text(
            "Every figure of the solvency rules in force on a day, with its article.",
            "某日有效的全部偿付能力规则参数及其条款",
        ),
        rules,
    ),
)
"""What the plugin's hook ``allocator_commands`` returns."""
