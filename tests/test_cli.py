"""The command line: exit statuses, standard output and standard error, JSON, both languages, speed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import typer
from allocator_cross2.jurisdiction import JURISDICTION
from command import call
from fake_result import NO_PLUGINS, FakeFund, fake_result
from pydantic import BaseModel

from allocator import cli
from allocator.errors import Infeasible, InputError, NotProven, Problem, VerificationError
from allocator.extension import registry
from allocator.extension.registry import Registry
from allocator.hooks import CommandSpec
from allocator.model.regime import RegimeSpec
from allocator.report.help import CHINESE, help_strings
from allocator.types import Text

OPTION_NAMES = {"output", "replay", "lang", "json", "help", "VALUE", "JSON", "path"}
PROBLEM = Problem(Text("not a number", "不是数字"), "assets.csv, row 3, column amount", "'abc'", "a number")


@pytest.fixture
def fund(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeFund:
    """Put a hand-made fund in the place of the pipeline's."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    book = FakeFund(fake_result(tmp_path))
    monkeypatch.setattr("allocator.api.load", lambda path, overrides=(): book)
    monkeypatch.setattr("allocator.report.view._registry", lambda result: NO_PLUGINS)
    return book


def read(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_run_writes_the_folder_and_shows_the_summary(fund: FakeFund, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", "fund.yaml", "-o", "results") == 0
    out, err = read(capsys)
    assert "180.00%" in out
    assert "results/" in out
    assert err == ""
    assert json.loads(Path("results/run.json").read_text(encoding="utf-8"))["status"] == "optimal"
    assert "load" in json.loads(Path("results/run.json").read_text(encoding="utf-8"))["seconds"]


def test_json_is_one_object_and_nothing_else(fund: FakeFund, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", "fund.yaml", "--json") == 0
    out, err = read(capsys)
    assert json.loads(out)["verified"] is True
    assert err == ""
    assert Path("out/run.json").exists()


def test_an_unproven_answer_is_written_and_leaves_with_4(fund: FakeFund, capsys: pytest.CaptureFixture[str]) -> None:
    fund.result = fake_result(status="feasible")
    assert call("run", "fund.yaml") == 4
    assert Path("out/allocation.csv").exists()
    assert "not proven" in read(capsys)[0]


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (InputError(PROBLEM), 2, "bad_input"),
        (Infeasible(PROBLEM), 3, "infeasible"),
        (NotProven(PROBLEM), 4, "not_proven"),
        (VerificationError(PROBLEM), 1, "defect"),
        (ZeroDivisionError("division by zero"), 1, "defect"),
    ],
)
def test_exit_statuses_and_where_errors_go(
    fund: FakeFund, capsys: pytest.CaptureFixture[str], error: Exception, status: int, word: str
) -> None:
    fund.error = error
    assert call("run", "fund.yaml") == status
    out, err = read(capsys)
    assert out == ""
    assert "error:" in err
    assert "Traceback" not in err
    assert Path("out").exists() == (status in {3, 4})
    assert not Path("out/allocation.csv").exists()
    assert call("run", "fund.yaml", "--json") == status
    entry = json.loads(read(capsys)[0])
    assert (entry["status"], entry["exit_status"]) == (word, status)


def test_debug_shows_where_a_defect_is(fund: FakeFund, capsys: pytest.CaptureFixture[str]) -> None:
    fund.error = ZeroDivisionError("division by zero")
    assert call("--debug", "run", "fund.yaml") == 1
    assert "Traceback" in read(capsys)[1]


@pytest.mark.parametrize("kind", [RuntimeError, InputError])
def test_a_ctrl_c_that_a_library_made_an_error_of_is_still_one(
    fund: FakeFund, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def load(path: Path, overrides: object = ()) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise kind(PROBLEM) from None

    monkeypatch.setattr("allocator.api.load", load)
    # A shell that starts the tests in the background lets them ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert call("run", "fund.yaml") == 130
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert read(capsys) == ("", "")


def test_errors_speak_the_language_asked_for(fund: FakeFund, capsys: pytest.CaptureFixture[str]) -> None:
    fund.error = InputError(PROBLEM)
    call("run", "fund.yaml", "--lang", "zh")
    err = read(capsys)[1]
    assert "错误：输入无法使用" in err
    assert "不是数字" in err
    assert "not a number" not in err
    call("run", "fund.yaml", "--lang=en")
    assert "not a number" in read(capsys)[1]


def test_the_environment_sets_the_language(
    fund: FakeFund, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert call("run", "fund.yaml") == 0
    assert "综合偿付能力充足率" in read(capsys)[0]


@pytest.mark.parametrize(
    "arguments", [("run",), ("rum", "fund.yaml"), ("run", "fund.yaml", "--speed"), ("run", "f", "--lang", "fr")]
)
def test_a_wrong_command_line_leaves_with_2(
    fund: FakeFund, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "load_registry", lambda *given: Registry(()))
    assert call(*arguments) == 2
    out, err = read(capsys)
    assert out == ""
    assert err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run",), "缺少参数 FUND.yaml"),
        (("rum", "fund.yaml"), "没有命令 rum"),
        (("run", "fund.yaml", "--speed"), "没有选项 --speed"),
        (("run", "fund.yaml", "-o"), "选项 -o 需要取值"),
        (("run", "fund.yaml", "more"), "多余的参数：more"),
        (("capital", "--unit", "much"), "--unit 的取值无效"),
    ],
)
def test_a_wrong_command_line_is_explained_in_chinese(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    monkeypatch.setattr(registry, "load_registry", lambda *given: Registry(()))
    assert call(*arguments) == 2
    assert words in read(capsys)[1]


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert call() == 2
    assert "capital" in "".join(read(capsys))


def test_a_folder_that_is_not_ours_is_refused_before_anything_is_read(
    fund: FakeFund, capsys: pytest.CaptureFixture[str]
) -> None:
    fund.error = ZeroDivisionError("must not be reached")
    Path("thesis").mkdir()
    Path("thesis/chapter.txt").write_text("text", encoding="utf-8")
    assert call("run", "fund.yaml", "-o", "thesis") == 2
    assert "thesis" in read(capsys)[1]


def test_capital_shows_modules_ratios_and_rules(fund: FakeFund, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("capital", "fund.yaml") == 0
    out = read(capsys)[0]
    assert "Minimum capital 67.18" in out
    assert "166.28%" in out
    assert "Interest rate risk" in out
    assert "what-if" in out
    assert "Equity at most 30%" in out and "equity_ceiling" not in out
    assert call("capital", "fund.yaml", "--lang", "zh") == 0
    assert "传统账户预算" in read(capsys)[0]
    assert call("capital", "fund.yaml", "--json", "-o", "capital.csv") == 0
    entry = json.loads(read(capsys)[0])
    assert entry["capital"]["minimum_capital"] == pytest.approx(67.17972277364316)
    assert entry["solvency"]["comprehensive"]["before"] == pytest.approx(1.6627752813861822)
    frame = pd.read_csv("capital.csv")
    assert list(frame.columns) == ["module", "parent", "amount", "article"]
    assert frame["amount"][0] == pytest.approx(67.17972277364316)
    limits = {rule["name"]: rule["rhs"] for rule in entry["rules"]}
    assert limits["floor[DEP1]"] == 80.0


def test_capital_needs_exactly_one_source(fund: FakeFund, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("capital") == 2
    assert call("capital", "fund.yaml", "--filed", "filed.csv") == 2


class NoOptions(BaseModel):
    """No options."""


def test_filed_amounts_are_aggregated_by_the_regime(
    fund: FakeFund, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def filed(path: Path, unit: float, size_factor: str) -> pd.DataFrame:
        asked.append((path, unit, size_factor))
        return pd.DataFrame({"company": ["某寿险"], "minimum_capital": [10.0], "minimum_capital_computed": [10.5]})

    spec = RegimeSpec(
        "fake", Text("Fake", "仿真"), NoOptions, JURISDICTION, lambda inputs, options: fake_result().regime, filed
    )
    plugin = SimpleNamespace(allocator_regimes=lambda: [spec])
    monkeypatch.setattr("allocator.report.position.load_registry", lambda: Registry([("fake", plugin)]))
    assert call("capital", "--filed", "filed.csv", "--unit", "1e8", "--size-factor", "0.95", "-o", "computed.csv") == 0
    assert asked == [(Path("filed.csv"), 1e8, "0.95")]
    assert pd.read_csv("computed.csv")["minimum_capital_computed"].tolist() == [10.5]
    assert "某寿险" in read(capsys)[0]
    assert call("capital", "--filed", "filed.csv", "--regime", "basel") == 2


def test_validate_says_what_can_be_used_and_what_to_know(fund: FakeFund, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("validate", "fund.yaml") == 0
    out = read(capsys)[0]
    assert "assets: 8 rows" in out
    assert "made by hand" in out
    assert call("validate", "fund.yaml", "--json") == 0
    assert json.loads(read(capsys)[0])["rows"] == {"assets": 8}


def test_explain_prices_the_binding_rules(fund: FakeFund, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("explain", "fund.yaml", "--json") == 0
    assert json.loads(read(capsys)[0])["rules"][0]["name"] == "equity_ceiling"
    assert call("explain", "fund.yaml", "--lang", "zh") == 0
    assert "放松1 个百分点" in read(capsys)[0]


def test_a_plugins_command_is_found_by_its_name(
    fund: FakeFund, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_back(years: int) -> None:
        """Look back."""
        typer.echo(f"{years} years")

    plugin = SimpleNamespace(
        allocator_commands=lambda: [CommandSpec("look-back", Text("Look back.", "回顾。"), look_back)]
    )
    monkeypatch.setattr(registry, "load_registry", lambda *given: Registry([("back", plugin)]))
    assert call("look-back", "7") == 0
    assert read(capsys)[0] == "7 years\n"


def test_plugins_list_is_json_when_asked(fund: FakeFund, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("plugins", "list", "--json") == 0
    entries = json.loads(read(capsys)[0])["plugins"]
    assert [entry["name"] for entry in entries] == [info.name for info in registry.installed_plugins()]
    assert call("plugins", "list", "--lang", "zh") == 0


def test_init_makes_a_folder_and_refuses_one_in_use(fund: FakeFund, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("init", "fund") == 0
    assert Path("fund/fund.yaml").exists()
    assert "allocator validate fund/fund.yaml" in read(capsys)[0]
    assert call("init", "fund") == 2


def test_every_help_string_has_its_chinese() -> None:
    missing = {text for text in help_strings(typer.main.get_command(cli.app)) if text not in CHINESE}
    assert not missing


def test_help_in_chinese_has_no_english_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert call("run", "--help") == 0
    out = read(capsys)[0]
    assert "组合文件" in out
    assert not set(re.findall(r"[A-Za-z]{4,}", out)) - {"allocator", "OPTIONS", "FUND", "yaml"} - OPTION_NAMES


def test_help_answers_at_once_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from allocator.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'pandas', 'scipy', 'cvxpy', 'pydantic', 'openpyxl', 'pluggy', 'yaml'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    best = float("inf")
    for _ in range(3):
        before = os.times()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        after = os.times()
        assert done.returncode == 0, done.stderr
        best = min(best, sum(after[2:4]) - sum(before[2:4]))
    assert best < 0.4  # processor time, whatever else runs; 0.17 s on an idle machine
