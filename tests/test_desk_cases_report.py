"""What a desk met in reports and on the console: each case with its neighbours, and the right figure or word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from command import call

from allocator.report.csv_table import read_csv, write_csv
from allocator.report.run_folder import RunFolder
from allocator.report.trace import trace

ROWS = "asset_id,kind,account,amount,max,expected_return,transaction_cost\n"
TWO = ROWS + "BILL,money_market_fund,traditional,60000,,1%,1%\nFUND,equity_fund,traditional,40000,90000,6%,1%\n"


def write_fund(folder: Path, fund: str, assets: str = TWO, more: str = "") -> Path:
    """Write a fund of one table; return its file."""
    (folder / "assets.csv").write_text(assets, encoding="utf-8")
    file = folder / "fund.yaml"
    file.write_text(f"fund: {fund}\ninputs: {{assets: assets.csv}}\n{more}", encoding="utf-8")
    return file


def plain_fund(folder: Path, unit: str = "1e4", name: str = "two units") -> Path:
    return write_fund(folder, f'{{name: "{name}", as_of: 2026-06-30, unit: {unit}}}')


def spoken(
    *arguments: str, stdout: str | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the command line as a process of its own; ``stdout`` names a device it writes to."""
    where = subprocess.PIPE if stdout is None else os.open(stdout, os.O_WRONLY)
    return subprocess.run(
        [sys.executable, "-m", "allocator", *arguments],
        stdout=where,
        stderr=subprocess.PIPE,
        env={**os.environ, "ALLOCATOR_REGISTER": "off", "LANG": "en_US.UTF-8", **(environment or {})},
        check=False,
    )


# One unit of money, fund.unit. FUND may go from 40,000 to 90,000: 50,000 bought and 50,000 sold at 1% cost 1,000.


@pytest.mark.parametrize(
    ("unit", "english", "chinese"),
    [("1e4", "CNY 10,000", "万元"), ("1e8", "CNY 100 million", "亿元"), ("1", "CNY", "元")],
)
def test_every_amount_stands_in_the_funds_unit(
    unit: str, english: str, chinese: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = plain_fund(tmp_path, unit), tmp_path / "out"
    assert call("run", str(file), "-o", str(out), "--lang", "en") == 0
    told = capsys.readouterr().out
    assert f"money in {english}\n" in told
    page = (out / "report.html").read_text(encoding="utf-8")
    assert f"money in {english}<" in page and f"金额单位：{chinese}<" in page
    assert "at a cost of 1,000.00." in page
    cells = [str(cell) for row in openpyxl.load_workbook(out / "report.xlsx")["summary"].values for cell in row]
    assert f"Money in {english}." in cells
    assert any("at a cost of 1,000.00." in cell for cell in cells)
    for text in (told, page, *cells):
        assert "0.10." not in text and "10,000,000.00" not in text


def test_a_missing_name_is_the_rows_id_not_nan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assets = TWO.replace("asset_id,", "asset_id,name,").replace("BILL,", "BILL,,").replace("FUND,", "FUND,A fund,")
    file = write_fund(tmp_path, "{name: n, as_of: 2026-06-30, unit: 1e4}", assets)
    assert call("run", str(file), "-o", str(tmp_path / "out"), "--lang", "en") == 0
    assert " nan" not in capsys.readouterr().out
    assert "nan" not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8").split("<main>")[1]
    assert call("explain", str(file), "--lang", "en") == 0
    assert "nan" not in capsys.readouterr().out


# Standard output in any encoding.


@pytest.mark.parametrize(("encoding", "name"), [("gbk", "第一个"), ("cp1252", "\\u7b2c"), ("ascii", "\\u7b2c")])
def test_output_in_another_encoding_is_written(encoding: str, name: str, tmp_path: Path) -> None:
    file, out = plain_fund(tmp_path, name="First 第一个 fund"), tmp_path / "out"
    done = spoken("run", str(file), "-o", str(out), environment={"PYTHONIOENCODING": encoding})
    assert (done.returncode, done.stderr) == (0, b"")
    told = done.stdout.decode(encoding)
    assert name in told and "-50,000.00" in told and (out / "run.json").is_file()


def test_json_in_another_encoding_is_the_same_object(tmp_path: Path) -> None:
    file = plain_fund(tmp_path, name="First 第一个 fund \U0001f600")
    done = spoken("run", str(file), "-o", str(tmp_path / "out"), "--json", environment={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["fund"]["name"] == "First 第一个 fund \U0001f600"


def test_a_reader_who_leaves_early_is_no_defect(tmp_path: Path) -> None:
    file = plain_fund(tmp_path)
    command = f"set -o pipefail; {sys.executable} -m allocator run {file} -o {tmp_path / 'out'} | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    closed = f"{sys.executable} -m allocator run {file} -o {tmp_path / 'out'} >&-"
    done = subprocess.run(["bash", "-c", closed], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
@pytest.mark.parametrize("command", ["run", "validate", "explain"])
def test_a_full_device_is_named(command: str, tmp_path: Path) -> None:
    extra = ["-o", str(tmp_path / "out")] if command == "run" else []
    done = spoken(command, str(plain_fund(tmp_path)), *extra, stdout="/dev/full")
    assert done.returncode == 2
    assert b"standard output cannot be written" in done.stderr and b"defect" not in done.stderr


# Names with control characters.


@pytest.mark.parametrize("character", ["\x1b[31m", "\u202e", "\x07", "\u2066", "\x9b"])
def test_control_characters_of_a_name_reach_no_terminal(
    character: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    escape = "\\u" + f"{ord(character[0]):04x}"
    assets = TWO.replace("asset_id,", "asset_id,name,").replace("BILL,", "BILL,bill,")
    assets = assets.replace("FUND,", f"FUND,a{character}b,")
    file = write_fund(tmp_path, f"{{name: {json.dumps('n' + character)}, as_of: 2026-06-30, unit: 1e4}}", assets)
    assert call("run", str(file), "-o", str(tmp_path / "out")) == 0
    told = capsys.readouterr()
    assert character[0] not in told.out + told.err
    assert told.out.count(escape) >= 2
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert character[0] not in page and escape in page
    assert call("run", str(file), "-o", str(tmp_path / "out"), "--json") == 0
    told = capsys.readouterr()
    assert character[0] not in told.out
    assert json.loads(told.out)["fund"]["name"] == "n" + character


def test_control_characters_in_an_error_stand_as_escapes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assets = TWO.replace("money_market_fund", "money\x1b[31mfund")
    assert call("validate", str(write_fund(tmp_path, "{name: n, as_of: 2026-06-30}", assets))) == 2
    told = capsys.readouterr().err
    assert "money\\u001b[31mfund" in told and "\x1b[31mfund" not in told


# Nothing held, and batches without processes.


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("amount", ["0", ""])
def test_a_fund_that_holds_nothing_yet_warns_of_nothing(amount: str, tmp_path: Path) -> None:
    assets = "asset_id,kind,account,amount,max,expected_return\n" + "".join(
        f"{name},government_bond,traditional,{amount},,{back}%\n" for name, back in (("A", 5), ("B", 3))
    )
    more = "accounts: {traditional: {budget: 100}}\n"
    file = write_fund(tmp_path, "{name: n, as_of: 2026-06-30, unit: 1e4}", assets, more)
    assert call("run", str(file), "-o", str(tmp_path / "out")) == 0
    assert pd.read_csv(tmp_path / "out" / "allocation.csv")["target"].tolist() == pytest.approx([100.0, 0.0])


def test_zero_processes_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain_fund(tmp_path)
    (tmp_path / "study.yaml").write_text("study: run\nfunds: [fund.yaml]\n", encoding="utf-8")
    study = str(tmp_path / "study.yaml")
    assert call("batch", study, "-o", str(tmp_path / "out"), "--jobs", "0") == 2
    assert "--jobs" in capsys.readouterr().err


@pytest.mark.parametrize(("fund", "status"), [("fund.yaml", 0), ("broken.yaml", 2)])
def test_a_batch_where_no_processes_can_be_had_works_in_one_and_tells_of_failures(
    fund: str, status: int, tmp_path: Path
) -> None:
    plain_fund(tmp_path)
    (tmp_path / "broken.yaml").write_text("fund: {name: b, as_of: never}\n", encoding="utf-8")
    (tmp_path / "study.yaml").write_text(f"study: run\nfunds: [fund.yaml, {fund}]\n", encoding="utf-8")
    done = spoken(
        *("batch", str(tmp_path / "study.yaml"), "-o", str(tmp_path / "out"), "--jobs", "2"),
        environment={"JOBLIB_MULTIPROCESSING": "0"},
    )
    assert (done.returncode, b"defect" in done.stderr) == (status, False)


# Texts of CSV files that a spreadsheet takes for formulas.

GUARDED = {
    "=1+1": "'=1+1",
    "+1": "'+1",
    "-x": "'-x",
    "@SUM(A1)": "'@SUM(A1)",
    "\tx": "'\tx",
    "'=1": "''=1",
    "''=1": "'''=1",
    "\u202ex": "\\u202ex",
    "a\x1b[31m": "a\\u001b[31m",
    "\\u202e": "\\u005cu202e",
    "\\u202": "\\u202",
    "==": "==",
    "-": "-",
    "plain": "plain",
    "'plain": "'plain",
}


def test_texts_are_guarded_and_read_back_exactly(tmp_path: Path) -> None:
    texts = list(GUARDED)
    frame = pd.DataFrame({"asset_id": [f"{k:06d}" for k in range(len(texts))], "name": texts, "amount": -1.5})
    write_csv(frame, tmp_path / "guarded.csv")
    written = pd.read_csv(tmp_path / "guarded.csv", dtype=str)
    assert dict(zip(texts, written["name"], strict=True)) == GUARDED
    assert set(written["amount"]) == {"-1.5"}
    pd.testing.assert_frame_equal(read_csv(tmp_path / "guarded.csv"), frame, check_dtype=False)
    write_csv(frame, tmp_path / "kept.csv", formulas=True)
    assert pd.read_csv(tmp_path / "kept.csv")["name"].tolist() == texts


@pytest.mark.parametrize(("choice", "cell"), [("escape", "'=BILL"), ("keep", "=BILL")])
def test_the_fund_file_decides_whether_formulas_are_guarded(choice: str, cell: str, tmp_path: Path) -> None:
    more = f"csv_formulas: {choice}\n"
    file = write_fund(tmp_path, "{name: n, as_of: 2026-06-30, unit: 1e4}", TWO.replace("BILL", "=BILL"), more)
    out = tmp_path / "out"
    assert call("run", str(file), "-o", str(out)) == 0
    assert pd.read_csv(out / "allocation.csv")["asset_id"].tolist() == [cell, "FUND"]
    assert RunFolder(out).table("allocation")["asset_id"].tolist() == ["=BILL", "FUND"]
    assert [line.name for line in trace(out, "allocation.=BILL").lines] == ["=BILL / traditional"]
