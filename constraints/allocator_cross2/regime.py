"""C-ROSS II bound to one fund: own funds, requirements, the capital tree, charges and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from allocator.plugin import InputError, Problem, Problems, Text, Vector
from allocator.plugin.capital import (
    BookState,
    CapitalTree,
    OptionalBreach,
    OwnFunds,
    Ratio,
    Regime,
    RegimeNote,
    Requirement,
)
from allocator.plugin.tables import Inputs
from allocator.plugin.terms import Space, Term
from allocator_cross2.basis import Basis
from allocator_cross2.capital_options import CapitalOptions, FreeCapital, LifeInsuranceRisk, Required
from allocator_cross2.charge_builder import DOMESTIC_CURRENCY, currency_figure, currency_module
from allocator_cross2.charges import ChargeTable
from allocator_cross2.exposed import fund_charges
from allocator_cross2.factors import control_factor, size_factor
from allocator_cross2.guards import concentration_choice, concentration_guards, holding_guards
from allocator_cross2.jurisdiction import COMPREHENSIVE, CORE
from allocator_cross2.leaves import Charged, LeafLayout
from allocator_cross2.lines_shown import charge_lines, rate_lines
from allocator_cross2.notes import regime_notes
from allocator_cross2.own_funds import given_tiers, recognised_capital
from allocator_cross2.pack import RulePack
from allocator_cross2.portfolio_dependent_charges import WholeBook
from allocator_cross2.rate import RateRisk, rate_risk
from allocator_cross2.stock import gain_coefficient
from allocator_cross2.tree import INTEREST_RATE_DOWN, INTEREST_RATE_UP, GivenCapital, ModuleRows, build_tree

__all__ = ["POOL_ACCOUNTS", "Cross2Regime", "build_regime"]


POOL_ACCOUNTS = ("participating", "universal")
"""Accounts whose market and credit risk policyholders help to absorb (R2 §19)."""

STEP = 1e-6
"""Change of k1 by which its price is measured."""


class Cross2Regime(Regime):
    """C-ROSS II for a life company (see `allocator.model.regime.Regime`).

    Parameters
    ----------
    basis : Basis
        What does not depend on the holdings.
    """

    name = "cross2"
    label = Text("C-ROSS II, life company", "偿二代二期（人身保险公司）")

    def __init__(self, basis: Basis) -> None:
        self.basis = basis
        self._laid_out: tuple[bytes, CapitalTree, LeafLayout] | None = None
        self._chosen: tuple[Space, tuple[NDArray[np.bool_], tuple[OptionalBreach, ...]]] | None = None

    def own_funds(self) -> OwnFunds:
        funds = {COMPREHENSIVE.name: self.basis.comprehensive}
        return OwnFunds(funds if self.basis.core is None else {**funds, CORE.name: self.basis.core})

    @cached_property
    def _requirements(self) -> tuple[Requirement, ...]:
        asked = self.basis.options.require
        found = [self._requirement(COMPREHENSIVE, self.basis.comprehensive, asked.comprehensive if asked else None)]
        if self.basis.core is not None:
            found.append(self._requirement(CORE, self.basis.core, asked.core if asked else None))
        return tuple(found)

    def _requirement(self, ratio: Ratio, capital: float, wanted: Required) -> Requirement:
        """Return one ratio; a fund that asks for nothing at all is held to the rules' own minimum."""
        figure = f"ratio.{ratio.name}"
        statutory, article = self.basis.pack.value(figure), self.basis.pack.article(figure)
        free = None
        required = wanted if isinstance(wanted, float) else None
        if self.basis.options.require is None:
            required = statutory
        elif isinstance(wanted, FreeCapital):
            free = wanted.free_capital * self.basis.inputs.unit
        elif wanted == "no_worse":
            required = self._present(ratio.name, capital)
        return Requirement(ratio, capital, required, statutory, article, free)

    def _present(self, name: str, capital: float) -> float:
        """Return the ratio of the current book.

        Raises
        ------
        InputError
            Where it has no end, which no other book could be held to.
        """
        required = self.tree().value(self._current)
        if required == 0.0:
            what = Text("the present ratio has no end: give a ratio", "当前充足率没有上限，请给出具体数值")
            raise InputError(Problem(what, self.basis.inputs.settings.where(f"capital.require.{name}"), "no_worse"))
        return capital / required

    def requirements(self) -> tuple[Requirement, ...]:
        return self._requirements

    @property
    def _current(self) -> Vector:
        return self.basis.inputs.assets["amount"].to_numpy(dtype=float)

    @cached_property
    def _tree_now(self) -> CapitalTree:
        return self._tree_at(self._current)

    def tree(self, holdings: Vector | None = None) -> CapitalTree:
        return self._tree_now if holdings is None else self._tree_at(holdings)

    def _tree_at(self, holdings: Vector) -> CapitalTree:
        """Charges at these holdings; rate risk and what the company gives stay."""
        basis = self.basis
        return self._tree_of(basis.charges.at(holdings))

    def _tree_of(self, table: ChargeTable, lines: NDArray[np.bool_] | None = None) -> CapitalTree:
        """Return the tree with these charges, laid out for ``lines``, else those that are charged.

        It is laid out like the last one where the same lines are.
        """
        factor = table.factor
        used = factor != 0.0 if lines is None else lines
        seen = used.tobytes()
        if self._laid_out is None or self._laid_out[0] != seen:
            self._laid_out = seen, *self._layout(table, used)
        _, shape, layout = self._laid_out
        return shape.charging(layout.at(np.concatenate([factor[used], *(side[held] for side, held in self._rates)])))

    def _layout(self, table: ChargeTable, used: NDArray[np.bool_]) -> tuple[CapitalTree, LeafLayout]:
        """Return the tree over one column a module, and how the lines in use and the rates enter it.

        Its nodes depend only on which modules hold anything at all: they are built once for each such set.
        """
        modules = (*self.basis.charges.modules, INTEREST_RATE_UP, INTEREST_RATE_DOWN)
        rates = [np.flatnonzero(held) for _, held in self._rates]
        first = len(modules) - len(rates)
        charged = Charged(
            np.concatenate([table.module[used].astype(np.int64), np.repeat([first, first + 1], [*map(len, rates)])]),
            np.concatenate([table.row[used].astype(np.int64), *rates]),
            len(modules),
            len(table.holdings),
            self.basis.inputs.assets["account"].isin(POOL_ACCOUNTS).to_numpy(),
        )
        held = np.bincount(charged.counted()[1], minlength=2 * len(modules)) > 0
        shape = self._shapes.get(held.tobytes())
        if shape is None:
            shape = self._shapes[held.tobytes()] = self._shape(modules, held)
        return shape, LeafLayout.of(charged, sparse.csc_array(shape.coefficients))

    @cached_property
    def _rates(self) -> tuple[tuple[Vector, NDArray[np.bool_]], ...]:
        """What rates up and down charge per CNY of each row, and which rows they charge."""
        return tuple((side, side != 0.0) for side in (self.basis.rate.up, self.basis.rate.down))

    def _shape(self, modules: tuple[str, ...], held: NDArray[np.bool_]) -> CapitalTree:
        """Return the tree over one column a module, the company's before the pool's; empty modules have none."""
        units = sparse.csr_array(np.diag(held.astype(float)))
        units.eliminate_zeros()
        count, size = len(modules), len(held)
        company, pool = (
            ModuleRows({name: sparse.csr_array(units[[start + k]]) for k, name in enumerate(modules)}, constants, size)
            for start, constants in ((0, self._constants(None)), (count, self._constants(POOL_ACCOUNTS)))
        )
        return build_tree(company, pool, self.basis.given, self.basis.pack)

    @cached_property
    def _shapes(self) -> dict[bytes, CapitalTree]:
        return {}

    def _constants(self, accounts: tuple[str, ...] | None) -> dict[str, float]:
        """Return what liabilities add to each module, CNY: over all accounts, or over the given ones."""
        basis = self.basis
        up, down = basis.rate.liability_change(accounts)
        constants = {INTEREST_RATE_UP: up, INTEREST_RATE_DOWN: down}
        for currency, given in basis.options.currency_liabilities.items():
            amount = _liabilities_in(given, accounts) * basis.inputs.unit
            module = currency_module(currency.upper(), basis.pack)
            factor = basis.pack.value(currency_figure(currency.upper(), basis.pack))
            constants[module] = constants.get(module, 0.0) - factor * amount
        return constants

    def marginals(self, holdings: Vector) -> tuple[Vector, Vector]:
        """Add what a trade in listed stock does to the gain of the stock book, on which all of it is charged."""
        charges, slope = self.basis.charges, self.tree(holdings).gradient(holdings)
        if not charges.lines.gain.any():
            return slope, slope
        state = charges.stock.k1(holdings)
        before, at, after = (
            self._tree_of(charges.at(holdings, stock_k1=state + step)).value(holdings) for step in (-STEP, 0.0, STEP)
        )
        sides = []
        # Less of a row moves k1 the other way: its own side of a clipped coefficient counts.
        for moved, sign in zip(charges.stock.k1_slopes(holdings), (1.0, -1.0), strict=True):
            sides.append(slope + moved * np.where(sign * moved > 0.0, after - at, at - before) / STEP)
        return sides[0], sides[1]

    def guards(self, space: Space) -> tuple[Term, ...]:
        """Return the rule on holding periods, and one for each concentration test but those left to a choice and those
        that the book fails already.

        The coefficient of these is charged until the book comes down by itself.
        """
        held_long = holding_guards(self.basis.charges, space)
        if not self.basis.options.guard_concentration:
            return held_long
        tests, (decided, _) = self.basis.charges.tests, self._choice(space)
        spared = decided | (tests.amounts(space.current) > tests.threshold)
        total = self.basis.inputs.balance_sheet.total_assets
        return (*held_long, *concentration_guards(self.basis.charges, space, total, spared))

    def _choice(self, space: Space) -> tuple[NDArray[np.bool_], tuple[OptionalBreach, ...]]:
        """Return which concentration tests are left to a choice, and the choice; asked for the same space again."""
        basis = self.basis
        if basis.options.guard_concentration != "choose":
            return np.zeros(len(basis.charges.tests.family), dtype=bool), ()
        if self._chosen is None or self._chosen[0] is not space:
            low, high = basis.charges.stock.reach(space.lower, space.upper)
            found = concentration_choice(
                basis.charges,
                self._tree_of,
                self._book(space, np.zeros(len(basis.charges.tests.family), dtype=bool)).used,
                space,
                (gain_coefficient(low), gain_coefficient(high)),
                basis.inputs.balance_sheet.total_assets,
                basis.inputs.settings.where("capital.guard_concentration"),
            )
            self._chosen = space, found
        return self._chosen[1]

    def book_state(self, space: Space) -> BookState | None:
        """Return what moves or steps with the book: k1, concentration, sides and balances of derivatives."""
        decided, choice = self._choice(space)
        state = replace(self._book(space, decided), choice=choice)
        return None if state.settled(space) else state

    def _book(self, space: Space, spared: NDArray[np.bool_]) -> WholeBook:
        return WholeBook.of(
            self.basis.charges, self._tree_of, space, bool(self.basis.options.guard_concentration), spared
        )

    def charges(self, holdings: Vector | None = None) -> pd.DataFrame:
        held = self._current if holdings is None else holdings
        charged = charge_lines(self.basis.charges.at(held), self.basis.inputs)
        return pd.concat([charged, rate_lines(self.basis.rate, self.basis.inputs, held)], ignore_index=True)

    def notes(self) -> tuple[RegimeNote, ...]:
        return regime_notes(self.basis)


def _liabilities_in(given: float | Mapping[str, float], accounts: tuple[str, ...] | None) -> float:
    """Return the liabilities in one currency; an amount without accounts belongs to none of the pool's."""
    if not isinstance(given, Mapping):
        return given if accounts is None else 0.0
    return sum(amount for account, amount in given.items() if accounts is None or account in accounts)


def build_regime(inputs: Inputs, options: CapitalOptions) -> Cross2Regime:
    """Return the regime of a fund.

    Raises
    ------
    InputError
        With everything that classification, cash flows, curves and the capital section lack.
    """
    problems = Problems()
    pack = RulePack.at(inputs.as_of, options.overrides, options.readings)
    charges = fund_charges(inputs, pack, options, problems)
    share = np.zeros(len(inputs.assets)) if charges is None else charges.rate_risk_share
    beside = None if options.amount_includes_accrued or charges is None else charges.accrued
    rate = rate_risk(inputs, pack, share, problems, options.floating_rate, beside)
    _check_liabilities(inputs, options, rate, problems)
    _check_currencies(inputs, options, problems)
    unit = inputs.unit
    life = options.life_insurance_risk
    parts = life.model_dump() if isinstance(life, LifeInsuranceRisk) else {}
    given = GivenCapital(
        {name: amount * unit for name, amount in parts.items()} if parts else float(life) * unit,  # type: ignore[arg-type]
        options.nonlife_insurance_risk * unit,
        options.loss_absorption_cap * unit,
        None if options.loss_absorption is None else options.loss_absorption * unit,
        options.additional_capital * unit,
        size_factor(inputs, options, pack, problems),
        control_factor(inputs, options, pack, problems),
    )
    tiers, actual = given_tiers(inputs, options.future_surplus * unit, problems)
    if tiers is None and options.require is not None and options.require.core is not None:
        problems.add(
            Text("a core ratio is required, but core capital is not given", "要求核心充足率，但缺少核心资本"),
            inputs.settings.where("balance_sheet.core_capital"),
        )
    problems.raise_if_any()
    assert charges is not None
    if tiers is None:
        return Cross2Regime(Basis(inputs, options, pack, charges, rate, given, None, actual, {}))
    capital = recognised_capital(tiers, pack)
    return Cross2Regime(
        Basis(inputs, options, pack, charges, rate, given, capital.core, capital.comprehensive, capital.excess)
    )


def _check_liabilities(inputs: Inputs, options: CapitalOptions, rate: RateRisk, problems: Problems) -> None:
    given = inputs.table("liabilities") is not None
    if given and options.without_liabilities:
        problems.add(
            Text("liabilities are given, yet said to be left out", "已提供负债现金流，却声明不含负债"),
            inputs.settings.where("capital.without_liabilities"),
        )
    if not given and not options.without_liabilities and rate.scope.any():
        problems.add(
            Text("interest rate risk needs the liability cash flows", "利率风险需要负债现金流"),
            "inputs.liabilities",
            hint=Text(
                "give the table, or say capital.without_liabilities: true",
                "请提供负债现金流表，或注明 capital.without_liabilities: true",
            ),
        )


def _check_currencies(inputs: Inputs, options: CapitalOptions, problems: Problems) -> None:
    accounts = set(inputs.assets["account"].dropna().unique())
    for currency, given in options.currency_liabilities.items():
        where = inputs.settings.where(f"capital.currency_liabilities.{currency}")
        if len(currency) != 3 or not currency.isalpha() or currency.upper() == DOMESTIC_CURRENCY:
            problems.add(Text("not a foreign currency", "不是外币代码"), where, currency, "USD, EUR, HKD …")
        for account in given if isinstance(given, Mapping) else ():
            if account not in accounts:
                allowed = ", ".join(sorted(accounts))
                problems.add(Text("no such account in the assets table", "资产表中没有该账户"), where, account, allowed)
