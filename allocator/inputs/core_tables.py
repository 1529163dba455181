"""The columns the core owns, and all declared tables in one mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from allocator.errors import PluginError, Problem
from allocator.types import AssetKind, Column, Declarations, Measure, Table, Text

__all__ = ["ACCOUNTS", "ACCOUNT_CHOICES", "CORE_ASSETS", "DEFAULT_ACCOUNT", "MATRIX_TABLES", "declared_tables"]

ACCOUNT_CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "traditional": ("传统", "传统账户", "传统险", "传统保险账户", "普通账户"),
        "participating": ("分红", "分红账户", "分红险", "分红保险账户"),
        "universal": ("万能", "万能账户", "万能险", "万能保险账户"),
        "shareholder": ("股东", "股东账户", "资本金", "资本金账户", "自有资金"),
    }
)
"""Accounts: canonical name → other spellings."""

ACCOUNTS: Mapping[str, Text] = {
    "traditional": Text("Traditional", "传统"),
    "participating": Text("Participating", "分红"),
    "universal": Text("Universal", "万能"),
    "shareholder": Text("Shareholder", "资本金"),
}
"""Accounts: canonical name → what people read."""

DEFAULT_ACCOUNT = "traditional"
"""Account of every row when the assets table has no such column; beside filled cells an empty one is an error."""

MATRIX_TABLES = ("returns", "covariance", "scenarios")
"""Tables whose columns are asset codes; read by `allocator.inputs.matrices`."""

CORE_ASSETS = Table(
    "assets",
    (
        Column(
            "asset_id",
            Measure.TEXT,
            Text("Asset code", "资产代码"),
            ("资产代码", "证券代码", "代码", "债券代码", "股票代码", "基金代码", "资产编号", "产品代码"),
            required=True,
        ),
        Column(
            "name",
            Measure.TEXT,
            Text("Name", "名称"),
            ("名称", "证券简称", "证券名称", "资产名称", "债券简称", "股票简称", "基金简称", "简称", "产品名称"),
        ),
        Column(
            "kind",
            Measure.CHOICE,
            Text("Kind of asset", "资产类别"),
            ("资产类别", "资产类型", "类别", "品种", "证券类别", "资产种类", "asset class"),
            required=True,
        ),
        Column(
            "account",
            Measure.CHOICE,
            Text("Account", "账户"),
            ("账户", "账户类型", "所属账户", "保险账户"),
            choices=ACCOUNT_CHOICES,
        ),
        Column(
            "amount",
            Measure.MONEY,
            Text("Market value with accrued interest", "市值（含应计利息）"),
            ("市值", "公允价值", "持仓市值", "金额", "全价市值", "持有市值", "期末市值", "market value"),
            default=0.0,
        ),
        Column(
            "min",
            Measure.MONEY,
            Text("Smallest target amount", "目标金额下限"),
            ("下限", "最低金额", "持仓下限", "minimum", "lower limit"),
        ),
        Column(
            "max",
            Measure.MONEY,
            Text("Largest target amount", "目标金额上限"),
            ("上限", "最高金额", "持仓上限", "maximum", "upper limit"),
        ),
        Column(
            "expected_return",
            Measure.RATE,
            Text("Expected annual return before costs", "预期年化收益率（费前）"),
            ("预期收益率", "预期收益", "预期年化收益率", "期望收益率"),
            minimum=-1.0,
            maximum=1.0,
        ),
        Column(
            "volatility",
            Measure.RATE,
            Text("Annual volatility", "年化波动率"),
            ("波动率", "年化波动率", "收益波动率"),
            minimum=0.0,
            maximum=2.0,
        ),
        Column(
            "transaction_cost",
            Measure.RATE,
            Text("Cost per unit traded", "交易成本率"),
            ("交易成本", "交易成本率", "交易费率"),
            minimum=0.0,
            maximum=0.5,
        ),
    ),
    key=("asset_id", "account"),
)


def declared_tables(declared: Declarations) -> Mapping[str, Table]:
    """Return every table by name: the core's columns first, then those of the plugins.

    A column ``kind`` without choices of its own takes the kinds that the enabled plugins declare.

    Raises
    ------
    PluginError
        When a plugin declares anew a column or a table that the core owns.
    """
    tables = dict(declared.tables)
    for name in MATRIX_TABLES:
        if name in tables:
            raise _owned(name)
    added = tables.pop("assets", Table("assets", ()))
    owned = {column.name for column in CORE_ASSETS.columns}
    for column in added.columns:
        if column.name in owned:
            raise _owned(f"assets.{column.name}")
    assets = replace(
        CORE_ASSETS, columns=CORE_ASSETS.columns + added.columns, open=added.open, references=added.references
    )
    kinds = _choices(declared.kinds)
    return {name: _with_kinds(table, kinds) for name, table in {"assets": assets, **tables}.items()}


def _choices(kinds: Mapping[str, AssetKind]) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({kind.name: (kind.label.zh, kind.label.en, *kind.aliases) for kind in kinds.values()})


def _with_kinds(table: Table, kinds: Mapping[str, tuple[str, ...]]) -> Table:
    columns = tuple(
        replace(column, choices=kinds)
        if column.name == "kind" and column.measure is Measure.CHOICE and not column.choices
        else column
        for column in table.columns
    )
    return replace(table, columns=columns)


def _owned(name: str) -> PluginError:
    return PluginError(
        Problem(
            Text("a plugin declares what the core owns", "插件重复声明了核心所有的表或列"),
            "allocator_tables",
            name,
            hint=Text("use another name", "请换一个名称"),
        )
    )
