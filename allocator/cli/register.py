"""The commands that look back: history and compare."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from allocator.cli.options import AsJson, Lang
from allocator.cli.output import console, say, say_json
from allocator.language import preferred_language
from allocator.types import Text

if TYPE_CHECKING:
    from allocator.register import Run

__all__ = ["register_commands"]

register_commands = typer.Typer(rich_markup_mode=None)


@register_commands.command(help="The runs and studies of the register, newest first.")
def history(
    fund: Annotated[str | None, typer.Option("--fund", metavar="NAME", help="Only runs of this fund.")] = None,
    last: Annotated[int, typer.Option("--last", min=1, help="How many runs.")] = 20,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Show what was run, when, and with what outcome."""
    from allocator.register import history as registered
    from allocator.register import register_place

    place = register_place(os.environ)
    runs = () if place is None else registered(place, fund, last)
    language = preferred_language(lang, None, os.environ)
    if as_json:
        say_json({"register": str(place or "off"), "runs": [_entry(run) for run in runs]})
    elif not runs:
        text = Text(f"No run is registered ({place or 'off'}).", f"没有已登记的运行（{place or 'off'}）。")
        say(text[language])
    else:
        from allocator.model.units import money_unit
        from allocator.register.table import history_table
        from allocator.report.console_table import print_table

        print_table(history_table(runs), language, money_unit(1.0), console(), last)
    return 0


def _entry(run: Run) -> dict[str, Any]:
    row = run.row
    stored = {name: getattr(row, name) for name in ("number", "created", "fund", "as_of", "status", "folder", "sha256")}
    return stored | {"kind": run.kind, "unchanged": run.unchanged, "manifest": run.manifest}


@register_commands.command(help="Compare runs: what changed in the inputs, what changed in the results.")
def compare(
    runs: Annotated[list[str], typer.Argument(metavar="OUT…", help="OUT folders, or numbers of the register.")],
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Compare two runs or more."""
    from allocator.register import register_place
    from allocator.register.comparison import compare as side_by_side
    from allocator.register.comparison import find_side

    place = register_place(os.environ)
    comparison = side_by_side([find_side(given, place) for given in runs])
    if as_json:
        say_json(comparison.entry)
        return 0
    from allocator.model.units import money_unit
    from allocator.report.console_table import print_table

    money = money_unit(comparison.sides[0].unit)
    screen, language = console(), preferred_language(lang, None, os.environ)
    for table in comparison.tables:
        print_table(table, language, money, screen)
        screen.print()
    return 0
