"""Which gap counts as closed."""

from __future__ import annotations

from allocator.model.model import Model

__all__ = ["tolerance_of"]

LEAST_GAP = 1e-9
"""Gap below which a minimized annual decimal is not split further."""


def tolerance_of(model: Model, gap: float, best: float) -> float:
    """Return the gap that counts as closed when the best answer has a certain objective.

    Money is held to a relative 1e-6 at the default gap of 0.1 bp, and a minimized figure (a variance, say, which is
    small) to a relative 1e-4; a return on capital to the gap itself.

    Parameters
    ----------
    model : Model
        The model.
    gap : float
        `SolveSettings.gap`: an annual decimal.
    best : float
        The objective, in maximized form.
    """
    if model.in_money:
        return 0.1 * gap * abs(best)
    minimized = bool(model.objective) and not any(part.weight > 0 for part in model.objective)
    return min(gap, 10.0 * gap * abs(best) + LEAST_GAP) if minimized else gap
