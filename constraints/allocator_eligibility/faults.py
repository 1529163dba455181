"""Errors of the rule language: each points at the character."""

from __future__ import annotations

import unicodedata

from allocator.plugin import InputError, Problem, Text

__all__ = ["Fault", "pointed"]


class Fault(Exception):
    """What is wrong in a rule, and at which character; `pointed` turns it into the user's error.

    Parameters
    ----------
    at : int
        Position in the rule, from 0.
    what : Text
        What is wrong.
    allowed : str or None
        What would be accepted there.
    hint : Text or None
        How to fix it.
    """

    def __init__(self, at: int, what: Text, allowed: str | None = None, hint: Text | None = None) -> None:
        super().__init__(what.en)
        self.at, self.what, self.allowed, self.hint = at, what, allowed, hint


def pointed(fault: Fault, rule: str, where: str) -> InputError:
    """Return the error with the rule and a caret below the character.

    Parameters
    ----------
    fault : Fault
        What is wrong, and at which character.
    rule : str
        The rule as written.
    where : str
        Place in the fund file.
    """
    shown = "".join(" " if character.isspace() else character for character in rule)
    caret = f"  {shown}\n  {' ' * _width(shown[: fault.at])}^"
    what = Text(
        f"{fault.what.en}, at character {fault.at + 1}\n{caret}",
        f"{fault.what.zh}，位于第 {fault.at + 1} 个字符\n{caret}",
    )
    return InputError(Problem(what, where, None, fault.allowed, fault.hint))


def _width(text: str) -> int:
    """Return the columns a terminal gives the text: two to wide characters, none to combining ones."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
