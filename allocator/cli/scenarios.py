"""The commands that study one fund: stress, plan, backtest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from allocator.cli.fund import NOT_PROVEN
from allocator.cli.options import AsJson, FundFile, Lang, Overrides, language_of, open_fund, tell

__all__ = ["scenario_commands"]

OutFolder = Annotated[Path | None, typer.Option("--output", "-o", metavar="OUT", help="Folder to write.")]

scenario_commands = typer.Typer(rich_markup_mode=None)


@scenario_commands.command(help="Capital under the rules' stress scenarios and your own; reverse stress tests.")
def stress(
    fund: FundFile,
    out: OutFolder = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="Find how far each factor may move.")] = False,
    overrides: Overrides = [],  # noqa: B006
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Apply every scenario and, with --reverse, look for what breaks the ratios."""
    from allocator.pipeline.scenarios import stress as apply_scenarios
    from allocator.report.stress import stress_report
    from allocator.study.reverse import reverse_stress

    book = open_fund(fund, out, overrides)
    study = apply_scenarios(book)
    found = reverse_stress(book) if reverse else None
    tell(stress_report(book, study, found, language_of(lang, book)), book, out, as_json)
    return 0


@scenario_commands.command(help="A multi-year plan: holdings at every step, with the ratios verified at each.")
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

    book = open_fund(fund, out, overrides)
    study = make_plan(book)
    tell(plan_report(book, study, language_of(lang, book)), book, out, as_json)
    return 0 if study.holds and study.solution.status == "optimal" else NOT_PROVEN


@scenario_commands.command(help="Backtest on returns.csv without look-ahead, against two simpler strategies.")
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

    book = open_fund(fund, out, overrides)
    study = walk(book)
    tell(backtest_report(book, study, language_of(lang, book)), book, out, as_json)
    return 0
