"""What C-ROSS II calls things: the yuan, the accounts of a life company, two ratios, four tiers of capital."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources

from allocator.plugin import Text
from allocator.plugin.capital import Account, BalanceSheetKey, Currency, Jurisdiction, Ratio
from allocator.plugin.tables import Measure

__all__ = ["COMPREHENSIVE", "CORE", "JURISDICTION", "REPORTED_RATIO", "TIERS", "templates"]

COMPREHENSIVE = Ratio(
    "comprehensive", Text("Comprehensive solvency ratio", "综合偿付能力充足率"), Text("Comprehensive", "综合")
)
CORE = Ratio("core", Text("Core solvency ratio", "核心偿付能力充足率"), Text("Core", "核心"))

REPORTED_RATIO = "reported_comprehensive_ratio"
"""Key of ``balance_sheet:`` that decides tiers of several rules."""

YUAN = Currency(
    "CNY",
    Text("CNY", "元"),
    (
        (1e8, Text("CNY 100 million", "亿元")),
        (1e6, Text("CNY million", "百万元")),
        (1e4, Text("CNY 10,000", "万元")),
        (1e3, Text("CNY 1,000", "千元")),
    ),
    (
        *(("元", 1.0), ("万元", 1e4), ("亿元", 1e8), ("千元", 1e3), ("百万元", 1e6), ("千万元", 1e7)),
        *(("yuan", 1.0), ("cny", 1.0), ("rmb", 1.0)),
    ),
    ("人民币", "cny", "rmb"),
)

ACCOUNTS = (
    Account("traditional", Text("Traditional", "传统"), ("传统", "传统账户", "传统险", "传统保险账户", "普通账户")),
    Account("participating", Text("Participating", "分红"), ("分红", "分红账户", "分红险", "分红保险账户")),
    Account("universal", Text("Universal", "万能"), ("万能", "万能账户", "万能险", "万能保险账户")),
    Account("shareholder", Text("Shareholder", "资本金"), ("股东", "股东账户", "资本金", "资本金账户", "自有资金")),
)

TIERS = ("core_tier1", "core_tier2", "supplementary_tier1", "supplementary_tier2")

BALANCE_SHEET = (
    BalanceSheetKey(
        "core_capital",
        Text("core capital", "核心资本"),
        at_most="actual_capital",
        sum_of=TIERS[:2],
        bears_losses=True,
    ),
    BalanceSheetKey(
        REPORTED_RATIO,
        Text("comprehensive ratio last reported", "上季末综合偿付能力充足率"),
        Measure.RATE,
        reports="comprehensive",
    ),
    # Losses fall on the best tier, the company's net assets.
    BalanceSheetKey("core_tier1", Text("core tier 1", "核心一级资本"), minimum=0.0, bears_losses=True),
    BalanceSheetKey("core_tier2", Text("core tier 2", "核心二级资本"), minimum=0.0),
    BalanceSheetKey("supplementary_tier1", Text("supplementary tier 1", "附属一级资本"), minimum=0.0),
    BalanceSheetKey("supplementary_tier2", Text("supplementary tier 2", "附属二级资本"), minimum=0.0),
)

JURISDICTION = Jurisdiction((COMPREHENSIVE, CORE), ACCOUNTS, YUAN, BALANCE_SHEET, TIERS)


def templates() -> Mapping[str, str]:
    """Return this regime's parts of the fund folder that ``allocator init`` writes."""
    folder = resources.files("allocator_cross2") / "templates"
    return {part: (folder / f"{part}.yaml").read_text(encoding="utf-8") for part in ("capital", "balance_sheet")}
