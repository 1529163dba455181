"""The plugin manager: finds, loads in sorted order, enables, and checks what every hook returns.

Plugins are entry points in group ``allocator``. First-party ones (of this distribution) are enabled unless
the fund file disables them; any other loads only when ``plugins.enable`` names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, distributions
from typing import TYPE_CHECKING, Any

import pluggy

from allocator import hooks
from allocator.config.settings import TIME_LIMIT
from allocator.errors import InputError, PluginError, Problem, did_you_mean
from allocator.extension.contracts import CONTRACTS
from allocator.extension.fingerprints import check_pin
from allocator.extension.isolation import Watch, broken
from allocator.types import AssetKind, Column, Table, Text

if TYPE_CHECKING:
    from allocator.config.settings import PluginSettings
    from allocator.hooks import CommandSpec
    from allocator.model.models import ReturnModelSpec, RiskModelSpec, ScenarioSpec
    from allocator.model.regime import RegimeSpec
    from allocator.model.specs import ConstraintSpec, ObjectiveSpec
    from allocator.model.tilts import TiltSpec
    from allocator.result.tables import ReportSectionSpec
    from allocator.stress.commitments import CommitmentSpec
    from allocator.stress.shocks import ShockSpec, StressSpec

__all__ = ["PluginInfo", "Registry", "enabled_plugins", "installed_plugins", "load_registry"]

DISTRIBUTION = "allocator-insurance"


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One installed plugin: its name, module, distribution, version and whether it is first-party."""

    name: str
    module: str
    distribution: str
    version: str
    first_party: bool
    entry_point: EntryPoint


def installed_plugins() -> tuple[PluginInfo, ...]:
    """Return all plugins installed, sorted by name; two of one name are an error.

    Raises
    ------
    PluginError
        When two distributions register the same plugin name.
    """
    found: dict[str, PluginInfo] = {}
    for distribution in distributions():
        entries = [entry for entry in distribution.entry_points if entry.group == hooks.GROUP]
        if not entries:
            continue
        # Reading a distribution's metadata is slow: once, and only of those that have plugins.
        name, version = distribution.metadata["Name"], distribution.version
        for entry in entries:
            info = PluginInfo(entry.name, entry.value, name, version, name == DISTRIBUTION, entry)
            other = found.setdefault(entry.name, info)
            if other.distribution != info.distribution:
                raise PluginError(
                    Problem(
                        Text("two distributions register one plugin name", "两个发行包注册了同名插件"),
                        f"plugin {entry.name}",
                        f"{other.distribution} and {info.distribution}",
                        hint=Text("uninstall one of them", "请卸载其中一个"),
                    )
                )
    return tuple(found[name] for name in sorted(found))


class Registry:
    """The enabled plugins and everything they offer, by name.

    Parameters
    ----------
    plugins : iterable of (str, object)
        Plugin name and module (or object) carrying hook implementations.
    time_limit : float
        Seconds that one call into a plugin may take.

    Raises
    ------
    PluginError
        When a plugin was written for another version of the hooks, or declares one that does not exist.
    """

    def __init__(self, plugins: Iterable[tuple[str, object]], time_limit: float = TIME_LIMIT) -> None:
        self.time_limit = time_limit
        self.manager = pluggy.PluginManager(hooks.GROUP)
        self.manager.add_hookspecs(hooks)
        self._owners: dict[tuple[str, str], str] = {}
        for name, plugin in sorted(plugins, key=lambda pair: pair[0]):
            _check_api(name, plugin)
            try:
                self.manager.register(plugin, name=name)
                self.manager.check_pending()
            except (ValueError, pluggy.PluginValidationError) as error:
                raise broken(name, "registration", str(error)) from error

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the enabled plugins, sorted."""
        return tuple(sorted(name for name, _ in self.manager.list_name_plugin()))

    def hooks_of(self, plugin: str) -> tuple[str, ...]:
        """Return the hooks a plugin implements."""
        module = self.manager.get_plugin(plugin)
        callers = self.manager.get_hookcallers(module) if module is not None else None
        return tuple(sorted(caller.name for caller in callers or ()))

    def requires_api(self, plugin: str) -> str | None:
        """Return the version of the hooks that a plugin says it was written for."""
        return getattr(self.manager.get_plugin(plugin), "requires_api", None)

    def owner(self, hook: str, name: str) -> str:
        """Return which plugin offers ``name`` through ``hook``."""
        if (hook, name) not in self._owners:
            self._collect(hook)
        return self._owners[hook, name]

    def watch(self, hook: str, name: str, *parts: str) -> Watch:
        """Return the watch over whatever ``name`` does, for calls that no specification makes itself."""
        return Watch(self.owner(hook, name), ", ".join((hook, *parts)), self.time_limit)

    @cached_property
    def kinds(self) -> Mapping[str, AssetKind]:
        """Asset kinds by name."""
        return self._collect("allocator_asset_kinds")

    @cached_property
    def regimes(self) -> Mapping[str, RegimeSpec]:
        """Regimes by name."""
        return self._collect("allocator_regimes")

    @cached_property
    def constraints(self) -> Mapping[str, ConstraintSpec]:
        """Constraint terms by name."""
        return self._collect("allocator_constraints")

    @cached_property
    def objectives(self) -> Mapping[str, ObjectiveSpec]:
        """Objectives by name."""
        return self._collect("allocator_objectives")

    @cached_property
    def tilts(self) -> Mapping[str, TiltSpec]:
        """Tilts by name."""
        return self._collect("allocator_tilts")

    @cached_property
    def return_models(self) -> Mapping[str, ReturnModelSpec]:
        """Return models by name."""
        return self._collect("allocator_return_models")

    @cached_property
    def risk_models(self) -> Mapping[str, RiskModelSpec]:
        """Risk models by name."""
        return self._collect("allocator_risk_models")

    @cached_property
    def scenarios(self) -> Mapping[str, ScenarioSpec]:
        """Scenario sources by name."""
        return self._collect("allocator_scenarios")

    @cached_property
    def shocks(self) -> Mapping[str, ShockSpec]:
        """Shocks by name."""
        return self._collect("allocator_shocks")

    @cached_property
    def stresses(self) -> Mapping[str, StressSpec]:
        """Stress scenarios that plugins offer, by name."""
        return self._collect("allocator_stresses")

    @cached_property
    def commitments(self) -> Mapping[str, CommitmentSpec]:
        """Projections of committed funds, by name."""
        return self._collect("allocator_commitments")

    @cached_property
    def report_sections(self) -> Mapping[str, ReportSectionSpec]:
        """Report sections by name."""
        return self._collect("allocator_report_sections")

    @cached_property
    def commands(self) -> Mapping[str, CommandSpec]:
        """Commands by name."""
        return self._collect("allocator_commands")

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """Tables by name, with the columns of all plugins merged."""
        merged: dict[str, Table] = {}
        for plugin, tables in self._call("allocator_tables"):
            for table in tables:
                merged[table.name] = _merge(plugin, merged.get(table.name), table)
        return merged

    def offers(self, hook: str) -> Mapping[str, Any]:
        """Return what the enabled plugins offer through a hook, by name; `tables` merges tables instead."""
        return self._collect(hook)

    def offered(self, hook: str, plugin: str) -> Sequence[Any]:
        """Return what one plugin's hook returns, checked; empty when it has no such hook."""
        implementation = getattr(self.manager.get_plugin(plugin), hook, None)
        if implementation is None:
            return ()
        watch = Watch(plugin, hook, self.time_limit)
        offered = watch.call(implementation)
        if offered is None:
            return ()
        if not isinstance(offered, (list, tuple)):
            raise watch.refuse(offered, "a list or a tuple")
        kind = CONTRACTS[hook].kind
        for item in offered:
            label = getattr(item, "name", None)
            if not isinstance(item, kind) or not isinstance(label, str) or not label:
                raise watch.refuse(item, f"each a {kind.__name__} with a name")
            for words in ("label", "title", "help"):
                if hasattr(item, words) and not isinstance(getattr(item, words), Text):
                    raise watch.refuse(getattr(item, words), f"{label}: {words} is a Text, in both languages")
        return offered

    def _call(self, hook: str) -> list[tuple[str, Sequence[Any]]]:
        return [(name, self.offered(hook, name)) for name in self.names]

    def _collect(self, hook: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for plugin, offered in self._call(hook):
            for item in offered:
                if item.name in found:
                    other = self._owners[hook, item.name]
                    raise broken(plugin, hook, item.name, f"a name that plugin {other} does not use already")
                found[item.name] = CONTRACTS[hook].watched(item, Watch(plugin, hook, self.time_limit))
                self._owners[hook, item.name] = plugin
        return found


def load_registry(
    enable: Sequence[str] = (),
    disable: Sequence[str] = (),
    time_limit: float = TIME_LIMIT,
    pin: Mapping[str, str] | None = None,
) -> Registry:
    """Load the first-party plugins except ``disable`` and the third-party ones in ``enable``.

    One call into a plugin may take ``time_limit`` seconds; ``pin`` holds the files of some to a hash.

    Raises
    ------
    InputError
        When a name is not installed.
    PluginError
        When a plugin cannot be imported, has other files than pinned, or breaks a hook's contract.
    """
    installed = {info.name: info for info in installed_plugins()}
    pins = pin or {}
    for key, names in (("plugins.enable", enable), ("plugins.disable", disable), ("plugins.pin", tuple(pins))):
        for name in names:
            if name not in installed:
                raise InputError(
                    Problem(
                        Text("no such plugin is installed", "未安装该插件"),
                        key,
                        name,
                        ", ".join(installed) or "none",
                        did_you_mean(name, installed),
                    )
                )
    chosen = [info for info in installed.values() if (info.first_party or info.name in enable)]
    loaded = []
    for info in chosen:
        if info.name in disable:
            continue
        if info.name in pins:
            check_pin(info.name, info.module, info.entry_point.dist, pins[info.name])
        try:
            loaded.append((info.name, info.entry_point.load()))
        except Exception as error:
            raise broken(info.name, "import", f"{type(error).__name__}: {error}") from error
    return Registry(loaded, time_limit)


def enabled_plugins(settings: PluginSettings) -> Registry:
    """Return the registry that the section ``plugins:`` of a fund file asks for; raises as `load_registry`."""
    return load_registry(settings.enable, settings.disable, settings.time_limit, settings.pin)


def _merge(plugin: str, known: Table | None, added: Table) -> Table:
    if known is None:
        return added
    columns: dict[str, Column] = {column.name: column for column in known.columns}
    for column in added.columns:
        if columns.setdefault(column.name, column) != column:
            raise broken(
                plugin, "allocator_tables", f"column {added.name}.{column.name}", "one declaration of a column"
            )
    return Table(
        known.name,
        tuple(columns.values()),
        known.key or added.key,
        known.open or added.open,
        {**known.references, **added.references},
    )


def _check_api(name: str, plugin: object) -> None:
    """A plugin written for other hooks must not run by half; one that does not say is taken at its word."""
    wanted = getattr(plugin, "requires_api", None)
    if wanted is not None and wanted != hooks.API_VERSION:
        raise PluginError(
            Problem(
                Text("the plugin was written for another version of the hooks", "插件所需的钩子接口版本不符"),
                f"plugin {name}, requires_api",
                repr(wanted),
                repr(hooks.API_VERSION),
                Text("install a release of the plugin for this version", "请安装适配该版本的插件"),
            )
        )
