"""The industry example in small: funds that differ, the same from the same arguments, all answered."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from allocator.api import load
from allocator.study.batch import Workers, run_batch
from allocator.study.store import Store
from allocator.study.tasks import BatchSettings, Plan

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("industry_make", EXAMPLES / "industry" / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_small_industry_is_answered_at_every_requirement(maker: ModuleType, tmp_path: Path) -> None:
    assert maker.make(EXAMPLES / "first_fund" / "fund.yaml", tmp_path / "funds", 2, 2) == 4
    settings = BatchSettings(study="frontier", funds=("funds/*/q*.yaml",), options={"points": 3})
    plan = Plan.of(settings, tmp_path)
    store = Store(tmp_path / "out", plan.fingerprint, len(plan), resume=False)
    frame = pd.read_parquet(run_batch(plan, store, load, Workers(jobs=1)))
    assert len(frame) == 4 * 3
    assert set(frame["status"]) == {"done"}, frame["problem"].dropna().tolist()
    assert (frame["comprehensive_ratio"] >= frame["level"] - 1e-7).all()
    assert (frame["gap"] <= 1e-5 + 1e-12).all()
    assert frame["value"].nunique() == len(frame)


def test_the_same_arguments_make_the_same_bytes(maker: ModuleType, tmp_path: Path) -> None:
    for name in ("a", "b"):
        maker.make(EXAMPLES / "life_insurer" / "fund.yaml", tmp_path / name, 1, 2)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert len(files) > 10
    for path in files:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()
    capital = load(tmp_path / "a" / "insurer_00" / "q01.yaml").capital().value
    assert capital is not None
    assert 0.5 < capital.ratio("comprehensive") < 5.0
