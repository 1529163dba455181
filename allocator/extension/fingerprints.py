"""What an installed plugin consists of, as one number: the hash that ``plugins.pin`` holds it to."""

from __future__ import annotations

import hashlib
from importlib.metadata import Distribution
from pathlib import Path

from allocator.errors import PluginError, Problem
from allocator.types import Text

__all__ = ["check_pin", "fingerprint"]

_OF_THE_INSTALLER = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})
"""Files of the metadata that say how and when, not what, was installed."""


def fingerprint(distribution: Distribution, module: str) -> str | None:
    """Return the SHA-256 over names and contents of the files of a distribution, hexadecimal.

    Parameters
    ----------
    distribution : Distribution
        As installed; its record lists the files, their contents are read.
    module : str
        The plugin's module: its outermost package must be among the files.

    Returns
    -------
    str or None
        None when the distribution does not hold the code, as an editable installation does not.
    """
    whole = hashlib.sha256()
    holds_the_code = False
    package = module.partition(":")[0].partition(".")[0]
    for file in sorted(distribution.files or (), key=str):
        if file.suffix == ".pyc" or file.name in _OF_THE_INSTALLER or file.parts[0] == "..":
            continue  # compiled copies, the installer's notes, console scripts
        content = Path(str(distribution.locate_file(file))).read_bytes()
        whole.update(f"{file}\0{hashlib.sha256(content).hexdigest()}\n".encode())
        holds_the_code |= file.parts[0] in (package, f"{package}.py")
    return whole.hexdigest() if holds_the_code else None


def check_pin(plugin: str, module: str, distribution: Distribution | None, pinned: str) -> None:
    """Refuse a plugin whose files are not the pinned ones.

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
    if found == pinned.lower():
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
