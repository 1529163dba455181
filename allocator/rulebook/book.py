"""Dated figures of a rule book: thresholds, lists and ladders, each with its document, article and certainty.

A plugin keeps its figures in YAML and never as literals in code. One file holds

    documents: {key: {name, title: {en, zh}}}            a name or an article is one text, or {en, zh}
    figures:   {key: {label: {en, zh}, unit, versions: [{effective, document, article, certainty, value, note}]}}

and the version in force at the valuation date is the last whose ``effective`` is not after it. A version
without ``effective`` has always applied, as far as is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib import resources
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, model_validator

from allocator.errors import InputError, Problem
from allocator.types import Certainty, LocalizedPhrase, Source, Text

try:  # the same safe loader in C, where PyYAML was built with it: a tenth of the time
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]

__all__ = ["USER", "Figure", "RuleBook", "LocalizedName", "LocalizedText", "read_yaml"]

USER = Source("user", certainty=Certainty.USER)
"""Source of whatever the user sets in place of a rule's own figure."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class LocalizedText(_Strict):
    """A text of a rules file, in both languages."""

    en: Annotated[str, Field(min_length=1)]
    zh: Annotated[str, Field(min_length=1)]

    @property
    def text(self) -> Text:
        return Text(self.en, self.zh)


def _said(value: Any) -> str:
    """Return a text as it stands, or one that knows its Chinese where both are given."""
    if isinstance(value, str):
        return value
    given = LocalizedText.model_validate(value)
    return LocalizedPhrase(given.en, given.zh)


LocalizedName = Annotated[str, PlainValidator(_said)]
"""A name or an article: one text for all readers, or ``{en, zh}``."""


class _Document(_Strict):
    name: LocalizedName
    title: LocalizedText
    checked: date | None = None


class _Version(_Strict):
    document: str
    certainty: Certainty
    value: float | str | list[Any] | dict[str, Any]
    effective: date | None = None
    article: LocalizedName = ""
    note: LocalizedText | None = None


class _Figure(_Strict):
    label: LocalizedText
    unit: str
    versions: Annotated[tuple[_Version, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> _Figure:
        dates = [version.effective or date.min for version in self.versions]
        if any(later <= former for former, later in zip(dates, dates[1:], strict=False)):
            raise ValueError("versions must stand in the order of their effective dates")
        return self


class _File(_Strict):
    documents: dict[str, _Document]
    figures: dict[str, _Figure]

    @model_validator(mode="after")
    def _documents_exist(self) -> _File:
        for key, figure in self.figures.items():
            for version in figure.versions:
                if version.document not in self.documents:
                    raise ValueError(f"{key}: no document {version.document!r}")
        return self


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure in the version chosen.

    Parameters
    ----------
    key : str
        Its name in the rule book.
    label : Text
        What it is.
    unit : str
        Unit of its numbers.
    value : object
        A number, a list, a mapping, or a ladder (list of ``{at_least, value}``, highest step first).
    source : Source
        Document, article, effective date, certainty.
    note : Text or None
        A reading or a remark beside it.
    """

    key: str
    label: Text
    unit: str
    value: Any
    source: Source
    note: Text | None = None

    @property
    def number(self) -> float:
        """The value as one number; TypeError when it is none.

        Raises
        ------
        TypeError
            When the value is no number.
        """
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            raise TypeError(f"figure {self.key!r} is not a number")
        return float(self.value)

    @property
    def names(self) -> tuple[str, ...]:
        """The value as a list of names; TypeError when it is none.

        Raises
        ------
        TypeError
            When the value is no list of names.
        """
        if not isinstance(self.value, Sequence) or not all(isinstance(item, str) for item in self.value):
            raise TypeError(f"figure {self.key!r} is not a list of names")
        return tuple(self.value)

    @property
    def table(self) -> Mapping[str, Any]:
        """The value as a mapping; TypeError when it is none.

        Raises
        ------
        TypeError
            When the value is no mapping.
        """
        if not isinstance(self.value, Mapping):
            raise TypeError(f"figure {self.key!r} is not a table")
        return self.value

    def step(self, level: float) -> tuple[Any, float, float]:
        """Return the value of the ladder's step that holds ``level``, and the step's bounds [from, below).

        Raises
        ------
        ValueError
            When no step of the ladder holds the level.
        """
        above = float("inf")
        for step in self.value:
            from_ = float(step.get("at_least", float("-inf")))
            if level >= from_:
                return step["value"], from_, above
            above = from_
        raise ValueError(f"the ladder {self.key!r} has no step for {level}")

    def or_user(self, value: float | None) -> Figure:
        """Return the figure with the user's own number in its place, marked as such; None keeps it."""
        return self if value is None else replace(self, value=value, source=USER)


@dataclass(frozen=True, eq=False)
class RuleBook:
    """All versions of all figures of one YAML file."""

    name: str
    _file: _File

    @classmethod
    def load(cls, package: str, path: str) -> RuleBook:
        """Read ``path`` inside an importable package, once.

        Parameters
        ----------
        package : str
            Importable package that carries the file.
        path : str
            Path below the package, such as ``"rules/limits.yaml"``.

        Raises
        ------
        ValueError
            When the file does not keep the form: a defect of the package.
        """
        return _load(package, path)

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of all figures."""
        return tuple(self._file.figures)

    def title(self, source: Source) -> Text | None:
        """Return the title of the document a source names, or None for one of another book."""
        titles = {document.name: document.title.text for document in self._file.documents.values()}
        return titles.get(source.document)

    def checked(self, source: Source) -> date | None:
        """Return when the document that a source names was last compared with these figures; None where not said."""
        days = {document.name: document.checked for document in self._file.documents.values()}
        return days.get(source.document)

    def at(self, key: str, when: date, early: bool = False) -> Figure:
        """Return a figure in the version in force.

        Parameters
        ----------
        key : str
            Name of the figure; KeyError for an unknown one.
        when : datetime.date
            Valuation date.
        early : bool
            Before the first version, take that one: for rules adopted ahead of their date. Its source
            still names the date.

        Raises
        ------
        InputError
            When no version is in force yet.
        """
        figure = self._file.figures[key]
        first = figure.versions[0]
        past = [version for version in figure.versions if (version.effective or date.min) <= when]
        if not past and not early:
            raise InputError(
                Problem(
                    Text(
                        f"{figure.label.en}: the rule is not in force yet", f"{figure.label.zh}：该规则在评估日尚未施行"
                    ),
                    "fund.as_of",
                    when.isoformat(),
                    f">= {first.effective}",
                )
            )
        version = past[-1] if past else first
        document = self._file.documents[version.document]
        effective = version.effective.isoformat() if version.effective else ""
        return Figure(
            key,
            figure.label.text,
            figure.unit,
            version.value,
            Source(document.name, version.article, effective, version.certainty),
            version.note.text if version.note else None,
        )


def read_yaml(text: str) -> Any:
    """Return the content of a package's own YAML by the safe loader; yaml.YAMLError when it does not parse."""
    return yaml.load(text, Loader=SafeLoader)  # noqa: S506 - a safe loader


@cache
def _load(package: str, path: str) -> RuleBook:
    content = resources.files(package).joinpath(path).read_text(encoding="utf-8")
    try:
        return RuleBook(f"{package}/{path}", _File.model_validate(read_yaml(content)))
    except (yaml.YAMLError, ValidationError) as error:
        raise ValueError(f"{package}/{path}: {error}") from error
