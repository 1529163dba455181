"""The page's templates: every text escaped, every sentence in both languages.

A template holds all markup; Python hands it values. Jinja escapes whatever it writes but `Markup`, which only
`render`, `both` and the library's own style sheet and script are.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from allocator.report.formats import FORMATS, is_missing
from allocator.types import Text, visible

__all__ = ["asset", "both", "render"]


def _clean(value: object) -> object:
    """Return what stands in the page for a value: control characters of a text as escapes."""
    return visible(value, lines=True) if isinstance(value, str) and not isinstance(value, Markup) else value


def both(text: Text) -> Markup:
    """Return a text in both languages; the page shows the one that is switched on."""
    english, chinese = _clean(text.en), _clean(text.zh)
    if english == chinese:
        return escape(english)
    shown = Markup('<span class="en" lang="en">{}</span><span class="zh" lang="zh">{}</span>')
    return shown.format(english, chinese)


def say(en: str, zh: str) -> Markup:
    """Return a sentence of a template in both languages."""
    return both(Text(en, zh))


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("allocator.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_clean,
    )
    made.filters["both"] = both
    made.globals.update(say=say, Text=Text, formats=FORMATS, is_missing=is_missing, asset=asset, fingerprint=_hash)
    return made


def render(template: str, **values: Any) -> Markup:
    """Return a template filled in."""
    return Markup(_environment().get_template(template).render(values))


@cache
def asset(name: str) -> Markup:
    """Return a style sheet or script of the library's own."""
    return Markup((files("allocator.report") / "assets" / name).read_text(encoding="utf-8"))


@cache
def _hash(*names: str) -> str:
    """Return the fingerprint by which the content security policy knows the assets, one behind the other."""
    whole = "".join(asset(name) for name in names)
    return "sha256-" + base64.b64encode(hashlib.sha256(whole.encode()).digest()).decode()
