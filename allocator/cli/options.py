"""What the commands share: their common options, and how they load a fund and find a language and a console."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.output import console, say_json
from allocator.language import preferred_language
from allocator.types import Language, Text

if TYPE_CHECKING:
    from allocator.api import Fund
    from allocator.report.study import StudyReport

__all__ = [
    "INTERRUPTED",
    "AsJson",
    "FundFile",
    "Lang",
    "Overrides",
    "language_of",
    "load_fund",
    "open_fund",
    "register_run",
    "tell",
]

INTERRUPTED = 130
"""Exit status of a command that was stopped from the keyboard."""

FundFile = Annotated[Path, typer.Argument(metavar="FUND.yaml", help="The fund file.")]
Overrides = Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="Change one setting; repeatable.")]
Lang = Annotated[Language | None, typer.Option("--lang", help="Language of messages and reports.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def load_fund(fund: Path, overrides: Sequence[str]) -> Fund:
    from allocator.api import load

    return load(fund, overrides)


def open_fund(fund: Path, out: Path | None, overrides: Sequence[str]) -> Fund:
    """Return the fund, once OUT is known to be one that may be written."""
    from allocator.report.writer import check_folder

    if out is not None:
        check_folder(out)
    return load_fund(fund, overrides)


def tell(report: StudyReport, book: Fund, out: Path | None, as_json: bool, lines: Sequence[str] = ()) -> None:
    """Write OUT/ and register the study if asked for, then print the JSON object or, without ``lines``, its view."""
    from allocator.report.writer import write_study

    if out is not None:
        write_study(report, out)
        register_run(out, book, report.language)
    if as_json:
        say_json(report.told)
        return
    screen = console()
    for line in lines:
        screen.print(line, markup=False, highlight=False)
    if not lines:
        report.show(screen)
    if out is not None:
        written = Text(
            f"Written to {out}/: report.html, report.xlsx, CSV files, run.json",
            f"已写入 {out}/：report.html、report.xlsx、CSV 文件与 run.json",
        )
        screen.print(written[report.language], markup=False, highlight=False)


def language_of(lang: Language | None, book: Fund) -> Language:
    return preferred_language(lang, book.inputs.settings.language, os.environ)


def register_run(out: Path, book: Fund | None, language: Language, file: str = "run.json") -> None:
    """Add the run or study that wrote ``out`` to the run register; a warning says why when it cannot be done."""
    from allocator.register import record

    problem = record(out, None if book is None else book.inputs.settings, file=file)
    if problem is not None:
        title = typer.style(
            Text("warning: the run is not in the register", "警告：本次运行未能登记")[language], fg="yellow"
        )
        typer.echo(f"{title}\n  {problem.render(language)}", err=True)
