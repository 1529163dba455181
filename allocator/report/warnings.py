"""What a reader must know before any figure."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.types import Text

__all__ = ["unchecked_lines", "unchecked_warning"]


def unchecked_warning(limits: Sequence[Text]) -> tuple[Text, ...]:
    """Return one sentence that names the statutory limits nothing checked; none where there are none.

    Parameters
    ----------
    limits : sequence of Text
        Titles of the limits.
    """
    if not limits:
        return ()
    english, chinese = "; ".join(item.en for item in limits), "；".join(item.zh for item in limits)
    return (Text(f"Statutory limits not checked: {english}.", f"未检查的监管比例：{chinese}。"),)


def unchecked_lines(limits: Sequence[Text]) -> tuple[Text, ...]:
    """Return the same for a command line, with what to write in the fund file.

    Parameters
    ----------
    limits : sequence of Text
        Titles of the limits.
    """
    remedy = Text(" To check them: constraints: [statutory].", "如需检查：constraints: [statutory]。")
    return tuple(Text(said.en + remedy.en, said.zh + remedy.zh) for said in unchecked_warning(limits))
