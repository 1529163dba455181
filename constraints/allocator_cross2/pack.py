"""The rules at one date: every figure in the version in force, with its document and article.

Factors live in ``rules/*.yaml`` only. A pack is chosen by the valuation date, so that a report of 2022 and
one of 2026 both reproduce. A what-if replaces single numbers of a pack; the pack remembers which, so that
whatever they touch is marked as not the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from allocator.plugin import LocalizedPhrase, Problems, Source, Text, did_you_mean
from allocator.plugin.rules import read_yaml
from allocator_cross2.figures import (
    Document,
    Figure,
    FigureFile,
    Interpretation,
    MarginalBrackets,
    Matrix,
    Piecewise,
    Points,
    StepTable,
)

__all__ = ["FIRST_DATE", "RulePack"]

FIRST_DATE = date(2022, 3, 31)
"""The first report under the rules (Ⅱ) is that of 2022 Q1."""

T = TypeVar("T")
_FIGURE: TypeAdapter[Figure] = TypeAdapter(Figure)


@dataclass(frozen=True, slots=True)
class _Library:
    documents: Mapping[str, Document]
    readings: Mapping[str, Interpretation]
    figures: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class _Entry:
    value: Any
    label: Text
    unit: str
    source: Source


@lru_cache(maxsize=1)
def _library() -> _Library:
    """Read and check every YAML file of the package once."""
    documents: dict[str, Document] = {}
    readings: dict[str, Interpretation] = {}
    figures: dict[str, Figure] = {}
    for file in sorted(resources.files("allocator_cross2").joinpath("rules").iterdir(), key=lambda path: path.name):
        if not file.name.endswith(".yaml"):
            continue
        try:
            content = FigureFile.model_validate(read_yaml(file.read_text(encoding="utf-8")))
        except (yaml.YAMLError, ValidationError) as error:
            raise ValueError(f"rules/{file.name}: {error}") from error
        _join(documents, content.documents, file.name)
        _join(readings, content.readings, file.name)
        _join(figures, content.figures, file.name)
    for key, figure in figures.items():
        for version in figure.versions:
            if version.document not in documents:
                raise ValueError(f"{key}: no document {version.document!r} in rules/documents.yaml")
    return _Library(documents, readings, figures)


def _join(known: dict[str, T], added: Mapping[str, T], file: str) -> None:
    repeated = sorted(set(known) & set(added))
    if repeated:
        raise ValueError(f"rules/{file}: defined twice: {', '.join(repeated)}")
    known.update(added)


@dataclass(frozen=True, eq=False)
class RulePack:
    """The figures in force at one date.

    Parameters
    ----------
    valuation_date : datetime.date
        The day the figures are in force.
    _entries : mapping of str to entry
        Figures in force by key.
    readings : mapping of str to bool
        The answer taken to each question the text leaves open.
    overridden : frozenset of str
        Keys of figures changed by the user: whatever they touch is not the rule.
    """

    valuation_date: date
    _entries: Mapping[str, _Entry] = field(repr=False)
    readings: Mapping[str, bool]
    overridden: frozenset[str] = frozenset()

    @classmethod
    def at(
        cls,
        when: date,
        overrides: Mapping[str, float] = MappingProxyType({}),
        readings: Mapping[str, bool] = MappingProxyType({}),
    ) -> RulePack:
        """Return the pack in force at ``when``.

        Parameters
        ----------
        when : datetime.date
            Valuation date, not before 2022-03-31.
        overrides : mapping of str to float
            Figure key → number that replaces it. A number inside a table is reached by a longer path:
            ``default.derivative.AA+``, ``default.deposit.city.2`` (second step of a ladder).
        readings : mapping of str to bool
            Answers that differ from the defaults of ``rules/readings.yaml``.

        Raises
        ------
        InputError
            For a date before the rules, an unknown key or reading, naming the nearest one.
        """
        problems = Problems()
        if when < FIRST_DATE:
            problems.add(
                Text("the rules (Ⅱ) do not apply at this date", "该日期不适用偿付能力监管规则（Ⅱ）"),
                "fund.as_of",
                when.isoformat(),
                _from(FIRST_DATE),
                Text(
                    "they apply from the report of the first quarter of 2022",
                    "规则（Ⅱ）自2022年第1季度偿付能力报告起施行",
                ),
            )
            problems.raise_if_any()
        library = _library()
        changed = _apply(library, when, overrides, problems)
        for name in readings:
            if name not in library.readings:
                _unknown(
                    problems,
                    Text("no such reading", "没有该解释选项"),
                    f"capital.readings.{name}",
                    name,
                    library.readings,
                )
        problems.raise_if_any()
        entries = {**_in_force(when), **{key: _entry(library, figure, when) for key, figure in changed.items()}}
        answers = {name: reading.default for name, reading in library.readings.items()}
        return cls(when, MappingProxyType(entries), MappingProxyType({**answers, **readings}), frozenset(changed))

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[str]:
        """Yield the keys of all figures in force."""
        return iter(self._entries)

    def value(self, key: str) -> float:
        """Return a number."""
        return float(self._get(key, float))

    def table(self, key: str) -> Mapping[str, float]:
        """Return numbers by name."""
        return self._get(key, MappingProxyType)

    def names(self, key: str) -> tuple[str, ...]:
        """Return a list of names."""
        return self._get(key, tuple)

    def ladder(self, key: str) -> StepTable:
        """Return steps by size."""
        return self._get(key, StepTable)

    def bands(self, key: str) -> MarginalBrackets:
        """Return marginal bands."""
        return self._get(key, MarginalBrackets)

    def piecewise(self, key: str) -> Piecewise:
        """Return a piecewise polynomial."""
        return self._get(key, Piecewise)

    def piecewise_table(self, key: str) -> Mapping[str, Piecewise]:
        """Return piecewise polynomials by name."""
        return self._get(key, MappingProxyType)

    def points(self, key: str) -> Points:
        """Return columns of numbers."""
        return self._get(key, Points)

    def matrix(self, key: str) -> Matrix:
        """Return a symmetric matrix with the names of its rows."""
        return self._get(key, Matrix)

    def figure(self, key: str) -> object:
        """Return a figure of any form."""
        return self._get_entry(key).value

    def reading(self, name: str) -> bool:
        """Return the answer taken to an open question; KeyError for an unknown one."""
        return self.readings[name]

    def label(self, key: str) -> Text:
        """Return the title of a figure."""
        return self._get_entry(key).label

    def unit(self, key: str) -> str:
        """Return the unit of a figure."""
        return self._get_entry(key).unit

    def source(self, key: str) -> Source:
        """Return document, article and effective date of the version in force."""
        return self._get_entry(key).source

    def article(self, key: str) -> str:
        """Return where the figure stands, short: ``R8 §26`` or ``金规〔2023〕5号 (6)``."""
        source = self.source(key)
        if source.document == _library().documents["rules"].name:
            return source.article
        return LocalizedPhrase(source.text.en, source.text.zh)

    def document_title(self, key: str) -> Text:
        """Return the title of the document a figure comes from."""
        name = self.source(key).document
        return next(document.title.text for document in _library().documents.values() if document.name == name)

    def checked(self, key: str) -> date:
        """Return when the document a figure comes from was last compared with it."""
        name = self.source(key).document
        return next(document.checked for document in _library().documents.values() if document.name == name)

    def reading_effect(self, name: str) -> float:
        """Return what the other answer changes the comprehensive ratio of the example ``life_insurer`` by, bp."""
        return _library().readings[name].effect

    def reading_notes(self) -> tuple[tuple[str, Text, str, bool], ...]:
        """Return (name, question, article, answer) of every reading, in the order of the file."""
        return tuple(
            (name, reading.question.text, reading.article, self.readings[name])
            for name, reading in _library().readings.items()
        )

    def _get_entry(self, key: str) -> _Entry:
        try:
            return self._entries[key]
        except KeyError:
            hint = did_you_mean(key, self._entries)
            raise KeyError(
                f"no figure {key!r} is in force at {self.valuation_date}" + (f"; {hint}" if hint else "")
            ) from None

    def _get(self, key: str, form: type[T]) -> T:
        value = self._get_entry(key).value
        if not isinstance(value, form):
            raise TypeError(f"figure {key!r} is a {type(value).__name__}, not a {form.__name__}")
        return value


@lru_cache(maxsize=64)
def _in_force(when: date) -> Mapping[str, _Entry]:
    """Return the rules' own figures in force at ``when``, by key."""
    library = _library()
    figures = {key: figure for key, figure in library.figures.items() if figure.read(when) is not None}
    return MappingProxyType({key: _entry(library, figure, when) for key, figure in figures.items()})


def _entry(library: _Library, figure: Figure, when: date) -> _Entry:
    found = figure.read(when)
    assert found is not None, "only figures in force are entered"
    version, value = found
    document = library.documents[version.document].name
    source = Source(document, version.article, version.effective.isoformat(), version.certainty)
    return _Entry(value, figure.label.text, figure.unit, source)


def _apply(library: _Library, when: date, overrides: Mapping[str, float], problems: Problems) -> dict[str, Figure]:
    """Return the figures that the overrides change, by key."""
    changed: dict[str, Figure] = {}
    for path, number in overrides.items():
        where = f"capital.overrides.{path}"
        key = next((known for known in _prefixes(path) if known in library.figures), None)
        if key is None:
            _unknown(problems, Text("no such figure in the rules", "规则中没有该参数"), where, path, library.figures)
            continue
        raw = changed.get(key, library.figures[key]).model_dump(mode="json")
        version = next((v for v in reversed(raw["versions"]) if date.fromisoformat(v["effective"]) <= when), None)
        if version is None:
            problems.add(
                Text("this figure is not yet in force at the valuation date", "该参数在评估日尚未生效"),
                where,
                when.isoformat(),
                _from(library.figures[key].versions[0].effective),
            )
            continue
        try:
            _replace(version, ["value", *path[len(key) + 1 :].split(".")] if path != key else ["value"], number)
            changed[key] = _FIGURE.validate_python(raw)
        except LookupError:
            choices = ", ".join(_paths(key, version["value"]))
            problems.add(Text("this path does not lead to a number", "该路径未指向一个数值"), where, path, choices)
        except ValidationError as error:
            message = Text("the form of this figure refuses the number", "该参数的形式不接受此数值")
            problems.add(message, where, repr(number), error.errors()[0]["msg"])
    return changed


def _from(day: date) -> LocalizedPhrase:
    return LocalizedPhrase(f"{day.isoformat()} or later", f"{day.isoformat()} 及以后")


def _prefixes(path: str) -> Iterable[str]:
    """Yield the path and its prefixes at dots, longest first."""
    while path:
        yield path
        path = path.rpartition(".")[0]


def _replace(node: Any, segments: list[str], number: float) -> None:
    """Set the number at the end of the path; list items count from 1. LookupError if there is none."""
    for segment in segments[:-1]:
        node = node[_position(node, segment)]
    last = _position(node, segments[-1])
    if isinstance(node[last], dict) and "value" in node[last]:  # a step of a ladder
        node, last = node[last], "value"
    if isinstance(node[last], bool) or not isinstance(node[last], (int, float)):
        raise LookupError(segments[-1])
    node[last] = number


def _position(node: Any, segment: str) -> Any:
    if isinstance(node, dict) and segment in node:
        return segment
    if isinstance(node, list) and segment.isdigit() and 1 <= int(segment) <= len(node):
        return int(segment) - 1
    raise LookupError(segment)


def _paths(key: str, value: Any) -> list[str]:
    """Return the paths one step below a figure."""
    below = value if isinstance(value, dict) else range(1, len(value) + 1) if isinstance(value, list) else ()
    return [f"{key}.{name}" for name in below] or [key]


def _unknown(problems: Problems, what: Text, where: str, got: str, choices: Iterable[str]) -> None:
    problems.add(what, where, got, None, did_you_mean(got, choices))
