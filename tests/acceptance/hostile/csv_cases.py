"""Hostile tables as text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .cases import GOOD_FUND, GOOD_ROWS, HEADINGS, Case, good_table

__all__ = ["CELLS", "csv_cases"]

CELLS = (
    *("nan", "NaN", "inf", "-inf", "1e400", "-1e400", "1e-400", "1e308", "-1", "-0", "0", "--5", "1,2,3", "1.2.3", "12abc"),
    *("#REF!", "#N/A", "#DIV/0!", "=1+1", "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "true", "否", "TRUE()"),
    *("20261301", "2026-02-30", "0000-00-00", "31/12/2026", "1e5", "45000", "昨天", "١٢٣", "Ⅷ", "１００", "½", "−5", "(5)", "5-"),
    *("5%", "500%%", "%", "5bp", "¥5", "5元", "5万", "5 0", "\u200b5", "\ufeff5", "\u202e5", "\x00", "\x07", "x" * 40000, "💰"),
    *("<script>alert(1)</script>", "${jndi:ldap://x}", "'; DROP TABLE x;--", "../../etc/passwd", "a;;b;", ";", "NULL", "None", "-"),
)  # fmt: skip
REFUSED = {
    "amount": ("nan", "NaN", "inf", "-inf", "1e400", "-1e400", "-1", "--5", "1.2.3", "12abc", "#REF!", "#DIV/0!", "=1+1", "true", "5%"),
    "expected_return": ("inf", "-inf", "1e400", "--5", "1.2.3", "#REF!", "=1+1", "昨天", "true"),
    "maturity": ("20261301", "2026-02-30", "0000-00-00", "昨天", "inf", "-1", "#REF!", "=1+1", "true"),
    "kind": ("nan", "0", "=1+1", "💰", "NULL"),
    "account": ("0", "=1+1", "💰"),
    "asset_id": ("#REF!",),
    "rating": (),
    "green": ("12abc", "inf", "5%"),
}  # fmt: skip
"""Cells that no reading of the column allows."""


def _with(row: int, column: str, cell: str) -> str:
    rows = [list(line) for line in GOOD_ROWS]
    rows[row][HEADINGS.index(column)] = cell.replace('"', '""')
    lines = [list(HEADINGS), *rows]
    return "\n".join(",".join(f'"{one}"' for one in line) for line in lines) + "\n"


def _structures() -> Iterator[tuple[str, bytes, bool]]:
    good = good_table()
    raw = good.encode()
    yield from (
        ("empty", b"", False),
        ("blank lines", b"\n\n\n", False),
        ("headings alone", good.splitlines()[0].encode() + b"\n", False),
        ("no headings", b"\n".join(raw.splitlines()[1:]) + b"\n", False),
        ("a repeated heading", raw.replace(b"min,max", b"min,min"), False),
        (
            "the same heading in two languages",
            raw.replace(b"min,max", "amount,市值".encode()).replace(b",amount,", b",x,", 1),
            False,
        ),
        ("an unknown heading", raw.replace(b"min,max", b"min,mx"), True),
        ("CRLF", raw.replace(b"\n", b"\r\n"), True),
        ("CR alone", raw.replace(b"\n", b"\r"), True),
        ("mixed line ends", raw.replace(b"\n", b"\r\n", 2), True),
        ("mark", b"\xef\xbb\xbf" + raw, True),
        ("two marks", b"\xef\xbb\xbf" * 2 + raw, True),
        ("UTF-16", good.encode("utf-16"), True),
        ("UTF-16 cut", good.encode("utf-16")[:-1], False),
        ("UTF-32", good.encode("utf-32"), True),
        ("GBK", good.encode("gbk"), True),
        ("GB18030", good.encode("gb18030"), True),
        ("Big5 bytes", "資產,名稱\n\u570b\u50b5,1\n".encode("big5"), False),
        ("half UTF-8, half GBK", raw + "国债,国债,cash,traditional,5".encode("gbk"), False),
        ("random bytes", os.urandom(0) + bytes((7 * n * n + 3) % 256 for n in range(5000)), False),
        ("NUL bytes", raw.replace(b"GOV", b"G\0V"), False),
        ("a row too long", raw.replace(b"csi300", b"csi300,,,,surplus"), False),
        ("a row too short", raw + b"SHORT,x,cash\n", False),
        ("an open quote", raw.replace(b"GOV", b'"GOV'), False),
        ("a repeated row", raw + raw.splitlines()[1] + b"\n", False),
        ("a total", raw + "合计,,,,100\n".encode(), False),
        ("semicolons", good_table(delimiter=";").replace("a;b", "a").encode(), True),
        ("tabs", good_table(delimiter="\t").encode(), True),
        ("pipes", good_table(delimiter="|").encode(), True),
        ("a hundred thousand commas", raw + b"," * 100_000 + b"\n", False),
        ("a hundred thousand blank lines", raw + b"\n" * 100_000, True),
        ("a cell of four megabytes", raw + b'BIG,"' + b"x" * 4_000_000 + b'",cash,traditional,1\n', False),
        ("a workbook by name", b"PK\x03\x04" + b"\0" * 400, False),
        ("a page", b"<html><body><table><tr><td>1</td></tr></table></body></html>", False),
        ("JSON", b'[{"asset_id": "A", "amount": 1}]', False),
        ("gzip", b"\x1f\x8b\x08\x00" + b"\0" * 64, False),
        ("headings of formulas", raw.replace(b"min,max", b"=1+1,@x"), True),
        ("a heading of markup", raw.replace(b"min", b"<b>min</b>"), True),
        ("ten thousand columns", b",".join([b"asset_id", *(b"c%d" % n for n in range(10_000))]) + b"\n", False),
    )


PATHS: tuple[tuple[str, str], ...] = (
    ("absent", "nothing.csv"),
    ("out of the folder", "../../../../../../etc/hostname"),
    ("a device", "/dev/zero"),
    ("an endless pipe", "pipe.csv"),
    ("a folder", "folder"),
    ("a link to nothing", "dangling.csv"),
    ("a link to itself", "loop.csv"),
    ("a name with a NUL", '"a\\0b.csv"'),
    ("an address", "https://localhost/assets.csv"),
    ("a very long name", "x" * 5000 + ".csv"),
    ("an unknown ending", "assets.exe"),
    ("a home", "~/assets.csv"),
)


def csv_cases() -> Iterator[Case]:
    """Yield hostile cells in every column, hostile files as a whole, and paths that lead nowhere good."""
    for column in HEADINGS:
        for cell in CELLS:
            text, refused = _with(1, column, cell), cell in REFUSED.get(column, ())
            yield Case(f"{column} ← {cell[:30]!r}", lambda folder, text=text: _csv(folder, text.encode()), not refused)
    for name, content, may_pass in _structures():
        yield Case(name, lambda folder, content=content: _csv(folder, content), may_pass)
    for name, path in PATHS:
        yield Case(f"path: {name}", lambda folder, path=path: _path(folder, path))


def _csv(folder: Path, content: bytes) -> None:
    (folder / "assets.csv").write_bytes(content)


def _path(folder: Path, path: str) -> None:
    (folder / "folder").mkdir(exist_ok=True)
    (folder / "assets.exe").write_text(good_table(), encoding="utf-8")
    for name, target in (("dangling.csv", "gone.csv"), ("loop.csv", "loop.csv")):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(target)
    if not (folder / "pipe.csv").exists():
        os.mkfifo(folder / "pipe.csv")
    (folder / "fund.yaml").write_text(GOOD_FUND.replace("assets.csv", path), encoding="utf-8")
