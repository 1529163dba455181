"""The command line. It is thin: every command calls `allocator.pipeline` and shows what comes back.

Only typer and the ground floor are imported at the top, so that ``allocator --help`` answers at once.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, cast

import typer
from typer.core import TyperGroup

from allocator.errors import AllocatorError, Infeasible, InputError, NotProven, Problem
from allocator.report.language import preferred_language
from allocator.types import Language, Text

if TYPE_CHECKING:
    from rich.console import Console

    from allocator.pipeline import Fund
    from allocator.result import Result

__all__ = ["app", "main"]

NOT_PROVEN = 4
"""Exit status of an answer that meets every requirement while its optimality is open."""


class _UsageError(InputError):
    """A command line that cannot be understood."""

    title = Text("the command cannot be understood", "命令用法有误")


class _Commands(TyperGroup):
    """The command group; a name the library does not know is looked up among the plugins' commands."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return super().get_command(ctx, cmd_name) or _plugin_command(cmd_name)


def _plugin_command(name: str) -> Any:
    from allocator.registry import load_registry

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
    epilog="Plugins may add commands: see 'allocator plugins list'.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # halves the time of --help
    add_completion=False,
)
plugins_app = typer.Typer(
    help="What is installed, enabled, and from where.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(plugins_app, name="plugins")

FundFile = Annotated[Path, typer.Argument(metavar="FUND.yaml", help="The fund file.")]
Overrides = Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="Change one setting; repeatable.")]
Lang = Annotated[Language | None, typer.Option("--lang", help="Language of whatever people read.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a defect.")] = False,
) -> None:
    """Take the options that stand before a command; `main` reads ``--debug`` itself."""


@app.command(help="Optimize, verify, write the output folder.")
def run(
    fund: FundFile,
    out: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Folder to write.")] = Path("out"),
    overrides: Overrides = [],  # noqa: B006
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Optimize, verify, write OUT/, show the summary."""
    from time import perf_counter

    from allocator.report.view import View
    from allocator.report.writer import check_folder, dump_json, write_failure, write_view

    check_folder(out)
    start = perf_counter()
    book = _load(fund, overrides)
    loaded = perf_counter() - start
    try:
        result = book.optimize()
    except (Infeasible, NotProven) as error:
        write_failure(error, book.inputs, out, lang)
        raise
    view = View.of(_with_seconds(result, load=loaded), _language(lang, book))
    write_view(view, out)
    if as_json:
        typer.echo(dump_json(view.manifest))
    else:
        from allocator.report.console import print_summary

        console = _console()
        print_summary(view, console)
        written = Text(
            f"Written to {out}/: report.html, report.xlsx, CSV files, run.json",
            f"已写入 {out}/：report.html、report.xlsx、CSV 文件与 run.json",
        )
        console.print(written[view.language], markup=False, highlight=False)
    return 0 if result.solution.status == "optimal" else NOT_PROVEN


def _with_seconds(result: Result, **more: float) -> Result:
    from dataclasses import replace

    return replace(result, seconds={**more, **result.seconds})


@app.command(help="Capital, ratios, rule checks of what is held; no optimizer.")
def capital(
    fund: Annotated[Path | None, typer.Argument(metavar="[FUND.yaml]", help="The fund file.")] = None,
    filed: Annotated[Path | None, typer.Option("--filed", metavar="FILE.csv", help="Filed module amounts.")] = None,
    unit: Annotated[float, typer.Option("--unit", help="CNY per unit of the filed amounts.")] = 1e4,
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
                Text("give either a fund file or --filed", "请给出基金文件或 --filed 之一"),
                "allocator capital",
                hint=Text("allocator capital FUND.yaml", "allocator capital FUND.yaml"),
            )
        )
    if filed is not None:
        outcome = aggregate_filed(filed, unit, size_factor, regime)
        language = preferred_language(lang, None, os.environ)
    else:
        assert fund is not None
        book = _load(fund, overrides)
        outcome, language = capital_report(book), _language(lang, book)
    if out is not None:
        outcome.save(out)
    if as_json:
        from allocator.report.writer import dump_json

        typer.echo(dump_json(outcome.entry))
    else:
        outcome.show(_console(), language)
    return 0


@app.command(help="Check every input and the wiring; list all problems at once.")
def validate(fund: FundFile, overrides: Overrides = [], lang: Lang = None, as_json: AsJson = False) -> int:  # noqa: B006
    """Read everything, build the capital and the model, and say what a reader must know."""
    from allocator.report.manifest import note_entry
    from allocator.report.writer import dump_json

    book = _load(fund, overrides)
    notes = book.validate()
    if as_json:
        rows = {name: len(table) for name, table in book.inputs.tables.items()}
        typer.echo(dump_json({"status": "valid", "rows": rows, "notes": [note_entry(note) for note in notes]}))
        return 0
    language = _language(lang, book)
    for name, table in book.inputs.tables.items():
        typer.echo(Text(f"{name}: {len(table):,} rows", f"{name}：{len(table):,} 行")[language])
    for note in notes:
        typer.echo(f"· {note.text[language]}" + (f" ({note.article})" if note.article else ""))
    typer.echo(Text("Everything can be used.", "全部输入可用。")[language])
    return 0


@app.command(help="Shadow prices in words; if infeasible, the rules in conflict.")
def explain(fund: FundFile, overrides: Overrides = [], lang: Lang = None, as_json: AsJson = False) -> int:  # noqa: B006
    """Optimize and say what each binding rule costs."""
    from allocator.report.explain import explain_entry, explain_lines
    from allocator.report.view import View

    book = _load(fund, overrides)
    view = View.of(book.optimize(), _language(lang, book))
    if as_json:
        from allocator.report.writer import dump_json

        typer.echo(dump_json(explain_entry(view)))
    else:
        for line in explain_lines(view):
            typer.echo(line)
    return 0 if view.result.solution.status == "optimal" else NOT_PROVEN


@app.command(help="Make a fund folder to start from.")
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make.")], lang: Lang = None) -> int:
    """Write a commented fund file and a table of every kind."""
    from allocator.inputs.template import write_template
    from allocator.registry import load_registry

    write_template(folder, load_registry())
    written = Text(
        f"Written to {folder}/. Next: allocator validate {folder}/fund.yaml",
        f"已写入 {folder}/。下一步：allocator validate {folder}/fund.yaml",
    )
    typer.echo(written[preferred_language(lang, None, os.environ)])
    return 0


@plugins_app.command("list", help="List the installed plugins and what they offer.")
def plugins_list(lang: Lang = None, as_json: AsJson = False) -> int:
    """List plugins; a plugin that cannot be loaded is listed with its error."""
    from allocator.report.plugins import plugin_entries, print_plugins

    entries = plugin_entries()
    if as_json:
        from allocator.report.writer import dump_json

        typer.echo(dump_json({"plugins": entries}))
    else:
        print_plugins(entries, _console(), preferred_language(lang, None, os.environ))
    return 0


def _load(fund: Path, overrides: Sequence[str]) -> Fund:
    from allocator.pipeline import load

    return load(fund, overrides)


def _language(lang: Language | None, book: Fund) -> Language:
    return preferred_language(lang, book.inputs.settings.language, os.environ)


def _console() -> Console:
    """Return a console that is wide enough for the tables when nobody looks at it through a terminal."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=120)


def _spoken(arguments: Sequence[str]) -> Language:
    """Return the language of the command line, before it is parsed."""
    for position, argument in enumerate(arguments):
        given = argument.removeprefix("--lang=") if argument.startswith("--lang=") else None
        if argument == "--lang" and position + 1 < len(arguments):
            given = arguments[position + 1]
        if given in set(Language):
            return Language(given)
    return preferred_language(None, None, os.environ)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(_status(given))


def _status(arguments: list[str]) -> int:
    debug = "--debug" in arguments
    language, as_json = _spoken(arguments), "--json" in arguments
    command = typer.main.get_command(app)
    if language is Language.CHINESE:
        from allocator.report.help import translate

        translate(command)
    usage_error = cast(type[Exception], typer.BadParameter.__base__)
    try:
        status = command.main(arguments, prog_name="allocator", standalone_mode=False)
    except AllocatorError as error:
        return _report(error, language, as_json)
    except usage_error as error:
        return _usage(error, language, as_json)
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        return 1
    except Exception as error:
        if debug:
            traceback.print_exc()
        what = Text(f"{type(error).__name__}: {error}", f"{type(error).__name__}：{error}")
        hint = Text("this is a defect; --debug shows where", "这是程序缺陷；加 --debug 查看出错位置")
        return _report(AllocatorError(Problem(what, hint=hint)), language, as_json)
    return status if isinstance(status, int) else 0


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
        from allocator.report.writer import dump_json

        typer.echo(dump_json(failure_entry(error)))
    return error.exit_status
