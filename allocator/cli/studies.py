"""The commands that ask a fund many questions: frontier."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from allocator.cli.fund import NOT_PROVEN
from allocator.cli.options import AsJson, FundFile, Lang, Overrides, console, language_of, load_fund

__all__ = ["study_commands"]

study_commands = typer.Typer(rich_markup_mode=None)


@study_commands.command(help="The best of one figure at every level of another.")
def frontier(
    fund: FundFile,
    out: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Folder to write.")] = Path("out"),
    points: Annotated[int, typer.Option("--points", help="Number of levels.")] = 50,
    between: Annotated[
        str, typer.Option("--between", metavar="NAME", help="Figure promised at each level.")
    ] = "comprehensive",
    best: Annotated[str, typer.Option("--and", metavar="NAME", help="Figure made as good as can be.")] = "objective",
    low: Annotated[float | None, typer.Option("--from", help="First level, in the figure's unit.")] = None,
    high: Annotated[float | None, typer.Option("--to", help="Last level, in the figure's unit.")] = None,
    overrides: Overrides = [],  # noqa: B006
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Solve the frontier, write OUT/, say what binds where."""
    from allocator.report.frontier import frontier_lines, frontier_report
    from allocator.report.writer import check_folder, dump_json, write_study
    from allocator.study.frontier import FrontierSettings
    from allocator.study.frontier import frontier as solve

    check_folder(out)
    settings = FrontierSettings(points, between, best, low, high)
    book = load_fund(fund, overrides)
    found = solve(book, settings)
    language = language_of(lang, book)
    report = frontier_report(found, language)
    write_study(report, out)
    if as_json:
        typer.echo(dump_json(report.manifest))
    else:
        screen = console()
        for line in frontier_lines(found, language):
            screen.print(line, markup=False, highlight=False)
    return 0 if report.manifest["status"] == "optimal" else NOT_PROVEN
