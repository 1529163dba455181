"""The commands that take one fund file: run, capital, validate, explain, init."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.audit import replay_run
from allocator.cli.options import AsJson, FundFile, Lang, Overrides, language_of, load_fund, register_run
from allocator.cli.output import console, say, say_json
from allocator.errors import Infeasible, InputError, NotProven, Problem
from allocator.folders import check_file
from allocator.language import counted, preferred_language
from allocator.types import Text

if TYPE_CHECKING:
    from allocator.result.result import Result

__all__ = ["NOT_PROVEN", "fund_commands"]

NOT_PROVEN = 4
"""Exit status of an answer that meets every requirement while its optimality is open."""

fund_commands = typer.Typer(rich_markup_mode=None)


@fund_commands.command(help="Optimize, verify, write the output folder.")
def run(
    fund: Annotated[Path | None, typer.Argument(metavar="[FUND.yaml]", help="The fund file.")] = None,
    out: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Folder to write.")] = Path("out"),
    past: Annotated[
        Path | None, typer.Option("--replay", metavar="OUT", help="Repeat a past run and compare; write nothing.")
    ] = None,
    overrides: Overrides = [],  # noqa: B006
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Optimize, verify, write OUT/, show the summary; or make a past run again and say what differs."""
    if past is not None:
        return replay_run(past, fund, overrides, lang, as_json)
    if fund is None:
        what = Text("missing argument FUND.yaml", "缺少参数 FUND.yaml")
        usage = Text("allocator run FUND.yaml", "allocator run FUND.yaml")
        raise InputError(Problem(what, "allocator run", hint=usage))
    from time import perf_counter

    from allocator.report.out_folder import check_folder
    from allocator.report.view import View
    from allocator.report.writer import write_failure, write_view

    check_folder(out)
    start = perf_counter()
    book = load_fund(fund, overrides)
    loaded = perf_counter() - start
    try:
        result = book.optimize().value
    except (Infeasible, NotProven) as error:
        write_failure(error, book.inputs, out, lang)
        register_run(out, book, language_of(lang, book))
        raise
    view = View.of(_with_seconds(result, load=loaded), language_of(lang, book), book.registry)
    write_view(view, out)
    register_run(out, book, view.language)
    if as_json:
        say_json(view.manifest)
    else:
        from allocator.report.console import print_summary

        screen = console()
        print_summary(view, screen)
        written = Text(
            f"Written to {out}/: report.html, report.xlsx, CSV files, run.json",
            f"已写入 {out}/：report.html、report.xlsx、CSV 文件与 run.json",
        )
        screen.print(written[view.language], markup=False, highlight=False)
    return 0 if result.status == "optimal" else NOT_PROVEN


def _with_seconds(result: Result, **more: float) -> Result:
    from dataclasses import replace

    return replace(result, seconds={**more, **result.seconds})


@fund_commands.command(help="Capital, ratios and rule checks of the current holdings; no optimizer.")
def capital(
    fund: Annotated[Path | None, typer.Argument(metavar="[FUND.yaml]", help="The fund file.")] = None,
    filed: Annotated[Path | None, typer.Option("--filed", metavar="FILE.csv", help="Filed module amounts.")] = None,
    unit: Annotated[float, typer.Option("--unit", help="Currency units per unit of the filed amounts.")] = 1e4,
    size_factor: Annotated[str, typer.Option("--size-factor", help="'auto' or a number, for filed amounts.")] = "auto",
    regime: Annotated[str | None, typer.Option("--regime", help="Regime that aggregates filed amounts.")] = None,
    out: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="CSV or JSON file.")] = None,
    overrides: Overrides = [],  # noqa: B006
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Show the capital of a fund, or compute filed module amounts beside what was filed."""
    from allocator.report.position import aggregate_filed, capital_report

    if (fund is None) == (filed is None):
        raise InputError(
            Problem(
                Text("give either a fund file or --filed", "请给出组合文件或 --filed 之一"),
                "allocator capital",
                hint=Text("allocator capital FUND.yaml", "allocator capital FUND.yaml"),
            )
        )
    if out is not None:
        check_file(out)
    if filed is not None:
        outcome = aggregate_filed(filed, unit, size_factor, regime)
        language = preferred_language(lang, None, os.environ)
    else:
        assert fund is not None
        book = load_fund(fund, overrides)
        outcome, language = capital_report(book), language_of(lang, book)
    if out is not None:
        outcome.save(out)
    if as_json:
        say_json(outcome.entry)
    else:
        outcome.show(console(), language)
    return 0


@fund_commands.command(help="Check every input and setting; list all problems at once.")
def validate(fund: FundFile, overrides: Overrides = [], lang: Lang = None, as_json: AsJson = False) -> int:  # noqa: B006
    """Read everything, build the capital and the model, and say what a reader must know."""
    from allocator.inputs.balance import sum_of_rows
    from allocator.report.manifest import note_entry
    from allocator.report.warnings import unchecked_lines

    try:
        book = load_fund(fund, overrides)
        notes = book.validate()
    except InputError:
        from allocator.pipeline.fund import examine

        if fund.is_file():
            examine(fund, overrides)
        raise
    if as_json:
        rows = {name: len(table) for name, table in book.inputs.tables.items()}
        say_json({"status": "valid", "rows": rows, "notes": [note_entry(note) for note in notes]})
        return 0
    language = language_of(lang, book)
    for warning in unchecked_lines(book.unchecked):
        say(warning[language])
    for name, table in book.inputs.tables.items():
        say(Text(f"{name}: {counted(len(table), 'row')}", f"{name}：{len(table):,} 行")[language])
    say(sum_of_rows(book.inputs)[language])
    for note in notes:
        say(f"· {note.text[language]}" + (f" ({note.article})" if note.article else ""))
    say(Text("Everything can be used.", "全部输入可用。")[language])
    return 0


@fund_commands.command(help="Shadow prices in words; if infeasible, the rules in conflict.")
def explain(fund: FundFile, overrides: Overrides = [], lang: Lang = None, as_json: AsJson = False) -> int:  # noqa: B006
    """Optimize and say what each binding rule costs."""
    from allocator.report.explain import explain_entry, explain_lines
    from allocator.report.view import View

    book = load_fund(fund, overrides)
    view = View.of(book.optimize().value, language_of(lang, book))
    if as_json:
        say_json(explain_entry(view))
    else:
        for line in explain_lines(view):
            say(line)
    return 0 if view.result.status == "optimal" else NOT_PROVEN


@fund_commands.command(help="Create a fund folder to start from.")
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to create.")], lang: Lang = None) -> int:
    """Write a commented fund file and a table of every kind."""
    from allocator.extension.registry import load_registry
    from allocator.testing.template import write_template

    write_template(folder, load_registry())
    written = Text(
        f"Written to {folder}/. Next: allocator validate {folder}/fund.yaml",
        f"已写入 {folder}/。下一步：allocator validate {folder}/fund.yaml",
    )
    say(written[preferred_language(lang, None, os.environ)])
    return 0
