"""Which versions of what software a result comes from."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from types import MappingProxyType

from allocator.extension.fingerprints import fingerprint
from allocator.extension.registry import installed_plugins

__all__ = ["OWN", "requirements_of", "versions_of"]

OWN = "allocator-insurance"
ON_REQUEST = ("scikit-learn", "pyscipopt")
"""Packages of extras that a fund file can ask for: they enter a result where they are installed."""

SHORT = 12
"""Digits of a plugin's hash that are told."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r";.*\bextra\b")


def versions_of(plugins: tuple[str, ...] = ()) -> Mapping[str, str]:
    """Return what a result depends on, name → version.

    Python, this library, every package that it requires, directly or through others, and each plugin of another
    distribution with its own version and the beginning of its hash.

    Parameters
    ----------
    plugins : tuple of str
        Plugins of other distributions that the fund file enables.
    """
    found = {"python": platform.python_version(), "allocator": "0+source"}
    required = dict(requirements_of((OWN, *ON_REQUEST)))
    if OWN in required:
        found["allocator"] = required.pop(OWN)
    enabled = {info.name: info for info in installed_plugins() if info.name in plugins} if plugins else {}
    for name, info in sorted(enabled.items()):
        held = info.entry_point.dist
        if held is not None:
            hashed = fingerprint(held, info.module)
            found[f"plugin {name}"] = held.version if hashed is None else f"{held.version} {hashed[:SHORT]}"
            required |= requirements_of((held.metadata["Name"],))
    return MappingProxyType(found | dict(sorted(required.items())))


@cache
def requirements_of(names: tuple[str, ...]) -> Mapping[str, str]:
    """Return these distributions and all that they require, where installed; extras are left out."""
    found: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        plain = re.sub(r"[-_.]+", "-", name).lower()
        if plain in found:
            continue
        try:
            held = distribution(name)
        except PackageNotFoundError:  # for another platform, or an extra that is not asked for
            continue
        found[plain] = held.version
        waiting += _requirements(held)
    return found


def _requirements(held: Distribution) -> Iterator[str]:
    for line in held.requires or ():
        name = _NAME.match(line)
        if name is not None and not _EXTRA.search(line):
            yield name.group()
