"""The commands that study one fund: stress, plan, backtest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.fund import NOT_PROVEN
from allocator.cli.options import AsJson, FundFile, Lang, Overrides, console, language_of, load_fund, register_run
from allocator.types import Text

if TYPE_CHECKING:
    from allocator.pipeline import Fund
    from allocator.report.study import StudyReport

__all__ = ["scenario_commands"]

OutFolder = Annotated[Path | None, typer.Option("--output", "-o", metavar="OUT", help="Folder to write.")]

scenario_commands = typer.Typer(rich_markup_mode=None)


@scenario_commands.command(help="Capital under the rules' stress scenarios and one's own; how far each factor may go.")
def stress(
    fund: FundFile,
    out: OutFolder = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="Search how far each factor may go.")] = False,
    overrides: Overrides = [],  # noqa: B006
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Apply every scenario and, with --reverse, look for what breaks the ratios."""
    from allocator.report.stress import stress_report
    from allocator.study.reverse import reverse_stress
    from allocator.study.stress import stress as apply_scenarios

    book = _opened(fund, out, overrides)
    study = apply_scenarios(book)
    found = reverse_stress(book) if reverse else None
    _tell(stress_report(book, study, found, language_of(lang, book)), book, out, as_json)
    return 0


@scenario_commands.command(help="A plan over years: what to hold at every step, its ratios checked at each.")
def plan(
    fund: FundFile,
    out: OutFolder = None,
    overrides: Overrides = [],  # noqa: B006
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Make the plan that the fund file asks for; status 4 where a requirement or optimality stays open."""
    from allocator.report.plan import plan_report
    from allocator.study.plan import plan as make_plan

    book = _opened(fund, out, overrides)
    study = make_plan(book)
    _tell(plan_report(book, study, language_of(lang, book)), book, out, as_json)
    return 0 if study.holds and study.solution.status == "optimal" else NOT_PROVEN


@scenario_commands.command(help="Walk through returns.csv deciding with what was known, against two simpler ways.")
def backtest(
    fund: FundFile,
    out: OutFolder = None,
    overrides: Overrides = [],  # noqa: B006
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Let the optimizer, the mix kept and the naive cone live through the history."""
    from allocator.report.backtest import backtest_report
    from allocator.study.backtest import backtest as walk

    book = _opened(fund, out, overrides)
    study = walk(book)
    _tell(backtest_report(book, study, language_of(lang, book)), book, out, as_json)
    return 0


def _opened(fund: Path, out: Path | None, overrides: Sequence[str]) -> Fund:
    """Return the fund, once OUT is known to be one that may be written."""
    from allocator.report.writer import check_folder

    if out is not None:
        check_folder(out)
    return load_fund(fund, overrides)


def _tell(report: StudyReport, book: Fund, out: Path | None, as_json: bool) -> None:
    """Write OUT/ and register the study if asked for, then print the JSON object or the console view."""
    from allocator.report.writer import dump_json, write_study

    if out is not None:
        write_study(report, out)
        register_run(out, book, report.language)
    if as_json:
        typer.echo(dump_json(report.json))
        return
    screen = console()
    report.show(screen)
    if out is not None:
        written = Text(
            f"Written to {out}/: report.html, report.xlsx, CSV files, run.json",
            f"已写入 {out}/：report.html、report.xlsx、CSV 文件与 run.json",
        )
        screen.print(written[report.language], markup=False, highlight=False)
