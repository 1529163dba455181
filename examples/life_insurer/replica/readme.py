"""The README's table of filed and computed figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

__all__ = ["BEGIN", "END", "LINES", "comparison", "insert_table"]

BEGIN, END = "<!-- filed and computed: begin -->", "<!-- filed and computed: end -->"
UNIT = 1e8

LINES = {
    "interest_rate": "Interest rate 利率风险",
    "equity_price": "Equity price 权益价格风险",
    "real_estate_price": "Real estate price 房地产价格风险",
    "overseas_fixed_income": "Overseas fixed income 境外固定收益类资产价格风险",
    "overseas_equity": "Overseas equity 境外权益类资产价格风险",
    "currency": "Currency 汇率风险",
    "market_risk": "Market risk 市场风险",
    "spread": "Spread 利差风险",
    "counterparty_default": "Counterparty default 交易对手违约风险",
    "credit_risk": "Credit risk 信用风险",
    "loss_absorption": "Loss absorption 损失吸收",
    "quantifiable_risk_capital": "Quantifiable risk 可资本化风险",
    "minimum_capital": "Minimum capital 最低资本",
    "core_ratio": "Core ratio 核心偿付能力充足率",
    "comprehensive_ratio": "Comprehensive ratio 综合偿付能力充足率",
}


def comparison(filed: Mapping[str, float], computed: Mapping[str, float]) -> str:
    """Return the table in Markdown; money in CNY 100 million, ratios in percent."""
    rows = ["| line | filed | computed | difference |", "|---|---:|---:|---:|"]
    for name, title in LINES.items():
        shown = [
            f"{value[name]:.2%}" if name.endswith("_ratio") else f"{value[name] / UNIT:,.2f}"
            for value in (filed, computed)
        ]
        rows.append(f"| {title} | {shown[0]} | {shown[1]} | {computed[name] / filed[name] - 1.0:+.2%} |")
    return "\n".join(rows)


def insert_table(readme: Path, filed: pd.Series, computed: Mapping[str, float]) -> None:
    """Replace what stands between the two markers."""
    text = readme.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    table = comparison({str(name): float(value) for name, value in filed.items()}, computed)
    readme.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")
