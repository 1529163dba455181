"""CSV is parsed in the encoding it is in: what that says is what decoding all of it first says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tuned
from hypothesis import strategies as st
from support import make_registry

from allocator.config.load import load_settings
from allocator.errors import InputError
from allocator.inputs import csv_files, load_inputs
from allocator.inputs.core_tables import CORE_ASSETS
from allocator.inputs.csv_files import read_csv
from allocator.inputs.error_collector import ErrorCollector
from allocator.inputs.headings import HeadingIndex
from allocator.inputs.raw import RawTable

SLOW = tuned(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WANTED = HeadingIndex(CORE_ASSETS).wanted()
HEADINGS = "证券代码,资产类别,账户,市值(万元),证券简称,预期收益率(%)"
SPECIAL = bytes([0x81, 0x7C, 0x81, 0x5C, 0x81, 0x5B, 0x81, 0x40]).decode("gb18030")
"""Characters whose second byte is that of ``|``, a backslash, ``[`` and ``@``."""


def read(content: bytes) -> tuple[RawTable | None, str]:
    """Return the table and what was found wrong."""
    findings = ErrorCollector()
    table = read_csv(content, "a.csv", "", WANTED, findings)
    try:
        findings.raise_if_any()
    except InputError as error:
        return table, error.render("en") + error.render("zh")
    return table, ""


def carefully(content: bytes) -> tuple[RawTable | None, str]:
    """Return the same where the whole text is decoded first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_files, "_undecoded", lambda content, wanted: None)
        return read(content)


def expect_alike(one: tuple[RawTable | None, str], other: tuple[RawTable | None, str]) -> None:
    assert one[1] == other[1]
    assert (one[0] is None) == (other[0] is None)
    if one[0] is not None and other[0] is not None:
        assert one[0].headings == other[0].headings
        assert one[0].rows.tolist() == other[0].rows.tolist()
        for mine, theirs in zip(one[0].cells, other[0].cells, strict=True):
            if not isinstance(theirs.dtype, pd.CategoricalDtype):
                pd.testing.assert_series_equal(mine, theirs)
            else:
                assert isinstance(mine.dtype, pd.CategoricalDtype)
                assert mine.tolist() == theirs.tolist()


def expect_undecoded(content: bytes, cells: Sequence[Sequence[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Expect these cells, row by row, without the file being decoded as a whole."""
    expect_alike(read(content), carefully(content))
    monkeypatch.setattr(csv_files, "decode", None)
    table, told = read(content)
    assert not told and table is not None
    assert [[str(cell) for cell in column] for column in table.cells] == [
        list(column) for column in zip(*cells, strict=True)
    ]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("many", [False, True])
def test_chinese_cells_are_read_as_they_stand(encoding: str, many: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four bytes a character, second bytes that mean something in ASCII, a delimiter and a line end in quotes."""
    names = ["平安银行", "国债，一期", "㐂", "𠮷€é", SPECIAL, "中,文", "两\n行", '引"号', "plain", ""]
    rows = [[f"A{at}", "国债", "传统", f"{at}.5", names[at % 10] + (str(at) * many), "2.5"] for at in range(1200)]
    lines = [
        ",".join('"{}"'.format(cell.replace('"', '""')) if set(cell) & set(',\n"') else cell for cell in row)
        for row in rows
    ]
    expect_undecoded("\r\n".join((HEADINGS, *lines)).encode(encoding), rows, monkeypatch)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_delimiter_beside_a_character_that_ends_in_a_meaningful_byte(
    delimiter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [[f"{character}", "国债", "分红", "1.5", f"国债一期平安银行{character}|", "2.5"] for character in SPECIAL]
    text = "\n".join(delimiter.join(row) for row in (HEADINGS.split(","), *rows))
    expect_undecoded(text.encode("gb18030"), rows, monkeypatch)


def test_bytes_that_are_utf8_by_chance_are_decoded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """模 is C4 A3 in GB18030, which is ģ in UTF-8: a column of figures that holds it must show what stands there."""
    assert "模".encode("gb18030") == "ģ".encode()
    rows = [["国1", "国债", "传统", "模", "名", "2.5"], ["国2", "国债", "传统", "1.5", "名", "2.5"]]
    text = "\n".join((HEADINGS, *(",".join(row) for row in rows)))
    expect_undecoded(text.encode("gb18030"), rows, monkeypatch)


@pytest.mark.parametrize("damage", [b"\xff", b"\x81", b"\x81\x30", b"\xd6", b"\x80"])
@pytest.mark.parametrize("column", [0, 1, 4])
def test_a_damaged_cell_late_in_a_file_is_told_as_ever(damage: bytes, column: int) -> None:
    rows = [[f"国{at}", "国债", "传统", "1.5", f"名{at}", "2.5"] for at in range(20_000)]
    lines = [",".join(row).encode("gb18030") for row in (HEADINGS.split(","), *rows)]
    cells = lines[-5].split(b",")
    cells[column] += damage
    content = b"\n".join((*lines[:-5], b",".join(cells), *lines[-4:]))
    table, told = read(content)
    assert table is None
    assert "a.csv: the file's encoding is not known" in told and "无法识别文件编码" in told
    assert read(b"\n".join(lines))[1] == ""


def test_a_cell_may_hold_what_stands_between_cells() -> None:
    """A zero byte far behind the beginning is text like any other."""
    lines = [f"国{at},国债,传统,1.5,名{at},2.5" for at in range(20_000)]
    content = "\n".join((HEADINGS, *lines, "国,国债,传统,1.5,名\0名,2.5")).encode("gb18030")
    expect_alike(read(content), carefully(content))
    table, _ = read(content)
    assert table is not None and table.cells[4].iloc[-1] == "名\0名"


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_a_line_end_in_quotes_is_kept_wherever_the_parser_s_blocks_end(encoding: str) -> None:
    row = 'A,国债,传统,1.5,"名\r\n字",2.5\r\n'.encode(encoding)
    start = ",国债,传统,1.5,x,2.5\r\n".encode(encoding)
    before_feed = row.index(b"\r") + 1
    # The first row is as long as makes a carriage return the last byte of the first two megabytes below the headings.
    first = b"A" * ((2**21 - before_feed - len(start)) % len(row)) + start
    body = first + row * (2**21 // len(row) + 9)
    assert body[2**21 - 1 : 2**21 + 1] == b"\r\n" and body[: 2**21].count(b'"') % 2
    table, told = read((HEADINGS + "\r\n").encode(encoding) + body)
    assert table is not None and not told and set(table.cells[4]) == {"x", "名\r\n字"}


@pytest.mark.parametrize("end", ["", "\n", "\r\n\r\n"])
def test_headings_alone_are_a_table_without_rows(end: str) -> None:
    content = (HEADINGS + end).encode("gb18030")
    expect_alike(read(content), carefully(content))
    table, told = read(content)
    assert table is not None and not told and [len(column) for column in table.cells] == [0] * 6


def test_chinese_that_begins_late_is_found() -> None:
    """The encoding of the first 100,000 characters says nothing of a file that is ASCII so far."""
    lines = [f"A{at},cash,universal,1.5,name,2.5" for at in range(5_000)]
    text = "\n".join(
        ("asset_id,kind,account,amount,name,expected_return(%)", *lines, *["B,国债,传统,1,国债一期,2"] * 9)
    )
    for encoding in ("gb18030", "utf-8"):
        content = text.encode(encoding)
        expect_alike(read(content), carefully(content))


def test_findings_name_the_same_cells_in_every_encoding(tmp_path: Path) -> None:
    text = (
        HEADINGS + "\nA,国债,传统,一万,名,2.5\nB,国侦,传统,5,名,2.5\n合计,国债,传统,5,名,2.5\nC,国债,传统,#REF!,名,x\n"
    )
    (tmp_path / "fund.yaml").write_text("fund: {name: f, as_of: 2026-06-30}\ninputs: {assets: a.csv}\n")
    told = set()
    for encoding in ("gb18030", "utf-8", "utf-16"):
        (tmp_path / "a.csv").write_bytes(text.encode(encoding))
        with pytest.raises(InputError) as caught:
            load_inputs(load_settings(tmp_path / "fund.yaml"), make_registry())
        told.add(caught.value.render("en"))
    (rendered,) = told
    for part in (
        "row 2, column 市值(万元): not an amount, got 一万",
        "row 3, column 资产类别: an unknown value",
        "row 4",
    ):
        assert part in rendered


CELLS = st.text(st.characters(codec="gb18030"), max_size=6) | st.sampled_from(
    [
        "国债",
        "传统",
        "AAA",
        "1.5",
        "-3",
        "2030/01/02",
        "1,234",
        "-",
        " x ",
        "\u3000",
        *SPECIAL,
        "㐂",
        "模",
        "",
        "1e3",
        "true",
    ]
)


@SLOW
@given(
    st.lists(st.lists(CELLS, min_size=6, max_size=6), max_size=12),
    st.sampled_from([1, 150]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(",;\t"),
)
def test_a_table_is_one_whatever_its_encoding(rows: list[list[str]], times: int, end: str, delimiter: str) -> None:
    def quoted(cell: str) -> str:
        plain = cell.replace("\r", "").replace("\n", "").replace("\0", "").replace('"', '""')
        return f'"{plain}"' if delimiter in plain or '"' in plain else plain

    head = delimiter.join(HEADINGS.split(","))
    text = end.join((head, *[delimiter.join(map(quoted, row)) for row in rows] * times, head))
    utf8 = read(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_files, "_COMMON", 0.0)  # these characters are rare ones
        expect_alike(read(text.encode("gb18030")), utf8)
        expect_alike(carefully(text.encode("gb18030")), utf8)
    expect_alike(carefully(text.encode()), utf8)


PIECES = st.sampled_from(
    [*(text.encode("gb18030") for text in (HEADINGS, "国债", "传统", "㐂", "模", "1.5", "A", *SPECIAL)), "中".encode()]
    + [b",", b",", b"\n", b"\n", b"\r\n", b'"', b'""', b";", b"\t", b"\0", b"\x81", b"\xff", b"0", b" "]
)


@SLOW
@given(
    st.lists(PIECES | st.binary(max_size=3), max_size=60), st.sampled_from([b"", HEADINGS.encode("gb18030") + b"\n"])
)
def test_any_bytes_say_what_they_say_decoded_first(pieces: list[bytes], start: bytes) -> None:
    content = start + b"".join(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_files, "_COMMON", 0.0)
        expect_alike(read(content), carefully(content))
