"""The first page: six questions, each with its answer."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.report.formats import FORMATS, is_missing
from allocator.report.headline import headline
from allocator.report.html import both, plain, tag
from allocator.report.summary import (
    Measure,
    Trade,
    binding_rules,
    key_measures,
    proof_line,
    top_trades,
    watched_breaches,
)
from allocator.report.view import View
from allocator.report.words import STATUS, TILT_MODES
from allocator.types import Text

__all__ = ["overview"]

TRADES, RULES = 6, 6
CARDS = ("expected_return", "volatility", "comprehensive", "core", "minimum_capital")


def overview(view: View) -> str:
    """Return the first page."""
    measures = key_measures(view)
    cards = [_card(line, view) for line in measures if line.name in CARDS]
    left = tag("div", [_trades(view), _trust(view)], class_="stack")
    right = tag("div", [_rules(view), _cost(view, measures), _tilts(view)], class_="stack")
    answer = tag("div", tag("ul", [tag("li", both(text)) for text in headline(view)]), class_="panel answer")
    return answer + tag("div", cards, class_="cards") + tag("div", [left, right], class_="grid")


def _question(title: Text, content: str, class_: str = "panel") -> str:
    return tag("div", tag("h3", both(title)) + content, class_=class_)


def _card(line: Measure, view: View) -> str:
    change = line.write_change(view.money)
    good = line.welcome is not None and change[0] in "+−" and (change[0] == "+") == line.welcome
    class_ = "" if line.welcome is None or change[0] not in "+−" else "welcome" if good else "unwelcome"
    was = Text(f"was {line.write(line.before, view.money)}", f"原 {line.write(line.before, view.money)}")
    below = both(was) + " " + tag("b", plain(change), class_=class_)
    if line.required is not None:
        asked = line.write(line.required, view.money)
        below += tag("span", both(Text(f"required ≥ {asked}", f"要求 ≥ {asked}")), class_="asked")
    return tag(
        "div",
        [
            tag("div", both(line.label), class_="name"),
            tag("div", plain(line.write(line.after, view.money)), class_="value", data_measure=line.name),
            tag("div", below, class_="change"),
        ],
        class_="panel card",
    )


def _grid(headings: Sequence[Text], rows: Sequence[Sequence[str]]) -> str:
    head = [
        tag("th", both(text), scope="col", class_="figure" if place else None) for place, text in enumerate(headings)
    ]
    body = [
        tag("tr", [tag("td", cell, class_="figure" if place else None) for place, cell in enumerate(row)])
        for row in rows
    ]
    return tag("table", tag("thead", tag("tr", head)) + tag("tbody", body))


def _trades(view: View) -> str:
    bought, sold = top_trades(view, TRADES)
    title = Text("What do we buy and sell?", "买什么，卖什么？")
    if not bought and not sold:
        return _question(
            title, tag("p", both(Text("Nothing: the holdings stay as they are.", "无需调整，持仓保持不变。")))
        )
    headings = (Text("Asset", "资产"), Text("Trade", "买卖"), Text("Target", "调整后"), Text("Return", "收益率"))
    entry = view.manifest
    turnover = FORMATS["percent"].write(entry["turnover"], view.money)
    cost = FORMATS["money"].write(view.amount(entry["trading_cost"]), view.money)
    lead = Text(f"Turnover {turnover} one way, cost {cost}.", f"单边换手 {turnover}，成本 {cost}。")
    rows = [_trade(trade, view) for trade in (*bought, *sold)]
    return _question(title, tag("p", both(lead), class_="lead") + _grid(headings, rows))


def _trade(trade: Trade, view: View) -> list[str]:
    money = FORMATS["money"]
    detail = tag("span", plain(f"{trade.asset_id} · ") + both(trade.account), class_="sub")
    side = "buy" if trade.trade > 0 else "sell"
    return [
        plain(trade.name) + detail,
        tag("span", plain(money.write(trade.trade, view.money, sign=True)), class_=side),
        plain(money.write(trade.target, view.money)),
        plain(FORMATS["percent"].write(trade.expected_return, view.money)),
    ]


def _rules(view: View) -> str:
    rules = binding_rules(view)
    title = Text("Which rule holds us back?", "哪条规则在约束我们？")
    if not rules:
        return _question(title, tag("p", both(Text("None binds.", "没有起约束作用的规则。"))) + _watched(view))
    headings = (Text("Rule", "规则"), Text("Limit", "限值"), Text("One step", "放松一步"), Text("is worth", "目标改善"))
    rows = [
        [
            both(rule.label) + tag("span", both(rule.cited), class_="sub"),
            plain(rule.limit),
            both(rule.step),
            plain(rule.write_gain(view.money)),
        ]
        for rule in rules[:RULES]
    ]
    more = len(rules) - RULES
    text = Text(f"Further binding rules: {more}.", f"另有 {more} 条规则起约束作用。")
    rest = tag("p", both(text), class_="note") if more > 0 else ""
    return _question(title, _grid(headings, rows) + rest + _watched(view))


def _watched(view: View) -> str:
    """Say which monitored rules do not hold."""
    label = tag("span", both(Text("watch", "关注")), class_="tag")
    items = [
        tag("li", label + both(breach.label) + plain(f" {breach.value}, {breach.limit}"))
        for breach in watched_breaches(view)
    ]
    return tag("ul", items, class_="notes watched") if items else ""


def _cost(view: View, measures: Sequence[Measure]) -> str:
    """Answer what it earns and what it costs in capital: every measure before and after."""
    title = Text("What does it earn, what does it cost in capital?", "收益多少，占用多少资本？")
    headings = (Text("Measure", "指标"), Text("Before", "调整前"), Text("After", "调整后"), Text("Change", "变动"))
    rows = [
        [
            both(line.label),
            plain(line.write(line.before, view.money)),
            tag("b", plain(line.write(line.after, view.money))),
            plain(line.write_change(view.money)) if line.change is not None else "",
        ]
        for line in measures
    ]
    return _question(title, _grid(headings, rows))


def _tilts(view: View) -> str:
    source = view.tables["tilts"]
    title = Text("What does the policy tilt cost?", "政策倾斜的代价是多少？")
    if source.frame.empty:
        none = Text(
            "No tilt is set: return, risk and rules alone decide.", "未设置政策倾斜：仅由收益、风险与规则决定配置。"
        )
        return _question(title, tag("p", both(none)))
    headings = tuple(source.heading(name) for name in ("name", "score_after", "return_given_up", "capital_used"))
    rows = []
    for line in source.frame.to_dict("records"):
        name = source.labels["name"].get(line["name"]) or Text(line["name"], line["name"])
        mode = TILT_MODES.get(line["mode"])
        percent = [FORMATS["percent"].write(line[key], view.money) for key in ("score_untilted", "score_after")]
        rows.append(
            [
                both(name) + (tag("span", both(mode), class_="sub") if mode is not None else ""),
                "" if is_missing(line["score_after"]) else plain(" → ".join(percent)),
                plain(FORMATS["basis_points"].write(line["return_given_up"], view.money)),
                plain(FORMATS["money"].write(line["capital_used"], view.money)),
            ]
        )
    note = Text("Against the best allocation without tilts.", "与不作倾斜的最优配置相比。")
    return _question(title, _grid(headings, rows) + tag("p", both(note), class_="note"))


def _trust(view: View) -> str:
    """Answer whether to believe it: proof, re-check, notes and what-ifs."""
    proof, entry = proof_line(view), view.manifest
    verdict = (
        Text("yes: every rule and ratio recomputed from inputs and answer", "是：由输入与结果独立重算全部规则与充足率")
        if proof["verified"]
        else Text("no", "否")
    )
    lines = [
        (Text("Status", "状态"), both(STATUS[str(proof["status"])])),
        (Text("Objective", "目标值"), plain(proof["objective"])),
        (Text("Certified bound", "可证明的界"), plain(proof["bound"])),
        (Text("Gap", "差距"), plain(proof["gap"])),
        (Text("Relaxations solved", "求解节点数"), plain(proof["nodes"])),
        (Text("Solver", "求解器"), plain(proof["solver"])),
        (Text("Verified", "复核"), both(verdict)),
    ]
    content = tag("dl", [tag("dt", both(term)) + tag("dd", shown) for term, shown in lines], class_="proof")
    notes = [
        tag(
            "li",
            ("" if note["rule"] else tag("span", both(Text("not the rule", "非监管口径")), class_="tag"))
            + both(Text(note["en"], note["zh"]))
            + (f" ({plain(note['article'])})" if note["article"] else ""),
        )
        for note in sorted(entry["notes"], key=lambda note: bool(note["rule"]))
    ]
    if notes:
        heading = both(Text(f"Assumptions and readings ({len(notes)})", f"假设与解读（{len(notes)}）"))
        fold = tag("summary", heading) + tag("ul", notes, class_="notes")
        content += tag("details", fold, open="" if len(notes) <= 6 else None)
    return _question(Text("Can I trust it?", "结果可信吗？"), content)
