"""What stress scenarios do to a fund: outcomes beside the present position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from allocator.model.position import CapitalPosition
from allocator.stress.shocks import Scenario, Shocked
from allocator.types import Text

__all__ = ["StressOutcome", "StressStudy"]


@dataclass(frozen=True, eq=False)
class StressOutcome:
    """One scenario and the fund after it.

    Parameters
    ----------
    scenario : Scenario
        What happened.
    shocked : Shocked or None
        The fund after it; None where the scenario could not be computed.
    position : CapitalPosition or None
        Its exact capital.
    notes : tuple of Text
        What did not move, what is assumed, and whatever departs from the rules in the scenario alone.
    """

    scenario: Scenario
    shocked: Shocked | None
    position: CapitalPosition | None
    notes: tuple[Text, ...]


@dataclass(frozen=True, eq=False)
class StressStudy:
    """All scenarios of a fund beside its present position.

    Parameters
    ----------
    base : CapitalPosition
        The fund as it is.
    outcomes : tuple of StressOutcome
        One for each scenario, in order.
    required : mapping of (str, str) to float
        Scenario and ratio → what the fund file requires there (``capital.require_under``).
    """

    base: CapitalPosition
    outcomes: tuple[StressOutcome, ...]
    required: Mapping[tuple[str, str], float] = field(default_factory=dict)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line a scenario, the present position first: ratios and what is required of them, own and minimum capital
        and their changes, CNY."""
        first = self._line("base", "", self.base, 0.0, 0.0)
        lines = [first]
        for outcome in self.outcomes:
            name, source = outcome.scenario.name, str(outcome.scenario.source)
            if outcome.position is None or outcome.shocked is None:
                lines.append({**dict.fromkeys(first, np.nan), "scenario": name, "source": source})
                continue
            assets = outcome.shocked.asset_change(self.base.holdings)
            liabilities = outcome.shocked.liabilities
            lines.append(self._line(name, source, outcome.position, assets, liabilities))
        return pd.DataFrame(lines)

    def _line(
        self, name: str, source: str, position: CapitalPosition, assets: float, liabilities: float
    ) -> dict[str, Any]:
        ratios = {f"{item.name}_ratio": position.ratio(item.name) for item in position.requirements}
        required = {
            f"{item.name}_required": (item.required if name == "base" else self.required.get((name, item.name)))
            for item in position.requirements
        }
        own = position.own_funds.comprehensive
        return {
            "scenario": name,
            "source": source,
            **ratios,
            **{name: np.nan if level is None else level for name, level in required.items()},
            "actual_capital": own,
            "minimum_capital": position.minimum_capital,
            "asset_change": assets,
            "liability_change": liabilities,
            "actual_capital_change": own - self.base.own_funds.comprehensive,
            "minimum_capital_change": position.minimum_capital - self.base.minimum_capital,
        }

    @cached_property
    def modules(self) -> pd.DataFrame:
        """Every module of every scenario: scenario, module, amount, change against the present position, CNY."""
        now = self.base.tree.values(self.base.holdings)
        lines = []
        for outcome in self.outcomes:
            if outcome.position is None:
                continue
            table = outcome.position.tree.table(outcome.position.holdings)
            for row in table.itertuples():
                amount = float(str(row.amount))
                change = amount - now.get(str(row.module), 0.0)
                lines.append((outcome.scenario.name, row.module, row.parent, amount, change, row.article))
        return pd.DataFrame(lines, columns=["scenario", "module", "parent", "amount", "change", "article"])
