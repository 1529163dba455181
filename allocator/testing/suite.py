"""Runs every check on one plugin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from allocator import hooks
from allocator.api import Fund
from allocator.errors import AllocatorError, InputError
from allocator.extension.registry import Registry, installed_plugins, load_registry
from allocator.pipeline.optimize import optimize
from allocator.result.result import Result
from allocator.testing.findings import Finding, Outcome
from allocator.testing.offers import OTHER_UNIT, Offers, check_offer
from allocator.testing.trial import Trial, trial_fund
from allocator.types import Table, Text

__all__ = ["assert_conforms", "conformance", "small_fund"]

SAME = 1e-6
"""Largest difference of two allocations that count as one, relative to the total amount."""


_NEEDED = Text("not tried: the small fund itself needs it", "未试用：小型组合本身需要该插件")


def assert_conforms(plugin: str | ModuleType, trial: Trial | None = None) -> None:
    """Try everything that a plugin offers.

    Parameters
    ----------
    plugin : str or module
        Name of an installed plugin, or the module that carries the hooks.
    trial : Trial or None
        Options, cells and settings to try it with.

    Raises
    ------
    AssertionError
        With every check that failed.
    """
    failed = [finding for finding in conformance(plugin, trial) if finding.outcome is Outcome.FAILED]
    lines = [f"{finding.check}: {finding.subject}: {finding.detail}" for finding in failed]
    assert not failed, "\n".join(["the plugin does not conform", *lines])


def conformance(plugin: str | ModuleType, trial: Trial | None = None) -> tuple[Finding, ...]:
    """Return what the suite finds of a plugin; parameters as for `assert_conforms`.

    Parameters
    ----------
    plugin : str or module
        Name of an installed plugin, or its module.
    trial : Trial or None
        Options and fund to try it with.

    Raises
    ------
    InputError
        When no such plugin is installed.
    PluginError
        When it cannot be loaded at all.
    """
    trial = trial or Trial()
    without = _without(plugin)
    name, registry = _enabled(plugin, trial.seconds)
    module = registry.manager.get_plugin(name)
    findings = [_api(name, registry), *_hooks(name, module, registry)]
    if any(finding.outcome is Outcome.FAILED for finding in findings):
        return tuple(findings)  # nothing below can be built
    try:
        offers = _offers(name, module, registry, trial)
    except AllocatorError as error:
        what = Text(error.render("en"), error.render("zh"))
        return (*findings, Finding("builds", name, Outcome.FAILED, what))
    for hook in registry.hooks_of(name):
        if hook != "allocator_tables":
            for spec in _specs(registry, hook, name):
                findings += check_offer(hook, spec, offers)
    if any(finding.outcome is Outcome.FAILED for finding in findings):
        return tuple(findings)  # fix these first: a run takes seconds
    return (*findings, *_run(name, registry, offers, without))


def small_fund(
    plugin: str | ModuleType,
    *,
    settings: Mapping[str, Any] | None = None,
    cells: Mapping[str, Sequence[Any]] | None = None,
) -> Fund:
    """Return the small fund with a plugin enabled, for a plugin's own tests.

    Parameters
    ----------
    plugin : str or module
        Name of an installed plugin, or the module that carries the hooks.
    settings : mapping
        Sections of the fund file in the place of the template's.
    cells : mapping
        ``"table.column"`` → cells, repeated as needed; the plugin's other columns hold plausible values.

    Raises
    ------
    InputError
        As `allocator.load` does.
    """
    trial = Trial(settings=settings or {}, cells=cells or {})
    name, registry = _enabled(plugin, trial.seconds)
    return trial_fund(registry, trial, _own_tables(name, registry.manager.get_plugin(name), registry))


def _enabled(plugin: str | ModuleType, seconds: float) -> tuple[str, Registry]:
    if isinstance(plugin, str):
        return plugin, load_registry(enable=[plugin], time_limit=seconds)
    others = load_registry().manager.list_name_plugin()
    name = plugin.__name__
    return name, Registry([*others, (name, plugin)], seconds)


def _api(name: str, registry: Registry) -> Finding:
    if registry.requires_api(name) is not None:
        return Finding("api", name)
    line = f'requires_api = "{hooks.API_VERSION}"'
    what = Text(f"it does not say: add {line} to the module", f"未声明：请在模块中加入 {line}")
    return Finding("api", name, Outcome.NOTED, what)


def _hooks(name: str, module: Any, registry: Registry) -> Iterator[Finding]:
    for hook in hooks.HOOKS:
        function = getattr(module, hook, None)
        if function is None:
            continue
        wrong = _hook_fault(hook, function, name, registry)
        yield Finding("hooks", hook, Outcome.FAILED if wrong else Outcome.PASSED, wrong)


def _hook_fault(hook: str, function: Any, name: str, registry: Registry) -> Text | None:
    if not hasattr(function, f"{hooks.GROUP}_impl"):
        return Text("not marked: write @hookimpl above it", "未标记：请在其上方写 @hookimpl")
    try:
        offered = [[item.name for item in registry.offered(hook, name)] for _ in range(2)]
        if hook == "allocator_tables":
            _ = registry.tables
        else:
            _specs(registry, hook, name)
    except AllocatorError as error:
        return Text(error.render("en"), error.render("zh"))
    return None if offered[0] == offered[1] else Text("it offers other names the second time", "两次提供的名称不同")


def _specs(registry: Registry, hook: str, name: str) -> list[Any]:
    known = registry.offers(hook)
    return [spec for label, spec in known.items() if registry.owner(hook, label) == name]


def _offers(name: str, module: Any, registry: Registry, trial: Trial) -> Offers:
    own = _own_tables(name, module, registry)
    fund = trial_fund(registry, trial, own)
    bare = trial_fund(registry, Trial(settings=trial.settings)) if own else None
    return Offers(fund, trial_fund(registry, trial, own, OTHER_UNIT), bare, trial, own)


def _own_tables(name: str, module: Any, registry: Registry) -> tuple[Table, ...]:
    """The tables whose cells the suite makes up: the template has cells for what the library's own declare."""
    if name in load_registry().names or not hasattr(module, "allocator_tables"):
        return ()
    return tuple(registry.offered("allocator_tables", name))


def _without(plugin: str | ModuleType) -> Result | None:
    """Run the fund without the plugin, before anything of it is called or loaded: what it changes is as it was.

    None where the small fund needs the plugin, or there is no such plugin.
    """
    if isinstance(plugin, str) and plugin not in {info.name for info in installed_plugins()}:
        return None
    others = [(name, module) for name, module in load_registry().manager.list_name_plugin() if name != plugin]
    try:
        return _optimized(tuple(others))
    except InputError:
        return None


def _run(name: str, registry: Registry, offers: Offers, without: Result | None) -> Iterator[Finding]:
    """Run the fund with the plugin, compare with the run without it, and show its sections of the report."""
    if without is None:
        yield Finding("disabled", name, Outcome.NOTED, _NEEDED)
    try:
        result = _with_plugin(registry, offers)
    except AllocatorError as error:
        yield Finding("disabled", name, Outcome.FAILED, Text(error.render("en"), error.render("zh")))
        return
    if without is not None and (without.regime is None) is not (result.regime is None):
        yield Finding("disabled", name, Outcome.NOTED, _NEEDED)
    elif without is not None:
        same = np.allclose(result.holdings, without.holdings, rtol=0.0, atol=SAME * result.model.space.total)
        wrong = None if same else Text("the allocation differs although nothing uses it", "未使用该插件但配置结果改变")
        yield Finding("disabled", name, Outcome.PASSED if same else Outcome.FAILED, wrong)
    yield from _sections(name, registry, result)


def _with_plugin(registry: Registry, offers: Offers) -> Result:
    if not offers.own:
        return _optimized(tuple(registry.manager.list_name_plugin()))
    if offers.trial.settings:
        return optimize(trial_fund(registry, replace(offers.trial, settings={}), offers.own))
    return optimize(offers.fund)


@lru_cache(maxsize=2)
def _optimized(plugins: tuple[tuple[str, Any], ...]) -> Result:
    return optimize(trial_fund(Registry(plugins), Trial()))


def _sections(name: str, registry: Registry, result: Result) -> Iterator[Finding]:
    for spec in _specs(registry, "allocator_report_sections", name):
        try:
            spec.tables(result)
        except AllocatorError as error:
            yield Finding("builds", spec.name, Outcome.FAILED, Text(error.render("en"), error.render("zh")))
        else:
            yield Finding("builds", spec.name)
