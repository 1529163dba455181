"""What a stress scenario does to a fund: a new set of checked inputs, and what it costs in own funds.

A shock moves values, flows or rates of the inputs; nothing of capital is computed here. The stressed inputs
then pass through the very same regime as the fund's own, so minimum capital, durations and rate risk follow.

Mathematics. With x (n,) the amounts before, a scenario leaves pᵢ xᵢ of row i and moves admitted assets by

    ΔA = Σ gᵢ xᵢ,   gᵢ = (pᵢ − 1) · book valueᵢ / amountᵢ for what is owned outright,

because assets are admitted at book value; a derivative gains on its notional and keeps p = 1. Own funds move
by ΔA − ΔL + what the scenario gives itself. p, g and ΔL do not depend on x, so a scenario is affine in the
holdings until capital is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel

from allocator.arrays import Mask, Vector
from allocator.errors import Problems
from allocator.inputs.fund import BalanceSheet, Inputs
from allocator.inputs.terms import column
from allocator.types import Source, Text

__all__ = ["Scenario", "ShockSpec", "Shocked", "StressSpec", "at_amounts", "merged", "moved_sheet"]


@dataclass(frozen=True, eq=False)
class Shocked:
    """A fund on its way through the shocks of a scenario; each returns a new one.

    Parameters
    ----------
    base : Inputs
        The fund before the scenario.
    inputs : Inputs
        With everything moved so far; its balance sheet is still that of before (see `stressed_inputs`).
    price : ndarray (n,)
        Amount of each row per unit of money of it before.
    gain : ndarray (n,)
        Change of admitted assets per unit of money of each row's amount before.
    liabilities : float
        Change of admitted liabilities, money.
    own_funds : float
        Further change of own funds that the scenario gives, money.
    notes : tuple of Text
        What the shocks did not move, and what they assume.
    """

    base: Inputs
    inputs: Inputs
    price: Vector
    gain: Vector
    liabilities: float = 0.0
    own_funds: float = 0.0
    notes: tuple[Text, ...] = ()

    @classmethod
    def untouched(cls, inputs: Inputs) -> Shocked:
        """Return a fund that nothing has happened to."""
        size = len(inputs.assets)
        return cls(inputs, inputs, np.ones(size), np.zeros(size))

    @property
    def size(self) -> int:
        """Rows of the assets table, n."""
        return len(self.price)

    def noting(self, *notes: Text) -> Shocked:
        """Return the same with further notes; one that stands already is not repeated."""
        new = tuple(note for note in notes if note not in self.notes)
        return replace(self, notes=self.notes + new)

    def kinds(self, *names: str) -> Mask:
        """Return which rows are of one of these kinds (n,)."""
        return np.asarray(self.inputs.assets["kind"].isin(names).to_numpy(dtype=bool))

    def text(self, name: str) -> NDArray[np.object_]:
        """Return a text column (n,), empty text for an empty cell or a column that no plugin declares."""
        frame = self.inputs.assets
        if name not in frame:
            return np.full(self.size, "", dtype=object)
        return frame[name].astype(object).where(frame[name].notna(), "").to_numpy(dtype=object)

    def valued(self, factor: Vector, **columns: Vector) -> Shocked:
        """Return the fund with each row worth ``factor`` (n,) of what it was, at amount and at book value alike.

        A derivative's amount is a notional that moves with the price of its underlying; all of the move is
        gained or lost. ``columns`` are written into the assets table.
        """
        frame = self.inputs.assets
        moved = {"amount": column(frame, "amount") * factor, **columns}
        if "book_value" in frame:
            moved["book_value"] = column(frame, "book_value") * factor
        gain = self.gain + self.price * (factor - 1.0) * self._book_ratio
        return replace(self, inputs=self._with_assets(moved), price=self.price * factor, gain=gain)

    def earning(self, gain: Vector) -> Shocked:
        """Return the fund with ``gain`` (n,) more of admitted assets per unit of each row's present amount."""
        return replace(self, gain=self.gain + self.price * gain)

    def owing(self, change: float) -> Shocked:
        """Return the fund with ``change`` more of admitted liabilities."""
        return replace(self, liabilities=self.liabilities + change)

    def given(self, change: float) -> Shocked:
        """Return the fund with ``change`` more of own funds."""
        return replace(self, own_funds=self.own_funds + change)

    def with_table(self, name: str, frame: pd.DataFrame) -> Shocked:
        """Return the fund with another table in place of the one of that name.

        Parameters
        ----------
        name : str
            Key under ``inputs``.
        frame : DataFrame
            The table that takes its place, rows and columns as checked inputs hold them.
        """
        tables = MappingProxyType({**self.inputs.tables, name: frame})
        return replace(self, inputs=replace(self.inputs, tables=tables))

    def stressed_inputs(self, regime_options: Mapping[str, Any] = MappingProxyType({})) -> Inputs:
        """Return checked inputs after the scenario: totals moved, options of the ``capital`` section replaced.

        Losses fall on the best tier of core capital, the company's net assets; the ratio reported for the last
        quarter stays what it was.
        """
        settings = self.inputs.settings
        if regime_options and settings.capital is not None:
            options = merged(settings.capital.options, regime_options)
            capital = type(settings.capital).model_validate({"regime": settings.capital.regime, **options})
            settings = settings.model_copy(update={"capital": capital})
        return replace(self.inputs, settings=settings, balance_sheet=self._sheet())

    def asset_change(self, holdings: Vector) -> float:
        """Return ΔA at ``holdings`` (n,) held before the scenario, money."""
        return float(self.gain @ holdings)

    def own_funds_change(self, holdings: Vector) -> float:
        """Return the change of own funds at ``holdings`` (n,) held before the scenario, money."""
        return self.asset_change(holdings) - self.liabilities + self.own_funds

    @cached_property
    def _book_ratio(self) -> Vector:
        """Admitted value per unit of amount: book value where the fund gives one, 1 for a derivative's notional."""
        frame = self.base.assets
        amount, book = column(frame, "amount"), column(frame, "book_value")
        derivative = frame["kind"].map({name: kind.derivative for name, kind in self.base.kinds.items()}).eq(True)
        given = (amount > 0) & ~np.isnan(book) & ~derivative.to_numpy()
        return np.divide(book, amount, out=np.ones(self.size), where=given)

    def _with_assets(self, columns: Mapping[str, Vector]) -> Inputs:
        frame = self.inputs.assets.assign(**columns)
        tables = MappingProxyType({**self.inputs.tables, "assets": frame})
        return replace(self.inputs, tables=tables)

    def _sheet(self) -> BalanceSheet:
        held = np.nan_to_num(column(self.base.assets, "amount"))
        return moved_sheet(self.base, self.asset_change(held), self.liabilities - self.own_funds)


def moved_sheet(inputs: Inputs, assets: float, liabilities: float) -> BalanceSheet:
    """Return the balance sheet after these changes of assets and liabilities; own funds bear the difference.

    They bear it in the lines that the jurisdiction says bear losses.

    Parameters
    ----------
    inputs : Inputs
        The fund before.
    assets, liabilities : float
        Changes, money.
    """
    own = assets - liabilities
    moves = dict.fromkeys(("total_assets", "limit_assets", "admitted_assets"), assets)
    moves["admitted_liabilities"] = liabilities
    bearing = (key.name for key in inputs.jurisdiction.balance_sheet if key.bears_losses)
    moves |= dict.fromkeys(("actual_capital", *bearing), own)
    known = {name: inputs.balance_sheet.figure(name) for name in moves}
    return inputs.balance_sheet.changed(
        **{name: value + moves[name] for name, value in known.items() if value is not None}
    )


def at_amounts(tables: Mapping[str, pd.DataFrame], before: pd.Series, after: pd.Series) -> dict[str, pd.DataFrame]:
    """Return tables whose net asset values (``nav``) move with the amounts of their assets.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        All tables of a fund.
    before, after : Series
        Amounts by asset_id, money; an asset that was not held keeps its figures.
    """
    factor = (after / before.where(before != 0)).fillna(1.0)
    found = dict(tables)
    for name, frame in tables.items():
        if name != "assets" and {"asset_id", "nav"} <= set(frame.columns):
            scale = frame["asset_id"].map(factor).fillna(1.0).to_numpy(dtype=float)
            found[name] = frame.assign(nav=frame["nav"].to_numpy(dtype=float) * scale)
    return found


def merged(options: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with ``changes`` laid over them, mapping by mapping.

    Parameters
    ----------
    options : mapping
        Keys and values, nested.
    changes : mapping
        What replaces or joins them; a mapping joins a mapping.
    """
    found = dict(options)
    for key, value in changes.items():
        inner = found.get(key)
        is_below = isinstance(value, Mapping) and isinstance(inner, Mapping)
        found[key] = merged(found[key], value) if is_below else value
    return found


@dataclass(frozen=True, slots=True)
class ShockSpec:
    """What the hook ``allocator_shocks`` returns: one kind of move that a scenario may hold.

    Parameters
    ----------
    name : str
        Key in a scenario. ``label`` and ``capital`` are taken.
    label : Text
        For reports.
    options : type of pydantic.BaseModel
        Its options; a bare number in the fund file is the option ``all``.
    apply : callable
        ``apply(shocked, options, problems) -> Shocked``; what a row lacks is added to ``problems``.
    extremes : mapping of str to options
        Name → the far end to which the reverse stress test may drive this shock.
    fixed : tuple of str
        Options that the reverse stress test leaves as they are; it scales all other numbers.
    in_rates : bool
        Whether its numbers are moves of interest rates or spreads, which reports write in basis points.
    """

    name: str
    label: Text
    options: type[BaseModel]
    apply: Callable[[Shocked, Any, Problems], Shocked] = field(repr=False)
    extremes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    fixed: tuple[str, ...] = ()
    in_rates: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """Shocks that happen together, in the order given.

    Parameters
    ----------
    name : str
        Its name in the fund file and in reports.
    label : Text
        A sentence for reports.
    source : Source
        Document and article, or the user.
    shocks : mapping of str to options
        Shock name → options as the fund file writes them.
    capital : mapping
        Options of the ``capital`` section that differ in the scenario.
    notes : tuple of Text
        What a reader must know.
    missing : Text or None
        Why it cannot be computed from what the fund gives; it is then listed without figures.
    """

    name: str
    label: Text
    source: Source
    shocks: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    capital: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[Text, ...] = ()
    missing: Text | None = None


@dataclass(frozen=True, slots=True)
class StressSpec:
    """What the hook ``allocator_stresses`` returns: a scenario that stands beside those of the fund file.

    Parameters
    ----------
    name : str
        Its name under ``stress.only``, ``plan.under`` and ``capital.require_under``.
    label : Text
        For reports.
    scenario : callable
        ``scenario(inputs) -> Scenario | None``: as it stands on the fund's valuation date; None where it is not in
        force then, or not meant for this fund.
    """

    name: str
    label: Text
    scenario: Callable[[Inputs], Scenario | None] = field(repr=False)
