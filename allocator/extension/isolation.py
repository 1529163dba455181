"""Calls into plugins: whatever goes wrong in one is reported with the plugin's name, and affects nothing else.

A watched call may raise, return what its hook does not allow, take too long, or write to what it was handed.
Each is a `PluginError` that names the plugin and the function. What is no defect of the plugin passes through:
an `InputError` speaks to the user about the fund.

The time limit is kept by the operating system's alarm, which is there on POSIX and in the main thread. It stops
Python code and waiting; one long call into compiled code is stopped when it comes back. Elsewhere, and where
the host program uses the alarm itself, a call that took too long is refused when it returns.
"""

from __future__ import annotations

import functools
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any, ParamSpec, TypeVar

from allocator.config.settings import TIME_LIMIT
from allocator.errors import AllocatorError, PluginError, Problem
from allocator.types import Text

__all__ = ["Watch", "broken"]

P = ParamSpec("P")
R = TypeVar("R")

_HINT = Text("disable it under plugins.disable or fix it", "请在 plugins.disable 中停用或修复该插件")
_CONTRACT = Text("the plugin does not keep the hook's contract", "插件未遵守钩子约定")
_SLOW = Text("the plugin takes too long", "插件运行超时")
_CHANGED = Text("the plugin changed what it was handed", "插件改动了交给它的数据")


class _Expired(BaseException):
    """The alarm rang; no ``except Exception`` of a plugin may swallow it."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is called, where, and for how long at most.

    Parameters
    ----------
    plugin : str
        Name of the plugin.
    where : str
        Hook, offer and function, e.g. ``"allocator_constraints, esg_floor.build"``.
    seconds : float
        Time limit of one call; time spent in other plugins' calls does not count.
    """

    plugin: str
    where: str
    seconds: float = TIME_LIMIT

    def at(self, *parts: str) -> Watch:
        """Return the watch of something inside."""
        return replace(self, where=", ".join([self.where, *parts]))

    def call(self, function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """Return what the function returns.

        Raises
        ------
        PluginError
            When it raises, is too slow, or changes the tables it was handed.
        AllocatorError
            Whatever of the library's own errors it raises.
        """
        start = time.perf_counter()
        changes: list[list[str]] = []
        try:
            with ExitStack() as stack:
                changes = [stack.enter_context(tables.lending()) for tables in _tables(arguments)]
                with _alarm(self.seconds) as waited:
                    result = function(*arguments, **named)
        except _Expired:
            raise self._slow(self.seconds) from None
        except AllocatorError:
            raise
        except Exception as error:
            raise broken(self.plugin, self.where, f"{type(error).__name__}: {error}") from error
        spent = time.perf_counter() - start - waited[0]
        if spent > self.seconds:
            raise self._slow(spent)
        changed = [column for columns in changes for column in columns]
        if changed:
            hint = Text("work on a copy: frame.copy()", "请在副本上计算：frame.copy()")
            raise PluginError(Problem(_CHANGED, self._place, ", ".join(changed), hint=hint))
        return result

    def guard(self, function: Callable[P, R], finish: Callable[[Watch, Any, Any], R] | None = None) -> Callable[P, R]:
        """Return the function watched; ``finish(watch, first argument, result)`` checks and hands on the result."""

        @functools.wraps(function)
        def watched(*arguments: P.args, **named: P.kwargs) -> R:
            result = self.call(function, *arguments, **named)
            return result if finish is None else finish(self, arguments[0] if arguments else None, result)

        return watched

    def refuse(self, got: object, allowed: str) -> PluginError:
        """Return the error of a result that the hook does not allow."""
        shape = getattr(got, "shape", None)
        shown = got if isinstance(got, str) else repr(got)[:200]
        return broken(self.plugin, self.where, shown if shape is None else f"an array of shape {shape}", allowed)

    @property
    def _place(self) -> str:
        return f"plugin {self.plugin}, {self.where}"

    def _slow(self, spent: float) -> PluginError:
        hint = Text("raise plugins.time_limit, or disable the plugin", "请调高 plugins.time_limit，或停用该插件")
        return PluginError(Problem(_SLOW, self._place, f"{spent:.3g} s", f"{self.seconds:g} s", hint))


def broken(plugin: str, where: str, got: str, allowed: str | None = None) -> PluginError:
    """Return the error of a plugin that raises or returns what is not allowed."""
    return PluginError(Problem(_CONTRACT, f"plugin {plugin}, {where}", got, allowed, _HINT))


def _tables(arguments: tuple[Any, ...]) -> Iterator[Any]:
    """Yield the lendable tables among the arguments: those of inputs, of a context, of a result."""
    for argument in arguments:
        inputs = getattr(argument, "inputs", argument)
        tables = getattr(inputs, "tables", None)
        if hasattr(tables, "lending"):
            yield tables


class _Clock(threading.local):
    """Seconds that calls nested in the present one have taken, in this thread."""

    nested: float = 0.0


_CLOCK = _Clock()


@contextmanager
def _alarm(seconds: float) -> Iterator[list[float]]:
    """Ring after ``seconds``; the list then holds how long nested calls took, which do not count.

    The clock of the call around this one stands still meanwhile.
    """
    outer, _CLOCK.nested = _CLOCK.nested, 0.0
    waited = [0.0]
    start = time.perf_counter()
    ours = _may_ring()
    left = 0.0
    if ours:
        before = signal.signal(signal.SIGALRM, _ring)
        left = signal.setitimer(signal.ITIMER_REAL, seconds)[0]
    try:
        yield waited
    finally:
        if ours:
            signal.setitimer(signal.ITIMER_REAL, left)
            signal.signal(signal.SIGALRM, before)
        waited[0] = _CLOCK.nested
        _CLOCK.nested = outer + time.perf_counter() - start


def _may_ring() -> bool:
    """Return whether the alarm exists, may be set here, and belongs to nobody else."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return False
    return signal.getsignal(signal.SIGALRM) is _ring or signal.getitimer(signal.ITIMER_REAL)[0] == 0.0


def _ring(number: int, frame: FrameType | None) -> None:
    raise _Expired
