"""What a rule means: tests become masks over the rows, sums become rows of a matrix over the holdings.

Every arithmetic value is affine in the holdings x:

    inside a sum    row i:    slopeᵢ xᵢ + levelᵢ           slope, level (n,)
    outside         group g:  Σᵢ slope_gᵢ xᵢ + level_g     slope sparse (groups, n), level (groups,)

A product keeps this only when at most one factor depends on x, a quotient when its divisor does not. Each value
carries its power of CNY, so that a sum of money is never compared with a bare percentage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from allocator.plugin import Mask, Text, Vector, did_you_mean
from allocator.plugin.tables import SCALE, Measure
from allocator.plugin.terms import ModelContext, book_value_ratio, grouped, total_assets
from allocator_eligibility.columns import Cells, Columns, Held, compare
from allocator_eligibility.faults import Fault
from allocator_eligibility.nodes import (
    Aggregate,
    Blank,
    Both,
    Column,
    Compare,
    Contains,
    Literal,
    Member,
    Minus,
    Node,
    Not,
    Number,
    Product,
    Rule,
    Sum,
    Test,
)

__all__ = ["Affine", "Meaning", "mask_of"]


MEASURES = ("amount", "book_value", "weight", "notional")
_MONEY_COLUMNS = frozenset(("cost", "face", "fund_size", "manager_assets", "max", "min"))
_LARGEST = 20_000_000
"""Most non-zeros a rule may have: ``total`` under ``for each`` repeats its row for every group."""


@dataclass(frozen=True, eq=False)
class Affine:
    """slope · x + level.

    Parameters
    ----------
    slope : ndarray (n,) or csr_array (groups, n)
        Inside and outside a sum.
    level : ndarray
        What does not depend on the holdings, one per row.
    held : bool
        Whether it depends on the holdings at all.
    money : int or None
        Power of CNY; None for zero, which has every unit.
    """

    slope: Any
    level: Vector
    held: bool
    money: int | None

    def times(self, factor: Vector) -> Affine:
        """Return it multiplied row by row."""
        slope = self.slope
        scaled = sparse.csr_array(slope.multiply(factor[:, None])) if sparse.issparse(slope) else slope * factor
        return replace(self, slope=scaled, level=self.level * factor)


@dataclass(frozen=True, eq=False)
class Meaning:
    """Turns the syntax tree of one rule into affine values and masks."""

    context: ModelContext

    @cached_property
    def columns(self) -> Columns:
        """The columns that the rule may name."""
        return Columns(self.context.inputs)

    @cached_property
    def _rates(self) -> frozenset[str]:
        """Figures of the balance sheet that are no money."""
        declared = self.context.inputs.jurisdiction.balance_sheet
        return frozenset(key.name for key in declared if key.measure is Measure.RATE)

    def groups(self, rule: Rule) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Number the groups of ``for each`` by row (−1: none) and name them; without it all rows are one group.

        Raises
        ------
        Fault
            For a column of lists, and where no row belongs to any group.
        """
        size = self.context.space.size
        if rule.each is None:
            return np.zeros(size, dtype=np.int64), ()
        cells = self.columns[rule.each]
        if cells.held is Held.LIST:
            raise Fault(rule.each.at, Text("lists do not make groups", "列表列不能用于分组"))
        chosen = ~cells.blank & (self.mask(rule.where) if rule.where else True)
        codes, names = pd.factorize(self._labels(cells).where(chosen, None), use_na_sentinel=True)
        if not len(names):
            raise Fault(rule.each.at, Text("no row belongs to any group", "没有任何资产属于分组"))
        return codes.astype(np.int64), tuple(map(str, names))

    def mask(self, test: Test) -> Mask:
        """Return the rows for which a test holds (n,).

        Raises
        ------
        Fault
            For a test that the column's kind does not allow.
        """
        if isinstance(test, Column):
            cells = self.columns[test]
            if cells.held not in (Held.FLAG, Held.NOTHING):
                what = Text(f"{test.name} is not a flag", f"{test.name} 列不是“是/否”列")
                raise Fault(test.at, what, "== != < <= > >= in is")
            return np.asarray(cells.values, dtype=bool) if cells.held is Held.FLAG else np.zeros_like(cells.blank)
        if isinstance(test, Not):
            return ~self.mask(test.inner)
        if isinstance(test, Blank):
            return self.columns[test.column].blank
        if isinstance(test, Compare):
            return self._compared(test)
        if isinstance(test, Contains):
            return self._containing(test)
        if isinstance(test, Member):
            same = [Compare(value.at, "==", test.column, value) for value in test.values]
            return reduce(np.logical_or, (self._compared(one) for one in same))
        join = np.logical_and if isinstance(test, Both) else np.logical_or
        return reduce(join, (self.mask(part) for part in test.parts))

    def value(self, node: Node, groups: NDArray[np.int64], count: int) -> Affine:
        """Return an arithmetic value outside sums, one row per group.

        Parameters
        ----------
        node : Node
            A part of the rule.
        groups : ndarray of int (n,)
            Group of each row, −1 for none.
        count : int
            Groups.

        Raises
        ------
        Fault
            Where numbers overflow.
        """

        def leaf(inner: Column | Aggregate | None, number: float, money: int | None) -> Affine:
            if isinstance(inner, Aggregate):
                return self._aggregate(inner, groups, count)
            level = number
            if inner is not None:
                level, money = self._named(inner)
            return Affine(sparse.csr_array((count, self.context.space.size)), np.full(count, level), False, money)

        with np.errstate(all="ignore"):
            found = _arithmetic(node, leaf)
        if not (np.isfinite(found.level).all() and np.isfinite(found.slope.data).all()):
            raise Fault(node.at, Text("the numbers become too large", "数值溢出"))
        return found

    def _aggregate(self, node: Aggregate, groups: NDArray[np.int64], count: int) -> Affine:
        """Return Σ of the measure over the group's rows, or over all rows for every group alike."""
        size = self.context.space.size
        chosen = self.mask(node.where) if node.where else np.ones(size, dtype=bool)
        if node.whole:
            if count * int(chosen.sum()) > _LARGEST:
                raise Fault(node.at, Text("total under this many groups is too large", "分组过多，无法使用 total"))
            groups = np.zeros(size, dtype=np.int64)
        chosen = chosen & (groups >= 0)

        def leaf(inner: Column | Aggregate | None, number: float, money: int | None) -> Affine:
            if isinstance(inner, Aggregate):
                raise Fault(inner.at, Text("a sum stands inside a sum", "求和内不能再求和"))
            if inner is None:
                return Affine(np.zeros(size), np.full(size, number), False, money)
            return self._measure(inner, chosen)

        inside = _arithmetic(node.measure, leaf)
        rows, sums = np.where(chosen, groups, -1), 1 if node.whole else count
        slope = grouped(rows, inside.slope, sums).matrix
        level = np.bincount(rows[chosen], inside.level[chosen], minlength=sums).astype(float)
        if node.whole:
            slope = sparse.csr_array(sparse.vstack([slope] * count))
            level = np.repeat(level, count)
        return Affine(slope, level, inside.held, inside.money)

    def _measure(self, column: Column, rows: Mask) -> Affine:
        """Return a name inside a sum: an amount of the row, or a number beside it."""
        space = self.context.space
        if column.name in MEASURES:
            slopes = {
                "amount": (np.where(space.funded, 1.0, 0.0), 1),
                "book_value": (np.where(space.funded, book_value_ratio(self.context.inputs), 0.0), 1),
                "weight": (np.where(space.funded, 1.0 / space.total, 0.0), 0),
                "notional": (np.where(space.funded, 0.0, 1.0), 1),
            }
            slope, money = slopes[column.name]
            return Affine(slope, np.zeros(space.size), True, money)
        numbers = self.columns.numbers(column, rows)
        return Affine(np.zeros(space.size), numbers, False, int(column.name in _MONEY_COLUMNS))

    def _named(self, column: Column) -> tuple[float, int]:
        """Return a total of the company or of the portfolio, and its power of CNY."""
        name, inputs = column.name, self.context.inputs
        if name == "total_assets":
            return total_assets(inputs), 1
        if name == "portfolio":
            return self.context.space.total, 1
        figures = inputs.balance_sheet.figures
        totals = (*figures, "portfolio")
        if name in totals:
            given = figures[name]
            if given is None:
                place = inputs.settings.where(f"balance_sheet.{name}")
                what = Text(f"the fund file does not give {name} ({place})", f"组合文件未给出 {name}（{place}）")
                raise Fault(column.at, what)
            return float(given), int(name not in self._rates)
        if name in (*self.columns.names, *MEASURES):
            written = f"sum({name} where …)" if name in MEASURES else f"sum(amount * {name})"
            hint = Text(f"write {written}", f"请写作 {written}")
            what = Text(f"the column {name} stands outside a sum", f"列 {name} 须写在 sum( ) 之内")
            raise Fault(column.at, what, None, hint)
        what = Text(f"no such total: {name}", f"没有该总量：{name}")
        raise Fault(column.at, what, ", ".join(totals), did_you_mean(name, totals))

    def _compared(self, test: Compare) -> Mask:
        left, right, sign = test.left, test.right, test.sign
        if isinstance(left, Literal):
            if isinstance(right, Literal):
                raise Fault(left.at, Text("a test needs a column", "条件中须有列名"))
            left, right, sign = right, left, sign.translate(str.maketrans("<>", "><"))
        cells = self.columns[left]
        if isinstance(right, Literal):
            return compare(sign, test.at, cells, self.columns.literal(cells, right), cells.held)
        other = self.columns[right]
        if Held.NOTHING in (cells.held, other.held):
            return np.full(cells.blank.shape, sign == "!=")
        if cells.held is not other.held:
            what = Text(f"{left.name} and {right.name} do not compare", f"{left.name} 与 {right.name} 不可比较")
            raise Fault(test.at, what)
        found = compare(sign, test.at, cells, other.values, cells.held)
        return found & ~other.blank if sign != "!=" else found | other.blank

    def _containing(self, test: Contains) -> Mask:
        cells = self.columns[test.column]
        if cells.held is Held.NOTHING:
            return np.zeros_like(cells.blank)
        if cells.held is not Held.LIST or not isinstance(test.value.value, str):
            what = Text(f"{test.column.name} does not hold lists of text", f"{test.column.name} 不是文本列表列")
            raise Fault(test.at, what, "== in")
        wanted = test.value.value
        return np.fromiter((isinstance(cell, (tuple, list)) and wanted in cell for cell in cells.values), bool)

    @staticmethod
    def _labels(cells: Cells) -> pd.Series:
        if cells.held is Held.DATE:
            return pd.Series(np.datetime_as_string(cells.values, unit="D"), dtype=object)
        if cells.held is Held.RATING:
            return pd.Series(np.array([*SCALE, "unrated"], dtype=object)[-cells.values])
        return pd.Series(cells.values).astype(object)


def mask_of(context: ModelContext, test: Test) -> Mask:
    """Return the rows for which a test holds (n,).

    Parameters
    ----------
    context : ModelContext
        The fund as a term sees it.
    test : Test
        The test, parsed.
    """
    return Meaning(context).mask(test)


Leaf = Callable[[Column | Aggregate | None, float, int | None], Affine]


def _arithmetic(node: Node, leaf: Leaf) -> Affine:
    """Evaluate sums and products over whatever the leaves are."""
    if isinstance(node, Number):
        return leaf(None, node.value, None if node.value == 0 else int(node.money))
    if isinstance(node, (Column, Aggregate)):
        return leaf(node, 0.0, None)
    if isinstance(node, Minus):
        inner = _arithmetic(node.inner, leaf)
        return inner.times(np.full(inner.level.shape, -1.0))
    if isinstance(node, Sum):
        return _added(node, leaf)
    return _multiplied(node, leaf)


def _added(node: Sum, leaf: Leaf) -> Affine:
    total: Affine | None = None
    for plus, part in node.parts:
        value = _arithmetic(part, leaf)
        value = value if plus else value.times(np.full(value.level.shape, -1.0))
        if total is None:
            total = value
            continue
        if None not in (total.money, value.money) and total.money != value.money:
            raise unlike(part.at)
        money = value.money if total.money is None else total.money
        total = Affine(total.slope + value.slope, total.level + value.level, total.held or value.held, money)
    assert total is not None
    return total


def _multiplied(node: Product, leaf: Leaf) -> Affine:
    _, _, first = node.factors[0]
    product = _arithmetic(first, leaf)
    for multiply, at, factor in node.factors[1:]:
        value = _arithmetic(factor, leaf)
        if not multiply:
            value = _reciprocal(value, at)
        if product.held and value.held:
            what = Text("two amounts are multiplied: the rule must be linear", "两个持仓量相乘：规则必须是线性的")
            raise Fault(at, what)
        money = None if product.money is None or value.money is None else product.money + value.money
        held, other = (value, product) if value.held else (product, value)
        product = replace(held.times(other.level), money=money)
    return product


def _reciprocal(value: Affine, at: int) -> Affine:
    if value.held:
        what = Text("a division by an amount: the rule must be linear", "除数含持仓量：规则必须是线性的")
        hint = Text("multiply it to the other side: a <= 5% of b", "请移项改写为 a <= 5% of b")
        raise Fault(at, what, None, hint)
    if (value.level == 0).any():
        raise Fault(at, Text("a division by zero", "除数为零"))
    return replace(value, level=1.0 / value.level, money=None if value.money is None else -value.money)


def unlike(at: int) -> Fault:
    """Return the fault of money beside a bare number."""
    what = Text("money stands beside a bare number", "金额与无单位的数值不能比较或相加")
    hint = Text("give a unit or a base: 3 billion, 5% of total_assets", "请写明单位或基数：30亿元、5% of total_assets")
    return Fault(at, what, None, hint)
