"""A fund folder to start from: a commented fund.yaml, a table of every kind, and a guide to the columns."""

from __future__ import annotations

import csv
import io
import string
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel

from allocator.folders import write_folder
from allocator.inputs.core_tables import MATRIX_TABLES, declared_tables
from allocator.model.specs import STATUTORY
from allocator.types import Column, Table, Text

if TYPE_CHECKING:
    from allocator.extension.registry import Registry

__all__ = ["template_files", "write_template"]

GUIDE = "COLUMNS.md"
_OTHERWISE = {"curve_history": "a daily history instead of curve 每日曲线历史，代替 curve"}
"""Tables that stand in the folder but not in the fund file, and why."""
_TABLE_NOTES = {
    "assets": "what is held and what may be bought 持仓与可投资产",
    "issuers": "发行人",
    "underlying": "what products hold (look-through) 穿透底层",
    "cash_flows": "explicit cash flows, instead of coupon and maturity 明确的现金流",
    "funds": "private funds' commitments 私募基金认缴",
    "liabilities": "负债现金流",
    "curve": "spot curve 即期收益率曲线",
    "covariance": "annual covariance 年化协方差矩阵",
    "returns": "history of returns 历史收益率",
    "scenarios": "return scenarios 收益情景",
}
_ACTIVE = {"turnover": "  - turnover: {max: 50%}              # sum of purchases over current amounts 买入额占比上限"}


class _Spec(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def label(self) -> Text: ...

    @property
    def options(self) -> type[BaseModel]: ...


def write_template(folder: Path | str, registry: Registry) -> None:
    """Write a fund folder that passes ``allocator validate`` as it stands, whole or not at all.

    Parameters
    ----------
    folder : Path or str
        Must not exist, or be empty.
    registry : Registry
        Its tables, terms and models are what the files document.

    Raises
    ------
    InputError
        When the folder holds something or cannot be written.
    """
    write_folder(Path(folder), template_files(registry))


def template_files(registry: Registry) -> Mapping[str, bytes]:
    """Return the files of the folder by name; CSV with a byte order mark, so that Excel reads them right."""
    tables = declared_tables(registry)
    files = {"fund.yaml": _fund_file(registry, tables).encode(), GUIDE: _guide(tables).encode()}
    for name, table in tables.items():
        files[f"{name}.csv"] = _table_file(table).encode("utf-8-sig")
    for name in MATRIX_TABLES:
        files[f"{name}.csv"] = _static(f"{name}.csv").encode("utf-8-sig")
    return files


def _static(name: str) -> str:
    """Return a file of the package's ``templates``; empty when there is none."""
    file = resources.files("allocator") / "templates" / name
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _table_file(table: Table) -> str:
    """Return the example rows under all declared headings: those with an example first."""
    rows = list(csv.DictReader(io.StringIO(_static(f"{table.name}.csv"))))
    given = list(rows[0]) if rows else []
    headings = [*given, *(column.name for column in table.columns if column.name not in given)]
    if len(table.columns) > len(given) and table.name in _OTHERWISE:
        headings = given
    out = io.StringIO()
    writer = csv.DictWriter(out, headings, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _fund_file(registry: Registry, tables: Mapping[str, Table]) -> str:
    capital = _static("capital.yaml")
    if "cross2" not in registry.regimes:
        capital = "".join(f"# {line}" if line.strip() else line for line in capital.splitlines(keepends=True))
    layout = string.Template(_static("fund.yaml"))
    return layout.substitute(
        inputs="\n".join(_input_lines(tables)),
        capital=capital + _known(registry.regimes.values(), "Regimes known 可用制度:") + "\n",
        statutory=_statutory(registry),
        active="\n".join(line for name, line in _ACTIVE.items() if name in registry.constraints),
        constraints=_lines(registry.constraints.values()),
        objectives=_lines(registry.objectives.values()),
        tilts=_lines(registry.tilts.values()),
        shocks=_lines(registry.shocks.values()),
        stresses="\n".join(
            f"#   {spec.name:<28} {spec.label.en} {spec.label.zh}" for spec in registry.stresses.values()
        )
        or "#   none 无",
        models="\n".join(
            f"#  {key}:\n{_lines(specs.values())}"
            for key, specs in (
                ("returns", registry.return_models),
                ("risk", registry.risk_models),
                ("scenarios", registry.scenarios),
            )
        ),
    )


def _statutory(registry: Registry) -> str:
    """Return the line that brings the statutory limits, where a plugin offers any."""
    offered = any(STATUTORY in spec.presets for spec in registry.constraints.values())
    return f"  - {STATUTORY:<30} # the limits that the law sets, dated 监管比例，按施行日期\n" if offered else ""


def _input_lines(tables: Mapping[str, Table]) -> Iterable[str]:
    for name in (*tables, *MATRIX_TABLES):
        note = _TABLE_NOTES.get(name) or _OTHERWISE.get(name, "")
        used = bool(_static(f"{name}.csv")) and name not in _OTHERWISE
        line = f"{'  ' if used else '#  '}{name}: {name}.csv"
        yield f"{line:<37} # {note}" if note else line


def _known(specs: Iterable[Any], title: str) -> str:
    return f"# {title}\n{_lines(specs)}\n"


def _lines(specs: Iterable[_Spec]) -> str:
    """Return a comment line for each specification: name, labels, its options (``*``: needed)."""
    lines = []
    for spec in specs:
        fields = spec.options.model_fields
        options = ", ".join(f"{name}{'*' if field.is_required() else ''}" for name, field in fields.items())
        labels = f"{spec.label.en} {spec.label.zh}"
        lines.append(f"#   {spec.name:<28} {labels}" + (f"  [{options}]" if options else ""))
    return "\n".join(lines) or "#   none 无"


def _guide(tables: Mapping[str, Table]) -> str:
    """Return the guide to all columns, in both languages."""
    parts = [
        "# Columns 列说明",
        "Headings may be any of the names listed, in any order; title lines above them are skipped. Money is in "
        "`fund.unit` unless the heading says 元, 万元 or 亿元, e.g. `市值(万元)`; rates are decimals unless the cell "
        "or the heading carries %. Empty, `-` and `N/A` mean nothing; `(1,234)` is negative. "
        "Dates: 2026-06-30, 2026/6/30, 20260630, 2026年6月30日. Lists are split at `;`.",
        "表头可用下列任一名称，顺序不限；表头之上的标题行会被跳过。金额以 `fund.unit` 为单位，"
        "除非表头注明元、万元或亿元，如 `市值(万元)`；比率为小数，除非单元格或表头带 %。"
        "空白、`-`、`N/A` 表示无；`(1,234)` 为负数。列表以 `;` 分隔。",
    ]
    for table in tables.values():
        kept = "; further columns are kept 可另加列" if table.open else ""
        parts.append(f"## {table.name}{kept}")
        rows = ["| column 列 | meaning 含义 | cells 取值 | also 别名 |", "|---|---|---|---|"]
        rows += [_guide_row(column) for column in table.columns]
        parts.append("\n".join(rows))
    return "\n\n".join(parts) + "\n"


def _guide_row(column: Column) -> str:
    cells = str(column.measure)
    if column.choices:
        cells = " ".join(
            f"`{name}`" + (f"({aliases[0]})" if aliases else "") for name, aliases in column.choices.items()
        )
    if column.minimum is not None:
        cells += f" ≥ {column.minimum:g}"
    if column.maximum is not None:
        cells += f" ≤ {column.maximum:g}"
    if column.required:
        cells += " (needed 必填)"
    elif column.default is not None:
        cells += f" (empty 空: {column.default})"
    return f"| {column.name} | {column.label.en} {column.label.zh} | {cells} | {'、'.join(column.aliases)} |"
