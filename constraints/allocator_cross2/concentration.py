"""Concentration (R8 §60-67): sums of book value that must not pass a threshold, and the coefficients if they do.

Each test is one row of a sparse matrix over the holdings, so the same definition serves the charge at given
holdings and the linear limits that keep an optimizer below the thresholds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from allocator.plugin import Mask, Problems, Text, Vector
from allocator_cross2.attributes import Attributes
from allocator_cross2.lines import COUNTERPARTY_DEFAULT, REAL_ESTATE_PRICE, SPREAD, Basis, Lines
from allocator_cross2.pack import RulePack

__all__ = ["Concentration", "ConcentrationTests", "Family", "Holding", "concentration_tests"]

Rows = NDArray[np.int64]

ROUNDING = 1e-9
"""A sum within this fraction of its threshold is at it, not over it."""


class Family(StrEnum):
    """What a test sums: one counterparty, one class, or property."""

    COUNTERPARTY = "counterparty"
    CLASS = "class"
    PROPERTY = "property"


@dataclass(frozen=True, eq=False)
class Holding:
    """What the tests need to know of the company and its rows.

    Parameters
    ----------
    book : ndarray (n,)
        Book value per CNY of amount.
    claim : ndarray (n,)
        Book claim of a derivative per CNY of |notional|, 0 where it owes.
    total_assets : float or None
        The company's, CNY.
    comprehensive_ratio : float or None
        Of the last quarter end: it sets the equity class's ratio.
    limit_assets : float or None
        Base of the class ratios (R8 §66), CNY; None: total assets.
    """

    book: Vector
    claim: Vector
    total_assets: float | None
    comprehensive_ratio: float | None
    limit_assets: float | None = None


@dataclass(frozen=True, eq=False)
class Concentration:
    """The tests' outcome at given holdings.

    Parameters
    ----------
    tests : ConcentrationTests
        The tests.
    amounts : ndarray (tests,)
        Sum of each, CNY.
    over : ndarray of bool (tests,)
        Whether it lies above its threshold.
    k : ndarray (lines,)
        Coefficient of each charge line.
    """

    tests: ConcentrationTests
    amounts: Vector
    over: Mask
    k: Vector

    @cached_property
    def report(self) -> pd.DataFrame:
        """One line a test, largest first: family, name, amount and threshold (CNY), coefficient, over, article."""
        tests = self.tests
        report = pd.DataFrame(
            {
                "family": [str(family) for family in tests.family],
                "name": tests.name,
                "amount": self.amounts,
                "threshold": tests.threshold,
                "k": tests.k,
                "over": self.over,
                "article": tests.article,
            }
        )
        return report.sort_values("amount", ascending=False, ignore_index=True)


@dataclass(frozen=True, eq=False)
class ConcentrationTests:
    """Sums of book value with their thresholds.

    Parameters
    ----------
    family, name : tuple of str
        Family, and counterparty or class, of each test.
    matrix : csr_array (tests, n)
        Book value per CNY held that counts in each test.
    threshold, k : ndarray (tests,)
        CNY, and the coefficient above it.
    article : tuple of str
        Where each stands.
    untested : ndarray of int
        Rows that name no counterparty though one would count: not tested.
    """

    family: tuple[Family, ...]
    name: tuple[str, ...]
    matrix: sparse.csr_array
    threshold: Vector
    k: Vector
    article: tuple[str, ...]
    untested: Rows
    _of_line: tuple[Rows, ...] = field(repr=False)  # per family member: the test each charge line answers to, −1 none

    def amounts(self, holdings: Vector) -> Vector:
        """Return the sum of each test in CNY at ``holdings`` (n,); short derivatives count by their size."""
        return np.asarray(self.matrix @ np.abs(holdings))

    def at(self, holdings: Vector, size: int) -> Concentration:
        """Return how the tests turn out at ``holdings`` for ``size`` charge lines."""
        amounts = self.amounts(holdings)
        over = amounts > self.threshold * (1.0 + ROUNDING)
        return Concentration(self, amounts, over, self.charged(over, size))

    def charged(self, over: Mask, size: int) -> Vector:
        """Return the coefficient of each of ``size`` charge lines when the tests in ``over`` are failed."""
        charged = np.append(np.where(over, self.k, 0.0), 0.0)
        k = np.zeros(size)
        if over.any():
            for test in self._of_line:
                k += charged[test]
        return k


@dataclass(eq=False)
class _Tests:
    """Collects tests; each is a threshold with the entries of its matrix row."""

    rows: int
    lines: int
    tests: list[tuple[Family, str, str, float, float]] = field(default_factory=list)
    entries: list[tuple[Rows, Rows, Vector]] = field(default_factory=list)
    of_line: list[Rows] = field(default_factory=list)

    def add(self, test: tuple[Family, str, str, float, float], columns: Rows, values: Vector, lines: Mask) -> None:
        """Add one test over the asset rows ``columns``, charged on ``lines``."""
        number = len(self.tests)
        self.tests.append(test)
        self.entries.append((np.full(len(columns), number), columns, values))
        self.of_line.append(np.where(lines, number, -1))

    def finish(self, untested: Rows) -> ConcentrationTests:
        nothing = np.zeros(0, dtype=np.int64)
        test, column = (np.concatenate([nothing, *(entry[part] for entry in self.entries)]) for part in (0, 1))
        value = np.concatenate([np.zeros(0), *(entry[2] for entry in self.entries)])
        matrix = sparse.csr_array(sparse.coo_array((value, (test, column)), shape=(len(self.tests), self.rows)))
        family, name, article, threshold, k = zip(*self.tests, strict=True) if self.tests else ((), (), (), (), ())
        return ConcentrationTests(
            family, name, matrix, np.array(threshold), np.array(k), article, untested, tuple(self.of_line)
        )


def concentration_tests(
    pack: RulePack,
    lines: Lines,
    names: Mapping[str, tuple[str, ...]],
    tables: tuple[Attributes, Attributes],
    holding: Holding,
    problems: Problems,
) -> ConcentrationTests:
    """Build the tests of R8 §60-67 for the charges of a life company.

    Parameters
    ----------
    pack : RulePack
        Figures in force.
    lines : Lines
        All charges.
    names : mapping of str to tuple of str
        ``modules`` and ``figures`` by code.
    tables : (Attributes, Attributes)
        Assets and underlying assets.
    holding : Holding
        The company and its rows.
    problems : Problems
        Receives the lack of total assets.

    Notes
    -----
    A row that names neither counterparty nor issuer is not tested and listed in ``untested``. The class test
    of equity needs the reported comprehensive ratio and is left out without it.
    """
    assets, _ = tables
    per_line = holding.book[lines.row]
    per_line = np.where(lines.basis == Basis.CLAIM, holding.claim[lines.row], per_line)
    value = np.where(lines.position, lines.share * per_line, 0.0)
    module = np.array([_bears_counterparty_risk(name) for name in names["modules"]] + [False], dtype=bool)[lines.module]
    property_ = np.array([name == REAL_ESTATE_PRICE for name in names["modules"]] + [False], dtype=bool)[lines.module]
    overseas = np.array([name == "overseas.property" for name in names["figures"]] + [False], dtype=bool)[lines.figure]
    party, parties, untested = _parties(pack, lines, tables)
    counted = (party >= 0) & (value != 0)
    classes = _class_kinds(pack, assets)
    if holding.total_assets is None:
        if counted.any() or property_.any() or any(len(rows) for rows in classes.values()):
            _report_no_total(problems)
        return _Tests(len(assets), len(lines)).finish(untested)
    total = holding.total_assets
    tests = _Tests(len(assets), len(lines))
    if total > pack.value("concentration.exempt_below"):
        _counterparty_tests(tests, pack, total, lines, party, parties, np.where(counted, value, 0.0), module)
    for name, rows in classes.items():
        ratio = _class_ratio(pack, name, holding.comprehensive_ratio)
        if len(rows) and ratio is not None:
            row = (
                Family.CLASS,
                name,
                pack.article("concentration.class.k"),
                ratio * (holding.limit_assets or total),
                pack.value("concentration.class.k"),
            )
            inside = np.zeros(len(assets), dtype=bool)
            inside[rows] = True
            tests.add(row, rows, holding.book[rows], inside[lines.row] & module)
    if property_.any():
        k, ratio = pack.value("concentration.property.k"), pack.value("concentration.property.ratio")
        row = (Family.PROPERTY, "property", pack.article("concentration.property.k"), ratio * total, k)
        where = np.flatnonzero((property_ | overseas) & lines.position)
        tests.add(row, lines.row[where].astype(np.int64), value[where], property_)
    return tests.finish(untested)


def _bears_counterparty_risk(module: str) -> bool:
    """R8 §65: equity price risk, overseas asset price risk and credit risk."""
    return module.startswith(("equity_", "overseas_")) or module in (SPREAD, COUNTERPARTY_DEFAULT)


def _counterparty_tests(
    tests: _Tests,
    pack: RulePack,
    total: float,
    lines: Lines,
    party: Rows,
    parties: list[str],
    value: Vector,
    bears: Mask,
) -> None:
    """One test for each counterparty with a position; all share one threshold (R8 §65)."""
    threshold = pack.bands("concentration.threshold.life").at(total)
    k, article = pack.value("concentration.counterparty.k"), pack.article("concentration.counterparty.k")
    held = np.flatnonzero(value)
    present = np.unique(party[held])
    number = np.full(len(parties) + 1, -1)
    number[present] = np.arange(len(present)) + len(tests.tests)
    tests.tests.extend((Family.COUNTERPARTY, parties[code], article, threshold, k) for code in present.tolist())
    tests.entries.append((number[party[held]], lines.row[held].astype(np.int64), value[held]))
    tests.of_line.append(np.where(bears, number[party], -1))


def _parties(pack: RulePack, lines: Lines, tables: tuple[Attributes, Attributes]) -> tuple[Rows, list[str], Rows]:
    """Return each line's counterparty code (−1: none or exempt), the names, and asset rows that name none.

    R8 §63-64: what lies under a product counts with its own financing entity, the product's issuer else.
    """
    codes: dict[str, int] = {}
    assets, underlying = tables
    outer, outer_free = _table_parties(pack, assets, codes)
    inner, inner_free = _table_parties(pack, underlying, codes)
    party, free = outer[lines.row], outer_free[lines.row]
    below = lines.underlying >= 0
    leaf = lines.underlying[below]
    own = inner[leaf] >= 0
    party[below] = np.where(own, inner[leaf], party[below])
    free[below] = np.where(own, inner_free[leaf], free[below] | inner_free[leaf])
    untested = np.unique(lines.row[(party < 0) & ~free & lines.position]).astype(np.int64)
    return np.where(free, -1, party), list(codes), untested


def _table_parties(pack: RulePack, a: Attributes, codes: dict[str, int]) -> tuple[Rows, Mask]:
    counterparty, issuer = a.text("counterparty"), a.text("issuer")
    for label in (*counterparty.labels, *issuer.labels):
        codes.setdefault(label, len(codes))
    named = np.array([*(codes[label] for label in counterparty.labels), -1], dtype=np.int64)[counterparty.codes]
    issued = np.array([*(codes[label] for label in issuer.labels), -1], dtype=np.int64)[issuer.codes]
    kinds = a.kinds
    unnamed = pack.names("concentration.unnamed_kinds")
    listed = (*pack.names("concentration.exempt_kinds"), *pack.names("concentration.no_counterparty_kinds"))
    if pack.reading("unnamed_kinds_exempt_from_concentration"):
        listed += unnamed
    free = (
        kinds.equals(*listed)
        | a.text("bank_type").equals(*pack.names("concentration.exempt_bank_types"))
        | a.of_issuer("type").equals(*pack.names("concentration.exempt_issuer_types"))
        | (kinds.equals("am_product") & a.text("product_type").equals("money_market"))
        | (a.number("concentration_exempt") == 1.0)
    )
    return np.where(named >= 0, named, issued), free


_CLASSES = ("equity", "other_financial", "overseas")


def _class_kinds(pack: RulePack, assets: Attributes) -> dict[str, Rows]:
    """Return the directly held rows of each class (R8 §66); the kinds of each class are listed in the pack."""
    found = {name: assets.kinds.equals(*pack.names(f"concentration.class.{name}.kinds")) for name in _CLASSES}
    product, inside = assets.kinds.equals("am_product"), assets.text("product_type")
    for name in ("equity", "other_financial"):
        found[name] = found[name] | (product & inside.equals(*pack.names(f"concentration.class.{name}.product_types")))
    found["other_financial"] |= product & (inside.codes < 0)
    return {name: np.flatnonzero(rows) for name, rows in found.items()}


def _class_ratio(pack: RulePack, name: str, comprehensive: float | None) -> float | None:
    if name != "equity":
        return pack.value(f"concentration.class.{name}")
    if comprehensive is None:
        return None
    return float(pack.ladder("concentration.class.equity").at(np.array([comprehensive]))[0])


def _report_no_total(problems: Problems) -> None:
    problems.add(
        Text("concentration needs the company's total assets", "计量集中度风险需要公司总资产"),
        "balance_sheet.total_assets",
        None,
        None,
        Text(
            "give the total of the parent company's balance sheet (R8 §65)",
            "请填写母公司报表总资产（规则第8号第六十五条）",
        ),
    )
