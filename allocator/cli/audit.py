"""What looks back at a run: where a figure comes from, and whether the run can be had again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from allocator.cli.options import AsJson, Lang, language_of, load_fund
from allocator.cli.output import console, say, say_json
from allocator.language import preferred_language
from allocator.types import Language

__all__ = ["audit_commands", "replay_run"]

GOING_IN = ("inputs", "settings", "versions")
"""Tables of a comparison that are shown even where the same came out."""

audit_commands = typer.Typer(rich_markup_mode=None)


@audit_commands.command("trace", help="Trace a figure of a run down to factor, article, file and row.")
def trace_figure(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of a run.")],
    figure: Annotated[
        str,
        typer.Argument(
            metavar="FIGURE",
            help="capital.MODULE, solvency.RATIO, constraints.RULE, allocation.ASSET, tilts.TILT, or a measure: "
            "expected_return, volatility, turnover, trading_cost, funded_total, objective.",
        ),
    ] = "capital",
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Print the tree below a figure, one line each."""
    from dataclasses import asdict

    from allocator.report.trace import trace, trace_lines

    found = trace(out, figure)
    if as_json:
        say_json({"figure": figure, "money": found.money, "lines": [asdict(line) for line in found.lines]})
    else:
        for text in trace_lines(found, preferred_language(lang, None, os.environ)):
            say(text)
    return 0


def replay_run(path: Path, fund: Path | None, overrides: Sequence[str], lang: Language | None, as_json: bool) -> int:
    """Make the run of ``path`` again, print what differs, and return the exit status of the verdict."""
    from allocator.register.replay import Past, replay

    past = Past(path)
    book = load_fund(fund or past.fund_file(), [*past.changes, *overrides])
    language = language_of(lang, book)
    found = replay(past, book, language)
    if as_json:
        say_json(found.entry)
        return found.verdict.exit_status
    from allocator.model.units import money_unit
    from allocator.report.console_table import print_table

    money, screen = money_unit(found.comparison.sides[0].unit), console()
    for table in found.comparison.tables:
        if table.name in GOING_IN or (found.differences and table.name not in ("runs", "rules")):
            print_table(table, language, money, screen)
            screen.print()
    for line in found.lines(language):
        screen.print(line, markup=False, highlight=False)
    return found.verdict.exit_status
