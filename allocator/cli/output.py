"""What the command line writes: text that any encoding takes, JSON unaltered, names without control characters.

A reader who leaves early (``| head``) or was never there changes no exit status; a full device is told with its place.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import typer

from allocator.errors import InputError, Problem
from allocator.types import Text, visible

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["console", "say", "say_json", "take_standard_streams"]

PLAIN = str.maketrans(
    {
        **dict.fromkeys("−–—─━‐‑", "-"),
        **{
            "·": ".",
            "•": "*",
            "…": "...",
            "≥": ">=",
            "≤": "<=",
            "→": "->",
            "×": "x",
            "∞": "inf",
            "Δ": "d",
            "Σ": "sum ",
        },
        **dict.fromkeys("“”„", '"'),
        **dict.fromkeys("‘’", "'"),
        **{"，": ", ", "。": ".", "：": ": ", "；": "; ", "（": " (", "）": ") ", "√": "sqrt", "²": "2"},
    }
)
"""What stands for a sign of the library's own where an encoding lacks it; other characters become escapes."""


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """Return what an encoding can hold instead of the characters that it lacks."""
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    plain = lacking.translate(PLAIN)
    return plain.encode(error.encoding, "backslashreplace").decode(error.encoding), error.end


codecs.register_error("allocator", _replaced)


class _Stream(io.TextIOWrapper):
    """Standard output or error: what nobody reads any more is dropped, a full device is an error of the input."""

    def write(self, text: str) -> int:
        with self._watched():
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        with self._watched():
            super().flush()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._drop()
            if isinstance(error, BrokenPipeError) or self.fileno() != STANDARD_OUTPUT:
                return
            what = Text("standard output cannot be written", "无法写入标准输出")
            hint = Text("what goes to a folder was written before", "写入目录的结果此前已经写好")
            raise InputError(Problem(what, "stdout", error.strerror, hint=hint)) from error

    def _drop(self) -> None:
        """Send the rest, what is buffered with it, to nowhere."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


STANDARD_OUTPUT, STANDARD_ERROR = 1, 2


def take_standard_streams() -> None:
    """Give the process standard streams that take every character."""
    for descriptor, name in ((STANDARD_OUTPUT, "stdout"), (STANDARD_ERROR, "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            # Closed by the caller: the next file opened must not take its place.
            setattr(sys, name, _nowhere(descriptor))
        elif hasattr(stream, "buffer"):
            buffered = stream.line_buffering
            made = _Stream(stream.detach(), encoding=stream.encoding, errors="allocator", line_buffering=buffered)
            setattr(sys, name, made)


def _nowhere(descriptor: int) -> TextIO:
    """Return a stream to nowhere at a descriptor that was closed."""
    opened = os.open(os.devnull, os.O_WRONLY)
    if opened != descriptor:
        os.dup2(opened, descriptor)
        os.close(opened)
    return open(descriptor, "w", encoding="utf-8", closefd=False)


def say(text: str, *, err: bool = False) -> None:
    """Print a line; control characters in it stand as escapes."""
    typer.echo(visible(text), err=err)


def say_json(value: Any) -> None:
    """Print one JSON object, as ASCII where the encoding of standard output lacks a character of it."""
    from allocator.report.writer import dump_json

    text = visible(dump_json(value), lines=True)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(json.loads(text), indent=2)
    typer.echo(text)


def console() -> Console:
    """Return a console that is wide enough for the tables when nobody looks at it through a terminal."""
    from rich.console import Console

    class Screen(Console):
        """A console on which control characters of a text stand as escapes."""

        def print(self, *objects: Any, **options: Any) -> None:
            shown = (visible(one, lines=True) if isinstance(one, str) else one for one in objects)
            super().print(*shown, **options)

    return Screen() if sys.stdout.isatty() else Screen(width=120)
