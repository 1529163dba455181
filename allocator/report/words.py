"""The words of the reports in both languages: column headings, values of columns, titles."""

from __future__ import annotations

from collections.abc import Mapping

from allocator.types import Text

__all__ = ["ACCOUNTS", "BINDING", "CERTAINTY", "HEADINGS", "MODES", "RATIOS", "STATUS", "TILT_MODES"]

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
    "return_given_up": Text("Return given up", "让渡收益"),
    "capital_used": Text("Capital used", "占用资本"),
    "ratio_change": Text("Change in ratio", "充足率变动"),
    "tilt": Text("Tilt", "政策倾斜"),
    "table": Text("Table", "数据表"),
    "file": Text("File", "文件"),
    "rows": Text("Rows", "行数"),
    "sha256": Text("SHA-256", "SHA-256"),
    "buy": Text("Buy", "买入"),
    "sell": Text("Sell", "卖出"),
}
"""Heading of each column that reports know."""

ACCOUNTS: Mapping[str, Text] = {
    "traditional": Text("Traditional", "传统"),
    "participating": Text("Participating", "分红"),
    "universal": Text("Universal", "万能"),
    "shareholder": Text("Shareholder", "资本金"),
}

MODES: Mapping[str, Text] = {
    "hard": Text("hard", "硬约束"),
    "soft": Text("soft", "软约束"),
    "monitor": Text("monitored", "仅监测"),
}

TILT_MODES: Mapping[str, Text] = {
    "budget": Text("return budget", "让渡收益预算"),
    "reward": Text("reward", "加分"),
    "minimum": Text("minimum share", "最低占比"),
    "min": Text("minimum share", "最低占比"),
    "max": Text("maximum share", "最高占比"),
    "penalty": Text("penalty", "减分"),
}

CERTAINTY: Mapping[str, Text] = {
    "A": Text("rule text", "规则原文"),
    "B": Text("secondary source", "二手来源"),
    "C": Text("recalled", "凭记忆"),
    "user": Text("user's own", "用户自定"),
}

BINDING: Mapping[bool, Text] = {True: Text("yes", "是"), False: Text("no", "否")}

BOUNDS: Mapping[str, Text] = {"min": Text("minimum", "下限"), "max": Text("maximum", "上限")}

RATIOS: Mapping[str, Text] = {
    "comprehensive": Text("Comprehensive solvency ratio", "综合偿付能力充足率"),
    "core": Text("Core solvency ratio", "核心偿付能力充足率"),
}

STATUS: Mapping[str, Text] = {
    "optimal": Text("optimal", "最优（已证明）"),
    "feasible": Text("feasible, optimality not proven", "可行（最优性未证明）"),
    "infeasible": Text("infeasible", "无可行解"),
    "not_proven": Text("no compliant answer found, infeasibility not proven", "未找到合规方案，亦未证明不可行"),
}
