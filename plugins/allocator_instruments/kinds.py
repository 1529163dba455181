"""Kinds of asset: the values of the ``kind`` column, with the names used in China."""

from __future__ import annotations

from allocator.plugin import Text
from allocator.plugin.tables import AssetKind

__all__ = ["GROUPS", "KINDS"]

GROUPS = {
    "cash": Text("Cash and money market", "现金及流动性工具"),
    "deposit": Text("Deposits and policy loans", "存款及保单质押贷款"),
    "government": Text("Government and quasi-government bonds", "利率债"),
    "credit": Text("Credit bonds", "信用债"),
    "securitised": Text("Securitised products", "资产证券化产品"),
    "non_standard": Text("Debt plans, trusts and asset-management products", "非标及资管产品"),
    "fund": Text("Public funds", "公募基金"),
    "equity": Text("Listed equity and hybrids", "上市权益及混合工具"),
    "private_equity": Text("Unlisted equity and private funds", "未上市股权及私募基金"),
    "property": Text("Property", "不动产"),
    "overseas": Text("Overseas assets", "境外资产"),
    "commodity": Text("Commodities", "商品"),
    "derivative": Text("Derivatives", "衍生品"),
}
"""Coarse groups for reports and charts."""


TECHNOLOGY = Text("Technology bonds", "科技创新债券")
SECURITISED = Text("Securitised products", "证券化产品")
VENTURE = Text("Venture funds", "创业投资基金")
THEMES = {
    "tech_innovation_bond": TECHNOLOGY,
    **dict.fromkeys(("credit_abs", "exchange_abs", "abn", "abs_plan"), SECURITISED),
    "venture_fund": VENTURE,
}
"""What a committee asks the share of, whatever the fund's objective."""


def _kind(group: str, name: str, en: str, zh: str, *aliases: str) -> AssetKind:
    return AssetKind(name, Text(en, zh), group, aliases, group == "derivative", THEMES.get(name))


KINDS = (
    _kind("cash", "cash", "Cash", "现金", "活期存款", "银行活期存款", "货币资金", "现金及现金等价物"),
    _kind("cash", "reverse_repo", "Reverse repo", "买入返售", "逆回购", "买入返售金融资产", "债券逆回购"),
    _kind("cash", "money_market_fund", "Money market fund", "货币市场基金", "货币基金", "货币型基金"),
    _kind(
        "deposit",
        "deposit",
        "Deposit",
        "存款",
        *("定期存款", "银行存款", "协议存款", "大额存单", "通知存款", "银行定期存款", "存出资本保证金"),
    ),
    _kind("deposit", "policy_loan", "Policy loan", "保单质押贷款", "保户质押贷款", "保单贷款"),
    _kind("government", "government_bond", "Government bond", "国债", "中央政府债", "记账式国债", "特别国债"),
    _kind(
        "government",
        "local_government_bond",
        "Local government bond",
        "地方政府债",
        *("地方政府债券", "地方债", "地方政府专项债", "地方政府一般债", "专项债"),
    ),
    _kind("government", "central_bank_bill", "Central bank bill", "央行票据", "央票", "中央银行票据"),
    _kind(
        "government",
        "policy_bank_bond",
        "Policy bank bond",
        "政策性金融债",
        *("政策性银行债", "政策性银行金融债", "政金债", "国开债", "农发债", "进出口行债", "口行债"),
    ),
    _kind(
        "government",
        "agency_bond",
        "Government-supported agency bond",
        "政府支持机构债",
        *("政府支持机构债券", "铁道债", "铁路债", "汇金债", "准政府债"),
    ),
    _kind(
        "credit",
        "financial_bond",
        "Financial bond",
        "金融债",
        *("金融债券", "商业银行债", "商业银行金融债", "二级资本债", "证券公司债", "保险资本补充债", "资本补充债"),
    ),
    _kind(
        "credit",
        "interbank_certificate_of_deposit",
        "Interbank certificate of deposit",
        "同业存单",
        *("NCD", "银行同业存单"),
    ),
    _kind(
        "credit",
        "corporate_bond",
        "Corporate bond",
        "企业债",
        *(
            "公司债",
            "企业债券",
            "公司债券",
            "信用债",
            "中期票据",
            "中票",
            "短期融资券",
            "超短期融资券",
            "短融",
            "超短融",
        ),
        *("定向工具", "PPN", "非金融企业债"),
    ),
    _kind(
        "credit",
        "tech_innovation_bond",
        "Science-and-technology innovation bond",
        "科技创新债券",
        *("科创债", "科技创新债", "科技创新公司债券", "科创票据", "科技创新公司债"),
    ),
    _kind(
        "equity",
        "perpetual_capital_bond",
        "Perpetual capital bond of a financial issuer",
        "无固定期限资本债券",
        *("永续债", "资本永续债", "银行永续债", "保险永续债", "无固定期限资本债"),
    ),
    _kind("equity", "convertible_bond", "Convertible bond", "可转换债券", "可转债", "转债", "可交换债券", "可交换债"),
    _kind("securitised", "credit_abs", "Credit ABS", "信贷资产支持证券", "信贷ABS", "银行间ABS"),
    _kind("securitised", "exchange_abs", "Exchange ABS", "交易所资产支持证券", "企业ABS", "交易所ABS", "资产支持证券"),
    _kind("securitised", "abn", "Asset-backed note", "资产支持票据", "ABN"),
    _kind("securitised", "abs_plan", "Asset-backed plan", "资产支持计划", "保险资产支持计划"),
    _kind("non_standard", "debt_plan", "Debt investment plan", "债权投资计划", "债权计划", "基础设施债权投资计划"),
    _kind("non_standard", "trust_plan", "Trust plan", "信托计划", "集合资金信托计划", "信托", "集合信托", "信托产品"),
    _kind(
        "non_standard",
        "am_product",
        "Insurance asset-management product",
        "保险资管产品",
        *("组合类保险资管产品", "保险资产管理产品", "组合类资管产品", "资管产品", "组合类产品"),
    ),
    _kind("non_standard", "wealth_product", "Bank wealth product", "银行理财产品", "理财产品", "银行理财", "理财"),
    _kind("fund", "bond_fund", "Bond fund", "债券基金", "债券型基金", "债券ETF", "债基"),
    _kind("fund", "equity_fund", "Equity fund", "股票基金", "股票型基金", "权益基金", "股票ETF", "指数基金"),
    _kind("fund", "mixed_fund", "Mixed fund", "混合基金", "混合型基金", "商品基金", "衍生品基金"),
    _kind("equity", "listed_stock", "Listed stock", "上市股票", "股票", "A股", "普通股", "上市普通股票", "境内股票"),
    _kind("private_equity", "unlisted_equity", "Unlisted equity", "未上市股权", "未上市企业股权", "非上市股权", "股权"),
    _kind("private_equity", "associate", "Associate or joint venture", "联营及合营企业", "联营企业", "合营企业"),
    _kind("private_equity", "subsidiary", "Subsidiary", "子公司", "控股子公司", "对子公司的长期股权投资"),
    _kind("equity", "preferred_stock", "Preferred stock", "优先股"),
    _kind("private_equity", "pe_fund", "Private equity fund", "私募股权基金", "股权投资基金", "股权基金", "PE基金"),
    _kind(
        "private_equity", "venture_fund", "Venture capital fund", "创业投资基金", "创投基金", "风险投资基金", "VC基金"
    ),
    _kind("private_equity", "equity_plan", "Equity investment plan", "股权投资计划", "股权计划"),
    _kind("property", "property", "Property", "不动产", "投资性房地产", "房地产", "投资性不动产"),
    _kind("property", "reit", "Public infrastructure REIT", "公募REITs", "基础设施REITs", "REITs", "基础设施公募REITs"),
    _kind("overseas", "overseas_bond", "Overseas bond", "境外债券", "境外固定收益", "海外债券", "美元债", "境外债"),
    _kind(
        "overseas", "overseas_stock", "Overseas stock", "境外股票", "港股", "港股通股票", "港股通", "海外股票", "H股"
    ),
    _kind("overseas", "overseas_fund", "Overseas fund", "境外基金", "海外基金"),
    _kind("overseas", "overseas_unlisted", "Overseas unlisted equity", "境外未上市股权", "海外未上市股权"),
    _kind("overseas", "overseas_property", "Overseas property", "境外不动产", "海外不动产", "境外房地产"),
    _kind("commodity", "gold", "Gold", "黄金", "黄金现货"),
    _kind("derivative", "rate_swap", "Interest rate swap", "利率互换", "IRS"),
    _kind("derivative", "bond_future", "Government bond future", "国债期货"),
    _kind("derivative", "index_future", "Stock index future", "股指期货"),
    _kind("derivative", "fx_forward", "FX forward", "外汇远期", "远期外汇", "远期结售汇", "货币远期"),
)
