"""Fund files: what is read, and that every mistake is told with its place and a cure in both languages."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as tuned
from hypothesis import strategies as st
from pydantic import BaseModel, field_validator

from allocator.config.load import load_settings, settings_from_mapping, validate_options
from allocator.config.overrides import apply_overrides
from allocator.config.settings import Number, Section, Settings
from allocator.errors import InputError
from allocator.types import Text

MINIMAL = "fund: {name: f, as_of: 2026-06-30}\ninputs: {assets: a.csv}\n"


def load(folder: Path, text: str | bytes) -> Settings:
    path = folder / "fund.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_settings(path)


def told(folder: Path, text: str | bytes) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        load(folder, text)
    return caught.value.render("en"), caught.value.render("zh")


def test_a_full_file_is_read(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        MINIMAL.replace("as_of: 2026-06-30", "as_of: 2026/6/30, unit: 1e8")
        + "balance_sheet: {total_assets: '1,234.5', reported_comprehensive_ratio: 185%}\n"
        "capital:\n  regime: cross2\n  require: {comprehensive: 1.8}\n"
        "constraints:\n  - equity_ceiling\n  - expected_return: {min: 0.035}\n"
        "solve: {gap: 0.1bp}\n",
    )
    assert settings.fund.as_of == date(2026, 6, 30)
    assert settings.fund.unit == 1e8
    assert settings.balance_sheet.total_assets == 1234.5
    assert settings.balance_sheet.reported_comprehensive_ratio == 1.85
    assert settings.capital is not None and settings.capital.options == {"require": {"comprehensive": 1.8}}
    assert [(term.name, term.options) for term in settings.constraints] == [
        ("equity_ceiling", {}),
        ("expected_return", {"min": 0.035}),
    ]
    assert settings.solve.gap == 1e-5
    assert settings.folder == tmp_path


def test_lines_are_kept_for_every_key_and_list_item(tmp_path: Path) -> None:
    settings = load(tmp_path, MINIMAL + "constraints:\n  - equity_ceiling\n  - expected_return:\n      min: 0.035\n")
    assert settings.where("fund.as_of") == "fund.yaml, line 1, fund.as_of"
    assert settings.lines["constraints.0"] == 4
    assert settings.lines["constraints.1.expected_return.min"] == 6
    assert settings.lines["constraints.expected_return.min"] == 6
    # an absent key is placed at what holds it
    assert settings.where("constraints.1.expected_return.max").startswith("fund.yaml, line 5")


@pytest.mark.parametrize(
    ("text", "english", "chinese"),
    [
        (
            MINIMAL + "balnce_sheet: {total_assets: 1}\n",
            ["fund.yaml, line 3, balnce_sheet: an unknown key", "did you mean 'balance_sheet'?"],
            ["fund.yaml，第 3 行，balnce_sheet：无法识别的键", "是否想写 'balance_sheet'？"],
        ),
        (
            "fund: {name: f, asof: 2026-06-30}\ninputs: {assets: a.csv}\n",
            ["line 1, fund.as_of: a needed key is missing", "did you mean 'as_of'?"],
            ["缺少必需的键", "是否想写 'as_of'？"],
        ),
        (
            MINIMAL.replace("name: f", "name: f, unit: -1e8"),
            ["line 1, fund.unit: out of range, got -100000000, allowed > 0"],
            ["超出允许范围，实际为 -100000000，允许 > 0"],
        ),
        (
            MINIMAL.replace("name: f", "name: f, unit: many"),
            ["fund.unit: a number is needed, got many"],
            ["应为数字，实际为 many"],
        ),
        (
            MINIMAL.replace("name: f", "name: f, unit: true"),
            ["fund.unit: a number is needed, not yes or no"],
            ["应为数字，而非是/否"],
        ),
        (MINIMAL.replace("name: f", "name: f, unit: .nan"), ["fund.unit: a number is needed"], ["应为数字"]),
        (MINIMAL.replace("name: f", 'name: f, unit: "1,5"'), ["fund.unit: a number is needed, got 1,5"], ["应为数字"]),
        (
            MINIMAL.replace("2026-06-30", "30/06/2026"),
            ["line 1, fund.as_of: not a date", "2026-06-30"],
            ["不是有效日期"],
        ),
        (MINIMAL.replace("2026-06-30", "2026-02-30"), ["fund.as_of: not a date"], ["不是有效日期"]),
        (MINIMAL.replace("2026-06-30", "46203"), ["fund.as_of: not a date"], ["不是有效日期"]),
        (MINIMAL + "language: fr\n", ["line 3, language", "got fr, allowed en, zh"], ["取值不在允许范围内"]),
        (MINIMAL + "solve: {max_nodes: 1.5}\n", ["solve.max_nodes: a whole number is needed"], ["应为整数"]),
        (MINIMAL + "solve: fast\n", ["line 3, solve: a section of keys is needed, got fast"], ["应为若干键组成的节"]),
        (MINIMAL + "plugins: {enable: mine}\n", ["plugins.enable: a list is needed"], ["应为列表"]),
        (
            MINIMAL + "constraints: {equity_ceiling: {}}\n",
            ["line 3, constraints: must be a list", "dash"],
            ["应为规则列表", "短横线"],
        ),
        (
            MINIMAL + "constraints:\n  - expected_return:\n    min: 0.03\n",
            ["line 4, constraints.0: each entry is a name", "indent"],
            ["每项应为名称", "缩进"],
        ),
        (
            MINIMAL + "objective: {maximize: a, minimize: b}\n",
            ["line 3, objective: name one objective"],
            ["须且只须指定一个目标"],
        ),
        (
            MINIMAL + "accounts: {traditional: {budget: 3, min: 1}}\n",
            ["accounts.traditional: budget fixes the sum"],
            ["budget 已固定总额"],
        ),
        (
            MINIMAL + "accounts: {traditional: {min: 3, max: 1}}\n",
            ["accounts.traditional: min is greater than max, got 3 > 1"],
            ["下限大于上限"],
        ),
        (MINIMAL + "lines: {a: 1}\n", ["line 3, lines: an unknown key"], ["无法识别的键"]),
        ("", ["fund.yaml: the file is empty", "allocator init"], ["文件为空"]),
        ("- a\n", ["the file must hold sections"], ["若干节"]),
    ],
)
def test_mistakes_are_told_with_place_and_cure(
    tmp_path: Path, text: str, english: list[str], chinese: list[str]
) -> None:
    en, zh = told(tmp_path, text)
    for part in english:
        assert part in en
    for part in chinese:
        assert part in zh
    assert "pydantic" not in en and "Input should" not in en + zh


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    en, _ = told(tmp_path, "fund: {name: f}\nsolve: {gap: x, max_nodes: 1.5}\nwat: 1\n")
    for key in ("fund.as_of", "inputs", "solve.gap", "solve.max_nodes", "wat"):
        assert key in en


@pytest.mark.parametrize(
    ("text", "english", "chinese"),
    [
        ("fund: {name: f\n", ["fund.yaml, line 2", "not valid YAML"], ["文件不是有效的 YAML", "第 2 行"]),
        ("fund:\n\tname: f\n", ["fund.yaml, line 2, column 1", "no tabs"], ["制表符"]),
        (MINIMAL + "fund: {name: g}\n", ["line 3, fund: the key appears twice", "line 1"], ["键重复", "第 1 行"]),
        (MINIMAL + "solve: {gap: 1, gap: 2}\n", ["line 3, solve.gap: the key appears twice"], ["键重复"]),
        (MINIMAL + "models: !!python/object/apply:os.system ['true']\n", ["line 3: tags are not allowed"], ["标签"]),
        (MINIMAL + "models: !!str 3\n", ["line 3: tags are not allowed"], ["标签"]),
        (MINIMAL + "models: &a {x: 1}\nsolve: {<<: *a}\n", ["line 4", "merge keys"], ["合并键"]),
        (MINIMAL + "models: {? [a, b] : 1}\n", ["line 3: a key must be plain text"], ["键必须是普通文本"]),
        (MINIMAL + "---\na: 1\n", ["line 3", "not valid YAML"], ["文件不是有效的 YAML"]),
        (MINIMAL + "models: *nowhere\n", ["line 3", "not valid YAML"], ["文件不是有效的 YAML"]),
        (MINIMAL + "models: &a [*a]\n", ["aliases expand to too many values"], ["别名展开后的内容过多"]),
        (MINIMAL + "models: " + "[" * 5000, ["nested too deeply"], ["嵌套过深"]),
        (b"fund: \xff\xfe\n", ["fund.yaml, line 1: the file is not UTF-8"], ["UTF-8"]),
        (b"a: \x00\n", ["not valid YAML"], ["YAML"]),
        (b"# " + b"x" * 600_000, ["too large for a fund file"], ["组合文件过大"]),
    ],
)
def test_hostile_or_broken_yaml_is_refused_where_it_stands(
    tmp_path: Path, text: str | bytes, english: list[str], chinese: list[str]
) -> None:
    en, zh = told(tmp_path, text)
    for part in english:
        assert part in en
    for part in chinese:
        assert part in zh


def test_an_alias_bomb_is_refused_before_it_expands(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    en, _ = told(tmp_path, bomb)
    assert "aliases expand" in en


def test_yaml_traps_are_plain_text() -> None:
    folder_free = settings_from_mapping(
        {"fund": {"name": "f", "as_of": "2026-06-30"}, "inputs": {}, "models": {"a": "no", "b": "010"}}
    )
    assert folder_free.models == {"a": "no", "b": "010"}


def test_scalars_that_yaml_1_1_would_twist_stay_what_was_written(tmp_path: Path) -> None:
    settings = load(tmp_path, MINIMAL + "models: {on: 1:30, no: 010, n: 1e8, d: 2026-01-02, t: true, q: '5'}\n")
    assert settings.models == {"on": "1:30", "no": "010", "n": 1e8, "d": date(2026, 1, 2), "t": True, "q": "5"}


def test_a_file_that_is_not_there_is_named_with_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "fund.yaml").write_text(MINIMAL)
    with pytest.raises(InputError, match="did you mean 'fund.yaml'"):
        load_settings(tmp_path / "fnud.yaml")
    with pytest.raises(InputError, match="no such file"):
        load_settings(tmp_path)


FULL = MINIMAL + (
    "capital: {regime: cross2, require: {comprehensive: 1.8}}\n"
    "constraints:\n  - equity_ceiling: {max: 0.4}\n  - cvar\nsolve: {gap: 1bp}\n"
)


def test_overrides_reach_keys_options_and_terms_by_name_or_number(tmp_path: Path) -> None:
    settings = apply_overrides(
        load(tmp_path, FULL),
        [
            "capital.require.comprehensive=2.0",
            "constraints.equity_ceiling.max=0.3",
            "constraints.1.limit=5%",
            "solve.gap=0.5bp",
            "objective.risk.aversion=3",
            "objective.maximize=expected_return",
        ],
    )
    assert settings.capital is not None and settings.capital.options["require"] == {"comprehensive": 2.0}
    assert settings.constraints[0].options == {"max": 0.3}
    assert settings.constraints[1].options == {"limit": "5%"}
    assert settings.solve.gap == 5e-5
    assert settings.objective.risk is not None and settings.objective.risk.aversion == 3.0
    assert settings.where("constraints.0.equity_ceiling.max") == "--set constraints.0.equity_ceiling.max"
    assert settings.where("fund.name") == "fund.yaml, line 1, fund.name"


def test_an_override_may_be_a_list_or_a_mapping_on_one_line(tmp_path: Path) -> None:
    settings = apply_overrides(
        load(tmp_path, FULL), ["capital.what_if=[{kind: bond, k: -0.1}]", "capital.overrides={a.b: 0.25}"]
    )
    assert settings.capital is not None
    assert settings.capital.options["what_if"] == [{"kind": "bond", "k": -0.1}]
    assert settings.capital.options["overrides"] == {"a.b": 0.25}
    with pytest.raises(InputError, match="--set capital.what_if.*not valid YAML"):
        apply_overrides(load(tmp_path, FULL), ["capital.what_if=[{kind: x"])


def test_no_override_changes_nothing_and_an_equal_one_only_its_mark(tmp_path: Path) -> None:
    settings = load(tmp_path, FULL)
    assert apply_overrides(settings, []) == settings
    again = apply_overrides(settings, ["solve.gap=1bp"])
    assert again.model_dump(exclude={"overrides", "given"}) == settings.model_dump(exclude={"overrides", "given"})


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("solve.gpa=1", "--set solve.gpa: an unknown key, got gpa"),
        ("solve.gap=x", "--set solve.gap: a number is needed, got x"),
        ("constraints.equity_celing.max=1", "did you mean 'equity_ceiling'?"),
        ("constraints.7.max=1", "the fund file does not mention this entry"),
        ("constraints.equity_ceiling=1", "this key cannot be set to a value"),
        ("fund.name.x=1", "this key cannot be set to a value"),
        ("solve.gap", "not of the form KEY=VALUE"),
        ("=1", "not of the form KEY=VALUE"),
        ("solv.gap=1", "did you mean 'solve'?"),
    ],
)
def test_overrides_that_cannot_be_are_told(tmp_path: Path, override: str, part: str) -> None:
    with pytest.raises(InputError) as caught:
        apply_overrides(load(tmp_path, FULL), [override])
    assert part in caught.value.render()


class Bounds(Section):
    min: Number
    max: Number | None = None
    names: tuple[str, ...] = ()

    @field_validator("max")
    @classmethod
    def _positive(cls, value: float | None) -> float | None:
        if value is not None and value < 0:
            raise ValueError(Text("a ceiling cannot be negative", "上限不能为负"))
        return value


class Options(Section):
    bounds: Bounds | None = None
    either: bool | Number = True
    share: dict[str, Bounds] = {}


def test_options_of_a_term_are_validated_where_they_stand(tmp_path: Path) -> None:
    settings = load(tmp_path, MINIMAL + "constraints:\n  - mine:\n      bounds:\n        mxa: 3\n        max: -1\n")
    options = settings.constraints[0].options
    with pytest.raises(InputError) as caught:
        validate_options(Options, options, settings, "constraints.0.mine")
    en, zh = caught.value.render("en"), caught.value.render("zh")
    assert "fund.yaml, line 5, constraints.0.mine.bounds.min: a needed key is missing" in en
    assert "line 6, constraints.0.mine.bounds.mxa: an unknown key" in en and "did you mean 'max'?" in en
    assert "line 7, constraints.0.mine.bounds.max: a ceiling cannot be negative" in en
    assert "上限不能为负" in zh


def test_a_union_is_told_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        validate_options(Options, {"either": "x"}, load(tmp_path, MINIMAL), "capital")
    assert len(caught.value.problems) == 1
    assert "true | false | 1.85" in caught.value.render()


def test_keys_inside_mappings_are_known(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'names'"):
        validate_options(Options, {"share": {"a": {"min": 1, "nmaes": []}}}, load(tmp_path, MINIMAL), "tilts.0")


def test_options_pass_through_typed(tmp_path: Path) -> None:
    options = validate_options(Options, {"bounds": {"min": "5%"}}, load(tmp_path, MINIMAL), "capital")
    assert options.bounds is not None and options.bounds.min == 0.05


def test_every_settings_model_refuses_unknown_keys_or_says_whose_they_are() -> None:
    open_models = {"CapitalSettings", "ObjectiveSettings"}

    def models(model: type[BaseModel]) -> set[type[BaseModel]]:
        found = {model}
        for field in model.model_fields.values():
            for part in str(field.annotation).replace("]", "[").replace(" ", "[").split("["):
                inner = getattr(__import__("allocator.config.settings", fromlist=["x"]), part.rpartition(".")[2], None)
                if isinstance(inner, type) and issubclass(inner, BaseModel) and inner not in found:
                    found |= models(inner)
        return found

    for model in models(Settings):
        assert model.model_config.get("extra") == ("allow" if model.__name__ in open_models else "forbid")


SOME = tuned(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9) | st.text(max_size=20)
BARE = re.compile(r"[+-]?[0-9]+[eE][+-]?[0-9]{1,3}")
"""Text to a library of YAML 1.1, which writes it without quotes; a number in YAML 1.2, and here."""
LEADING = re.compile(r"[+-]?0[0-9]")
TREES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


@SOME
@given(st.dictionaries(st.sampled_from(["fund", "inputs", "solve", "constraints", "capital", "x"]), TREES))
def test_any_mapping_is_settings_or_a_told_mistake(content: dict[str, Any]) -> None:
    try:
        assert isinstance(settings_from_mapping(content), Settings)
    except InputError as error:
        assert error.problems and all(problem.what.en and problem.what.zh for problem in error.problems)


@SOME
@given(st.text(max_size=200))
def test_any_text_is_settings_or_a_told_mistake(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    with pytest.raises(InputError):
        load(folder, text.encode("utf-8", errors="surrogatepass"))


@SOME
@given(
    st.dictionaries(
        st.text("abcdef", min_size=1, max_size=5),
        SCALARS.filter(lambda value: not isinstance(value, str) or value.isprintable())
        | st.from_regex(BARE, fullmatch=True),
        max_size=5,
    )
)
def test_values_written_by_a_yaml_library_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, models: dict[str, Any]
) -> None:
    text = MINIMAL + yaml.safe_dump({"models": models}, allow_unicode=True)
    meant = {
        name: float(value) if isinstance(value, str) and BARE.fullmatch(value) and not LEADING.match(value) else value
        for name, value in models.items()
    }
    assert load(tmp_path_factory.mktemp("dump"), text).models == meant


@SOME
@given(st.text(max_size=20).filter(str.isprintable) | st.from_regex(BARE, fullmatch=True))
def test_text_in_quotes_is_that_text(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    quoted = json.dumps(text, ensure_ascii=False)
    folder = tmp_path_factory.mktemp("quoted")
    assert load(folder, f"{MINIMAL}models: {{x: {quoted}}}\n").models == {"x": text}
    assert apply_overrides(load(folder, MINIMAL), [f"models.x={quoted}"]).models == {"x": text}


@pytest.mark.parametrize(
    ("bare", "got"),
    [
        *(("0E0", "0"), ("1e5", "100000"), ("2026", "2026"), (".5", "0.5"), ("true", "true"), ("null", "null")),
        ("2026-01-01", "2026-01-01"),
    ],
)
def test_what_yaml_reads_as_no_text_is_told_with_its_cure(tmp_path: Path, bare: str, got: str) -> None:
    """The cure works, in the file and on the command line."""
    english, chinese = told(tmp_path, MINIMAL.replace("name: f", f"name: {bare}"))
    assert f"fund.yaml, line 1, fund.name: text is needed, got {got}, hint: put quotes around it" in english
    assert "请加引号" in chinese
    assert load(tmp_path, MINIMAL.replace("name: f", f"name: '{bare}'")).fund.name == bare
    assert apply_overrides(load(tmp_path, MINIMAL), [f"fund.name='{bare}'"]).fund.name == bare
