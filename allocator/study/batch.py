"""Any study over many funds, dates, settings or seeds: in local processes or on a Dask cluster, by the same code.

joblib hands tasks out as workers become free and hands results back as they come; only a few tasks per worker are
under way at once, so memory does not grow with their number. What a task finds wrong is a row too: one fund that
cannot be read does not stop the others.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.errors import AllocatorError, Infeasible, InputError, NotProven, Problem
from allocator.study.store import Record, Store
from allocator.study.studies import StudySpec
from allocator.study.tasks import Plan, Task
from allocator.types import LocalizedPhrase, Text

if TYPE_CHECKING:
    from allocator.pipeline.fund import Fund

__all__ = ["Workers", "run_batch"]

Opener = Callable[[str, Sequence[str]], "Fund"]
"""Reads a fund file with overrides; it is sent to the workers."""

PATIENCE = 20
"""Seconds in which a cluster's scheduler must answer."""

RESTARTS = 3
"""How often new processes take the place of workers that ended by themselves, for want of memory say."""

WATCHER = "allocator-batch"
"""Name of the thread by which a worker notices that nobody waits for it any more."""

_ENDED = Problem(
    Text("worker processes keep ending by themselves", "工作进程反复自行终止"),
    "--jobs",
    hint=Text(
        "memory may be short: try fewer --jobs; what is finished is kept, continue with --resume",
        "可能内存不足：请减少 --jobs；已完成的结果均已保留，可用 --resume 继续",
    ),
)

COLUMNS = ("task", "fund", "case", "status", "problem", "row")
"""The columns every batch has, beside the varied keys."""


@dataclass(frozen=True, slots=True)
class Workers:
    """Who does the work.

    Parameters
    ----------
    backend : str
        joblib's name of it: ``"loky"`` for local processes, ``"dask"`` for a cluster.
    jobs : int
        Number of processes; −1 for one a core, or all workers of a cluster; 0 is an InputError.
    scheduler : str
        Address of the cluster's scheduler, ``"tcp://host:8786"``; empty for none.
    """

    backend: str = "loky"
    jobs: int = -1
    scheduler: str = ""

    def __post_init__(self) -> None:
        if self.jobs == 0:
            what = Text("a batch needs a process to work in", "批量任务至少需要一个进程")
            raise InputError(Problem(what, "--jobs", "0", LocalizedPhrase("-1, or 1 and more", "-1，或不小于 1")))


def run_batch(
    plan: Plan,
    store: Store,
    open_fund: Opener,
    workers: Workers,
    told: Callable[[int], None] = lambda finished: None,
) -> Path:
    """Do every task that is not finished yet and return the file of all results.

    Parameters
    ----------
    plan : Plan
        The tasks.
    store : Store
        What is finished, and where to keep the rest.
    open_fund : callable
        ``open_fund(path, overrides) -> Fund``.
    workers : Workers
        Who does the work.
    told : callable
        Called with the number of finished tasks whenever it grows.

    Raises
    ------
    InputError
        When the cluster cannot be reached, the backend is not installed, or workers keep ending by themselves.
    """
    if workers.jobs == 0:
        raise InputError(Problem(Text("no process can do no work", "进程数不能为 0"), "--jobs", "0", "≥ 1, -1"))
    parent = None if workers.backend == "dask" else os.getpid()
    ask = partial(_asked, parent, plan.spec, plan.options, plan.keys, open_fund)
    told(store.finished)
    for left in reversed(range(RESTARTS + 1)):
        if store.finished == len(plan):
            break
        try:
            _work(plan, store, ask, workers, told)
        except BrokenProcessPool as error:
            if not left:
                raise InputError(_ENDED) from error
    return store.finish([*COLUMNS[:3], *plan.keys, *COLUMNS[3:]])


def _work(plan: Plan, store: Store, ask: Callable[[Task], Any], workers: Workers, told: Callable[[int], None]) -> None:
    """Have every task done that is not finished: in this process where no others can be had."""
    missing = [task for task in plan.tasks() if not store.has(task.number)]
    finished = store.finished
    for number, rows in _done(missing, ask, workers):
        finished += not store.has(number)
        store.add(number, rows)
        told(finished)


def _done(tasks: Sequence[Task], ask: Callable[[Task], Any], workers: Workers) -> Iterator[tuple[int, list[Record]]]:
    """Yield what each task gave, as it comes."""
    from joblib import Parallel, delayed, effective_n_jobs
    from threadpoolctl import threadpool_limits

    seen = set[int]()
    try:
        if effective_n_jobs(workers.jobs) > 1 or workers.backend == "dask":
            with _backend(workers):
                with _deaf_to_interruptions():
                    parallel = Parallel(n_jobs=workers.jobs, return_as="generator_unordered", batch_size=1)
                    done = parallel(delayed(ask)(task) for task in tasks)
                for number, rows in done:
                    seen.add(number)
                    yield number, rows
            return
    except (OSError, ImportError):  # a container without semaphores, or without room for them
        if workers.backend == "dask":
            raise
    with threadpool_limits(1):
        yield from map(ask, (task for task in tasks if task.number not in seen))


def _has_semaphores() -> bool:
    """Return whether processes can be had: joblib's switch is on and the system has semaphores."""
    if os.environ.get("JOBLIB_MULTIPROCESSING", "1").strip() == "0":
        return False
    try:
        multiprocessing.get_context().Semaphore()
    except (ImportError, NotImplementedError, OSError):
        return False
    return True


@contextmanager
def _deaf_to_interruptions() -> Iterator[None]:
    """Let the processes started here never see Ctrl-C, which a terminal sends to all: this one ends them.

    A process inherits which signals are held back. One that comes meanwhile is seen by this process afterwards.
    """
    if os.name != "posix":
        yield
        return
    from joblib.externals.loky.backend import resource_tracker as tracker_of_joblib

    # Started first: those of older versions of Python and joblib let signals through again whatever was set before.
    for tracker in (resource_tracker, tracker_of_joblib):
        tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _asked(
    parent: int | None, spec: StudySpec, options: Any, keys: Sequence[str], open_fund: Opener, task: Task
) -> tuple[int, list[Record]]:
    if parent is not None:
        _follow(parent)
    return answer(spec, options, keys, open_fund, task)


def _follow(parent: int) -> None:
    """Let this process end with the one that started it: a batch that is killed leaves nobody at work.

    Elsewhere than on POSIX a process does not learn that its parent is gone: there it ends with its task.
    """
    if os.name != "posix" or os.getpid() == parent or any(one.name == WATCHER for one in threading.enumerate()):
        return

    def wait() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=wait, name=WATCHER, daemon=True).start()


def answer(
    spec: StudySpec, options: Any, keys: Sequence[str], open_fund: Opener, task: Task
) -> tuple[int, list[Record]]:
    """Return a task's number and its rows; whatever is wrong is reported in a row."""
    head = {"task": task.number, "fund": task.fund, "case": task.case, **dict(zip(keys, task.varied, strict=True))}
    try:
        rows = [dict(row) for row in spec.rows(open_fund(task.fund, task.overrides), options)]
    except AllocatorError as error:
        return task.number, [{**head, "status": _status(error), "problem": _first(error), "row": 0}]
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        return task.number, [{**head, "status": "defect", "problem": problem, "row": 0}]
    return task.number, [{**head, "status": "done", "problem": None, "row": k, **row} for k, row in enumerate(rows)]


def _status(error: AllocatorError) -> str:
    if isinstance(error, Infeasible):
        return "infeasible"
    if isinstance(error, NotProven):
        return "not_proven"
    return "bad_input" if isinstance(error, InputError) else "defect"


def _first(error: AllocatorError) -> str:
    return "; ".join(problem.render("en") for problem in error.problems[:1]) or str(error)


@contextmanager
def _backend(workers: Workers) -> Iterator[None]:
    """Let joblib use the backend, this process alone where there are no others; a Dask client is closed again."""
    from joblib import parallel_config

    if workers.backend == "loky" and not _has_semaphores():
        with parallel_config(backend="sequential"):
            yield
        return
    if workers.backend != "dask":
        with parallel_config(backend=workers.backend, inner_max_num_threads=1):
            yield
        return
    try:
        from distributed import Client
    except ImportError as error:
        what = Text("Dask is not installed", "未安装 Dask")
        raise InputError(
            Problem(
                what,
                "--backend dask",
                hint=Text("install allocator-insurance[dask]", "请安装 allocator-insurance[dask]"),
            )
        ) from error
    try:
        client: Any = Client(workers.scheduler or None, timeout=PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        what = Text("the cluster's scheduler cannot be reached", "无法连接集群调度器")
        raise InputError(Problem(what, "--scheduler", workers.scheduler, "tcp://host:port")) from error
    with client, parallel_config(backend="dask", client=client, wait_for_workers_timeout=60):
        yield
