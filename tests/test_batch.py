"""Batches: what is finished is kept once, resuming gives the same file, a lost worker loses nothing."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from needed import package

from allocator import cli
from allocator.api import load
from allocator.errors import Infeasible, InputError, Problem
from allocator.pipeline.scenarios import stress
from allocator.study import batch
from allocator.study.batch import COLUMNS, Workers, answer, run_batch
from allocator.study.frontier import FrontierSettings, frontier
from allocator.study.store import GROUP, Store
from allocator.study.studies import STUDIES, NoOptions, StudySpec
from allocator.study.tasks import BatchSettings, Plan
from allocator.types import Text

ROOT = Path(__file__).resolve().parent.parent
FIRST = ROOT / "examples" / "first_fund" / "fund.yaml"


def plan_of(count: int = 3, **more: Any) -> Plan:
    content = {"study": "capital", "funds": [FIRST.name], "vary": {"solve.seed": {"count": count}}, **more}
    return Plan.of(BatchSettings.model_validate(content), FIRST.parent)


def rows_of(number: int, count: int = 1) -> list[dict[str, Any]]:
    return [{"task": number, "row": row, "figure": 0.1 * number, "status": "done"} for row in range(count)]


def test_every_fund_meets_every_case_and_value_once() -> None:
    cases = [{"name": "base"}, {"name": "strict", "set": ["capital.require.core=1.5"]}]
    plan = plan_of(3, cases=cases)
    tasks = list(plan.tasks())
    assert len(tasks) == len(plan) == 6
    assert [task.number for task in tasks] == list(range(6))
    assert tasks[4].case == "strict"
    assert tasks[4].overrides == ("capital.require.core=1.5", "solve.seed=1")
    assert len({task.overrides for task in tasks}) == 6


def test_a_plan_of_other_values_is_another_plan() -> None:
    assert plan_of(3).fingerprint == plan_of(3).fingerprint != plan_of(4).fingerprint


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"study": "capitol"}, "capital"),
        ({"funds": ["none.yaml"]}, "no such fund file"),
        ({"study": "frontier", "options": {"pionts": 3}}, "pionts"),
    ],
)
def test_what_is_wrong_with_a_study_file_is_named(content: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        plan_of(1, **content)


def test_results_do_not_depend_on_the_order_of_tasks_or_on_stops(tmp_path: Path) -> None:
    size = GROUP + 40
    straight = Store(tmp_path / "a", "x", size, resume=False)
    for number in range(size):
        straight.add(number, rows_of(number, 1 + number % 2))
    whole = straight.finish(["task"])
    for number in reversed(range(size)):
        stopped = Store(tmp_path / "b", "x", size, resume=True)
        for one in (number, size - 1 - number):
            stopped.add(one, rows_of(one, 1 + one % 2))
    assert stopped.finished == size
    assert stopped.finish(["task"]).read_bytes() == whole.read_bytes()
    assert pq.read_table(whole)["task"].to_pylist() == sorted(pq.read_table(whole)["task"].to_pylist())
    assert not (tmp_path / "b" / "parts").exists()


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def altered(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut_short, altered, lambda path: path.write_bytes(b"")])
def test_a_part_that_was_damaged_is_named_and_done_again_and_nothing_else(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    straight, store = (Store(tmp_path / name, "x", 4, resume=False) for name in ("straight", "out"))
    for number in range(4):
        straight.add(number, rows_of(number))
        store.add(number, rows_of(number))
    part = sorted((tmp_path / "out" / "parts").iterdir())[3]
    damage(part)
    (part.parent / "half.tmp").write_bytes(b"half")
    again = Store(tmp_path / "out", "x", 4, resume=True)
    assert again.damaged == (part,)
    assert [again.has(number) for number in range(4)] == [True, True, True, False]
    again.add(3, rows_of(3))
    assert Store(tmp_path / "out", "x", 4, resume=True).damaged == ()
    assert again.finish(["task"]).read_bytes() == straight.finish(["task"]).read_bytes()


def test_a_table_that_was_damaged_after_it_was_signed_is_made_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "out", "x", 1, resume=False)
    store.add(0, rows_of(0))
    table = store.finish(["task"])
    whole = table.read_bytes()
    assert not store.signed
    store.sign({"files": {table.name: hashlib.sha256(whole).hexdigest()}})
    assert store.signed and Store(tmp_path / "out", "x", 1, resume=True).finished == 1
    altered(table)
    again = Store(tmp_path / "out", "x", 1, resume=True)
    assert again.damaged == (table,) and again.finished == 0
    again.add(0, rows_of(0))
    assert again.finish(["task"]).read_bytes() == whole


@pytest.mark.parametrize("content", ["", "[]", '{"fingerprint'])
def test_a_damaged_plan_is_bad_input(tmp_path: Path, content: str) -> None:
    Store(tmp_path / "out", "x", 1, resume=False)
    (tmp_path / "out" / "batch.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="batch.json is damaged"):
        Store(tmp_path / "out", "x", 1, resume=True)


def test_a_result_that_comes_twice_is_kept_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "out", "x", 2, resume=False)
    for number in (0, 0, 1, 0, 1):
        store.add(number, rows_of(number))
    assert pq.read_table(store.finish(["task"]))["task"].to_pylist() == [0, 1]


def test_columns_that_some_tasks_lack_are_empty_there(tmp_path: Path) -> None:
    store = Store(tmp_path / "out", "x", GROUP + 1, resume=False)
    for number in range(GROUP):
        store.add(number, [{"task": number, "status": "done", "whole": number}])
    store.add(GROUP, [{"task": GROUP, "status": "bad_input", "problem": "why"}])
    frame = pq.read_table(store.finish(["task"])).to_pandas()
    assert frame["whole"].notna().sum() == GROUP
    assert frame["problem"].dropna().tolist() == ["why"]
    assert store.statuses() == {"done": GROUP, "bad_input": 1}


@pytest.mark.parametrize(("fingerprint", "resume", "named"), [("x", False, "begun here"), ("y", True, "another batch")])
def test_a_folder_in_use_is_refused(tmp_path: Path, fingerprint: str, resume: bool, named: str) -> None:
    Store(tmp_path / "out", "x", 2, resume=False)
    with pytest.raises(InputError, match=named):
        Store(tmp_path / "out", fingerprint, 2, resume)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match="no batch wrote it"):
        Store(tmp_path / "mine", "x", 2, resume=True)


def _fails(error: Exception) -> StudySpec:
    def rows(fund: object, options: object) -> Sequence[dict[str, float]]:
        raise error

    return StudySpec("fails", Text("Fails", "失败"), NoOptions, rows)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Infeasible(Problem(Text("no way", "无解"))), "infeasible"),
        (InputError(Problem(Text("no way", "无解"))), "bad_input"),
        (ZeroDivisionError("no way"), "defect"),
    ],
)
def test_what_a_task_finds_wrong_is_a_row(error: Exception, status: str) -> None:
    task = plan_of().task(1)
    number, (row,) = answer(_fails(error), NoOptions(), ("solve.seed",), lambda path, changes: None, task)  # type: ignore[arg-type, return-value]
    assert number == row["task"] == 1
    assert row["status"] == status
    assert "no way" in row["problem"]
    assert row["solve.seed"] == "1"


def test_each_study_gives_what_the_library_gives(tmp_path: Path) -> None:
    fund = load(FIRST)
    (row,) = STUDIES["capital"].rows(fund, NoOptions())
    position = fund.capital().value
    assert position is not None
    assert row["comprehensive_ratio"] == position.ratio("comprehensive")
    assert row["module_minimum_capital"] == position.minimum_capital
    (row,) = STUDIES["run"].rows(fund, NoOptions())
    result = fund.optimize().value
    assert row["objective"] == pytest.approx(result.objective)
    assert result.after is not None
    assert row["core_ratio"] == pytest.approx(result.after.ratio("core"))
    rows = STUDIES["frontier"].rows(fund, STUDIES["frontier"].validated({"points": 3, "high": 2.5}))
    assert [set(one) == set(rows[0]) for one in rows] == [True] * 3
    # The point's own status, under a name that is not the task's.
    points = frontier(fund, FrontierSettings(3, high=2.5)).points
    assert [one["solution"] for one in rows] == [point.status for point in points]


def test_stress_and_plan_are_studies_like_the_others(tmp_path: Path) -> None:
    """Scenarios as varied keys: what a batch writes is the frame of the study, a row each."""
    vary = {"stress.scenarios.crash.equity": ("-10%", "-50%"), "stress.only": (("crash", "annual_insurance"),)}
    settings = BatchSettings(study="stress", funds=(FIRST.name,), vary=vary)
    plan = Plan.of(settings, FIRST.parent)
    store = Store(tmp_path / "out", plan.fingerprint, len(plan), resume=False)
    frame = pd.read_parquet(run_batch(plan, store, load, Workers(jobs=1)))
    assert frame["scenario"].tolist() == ["base", "crash", "annual_insurance"] * 2
    assert frame["row"].tolist() == [0, 1, 2] * 2
    for cut, rows in frame.groupby("stress.scenarios.crash.equity"):
        alone = stress(load(FIRST, [f"stress.scenarios.crash.equity={cut}"])).frame.set_index("scenario")
        crash = rows.set_index("scenario").loc["crash"]
        assert crash["comprehensive_ratio"] == alone.loc["crash", "comprehensive_ratio"]
    assert frame.loc[frame["scenario"] == "annual_insurance", "comprehensive_ratio"].isna().all()

    book = load(FIRST, ["plan.steps=2", "plan.per_year=1", "stress.reverse.equity.equity=-1"])
    rows = STUDIES["plan"].rows(book, NoOptions())
    assert [row["step"] for row in rows] == [1, 2]
    assert {row["solution"] for row in rows} == {"optimal"} and all(row["holds"] for row in rows)
    rows = STUDIES["reverse_stress"].rows(book, NoOptions())
    assert {row["factor"] for row in rows} == {"equity"}
    assert all(isinstance(row["share"], float) or (row["share"] is None and row["never"]) for row in rows)


def test_no_study_has_a_column_of_the_batch_itself() -> None:
    fund = load(FIRST, ["plan.steps=1", "plan.per_year=1"])
    for name in ("capital", "run", "stress", "plan"):
        (row, *_) = STUDIES[name].rows(fund, NoOptions())
        assert not set(COLUMNS) & set(row), name


def test_the_command_writes_one_table_and_resumes_to_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = tmp_path / "study.yaml"
    study.write_text(f"study: capital\nfunds: ['{FIRST.as_posix()}']\nvary:\n  solve.seed: {{count: 4}}\n")

    def batch(*more: str) -> int:
        with pytest.raises(SystemExit) as end:
            cli.main(["batch", str(study), "-o", str(tmp_path / "out"), "--jobs", "1", *more])
        return int(str(end.value.code))

    assert batch("--json") == 0
    entry = json.loads(capsys.readouterr().out)
    assert entry["rows"] == {"done": 4}
    before = (tmp_path / "out" / "results.parquet").read_bytes()
    assert batch() == 2
    assert batch("--resume", "--lang", "zh") == 0
    assert "4 个任务" in capsys.readouterr().out
    assert (tmp_path / "out" / "results.parquet").read_bytes() == before
    frame = pd.read_parquet(tmp_path / "out" / "results.parquet")
    assert frame.columns[:4].tolist() == ["task", "fund", "case", "solve.seed"]
    assert frame["solve.seed"].tolist() == ["0", "1", "2", "3"]


def test_where_no_processes_can_be_had_this_one_does_the_work(tmp_path: Path) -> None:
    """As in a container without semaphores: joblib then knows no processes at all."""
    study = tmp_path / "study.yaml"
    study.write_text(f"study: capital\nfunds: ['{FIRST.as_posix()}']\nvary:\n  solve.seed: {{count: 3}}\n")
    command = [sys.executable, "-m", "allocator", "batch", str(study), "--jobs", "2", "-o"]
    for name, environ in (("without", {"JOBLIB_MULTIPROCESSING": "0"}), ("with", {})):
        done = subprocess.run(
            [*command, str(tmp_path / name)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "ALLOCATOR_REGISTER": "off", **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    tables = [(tmp_path / name / "results.parquet").read_bytes() for name in ("without", "with")]
    assert tables[0] == tables[1]


def _refused(*given: object, **named: object) -> Any:
    raise PermissionError(13, "Permission denied", "/dev/shm/sem")


def test_processes_that_may_not_be_started_leave_the_work_to_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(2)
    store = Store(tmp_path / "out", plan.fingerprint, len(plan), resume=False)
    monkeypatch.setattr("joblib.Parallel", _refused)
    frame = pd.read_parquet(run_batch(plan, store, load, Workers(jobs=2)))
    assert frame["status"].tolist() == ["done", "done"]


def test_no_process_at_all_is_refused(tmp_path: Path) -> None:
    plan = plan_of(1)
    store = Store(tmp_path / "out", plan.fingerprint, len(plan), resume=False)
    with pytest.raises(InputError, match="--jobs"):
        run_batch(plan, store, load, Workers(jobs=0))


@pytest.mark.parametrize(
    ("change", "status", "exit_status"),
    [
        ("capital.require.comprehensive=4", "infeasible", 0),
        ("inputs.assets=absent.csv", "bad_input", 2),
    ],
)
def test_a_batch_with_failed_tasks_says_so_by_its_exit_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str, status: str, exit_status: int
) -> None:
    study = tmp_path / "study.yaml"
    cases = f"cases: [{{name: base}}, {{name: other, set: ['{change}']}}]"
    study.write_text(f"study: run\nfunds: ['{FIRST.as_posix()}']\n{cases}\n", encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        cli.main(["batch", str(study), "-o", str(tmp_path / "out"), "--jobs", "1", "--json"])
    assert end.value.code == exit_status
    assert json.loads(capsys.readouterr().out)["rows"] == {"done": 1, status: 1}


def test_a_batch_stopped_from_the_keyboard_keeps_what_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = tmp_path / "study.yaml"
    study.write_text(f"study: capital\nfunds: ['{FIRST.as_posix()}']\nvary:\n  solve.seed: {{count: 4}}\n")

    def stop(plan: Plan, store: Store, *rest: object) -> Path:
        store.add(2, rows_of(2))
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr("allocator.study.batch.run_batch", stop)
        with pytest.raises(SystemExit) as end:
            cli.main(["batch", str(study), "-o", str(tmp_path / "out")])
    assert end.value.code == 130
    assert "1 of 4" in capsys.readouterr().err
    assert not (tmp_path / "out" / "results.parquet").exists()
    plan = Plan.of(BatchSettings(study="capital", funds=(FIRST.as_posix(),)), tmp_path)
    assert len(plan) == 1


def _tells_what_it_holds_back(path: str, overrides: Sequence[str]) -> Any:
    held = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    raise InputError(Problem(Text("deaf", "听不到") if signal.SIGINT in held else Text("hears", "听得到")))


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a process has no set of signals that it holds back")
def test_workers_never_see_the_ctrl_c_that_a_terminal_sends_to_all_and_this_process_does(tmp_path: Path) -> None:
    plan = plan_of(4)
    store = Store(tmp_path / "out", plan.fingerprint, len(plan), resume=False)
    frame = pd.read_parquet(run_batch(plan, store, _tells_what_it_holds_back, Workers(jobs=2)))
    assert [problem.split(":")[-1].strip() for problem in frame["problem"]] == ["deaf"] * 4
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def _dies_once(marker: str, path: str, overrides: Sequence[str]) -> Any:
    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return load(path, overrides)


def _dies(path: str, overrides: Sequence[str]) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere there is no such signal")
def test_a_worker_that_ends_by_itself_loses_and_doubles_nothing(tmp_path: Path) -> None:
    plan = plan_of(6)
    store = Store(tmp_path / "out", plan.fingerprint, len(plan), resume=False)
    open_fund = partial(_dies_once, str(tmp_path / "died"))
    frame = pd.read_parquet(run_batch(plan, store, open_fund, Workers(jobs=2)))
    assert (tmp_path / "died").exists()
    assert frame["task"].tolist() == list(range(6))
    assert set(frame["status"]) == {"done"}


@pytest.mark.skipif(os.name != "posix", reason="elsewhere there is no such signal")
def test_workers_that_keep_ending_are_told_with_a_cure(tmp_path: Path) -> None:
    plan = plan_of(2)
    store = Store(tmp_path / "out", plan.fingerprint, len(plan), resume=False)
    with pytest.raises(InputError, match="--resume"):
        run_batch(plan, store, _dies, Workers(jobs=2))


def test_progress_is_told_in_plain_lines_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    from allocator.report.progress import progress
    from allocator.types import Language

    with progress(2, Language.CHINESE) as told:
        told(0)
        told(2)
    assert "已完成 2 / 2" in capsys.readouterr().err


def test_progress_is_a_bar_with_the_time_left_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    pty = pytest.importorskip("pty", reason="no pseudo-terminals here")
    from allocator.report.progress import progress
    from allocator.types import Language

    master, slave = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    shown = ""
    with os.fdopen(slave, "w") as terminal, os.fdopen(master, "rb", buffering=0) as screen:
        monkeypatch.setattr("sys.stderr", terminal)
        with progress(3, Language.CHINESE) as told:
            told(1)
            told(3)
        terminal.write("end")
        terminal.flush()
        while not shown.endswith("end"):
            shown += screen.read(1 << 16).decode()
    assert "3/3" in shown and "剩余" in shown and "0:00:00" in shown
    assert "已完成" not in shown


@pytest.fixture
def cluster() -> Iterator[SimpleNamespace]:
    """A scheduler and two workers, each a process of its own."""
    package("distributed", "a cluster was not tried")
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as made:
        yield made


def _slow(fund: object, options: object) -> list[dict[str, float]]:
    time.sleep(0.15)
    return [{"figure": 1.0}]


def _nothing(path: str, overrides: Sequence[str]) -> None:
    return None


def test_a_worker_of_a_cluster_that_is_killed_loses_and_doubles_nothing(cluster: Any, tmp_path: Path) -> None:
    plan = plan_of(60)
    slow = Plan(plan.settings, plan.funds, StudySpec("slow", Text("Slow", "慢"), NoOptions, _slow), NoOptions())
    store = Store(tmp_path / "out", slow.fingerprint, len(slow), resume=False)
    victim = next(iter(cluster.workers.values())).process.process.pid
    killed: list[int] = []

    def told(finished: int) -> None:
        if finished >= 10 and not killed:
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)

    workers = Workers("dask", -1, cluster.scheduler_address)
    written = run_batch(slow, store, _nothing, workers, told)  # type: ignore[arg-type]
    assert killed
    frame = pd.read_parquet(written)
    assert frame["task"].tolist() == list(range(60))
    assert set(frame["status"]) == {"done"}


def test_a_cluster_that_is_not_there_is_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package("distributed", "a cluster was not tried")
    monkeypatch.setattr("allocator.study.batch.PATIENCE", 1)
    plan = plan_of(1)
    store = Store(tmp_path / "out", plan.fingerprint, 1, resume=False)
    with pytest.raises(InputError, match="scheduler cannot be reached"):
        run_batch(plan, store, load, Workers("dask", -1, "tcp://127.0.0.1:9"))


def test_the_command_line_needs_neither_joblib_nor_dask_for_its_help() -> None:
    code = "import sys; from allocator import cli; sys.exit(bool({'joblib', 'distributed'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _at_work(pid: int) -> bool:
    """Return whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _busy(pid: int) -> float:
    """Return the processor's seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are looked up under /proc")
def test_workers_end_with_the_batch_that_is_killed(tmp_path: Path) -> None:
    """Each task would take its worker minutes; nobody waits for the result any more."""
    options = "{points: 20000}"
    study = tmp_path / "study.yaml"
    study.write_text(f"study: frontier\noptions: {options}\nfunds: [{FIRST}]\nvary: {{solve.seed: [1, 2, 3, 4]}}\n")
    command = [sys.executable, "-m", "allocator", "batch", str(study), "--jobs", "2", "-o", str(tmp_path / "out")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    workers: list[int] = []
    try:
        deadline = time.monotonic() + 120.0
        while time.monotonic() < deadline and (len(workers) < 2 or min(map(_busy, workers)) < 1.0):
            workers = [child for child in _children(process.pid) if _busy(child) > 0.5]
            time.sleep(0.1)
        assert len(workers) >= 2
        process.kill()
        process.wait()
        deadline = time.monotonic() + 30.0
        while any(map(_at_work, workers)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not [pid for pid in workers if _at_work(pid)]
    finally:
        process.kill()
        for pid in filter(_at_work, workers):
            os.kill(pid, signal.SIGKILL)


def test_processes_lost_on_the_way_leave_the_rest_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done before they were lost is not done again."""
    import joblib

    tasks = [SimpleNamespace(number=number) for number in range(5)]
    asked: list[int] = []

    def ask(task: SimpleNamespace) -> tuple[int, list[dict[str, int]]]:
        asked.append(task.number)
        return task.number, []

    def lost(*_: object, **__: object) -> object:
        def run(calls: Iterator[tuple[Any, Any, Any]]) -> Iterator[object]:
            for function, arguments, _named in list(calls)[:2]:
                yield function(*arguments)
            raise OSError("no more processes")

        return run

    monkeypatch.setattr(joblib, "Parallel", lost)
    monkeypatch.setattr(joblib, "effective_n_jobs", lambda jobs: 2)
    done = [number for number, _ in batch._done(tasks, ask, Workers("loky", 2))]  # type: ignore[arg-type]
    assert done == asked == [0, 1, 2, 3, 4]
