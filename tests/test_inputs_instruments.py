"""The public names of kinds, columns and tables, and the Chinese that stands for them."""

from __future__ import annotations

import pytest
from allocator_cross2.jurisdiction import JURISDICTION
from allocator_instruments.kinds import GROUPS
from support import make_inputs, make_registry

from allocator.inputs.core_tables import declared_tables
from allocator.inputs.headings import HeadingIndex

REGISTRY = make_registry()

KINDS = [
    "cash",
    "reverse_repo",
    "money_market_fund",
    "deposit",
    "policy_loan",
    "government_bond",
    "local_government_bond",
    "central_bank_bill",
    "policy_bank_bond",
    "agency_bond",
    "financial_bond",
    "interbank_certificate_of_deposit",
    "corporate_bond",
    "tech_innovation_bond",
    "perpetual_capital_bond",
    "convertible_bond",
    "credit_abs",
    "exchange_abs",
    "abn",
    "abs_plan",
    "debt_plan",
    "trust_plan",
    "am_product",
    "wealth_product",
    "bond_fund",
    "equity_fund",
    "mixed_fund",
    "listed_stock",
    "unlisted_equity",
    "associate",
    "subsidiary",
    "preferred_stock",
    "pe_fund",
    "venture_fund",
    "equity_plan",
    "property",
    "reit",
    "overseas_bond",
    "overseas_stock",
    "overseas_fund",
    "overseas_unlisted",
    "overseas_property",
    "gold",
    "rate_swap",
    "bond_future",
    "index_future",
    "fx_forward",
]

COLUMNS = {
    "assets": [
        "asset_id",
        "name",
        "kind",
        "account",
        "amount",
        "min",
        "max",
        "expected_return",
        "volatility",
        "transaction_cost",
        "book_value",
        "cost",
        "face",
        "yield",
        "coupon",
        "frequency",
        "maturity",
        "issue_date",
        "next_call_date",
        "call_price",
        "put_date",
        "floating",
        "modified_duration",
        "rating",
        "green",
        "issuer",
        "counterparty",
        "currency",
        "market",
        "board",
        "indices",
        "holding_years",
        "bank_type",
        "capital_adequacy",
        "bank_ratios_met",
        "conversion_clause",
        "transparency",
        "layers",
        "underlying_count",
        "largest_underlying_share",
        "subordination",
        "prepayment_rate",
        "city_tier",
        "fund_size",
        "share_capital_held",
        "hedge_effectiveness",
        "tap_of",
        "accounting",
    ],
    "issuers": [
        "issuer",
        "name",
        "type",
        "strategic_emerging",
        "future_fields",
        "national_project",
        "disclosure_case",
        "province",
    ],
    "underlying": ["asset_id", "kind", "share"],
    "cash_flows": ["asset_id", "date", "principal", "interest"],
    "funds": ["asset_id", "vintage", "commitment", "paid_in", "nav", "life", "growth", "bow", "contribution_rates"],
    "liabilities": ["account", "year", "date", "outflow", "inflow", "guaranteed_rate"],
    "curve": ["tenor", "spot"],
    "curve_history": ["date", "1y", "10y", "50y"],
}

CHOICES = {
    ("assets", "account"): "traditional participating universal shareholder",
    ("assets", "market"): "domestic developed emerging",
    ("assets", "board"): "main star chinext",
    ("assets", "bank_type"): "large_state policy joint_stock city rural foreign other",
    ("assets", "transparency"): "base look_through exempt opaque",
    ("assets", "accounting"): "ac fvoci fvtpl",
}


def test_every_public_kind_is_declared_and_no_other() -> None:
    assert list(REGISTRY.kinds) == KINDS
    assert {kind.group for kind in REGISTRY.kinds.values()} == set(GROUPS)
    assert [name for name, kind in REGISTRY.kinds.items() if kind.derivative] == KINDS[-4:]


@pytest.mark.parametrize("table", COLUMNS)
def test_every_public_column_is_declared(table: str) -> None:
    assert set(COLUMNS[table]) <= {column.name for column in declared_tables(REGISTRY)[table].columns}


@pytest.mark.parametrize(("table", "column"), CHOICES)
def test_public_choices_are_declared(table: str, column: str) -> None:
    (declared,) = [found for found in declared_tables(REGISTRY)[table].columns if found.name == column]
    public = CHOICES[table, column].split()
    assert [choice for choice in declared.choices if choice in public] == public


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("证券代码", "asset_id"), ("证券简称", "name"), ("资产类别", "kind"), ("账户", "account"), ("市值", "amount"),
        ("公允价值", "amount"), ("账面价值", "book_value"), ("成本", "cost"), ("面值", "face"),
        ("到期收益率", "yield"), ("票面利率", "coupon"), ("付息频率", "frequency"), ("到期日", "maturity"),
        ("起息日", "issue_date"), ("发行日", "issue_date"), ("修正久期", "modified_duration"), ("评级", "rating"),
        ("债项评级", "rating"), ("发行人", "issuer"), ("交易对手", "counterparty"), ("币种", "currency"),
        ("预期收益率", "expected_return"), ("持有年限", "holding_years"), ("资本充足率", "capital_adequacy"),
    ],
)  # fmt: skip
def test_chinese_headings(heading: str, column: str) -> None:
    match = HeadingIndex(declared_tables(REGISTRY)["assets"], JURISDICTION.currency).find(heading)
    assert match is not None and match.column.name == column


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("国债", "government_bond"), ("地方政府债", "local_government_bond"), ("政策性金融债", "policy_bank_bond"),
        ("同业存单", "interbank_certificate_of_deposit"), ("科技创新债券", "tech_innovation_bond"),
        ("科创债", "tech_innovation_bond"), ("大额存单", "deposit"), ("定期存款", "deposit"),
        ("永续债", "perpetual_capital_bond"), ("可转债", "convertible_bond"), ("资产支持计划", "abs_plan"),
        ("债权投资计划", "debt_plan"), ("公募REITs", "reit"), ("创业投资基金", "venture_fund"),
        ("私募股权基金", "pe_fund"), ("港股", "overseas_stock"), ("利率互换", "rate_swap"), ("国债期货", "bond_future"),
        ("Government Bond", "government_bond"), ("government-bond", "government_bond"),
    ],
)  # fmt: skip
def test_chinese_kinds(word: str, kind: str) -> None:
    assert make_inputs([{"asset_id": "A", "kind": word, "amount": 1}]).assets["kind"].tolist() == [kind]


def test_chinese_values_of_an_asset() -> None:
    row = make_inputs(
        [
            {
                "证券代码": "688981", "资产类别": "股票", "账户": "万能账户", "市值": 1, "板块": "科创板",
                "币种": "人民币",
                "市场": "境内", "银行类型": "城商行", "会计分类": "可供出售", "穿透状态": "无法穿透", "绿色债券": "否",
                "城市类别": "省会", "指数成份": "csi300;star50",
            }
        ]
    ).assets.iloc[0]  # fmt: skip
    assert row[["kind", "account", "board", "currency", "market", "bank_type"]].tolist() == [
        "listed_stock", "universal", "star", "CNY", "domestic", "city",
    ]  # fmt: skip
    assert row[["accounting", "transparency", "city_tier"]].tolist() == ["fvoci", "opaque", "provincial_capital"]
    assert (row["green"], row["indices"]) == (False, ("csi300", "star50"))
