"""The command line. It is thin: every command calls `allocator.pipeline.fund` and shows what comes back.

A family of commands is a module of this folder; this one joins them and turns errors into exit statuses.
Only typer and the ground floor are imported at the top, so that ``allocator --help`` answers at once.
"""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn, cast

import typer
from typer.core import TyperGroup

from allocator.cli.audit import audit_commands
from allocator.cli.fund import fund_commands
from allocator.cli.options import INTERRUPTED
from allocator.cli.output import say_json, take_standard_streams
from allocator.cli.plugins import plugin_commands
from allocator.cli.register import register_commands
from allocator.cli.scenarios import scenario_commands
from allocator.cli.studies import study_commands
from allocator.errors import AllocatorError, InputError, Problem
from allocator.language import preferred_language
from allocator.types import Language, Text

__all__ = ["app", "main"]


_USAGE_ERROR = cast(type[Exception], typer.BadParameter.__base__)
"""What typer raises for a command line it cannot read."""

LARGEST_FILE = 1 << 20
"""Bytes of a fund file looked at for its language."""
_LANGUAGE = re.compile(rb"^language:[ \t]*[\"']?(en|zh)\b", re.MULTILINE)
OBJECTS = 50_000
"""Objects that a command makes before Python looks for cycles among them, instead of 700."""


class _UsageError(InputError):
    """A command line that cannot be understood."""

    title = Text("the command cannot be understood", "命令用法有误")


class _Commands(TyperGroup):
    """The command group: the library's own commands, and those of plugins."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return super().get_command(ctx, cmd_name) or _plugin_command(cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the library's commands, then of the plugins'."""
        own = super().list_commands(ctx)
        return [*own, *(name for name in sorted(_announced()) if name not in own)]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each command with its whole summary; long ones go on below."""
        found = [(name, super(_Commands, self).get_command(ctx, name)) for name in super().list_commands(ctx)]
        rows = [(name, command.help or "") for name, command in found if command is not None]
        language, own = _spoken(sys.argv[1:]), dict(rows)
        for name, package in sorted(_announced().items()):
            if name not in own:
                rows.append((name, Text(f"A command of {package}.", f"{package} 的命令。")[language]))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _announced() -> dict[str, str]:
    """Return the plugins' commands with their packages, as announced in the entry points: nothing is imported."""
    from importlib.metadata import entry_points

    return {one.name: one.module.partition(".")[0] for one in entry_points(group="allocator.commands")}


def _plugin_command(name: str) -> Any:
    from allocator.extension.registry import load_registry

    spec = load_registry().commands.get(name)
    if spec is None:
        return None
    single = typer.Typer(add_completion=False, rich_markup_mode=None)
    single.command(name, help=spec.help[_spoken(sys.argv[1:])])(spec.function)
    return typer.main.get_command(single)


app = typer.Typer(
    cls=_Commands,
    name="allocator",
    help="Decide how a life insurer's capital is invested, under the solvency rules it lives under.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # halves the time of --help
    add_completion=False,
)
app.add_typer(fund_commands)
app.add_typer(audit_commands)
app.add_typer(register_commands)
app.add_typer(study_commands)
app.add_typer(scenario_commands)
app.add_typer(plugin_commands, name="plugins")


def _version(asked: bool) -> None:
    """Print the version and leave, where it was asked for."""
    if asked:
        from importlib.metadata import version

        typer.echo(f"allocator {version('allocator-insurance')}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback when the program fails.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options that stand before a command; `main` reads ``--debug`` itself."""


def _spoken(arguments: Sequence[str]) -> Language:
    """Return the language of the command line, before it is parsed."""
    for position, argument in enumerate(arguments):
        given = argument.removeprefix("--lang=") if argument.startswith("--lang=") else None
        if argument == "--lang" and position + 1 < len(arguments):
            given = arguments[position + 1]
        if given in set(Language):
            return Language(given)
    return preferred_language(None, _language_of_file(arguments), os.environ)


def _language_of_file(arguments: Sequence[str]) -> str | None:
    """Return the language that the fund file among the arguments asks for, read before anything in it is checked."""
    for argument in reversed(arguments):
        name, _, value = argument.partition("=")
        if name == "language" and value in set(Language):
            return value
        if argument.endswith((".yaml", ".yml")) and os.path.isfile(argument):
            with open(argument, "rb") as file:
                found = _LANGUAGE.search(file.read(LARGEST_FILE))
            if found:
                return found[1].decode()
    return None


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit status."""
    if arguments is not None:
        sys.exit(_status(list(arguments)))
    # The process lives for this command alone: it looks for cycles seldom, and what is left ends with it.
    gc.set_threshold(OBJECTS)
    take_standard_streams()
    status = _status(sys.argv[1:])
    gc.freeze()
    sys.exit(status)


def _status(arguments: list[str]) -> int:
    debug = "--debug" in arguments
    language, as_json = _spoken(arguments), "--json" in arguments
    command = typer.main.get_command(app)
    if language is Language.CHINESE:
        from allocator.report.help import translate

        translate(command)
    with _interruptions() as seen:
        try:
            status = command.main(arguments, prog_name="allocator", standalone_mode=False)
            sys.stdout.flush()
        except (typer.Abort, KeyboardInterrupt):
            return INTERRUPTED
        except Exception as error:
            if debug and not isinstance(error, (AllocatorError, _USAGE_ERROR)):
                traceback.print_exc()
            return INTERRUPTED if seen else _told(error, language, as_json)
    return status if isinstance(status, int) else 0


@contextmanager
def _interruptions() -> Iterator[list[int]]:
    """Give a list of the Ctrl-C that came: a library may make an error of its own of the KeyboardInterrupt it meets."""
    seen: list[int] = []

    def note(number: int, frame: object) -> None:
        seen.append(number)
        raise KeyboardInterrupt

    usual = signal.getsignal(signal.SIGINT)
    if usual is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield seen
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, usual)


def _told(error: Exception, language: Language, as_json: bool) -> int:
    """Say what went wrong and return the exit status."""
    if isinstance(error, AllocatorError):
        return _report(error, language, as_json)
    if isinstance(error, _USAGE_ERROR):
        return _usage(error, language, as_json)
    what = Text(f"{type(error).__name__}: {error}", f"{type(error).__name__}：{error}")
    hint = Text("this is a defect; --debug shows where", "这是程序缺陷；加 --debug 查看出错位置")
    return _report(AllocatorError(Problem(what, hint=hint)), language, as_json)


def _usage(error: Any, language: Language, as_json: bool) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(error.format_message(), err=True)
        return InputError.exit_status
    from allocator.report.help import usage_error

    message = error.format_message().rstrip(".")
    where = context.command_path if context is not None else "allocator"
    hint = Text(f"see '{where} --help'", f"参见 '{where} --help'")
    return _report(_UsageError(Problem(Text(message, usage_error(message)), where, hint=hint)), language, as_json)


def _report(error: AllocatorError, language: Language, as_json: bool) -> int:
    """Say what is wrong on standard error; with ``--json`` print it as the one object too."""
    title = typer.style(Text(f"error: {error.title.en}", f"错误：{error.title.zh}")[language], fg="red", bold=True)
    typer.echo(title, err=True)
    for problem in error.problems:
        typer.echo(f"  {problem.render(language)}", err=True)
    if as_json:
        from allocator.report.manifest import failure_entry

        say_json(failure_entry(error))
    return error.exit_status
