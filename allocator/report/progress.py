"""How far a batch or a study is: a bar with the time left on a terminal, plain lines elsewhere, on standard error."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from allocator.types import Language, Text

__all__ = ["progress", "waiting"]

EVERY = 10.0
"""Seconds between two plain lines."""

PATIENCE = 2.0
"""Seconds after which a study that says nothing is told to be at work."""

PERIOD = 1800.0
"""Seconds over which the bar takes the pace: a task may last minutes."""


@contextmanager
def progress(total: int, language: Language) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how many of ``total`` tasks are finished."""
    if sys.stderr.isatty():
        yield from _bar(total, language)
    else:
        yield _lines(total, language)


def _bar(total: int, language: Language) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn(Text("tasks", "任务")[language]),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn(Text("left", "剩余")[language]),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), speed_estimate_period=PERIOD) as shown:
        bar = shown.add_task("", total=total)
        yield lambda finished: shown.update(bar, completed=finished)


def _lines(total: int, language: Language) -> Callable[[int], None]:
    start = time.monotonic()
    first: list[int] = []
    last = [start]

    def told(finished: int) -> None:
        first[:] = first or [finished]
        now = time.monotonic()
        if now - last[0] < EVERY and finished < total:
            return
        last[0] = now
        done = finished - first[0]
        left = (now - start) / done * (total - finished) if done else 0.0
        line = Text(
            f"{finished:,} of {total:,} tasks, {now - start:,.0f} s, about {left:,.0f} s left",
            f"已完成 {finished:,} / {total:,}，用时 {now - start:,.0f} 秒，约剩 {left:,.0f} 秒",
        )
        sys.stderr.write(line[language] + "\n")

    return told


@contextmanager
def waiting(what: Text, language: Language) -> Iterator[None]:
    """Say on standard error that a study is at work and for how long, once it takes more than two seconds."""
    done = threading.Event()
    thread = threading.Thread(target=_tell, args=(what[language], language, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _tell(what: str, language: Language, done: threading.Event) -> None:
    stream, start = sys.stderr, time.monotonic()
    is_terminal, shown = stream.isatty(), ""
    if done.wait(PATIENCE):
        return
    while True:
        seconds = time.monotonic() - start
        shown = Text(f"{what}: at work for {seconds:,.0f} s", f"{what}：已用时 {seconds:,.0f} 秒")[language]
        stream.write(f"\r{shown}" if is_terminal else f"{shown}\n")
        stream.flush()
        if done.wait(1.0 if is_terminal else EVERY):
            break
    if is_terminal:
        stream.write("\r" + " " * 2 * len(shown) + "\r")
