"""What a reader must know before any figure."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.types import Text

__all__ = ["unchecked_warning"]


def unchecked_warning(limits: Sequence[Text]) -> tuple[Text, ...]:
    """Return one sentence that names the statutory limits nothing checked; none where there are none.

    Parameters
    ----------
    limits : sequence of Text
        Titles of the limits.
    """
    if not limits:
        return ()
    return (
        Text(
            f"Statutory limits not checked: {'; '.join(item.en for item in limits)}. To check them, name the set "
            "`statutory` under constraints.",
            f"未检查的监管比例：{'；'.join(item.zh for item in limits)}。如需检查，请在 constraints 中列出 statutory。",
        ),
    )
