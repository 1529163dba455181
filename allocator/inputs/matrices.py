"""Tables whose columns are asset codes: returns, covariance, scenarios.

An empty cell is an error that names it: a history that is shorter for one asset is the user's to complete or
to leave out. Columns may be missing (a risk model says itself which assets it needs) except in the covariance,
which must cover every asset.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.inputs.cells import parse, parse_numbers
from allocator.inputs.check import drop_blank_rows, drop_totals, report_excel_errors
from allocator.inputs.error_collector import CellError, ErrorCollector
from allocator.inputs.fund import TableSource, column_place
from allocator.inputs.headings import spelling
from allocator.inputs.identity import identity, parse_identities
from allocator.inputs.raw import RawTable, TableQuery
from allocator.inputs.resolve import column_letter
from allocator.types import LocalizedPhrase, Measure, Text

__all__ = ["MATRIX_READERS", "MatrixReader", "check_covariance", "check_returns", "check_scenarios", "matrix_wanted"]

MatrixReader = Callable[[RawTable, Sequence[str], ErrorCollector], tuple[pd.DataFrame, TableSource]]

SYMMETRY = 1e-8
"""Largest |Σij − Σji| relative to √(Σii Σjj)."""
DEFINITENESS = 1e-8
"""Largest negative eigenvalue of the correlation matrix put down to rounding."""
HIGHEST_VOLATILITY = 2.0
"""As in the column ``volatility`` of the assets table."""
FEW = 12
"""Observations below which an estimate of risk is said to rest on few."""
PROBABILITY = 1e-6
"""How far the probabilities of scenarios may be from one in sum."""

_LEADING: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "returns": {spelling(name): "date" for name in ("date", "日期", "交易日", "交易日期", "月份", "index")},
        "covariance": {spelling(name): "asset_id" for name in ("asset_id", "资产代码", "证券代码", "代码", "index")},
        "scenarios": {
            **{spelling(name): "probability" for name in ("probability", "概率", "情景概率")},
            **{spelling(name): "scenario" for name in ("scenario", "情景", "情景编号", "序号")},
        },
    }
)
_EMPTY = CellError(
    Text("an empty cell", "单元格为空"),
    hint=Text("fill it in, or leave the whole column out", "请补填，或整列删除"),
)
_NOT_NUMBER = CellError(Text("not a number", "不是有效数字"), "0.0123, 1.23%")


def matrix_wanted(table: str, assets: Sequence[str]) -> TableQuery:
    """Return what a reader must know to find a table whose columns are asset codes."""
    leading = _LEADING[table]
    known = {*leading, *(spelling(code) for code in assets)}
    return TableQuery(
        table,
        lambda heading: spelling(heading) in known,
        lambda heading: spelling(heading) not in leading,
        code=lambda heading: leading.get(spelling(heading)) == "asset_id",
    )


def check_returns(raw: RawTable, assets: Sequence[str], errors: ErrorCollector) -> tuple[pd.DataFrame, TableSource]:
    """Return the history: ``date`` (increasing, unique) and simple periodic returns, a column for each asset.

    Parameters
    ----------
    raw : RawTable
        As read.
    assets : sequence of str
        Asset codes; columns that are none of them are kept.
    findings : Findings
        Receives the problems.
    """
    raw, source, places = _prepare(raw, "returns", errors)
    if "date" not in places:
        errors.add(Text("a needed column is missing", "缺少必需的列"), raw.file, "date (日期)", "date, 日期")
        return pd.DataFrame(), source
    dates = parse(raw.cells[places["date"]], Measure.DATE, epoch_shift=raw.epoch_shift)
    show = raw.cells[places["date"]].iloc.__getitem__
    bad = CellError(Text("not a date", "不是有效日期"), "2026-06-30, 2026/6/30, 20260630, 2026年6月30日")
    errors.cells(bad, source, "date", dates.bad | dates.empty, lambda row: str(show(row)))
    stamps = dates.values.to_numpy()
    late = np.zeros(len(stamps), dtype=bool)
    late[1:] = stamps[1:] <= stamps[:-1]
    order = CellError(
        Text("dates must increase and not repeat", "日期必须递增且不重复"),
        hint=Text("sort the rows by date", "请按日期升序排列"),
    )
    errors.cells(order, source, "date", late, lambda row: str(stamps[row])[:10])
    lowest = CellError(
        Text("a return of −100% or less", "收益率不高于 −100%"),
        "> -1",
        Text("returns are simple and in decimals", "收益率为简单收益率，以小数表示"),
    )
    columns = {"date": dates.values, **_numbers(raw, places, ("date",), source, errors, lowest)}
    _report_prices(columns, source, errors)
    if 1 < len(stamps) < FEW:
        errors.notes.append(
            Text(
                f"{source.file}: {len(stamps)} observations are few for an estimate of risk",
                f"{source.file}：仅有 {len(stamps)} 期观测，风险估计的可靠性有限",
            )
        )
    return pd.DataFrame(columns, copy=False), source


def check_scenarios(raw: RawTable, assets: Sequence[str], errors: ErrorCollector) -> tuple[pd.DataFrame, TableSource]:
    """Return the scenarios: annual returns, a row each; ``probability``, if given, is positive and sums to 1."""
    raw, source, places = _prepare(raw, "scenarios", errors)
    lowest = CellError(Text("a return below −100%", "收益率低于 −100%"), "≥ -1")
    columns: dict[str, pd.Series] = {}
    if "scenario" in places:
        columns["scenario"] = parse(raw.cells[places["scenario"]], Measure.TEXT).values
    if "probability" in places:
        column = _numbers(raw, {"probability": places["probability"]}, (), source, errors, None)["probability"]
        probability = column.to_numpy()
        fault = CellError(Text("a probability must lie in [0, 1]", "概率须在 0 与 1 之间"), "0 – 1")
        errors.cells(fault, source, "probability", (probability < 0) | (probability > 1), lambda row: str(column[row]))
        total = float(np.nansum(probability))
        if abs(total - 1.0) > PROBABILITY:
            errors.add(
                Text("the probabilities do not sum to 1", "概率之和不为 1"),
                source.where_column("probability"),
                f"{total:.9g}",
                "1",
            )
        columns["probability"] = column
    columns.update(_numbers(raw, places, ("scenario", "probability"), source, errors, lowest))
    return pd.DataFrame(columns, copy=False), source


def check_covariance(raw: RawTable, assets: Sequence[str], errors: ErrorCollector) -> tuple[pd.DataFrame, TableSource]:
    """Return ``asset_id`` and the matrix, its columns in the order of its rows; symmetric, positive semidefinite."""
    raw, source, places = _prepare(raw, "covariance", errors)
    first = places.pop("asset_id", 0)
    name = raw.headings[first].strip() if raw.headings else ""
    places.pop(identity(name), None)
    source = TableSource(
        source.file,
        source.rows,
        MappingProxyType({**source.headings, "asset_id": name or "asset_id"}),
        source.fingerprint,
        MappingProxyType({**source.letters, **({"asset_id": column_letter(first)} if raw.spreadsheet else {})}),
    )
    if not raw.cells:
        errors.add(Text("the covariance is empty", "协方差矩阵为空"), raw.file)
        return pd.DataFrame(), source
    before = len(errors)
    codes = parse_identities(raw.cells[first], words_for_none=False)
    errors.cells(_EMPTY, source, "asset_id", codes.empty)
    rows = codes.values.tolist()
    repeated = codes.values.duplicated().to_numpy() & ~codes.empty
    errors.cells(
        CellError(Text("the same asset twice", "资产重复")), source, "asset_id", repeated, lambda row: rows[row]
    )
    _report_cover(rows, list(places), assets, source, errors)
    columns = _numbers(raw, places, (), source, errors, None)
    if len(errors) > before:
        return pd.DataFrame(), source
    matrix = np.column_stack([columns[code].to_numpy() for code in rows])
    _report_scale(matrix, rows, source, errors)
    _report_asymmetry(matrix, rows, source, errors)
    if len(errors) == before:
        _report_indefinite(matrix, source, errors)
    frame = pd.DataFrame(matrix, columns=pd.Index(rows), copy=False)
    frame.insert(0, "asset_id", codes.values)
    return frame, source


MATRIX_READERS: Mapping[str, MatrixReader] = MappingProxyType(
    {"returns": check_returns, "covariance": check_covariance, "scenarios": check_scenarios}
)


def _prepare(raw: RawTable, table: str, errors: ErrorCollector) -> tuple[RawTable, TableSource, dict[str, int]]:
    """Return the table without blank rows, its source, and the position of each column."""
    raw = drop_blank_rows(raw)
    leading = _LEADING[table]
    places: dict[str, int] = {}
    for position, heading in enumerate(raw.headings):
        name = leading.get(spelling(heading), identity(heading)) if heading.strip() else ""
        if not name and (position == 0 or raw.cells[position].isna().all()):
            continue
        if name in places or not name:
            errors.add(
                Text("two columns share a heading", "两列表头相同")
                if name
                else Text("a column without heading", "该列没有表头"),
                column_place(raw.file, heading.strip() or column_letter(position)),
            )
            continue
        places[name] = position
    letters = {name: column_letter(position) for name, position in places.items()} if raw.spreadsheet else {}
    headings = {name: raw.headings[position].strip() for name, position in places.items()}
    source = TableSource(raw.file, raw.rows, MappingProxyType(headings), raw.fingerprint, MappingProxyType(letters))
    report_excel_errors(raw, errors)
    if raw.cells and table != "covariance":
        raw = drop_totals(raw, 0, source, next(iter(places), ""), errors)
        source = replace(source, rows=raw.rows)
    return raw, source, places


def _numbers(
    raw: RawTable,
    places: Mapping[str, int],
    without: tuple[str, ...],
    source: TableSource,
    errors: ErrorCollector,
    lowest: CellError | None,
) -> dict[str, pd.Series]:
    """Return every column but ``without`` as floats; report cells that are empty, no numbers, or at most −1."""
    columns: dict[str, pd.Series] = {}
    for name, position in places.items():
        if name in without:
            continue
        cells = raw.cells[position]
        parsed = parse_numbers(cells, suffixes=True)
        if parsed.empty.any():
            errors.cells(_EMPTY, source, name, parsed.empty)
        if parsed.bad.any():
            errors.cells(_NOT_NUMBER, source, name, parsed.bad, _show(cells))
        if lowest is not None:
            low = parsed.values.to_numpy() <= -1.0 if lowest.allowed == "> -1" else parsed.values.to_numpy() < -1.0
            if low.any():
                errors.cells(lowest, source, name, low, _show(cells))
        columns[name] = parsed.values
    return columns


def _show(cells: pd.Series) -> Callable[[int], str | None]:
    return lambda row: str(cells.iloc[row])


def _report_cover(
    rows: list[str], columns: list[str], assets: Sequence[str], source: TableSource, errors: ErrorCollector
) -> None:
    """Report codes that are only a row or only a column, and assets the matrix does not cover.

    A row without a code, here or among the assets, is no text; it is told where it is read.
    """
    named, known = ({code for code in codes if isinstance(code, str) and code} for codes in (rows, assets))
    for missing, what in (
        (sorted(named - set(columns)), Text("a row has no column of its name", "有行而无同名列")),
        (sorted(set(columns) - named), Text("a column has no row of its name", "有列而无同名行")),
        (
            sorted(known - named),
            Text("the covariance does not cover these assets", "协方差矩阵未覆盖以下资产"),
        ),
    ):
        if missing:
            more = f" … ({len(missing)})" if len(missing) > 10 else ""
            errors.add(what, source.file, ", ".join(missing[:10]) + more)


def _report_prices(columns: Mapping[str, pd.Series], source: TableSource, errors: ErrorCollector) -> None:
    """Report columns that hold prices or index levels, not returns: all positive, and half of them above 100%."""
    for name, column in columns.items():
        values = column.to_numpy()
        if name != "date" and len(values) and values.dtype.kind == "f" and values.min() > 0 and np.median(values) > 1.0:
            errors.add(
                Text("these look like prices, not returns", "疑似价格序列，而非收益率"),
                source.where_column(name),
                f"{values[0]:g}, …",
                hint=Text("give simple returns in decimals: p₁ / p₀ − 1", "请填写小数形式的简单收益率：p₁ / p₀ − 1"),
            )


def _report_scale(matrix: NDArray[np.float64], codes: list[str], source: TableSource, errors: ErrorCollector) -> None:
    """Report variances beyond what the column ``volatility`` allows: such a matrix is in percent squared."""
    deviation = np.sqrt(np.abs(np.diag(matrix)))
    if deviation.max(initial=0.0) > HIGHEST_VOLATILITY:
        row = int(deviation.argmax())
        errors.add(
            Text(
                "a volatility beyond all measure: the matrix looks to be in percent squared",
                "波动率过大：疑似以百分比的平方表示",
            ),
            source.where(row, codes[row]),
            f"{matrix[row, row]:g} ({deviation[row]:.0%})",
            f"≤ {HIGHEST_VOLATILITY**2:g} ({HIGHEST_VOLATILITY:.0%})",
            Text("covariances are annual and in decimals: divide by 10,000", "协方差为年化、以小数表示：请除以 10,000"),
        )


def _report_asymmetry(
    matrix: NDArray[np.float64], codes: list[str], source: TableSource, errors: ErrorCollector
) -> None:
    scale = np.sqrt(np.abs(np.diag(matrix)))
    apart = np.abs(matrix - matrix.T)
    relative = np.divide(
        apart, np.outer(scale, scale), out=np.where(apart > 0, np.inf, 0.0), where=np.outer(scale, scale) > 0
    )
    if relative.size == 0 or relative.max() <= SYMMETRY:
        return
    row, column = sorted(int(place) for place in np.unravel_index(int(relative.argmax()), relative.shape))
    errors.add(
        Text("the covariance is not symmetric", "协方差矩阵不对称"),
        f"{source.where(row, codes[column])} | {source.where(column, codes[row])}",
        f"{float(matrix[row, column])!r} | {float(matrix[column, row])!r}",
        f"|Σij − Σji| ≤ {SYMMETRY:g} √(Σii Σjj)",
        Text("this is the worst pair of cells", "以上为差异最大的一对单元格"),
    )


def _report_indefinite(matrix: NDArray[np.float64], source: TableSource, errors: ErrorCollector) -> None:
    """Report a matrix with an eigenvalue below zero.

    Judged on the correlation matrix C = D^−½ Σ D^−½ (a zero variance counts as 1), so that units and sizes do not
    matter: C + εI has a Cholesky factor exactly when λ_min(C) > −ε.
    """
    variance = np.diag(matrix)
    if (variance < 0).any():
        row = int(np.argmin(variance))
        errors.add(Text("a variance is negative", "方差为负"), source.where(row), f"{variance[row]:g}", "≥ 0")
        return
    scale = 1.0 / np.sqrt(np.where(variance > 0, variance, 1.0))
    correlation = (matrix + matrix.T) / 2.0 * np.outer(scale, scale)
    try:
        np.linalg.cholesky(correlation + DEFINITENESS * np.eye(len(matrix)))
    except np.linalg.LinAlgError:
        smallest = float(np.linalg.eigvalsh(correlation)[0])
        errors.add(
            Text("the covariance is not positive semidefinite", "协方差矩阵非半正定"),
            source.file,
            LocalizedPhrase(
                f"smallest eigenvalue of the correlation matrix {smallest:.6g}",
                f"相关系数矩阵最小特征值 {smallest:.6g}",
            ),
            f"≥ {-DEFINITENESS:g}",
            Text(
                "estimate it from one common period, or shrink it; pairwise estimates are often not usable",
                "请以同一区间估计或作收缩处理；逐对估计的矩阵往往不可用",
            ),
        )
