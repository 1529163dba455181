"""Titles of the modules, as a Chinese solvency report prints them."""

from __future__ import annotations

from allocator.plugin import Text

__all__ = ["FILING_ORDER", "label"]

_LABELS = {
    "minimum_capital": Text("Minimum capital", "最低资本"),
    "quantifiable_risk_capital": Text("Quantifiable risk minimum capital", "可资本化风险最低资本"),
    "quantifiable_before_absorption": Text(
        "Quantifiable risk before loss absorption and size factor", "损失吸收及规模系数调整前可资本化风险最低资本"
    ),
    "life_insurance_risk": Text("Life insurance risk", "寿险业务保险风险最低资本"),
    "life_loss_occurrence": Text("Loss occurrence risk", "寿险业务保险风险-损失发生风险最低资本"),
    "life_expense": Text("Expense risk", "寿险业务保险风险-费用风险最低资本"),
    "life_lapse": Text("Lapse risk", "寿险业务保险风险-退保风险最低资本"),
    "life_diversification": Text("Diversification of life insurance risk", "寿险业务保险风险-风险分散效应"),
    "nonlife_insurance_risk": Text("Non-life insurance risk", "非寿险业务保险风险最低资本"),
    "market_risk": Text("Market risk", "市场风险最低资本"),
    "interest_rate": Text("Interest rate risk", "市场风险-利率风险最低资本"),
    "interest_rate_up": Text("Rates up: change of PV(outflows − inflows)", "利率上升情景净现金流现值变动"),
    "interest_rate_down": Text("Rates down: change of PV(outflows − inflows)", "利率下降情景净现金流现值变动"),
    "interest_rate_zero": Text("Zero", "零"),
    "equity_price": Text("Equity price risk", "市场风险-权益价格风险最低资本"),
    "equity_price_unhedged": Text("Equity without hedges", "未套期权益资产"),
    "equity_hedge": Text("Stock net of index futures", "股票扣除股指期货套期"),
    "equity_hedge_net": Text("Stock less index futures, signed", "股票减股指期货（带符号）"),
    "real_estate_price": Text("Real estate price risk", "市场风险-房地产价格风险最低资本"),
    "overseas_fixed_income": Text("Overseas fixed income price risk", "市场风险-境外固定收益类资产价格风险最低资本"),
    "overseas_fixed_income_developed": Text("Developed markets, fixed income", "发达市场固定收益类"),
    "overseas_fixed_income_emerging": Text("Emerging markets, fixed income", "新兴市场固定收益类"),
    "overseas_equity": Text("Overseas equity price risk", "市场风险-境外权益类资产价格风险最低资本"),
    "overseas_equity_developed": Text("Developed markets, equity and property", "发达市场权益类及房地产"),
    "overseas_equity_emerging": Text("Emerging markets, equity and property", "新兴市场权益类及房地产"),
    "currency": Text("Currency risk", "市场风险-汇率风险最低资本"),
    "currency_unhedged": Text("Forwards that hedge nothing", "无效套期外汇远期"),
    "market_diversification": Text("Diversification of market risk", "市场风险-风险分散效应"),
    "credit_risk": Text("Credit risk", "信用风险最低资本"),
    "spread": Text("Spread risk", "信用风险-利差风险最低资本"),
    "counterparty_default": Text("Counterparty default risk", "信用风险-交易对手违约风险最低资本"),
    "credit_diversification": Text("Diversification of credit risk", "信用风险-风险分散效应"),
    "diversification": Text("Diversification of quantifiable risk", "可资本化风险分散效应"),
    "loss_absorption": Text("Loss absorption", "特定类别保险合同损失吸收效应"),
    "loss_absorption_uncapped": Text("Loss absorption before its cap", "损失吸收调整-不考虑上限"),
    "loss_absorption_cap": Text("Cap of loss absorption", "损失吸收效应调整上限"),
    "loss_absorption_by_ratio": Text("Loss absorption at the largest ratio", "按最高吸收比率"),
    "loss_absorption_by_cap": Text("Loss absorption at the ratio by the cap", "按上限推算的吸收比率"),
    "pool_market_and_credit_risk": Text(
        "Market and credit risk of the pool: participating and universal accounts",
        "分红及万能账户市场与信用风险最低资本",
    ),
    "control_risk": Text("Control risk", "控制风险最低资本"),
    "additional_capital": Text("Additional capital", "附加资本"),
}

_POOL = Text("Pool: ", "分红万能：")

FILING_ORDER = (
    "minimum_capital",
    "quantifiable_risk_capital",
    "life_insurance_risk",
    "life_loss_occurrence",
    "life_lapse",
    "life_expense",
    "life_diversification",
    "nonlife_insurance_risk",
    "market_risk",
    "interest_rate",
    "equity_price",
    "real_estate_price",
    "overseas_fixed_income",
    "overseas_equity",
    "currency",
    "market_diversification",
    "credit_risk",
    "spread",
    "counterparty_default",
    "credit_diversification",
    "diversification",
    "loss_absorption",
    "loss_absorption_uncapped",
    "loss_absorption_cap",
    "control_risk",
    "additional_capital",
)
"""Lines of the minimum capital table of a quarterly report, in its order."""


def label(name: str) -> Text:
    """Return the title of a module; KeyError for a name that no module has."""
    if name in _LABELS:
        return _LABELS[name]
    if name.startswith("pool_"):
        inner = label(name.removeprefix("pool_"))
        return Text(_POOL.en + inner.en[0].lower() + inner.en[1:], _POOL.zh + inner.zh.rpartition("-")[2])
    for prefix, text in (
        ("currency_net_", Text("Net position, charged, ", "计提后净敞口（带符号），")),
        ("currency_", Text("Currency risk, ", "汇率风险，")),
    ):
        if name.startswith(prefix):
            code = name.removeprefix(prefix)
            return Text(text.en + code, text.zh + code)
    raise KeyError(name)
