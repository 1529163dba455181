"""The commands that ask many questions: frontier, of one fund; batch, of many."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from allocator.cli.fund import NOT_PROVEN
from allocator.cli.options import (
    INTERRUPTED,
    AsJson,
    FundFile,
    Lang,
    Overrides,
    language_of,
    open_fund,
    register_run,
    tell,
)
from allocator.cli.output import say, say_json
from allocator.errors import AllocatorError, InputError, Problem
from allocator.language import counted
from allocator.parsing import parse_number_text
from allocator.types import Text

__all__ = ["study_commands"]

FAILED = {"defect": AllocatorError.exit_status, "bad_input": InputError.exit_status}
"""Exit status of a batch by the worst of its tasks; a task without a feasible answer has been answered."""

study_commands = typer.Typer(rich_markup_mode=None)


@study_commands.command(help="The best of one figure at every level of another.")
def frontier(
    fund: FundFile,
    out: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Folder to write.")] = Path("out"),
    points: Annotated[int, typer.Option("--points", help="Number of levels.")] = 50,
    between: Annotated[
        str,
        typer.Option(
            "--between", metavar="NAME", help="Figure constrained at each level; left out, the principal ratio."
        ),
    ] = "",
    best: Annotated[str, typer.Option("--and", metavar="NAME", help="Figure optimised at each level.")] = "objective",
    low: Annotated[str | None, typer.Option("--from", metavar="LEVEL", help="First level: 2.5 or 250%.")] = None,
    high: Annotated[str | None, typer.Option("--to", metavar="LEVEL", help="Last level: 3 or 300%.")] = None,
    overrides: Overrides = [],  # noqa: B006
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Solve the frontier, write OUT/, say what binds where."""
    from allocator.report.frontier import frontier_lines, frontier_report
    from allocator.report.progress import waiting
    from allocator.study.frontier import FrontierSettings
    from allocator.study.frontier import frontier as solve

    book = open_fund(fund, out, overrides)
    ends = _level(low, "--from"), _level(high, "--to")
    language = language_of(lang, book)
    with waiting(Text("frontier", "有效前沿"), language):
        found = solve(book, FrontierSettings(points, between, best, *ends))
    report = frontier_report(found, language)
    tell(report, book, out, as_json, frontier_lines(found, language))
    return 0 if report.manifest["status"] == "optimal" else NOT_PROVEN


def _level(text: str | None, option: str) -> float | None:
    """Return a level as the fund file's numbers are read: ``300%`` is 3."""
    if text is None:
        return None
    read = parse_number_text(text)
    if read is None:
        raise InputError(Problem(Text("a number is needed", "应为数字"), option, text, "2.5, 250%"))
    return read[0]


@study_commands.command(help="Run one study for many funds, dates, settings or seeds.")
def batch(
    study: Annotated[Path, typer.Argument(metavar="STUDY.yaml", help="The study file.")],
    out: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Folder to write.")] = Path("out"),
    jobs: Annotated[int, typer.Option("--jobs", help="Processes; -1 for one per core.")] = -1,
    backend: Annotated[
        str, typer.Option("--backend", help="'loky' for local processes, 'dask' for a cluster.")
    ] = "loky",
    scheduler: Annotated[
        str, typer.Option("--scheduler", metavar="ADDRESS", help="Address of the Dask scheduler.")
    ] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Continue a batch that was stopped.")] = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Do every task of the study file and write one table of results; the exit status is that of the worst task."""
    import os

    from allocator.api import load
    from allocator.config.load import load_section
    from allocator.language import preferred_language
    from allocator.report.manifest import batch_manifest
    from allocator.report.progress import progress
    from allocator.study.batch import Workers, run_batch
    from allocator.study.store import Store
    from allocator.study.tasks import BatchSettings, Plan

    plan = Plan.of(load_section(study, BatchSettings), study.parent)
    store = Store(out, plan.fingerprint, len(plan), resume)
    language = preferred_language(lang, None, os.environ)
    for path in store.damaged:
        damaged = Text(
            f"warning: {path} was cut or altered; its tasks are done again",
            f"警告：{path} 不完整或被改动，其任务将重新执行",
        )
        say(typer.style(damaged[language], fg="yellow"), err=True)
    try:
        with progress(len(plan), language) as told:
            written = run_batch(plan, store, load, Workers(backend, jobs, scheduler), told)
    except KeyboardInterrupt:
        stopped = Text(
            f"stopped: {store.finished:,} of {len(plan):,} tasks are finished and kept; continue with --resume",
            f"已中断：{len(plan):,} 个任务中已完成并保存 {store.finished:,} 个；可用 --resume 继续",
        )
        say(stopped[language], err=True)
        return INTERRUPTED
    counts = store.statuses()
    if not store.signed:
        store.sign(batch_manifest(plan, study, written, counts))
        register_run(out, None, language, "batch.json")
    if as_json:
        say_json({"study": plan.spec.name, "tasks": len(plan), "rows": counts, "file": str(written)})
    else:
        told_rows = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        say(
            Text(
                f"{counted(len(plan), 'task')}; rows by status: {told_rows}. Written to {written}",
                f"{len(plan):,} 个任务；各状态行数：{told_rows}。已写入 {written}",
            )[language]
        )
    return next((status for name, status in FAILED.items() if counts.get(name)), 0)
