"""The two sides that the indicators compare: assets by row, liabilities by account, on one curve.

For a spot curve r(t) with discount factors d(t) = (1 + r(t))^−t, a payment c at t is worth c d(t) and loses

    c · t d(t) / (1 + r(t))       per unit (100%) by which the curve rises in parallel: its sensitivity.

An asset's sensitivity per CNY is that of its cash flows; a row without terms takes its modified duration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from allocator.plugin import InputError, LocalizedPhrase, Mask, Number, Problem, Problems, Text, Vector
from allocator.plugin.cash_flows import (
    CashFlows,
    SpotCurve,
    asset_cash_flows,
    mean_of_history,
    spot_curve,
    years_ahead,
)
from allocator.plugin.rules import Figure, RuleBook
from allocator.plugin.tables import Inputs, column, filled
from allocator.plugin.terms import LimitOptions, Linear, ModelContext

__all__ = ["BOOK", "AlmOptions", "By", "Liabilities", "Scope", "Sides", "sentence"]


BOOK = RuleBook.load("allocator_alm", "rules/alm.yaml")

_REACH = (1.0, 20.0)
"""Tenors a curve must reach; beyond its last one it is flat."""


class By(StrEnum):
    """What an indicator is taken of: the company, each account that has liabilities, or both."""

    TOTAL = "total"
    ACCOUNT = "account"
    BOTH = "both"


class AlmOptions(LimitOptions):
    """``by``: total (default), account or both. ``kinds``: kinds whose cash flows count, in place of the rule's.

    ``spread`` is added to the curve, a decimal.
    """

    by: By = By.TOTAL
    kinds: tuple[str, ...] | None = None
    spread: Number = 0.0


@dataclass(frozen=True, eq=False)
class Liabilities:
    """Liability payments: account, years from the valuation date, CNY out and in, guaranteed rate, each (k,)."""

    account: NDArray[np.str_]
    time: Vector
    outflow: Vector
    inflow: Vector
    guaranteed_rate: Vector


@dataclass(frozen=True, eq=False)
class Scope:
    """A set of accounts under one name: which asset rows (n,) and liability payments (k,) belong to it."""

    name: str
    rows: Mask
    payments: Mask


@dataclass(frozen=True, eq=False)
class Sides:
    """Assets and liabilities of one fund under one rule's options."""

    context: ModelContext
    options: AlmOptions

    @property
    def inputs(self) -> Inputs:
        """The checked inputs."""
        return self.context.inputs

    @cached_property
    def liabilities(self) -> Liabilities:
        """The liability payments; year n falls at t = n, a date on the fund's time axis."""
        return _liabilities(self.inputs)

    @cached_property
    def curve(self) -> SpotCurve:
        """The spot curve given, or the mean of its history, with the spread."""
        return _curve(self.inputs).shifted(self.options.spread)

    @cached_property
    def fixed(self) -> Mask:
        """Rows whose cash flows count (n,); a bond with a right to shares is a convertible, so it does not."""
        kinds = self.options.kinds
        assets = self.inputs.assets
        if kinds is not None:
            return assets["kind"].isin(kinds).to_numpy(dtype=bool)
        kinds = BOOK.at("hedge_ratio.kinds", self.inputs.as_of).names
        return assets["kind"].isin(kinds).to_numpy(dtype=bool) & ~filled(assets, "equity_terms")

    @cached_property
    def flows(self) -> CashFlows:
        """Cash flows per CNY of the rows that have terms; InputError for terms that are incomplete."""
        problems = Problems()
        flows = asset_cash_flows(self.inputs, self.fixed & ~self._by_duration, problems)
        problems.raise_if_any()
        return flows

    @cached_property
    def sensitivity(self) -> Vector:
        """Loss of value per CNY of each row and unit of a parallel rise (n,), years; 0 outside the scope."""
        durations = np.nan_to_num(self.flows.spot_durations(self.curve))
        given = np.where(self._by_duration, np.nan_to_num(column(self.inputs.assets, "modified_duration")), 0.0)
        return np.asarray(durations * self.flows.present_value(self.curve) + given)

    def key_sensitivities(self, tenors: Sequence[float]) -> Vector:
        """Return `sensitivity` split over key tenors, shape (n, tenors); a given duration sits at its own tenor."""
        split = np.nan_to_num(self.flows.key_rate_durations(self.curve, tenors))
        split = split * self.flows.present_value(self.curve)[:, None]
        rows = np.flatnonzero(self._by_duration)
        given = np.nan_to_num(column(self.inputs.assets, "modified_duration"))[rows]
        split[rows] += given[:, None] * _hats(given, tenors)
        return np.asarray(split)

    def liability_sensitivity(self, payments: Vector) -> float:
        """Return Σ payment · t d(t) / (1 + r(t)) of one amount per liability payment, CNY."""
        return float(payments @ self._slopes)

    def liability_key_sensitivities(self, payments: Vector, tenors: Sequence[float]) -> Vector:
        """Return `liability_sensitivity` split over key tenors (tenors,).

        Parameters
        ----------
        payments : ndarray (k,)
            Liability payments, CNY.
        tenors : sequence of float
            Key tenors, years.
        """
        return np.asarray((payments * self._slopes) @ _hats(self.liabilities.time, tenors))

    def liability_value(self, payments: Vector) -> float:
        """Return Σ payment · d(t), CNY."""
        return float(payments @ self.curve.discount(self.liabilities.time))

    def scopes(self) -> tuple[Scope, ...]:
        """Return what the indicator is taken of; an account without assets or liabilities has no row."""
        space, owners = self.context.space, self.liabilities.account
        everything = Scope("total", np.ones(space.size, dtype=bool), np.ones(len(owners), dtype=bool))
        if self.options.by is By.TOTAL:
            return (everything,)
        each = tuple(
            Scope(name, space.account == name, owners == name)
            for name in dict.fromkeys(owners.tolist())
            if (space.account == name).any()
        )
        return each if self.options.by is By.ACCOUNT else (everything, *each)

    def per_scope(self, coefficients: Vector, scopes: Sequence[Scope]) -> Linear:
        """Return Σ coefficient × amount over each scope's rows, one row per scope.

        Parameters
        ----------
        coefficients : ndarray (n,)
            Per CNY of each row.
        scopes : sequence of Scope
            Accounts that belong together.
        """
        stacked = [sparse.csr_array(np.where(scope.rows, coefficients, 0.0)[None, :]) for scope in scopes]
        return Linear(sparse.csr_array(sparse.vstack(stacked)), np.zeros(len(scopes)))

    def names(self, scopes: Sequence[Scope]) -> tuple[str, ...]:
        """Return the names of the rows; none for the total alone."""
        if self.options.by is By.TOTAL:
            return ()
        return tuple(LocalizedPhrase("total", "合计") if scope.name == "total" else scope.name for scope in scopes)

    def tenor_names(self, scopes: Sequence[Scope], tenors: Sequence[float]) -> tuple[str, ...]:
        """Return the names of one row for each scope and tenor: ``5y``, or ``participating:5y``.

        Parameters
        ----------
        scopes : sequence of Scope
            Accounts that belong together.
        tenors : sequence of float
            Key tenors, years.
        """
        spans = [LocalizedPhrase(f"{tenor:g}y", f"{tenor:g} 年") for tenor in tenors]
        scoped = self.names(scopes)
        if not scoped:
            return tuple(spans)
        return tuple(
            LocalizedPhrase(f"{name}:{span}", f"{name.zh if isinstance(name, LocalizedPhrase) else name}：{span.zh}")
            for name in scoped
            for span in spans
        )

    @cached_property
    def _slopes(self) -> Vector:
        time = self.liabilities.time
        return np.asarray(time * self.curve.discount(time) / (1.0 + self.curve.rate(time)))

    @cached_property
    def _by_duration(self) -> Mask:
        """Rows in scope without terms of their own but with a modified duration (n,)."""
        assets = self.inputs.assets
        terms = ~np.isnan(column(assets, "coupon"))
        listed = self.inputs.table("cash_flows")
        if listed is not None:
            terms |= assets["asset_id"].isin(listed["asset_id"]).to_numpy(dtype=bool)
        return self.fixed & ~terms & (column(assets, "modified_duration") > 0)


def sentence(english: str, chinese: str, figure: Figure, as_of: date) -> Text:
    """Return a rule's sentence; one that lies ahead of the valuation date says from when it applies.

    Parameters
    ----------
    english, chinese : str
        The sentence.
    figure : Figure
        The figure it rests on.
    as_of : date
        Valuation date.
    """
    effective = figure.source.effective
    if effective <= as_of.isoformat():
        return Text(f"{english}.", f"{chinese}。")
    return Text(f"{english} (in force from {effective}).", f"{chinese}（自{effective}起施行）。")


def _hats(place: Vector, tenors: Sequence[float]) -> Vector:
    """Return the share of each place that belongs to each key tenor (k, tenors): linear between, flat outside."""
    keys = np.asarray(tenors, dtype=float)
    return np.stack([np.interp(place, keys, unit) for unit in np.eye(len(keys))], axis=1)


def _liabilities(inputs: Inputs) -> Liabilities:
    table, problems = inputs.table("liabilities"), Problems()
    if table is None or not len(table):
        what = Text("the indicator compares with liability cash flows", "该指标须与负债现金流比较")
        raise InputError(Problem(what, inputs.settings.where("inputs.liabilities"), "missing"))
    time = column(table, "year")
    if "date" in table:
        dates = pd.to_datetime(table["date"]).to_numpy().astype("datetime64[D]")
        days = (dates - np.datetime64(inputs.as_of, "D")) / np.timedelta64(1, "D")
        time = np.where(np.isnat(dates), time, years_ahead(inputs, days))
    for row in np.flatnonzero(~(time > 0)):
        what = Text("a liability payment lies after the valuation date", "负债现金流须在评估日之后")
        problems.add(what, inputs.where("liabilities", int(row), "year"), f"{time[row]:g}", "> 0")
    problems.raise_if_any()
    return Liabilities(
        table["account"].to_numpy(dtype=str),
        time,
        np.nan_to_num(column(table, "outflow")),
        np.nan_to_num(column(table, "inflow")),
        column(table, "guaranteed_rate"),
    )


def _curve(inputs: Inputs) -> SpotCurve:
    problems = Problems()
    frame, name = inputs.table("curve"), "curve"
    history = inputs.table("curve_history")
    if frame is None and history is not None:
        days, name = int(BOOK.at("curve.average_days", inputs.as_of).number), "curve_history"
        frame = mean_of_history(history, inputs.as_of, days, name, problems)
    if frame is None:
        what = Text("the indicator needs the spot curve", "该指标需要即期收益率曲线")
        problems.add(what, inputs.settings.where("inputs.curve"), "missing")
        problems.raise_if_any()
        raise AssertionError("unreachable: a missing curve is a problem")
    curve = spot_curve(frame, *_REACH, inputs.settings.where(f"inputs.{name}"), problems)
    problems.raise_if_any()
    assert curve is not None
    return curve
