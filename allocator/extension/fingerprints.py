"""What an installed plugin consists of, as one number: the hash that ``plugins.pin`` holds it to.

The hash covers the files of the distribution's record and, beside them, whatever else Python could import from
its packages. Byte code kept in ``__pycache__`` is no part of it: a pinned plugin is compiled from its source.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader, all_suffixes
from importlib.metadata import Distribution
from pathlib import Path
from types import CodeType, ModuleType

from allocator.errors import PluginError, Problem
from allocator.types import Text

__all__ = ["check_pin", "fingerprint"]

_OF_THE_INSTALLER = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})
"""Files of the metadata that say how and when, not what, was installed."""

_CACHE = "__pycache__"


def fingerprint(distribution: Distribution, module: str) -> str | None:
    """Return the SHA-256 over names and contents of the files of a distribution, hexadecimal.

    Parameters
    ----------
    distribution : Distribution
        As installed: the files of its record, and every importable file in the folders of its packages.
    module : str
        The plugin's module: its outermost package must be among the files.

    Returns
    -------
    str or None
        None when the distribution does not hold the code, as an editable installation does not.
    """
    whole = hashlib.sha256()
    package = _package(module)
    files = _files(distribution, package)
    for name in sorted(files):
        content = Path(str(distribution.locate_file(name))).read_bytes()
        whole.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    holds_the_code = any(name.partition("/")[0] in (package, f"{package}.py") for name in files)
    return whole.hexdigest() if holds_the_code else None


def _package(module: str) -> str:
    return module.partition(":")[0].partition(".")[0]


def _files(distribution: Distribution, package: str) -> set[str]:
    """Return the files that are hashed, without caches, the installer's notes and console scripts."""
    recorded = {
        file.as_posix()
        for file in distribution.files or ()
        if _CACHE not in file.parts and file.name not in _OF_THE_INSTALLER and file.parts[0] != ".."
    }
    packages = {package, *(name.partition("/")[0] for name in recorded if name.endswith(tuple(all_suffixes())))}
    return recorded.union(*(_importable(distribution, name) for name in packages))


def _importable(distribution: Distribution, package: str) -> Iterator[str]:
    """Yield every file that Python could import from a package's folder, recorded or not."""
    root = Path(str(distribution.locate_file("")))
    for path in (root / package).rglob("*"):
        if path.name.endswith(tuple(all_suffixes())) and _CACHE not in path.parts:
            yield path.relative_to(root).as_posix()


class _FromSource(SourceFileLoader):
    """Compiles a module's source anew; what a cache says of it is not read."""

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code


class _PinnedFinder:
    """Finds the modules of pinned packages, ahead of the usual finders."""

    packages: set[str] = set()  # noqa: RUF012 - one for the process, as `sys.modules` is

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in cls.packages:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _FromSource(spec.loader.name, spec.loader.path)
        return spec


def check_pin(plugin: str, module: str, distribution: Distribution | None, pinned: str) -> None:
    """Refuse a plugin whose files are not the pinned ones; from now on its packages are compiled from source.

    Raises
    ------
    PluginError
        When they differ, or cannot be determined.
    """
    try:
        found = None if distribution is None else fingerprint(distribution, module)
    except OSError as error:
        found = None
        what = Text(f"a file of the plugin cannot be read: {error}", f"插件文件无法读取：{error}")
    else:
        what = Text("the plugin's files are not the pinned ones", "插件文件与 plugins.pin 的哈希不一致")
    if found == pinned.lower() and distribution is not None:
        _PinnedFinder.packages |= {
            name.partition("/")[0].removesuffix(".py") for name in _files(distribution, _package(module))
        }
        if _PinnedFinder not in sys.meta_path:
            sys.meta_path.insert(0, _PinnedFinder)
        return
    raise PluginError(
        Problem(
            what,
            f"plugins.pin.{plugin}",
            found or "an installation without the code in it, such as an editable one",
            pinned,
            Text(
                "install the release that was pinned, or pin this one after looking at it",
                "请安装已固定的版本；若确认新版本可用，请更新哈希",
            ),
        )
    )
