"""Writes docs/hooks/: a page for every hook, from its specification. Run: python docs/build_hook_pages.py"""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any

from allocator import hooks
from allocator.extension.contracts import CONTRACTS
from allocator.testing.scaffold import PARTS, project_files

HERE = Path(__file__).resolve().parent / "hooks"
EXAMPLE = "my_plugin"
SETTINGS = "../settings.md"
OPTIONED = frozenset(hook for hook, contract in CONTRACTS.items() if hasattr(contract.kind, "options"))


COMMON = {
    "name": "Name under which the fund file or the command line asks for it.",
    "label": "For reports, in both languages.",
    "title": "Heading, in both languages.",
    "help": "For `--help`, in both languages.",
    "options": "Model of its own keys: derive it from `Section`, which refuses unknown keys.",
    "build": "As above; called when the fund is built.",
    "tables": "As above; called with the verified result.",
    "function": "As above.",
}
"""What fields mean that a specification does not describe itself."""


def pages() -> dict[str, str]:
    """Return the pages by file name."""
    written = {f"{hook}.md": _page(hook) for hook in hooks.HOOKS}
    return {"index.md": _index(), **written}


def _index() -> str:
    rows = [f"| [`{hook}`]({hook}.md) | {_first(getattr(hooks, hook))} |" for hook in hooks.HOOKS]
    intro = (
        "Everything enters through these hooks, first-party plugins as well as yours. Each takes no arguments and "
        "returns a list or a tuple of specifications; None or an empty one means no offers. How to write a plugin: "
        "[plugins.md](../plugins.md). These pages are written from the specifications by `docs/build_hook_pages.py`."
    )
    return "\n".join(["# Hooks", "", intro, "", "| hook | what it is for |", "|---|---|", *rows, ""])


def _page(hook: str) -> str:
    contract = CONTRACTS[hook]
    parts = [f"# `{hook}`", _prose(inspect.getdoc(getattr(hooks, hook)) or "")]
    parts += [f"## What it returns: `{contract.kind.__name__}`", _specification(contract.kind)]
    if contract.calls:
        names = ", ".join(f"`{name}`" for name in contract.calls)
        parts += [
            f"Calls of {names} are guarded: an exception, a result that breaks the contract, a write to its "
            "tables and a call that takes longer than `plugins.time_limit` are reported with the plugin's name."
        ]
    parts += [f"What first-party plugins offer: [every key]({SETTINGS})."] if hook in OPTIONED else []
    example = _example(hook)
    if example:
        key, code = example
        parts += [
            "## A starting point",
            f"`allocator plugins new {EXAMPLE} --with {key}` writes a project around this:",
            f'```python title="{key}.py"\n{code.strip()}\n```',
        ]
    return "\n\n".join(parts) + "\n"


def _first(function: Any) -> str:
    return re.split(r"(?<=\.)\s", _prose(inspect.getdoc(function) or ""), maxsplit=1)[0]


def _prose(text: str) -> str:
    """Return reStructuredText as it stands in docstrings in Markdown."""
    return text.replace("``", "`")


def _specification(kind: type) -> str:
    """Return the docstring of a specification with its parameters as a table."""
    text = inspect.getdoc(kind) or ""
    head, _, described = text.partition("\nParameters\n----------\n")
    meaning = _parameters(described)
    rows = []
    for field in dataclasses.fields(kind):
        needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        text_of_field = meaning.get(field.name) or COMMON.get(field.name, "")
        rows.append(f"| `{field.name}` | {'yes' if needed else 'no'} | `{_type(field.type)}` | {text_of_field} |")
    return "\n".join([_prose(head.strip()), "", "| field | needed | type | meaning |", "|---|---|---|---|", *rows])


def _type(annotation: Any) -> str:
    return str(annotation if isinstance(annotation, str) else annotation.__name__).replace("|", "\\|")


def _parameters(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    names: list[str] = []
    for line in text.splitlines():
        heading = re.fullmatch(r"(\w+(?:, \w+)*) : .*", line)
        if heading:
            names = heading.group(1).split(", ")
            found |= dict.fromkeys(names, "")
        elif line.startswith(" "):
            for name in names:
                found[name] = f"{found[name]} {_prose(line.strip())}".strip().replace("|", "\\|")
        else:
            names = []
    return found


def _example(hook: str) -> tuple[str, str] | None:
    for key, part in PARTS.items():
        if part.hook == hook:
            return key, project_files(EXAMPLE, [key])[f"src/{EXAMPLE}/{key}.py"].decode()
    return None


def main() -> None:
    """Write the pages."""
    HERE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
