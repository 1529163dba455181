"""The commands about plugins."""

from __future__ import annotations

import os

import typer

from allocator.cli.options import AsJson, Lang, console
from allocator.report.language import preferred_language

__all__ = ["plugin_commands"]

plugin_commands = typer.Typer(
    help="What is installed, enabled, and from where.", no_args_is_help=True, rich_markup_mode=None
)


@plugin_commands.command("list", help="List the installed plugins and what they offer.")
def plugins_list(lang: Lang = None, as_json: AsJson = False) -> int:
    """List plugins; a plugin that cannot be loaded is listed with its error."""
    from allocator.report.plugins import plugin_entries, print_plugins

    entries = plugin_entries()
    if as_json:
        from allocator.report.writer import dump_json

        typer.echo(dump_json({"plugins": entries}))
    else:
        print_plugins(entries, console(), preferred_language(lang, None, os.environ))
    return 0
