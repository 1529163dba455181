"""Stress tests: scenarios of the rules and of the user, applied to assets, liabilities, actual and minimum capital.

The core knows how shocks are put together; what a shock moves, and which scenarios a rule prescribes, plugins say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from allocator.config.load import validate_options
from allocator.errors import InputError, Problem, Problems, did_you_mean
from allocator.model.position import CapitalPosition
from allocator.model.regime import Regime
from allocator.result.stress import StressOutcome, StressStudy
from allocator.rulebook.book import USER
from allocator.stress.shocks import Scenario, Shocked
from allocator.types import Text

if TYPE_CHECKING:
    from allocator.pipeline.fund import Fund

__all__ = [
    "capital_of",
    "outcome_of",
    "required_under",
    "scenario_named",
    "scenarios_of",
    "shock_fund",
    "stress",
    "stressed_fund",
]

_FIGURES = re.compile(r"[-+]?\d[\d,.]*")
"""Notes that differ in their figures alone say nothing new."""

_OWN_KEYS = ("label", "capital")
"""Keys of a scenario in the fund file that are no shocks."""


def stress(fund: Fund) -> StressStudy:
    """Return the fund's capital now and after every scenario that is in force or that the fund file states.

    Raises
    ------
    InputError
        For a fund without a regime, unknown scenarios or shocks, and data that a scenario of the user needs.
    """
    base = capital_of(fund)
    return StressStudy(base, tuple(outcome_of(fund, scenario) for scenario in scenarios_of(fund)), required_under(fund))


def required_under(fund: Fund) -> dict[tuple[str, str], float]:
    """Return scenario and ratio → what the fund file requires there (``capital.require_under``)."""
    capital = fund.settings.capital
    stated = {} if capital is None else capital.require_under
    return {(name, ratio): level for name, ratios in stated.items() for ratio, level in ratios.items()}


def capital_of(fund: Fund) -> CapitalPosition:
    """Return the capital of the current holdings; InputError for a fund without a solvency regime.

    Raises
    ------
    InputError
        For a fund without a solvency regime.
    """
    position = fund.position()
    if position is None:
        raise InputError(
            Problem(
                Text("a stress test needs a solvency regime", "压力测试需要偿付能力监管制度"),
                fund.settings.where("capital"),
                hint=Text("add a capital section", "请增加 capital 部分"),
            )
        )
    return position


def scenarios_of(fund: Fund, *, every: bool = False) -> tuple[Scenario, ...]:
    """Return the scenarios of plugins, then those of the fund file; ``stress.only`` picks some unless ``every``.

    What a plugin's scenario lacks the fund file may give under the scenario's own name.

    Parameters
    ----------
    fund : Fund
        The fund.
    every : bool
        Whether ``stress.only`` is passed over.

    Raises
    ------
    InputError
        For a name that a plugin has taken, and one in ``stress.only`` that there is not.
    """
    settings = fund.settings.stress
    prescribed = [spec.scenario(fund.inputs) for spec in fund.registry.stresses.values()]
    found = {item.name: item for item in prescribed if item is not None}
    for name, entry in settings.scenarios.items():
        offered = found.get(name)
        if name == "base" or (offered is not None and offered.missing is None):
            what = Text("this name is taken by a scenario that a plugin offers", "该名称已被插件提供的情景占用")
            raise InputError(Problem(what, fund.settings.where(f"stress.scenarios.{name}"), name))
        own = _own(fund, name, entry)
        found[name] = own if offered is None else _completed(offered, own)
    if settings.only is None or every:
        return tuple(found.values())
    for name in settings.only:
        if name not in found:
            raise InputError(_unknown(name, found, fund.settings.where("stress.only")))
    return tuple(found[name] for name in settings.only)


def scenario_named(fund: Fund, name: str, where: str) -> Scenario:
    """Return one scenario; InputError at ``where`` for a name that no plugin and no entry of the file has.

    Parameters
    ----------
    fund : Fund
        The fund.
    name : str
        Name of the scenario.
    where : str
        Place in the fund file, for the message.

    Raises
    ------
    InputError
        For a name that no plugin and no entry of the file has.
    """
    found = {item.name: item for item in scenarios_of(fund, every=True)}
    if name not in found:
        raise InputError(_unknown(name, found, fund.settings.where(where)))
    return found[name]


def _completed(offered: Scenario, own: Scenario) -> Scenario:
    """Return a scenario of the rules with the effect that the fund file gives."""
    given = Text(
        "the effect of this scenario is the fund file's, not computed here",
        "本情景的影响由组合文件给出，并非本程序计算",
    )
    return replace(offered, shocks=own.shocks, capital=own.capital, missing=None, notes=(*offered.notes, given))


def _unknown(name: str, known: Mapping[str, object], where: str) -> Problem:
    what = Text("no scenario has this name", "没有该名称的情景")
    return Problem(what, where, name, ", ".join(known) or "none", did_you_mean(name, known))


def _own(fund: Fund, name: str, entry: Mapping[str, Any]) -> Scenario:
    shocks = {key: value for key, value in entry.items() if key not in _OWN_KEYS}
    place = f"stress.scenarios.{name}"
    for key in shocks:
        if key not in fund.registry.shocks:
            known = (*fund.registry.shocks, *_OWN_KEYS)
            what = Text("no shock has this name", "没有该名称的冲击")
            where = fund.settings.where(f"{place}.{key}")
            raise InputError(Problem(what, where, key, ", ".join(known), did_you_mean(key, known)))
    label, capital = str(entry.get("label", name)), entry.get("capital", {})
    if not isinstance(capital, Mapping):
        what = Text("must hold options of the capital section", "应为 capital 部分的选项")
        raise InputError(Problem(what, fund.settings.where(f"{place}.capital"), str(capital)))
    return Scenario(name, Text(label, label), USER, shocks, capital)


def outcome_of(fund: Fund, scenario: Scenario, costs: float = 0.0) -> StressOutcome:
    """Return the fund after a scenario, and after ``costs`` (CNY) of trading to what it holds.

    Parameters
    ----------
    fund : Fund
        The fund.
    scenario : Scenario
        What happens.
    costs : float
        What trading to the present holdings cost, CNY.
    """
    if scenario.missing is not None:
        return StressOutcome(scenario, None, None, (*scenario.notes, scenario.missing))
    shocked = shock_fund(fund, scenario).given(-costs)
    after = stressed_fund(fund, shocked, scenario)
    position = capital_of(after)
    return StressOutcome(
        scenario, shocked, position, (*scenario.notes, *shocked.notes, *_new_notes(fund.regime, after.regime))
    )


def _new_notes(before: Regime | None, after: Regime | None) -> tuple[Text, ...]:
    """Return what the regime says of the stressed fund alone; what the scenario itself replaced needs no echo."""
    if before is None or after is None:
        return ()
    known = {_FIGURES.sub("", note.text.en) for note in before.notes()}
    return tuple(note.text for note in after.notes() if note.rule and _FIGURES.sub("", note.text.en) not in known)


def stressed_fund(fund: Fund, shocked: Shocked, scenario: Scenario) -> Fund:
    """Return the fund after the scenario, as new checked inputs.

    Parameters
    ----------
    fund : Fund
        Before.
    shocked : Shocked
        The fund's inputs after the shocks.
    scenario : Scenario
        Whose regime options hold.
    """
    return fund.with_inputs(shocked.stressed_inputs(scenario.capital))


def shock_fund(fund: Fund, scenario: Scenario, section: str = "stress.scenarios") -> Shocked:
    """Return the fund's inputs after the shocks of a scenario, one after the other.

    Parameters
    ----------
    fund : Fund
        The fund.
    scenario : Scenario
        What happens.
    section : str
        Where the fund file writes it, for messages.

    Raises
    ------
    InputError
        For options a shock does not know and data it lacks.
    """
    shocked = Shocked.untouched(fund.inputs)
    place = f"{section}.{scenario.name}"
    for name, given in scenario.shocks.items():
        spec = fund.registry.shocks.get(name)
        if spec is None:
            what = Text("no enabled plugin offers this shock", "没有已启用的插件提供该冲击")
            raise InputError(Problem(what, fund.settings.where(place), name, ", ".join(fund.registry.shocks)))
        options = given if isinstance(given, Mapping) else {"all": given}
        problems = Problems()
        shocked = spec.apply(
            shocked, validate_options(spec.options, options, fund.settings, f"{place}.{name}"), problems
        )
        problems.raise_if_any()
    return shocked
