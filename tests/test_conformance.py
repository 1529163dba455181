"""Every first-party plugin keeps what the conformance suite asks of any plugin; a plugin that does not is found out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel
from scipy import sparse

from allocator import hooks
from allocator.config.settings import Section
from allocator.errors import InputError, Problem
from allocator.extension.registry import load_registry
from allocator.hooks import hookimpl
from allocator.model import (
    ConstraintSpec,
    Expression,
    Linear,
    Objective,
    ObjectiveSpec,
    ObjectiveTerm,
    Quadratic,
    ReturnModelSpec,
    Sense,
    Term,
    TiltSpec,
)
from allocator.pipeline.fund import Fund
from allocator.pipeline.optimize import optimize
from allocator.result.tables import ReportSectionSpec
from allocator.testing import CHECKS, Finding, Outcome, Trial, assert_conforms, conformance, small_fund
from allocator.types import Column, Measure, Source, Table, Text

ROOT = Path(__file__).resolve().parent.parent
FORECAST = {
    "new_premiums": 5,
    "renewal_premiums": 5,
    "surrenders": 2,
    "other_outflows": 1,
    "new_premiums_last_year": 5,
    "surrender_value": 60,
}
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "dv01_gap": {"max": "50%"},
    "key_rate_durations": {"max": 5},
    "comprehensive_yield_coverage": {"cost": 2, "cost_history": [2] * 4, "income_history": [3] * 4},
    "net_yield_coverage": {"cost": 2, "cost_history": [2] * 2, "income_history": [3] * 2},
    "limit": {"rule": 'sum(amount where kind == "listed_stock") <= 30% of total_assets'},
    "trade_size": {"max": "10%"},
    "group_turnover": {"max": "30%"},
    "allocator_scenarios.technology": {"market": "CSI300", "paths": 500},
    "tech_bond_tenor": {"blank": "skip"},
    "allocator_constraints.expected_return": {"min": "1%"},
    "volatility": {"max": "10%"},
    "turnover": {"max": "50%"},
    "leverage": {"borrowed": 1},
    "single_entity": {"blank": "skip"},
    "share_capital": {"blank": "skip"},
    "fund_size": {"blank": "skip"},
    "venture_conditions": {"blank": "skip"},
    "liquidity_coverage": {"months_3": FORECAST, "months_12": FORECAST},
    "sale_limit": {"max": "50%"},
}
MONEY = frozenset({"borrowed", "cost", "cost_history", "income_history", *FORECAST})
CELLS = {
    "assets.default_rate": ["0.1%"],
    "assets.loss_severity": ["60%"],
}
"""What the small fund leaves open and the offers of first-party plugins ask for."""


@pytest.mark.parametrize("plugin", load_registry().names)
def test_a_first_party_plugin_conforms(plugin: str) -> None:
    findings = conformance(plugin, Trial(options=OPTIONS, money=MONEY, cells=CELLS))
    assert [finding for finding in findings if finding.outcome is Outcome.FAILED] == []
    assert {finding.check for finding in findings} <= set(CHECKS)
    assert Finding("api", plugin) in findings
    tried = {finding.subject for finding in findings if finding.check == "hooks"}
    assert tried == set(load_registry().hooks_of(plugin))


def test_every_hook_has_a_first_party_user_that_the_suite_tries_and_a_page() -> None:
    registry = load_registry()
    used = {hook for plugin in registry.names for hook in registry.hooks_of(plugin)}
    assert used == set(hooks.HOOKS)
    for hook in hooks.HOOKS:
        assert (ROOT / "docs" / "hooks" / f"{hook}.md").is_file()


class NoOptions(Section):
    """No keys."""


class LooseOptions(BaseModel):
    """Accepts anything."""


LABEL = Text("A rule", "一条规则")


def rule(left: Callable[[int], Expression], sense: Sense = Sense.AT_MOST, **changes: Any) -> Callable[..., list[Term]]:
    """Return the build function of a one-row rule with this left side."""

    def build(context: Any, options: Any) -> list[Term]:
        right = np.array([context.space.total])
        term = Term("odd", LABEL, left(context.space.size), sense, right, right, "share", Source("user"))
        return [replace(term, **changes)]

    return build


def in_units_of_the_file(context: Any, options: Any) -> list[Term]:
    """A rule that takes a limit of 100 units of the file for CNY."""
    (term,) = rule(lambda size: Linear.of(np.ones(size)))(context, options)
    return [replace(term, per=np.array([100.0 * context.inputs.unit]))]


def plugin(*specs: Any, **attributes: Any) -> ModuleType:
    """Return a module that offers these rules."""
    module = ModuleType("odd_one")
    module.__dict__.update({"requires_api": "1", "allocator_constraints": hookimpl(lambda: list(specs)), **attributes})
    return module


def offer(build: Callable[..., Any], options: type[BaseModel] = NoOptions, name: str = "odd") -> ConstraintSpec:
    return ConstraintSpec(name, LABEL, options, build)


def failed(module: ModuleType, trial: Trial | None = None) -> set[tuple[str, str]]:
    found = conformance(module, trial)
    return {(finding.check, finding.subject) for finding in found if finding.outcome is Outcome.FAILED}


class Wrong(Expression):
    """Σ x², with one of its three faces wrong."""

    def __init__(self, wrong: str) -> None:
        self.wrong = wrong

    def value(self, holdings: Any) -> Any:
        return np.array([holdings @ holdings + (1e-3 * holdings @ holdings if self.wrong == "value" else 0.0)])

    def convex(self, variable: Any, scale: float) -> Any:
        import cvxpy as cp

        if self.wrong == "convex":
            return cp.reshape(cp.sqrt(cp.sum(variable)), (1,), order="C")
        return cp.reshape(cp.sum_squares(scale * variable), (1,), order="C")

    def gradient(self, holdings: Any) -> Any:
        return sparse.csr_array(np.atleast_2d((1.0 if self.wrong == "gradient" else 2.0) * holdings))


def test_a_sound_rule_conforms() -> None:
    assert failed(plugin(offer(rule(lambda size: Wrong(""))))) == set()
    assert_conforms(plugin(offer(rule(lambda size: Linear.of(np.ones(size))))))


RULES: list[tuple[Callable[..., Any], str]] = [
    (rule(lambda size: Quadratic(np.zeros((0, size)), np.ones(size)), Sense.AT_LEAST), "convexity"),
    (rule(lambda size: Quadratic(np.zeros((0, size)), np.ones(size)), Sense.EQUAL), "convexity"),
    (rule(lambda size: Wrong("convex")), "convexity"),
    (rule(lambda size: Wrong("value")), "agreement"),
    (rule(lambda size: Wrong("gradient")), "gradient"),
    (rule(lambda size: Linear.of(np.ones(size)), unit=""), "specification"),
    (rule(lambda size: Linear.of(np.ones(size)), source=Source("")), "specification"),
    (in_units_of_the_file, "units"),
    (lambda context, options: context.inputs.assets.pop("kind"), "builds"),
]


@pytest.mark.parametrize(("build", "check"), RULES)
def test_a_rule_that_breaks_a_promise_is_found_out(build: Callable[..., Any], check: str) -> None:
    assert check in {name for name, _ in failed(plugin(offer(build)))}


def test_a_slow_rule_is_found_out() -> None:
    found = conformance(plugin(offer(lambda context, options: time.sleep(60))), Trial(seconds=3.0))
    (slow,) = [finding for finding in found if finding.outcome is Outcome.FAILED and finding.check == "builds"]
    assert "takes too long" in str(slow.detail)


def test_loose_options_and_bad_names_are_found_out() -> None:
    sound = rule(lambda size: Linear.of(np.ones(size)))
    found = failed(plugin(offer(sound, LooseOptions), offer(sound, name="Odd-Two")))
    assert {("specification", "odd"), ("specification", "Odd-Two"), ("errors", "odd")} <= found


def test_a_hook_without_its_mark_is_found_out() -> None:
    assert failed(plugin(allocator_tilts=lambda: [])) == {("hooks", "allocator_tilts")}


def by_calls(*answers: Any) -> Callable[[], Any]:
    """Return a hook that gives these answers one after the other, the last one ever after."""
    left = list(answers)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def other_each_time(inputs: Any, options: Any, asked: list[float] = [0.0]) -> Any:  # noqa: B006
    """A model that says something else each time it is asked."""
    asked[0] += 0.01
    return np.full(len(inputs.assets), asked[0])


def half(inputs: Any, options: Any) -> Any:
    return np.full(len(inputs.assets), 0.5)


def in_money(inputs: Any, options: Any) -> Any:
    """A return that takes an amount of CNY for one in units of the file."""
    return 0.01 * np.nan_to_num(inputs.assets["amount"].to_numpy(dtype=float)) / inputs.unit / 1e4


def objective(left: Callable[[int], Expression]) -> ObjectiveSpec:
    def build(context: Any, options: Any) -> Objective:
        return Objective((ObjectiveTerm("odd_part", LABEL, left(context.space.size)),))

    return ObjectiveSpec("odd_aim", LABEL, "maximize", NoOptions, build)


SOUND = rule(lambda size: Linear.of(np.ones(size)))


OFFERS: list[tuple[str, Callable[[], Any], str]] = [
    ("allocator_constraints", by_calls([offer(SOUND)], [offer(SOUND, name="other")]), "hooks"),
    ("allocator_constraints", by_calls(["no specification"]), "hooks"),
    ("allocator_constraints", lambda: 1 / 0, "hooks"),
    ("allocator_objectives", lambda: [objective(lambda size: Wrong(""))], "convexity"),
    ("allocator_return_models", lambda: [ReturnModelSpec("odd", LABEL, NoOptions, other_each_time)], "builds"),
    ("allocator_return_models", lambda: [ReturnModelSpec("odd", LABEL, NoOptions, in_money)], "units"),
    ("allocator_return_models", lambda: [ReturnModelSpec("odd", "A model", NoOptions, in_money)], "hooks"),
    ("allocator_tilts", lambda: [TiltSpec("odd", LABEL, NoOptions, half, Source(""))], "specification"),
    ("allocator_tilts", lambda: [TiltSpec("odd", LABEL, NoOptions, other_each_time, Source("user"))], "builds"),
    ("allocator_report_sections", lambda: [ReportSectionSpec("odd", LABEL, lambda result: [1 / 0])], "builds"),
]


@pytest.mark.parametrize(("hook", "answer", "check"), OFFERS)
def test_an_offer_of_any_kind_that_breaks_a_promise_is_found_out(
    hook: str, answer: Callable[[], Any], check: str
) -> None:
    found = failed(plugin(**{hook: hookimpl(lambda: answer())}))
    assert check in {name for name, _ in found}


def test_a_plugin_that_changes_what_does_not_use_it_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It lays hands on the library when its hook is first called, and leaves them there."""

    def tilted(fund: Fund) -> Any:
        result = optimize(fund)
        moved = result.holdings.copy()
        moved[:2] += np.array([1e-5, -1e-5]) * moved.sum()
        return replace(result, solution=replace(result.solution, holdings=moved))

    def meddling() -> list[Any]:
        monkeypatch.setattr("allocator.testing.suite.optimize", tilted)
        return []

    assert failed(plugin(allocator_constraints=hookimpl(meddling))) == {("disabled", "odd_one")}


def test_every_check_is_shown_to_find_an_offender() -> None:
    """Whoever adds a check adds a plugin that it finds out; the two last have tests of their own, ``api`` notes."""
    shown = {check for *_, check in (*RULES, *OFFERS)}
    assert shown | {"errors", "disabled", "api"} == set(CHECKS)


def test_a_module_that_does_not_say_its_version_is_noted() -> None:
    module = plugin()
    del module.requires_api
    (finding,) = [finding for finding in conformance(module) if finding.check == "api"]
    assert finding.outcome is Outcome.NOTED
    assert 'requires_api = "1"' in str(finding.detail)


OWN = (Table("assets", (Column("odd_score", Measure.RATE, Text("A score", "评分"), minimum=0.0, maximum=1.0),)),)


@pytest.mark.parametrize("located", [True, False])
def test_missing_cells_must_be_told_with_their_place(located: bool) -> None:
    def score(inputs: Any, options: Any) -> Any:
        if inputs.assets["odd_score"].isna().any():
            where = inputs.where("assets", 0, "odd_score") if located else ""
            raise InputError(Problem(Text("a score is missing", "缺少评分"), where))
        return inputs.assets["odd_score"].to_numpy()

    spec = TiltSpec("odd_tilt", LABEL, NoOptions, score, Source("user"))
    module = plugin(allocator_tables=hookimpl(lambda: OWN), allocator_tilts=hookimpl(lambda: [spec]))
    assert failed(module) == (set() if located else {("errors", "odd_tilt")})


def test_the_small_fund_takes_settings_and_cells() -> None:
    module = plugin(allocator_tables=hookimpl(lambda: OWN))
    assert small_fund(module).inputs.assets["odd_score"].between(0.0, 1.0).all()
    given = small_fund(module, cells={"assets.odd_score": ["25%", ""]}, settings={"language": "zh"})
    assert given.inputs.assets["odd_score"][:2].tolist()[0] == 0.25
    assert given.settings.language == "zh"


def test_an_assertion_names_what_failed() -> None:
    with pytest.raises(AssertionError, match="gradient: odd: along a random direction"):
        assert_conforms(plugin(offer(rule(lambda size: Wrong("gradient")))))
