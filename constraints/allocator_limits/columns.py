"""Columns of assets.csv that the limits need beside the instruments' own."""

from __future__ import annotations

from types import MappingProxyType

from allocator.plugin import Text
from allocator.plugin.tables import Column, Measure, Table

__all__ = ["ASSETS", "REGULATORY_CLASSES"]

REGULATORY_CLASSES = MappingProxyType(
    {
        "liquid": ("流动性资产",),
        "fixed_income": ("固定收益类资产", "固定收益类"),
        "equity": ("权益类资产", "权益类"),
        "real_estate": ("不动产类资产", "不动产类"),
        "other_financial": ("其他金融资产",),
        "none": ("不适用",),
    }
)
"""The five classes of the proportional rules, and none."""

ASSETS = Table(
    "assets",
    (
        Column(
            "regulatory_class",
            Measure.CHOICE,
            Text(
                "Class under the proportional rules, where it differs from the kind's",
                "大类资产类别（与资产种类默认不同时填写）",
            ),
            ("大类资产", "监管大类"),
            choices=REGULATORY_CLASSES,
        ),
        Column("own_use", Measure.FLAG, Text("Property in own use", "自用不动产"), ("自用", "自用不动产", "是否自用")),
        Column(
            "own_group",
            Measure.FLAG,
            Text("Asset-management product of the own group", "集团内资管产品"),
            ("集团内产品", "集团内资管产品"),
        ),
        Column(
            "group_share_held",
            Measure.RATE,
            Text(
                "Share of the fund held by other companies of the group", "集团及关联方（不含本公司）所持基金份额比例"
            ),
            ("关联方份额", "集团其他成员份额"),
            minimum=0.0,
            maximum=1.0,
        ),
        Column(
            "manager_years",
            Measure.NUMBER,
            Text("Years the fund's manager has been in business", "基金管理机构从业年限"),
            ("管理人年限", "管理机构从业年限"),
            minimum=0.0,
        ),
        Column(
            "manager_assets",
            Measure.MONEY,
            Text("Assets the fund's manager manages", "基金管理机构管理资产规模"),
            ("管理人规模", "管理资产规模"),
            minimum=0.0,
        ),
        Column(
            "manager_coinvestment",
            Measure.RATE,
            Text("Share of the fund that its manager holds", "基金管理机构跟投比例"),
            ("跟投比例",),
            minimum=0.0,
            maximum=1.0,
        ),
        Column(
            "manager_professionals",
            Measure.INTEGER,
            Text("Professionals of the fund's manager", "基金管理机构专业人员数"),
            ("专业人员数",),
            minimum=0,
        ),
        Column(
            "manager_earlier_funds",
            Measure.INTEGER,
            Text("Funds that the manager raised before this one", "管理机构此前设立的基金数"),
            ("此前基金数",),
            minimum=0,
        ),
        Column(
            "through_manager",
            Measure.FLAG,
            Text("Public REIT bought through a manager, not for own account", "公募REITs是否委托投资"),
            ("委托投资",),
        ),
        Column(
            "tier2_capital",
            Measure.FLAG,
            Text("Tier-2 capital bond of a bank", "是否银行二级资本债"),
            ("二级资本债",),
        ),
        Column(
            "manager_exits",
            Measure.INTEGER,
            Text("Projects the fund's manager has exited", "基金管理机构退出项目数"),
            ("退出项目数",),
            minimum=0,
        ),
    ),
)
