"""What `allocator explain` says of real funds: prices, what rows not held lack, conflicts, who gave way, bad wiring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from allocator import cli

ROWS = {
    "GOV": (50.0, 0.020, 100.0),
    "CORP": (30.0, 0.030, 40.0),
    "STOCK": (20.0, 0.060, 100.0),
    "GOLD": (0.0, 0.012, 100.0),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, rows: dict[str, tuple[float, float, float | str]] | None = None, **sections: Any) -> None:
    lines = ["asset_id,name,kind,account,amount,expected_return,max"]
    for name, (amount, earned, most) in (rows or ROWS).items():
        lines.append(f"{name},{name} fund,government_bond,traditional,{amount},{earned},{most}")
    (folder / "assets.csv").write_text("\n".join(lines), encoding="utf-8")
    fund = {"fund": {"name": "T", "as_of": "2026-06-30", "unit": 1e8}, "inputs": {"assets": "assets.csv"}}
    (folder / "fund.yaml").write_text(yaml.safe_dump({**fund, **sections}), encoding="utf-8")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    out, err = capsys.readouterr()
    assert isinstance(end.value.code, int)
    return end.value.code, out, err


def ceiling(name: str, rows: str, most: float, **extra: Any) -> dict[str, Any]:
    return {"limit": {"name": name, "where": rows, "max": most, **extra}}


TURNOVER = [{"turnover": {"max": 0.1}}]


def test_a_row_not_held_is_told_the_yield_it_lacks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Everything in STOCK at 6%: CORP lacks 300 bp, GOV 400, GOLD 480. That STOCK's own bound is the whole budget
    # must not blur what the others lack.
    write(folder)
    status, out, _ = run(capsys, "explain", "fund.yaml")
    assert status == 0
    assert "“CORP fund” (Traditional) is not held: it needs 300 bp more yield to enter." in out
    assert out.index("CORP fund") < out.index("GOV fund") < out.index("GOLD fund")
    status, out, _ = run(capsys, "explain", "fund.yaml", "--lang", "zh")
    assert "“GOLD fund”（传统）未持有：收益率再高 480 个基点才会配置。" in out
    status, out, _ = run(capsys, "explain", "fund.yaml", "--json")
    found = {row["asset_id"]: row["needed_yield"] for row in json.loads(out)["not_held"]}
    assert found == pytest.approx({"CORP": 0.03, "GOV": 0.04, "GOLD": 0.048}, abs=1e-7)


@pytest.mark.parametrize(("more", "held"), [(0.0299, False), (0.0301, True)])
def test_a_row_enters_once_it_earns_what_it_lacks(
    folder: Path, capsys: pytest.CaptureFixture[str], more: float, held: bool
) -> None:
    write(folder, {**ROWS, "CORP": (30.0, 0.030 + more, 40.0)})
    _, out, _ = run(capsys, "explain", "fund.yaml", "--json")
    assert ("CORP" not in {row["asset_id"] for row in json.loads(out)["not_held"]}) == held


def test_an_aim_that_ignores_returns_says_nothing_of_yield(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "covariance.csv").write_text(
        "asset_id,GOV,CORP,STOCK,GOLD\nGOV,1e-4,0,0,0\nCORP,0,4e-4,0,0\nSTOCK,0,0,0.04,0.019\nGOLD,0,0,0.019,0.01\n",
        encoding="utf-8",
    )
    write(
        folder,
        inputs={"assets": "assets.csv", "covariance": "covariance.csv"},
        objective={"minimize": "variance"},
    )
    _, out, _ = run(capsys, "explain", "fund.yaml", "--json")
    assert json.loads(out)["not_held"] == []


FLOORS = [{"expected_return": {"min": 0.05, "priority": 1}}, {"turnover": {"max": 0.1, "priority": 2}}]


def test_an_infeasible_fund_is_diagnosed_and_leaves_with_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # 3.1% today; 10% of the book moved from GOV to STOCK makes 3.5%, not 5%.
    write(folder, constraints=FLOORS)
    for command in ("explain", "run"):
        status, out, err = run(capsys, command, "fund.yaml")
        assert status == 3
        assert "expected_return: in conflict with the others listed" in err
        assert "turnover: in conflict with the others listed" in err
        assert "got 0.035, allowed ≥ 0.05" in err
        assert "relaxed by 0.015 (annual decimal), this rule alone makes the others feasible" in err
    # 1.9 points more from GOV at 4 points each need 47.5% turnover.
    assert "relaxed by 0.375 (share)" in err
    status, _, err = run(capsys, "explain", "fund.yaml", "--lang", "zh")
    assert status == 3
    assert "与所列其他规则冲突" in err
    assert "放宽 0.375（占比）" in err
    status, out, _ = run(capsys, "explain", "fund.yaml", "--json")
    assert status == 3
    entry = json.loads(out)
    assert entry["status"] == "infeasible"
    assert {problem["where"] for problem in entry["problems"]} >= {"expected_return", "turnover"}


def test_on_request_the_lowest_priority_gives_way(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, constraints=FLOORS, solve={"relax": True})
    status, out, _ = run(capsys, "explain", "fund.yaml")
    assert status == 0
    assert "Expected return floor (priority 1) gave way by 1.50%; asked now ≥ 3.50%" in out
    status, out, _ = run(capsys, "run", "fund.yaml", "-o", "out", "--json")
    assert status == 0
    entry = json.loads(out)
    (given,) = entry["concessions"]
    assert (given["name"], given["priority"]) == ("expected_return", 1)
    assert given["amount"] == pytest.approx(0.015, abs=2e-5)
    assert entry["verified"]
    assert entry["expected_return"]["after"] == pytest.approx(0.035, abs=2e-5)
    assert "gave way by" in (folder / "out" / "report.html").read_text(encoding="utf-8")


def test_without_a_priority_nothing_gives_way(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, constraints=[{"expected_return": {"min": 0.05}}, *TURNOVER], solve={"relax": True})
    status, _, err = run(capsys, "explain", "fund.yaml")
    assert status == 3
    assert "no allocation exists even if every rule with a priority gives way" in err


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"accounts": {"traditional": {"min": 90}}, "rows": {"GOV": (100.0, 0.02, "")}}, "GOV (traditional)"),
        ({"accounts": {"traditional": {"budget": 900}}}, "the budget lies outside what the rows' min and max allow"),
        ({"rows": {"GOV": (0.0, 0.02, "")}}, "nothing is held and no budget is given"),
        ({"rows": {"GOV": (100.0, 0.02, -5.0)}}, "max"),
    ],
)
def test_what_no_solver_should_see_is_caught_first(
    folder: Path, capsys: pytest.CaptureFixture[str], sections: dict[str, Any], told: str
) -> None:
    write(folder, sections.pop("rows", None), **sections)
    status, _, err = run(capsys, "explain", "fund.yaml")
    assert status == 2
    assert told in err
