"""Chinese wording of the command line's help."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["CHINESE", "help_strings", "translate", "usage_error"]

CHINESE: Mapping[str, str] = {
    "Decide how a life insurer's capital is invested, under the solvency rules it lives under.": (
        "在偿付能力监管规则之下，为寿险公司的长期资金确定配置方案。"
    ),
    "Show the version and exit.": "显示版本号并退出。",
    "What is installed, enabled, and from where.": "已安装与启用的插件及其来源。",
    "The fund file.": "组合文件。",
    "Change one setting; repeatable.": "修改一项设置，可重复使用。",
    "Language of messages and reports.": "提示与报告所用语言。",
    "Print one JSON object and nothing else.": "仅输出一个 JSON 对象。",
    "Show the traceback when the program fails.": "程序缺陷时显示调用栈。",
    "Optimize, verify, write the output folder.": "优化、复核并写出结果目录。",
    "Folder to write.": "结果目录。",
    "Capital, ratios and rule checks of the current holdings; no optimizer.": (
        "计算当前持仓的最低资本、充足率并检查规则，不做优化。"
    ),
    "Filed module amounts.": "已披露的各风险模块金额。",
    "Currency units per unit of the filed amounts.": "披露金额的单位（货币单位）。",
    "'auto' or a number, for filed amounts.": "规模系数：'auto' 或数值，用于披露金额。",
    "Regime that aggregates filed amounts.": "汇总披露金额所用的监管制度。",
    "CSV or JSON file.": "CSV 或 JSON 文件。",
    "Check every input and setting; list all problems at once.": "检查全部输入与设置，一次列出所有问题。",
    "Shadow prices in words; if infeasible, the rules in conflict.": (
        "用文字说明影子价格；若无可行解，指出相互冲突的规则。"
    ),
    "Capital under the rules' stress scenarios and your own; reverse stress tests.": (
        "计算监管压力情景与自定义情景下的资本；反向压力测试。"
    ),
    "A multi-year plan: holdings at every step, with the ratios verified at each.": (
        "多年规划：确定各期持仓，并逐期复核充足率。"
    ),
    "Backtest on returns.csv without look-ahead, against two simpler strategies.": (
        "按历史收益率滚动回测，仅用当时已知信息，并与两种简单策略对照。"
    ),
    "Find how far each factor may move.": "反向压力测试：寻找各因素可承受的变动幅度。",
    "List the installed plugins and what they offer.": "列出已安装的插件及其提供的内容。",
    "Create a fund folder to start from.": "生成一个可直接修改的组合目录。",
    "Folder to create.": "要生成的目录。",
    "Create a plugin project whose tests pass unchanged.": "生成一个插件项目，其测试无需修改即可通过。",
    "Name of the plugin and of its package.": "插件及其包的名称。",
    "What it starts with: constraint, tilt, objective …": "初始内容：constraint、tilt、objective 等。",
    "Where to create the project's folder.": "项目目录的上级目录。",
    "Test everything a plugin offers on a small fund, and report what fails.": (
        "在小型组合上测试插件提供的全部内容，并列出不符合约定之处。"
    ),
    "Name of an installed plugin.": "已安装插件的名称。",
    "The best of one figure at every level of another.": "在一个指标的各个水平上，求另一指标的最优值。",
    "Number of levels.": "点数。",
    "Figure constrained at each level; left out, the principal ratio.": "各水平上受约束的指标；省略时为主要充足率。",
    "Figure optimised at each level.": "各水平上优化的指标。",
    "First level: 2.5 or 250%.": "起始水平：2.5 或 250%。",
    "Last level: 3 or 300%.": "终止水平：3 或 300%。",
    "Run one study for many funds, dates, settings or seeds.": "对多个组合、日期、设置或随机种子批量运行同一项研究。",
    "The study file.": "研究文件。",
    "Processes; -1 for one per core.": "进程数；-1 表示每个核心一个。",
    "'loky' for local processes, 'dask' for a cluster.": "'loky' 为本机进程，'dask' 为集群。",
    "Address of the Dask scheduler.": "Dask 调度器地址。",
    "Continue a batch that was stopped.": "继续已中断的批量任务。",
    "Show this message and exit.": "显示帮助并退出。",
    "Repeat a past run and compare; write nothing.": "重新执行以往的运行并对比差异，不写文件。",
    "Trace a figure of a run down to factor, article, file and row.": "将结果中的数字追溯至因子、条款、文件与行号。",
    "Folder of a run.": "运行结果目录。",
    "capital.MODULE, solvency.RATIO, constraints.RULE, allocation.ASSET, tilts.TILT, or a measure: expected_return, "
    "volatility, turnover, trading_cost, funded_total, objective.": (
        "capital.模块、solvency.充足率、constraints.规则、allocation.资产、tilts.倾斜，或 expected_return、volatility、"
        "turnover、trading_cost、funded_total、objective。"
    ),
    "The runs and studies of the register, newest first.": "已登记的运行与研究，最新的在前。",
    "Only runs of this fund.": "仅列出该组合的运行。",
    "File or database URL; else ALLOCATOR_REGISTER.": "文件或数据库 URL；缺省取 ALLOCATOR_REGISTER。",
    "How many runs.": "列出多少次运行。",
    "Compare runs: what changed in the inputs, what changed in the results.": "对比多次运行：输入与结果各有何变化。",
    "OUT folders, or numbers of the register.": "结果目录，或登记编号。",
}
"""English help string → Chinese; a test keeps it complete."""


_USAGE = (
    (r"No such option: (\S+)\s*(.*)", "没有选项 {0}"),
    (r"No such command '([^']*)'\.?\s*(.*)", "没有命令 {0}"),
    (r"Missing argument '([^']*)'\.?", "缺少参数 {0}"),
    (r"Missing option '([^']*)'\.?", "缺少选项 {0}"),
    (r"Missing command\.?", "缺少命令"),
    (r"Option '([^']*)' requires an argument\.?", "选项 {0} 需要取值"),
    (r"Got unexpected extra argument(?:s|\(s\))? \((.*)\)", "多余的参数：{0}"),
    (r"Invalid value for '?([^':]*)'?: (.*)", "{0} 的取值无效：{1}"),
)
"""What the command line parser says, and the same in Chinese."""


def usage_error(message: str) -> str:
    """Return the Chinese of a message of the command line parser; an unknown message stays as it is."""
    for pattern, chinese in _USAGE:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found is not None:
            return chinese.format(*found.groups())
    return message


_FRAME = (
    ("Usage: ", "用法："),
    ("\nArguments:", "\n参数："),
    ("\nOptions:", "\n选项："),
    ("\nCommands:", "\n命令："),
    ("Show this message and exit.", CHINESE["Show this message and exit."]),
    ("[required]", "[必填]"),
    ("[default: ", "[默认："),
)
"""What the parser itself writes into a help text, and the same in Chinese."""


def translate(command: Any) -> None:
    """Put the Chinese wording in the place of the English help of a command and everything below it."""
    for holder, attribute in _holders(command):
        english = getattr(holder, attribute)
        setattr(holder, attribute, CHINESE.get(english, english))
    _frame(command)


def _frame(command: Any) -> None:
    written = command.get_help

    def get_help(context: Any) -> str:
        text: str = written(context)
        for english, chinese in _FRAME:
            text = text.replace(english, chinese)
        return text

    command.get_help = get_help
    for child in getattr(command, "commands", {}).values():
        _frame(child)


def help_strings(command: Any) -> set[str]:
    """Return every help string of a command and everything below it."""
    return {getattr(holder, attribute) for holder, attribute in _holders(command)}


def _holders(command: Any) -> list[tuple[Any, str]]:
    found = [(command, name) for name in ("help", "short_help", "epilog") if getattr(command, name, None)]
    found += [(option, "help") for option in command.params if getattr(option, "help", None)]
    for child in getattr(command, "commands", {}).values():
        found += _holders(child)
    return found
