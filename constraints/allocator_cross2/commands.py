"""``allocator rules``: every figure of the rules in force on a day, with its article."""

from __future__ import annotations

import json
import os
import sys
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from allocator.plugin import CommandSpec, InputError, Language, Problem, Text, preferred_language
from allocator_cross2.pack import RulePack
from allocator_cross2.plain import plain
from allocator_cross2.rule_books import changes
from allocator_cross2.written import written

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
    lang: Annotated[Language | None, typer.Option("--lang", help="Language of messages and reports.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    readings: Annotated[bool, typer.Option("--readings", help="The open questions, answers and their effect.")] = False,
    other: Annotated[
        str, typer.Option("--at", metavar="YYYY-MM-DD", help="What all rule books change between --date and this day.")
    ] = "",
) -> None:
    """Print every figure in force on a day with its document, article and effective date."""
    day = _day(when)
    if readings or other:
        _tell(_reading_lines(RulePack.at(day)) if readings else _change_lines(day, other), lang, as_json)
        return
    pack = RulePack.at(day)
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


def _reading_lines(pack: RulePack) -> list[Text]:
    """Return one sentence for each reading: the question, the answer taken, and what the other one does."""
    found = []
    for name, question, article, answer in pack.reading_notes():
        effect = pack.reading_effect(name)
        taken = Text("yes", "是") if answer else Text("no", "否")
        found.append(
            Text(
                f"{name} ({article}): {question.en} Taken: {taken.en}. The other answer moves the comprehensive ratio "
                f"of the example life_insurer by {effect:+.1f} bp.",
                f"{name}（{article}）：{question.zh}当前：{taken.zh}。改取另一口径，示例 life_insurer "
                f"综合偿付能力充足率变动 {effect:+.1f} bp。",
            )
        )
    return found


def _change_lines(day: date, other: str) -> list[Text]:
    first, last = sorted((day, _day(other)))
    found = changes(first, last)
    none = Text(f"no figure changes between {first} and {last}", f"{first} 至 {last} 之间没有参数变化")
    return found or [none]


def _tell(lines: list[Text], lang: Language | None, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([{"en": line.en, "zh": line.zh} for line in lines], ensure_ascii=False))
        return
    language = preferred_language(lang, None, os.environ)
    for line in lines:
        typer.echo(f"· {line[language]}")


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
        value = written(pack.figure(figure["figure"]), language, "D" if "D" in figure["unit"] else "x")
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
