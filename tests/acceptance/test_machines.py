"""The same answer to 1e-6 on machines of other kinds: BLAS by other kernels, on one thread and on two.

What differs between machines with the same versions is the instructions that sums are made of, and so their order.
OpenBLAS takes them by the processor it finds, or by ``OPENBLAS_CORETYPE``; numpy leaves out those that
``NPY_DISABLE_CPU_FEATURES`` names. Prints the largest difference of each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

pytestmark = pytest.mark.acceptance

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FUNDS = ("first_fund", "life_insurer", "technology_fund")
KERNELS = ("Prescott", "Nehalem", "Sandybridge", "Haswell")
"""Every processor of a server since 2014 runs them; its own kernel is a later one."""
PLAIN = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR AVX2 FMA3 X86_V4 X86_V3"
NEAR = 1e-6
RATIOS = ("comprehensive", "core")
ASK = "import numpy, scipy.linalg, threadpoolctl; print({i['architecture'] for i in threadpoolctl.threadpool_info()})"

Machine = Mapping[str, str]


def machines() -> dict[str, Machine]:
    """Return kinds of machines by the environment that makes them."""
    found: dict[str, Machine] = {"two threads": {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}}
    found |= {kernel: {"OPENBLAS_CORETYPE": kernel} for kernel in KERNELS}
    found["numpy without AVX2 and FMA"] = {"NPY_DISABLE_CPU_FEATURES": PLAIN, "OPENBLAS_CORETYPE": KERNELS[0]}
    return found


def told(machine: Machine, *arguments: str) -> str:
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"} | machine
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def answer(fund: str, machine: Machine, out: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    told(machine, "-m", "allocator", "run", str(EXAMPLES / fund / "fund.yaml"), "-o", str(out))
    table = pd.read_csv(out / "allocation.csv", index_col=["asset_id", "account"])
    manifest: dict[str, Any] = json.loads((out / "run.json").read_text(encoding="utf-8"))
    return table, manifest


def test_these_are_machines_of_other_kinds() -> None:
    kinds = {told(machine, "-c", ASK) for machine in ({}, *machines().values())}
    assert len(kinds) >= 3, f"OpenBLAS takes no other kernel here: {kinds}"


@pytest.mark.parametrize("fund", FUNDS)
def test_the_answer_is_the_same_to_a_millionth_on_all(fund: str, tmp_path: Path) -> None:
    here, mine = answer(fund, {}, tmp_path / "here")
    assert mine["status"] == "optimal"
    worst: dict[str, float] = {}
    for number, (name, machine) in enumerate(machines().items()):
        there, theirs = answer(fund, machine, tmp_path / str(number))
        assert there.index.equals(here.index) and theirs["status"] == mine["status"]
        moved = float((there["target"] - here["target"]).abs().max()) / mine["funded_total"]
        ratios = [abs(theirs["solvency"][one]["after"] - mine["solvency"][one]["after"]) for one in RATIOS]
        gained = abs(theirs["expected_return"]["after"] - mine["expected_return"]["after"])
        worst[name] = max(moved, gained, *ratios)
    print(f"{fund}: largest difference {', '.join(f'{name} {size:.1e}' for name, size in worst.items())}")
    assert max(worst.values()) <= NEAR
