"""Tables beside the assets: issuers, look-through, cash flows, private funds, liabilities, the curve."""

from __future__ import annotations

from types import MappingProxyType

from allocator.plugin import Text
from allocator.plugin.tables import ACCOUNT_CHOICES, Column, Measure, Table
from allocator_instruments.assets import INSTRUMENT_COLUMNS

__all__ = ["CASH_FLOWS", "CURVE", "CURVE_HISTORY", "FUNDS", "ISSUERS", "LIABILITIES", "UNDERLYING"]

LONGEST_TENOR = 50
"""Tenors of ``curve_history``: 1 … 50 years."""

_ASSET = Column(
    "asset_id",
    Measure.TEXT,
    Text("Asset code", "资产代码"),
    ("资产代码", "证券代码", "代码", "债券代码", "资产编号"),
    required=True,
)
_OF_ASSETS = MappingProxyType({"asset_id": ("assets", "asset_id")})

ISSUERS = Table(
    "issuers",
    (
        Column(
            "issuer",
            Measure.TEXT,
            Text("Issuer, as named in the assets table", "发行人（与资产表一致）"),
            ("发行人", "发行主体", "发行人代码", "发行人简称"),
            required=True,
        ),
        Column("name", Measure.TEXT, Text("Full name", "名称"), ("名称", "发行人全称", "公司名称")),
        Column(
            "type",
            Measure.CHOICE,
            Text("Type of issuer", "发行人类型"),
            ("类型", "发行人类型", "主体类型"),
            choices=MappingProxyType(
                {
                    "government": ("政府", "财政部", "地方政府"),
                    "government_agency": ("政府支持机构",),
                    "policy_bank": ("政策性银行",),
                    "bank": ("银行", "商业银行"),
                    "insurer": ("保险公司", "保险"),
                    "asset_management_company": ("资产管理公司", "金融资产管理公司", "AMC"),
                    "financial_institution": ("金融机构", "其他金融机构", "证券公司"),
                    "technology_firm": ("科技企业", "科技型企业", "科创企业"),
                    "equity_investment_institution": ("股权投资机构", "创投机构", "私募股权投资机构"),
                    "non_financial": ("非金融企业", "实体企业", "一般企业"),
                }
            ),
        ),
        Column(
            "rating",
            Measure.TEXT,
            Text("Rating of the issuer, where an issue has none", "主体评级（债项无评级时采用）"),
            ("主体评级", "发行人评级", "评级"),
        ),
        Column(
            "strategic_emerging",
            Measure.FLAG,
            Text("National strategic emerging industry (2018 catalogue)", "国家战略性新兴产业（2018 分类）"),
            ("战略性新兴产业", "战新产业", "是否战略性新兴产业"),
        ),
        Column(
            "strategic_class",
            Measure.CHOICE,
            Text("Which of the nine strategic classes", "战略性新兴产业类别"),
            ("战略性新兴产业类别", "战新类别"),
            choices=MappingProxyType(
                {
                    "next_generation_it": ("新一代信息技术产业", "新一代信息技术"),
                    "high_end_equipment": ("高端装备制造产业", "高端装备制造", "高端装备"),
                    "new_materials": ("新材料产业", "新材料"),
                    "biotech": ("生物产业", "生物"),
                    "new_energy_vehicles": ("新能源汽车产业", "新能源汽车"),
                    "new_energy": ("新能源产业", "新能源"),
                    "energy_saving": ("节能环保产业", "节能环保"),
                    "digital_creative": ("数字创意产业", "数字创意"),
                    "related_services": ("相关服务业",),
                }
            ),
        ),
        Column(
            "strategic_revenue_share",
            Measure.RATE,
            Text("Audited share of revenue from the strategic class", "战略性新兴产业经审计收入占比"),
            ("战新收入占比", "战略性新兴产业收入占比"),
            minimum=0.0,
            maximum=1.0,
        ),
        Column("future_fields", Measure.LIST, Text("Future fields", "未来产业领域"), ("未来产业", "未来产业领域")),
        Column(
            "future_revenue_share",
            Measure.RATE,
            Text("Audited share of revenue from the future fields", "未来产业经审计收入占比"),
            ("未来产业收入占比",),
            minimum=0.0,
            maximum=1.0,
        ),
        Column(
            "national_project",
            Measure.FLAG,
            Text("Carries a national major science-and-technology project", "承担国家重大科技项目"),
            ("国家重大科技项目", "承担国家重大科技项目", "国家重大项目"),
        ),
        Column(
            "national_project_evidence",
            Measure.TEXT,
            Text("Evidence: project number, contract or notice", "证据：项目编号、合同或公告"),
            ("项目证据", "证据", "项目编号"),
        ),
        Column("national_project_source", Measure.TEXT, Text("Source of the evidence", "证据来源"), ("证据来源",)),
        Column("national_project_date", Measure.DATE, Text("Date of the evidence", "证据日期"), ("证据日期",)),
        Column(
            "disclosure_case",
            Measure.CHOICE,
            Text("Disclosure case", "信息披露案件"),
            ("信息披露案件", "信披案件", "信披违规"),
            choices=MappingProxyType(
                {
                    "investigation": ("立案调查", "立案"),
                    "penalty": ("行政处罚", "处罚"),
                    "warning": ("监管警示", "警示", "监管函", "关注函"),
                }
            ),
        ),
        Column("disclosure_opened", Measure.DATE, Text("Case opened", "立案日期"), ("立案日期", "案件开始日期")),
        Column("disclosure_closed", Measure.DATE, Text("Case closed", "结案日期"), ("结案日期", "案件结束日期")),
        Column("province", Measure.TEXT, Text("Province", "省份"), ("省份", "所在省份", "注册省份")),
    ),
    key=("issuer",),
)

UNDERLYING = Table(
    "underlying",
    (
        _ASSET,
        Column(
            "underlying_id",
            Measure.TEXT,
            Text("Name of this underlying, where further rows look through it", "底层资产代码（供继续穿透引用）"),
            ("底层资产代码", "底层代码"),
        ),
        Column("name", Measure.TEXT, Text("Name", "名称"), ("底层资产名称", "名称")),
        Column(
            "kind",
            Measure.CHOICE,
            Text("Kind", "资产类别"),
            ("资产类别", "底层资产类别", "类别"),
            required=True,
        ),
        Column(
            "share",
            Measure.RATE,
            Text("Share of the product's value", "占产品价值比例"),
            ("占比", "比例", "份额占比"),
            minimum=0.0,
            maximum=1.0,
            required=True,
        ),
        *INSTRUMENT_COLUMNS,
    ),
    open=True,
    references=MappingProxyType(
        {
            "asset_id": ("assets", "asset_id", "underlying", "underlying_id"),
            "issuer": ("issuers", "issuer"),
        }
    ),
)

CASH_FLOWS = Table(
    "cash_flows",
    (
        _ASSET,
        Column(
            "date",
            Measure.DATE,
            Text("Payment date", "支付日"),
            ("日期", "支付日", "付款日", "现金流日期"),
            required=True,
        ),
        Column("principal", Measure.MONEY, Text("Principal", "本金"), ("本金", "还本"), default=0.0),
        Column("interest", Measure.MONEY, Text("Interest", "利息"), ("利息", "付息"), default=0.0),
    ),
    key=("asset_id", "date"),
    references=_OF_ASSETS,
)

FUNDS = Table(
    "funds",
    (
        _ASSET,
        Column(
            "vintage",
            Measure.INTEGER,
            Text("Vintage year", "成立年份"),
            ("成立年份", "年份", "vintage year"),
            minimum=1980,
            maximum=2200,
            required=True,
        ),
        Column(
            "commitment",
            Measure.MONEY,
            Text("Commitment", "认缴金额"),
            ("认缴金额", "承诺出资", "认缴", "认缴出资"),
            minimum=0.0,
        ),
        Column(
            "paid_in",
            Measure.MONEY,
            Text("Paid in", "实缴金额"),
            ("实缴金额", "实缴", "已缴金额", "实缴出资"),
            minimum=0.0,
        ),
        Column(
            "nav", Measure.MONEY, Text("Net asset value", "资产净值"), ("净值", "资产净值", "基金净值"), minimum=0.0
        ),
        Column(
            "life",
            Measure.NUMBER,
            Text("Life, years", "存续期（年）"),
            ("存续期", "期限", "存续年限"),
            minimum=0.0,
            maximum=50.0,
        ),
        Column(
            "growth", Measure.RATE, Text("Annual growth", "年增长率"), ("增长率", "年增长率"), minimum=-1.0, maximum=2.0
        ),
        Column(
            "yield",
            Measure.RATE,
            Text("Lowest annual distribution", "最低年分配率"),
            ("最低分配率", "分红率"),
            minimum=0.0,
            maximum=1.0,
        ),
        Column(
            "bow", Measure.NUMBER, Text("Bow of the distributions", "分配曲线弯度"), ("弯度", "分配弯度"), minimum=0.0
        ),
        Column(
            "contribution_rates",
            Measure.LIST,
            Text(
                "Contribution rates by year of what is still unpaid, apart by ;", "逐年缴款率（占未缴部分），以分号隔开"
            ),
            ("缴款率", "出资率", "缴款比例"),
        ),
    ),
    key=("asset_id", "vintage"),
    references=_OF_ASSETS,
)

LIABILITIES = Table(
    "liabilities",
    (
        Column(
            "account",
            Measure.CHOICE,
            Text("Account", "账户"),
            ("账户", "账户类型"),
            choices=ACCOUNT_CHOICES,
            required=True,
        ),
        Column(
            "year",
            Measure.INTEGER,
            Text("Year after the valuation date: 1, 2 …", "估值日后第几年"),
            ("年度", "年", "年份", "保单年度"),
            minimum=1,
            maximum=200,
        ),
        Column("date", Measure.DATE, Text("Date, instead of the year", "日期（代替年度）"), ("日期", "现金流日期")),
        Column("outflow", Measure.MONEY, Text("Outflow", "现金流出"), ("流出", "现金流出", "负债流出"), required=True),
        Column("inflow", Measure.MONEY, Text("Inflow", "现金流入"), ("流入", "现金流入", "保费流入"), default=0.0),
        Column(
            "guaranteed_rate",
            Measure.RATE,
            Text("Guaranteed rate", "保证利率"),
            ("保证利率", "预定利率", "保底利率", "最低保证利率"),
            minimum=-0.05,
            maximum=0.2,
        ),
    ),
    key=("account", "year", "date"),
)

CURVE = Table(
    "curve",
    (
        Column(
            "tenor",
            Measure.NUMBER,
            Text("Tenor, years", "期限（年）"),
            ("期限", "期限（年）", "标准期限", "年期"),
            minimum=0.0,
            maximum=200.0,
            required=True,
        ),
        Column("date", Measure.DATE, Text("Day of the curve", "日期"), ("日期", "交易日", "估值日期", "工作时间")),
        Column("description", Measure.TEXT, Text("Tenor in words", "标准期限说明"), ("标准期限说明", "期限说明")),
        Column(
            "spot",
            Measure.RATE,
            Text("Spot rate, annual compounding", "即期收益率（年复利）"),
            ("即期收益率", "即期利率", "收益率", "spot rate"),
            minimum=-0.05,
            maximum=0.5,
            required=True,
        ),
    ),
    key=("tenor",),
)

CURVE_HISTORY = Table(
    "curve_history",
    (
        Column("date", Measure.DATE, Text("Date", "日期"), ("日期", "交易日", "估值日期"), required=True),
        *(
            Column(
                f"{tenor}y",
                Measure.RATE,
                Text(f"Spot rate, {tenor} years", f"{tenor} 年即期收益率"),
                (str(tenor), f"{tenor}年", f"{tenor}.0", f"{tenor}.0年"),
                minimum=-0.05,
                maximum=0.5,
            )
            for tenor in range(1, LONGEST_TENOR + 1)
        ),
    ),
    key=("date",),
)
