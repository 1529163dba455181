"""What ``allocator plugins list`` shows."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.errors import AllocatorError
from allocator.extension.fingerprints import fingerprint
from allocator.extension.registry import PluginInfo, Registry, installed_plugins, load_registry
from allocator.hooks import HOOKS
from allocator.types import Language, Text, visible

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["plugin_entries", "print_plugins"]


def plugin_entries() -> list[dict[str, Any]]:
    """Return one entry for each installed plugin: where it is from, whether it loads by default, its hooks.

    Third-party plugins are not imported: they load only for a fund file that names them. Their hooks and the
    version of the hooks they ask for are read from their source text.
    """
    try:
        registry: Registry | None = load_registry()
    except AllocatorError:
        registry = None  # one of them cannot be loaded: load each alone to find out which
    return [_entry(info, registry) for info in installed_plugins()]


def _entry(info: PluginInfo, registry: Registry | None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": info.name,
        "module": info.module,
        "distribution": info.distribution,
        "version": info.version,
        "first_party": info.first_party,
        "enabled": info.first_party,
        "hooks": [],
        "requires_api": None,
        "sha256": _sha256(info),
        "error": None,
    }
    if not info.first_party:
        return entry | _declared(info.module.partition(":")[0])
    try:
        loaded = registry or _alone(info)
        entry |= {"hooks": list(loaded.hooks_of(info.name)), "requires_api": loaded.requires_api(info.name)}
    except AllocatorError as error:
        entry |= {"enabled": False, "error": error.render()}
    return entry


def _sha256(info: PluginInfo) -> str | None:
    if info.first_party or info.entry_point.dist is None:
        return None
    try:
        return fingerprint(info.entry_point.dist, info.module)
    except OSError:
        return None  # a file of its record is gone: there is nothing to pin


def _declared(module: str) -> dict[str, Any]:
    """Return what the source text of a module says of its hooks, without running it."""
    try:
        tree = ast.parse(_source(module))
    except (OSError, ImportError, SyntaxError, ValueError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    api = [
        node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and [ast.unparse(target) for target in node.targets] == ["requires_api"]
    ]
    return {"hooks": sorted(defined & set(HOOKS)), "requires_api": api[-1] if api else None}


def _source(module: str) -> bytes:
    """Return the text of a module; only its outermost package is looked up, so that nothing is imported."""
    first, *inner = module.split(".")
    found = importlib.util.find_spec(first)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(module)
    base = Path(found.origin).parent.joinpath(*inner)
    file = Path(found.origin) if not inner else base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    return file.read_bytes()


def _alone(info: PluginInfo) -> Registry:
    others = [other.name for other in installed_plugins() if other.first_party and other.name != info.name]
    return load_registry(disable=others)


def print_plugins(entries: list[dict[str, Any]], console: Console, language: Language) -> None:
    """Print the plugins as a table."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    words = (
        Text("Plugin", "插件"),
        Text("Distribution", "发行包"),
        Text("Hooks", "接口版本"),
        Text("Loads", "加载方式"),
        Text("Offers", "提供"),
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for word in words:
        table.add_column(word[language], overflow="fold")
    by_default, on_request = (
        Text("by default", "默认加载"),
        Text("when plugins.enable names it", "需在 plugins.enable 中列出"),
    )
    for entry in entries:
        loads = by_default if entry["first_party"] else on_request
        offers = entry["error"] or ", ".join(hook.removeprefix("allocator_") for hook in entry["hooks"])
        api = entry["requires_api"] or "?"
        cells = (entry["name"], f"{entry['distribution']} {entry['version']}", str(api), loads[language], offers)
        table.add_row(*(escape(visible(cell)) for cell in cells))
    console.print(table)
    if not entries:
        console.print(Text("No plugin is installed.", "未安装任何插件。")[language])
