"""Filed module amounts, aggregated again: every total beside the one that the insurer filed.

    X = sqrt(v′Rv) of the filed children          life_insurance_risk, market_risk, credit_risk
    quantifiable_risk_capital = size factor × (sqrt(v′Rv) − filed loss_absorption)
    minimum_capital = computed quantifiable + filed control_risk + filed additional_capital

Filed totals and diversification lines are never read for a computed figure: an aggregate takes its filed
children. A blank child counts 0; where all are blank the aggregate is blank.
"""

from __future__ import annotations

import re
from datetime import date
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from allocator.plugin import InputError, LocalizedPhrase, Problem, Problems, Text, Vector
from allocator.plugin.tables import ErrorCollector, decode, is_empty, parse_numbers
from allocator_cross2.filed_causes import TOLERANCE, likely_cause
from allocator_cross2.filed_layout import (
    ABSORPTION,
    AGGREGATES,
    COMPUTED,
    MINIMUM,
    QUANTIFIABLE,
    Aggregated,
    filled,
    numbers,
)
from allocator_cross2.pack import FIRST_DATE, RulePack

__all__ = [
    "AGGREGATES",
    "FILED_UNIT",
    "TOLERANCE",
    "Aggregated",
    "aggregate_filed",
    "agreement",
    "compare_filed",
    "summarise_filed",
]


FILED_UNIT = 1e4
"""CNY per unit of a quarterly filing, unless the caller says otherwise."""

_NUMBERS = tuple(
    dict.fromkeys(name for one in AGGREGATES for name in (*one.children, one.name, one.diversification) if name)
) + (ABSORPTION, "admitted_assets")


def aggregate_filed(path: Path, unit: float = FILED_UNIT, size_factor: str = "auto") -> pd.DataFrame:
    """Return the file's columns and, for each aggregate X, ``X_computed`` in the file's unit.

    Parameters
    ----------
    path : Path
        CSV, one filing a row; columns as in `AGGREGATES`, with ``quarter`` (2026Q1) and, for ``auto``,
        ``admitted_assets``. Columns not known are carried along.
    unit : float
        CNY per unit of the file; it matters to the bands of the size factor only.
    size_factor : str
        ``"auto"``: by admitted assets and quarter; a row of a quarter with bands and without admitted
        assets gets no quantifiable figure. Or a number for every row.

    Raises
    ------
    InputError
        Naming every cell that is not a number, a quarter that cannot be read or lies before the rules, a
        file without any module column.
    """
    problems = Problems()
    frame = _read(path, problems)
    fixed = _fixed_factor(size_factor, problems)
    dates = _quarter_ends(frame, path, fixed is not None, problems)
    problems.raise_if_any()
    computed = {one.name: np.full(len(frame), np.nan) for one in AGGREGATES}
    for when in sorted(set(dates)):
        rows = np.flatnonzero(np.array([each == when for each in dates])).astype(int)
        pack = RulePack.at(when)
        part = frame.iloc[rows]
        factor = np.full(len(rows), fixed) if fixed is not None else _size_factors(part, unit, pack)
        for one in AGGREGATES[:3]:
            computed[one.name][rows] = _aggregate(one, part, pack)
        quantifiable = factor * (_aggregate(QUANTIFIABLE, part, pack) - filled(part, ABSORPTION))
        computed[QUANTIFIABLE.name][rows] = quantifiable
        rest = [filled(part, name) for name in MINIMUM.children[1:]]
        computed[MINIMUM.name][rows] = quantifiable + rest[0] + rest[1]
    return frame.assign(**{name + COMPUTED: values for name, values in computed.items()})


def compare_filed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one line per row and aggregate that does not agree with the filed figure.

    Parameters
    ----------
    frame : DataFrame
        What `aggregate_filed` returned.

    Returns
    -------
    DataFrame
        position (index of the row in ``frame``), aggregate, filed, computed, difference (relative to the filed figure),
        cause, cause_zh; the largest difference of an aggregate first.
    """
    lines: list[tuple[int, str, float, float, float, str, str]] = []
    for one in AGGREGATES:
        filed, computed = numbers(frame, one.name), frame[one.name + COMPUTED].to_numpy(dtype=float)
        differs = ~np.isnan(filed) & ~np.isnan(computed) & (np.abs(computed - filed) > TOLERANCE * np.abs(filed))
        found = []
        for row in np.flatnonzero(differs):
            cause = likely_cause(one, frame.iloc[[int(row)]], float(filed[row]), float(computed[row]))
            share = (computed[row] - filed[row]) / abs(filed[row]) if filed[row] else np.inf
            found.append(
                (
                    int(frame.index[int(row)]),
                    one.name,
                    float(filed[row]),
                    float(computed[row]),
                    share,
                    cause.en,
                    cause.zh,
                )
            )
        lines += sorted(found, key=lambda line: -abs(line[4]))
    names = ["position", "aggregate", "filed", "computed", "difference", "cause", "cause_zh"]
    return pd.DataFrame(lines, columns=names)


def agreement(frame: pd.DataFrame) -> pd.DataFrame:
    """Return for each aggregate: rows compared, rows that agree, and the share, index aggregate."""
    differing = compare_filed(frame)["aggregate"].value_counts()
    lines = []
    for one in AGGREGATES:
        both = ~np.isnan(numbers(frame, one.name)) & ~frame[one.name + COMPUTED].isna().to_numpy()
        compared, wrong = int(both.sum()), int(differing.get(one.name, 0))
        lines.append((one.name, compared, compared - wrong, (compared - wrong) / compared if compared else np.nan))
    return pd.DataFrame(lines, columns=["aggregate", "compared", "agree", "share"]).set_index("aggregate")


def summarise_filed(frame: pd.DataFrame, worst: int = 5) -> tuple[Text, ...]:
    """Return sentences: how many rows of each aggregate agree, and the worst with their likely cause."""
    lines = []
    differing = compare_filed(frame)
    for count in agreement(frame).itertuples():
        name, agree, compared = str(count.Index), count.agree, count.compared
        lines.append(
            Text(
                f"{name}: {agree} of {compared} rows agree within {TOLERANCE:g}",
                f"{name}：{compared} 行中 {agree} 行与披露值相差不超过 {TOLERANCE:g}",
            )
        )
        for line in differing.loc[differing["aggregate"] == name].head(worst).to_dict("records"):
            who = _named(frame, line["position"])
            amounts = f"{line['filed']:,.2f} / {line['computed']:,.2f} ({line['difference']:+.3%})"
            lines.append(
                Text(
                    f"  {who}: filed / computed {amounts}: {line['cause']}",
                    f"  {who}：披露 / 计算 {amounts}：{line['cause_zh']}",
                )
            )
    return tuple(lines)


def _aggregate(one: Aggregated, part: pd.DataFrame, pack: RulePack) -> Vector:
    """Return sqrt(v′Rv) by row; NaN where every child is blank."""
    correlation = pack.matrix(one.correlation).values
    parts = np.column_stack([numbers(part, name) for name in one.children])
    blank = np.isnan(parts).all(axis=1)
    v = np.nan_to_num(parts)
    square = np.einsum("ni,ij,nj->n", v, correlation, v)
    return np.where(blank, np.nan, np.sqrt(square))


def _size_factors(part: pd.DataFrame, unit: float, pack: RulePack) -> Vector:
    """Return the size factor by admitted assets; NaN where the bands need them and they are blank."""
    ladder = pack.ladder("size_factor.life")
    assets = numbers(part, "admitted_assets") * unit
    factors = ladder.at(assets, not pack.reading("size_band_includes_upper_bound"))
    return np.where(np.isnan(assets) & (len(ladder.bounds) > 0), np.nan, factors)


def _fixed_factor(size_factor: str, problems: Problems) -> float | None:
    if size_factor.strip().lower() == "auto":
        return None
    try:
        value = float(size_factor)
    except ValueError:
        value = np.nan
    if not 0 < value <= 1:
        problems.add(
            Text("the size factor cannot be used", "规模系数不可用"), "size_factor", size_factor, "auto, 0 – 1"
        )
    return value


def _read(path: Path, problems: Problems) -> pd.DataFrame:
    """Return the file with its module columns as numbers."""
    frame = _cells(path)
    known = [name for name in _NUMBERS if name in frame]
    children = {name for one in AGGREGATES for name in one.children}
    if not children & set(known):
        problems.add(
            Text("the file has no column of a risk module", "文件中没有任何风险模块列"),
            path.name,
            ", ".join(map(str, frame.columns[:8])),
            ", ".join(sorted(children)),
        )
    for name in known:
        read = parse_numbers(frame[name])
        for row in np.flatnonzero(read.column.isna() & ~frame[name].map(is_empty)):
            problems.add(
                Text("not a number", "不是有效数字"),
                LocalizedPhrase(
                    f"{path.name}, row {row + 2}, column {name}", f"{path.name}，第 {row + 2} 行，“{name}”列"
                ),
                str(frame[name].iloc[row]),
                "1234.5, 1,234.5, (1,234.5)",
            )
        frame[name] = read.column
    return frame


def _cells(path: Path) -> pd.DataFrame:
    """Return the file's cells as text; InputError for a file that cannot be read as CSV."""
    findings = ErrorCollector()
    try:
        decoded = decode(path.read_bytes(), path.name, findings)
        findings.raise_if_any()
        assert decoded is not None
        return pd.read_csv(StringIO(decoded[0]), dtype=str, keep_default_na=False)
    except OSError as error:
        problem = Problem(Text("the file cannot be read", "文件无法读取"), str(path), error.strerror)
        raise InputError(problem) from error
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise InputError(
            Problem(Text("not a CSV table", "不是有效的CSV表格"), path.name, str(error).strip())
        ) from error


def _quarter_ends(frame: pd.DataFrame, path: Path, optional: bool, problems: Problems) -> list[date]:
    """Return the last day of each row's quarter: the rules in force then apply."""
    if "quarter" not in frame:
        if not optional:
            problems.add(Text("the column is missing", "缺少该列"), f"{path.name}, column quarter", None, "2026Q1")
        return [date.max] * len(frame)
    ends: list[date] = []
    for row, text in enumerate(frame["quarter"]):
        found = re.fullmatch(r"\s*(\d{4})\s*(?:-|年|年第)?\s*(?:[Qq]\s*)?([1-4])\s*(?:季度|季)?\s*", text)
        end = _last_day(int(found[1]), int(found[2])) if found else date.min
        if end < FIRST_DATE:
            problems.add(
                Text("the quarter cannot be read, or lies before the rules (Ⅱ)", "季度无法识别，或早于规则（Ⅱ）施行"),
                f"{path.name}, row {row + 2}, column quarter",
                text,
                "2022Q1 …",
            )
        ends.append(end)
    return ends


def _last_day(year: int, quarter: int) -> date:
    return date(year, 3 * quarter, 31 if quarter in (1, 4) else 30)


def _named(frame: pd.DataFrame, position: int) -> str:
    """Return company and quarter of a row, or its place in the file."""
    names = [str(frame.at[position, name]) for name in ("company", "quarter") if name in frame]
    return " ".join(names) or f"row {position + 2}"
