"""A plugin that raises, returns garbage, is slow or changes its inputs is named and stopped, its inputs unharmed."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from support import make_registry

from allocator import Fund
from allocator.config.settings import TIME_LIMIT, Section
from allocator.errors import InputError, PluginError, Problem
from allocator.extension.isolation import Watch
from allocator.extension.registry import Registry
from allocator.inputs import from_frames
from allocator.inputs.lent import LentTables
from allocator.model import (
    ConstraintSpec,
    Expression,
    Linear,
    ModelContext,
    ObjectiveSpec,
    ReturnModelSpec,
    RiskModelSpec,
    Scenarios,
    ScenarioSpec,
    Sense,
    Term,
    TiltSpec,
)
from allocator.result.tables import ReportSectionSpec
from allocator.types import Source, Text

LABEL = Text("A test", "测试")
ASSETS = {
    "asset_id": ["A", "B"],
    "kind": ["cash", "government_bond"],
    "amount": [60.0, 40.0],
    "min": [0.0, 0.0],
    "max": [100.0, 100.0],
    "expected_return": [0.01, 0.02],
}


class NoOptions(Section):
    """No keys."""


def rule(build: Callable[[ModelContext, Any], Any]) -> SimpleNamespace:
    return SimpleNamespace(allocator_constraints=lambda: [ConstraintSpec("odd", LABEL, NoOptions, build)])


def fund(plugin: object, settings: dict[str, Any] | None = None, seconds: float = TIME_LIMIT) -> Fund:
    """Return a fund of two rows that uses what the plugin offers."""
    registry = make_registry(("odd_one", _marked(plugin)))
    registry.time_limit = seconds
    content = {"fund": {"name": "test", "as_of": "2026-06-30"}, "constraints": ["odd"], **(settings or {})}
    return Fund.of(from_frames(content, {"assets": pd.DataFrame(ASSETS)}, registry), registry)


def _marked(plugin: object) -> object:
    from allocator.hooks import hookimpl

    for name, function in vars(plugin).items():
        setattr(plugin, name, hookimpl(function))
    return plugin


def term(**changes: Any) -> Term:
    given = {
        "name": "odd",
        "label": LABEL,
        "left": Linear.of([1.0, 0.0]),
        "sense": Sense.AT_MOST,
        "right": np.array([50.0]),
        "per": np.ones(1),
        "unit": "CNY",
        "source": Source("user"),
    }
    return Term(**{**given, **changes})


def raises(context: ModelContext, options: Any) -> Sequence[Term]:
    raise KeyError("esg")


def sleeps(context: ModelContext, options: Any) -> Sequence[Term]:
    time.sleep(30)
    return ()


def loops(context: ModelContext, options: Any) -> Sequence[Term]:
    while True:
        try:
            sum(range(1000))
        except Exception:  # noqa: S112
            continue


def writes_a_cell(context: ModelContext, options: Any) -> Sequence[Term]:
    context.inputs.assets.loc[0, "amount"] = -1.0
    return ()


def writes_a_column(context: ModelContext, options: Any) -> Sequence[Term]:
    context.inputs.assets["kind"] = "cash"
    return ()


def adds_a_column(context: ModelContext, options: Any) -> Sequence[Term]:
    context.inputs.assets["score"] = 1.0
    return ()


def writes_an_array(context: ModelContext, options: Any) -> Sequence[Term]:
    context.space.current[0] = -1.0
    return ()


def writes_through_numpy(context: ModelContext, options: Any) -> Sequence[Term]:
    context.inputs.assets["amount"].to_numpy()[0] = -1.0
    return ()


def writes_the_returns(context: ModelContext, options: Any) -> Sequence[Term]:
    context.expected_return[:] = 1.0
    return ()


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (raises, "KeyError.*esg"),
        (sleeps, "takes too long.*1 s.*time_limit"),
        (loops, "takes too long"),
        (writes_a_cell, r"changed what it was handed.*assets\.amount.*copy"),
        (writes_a_column, r"changed what it was handed.*assets\.kind"),
        (adds_a_column, r"changed what it was handed.*assets\.score"),
        (writes_an_array, "read-only"),
        (writes_through_numpy, "read-only"),
        (writes_the_returns, "read-only"),
        (lambda context, options: "nothing", "list or a tuple of Term"),
        (lambda context, options: [object()], "list or a tuple of Term"),
        (lambda context, options: [term(left=3.0)], "left is an Expression"),
        (lambda context, options: [term(right=np.zeros(2))], "one shape"),
        (lambda context, options: [term(right=np.array([np.nan]))], "numbers on both sides"),
        (lambda context, options: [term(left=Linear.of([np.nan, 0.0]))], "numbers on both sides"),
        (lambda context, options: [term(per=np.zeros(1))], "per is positive"),
        (lambda context, options: [term(rows=("one", "two"))], "a name for each of 1 rows"),
    ],
)
def test_what_a_rule_does_wrong_is_told_with_its_name(build: Callable[..., Any], told: str) -> None:
    book = fund(rule(build), seconds=1.0 if build in (sleeps, loops) else TIME_LIMIT)
    before = book.inputs.assets.copy(deep=True)
    current = book.space.current.copy()
    with pytest.raises(PluginError, match=f"(?s)odd_one, allocator_constraints, odd.build.*{told}"):
        _ = book.model
    pd.testing.assert_frame_equal(book.inputs.assets, before)
    np.testing.assert_array_equal(book.space.current, current)


def test_an_error_that_speaks_to_the_user_passes() -> None:
    def lacks(context: ModelContext, options: Any) -> Sequence[Term]:
        raise InputError(Problem(Text("no ESG score", "缺少 ESG 评分"), context.inputs.where("assets", 0, "esg")))

    with pytest.raises(InputError, match="row 1, column esg: no ESG score"):
        _ = fund(rule(lacks)).model


class Odd(Expression):
    """Fails in whichever method is asked for."""

    def __init__(self, failing: str) -> None:
        self.failing = failing

    def _do(self, name: str) -> None:
        if name == self.failing:
            raise ZeroDivisionError(name)

    def value(self, holdings: Any) -> Any:
        self._do("value")
        return holdings[:1]

    def convex(self, variable: Any, scale: float) -> Any:
        self._do("convex")
        return scale * variable[:1]

    def gradient(self, holdings: Any) -> Any:
        self._do("gradient")
        return sparse.csr_array([[1.0, 0.0]])

    def epigraph(self, sign: float) -> Any:
        self._do("epigraph")


@pytest.mark.parametrize("method", ["value", "convex"])
def test_an_expression_that_fails_when_solved_is_named(method: str) -> None:
    book = fund(rule(lambda context, options: [term(left=Odd(method))]))
    with pytest.raises(PluginError, match=f"odd_one.*odd.build, Odd, {method}.*ZeroDivisionError"):
        book.optimize()


def test_a_plugins_own_expression_solves_like_the_same_linear_one() -> None:
    own = fund(rule(lambda context, options: [term(left=Odd(""))])).optimize().value
    linear = fund(rule(lambda context, options: [term()])).optimize().value
    np.testing.assert_allclose(own.holdings, linear.holdings, atol=1e-6)


def models(hook: str, spec: type, build: Callable[..., Any]) -> SimpleNamespace:
    return SimpleNamespace(**{f"allocator_{hook}": lambda: [spec("odd", LABEL, NoOptions, build)]})


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (np.zeros(3), "array of 2 numbers.*got|got an array of shape"),
        ([0.0, 0.0], "array of 2 numbers"),
        (np.array([0.01, np.inf]), "inf in row 2"),
        (np.array(["a", "b"]), "array of 2 numbers"),
    ],
)
def test_returns_that_are_no_numbers_are_refused(result: Any, told: str) -> None:
    plugin = models("return_models", ReturnModelSpec, lambda inputs, options: result)
    with pytest.raises(PluginError, match=f"odd_one, allocator_return_models, odd.build.*({told})"):
        _ = fund(plugin, {"models": {"returns": "odd"}, "constraints": []}).context.expected_return


@pytest.mark.parametrize("hook", ["risk_models", "scenarios", "objectives", "tilts", "report_sections"])
def test_garbage_is_refused_whatever_the_hook(hook: str) -> None:
    source = Source("user")
    spec: Any = {
        "risk_models": lambda build: RiskModelSpec("odd", LABEL, NoOptions, build),
        "scenarios": lambda build: ScenarioSpec("odd", LABEL, NoOptions, build),
        "objectives": lambda build: ObjectiveSpec("odd", LABEL, "maximize", NoOptions, build),
        "tilts": lambda build: TiltSpec("odd", LABEL, NoOptions, build, source),
        "report_sections": lambda build: ReportSectionSpec("odd", LABEL, build),
    }[hook](lambda *given: {"not": "allowed"})
    book = fund(SimpleNamespace(**{f"allocator_{hook}": lambda: [spec]}), {"constraints": []})
    offered = getattr(book.registry, hook)["odd"]
    call = getattr(offered, "build", None) or getattr(offered, "score", None) or offered.tables
    with pytest.raises(PluginError, match=f"odd_one, allocator_{hook}, odd"):
        call(book.inputs, NoOptions())


def test_a_score_beyond_one_is_refused() -> None:
    spec = TiltSpec("odd", LABEL, NoOptions, lambda inputs, options: np.array([0.5, 1.5]), Source("user"))
    book = fund(SimpleNamespace(allocator_tilts=lambda: [spec]), {"constraints": []})
    with pytest.raises(PluginError, match="1.5 in row 2.*scores from 0 to 1"):
        book.registry.tilts["odd"].score(book.inputs, NoOptions())


def test_a_slow_hook_is_stopped_as_well() -> None:
    registry = Registry([("odd_one", _marked(SimpleNamespace(allocator_tilts=lambda: time.sleep(30))))], 0.2)
    with pytest.raises(PluginError, match="odd_one, allocator_tilts.*takes too long"):
        _ = registry.tilts


def test_time_in_another_plugins_call_does_not_count() -> None:
    inner, outer = Watch("inner", "b", 60.0), Watch("outer", "a", 1.0)

    def asks() -> str:
        inner.call(time.sleep, 1.5)
        return "done"

    assert outer.call(asks) == "done"
    with pytest.raises(PluginError, match="plugin outer"):
        outer.call(lambda: (inner.call(time.sleep, 0.01), time.sleep(5)))


def test_in_another_thread_a_slow_call_is_refused_when_it_returns() -> None:
    told: list[str] = []

    def work() -> None:
        try:
            Watch("odd_one", "somewhere", 0.05).call(time.sleep, 0.2)
        except PluginError as error:
            told.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "odd_one" in told[0]
    assert "0.05 s" in told[0]


def test_the_hosts_own_alarm_is_left_alone() -> None:
    rang: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rang.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.15)
        with pytest.raises(PluginError, match="takes too long"):
            Watch("odd_one", "somewhere", 0.05).call(time.sleep, 0.3)
        assert rang == [signal.SIGALRM]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def test_lending_a_million_rows_takes_no_copy() -> None:
    size = 1_000_000
    tables = LentTables({"assets": pd.DataFrame({"amount": np.zeros(size), "kind": pd.Series("cash", range(size))})})
    with tables.lending() as changes:
        lent = tables["assets"]
        assert np.may_share_memory(lent["amount"].to_numpy(), tables._frames["assets"]["amount"].to_numpy())
    assert changes == []


CHANGES: dict[str, Callable[[pd.DataFrame], object]] = {
    "a cell": lambda frame: frame.__setitem__("amount", frame["amount"] + 1),
    "text": lambda frame: frame.__setitem__("kind", "x"),
    "a flag": lambda frame: frame.isetitem(2, pd.array([False, True], dtype="boolean")),
    "a date": lambda frame: frame.__setitem__("day", pd.Timestamp("2020-01-01")),
    "a list": lambda frame: frame.isetitem(4, [("x",), ()]),
    "order": lambda frame: frame.sort_index(ascending=False, inplace=True),
    "a name": lambda frame: setattr(frame, "columns", ["a", "b", "c", "d", "e"]),
    "a column less": lambda frame: frame.pop("kind"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_every_kind_of_change_is_noticed_and_undone(change: str) -> None:
    frame = pd.DataFrame(
        {
            "amount": [1.0, 2.0],
            "kind": pd.Series(["a", "b"], dtype="str"),
            "flag": pd.array([True, None], dtype="boolean"),
            "day": pd.to_datetime(["2026-01-01", None]),
            "tags": pd.Series([("a",), ()], dtype=object),
        }
    )
    tables = LentTables({"assets": frame})
    before = tables["assets"].copy(deep=True)
    with tables.lending() as changes:
        CHANGES[change](tables["assets"])
    assert len(changes) == 1
    pd.testing.assert_frame_equal(tables["assets"], before)


def test_reading_is_no_change() -> None:
    tables = LentTables({"assets": pd.DataFrame(ASSETS)})
    with tables.lending() as changes:
        tables["assets"].groupby("kind")["amount"].sum()
        tables["assets"].sort_values("amount").assign(new=1)
    assert changes == []


def joins(join: Callable[[Any, Any, Scenarios], Any]) -> Fund:
    """Return a fund whose scenarios come from one source and are handed to the plugin's ``join``."""

    def build(inputs: Any, options: Any) -> Scenarios:
        return Scenarios(np.zeros((4, 2)), np.full(4, 0.25), LABEL, factors={"market": np.arange(4.0)})

    offered = [ScenarioSpec("first", LABEL, NoOptions, build), ScenarioSpec("then", LABEL, NoOptions, build, join)]
    plugin = SimpleNamespace(allocator_scenarios=lambda: offered)
    return fund(plugin, {"constraints": [], "models": {"scenarios": ["first", "then"]}})


def test_a_source_that_joins_others_is_watched_too() -> None:
    def wrong(inputs: Any, options: Any, base: Scenarios) -> Scenarios:
        return replace(base, factors={"market": np.zeros(3)})

    with pytest.raises(PluginError, match="odd_one") as caught:
        _ = joins(wrong).context.scenarios
    assert "market: a finite number for each of 4 scenarios" in str(caught.value)
    same = joins(lambda inputs, options, base: base).context.scenarios
    assert same.factors["market"].tolist() == [0.0, 1.0, 2.0, 3.0]
