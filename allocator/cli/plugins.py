"""The commands about plugins."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from allocator.cli.options import AsJson, Lang
from allocator.cli.output import console, say, say_json
from allocator.language import preferred_language
from allocator.types import Text

__all__ = ["plugin_commands"]

plugin_commands = typer.Typer(
    help="What is installed, enabled, and from where.", no_args_is_help=True, rich_markup_mode=None
)

NOT_CONFORMING = 2
"""Exit status of a plugin that does not keep its promises."""


@plugin_commands.command("list", help="List the installed plugins and what they offer.")
def plugins_list(lang: Lang = None, as_json: AsJson = False) -> int:
    """List plugins; a plugin that cannot be loaded is listed with its error."""
    from allocator.report.plugins import plugin_entries, print_plugins

    entries = plugin_entries()
    if as_json:
        say_json({"plugins": entries})
    else:
        print_plugins(entries, console(), preferred_language(lang, None, os.environ))
    return 0


@plugin_commands.command("new", help="Create a plugin project whose tests pass unchanged.")
def plugins_new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the plugin and of its package.")],
    parts: Annotated[
        str, typer.Option("--with", metavar="PART,…", help="What it starts with: constraint, tilt, objective …")
    ] = "constraint",
    parent: Annotated[Path, typer.Option("--in", metavar="DIR", help="Where to create the project's folder.")] = Path(),
    lang: Lang = None,
) -> int:
    """Write the folder NAME with a package, its tests, a README and a CI file."""
    from allocator.testing.scaffold import write_project

    folder = write_project(name, [part.strip() for part in parts.split(",") if part.strip()], parent)
    written = Text(
        f"Written to {folder}/. Next: pip install -e {folder} and pytest {folder}",
        f"已写入 {folder}/。下一步：pip install -e {folder}，再运行 pytest {folder}",
    )
    say(written[preferred_language(lang, None, os.environ)])
    return 0


@plugin_commands.command("check", help="Test everything a plugin offers on a small fund, and report what fails.")
def plugins_check(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of an installed plugin.")],
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Run the conformance suite on one plugin."""
    from allocator.testing import Outcome, conformance
    from allocator.testing.conformance_report import finding_entries, print_findings

    findings = conformance(name)
    failed = any(finding.outcome is Outcome.FAILED for finding in findings)
    if as_json:
        status = "failed" if failed else "conforms"
        say_json({"plugin": name, "status": status, "findings": finding_entries(findings)})
    else:
        print_findings(name, findings, console(), preferred_language(lang, None, os.environ))
    return NOT_CONFORMING if failed else 0
