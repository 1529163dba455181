"""Reading the attributes that charges need: column by column, as arrays, naming every cell that is missing.

A charge never falls back on a default in silence. What a kind needs and the file lacks is reported with its
row, column and remedy, all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plugin import Mask, Problems, Text, Vector, did_you_mean
from allocator.plugin.tables import SCALE, read_rating

__all__ = ["TABLE_ROWS", "Attributes", "Coded", "HINTS"]

Rows = NDArray[np.int64]

TABLE_ROWS = SCALE.index("BBB-") + 1
"""Ranks below BBB−, and no rating, share the last row of the rules' tables, which stands here."""

NAMED = 50
"""Rows named one by one for one missing attribute of one kind; the rest are counted."""

HINTS: Mapping[str, Text] = MappingProxyType(
    {
        "rating": Text(
            "an issue without a rating takes its issuer's (issuer_rating, R9 §5); write NR only if the issuer has none",
            "债项无评级的采用主体评级（issuer_rating 列，规则第9号第五条）；主体也无评级的才写 NR",
        ),
        "protection_rating": Text(
            "the rating of the protection's issuer; NR if none", "信用保护工具创设机构的主体评级，无评级填 NR"
        ),
        "protection_book_value": Text("the book value of the protection itself", "信用保护工具的账面价值"),
        "board": Text("write main, star or chinext", "请填写 main、star 或 chinext"),
        "holding_years": Text(
            "the weighted average holding period; write 0 for stock held only a short time",
            "填写加权平均持仓时间；短期持有请填 0",
        ),
        "capital_adequacy": Text(
            "the latest ratio; write 0 if none of the last year is available (worst step, R9 §21)",
            "填写最近一期资本充足率；无法获得最近一年内数据的填 0（适用最高一档，规则第9号第二十一条）",
        ),
        "bank_ratios_met": Text(
            "write no if no ratio of the last year is available (R8 §36)",
            "无法获得最近一年内数据的填“否”（规则第8号第三十六条）",
        ),
        "conversion_clause": Text(
            "whether conversion into common stock or a write-down is forced", "是否带有强制转股或减记条款"
        ),
        "modified_duration": Text(
            "give it, or the coupon, frequency, maturity and yield it is computed from",
            "请填写修正久期，或填写票面利率、付息频率、到期日与收益率以供计算",
        ),
        "strategic_emerging": Text(
            "name the issuer and fill strategic_emerging in the issuers table (yes or no)",
            "请填写发行人，并在发行人表中填写战略性新兴产业（是或否）",
        ),
        "issuer": Text(
            "name the issuer and give its type in the issuers table", "请填写发行人，并在发行人表中填写类型"
        ),
        "transparency": Text(
            "write look_through, exempt or opaque as the product's documents allow",
            "按产品信息填写 look_through（可穿透）、exempt（豁免穿透）或 opaque（无法穿透）",
        ),
        "product_type": Text(
            "write money_market, fixed_income, equity, mixed or commodity_derivative",
            "请填写 money_market、fixed_income、equity、mixed 或 commodity_derivative",
        ),
        "city_tier": Text(
            "write municipality, provincial_capital, separately_planned or other",
            "请填写 municipality（直辖市）、provincial_capital（省会）、separately_planned（计划单列市）或 other",
        ),
        "market": Text("write developed or emerging", "请填写 developed（发达市场）或 emerging（新兴市场）"),
        "cost": Text(
            "what the holding was bought for; k1 of the stock book needs it", "填写持仓成本；股票特征系数k1需要"
        ),
        "loan_class": Text(
            "write normal, special_mention, substandard, doubtful or loss",
            "请填写 normal（正常）、special_mention（关注）、substandard（次级）、doubtful（可疑）或 loss（损失）",
        ),
        "hedge_effectiveness": Text(
            "the ratio by the accounting rules; write 0 for a hedge that is not effective",
            "填写套期有效性；无效套期填 0",
        ),
        "hedge_months": Text("the term of the hedge in months", "填写套期期限（月）"),
        "book_value": Text(
            "the contract's claim (positive) or debt (negative) now", "填写合约当前的债权（正）或债务（负）账面价值"
        ),
    }
)
"""The remedy for a missing cell, by column."""


@dataclass(frozen=True, eq=False, slots=True)
class Coded:
    """A text column as codes: ``labels[codes]``, −1 where the cell is empty."""

    codes: NDArray[np.int64]
    labels: tuple[str, ...]

    def where(self, test: Callable[[str], bool]) -> Mask:
        """Return which rows hold a label that passes the test; empty cells do not."""
        passed = np.array([*map(test, self.labels), False], dtype=bool)
        return np.asarray(passed[self.codes])

    def equals(self, *labels: str) -> Mask:
        """Return which rows hold one of the labels."""
        return self.where(set(labels).__contains__)


@dataclass(eq=False)
class Attributes:
    """The columns of one table of instruments (assets, or underlying assets), read once each.

    Parameters
    ----------
    frame : DataFrame (n rows)
        Checked cells; columns that are absent read as empty.
    table : str
        Key under ``inputs:``, for messages.
    where : callable
        ``where(table, row, column) -> str``: the place of a cell.
    problems : Problems
        Receives what is missing or impossible.
    as_of : datetime.date
        Valuation date.
    issuers : DataFrame or None
        The issuers table.
    duration : ndarray (n,) or None
        Modified durations computed from terms, used where the column is empty.
    accrued : ndarray (n,) or None
        Accrued interest per CNY of amount; None: ``accrued_interest`` alone gives it.
    """

    frame: pd.DataFrame
    table: str
    where: Callable[[str, int, str], str]
    problems: Problems
    as_of: date
    issuers: pd.DataFrame | None = None
    duration: Vector | None = None
    accrued: Vector | None = None
    _numbers: dict[str, Vector] = field(default_factory=dict)
    _texts: dict[str, Coded] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def accrued_part(self) -> Vector:
        """Accrued interest per CNY of amount (n,), 0 where none is known (R9 §35)."""
        if self.accrued is not None:
            return self.accrued
        held, interest = self.number("amount"), np.nan_to_num(self.number("accrued_interest"))
        return np.divide(interest, held, out=np.zeros(len(self)), where=held > 0)

    @cached_property
    def kinds(self) -> Coded:
        """The ``kind`` column."""
        return self.text("kind")

    def kind_of(self, row: int) -> str:
        """Return the kind of one row."""
        code = self.kinds.codes[row]
        return self.kinds.labels[code] if code >= 0 else "?"

    def number(self, name: str) -> Vector:
        """Return a numeric column, NaN where empty. A flag reads 1, 0 or NaN."""
        if name not in self._numbers:
            self._numbers[name] = _numbers(self.frame.get(name), len(self.frame))
        return self._numbers[name]

    def text(self, name: str) -> Coded:
        """Return a text column as codes."""
        if name not in self._texts:
            self._texts[name] = _coded(self.frame.get(name), len(self.frame))
        return self._texts[name]

    def text_at(self, name: str, rows: Rows) -> Coded:
        """Return a text column at some rows only: cheaper where nearly every cell differs."""
        series = self.frame.get(name)
        return _coded(None if series is None else series.iloc[rows], len(rows))

    def members(self, name: str, item: str, rows: Rows) -> Mask:
        """Return which of the rows list ``item`` in a list column; an empty cell lists nothing."""
        series = self.frame.get(name)
        if series is None:
            return np.zeros(len(rows), dtype=bool)
        cells = series.iloc[rows]
        try:
            codes, distinct = _factorize(cells)
        except TypeError:  # lists are not hashable, tuples are
            codes, distinct = _factorize(cells.map(lambda cell: tuple(cell) if isinstance(cell, list) else cell))
        found = np.array([item in _items(cell) for cell in distinct] + [False], dtype=bool)
        return np.asarray(found[codes])

    def of_issuer(self, name: str) -> Coded:
        """Return a text column of the issuers table, by the issuer each row names."""
        return self._issuer_texts.get(name) or self._read_issuer_text(name)

    def issuer_flag(self, name: str) -> Vector:
        """Return a flag of the row itself, else of its issuer: 1, 0 or NaN."""
        own = self.number(name)
        if self.issuers is None or not np.isnan(own).any():
            return own
        by_issuer = np.append(_numbers(self.issuers.get(name), len(self.issuers)), np.nan)
        return np.where(np.isnan(own), by_issuer[self._issuer_row], own)

    @cached_property
    def _issuer_texts(self) -> dict[str, Coded]:
        return {}

    def _read_issuer_text(self, name: str) -> Coded:
        if self.issuers is None:
            coded = Coded(np.full(len(self.frame), -1, dtype=np.int64), ())
        else:
            known = _coded(self.issuers.get(name), len(self.issuers))
            coded = Coded(np.append(known.codes, -1)[self._issuer_row], known.labels)
        self._issuer_texts[name] = coded
        return coded

    @cached_property
    def _issuer_row(self) -> Rows:
        """Position of each row's issuer in the issuers table, −1 for none."""
        named = self.text("issuer")
        if self.issuers is None:
            return np.full(len(self.frame), -1, dtype=np.int64)
        keys = _coded(self.issuers["issuer"], len(self.issuers))
        places = {keys.labels[code]: row for row, code in enumerate(keys.codes) if code >= 0}
        return np.array([*(places.get(label, -1) for label in named.labels), -1], dtype=np.int64)[named.codes]

    def require(self, rows: Rows, known: Mask, column: str, reason: Text | None = None) -> Rows:
        """Return the rows whose attribute is known; name the others.

        Parameters
        ----------
        rows : ndarray of int (m,)
            Rows the attribute is needed for.
        known : ndarray of bool (m,)
            Whether each has it.
        column : str
            The column that would hold it.
        reason : Text or None
            Why it is needed, where that is not plain from the kind.
        """
        if known.all():
            return rows
        missing = rows[~known]
        kind = self.kind_of(int(missing[0]))
        what = reason or Text(f"the charge of {kind} needs {column}", f"计量 {kind} 的最低资本需要 {column}")
        self.report(missing, column, what, "", HINTS.get(column))
        return rows[known]

    def require_number(self, rows: Rows, column: str, reason: Text | None = None) -> Rows:
        """Return the rows whose number (or flag) is given; name the others."""
        return self.require(rows, ~np.isnan(self.number(column)[rows]), column, reason)

    def require_choice(self, rows: Rows, column: str, choices: tuple[str, ...]) -> Rows:
        """Return the rows that hold one of the choices; name the others."""
        coded = self.text(column)
        given = coded.codes[rows] >= 0
        self.require(rows, given, column)
        fits = coded.equals(*choices)[rows]
        for code in np.unique(coded.codes[rows[given & ~fits]]):
            label = coded.labels[code]
            kind = self.kind_of(int(rows[given & ~fits][0]))
            what = Text(f"{column} of {kind} cannot be this", f"{kind} 的 {column} 不能为此值")
            hint = did_you_mean(label, choices)
            self.report(rows[given & (coded.codes[rows] == code)], column, what, label, hint, ", ".join(choices))
        return rows[fits]

    def ratings(self, rows: Rows, column: str = "rating") -> tuple[Rows, Rows]:
        """Return the rows with a readable rating, and their ranks on `allocator.inputs.ratings.SCALE`."""
        coded = self.text(column)
        rows = self.require(rows, coded.codes[rows] >= 0, column)
        read = [read_rating(label) for label in coded.labels]
        ranks = np.array([*(-1 if isinstance(item, Text) else item for item in read), -1], dtype=np.int64)
        found = ranks[coded.codes[rows]]
        for code in np.unique(coded.codes[rows[found < 0]]).tolist():
            cure = read[code]
            if isinstance(cure, Text):
                what = Text("this rating cannot be read", "评级无法识别")
                self.report(rows[coded.codes[rows] == code], column, what, coded.labels[code], cure)
        return rows[found >= 0], found[found >= 0]

    def durations(self, rows: Rows) -> tuple[Rows, Vector]:
        """Return the rows with a positive modified duration, and the durations in years.

        A given ``modified_duration`` wins over the computed one.
        """
        given = self.number("modified_duration")
        known = given if self.duration is None else np.where(np.isnan(given), self.duration, given)
        rows = self.require(rows, ~np.isnan(known[rows]), "modified_duration")
        positive = known[rows] > 0
        if not positive.all():
            what = Text("a modified duration must be positive", "修正久期必须为正")
            hint = Text("a matured bond is cash or a receivable", "已到期债券应列为现金或应收款项")
            self.report(rows[~positive], "modified_duration", what, known, hint, "> 0")
        rows = rows[positive]
        return rows, known[rows]

    def alive(self, rows: Rows) -> Rows:
        """Return the rows that have not matured by the valuation date; name the others."""
        series = self.frame.get("maturity")
        if series is None:
            return rows
        maturity = pd.to_datetime(series).to_numpy().astype("datetime64[D]")[rows]
        matured = maturity <= np.datetime64(self.as_of, "D")  # NaT compares False
        if matured.any():
            what = Text("this contract has matured by the valuation date", "该合约在评估日已到期")
            hint = Text(
                "enter what was repaid as cash, what was not as a receivable",
                "已收回部分列为现金，未收回部分列为应收款项",
            )
            shown = {int(row): str(day) for row, day in zip(rows[matured], maturity[matured], strict=True)}
            self.report(rows[matured], "maturity", what, shown, hint, f"> {self.as_of.isoformat()}")
        return rows[~matured]

    def report(
        self,
        rows: Rows,
        column: str,
        what: Text,
        got: str | Vector | Mapping[int, str],
        hint: Text | None = None,
        allowed: str | None = None,
    ) -> None:
        """Name the rows one by one up to `NAMED`, and count the rest."""
        for row in rows[:NAMED].tolist():
            shown = got if isinstance(got, str) else str(got[row]) if isinstance(got, Mapping) else f"{got[row]:g}"
            self.problems.add(what, self.where(self.table, row, column), shown or None, allowed, hint)
        if len(rows) > NAMED:
            more = len(rows) - NAMED
            self.problems.add(
                Text(f"{what.en}: {more} more rows", f"{what.zh}：另有 {more} 行"), f"{self.table}, column {column}"
            )


def _numbers(series: pd.Series | None, size: int) -> Vector:
    if series is None:
        return np.full(size, np.nan)
    if series.dtype == object:
        series = pd.to_numeric(series, errors="coerce")
    return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))


def _coded(series: pd.Series | None, size: int) -> Coded:
    if series is None:
        return Coded(np.full(size, -1, dtype=np.int64), ())
    codes, cells = _factorize(series)
    labels = [str(cell).strip() for cell in cells]
    if all(labels):
        return Coded(codes, tuple(labels))
    keep = np.array([number if label else -1 for number, label in enumerate(labels)] + [-1], dtype=np.int64)
    return Coded(keep[codes], tuple(labels))


def _factorize(series: pd.Series) -> tuple[NDArray[np.int64], list[object]]:
    if isinstance(series.dtype, pd.CategoricalDtype):
        return np.array(series.cat.codes, dtype=np.int64), list(series.cat.categories)
    codes, cells = pd.factorize(series)
    return np.array(codes, dtype=np.int64), np.asarray(cells, dtype=object).tolist()


def _items(cell: object) -> tuple[str, ...]:
    if isinstance(cell, tuple):
        return tuple(str(item).strip() for item in cell)
    return tuple(part.strip() for part in str(cell).replace("；", ";").split(";"))
