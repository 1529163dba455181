"""Columns of the assets table beside the core's own."""

from __future__ import annotations

from types import MappingProxyType

from allocator.plugin import Text
from allocator.plugin.tables import Column, Measure, Table

__all__ = ["ASSETS", "BANK_TYPE", "CURRENCIES", "INSTRUMENT_COLUMNS"]

CURRENCIES = MappingProxyType(
    {
        "CNY": ("人民币", "RMB", "人民币元", "CNH"),
        "USD": ("美元", "US$"),
        "HKD": ("港币", "港元", "HK$"),
        "EUR": ("欧元",),
        "GBP": ("英镑",),
        "JPY": ("日元", "日圆"),
        "AUD": ("澳元", "澳大利亚元"),
        "CAD": ("加元", "加拿大元"),
        "CHF": ("瑞士法郎", "瑞郎"),
        "SGD": ("新加坡元", "新元"),
        "NZD": ("新西兰元",),
        "MOP": ("澳门元",),
        "TWD": ("新台币", "台币"),
        "KRW": ("韩元", "韩圆"),
        "INR": ("印度卢比",),
        "THB": ("泰铢",),
        "MYR": ("林吉特", "马来西亚林吉特"),
        "IDR": ("印尼盾",),
        "PHP": ("菲律宾比索",),
        "VND": ("越南盾",),
        "AED": ("阿联酋迪拉姆",),
        "SAR": ("沙特里亚尔",),
        "QAR": ("卡塔尔里亚尔",),
        "BHD": ("巴林第纳尔",),
        "OMR": ("阿曼里亚尔",),
        "KWD": ("科威特第纳尔",),
        "SEK": ("瑞典克朗",),
        "NOK": ("挪威克朗",),
        "DKK": ("丹麦克朗",),
        "PLN": ("波兰兹罗提",),
        "CZK": ("捷克克朗",),
        "HUF": ("匈牙利福林",),
        "TRY": ("土耳其里拉",),
        "ILS": ("以色列新谢克尔",),
        "ZAR": ("南非兰特",),
        "BRL": ("巴西雷亚尔",),
        "MXN": ("墨西哥比索",),
        "CLP": ("智利比索",),
        "RUB": ("俄罗斯卢布", "卢布"),
    }
)
BANK_TYPE = MappingProxyType(
    {
        "large_state": ("国有大型银行", "国有大行", "国有大型商业银行", "大型商业银行", "国有银行"),
        "policy": ("政策性银行", "开发性银行"),
        "joint_stock": ("股份制银行", "股份制商业银行", "全国性股份制银行", "股份行"),
        "city": ("城商行", "城市商业银行"),
        "rural": ("农商行", "农村商业银行", "农村银行", "农信社"),
        "foreign": ("外资银行", "外资行"),
        "other": ("其他", "其他银行"),
        "finance_company": ("财务公司", "集团财务公司"),
    }
)

_PAYMENTS = MappingProxyType(
    {
        **dict.fromkeys(("年付", "按年付息", "每年付息", "一年一次", "每年一次", "annual", "annually"), 1.0),
        **dict.fromkeys(("半年付", "按半年付息", "每半年付息", "半年一次", "semi-annual", "semiannually"), 2.0),
        **dict.fromkeys(("季付", "按季付息", "每季付息", "每季一次", "quarterly"), 4.0),
        **dict.fromkeys(("月付", "按月付息", "每月付息", "每月一次", "monthly"), 12.0),
        **dict.fromkeys(("到期一次还本付息", "到期一次性还本付息", "利随本清", "到期付息", "at maturity"), 0.0),
    }
)
"""Words for the interest payments a year."""

_TERMS = (
    Column(
        "yield",
        Measure.RATE,
        Text("Yield to maturity", "到期收益率"),
        ("到期收益率", "收益率", "YTM", "估值收益率", "到期收益"),
        minimum=-0.1,
        maximum=1.0,
    ),
    Column(
        "coupon",
        Measure.RATE,
        Text("Coupon rate", "票面利率"),
        ("票面利率", "票息", "票息率", "票面", "息票率", "利率", "存款利率"),
        minimum=0.0,
        maximum=1.0,
    ),
    Column(
        "frequency",
        Measure.INTEGER,
        Text("Interest payments a year; 0: all at maturity", "年付息次数；0 为到期一次还本付息"),
        ("付息频率", "付息次数", "年付息次数", "每年付息次数", "付息方式"),
        minimum=0,
        maximum=12,
        words=_PAYMENTS,
    ),
    Column("maturity", Measure.DATE, Text("Maturity date", "到期日"), ("到期日", "到期日期", "兑付日", "期满日")),
    Column(
        "issue_date",
        Measure.DATE,
        Text("Issue date", "起息日"),
        ("发行日", "发行日期", "起息日", "起息日期", "计息起始日"),
    ),
    Column(
        "next_call_date",
        Measure.DATE,
        Text("Next call date", "下一赎回日"),
        ("赎回日", "下一赎回日", "赎回日期", "下次赎回日", "首个赎回日"),
    ),
    Column(
        "call_price",
        Measure.NUMBER,
        Text("Call price per 100 of face", "赎回价（每百元面值）"),
        ("赎回价", "赎回价格"),
        minimum=0.0,
    ),
    Column("put_date", Measure.DATE, Text("Next put date", "回售日"), ("回售日", "下一回售日", "回售日期")),
    Column(
        "floating",
        Measure.FLAG,
        Text("Floating rate", "是否浮动利率"),
        ("浮动利率", "浮息", "是否浮息", "是否浮动利率"),
    ),
    Column(
        "modified_duration",
        Measure.NUMBER,
        Text("Modified duration, years", "修正久期（年）"),
        ("修正久期", "久期", "修正久期（年）", "有效久期"),
        minimum=0.0,
        maximum=100.0,
    ),
    Column(
        "rating",
        Measure.TEXT,
        Text("Rating", "评级"),
        ("评级", "债项评级", "信用评级", "债券评级", "外部评级", "最新债项评级"),
    ),
    Column(
        "issuer_rating",
        Measure.TEXT,
        Text("Rating of the issuer, where the issue has none", "主体评级（债项无评级时采用）"),
        ("主体评级", "发行人评级", "发行主体评级", "主体信用评级"),
    ),
    Column(
        "green",
        Measure.FLAG,
        Text("Green bond that supports carbon reduction", "绿色债券"),
        ("绿色债券", "是否绿色债券", "绿债"),
    ),
)
_PARTIES = (
    Column(
        "issuer", Measure.TEXT, Text("Issuer", "发行人"), ("发行人", "发行主体", "融资主体", "发行人名称", "存款银行")
    ),
    Column("counterparty", Measure.TEXT, Text("Counterparty", "交易对手"), ("交易对手", "交易对手方", "对手方")),
    Column(
        "currency",
        Measure.CHOICE,
        Text("Currency (blank is CNY for a domestic asset)", "币种（境内资产空白即人民币）"),
        ("币种", "货币", "计价货币"),
        choices=CURRENCIES,
    ),
    Column(
        "market",
        Measure.CHOICE,
        Text("Market", "市场"),
        ("市场", "所属市场", "市场类型"),
        choices=MappingProxyType(
            {
                "domestic": ("境内", "国内", "境内市场"),
                "developed": ("发达市场", "发达", "境外发达市场"),
                "emerging": ("新兴市场", "新兴", "境外新兴市场"),
            }
        ),
    ),
    Column(
        "board",
        Measure.CHOICE,
        Text("Board", "板块"),
        ("板块", "上市板", "上市板块"),
        choices=MappingProxyType({"main": ("主板", "沪深主板", "中小板"), "star": ("科创板",), "chinext": ("创业板",)}),
    ),
    Column(
        "indices",
        Measure.LIST,
        Text("Index memberships, e.g. csi300;csi_dividend_low_vol_100", "指数成份，如 csi300;csi_dividend_low_vol_100"),
        ("指数成份", "指数成分", "所属指数"),
    ),
    Column(
        "holding_years",
        Measure.NUMBER,
        Text("Weighted average holding period, years", "加权平均持有年限"),
        ("持有年限", "加权平均持有年限", "持有年数", "持有期限（年）"),
        minimum=0.0,
        maximum=100.0,
    ),
    Column("bank_type", Measure.CHOICE, Text("Type of bank", "银行类型"), ("银行类型", "银行类别"), choices=BANK_TYPE),
    Column(
        "capital_adequacy",
        Measure.RATE,
        Text("Capital adequacy ratio of the bank", "资本充足率"),
        ("资本充足率", "银行资本充足率"),
        minimum=0.0,
        maximum=1.0,
    ),
    Column(
        "bank_ratios_met",
        Measure.FLAG,
        Text("All of the issuer's capital ratios meet the requirement", "资本充足率等指标是否全部达标"),
        ("资本指标达标", "资本充足率达标", "监管指标达标", "是否达标"),
    ),
    Column(
        "conversion_clause",
        Measure.FLAG,
        Text("Conversion or write-down clause", "转股或减记条款"),
        ("转股或减记条款", "减记条款", "转股条款", "是否含转股或减记条款"),
    ),
)
_STRUCTURE = (
    Column(
        "equity_terms",
        Measure.CHOICE,
        Text("Bond that gives a right to shares; empty: none", "含权益条款的债券；空为无"),
        ("权益条款", "转股换股条款", "附认股权"),
        choices=MappingProxyType(
            {
                "convertible": ("可转换", "可转股", "转股"),
                "exchangeable": ("可交换", "可换股", "换股"),
                "warrant": ("附认股权证", "附认股权", "认股权证", "认股权"),
            }
        ),
    ),
    Column(
        "transparency",
        Measure.CHOICE,
        Text("How the product is seen through", "穿透状态"),
        ("穿透状态", "穿透类型", "是否穿透"),
        choices=MappingProxyType(
            {
                "base": ("基础资产", "无需穿透"),
                "look_through": ("可穿透", "穿透", "非基础资产"),
                "exempt": ("豁免穿透", "豁免"),
                "opaque": ("无法穿透", "不可穿透", "不能穿透"),
            }
        ),
    ),
    Column(
        "layers",
        Measure.INTEGER,
        Text("Layers including the surface", "层级数（含表层）"),
        ("层级", "层数", "交易层级"),
        minimum=1,
        maximum=50,
    ),
    Column(
        "underlying_count",
        Measure.INTEGER,
        Text("Number of underlying assets", "底层资产笔数"),
        ("底层资产数量", "底层资产笔数", "基础资产数量"),
        minimum=0,
    ),
    Column(
        "largest_underlying_share",
        Measure.RATE,
        Text("Largest underlying asset's share", "最大单笔底层资产占比"),
        ("最大底层资产占比", "最大单笔占比", "单一底层资产最大占比"),
        minimum=0.0,
        maximum=1.0,
    ),
    Column(
        "subordination",
        Measure.RATE,
        Text("Share of the structure below this tranche", "劣后占比"),
        ("劣后占比", "次级占比", "信用增级比例"),
        minimum=0.0,
        maximum=1.0,
    ),
    Column(
        "amortisation",
        Measure.CHOICE,
        Text("How the principal is repaid; empty: at the end", "还本方式；空为到期一次还本"),
        ("还本方式", "偿还方式"),
        choices=MappingProxyType(
            {
                "bullet": ("到期一次还本", "到期还本", "一次还本"),
                "equal_principal": ("等额本金", "等额还本"),
                "annuity": ("等额本息",),
            }
        ),
    ),
    Column(
        "prepayment_rate",
        Measure.LIST,
        Text("Annual prepayment rate; several, one a year, apart by ;", "年早偿率，逐年以分号隔开"),
        ("早偿率", "提前偿付率", "提前还款率", "CPR"),
    ),
    Column(
        "city_tier",
        Measure.CHOICE,
        Text("Kind of city", "城市类别"),
        ("城市类别", "城市等级", "所在城市类别"),
        choices=MappingProxyType(
            {
                "municipality": ("直辖市",),
                "provincial_capital": ("省会", "省会城市"),
                "separately_planned": ("计划单列市",),
                "other": ("其他", "其他城市"),
            }
        ),
    ),
    Column("fund_size", Measure.MONEY, Text("Size of the fund", "基金规模"), ("基金规模", "基金总规模"), minimum=0.0),
    Column(
        "share_capital_held",
        Measure.RATE,
        Text("Share of the company's capital held", "持股比例"),
        ("持股比例", "占总股本比例", "占股本比例"),
        minimum=0.0,
        maximum=1.0,
    ),
    Column(
        "hedge_effectiveness",
        Measure.RATE,
        Text("Hedge effectiveness", "套期有效性"),
        ("套期有效性", "对冲有效性"),
        minimum=0.0,
        maximum=1.25,
    ),
    Column(
        "tap_of",
        Measure.TEXT,
        Text("Bond that this issue re-opens (asset_id)", "续发的原债券代码"),
        ("续发原债券", "增发原债券", "原债券代码"),
    ),
    Column(
        "accounting",
        Measure.CHOICE,
        Text("Accounting class", "会计分类"),
        ("会计分类", "会计类别", "金融资产分类"),
        choices=MappingProxyType(
            {
                "ac": ("摊余成本", "以摊余成本计量", "持有至到期", "HTM", "贷款及应收款"),
                "fvoci": ("以公允价值计量且其变动计入其他综合收益", "可供出售", "AFS", "其他综合收益"),
                "fvtpl": ("以公允价值计量且其变动计入当期损益", "交易性", "交易性金融资产", "当期损益"),
            }
        ),
    ),
)
_MONEY = (
    Column("book_value", Measure.MONEY, Text("Book value", "账面价值"), ("账面价值", "账面余额", "账面值")),
    Column(
        "cost",
        Measure.MONEY,
        Text("Cost", "成本"),
        ("成本", "投资成本", "购入成本", "买入成本", "初始成本"),
        minimum=0.0,
    ),
    Column(
        "face",
        Measure.MONEY,
        Text("Face value", "面值"),
        ("面值", "票面金额", "券面总额", "持仓面值", "本金"),
        minimum=0.0,
    ),
)

INSTRUMENT_COLUMNS = (*_MONEY, *_TERMS, *_PARTIES, *_STRUCTURE)
"""What describes an instrument, in the assets table and in the look-through table alike."""

ASSETS = Table(
    "assets",
    INSTRUMENT_COLUMNS,
    open=True,
    references=MappingProxyType({"issuer": ("issuers", "issuer"), "tap_of": ("assets", "asset_id")}),
)
