"""Columns and the kind that only this regime needs; the instruments' plugin declares all others."""

from __future__ import annotations

from types import MappingProxyType

from allocator.plugin import Text
from allocator.plugin.tables import AssetKind, Column, Measure, Table

__all__ = ["COLUMNS", "KINDS", "TABLES"]

KINDS = (
    AssetKind(
        "loan", Text("Loan, direct or reached by look-through", "贷款资产"), "non_standard", ("贷款", "底层贷款")
    ),
    AssetKind("structured_deposit", Text("Structured deposit", "结构性存款"), "deposit", ("结构性存款产品",)),
    AssetKind("interbank_lending", Text("Interbank lending", "拆出资金"), "cash", ("同业拆出",)),
    AssetKind(
        "third_party_payment",
        Text("Money in third-party payment accounts", "第三方支付账户资金"),
        "cash",
        ("第三方支付",),
    ),
    AssetKind(
        "project_company_loan",
        Text("Loan to a controlled property project company", "对不动产项目公司的借款"),
        "property",
        ("项目公司借款",),
    ),
    AssetKind("guarantee", Text("Guarantee given", "对外债务担保"), "derivative", ("对外担保",), derivative=True),
    AssetKind("premium_receivable", Text("Premiums receivable", "应收保费"), "receivable"),
    AssetKind("other_receivable", Text("Other receivables", "其他应收及预付款项"), "receivable", ("其他应收款",)),
    AssetKind(
        "reinsurance_recoverable", Text("Reinsurance recoverables", "应收分保款项"), "receivable", ("再保险资产",)
    ),
    AssetKind("debt_to_equity_plan", Text("Debt-to-equity plan", "债转股投资计划"), "non_standard", ("债转股计划",)),
    AssetKind("special_purpose_vehicle", Text("Special purpose vehicle", "特殊目的载体"), "non_standard", ("SPV",)),
    AssetKind("property_product", Text("Property product", "不动产金融产品"), "property", ("不动产投资计划",)),
)
"""What debt plans and trusts mostly hold (R9 §37), and the products of R7 §4 that no other plugin declares."""

COLUMNS = (
    Column(
        "principal_guaranteed", Measure.FLAG, Text("Structured deposit guarantees its principal", "是否保本"), ("保本",)
    ),
    Column("age_months", Measure.NUMBER, Text("Age of a receivable, months", "账龄（月）"), ("账龄",), minimum=0.0),
    Column("subsidised", Measure.FLAG, Text("Premium subsidised by government", "是否政府保费补贴业务"), ("保费补贴",)),
    Column(
        "reinsurer_ratio",
        Measure.RATE,
        Text("Comprehensive solvency ratio of the reinsurer", "再保险分入人综合偿付能力充足率"),
        ("分入人充足率",),
    ),
    Column("direct_insurer", Measure.FLAG, Text("Reinsurer is a direct insurer", "分入人是否直保公司"), ("直保公司",)),
    Column(
        "reinsurer_branch",
        Measure.FLAG,
        Text("Reinsurer is no independent legal entity", "分入人是否非独立法人机构"),
        ("非独立法人",),
    ),
    Column(
        "transparency_measures",
        Measure.FLAG,
        Text("Overseas reinsurer with transparency measures", "境外分入人是否有透明度增强措施"),
        ("透明度增强措施",),
    ),
    Column(
        "product_type",
        Measure.CHOICE,
        Text("What a product or fund mainly invests in", "产品类型"),
        ("产品类型", "产品类别", "投资类型"),
        choices=MappingProxyType(
            {
                "money_market": ("货币市场类", "现金管理类", "货币类", "货币型"),
                "fixed_income": ("固定收益类", "固收类", "债券型", "债权类"),
                "equity": ("权益类", "股票型", "股权类"),
                "mixed": ("混合类", "混合型"),
                "commodity_derivative": ("商品及金融衍生品类", "商品类", "衍生品类"),
            }
        ),
    ),
    Column(
        "loan_class",
        Measure.CHOICE,
        Text("Five-level classification of a loan", "贷款五级分类"),
        ("五级分类", "贷款五级分类", "风险分类"),
        choices=MappingProxyType(
            {
                "normal": ("正常", "正常类"),
                "special_mention": ("关注", "关注类"),
                "substandard": ("次级", "次级类"),
                "doubtful": ("可疑", "可疑类"),
                "loss": ("损失", "损失类"),
            }
        ),
    ),
    Column("listed", Measure.FLAG, Text("Associate or joint venture is listed", "联营合营企业是否上市"), ("是否上市",)),
    Column(
        "insurance_related",
        Measure.FLAG,
        Text("Subsidiary is an insurer or within the main business", "子公司是否属于保险主业"),
        ("保险主业", "是否保险主业"),
    ),
    Column(
        "national_strategy_fund",
        Measure.FLAG,
        Text(
            "Held through China Insurance Investment Fund II for national strategy", "中国保险投资基金二期国家战略投资"
        ),
        ("中保投二期",),
    ),
    Column(
        "strategic_emerging",
        Measure.FLAG,
        Text(
            "National strategic emerging industry (2018 catalogue), where no issuer is named",
            "战略性新兴产业（未列发行人时）",
        ),
        ("战略性新兴产业", "是否战略性新兴产业"),
    ),
    Column(
        "hedge_months", Measure.NUMBER, Text("Term of the hedge, months", "套期期限（月）"), ("套期期限",), minimum=0.0
    ),
    Column(
        "property_book_value",
        Measure.MONEY,
        Text("Share held × book value of the property of a project company", "持股比例乘以项目公司房地产账面价值"),
        ("项目公司房地产账面价值",),
        minimum=0.0,
    ),
    Column(
        "protected_share",
        Measure.RATE,
        Text("Share of the exposure under credit protection", "受信用保护的风险暴露占比"),
        ("信用保护比例", "受保护比例"),
        minimum=0.0,
        maximum=1.0,
    ),
    Column(
        "protection_rating",
        Measure.TEXT,
        Text("Rating of the protection's issuer", "信用保护工具创设机构主体评级"),
        ("创设机构评级",),
    ),
    Column(
        "protection_book_value",
        Measure.MONEY,
        Text("Book value of the protection itself", "信用保护工具账面价值"),
        ("信用保护工具账面价值",),
    ),
    Column(
        "accrued_interest",
        Measure.MONEY,
        Text("Interest accrued on the holding", "应收利息"),
        ("应收利息", "应计利息"),
        minimum=0.0,
    ),
    Column(
        "concentration_exempt",
        Measure.FLAG,
        Text("Designated exempt from counterparty concentration (R8 §64 (6))", "规定可不计量交易对手集中度风险"),
        ("免计集中度",),
    ),
)
"""Columns of the assets and underlying tables that charges may ask for."""

TABLES = (Table("assets", COLUMNS, open=True), Table("underlying", COLUMNS, open=True))
"""What the plugin's hook ``allocator_tables`` returns."""
