"""What is fuzzed: each target takes bytes and may raise InputError; everything else that comes out is a defect."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from allocator.api import Fund
from allocator.config.load import load_settings, settings_from_mapping, validate_options
from allocator.config.settings import Settings
from allocator.extension.registry import Registry, enabled_plugins
from allocator.inputs.core_tables import MATRIX_TABLES, declared_tables
from allocator.inputs.csv_files import read_csv
from allocator.inputs.error_collector import ErrorCollector
from allocator.inputs.excel_files import read_excel
from allocator.inputs.load import assemble
from allocator.inputs.parquet_files import read_parquet
from allocator.inputs.raw import RawTable, TableQuery
from allocator.model import ModelContext

from ..hostile.book_cases import excel_cases, parquet_cases
from ..hostile.cases import Case, good_fund, good_table
from ..hostile.csv_cases import csv_cases
from ..hostile.yaml_cases import yaml_cases

__all__ = ["TARGETS", "Target"]

LARGEST = 1 << 16
FEW = 100
"""Seeds of a target; more would take the time of fuzzing."""

SHEET = "xl/worksheets/sheet1.xml"


@dataclass(frozen=True)
class Target:
    """A reader, bytes to begin with, and the words of its grammar, blanks between them."""

    read: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]
    words: str = ""


@cache
def _settings() -> Settings:
    return settings_from_mapping({"fund": {"name": "F", "as_of": "2026-06-30"}, "inputs": {}})


@cache
def _registry() -> Registry:
    return enabled_plugins(_settings().plugins)


@cache
def _names() -> tuple[str, ...]:
    """Return every table there is, assets first."""
    return tuple(sorted((*declared_tables(_registry()), *MATRIX_TABLES), key=lambda name: (name != "assets", name)))


Reader = Callable[[bytes, TableQuery, ErrorCollector], RawTable | None]


def _table(name: str, content: bytes, read: Reader) -> None:
    """Read a table beside good assets, or as the assets, and check it as a run would."""

    def given(wanted: TableQuery, findings: ErrorCollector) -> RawTable | None:
        if wanted.name == name:
            return read(content, wanted, findings)
        return read_csv(good_table().encode(), "assets.csv", "", wanted, findings)

    assemble(_settings(), tuple(dict.fromkeys(("assets", name))), given, _registry(), canonical=True)


def _csv(content: bytes, wanted: TableQuery, findings: ErrorCollector) -> RawTable | None:
    return read_csv(content, "table.csv", "", wanted, findings)


def _excel(content: bytes, wanted: TableQuery, findings: ErrorCollector) -> RawTable | None:
    book = content if content.startswith(b"PK") else _around(content)
    return read_excel(book, "table.xlsx", "", "", wanted, findings)


def _parquet(content: bytes, wanted: TableQuery, findings: ErrorCollector) -> RawTable | None:
    return read_parquet(content, "table.parquet", "", wanted, findings)


def _around(sheet: bytes) -> bytes:
    """Return a good workbook with that text as its sheet, so that not only the archive is tried."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_book())) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        for item in old.namelist():
            new.writestr(item, sheet if item == SHEET else old.read(item))
    return target.getvalue()


@cache
def _book() -> bytes:
    return next(_written(excel_cases(), "assets.xlsx"))


def yaml_file(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fund.yaml"
        path.write_bytes(content)
        load_settings(path)


def csv_table(content: bytes) -> None:
    _table(_names()[content[0] % len(_names())] if content else "assets", content[1:], _csv)


def excel_book(content: bytes) -> None:
    _table("assets", content, _excel)


def parquet_table(content: bytes) -> None:
    _table("assets", content, _parquet)


def matrix(content: bytes) -> None:
    names = sorted(MATRIX_TABLES)
    _table(names[content[0] % len(names)] if content else names[0], content[1:], _csv)


@cache
def _context() -> ModelContext:
    assets = pd.read_csv(io.StringIO(good_table()), dtype=str)
    return Fund({"fund": {"name": "F", "as_of": "2026-06-30"}, "constraints": ["limit"]}, assets).context


def rule(content: bytes) -> None:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return
    context = _context()
    spec = _registry().constraints["limit"]
    options = validate_options(spec.options, {"rule": text}, context.inputs.settings, "constraints.0.limit")
    for term in spec.build(context, options):
        term.shown(context.space.current)
        term.row_names()


def _written(cases: Iterator[Case], name: str) -> Iterator[bytes]:
    """Yield the file of that name of each case, where it is small enough to be worth changing."""
    with tempfile.TemporaryDirectory() as place:
        for number, case in enumerate(cases):
            folder = Path(place) / str(number)
            folder.mkdir()
            good_fund(folder)
            case.write(folder)
            file = folder / name
            if file.is_file() and not file.is_symlink() and file.stat().st_size < LARGEST:
                yield file.read_bytes()


def _few(seeds: Iterator[bytes]) -> Iterator[bytes]:
    every = list(dict.fromkeys(seeds))
    return iter(every[:: max(1, len(every) // FEW)])


def _csv_seeds() -> Iterator[bytes]:
    yield from (b"\0" + seed for seed in _few(_written(csv_cases(), "assets.csv")))
    for number, name in enumerate(_names()):
        columns = declared_tables(_registry())[name].columns if name not in MATRIX_TABLES else ()
        headings = ",".join(column.name for column in columns)
        yield bytes([number]) + f"{headings}\n{',' * max(len(columns) - 1, 0)}\n".encode()


def _excel_seeds() -> Iterator[bytes]:
    for seed in _few(_written(excel_cases(), "assets.xlsx")):
        yield seed
        try:
            yield zipfile.ZipFile(io.BytesIO(seed)).read(SHEET)
        except (zipfile.BadZipFile, KeyError, OSError, ValueError):
            continue


def _matrix_seeds() -> Iterator[bytes]:
    codes = "CASH,GOV,CORP,STOCK"
    rows = "".join(
        f"{code},{','.join('1' if code == other else '0' for other in codes.split(','))}\n" for code in codes.split(",")
    )
    yield b"\0" + f"asset_id,{codes}\n{rows}".encode()
    yield b"\1" + f"date,{codes}\n2026-01-31,0.1,1%,,x\n2026-02-28,0,0,0,0\n".encode()
    yield b"\2" + f"scenario,probability,{codes}\n1,50%,0,0,0,0\n2,0.5,1,1,1,1\n".encode()
    yield b"\2" + f"{codes}\n1e308,-1e308,nan,inf\n".encode()


RULES = (
    'sum(amount where kind == "cash") <= 60% of portfolio',
    'for each issuer where rating >= "AA": sum(weight) <= 5%',
    "1% <= sum(weight where maturity > 2030-01-01) <= 5%",
    '-(sum(amount) - 2 * 3) / 4 + total(amount where not (green or kind in ("cash", "gold"))) >= 1e8',
    'sum(weight * yield where indices contains "csi300" and rating is not blank) == 0.5',
)
WORDS = """for each where sum total of and or not in contains is blank true false amount weight portfolio kind rating
    account maturity ( ) <= >= == != % 1e308"""
SECTIONS = "fund: inputs: objective: constraints: tilts: models: plugins: solve: accounts: &a *a -"
CELLS = ", ; 合计 1e308 % 元 (1) 2026-06-30"
TAGS = '<row <c <v> </v> t="s" t="d" t="e" r="A1" <f>'

TARGETS: Mapping[str, Target] = {
    "yaml": Target(yaml_file, lambda: _few(_written(yaml_cases(), "fund.yaml")), SECTIONS),
    "csv": Target(csv_table, _csv_seeds, CELLS),
    "excel": Target(excel_book, _excel_seeds, TAGS),
    "parquet": Target(parquet_table, lambda: _few(_written(parquet_cases(), "assets.parquet"))),
    "matrix": Target(matrix, _matrix_seeds, ", asset_id date probability 1e308 nan -1"),
    "rule": Target(rule, lambda: (text.encode() for text in RULES), WORDS),
}
