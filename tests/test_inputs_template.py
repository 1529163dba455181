"""The folder that ``allocator init`` writes: complete, valid as it stands, whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import allocator_cross2
import allocator_limits
import pytest
import yaml
from pydantic import BaseModel
from support import make_registry

from allocator.config.load import load_settings, validate_options
from allocator.config.settings import Settings
from allocator.errors import InputError
from allocator.extension.registry import Registry
from allocator.inputs import load_inputs
from allocator.inputs.core_tables import MATRIX_TABLES, declared_tables
from allocator.testing.template import template_files, write_template

INNER = {"folder", "file", "lines", "overrides", "given", "name", "options", "position"}
"""Fields of the typed form that are no keys of the file (terms are written as ``- name: {options}``)."""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return make_registry(("cross2", allocator_cross2), ("limits", allocator_limits))


@pytest.fixture
def folder(tmp_path: Path, registry: Registry) -> Path:
    write_template(tmp_path / "new" / "fund", registry)
    return tmp_path / "new" / "fund"


def test_it_validates_as_it_stands(folder: Path, registry: Registry) -> None:
    inputs = load_inputs(load_settings(folder / "fund.yaml"), registry)
    assert 2 <= len(inputs.assets) <= 12
    assert {"assets", "issuers", "liabilities", "curve", "covariance"} <= set(inputs.tables)
    assert inputs.balance_sheet.total_assets == 110e8
    capital = inputs.settings.capital
    assert capital is not None
    spec = registry.regimes[capital.regime]
    regime = spec.build(inputs, validate_options(spec.options, capital.options, inputs.settings, "capital"))
    for requirement in regime.requirements():
        ratio = requirement.capital / regime.tree().value(inputs.assets["amount"].to_numpy())
        assert requirement.required is not None and ratio >= requirement.required


def test_the_daily_curve_validates_in_place_of_the_mean(folder: Path, registry: Registry) -> None:
    text = (folder / "fund.yaml").read_text(encoding="utf-8")
    text = re.sub(r"^  curve:.*\n", "", text, flags=re.M).replace("#  curve_history:", "  curve_history:")
    (folder / "fund.yaml").write_text(text, encoding="utf-8")
    inputs = load_inputs(load_settings(folder / "fund.yaml"), registry)
    assert inputs.tables["curve_history"]["10y"].tolist() == pytest.approx([0.0186, 0.0185, 0.0184])


def test_there_is_a_file_for_every_table_with_all_its_columns(folder: Path, registry: Registry) -> None:
    guide = (folder / "COLUMNS.md").read_text(encoding="utf-8")
    for name, table in declared_tables(registry).items():
        headings = (folder / f"{name}.csv").read_text(encoding="utf-8-sig").splitlines()[0].split(",")
        for column in table.columns:
            assert column.name in headings or name == "curve_history", (name, column.name)
            assert f"| {column.name} |" in guide
    for name in MATRIX_TABLES:
        assert (folder / f"{name}.csv").is_file()


def test_tables_open_in_excel_with_their_chinese(folder: Path) -> None:
    for file in folder.glob("*.csv"):
        assert file.read_bytes().startswith(b"\xef\xbb\xbf"), file.name


def keys(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the dotted keys that a settings model knows."""
    for name, field in model.model_fields.items():
        if name in INNER and not (path and path[-1] == "fund"):
            continue
        inner = [option for option in options(field.annotation) if isinstance(option, type)]
        models = [option for option in inner if issubclass(option, BaseModel)]
        yield (*path, field.alias or name)
        for option in models:
            yield from keys(option, (*path, name))


def options(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, UnionType):
        return get_args(annotation)
    if get_origin(annotation) in (dict, tuple):
        return tuple(argument for argument in get_args(annotation) if argument is not Ellipsis)
    return (annotation,)


def test_the_fund_file_documents_every_key(registry: Registry) -> None:
    text = template_files(registry)["fund.yaml"].decode()
    for path in keys(Settings):
        assert re.search(rf"^[# ]*{path[0]}:", text, flags=re.M), path
        section = re.split(rf"^[# ]*{path[0]}:", text, flags=re.M)[1]
        assert all(re.search(rf"\b{key}\b", section) for key in path[1:]), path


def test_every_offered_term_and_model_is_listed_with_its_options(registry: Registry) -> None:
    text = template_files(registry)["fund.yaml"].decode()
    offered = [registry.regimes, registry.constraints, registry.objectives, registry.tilts]
    offered += [registry.return_models, registry.risk_models, registry.scenarios]  # type: ignore[list-item]
    for specs in offered:
        for name, spec in specs.items():
            labelled = rf"#   {name} .*{re.escape(spec.label.zh)}"
            (line,) = {line for line in text.splitlines() if re.match(labelled, line) and "[" in line} or {""}
            assert all(option in line for option in spec.options.model_fields)


def test_it_is_plain_yaml(registry: Registry) -> None:
    assert set(yaml.safe_load(template_files(registry)["fund.yaml"])) <= {
        field.alias or name for name, field in Settings.model_fields.items()
    }


def test_an_empty_folder_is_filled_and_a_full_one_left_alone(tmp_path: Path, registry: Registry) -> None:
    (tmp_path / "empty").mkdir()
    write_template(tmp_path / "empty", registry)
    before = {file.name: file.read_bytes() for file in (tmp_path / "empty").iterdir()}
    with pytest.raises(InputError) as caught:
        write_template(tmp_path / "empty", registry)
    assert "the folder is not empty" in caught.value.render("en")
    assert "文件夹不为空" in caught.value.render("zh")
    assert {file.name: file.read_bytes() for file in (tmp_path / "empty").iterdir()} == before
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="not empty"):
        write_template(tmp_path / "file", registry)


def test_nothing_is_left_when_writing_fails(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []
    real = Path.write_bytes

    def fail(path: Path, content: bytes) -> int:
        written.append(path)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        return real(path, content)

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(InputError, match="No space left"):
        write_template(tmp_path / "fund", registry)
    assert list(tmp_path.iterdir()) == []


def test_without_plugins_there_is_still_a_folder(tmp_path: Path) -> None:
    write_template(tmp_path / "bare", Registry([]))
    assert load_settings(tmp_path / "bare" / "fund.yaml").inputs
