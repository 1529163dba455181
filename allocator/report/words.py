"""The words of the reports in both languages: column headings, values of columns, titles."""

from __future__ import annotations

from collections.abc import Mapping

from allocator.jurisdiction import Jurisdiction
from allocator.model.units import UNIT_NAMES
from allocator.types import Text

__all__ = [
    "BINDING",
    "BOUNDS",
    "CERTAINTY",
    "GROUPS",
    "HEADINGS",
    "MODES",
    "SENSES",
    "SOURCES",
    "STAGES",
    "STATUS",
    "TILT_MODES",
    "UNIT_NAMES",
    "ratio_headings",
]

HEADINGS: dict[str, Text] = {
    "asset_id": Text("Asset", "资产代码"),
    "name": Text("Name", "名称"),
    "kind": Text("Kind", "类别"),
    "account": Text("Account", "账户"),
    "current": Text("Current", "调整前"),
    "target": Text("Target", "调整后"),
    "trade": Text("Trade", "买卖"),
    "weight_before": Text("Weight before", "调整前占比"),
    "weight": Text("Weight", "调整后占比"),
    "min": Text("Minimum", "下限"),
    "max": Text("Maximum", "上限"),
    "at_bound": Text("At bound", "触及上下限"),
    "expected_return": Text("Expected return", "预期收益率"),
    "capital_marginal": Text("Marginal capital", "边际资本占用"),
    "capital_freed": Text("Capital freed by a sale", "减持释放资本"),
    "capital_contribution": Text("Capital contribution", "资本贡献"),
    "reduced_cost": Text("Reduced cost", "检验数"),
    "tilt_score": Text("Tilt score", "政策评分"),
    "module": Text("Module", "风险模块"),
    "parent": Text("Part of", "上级模块"),
    "before": Text("Before", "调整前"),
    "amount": Text("After", "调整后"),
    "change": Text("Change", "变动"),
    "article": Text("Article", "条款"),
    "exposure": Text("Exposure", "风险暴露"),
    "factor": Text("Factor", "风险因子"),
    "charge": Text("Charge", "最低资本"),
    "derivation": Text("Derivation", "计算过程"),
    "rule": Text("Rule", "规则"),
    "underlying": Text("Underlying line", "穿透底层序号"),
    "rf0": Text("Base factor RF0", "基础因子 RF0"),
    "k1": Text("Coefficient k1", "特征系数 k1"),
    "k2": Text("Coefficient k2", "特征系数 k2"),
    "k_product": Text("Coefficient of the product", "产品特征系数"),
    "k_what_if": Text("What-if coefficient", "假设情景系数"),
    "k_p": Text("Layers coefficient Kp", "穿透层级系数 Kp"),
    "k_concentration": Text("Concentration coefficient", "集中度系数"),
    "k_total": Text("Sum of coefficients K", "特征系数合计 K"),
    "clipped": Text("K at its bound", "K 触及上下限"),
    "source": Text("Source", "依据"),
    "unit": Text("Unit", "单位"),
    "lhs": Text("Value", "实际值"),
    "sense": Text("Sense", "方向"),
    "rhs": Text("Limit", "限值"),
    "slack": Text("Room left", "余量"),
    "shadow_price": Text("Shadow price", "影子价格"),
    "binding": Text("Binding", "是否约束"),
    "mode": Text("Mode", "方式"),
    "certainty": Text("Certainty", "依据可靠性"),
    "score_before": Text("Exposure before", "调整前敞口"),
    "score_after": Text("Exposure after", "调整后敞口"),
    "score_untilted": Text("Exposure untilted", "无倾斜时敞口"),
    "objective_given_up": Text("Objective given up", "让渡目标值"),
    "bought_for_it": Text("Bought for it", "为此买入"),
    "sold_for_it": Text("Sold for it", "为此卖出"),
    "return_given_up": Text("Return given up", "让渡收益"),
    "capital_used": Text("Capital used", "占用资本"),
    "ratio_change": Text("Change in ratio", "充足率变动"),
    "tilt": Text("Tilt", "政策倾斜"),
    "table": Text("Table", "数据表"),
    "file": Text("File", "文件"),
    "rows": Text("Rows", "行数"),
    "sha256": Text("SHA-256", "SHA-256"),
    "required": Text("Required", "要求"),
    "step": Text("Relaxed by", "放松"),
    "gain": Text("Objective gains", "目标改善"),
}
"""Heading of each column that reports know."""

MODES: Mapping[str, Text] = {
    "hard": Text("hard", "硬约束"),
    "soft": Text("soft", "软约束"),
    "monitor": Text("monitored", "仅监测"),
}

TILT_MODES: Mapping[str, Text] = {
    "budget": Text("return budget", "让渡收益预算"),
    "reward": Text("reward", "加分"),
    "floor": Text("minimum share", "最低占比"),
    "rank": Text("ranked first", "按序优先"),
}

CERTAINTY: Mapping[str, Text] = {
    "A": Text("rule text", "规则原文"),
    "B": Text("secondary source", "间接来源"),
    "C": Text("to be verified", "待核实"),
    "user": Text("user's own", "用户自定"),
}

BINDING: Mapping[bool, Text] = {True: Text("yes", "是"), False: Text("no", "否")}

BOUNDS: Mapping[str, Text] = {"min": Text("minimum", "下限"), "max": Text("maximum", "上限")}

SENSES: Mapping[str, Text] = {"<=": Text("≤", "≤"), ">=": Text("≥", "≥"), "==": Text("equals", "等于")}

SOURCES: Mapping[str, Text] = {
    "user": Text("user's own", "用户自定"),
    "accounts": Text("accounts in the fund file", "组合文件的账户设置"),
    "model": Text("choices of the model", "模型的选择项"),
}

STATUS: Mapping[str, Text] = {
    "optimal": Text("optimal", "最优（已证明）"),
    "feasible": Text("feasible, optimality not proven", "可行（最优性未证明）"),
    "infeasible": Text("infeasible", "无可行解"),
    "not_proven": Text("no compliant answer found, infeasibility not proven", "未找到合规方案，亦未证明不可行"),
}

STAGES: Mapping[str, Text] = {
    "load": Text("load", "读取"),
    "model": Text("model", "建模"),
    "solve": Text("solve", "求解"),
    "tilts": Text("tilts", "政策倾斜"),
    "verify": Text("verify", "复核"),
    "ends": Text("ends", "端点"),
    "sweep": Text("sweep", "逐点求解"),
}
"""Stages of a run and of a frontier, for the time each took."""

GROUPS: Mapping[str, Text] = {
    "cash": Text("Cash", "现金类"),
    "deposit": Text("Deposits and loans", "存款及贷款"),
    "government": Text("Government", "利率债"),
    "credit": Text("Credit", "信用债"),
    "fixed_income": Text("Fixed income", "固定收益"),
    "securitised": Text("Securitised", "证券化产品"),
    "non_standard": Text("Non-standard", "非标资产"),
    "equity": Text("Equity", "权益"),
    "fund": Text("Funds", "基金"),
    "private_equity": Text("Private equity", "未上市股权"),
    "property": Text("Property", "不动产"),
    "overseas": Text("Overseas", "境外"),
    "commodity": Text("Commodities", "商品"),
    "derivative": Text("Derivatives", "衍生品"),
    "receivable": Text("Receivables", "应收款项"),
}
"""Groups of kinds, in the order of their colours."""


def ratio_headings(jurisdiction: Jurisdiction) -> Mapping[str, Text]:
    """Return the headings of the columns of ratios, and of what is required of them, in the tables of studies."""
    held = {f"{ratio.name}_ratio": ratio.label for ratio in jurisdiction.ratios}
    return held | {f"{ratio.name}_required": ratio.required for ratio in jurisdiction.ratios}
