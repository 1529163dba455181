"""Every error the library raises: what is wrong, where, what was got, what is allowed, and a hint."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest

from allocator.types import Language, LocalizedPhrase, Text, visible

__all__ = [
    "AllocatorError",
    "Infeasible",
    "InputError",
    "NotProven",
    "PluginError",
    "Problem",
    "Problems",
    "SolverFailure",
    "VerificationError",
    "did_you_mean",
]

_WORDS = {
    "got": Text("got", "实际为"),
    "allowed": Text("allowed", "允许"),
    "hint": Text("hint", "建议"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, described so that the reader can fix it.

    Parameters
    ----------
    what : Text
        What is wrong.
    where : str
        File, row, column or YAML key, or the plugin; a `LocalizedPhrase` where the two languages differ.
    got : str or None
        The value found.
    allowed : str or None
        What would be accepted, likewise.
    hint : Text or None
        How to fix it.
    """

    what: Text
    where: str = ""
    got: str | None = None
    allowed: str | None = None
    hint: Text | None = None

    def render(self, language: str = Language.ENGLISH) -> str:
        """Return the message on one line."""
        comma, stop = ("，", "：") if language == Language.CHINESE else (", ", ": ")
        parts = [(f"{_said(self.where, language)}{stop}" if self.where else "") + self.what[language]]
        if self.got is not None:
            parts.append(f"{_WORDS['got'][language]} {_said(self.got, language)}")
        if self.allowed:
            parts.append(f"{_WORDS['allowed'][language]} {_said(self.allowed, language)}")
        if self.hint is not None:
            parts.append(f"{_WORDS['hint'][language]}{stop}{self.hint[language]}")
        return visible(comma.join(parts))

    def __str__(self) -> str:
        return self.render()


def _said(text: str, language: str) -> str:
    return text.zh if isinstance(text, LocalizedPhrase) and language == Language.CHINESE else text


class AllocatorError(Exception):
    """Root of all errors; ``exit_status`` is what the command line returns for it."""

    exit_status = 1
    title = Text("a defect in the library", "程序缺陷")

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__(self.render())

    def __reduce__(self) -> tuple[type[AllocatorError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)

    def render(self, language: str = Language.ENGLISH) -> str:
        """Return all problems, one a line."""
        return "\n".join(problem.render(language) for problem in self.problems)


class InputError(AllocatorError):
    """Files, settings or arguments that cannot be used; lists every problem found.

    ``partial`` is what could be made in spite of the problems, for those who look for more of them; None without it.
    """

    exit_status = 2
    partial: object = None
    title = Text("the inputs cannot be used", "输入无法使用")


class PluginError(AllocatorError):
    """A plugin that is missing, raises, or returns what its hook does not allow."""

    exit_status = 2
    title = Text("a plugin failed", "插件出错")


class Infeasible(AllocatorError):
    """No allocation meets the rules; the problems name the rules in conflict."""

    exit_status = 3
    title = Text("no allocation meets the rules", "没有满足全部规则的配置方案")


class NotProven(AllocatorError):
    """No compliant answer was found within the limits and infeasibility is not proven either."""

    exit_status = 4
    title = Text("not proven within the limits", "在限定范围内未能证明")


class SolverFailure(AllocatorError):
    """No solver of the chain returned a usable answer."""

    title = Text("the solvers failed", "求解器失败")


class VerificationError(AllocatorError):
    """The independent re-computation does not confirm the answer; the answer is refused."""

    title = Text("the answer failed verification", "结果未通过复核")


class Problems:
    """Collects problems so that all are reported in one go."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(
        self,
        what: Text,
        where: str = "",
        got: object = None,
        allowed: str | None = None,
        hint: Text | None = None,
    ) -> None:
        """Record one problem; ``got`` is shown by ``repr`` unless it is already text.

        Parameters
        ----------
        what : Text
            What is wrong.
        where : str
            File and place, or key.
        got : object
            What was found; shown by ``repr`` unless it is text.
        allowed : str or None
            What would be.
        hint : Text or None
            What to do.
        """
        shown = None if got is None else got if isinstance(got, str) else repr(got)
        self._found.append(Problem(what, where, shown, allowed, hint))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Record problems found elsewhere."""
        self._found.extend(problems)

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Record the problems of an InputError raised inside, each once, and go on behind the block."""
        try:
            yield
        except InputError as error:
            self._found.extend(problem for problem in error.problems if problem not in self._found)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def raise_if_any(self) -> None:
        """Raise InputError with everything recorded.

        Raises
        ------
        InputError
            With everything recorded.
        """
        if self._found:
            raise InputError(self._found)


def did_you_mean(value: str, choices: Iterable[str]) -> Text | None:
    """Return a hint naming the nearest choice, or None when nothing is near.

    A Chinese word says with each character what a Latin one says with several: it must be nearer.

    Parameters
    ----------
    value : str
        What was written.
    choices : iterable of str
        What there is.
    """
    near = difflib.get_close_matches(value, list(choices), n=1, cutoff=0.6)
    if near and not value.isascii():
        alike = difflib.SequenceMatcher(None, value, near[0]).ratio()
        differing = sum(a != b for a, b in zip_longest(value, near[0]))
        near = near if alike >= 0.75 or differing == 1 else []
    return Text(f"did you mean {near[0]!r}?", f"是否想写 {near[0]!r}？") if near else None
