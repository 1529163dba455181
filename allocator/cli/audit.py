"""The commands that look back at a run: where a figure comes from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from allocator.cli.options import AsJson, Lang
from allocator.report.language import preferred_language

__all__ = ["audit_commands"]

audit_commands = typer.Typer(rich_markup_mode=None)


@audit_commands.command("trace", help="Trace a figure of a run down to factor, article, file and row.")
def trace_figure(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of a run.")],
    figure: Annotated[
        str,
        typer.Argument(metavar="FIGURE", help="capital.MODULE, solvency.RATIO, constraints.RULE or allocation.ASSET."),
    ] = "capital",
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Print the tree below a figure, one line each."""
    from dataclasses import asdict

    from allocator.report.trace import trace, trace_lines
    from allocator.report.writer import dump_json

    found = trace(out, figure)
    if as_json:
        typer.echo(dump_json({"figure": figure, "money": found.money, "lines": [asdict(line) for line in found.lines]}))
    else:
        for text in trace_lines(found, preferred_language(lang, None, os.environ)):
            typer.echo(text)
    return 0
