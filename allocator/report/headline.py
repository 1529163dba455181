"""The answer in a few sentences: what it earns, what it costs in capital, what holds it back, what the tilts cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from allocator.language import counted
from allocator.report.formats import FORMATS
from allocator.report.summary import Measure, binding_rules, count_trades, key_measures, proof_line
from allocator.report.view import View
from allocator.report.warnings import unchecked_warning
from allocator.report.words import STATUS
from allocator.types import Text

__all__ = ["headline"]


TILT = "tilt:"
"""How the names of the tilts' own terms begin."""


def headline(view: View) -> tuple[Text, ...]:
    """Return the sentences, in the order of the first page's questions; figures as run.json has them."""
    measures = {line.name: line for line in key_measures(view)}
    return (
        *unchecked_warning(view.result.unchecked),
        _trading(view),
        _earning(measures["expected_return"], view),
        *_capital(measures, view),
        _rules(view),
        _tilts(view),
        _proof(view),
    )


def _trading(view: View) -> Text:
    bought, sold = count_trades(view)
    if not bought and not sold:
        return Text("The holdings stay as they are.", "持仓保持不变。")
    turnover = FORMATS["percent"].write(view.manifest["turnover"], view.money)
    cost = FORMATS["money"].write(view.cny(view.manifest["trading_cost"]), view.money)
    return Text(
        f"{counted(bought, 'row')} bought and {sold:,} sold: {turnover} of the portfolio, at a cost of {cost}.",
        f"买入 {bought} 项、卖出 {sold} 项，单边换手 {turnover}，交易成本 {cost}。",
    )


def _moves(subject: Text, line: Measure, view: View) -> Text:
    """Say that a figure rises, falls or stays; without a full stop."""
    change, after = line.write_change(view.money), line.write(line.after, view.money)
    if change[0] not in "+−":
        return Text(f"{subject.en} stays at {after}", f"{subject.zh}保持 {after}")
    before, verb = line.write(line.before, view.money), _VERBS[change[0]]
    return Text(
        f"{subject.en} {verb.en} from {before} to {after} ({change})",
        f"{subject.zh}由 {before} {verb.zh} {after}（{change}）",
    )


_VERBS = {"+": Text("rises", "升至"), "−": Text("falls", "降至")}


def _earning(line: Measure, view: View) -> Text:
    said = _moves(Text("The expected return a year", "预期年收益率"), line, view)
    return Text(f"{said.en}.", f"{said.zh}。")


def _capital(measures: Mapping[str, Measure], view: View) -> Iterator[Text]:
    if "minimum_capital" in measures:
        said = _moves(Text("Minimum capital", "最低资本"), measures["minimum_capital"], view)
        yield Text(f"{said.en}.", f"{said.zh}。")
    if "comprehensive" in measures:
        line = measures["comprehensive"]
        said = _moves(Text("The comprehensive solvency ratio", "综合偿付能力充足率"), line, view)
        asked = Text(".", "。")
        if line.required is not None:
            required = line.write(line.required, view.money)
            asked = Text(f"; {required} is required.", f"，要求 {required}。")
        yield Text(said.en + asked.en, said.zh + asked.zh)


def _rules(view: View) -> Text:
    """Name the dearest rule; budgets are equalities and tilts are wanted, so neither holds anybody back."""
    senses = view.tables["constraints"].frame.set_index("name")["sense"]
    rules = [rule for rule in binding_rules(view) if senses[rule.name] != "==" and not rule.name.startswith(TILT)]
    if not rules:
        return Text("No limit holds it back.", "没有限额起约束作用。")
    first, gain = rules[0], rules[0].write_gain(view.money)
    return Text(
        f"What holds it back most is '{first.label.en}' ({first.limit}): {first.step.en} more room is worth {gain}.",
        f"约束最强的是“{first.label.zh}”（{first.limit}）：放松{first.step.zh}可改善目标 {gain}。",
    )


def _tilts(view: View) -> Text:
    frame = view.tables["tilts"].frame
    if frame.empty:
        return Text("No policy tilt is set.", "未设置政策倾斜。")
    lines = frame[frame["name"] == "all"] if (frame["name"] == "all").any() else frame
    line = lines.iloc[-1]
    given = FORMATS["basis_points"].write(line["return_given_up"], view.money)
    used = FORMATS["money"].write(abs(line["capital_used"]), view.money)
    english, chinese = ("use", "占用") if line["capital_used"] >= 0 else ("free", "释放")
    return Text(
        f"The policy tilts give up {given} of return and {english} {used} of capital.",
        f"政策倾斜让渡收益 {given}，{chinese}资本 {used}。",
    )


def _proof(view: View) -> Text:
    proof = proof_line(view)
    status = STATUS[str(proof["status"])]
    if not proof["verified"]:
        return Text(f"Status: {status.en}; NOT verified.", f"状态：{status.zh}；未通过复核。")
    return Text(
        f"Status: {status.en}, within {proof['gap']} of the best possible; every rule and ratio was recomputed.",
        f"状态：{status.zh}，与可能的最优值相差不超过 {proof['gap']}；全部规则与充足率已独立重算。",
    )
