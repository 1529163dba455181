"""The plugin manager: who loads, in which order, and what a broken plugin is told."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from allocator.errors import InputError, PluginError
from allocator.extension.registry import Registry, load_registry
from allocator.hooks import hookimpl
from allocator.types import AssetKind, Column, Measure, Table, Text

GOLD = AssetKind("gold", Text("Gold", "黄金"), "commodity")


def plugin(**hooks: object) -> object:
    module = SimpleNamespace()
    for name, returned in hooks.items():

        def implementation(returned: object = returned) -> object:
            if isinstance(returned, Exception):
                raise returned
            return returned

        implementation.__name__ = name
        # pluggy reads parameters: none are declared by the specification.
        setattr(module, name, hookimpl(lambda returned=returned, call=implementation: call(returned)))
    return module


def test_first_party_plugins_load_in_sorted_order() -> None:
    names = load_registry().names
    assert names == tuple(sorted(names))
    assert "essentials" in names


def test_disabled_plugin_is_not_loaded() -> None:
    assert "tech_bonds" not in load_registry(disable=["tech_bonds"]).names


def test_unknown_plugin_is_named_with_the_nearest() -> None:
    with pytest.raises(InputError, match="tech_bond.*did you mean 'tech_bonds'"):
        load_registry(enable=["tech_bond"])


def test_kinds_are_found_by_name() -> None:
    registry = Registry([("metals", plugin(allocator_asset_kinds=[GOLD]))])
    assert registry.kinds == {"gold": GOLD}
    assert registry.owner("allocator_asset_kinds", "gold") == "metals"
    assert registry.hooks_of("metals") == ("allocator_asset_kinds",)


def test_two_plugins_may_not_offer_one_name() -> None:
    twice = [(name, plugin(allocator_asset_kinds=[GOLD])) for name in ("a_metals", "b_metals")]
    with pytest.raises(PluginError, match="b_metals.*gold.*a_metals"):
        _ = Registry(twice).kinds


@pytest.mark.parametrize(
    ("returned", "told"),
    [("gold", "a list or a tuple"), ([object()], "with a name"), (RuntimeError("no file"), "no file")],
)
def test_a_broken_plugin_is_named_with_hook_and_what_it_returned(returned: object, told: str) -> None:
    registry = Registry([("metals", plugin(allocator_asset_kinds=returned))])
    with pytest.raises(PluginError, match=rf"metals, allocator_asset_kinds.*{told}"):
        _ = registry.kinds


def test_nothing_offered_is_allowed() -> None:
    assert Registry([("metals", plugin(allocator_asset_kinds=None))]).kinds == {}


def test_a_misspelt_hook_is_refused_on_loading() -> None:
    with pytest.raises(PluginError, match="allocator_asset_kind"):
        Registry([("metals", plugin(allocator_asset_kind=[GOLD]))])


def test_columns_of_several_plugins_are_merged() -> None:
    first = Table("assets", (Column("face", Measure.MONEY, Text("Face", "面值")),), key=("asset_id",))
    second = Table("assets", (Column("green", Measure.FLAG, Text("Green", "绿色")),), open=True)
    table = Registry([("a", plugin(allocator_tables=[first])), ("b", plugin(allocator_tables=[second]))]).tables[
        "assets"
    ]
    assert [column.name for column in table.columns] == ["face", "green"]
    assert table.key == ("asset_id",)
    assert table.open


def test_one_column_declared_in_two_ways_is_refused() -> None:
    first = Table("assets", (Column("face", Measure.MONEY, Text("Face", "面值")),))
    second = Table("assets", (Column("face", Measure.NUMBER, Text("Face", "面值")),))
    with pytest.raises(PluginError, match="assets.face"):
        _ = Registry([("a", plugin(allocator_tables=[first])), ("b", plugin(allocator_tables=[second]))]).tables


@pytest.mark.parametrize("wanted", ["0", "2", 1])
def test_a_plugin_for_other_hooks_is_refused(wanted: object) -> None:
    module = plugin(allocator_asset_kinds=[GOLD])
    module.requires_api = wanted  # type: ignore[attr-defined]
    with pytest.raises(PluginError, match=f"metals, requires_api: .*another version.*{wanted}.*allowed '1'"):
        Registry([("metals", module)])


def test_a_plugin_for_these_hooks_and_one_that_does_not_say_load() -> None:
    one, other = plugin(allocator_asset_kinds=[GOLD]), plugin(allocator_asset_kinds=None)
    one.requires_api = "1"  # type: ignore[attr-defined]
    registry = Registry([("metals", one), ("silent", other)])
    assert registry.requires_api("metals") == "1"
    assert registry.requires_api("silent") is None


def test_two_distributions_may_not_register_one_plugin_name(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("metals", "metals", "allocator")
    found = [SimpleNamespace(metadata={"Name": name}, version="1", entry_points=[entry]) for name in ("one", "other")]
    monkeypatch.setattr("allocator.extension.registry.distributions", lambda: found)
    with pytest.raises(PluginError, match="plugin metals: two distributions.*one and other.*uninstall"):
        load_registry()
