"""docs/rules.md: every rule, figure and example that it names exists, and nothing that exists is left out."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import allocator_alm
import allocator_eligibility
import allocator_limits
import allocator_liquidity
import numpy as np
import pandas as pd
import pytest
import yaml
from rule_funds import build, context

from allocator.extension.registry import Registry
from allocator.rulebook.book import Figure, RuleBook
from allocator.types import Certainty

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
PLUGINS = {
    "limits": allocator_limits,
    "eligibility": allocator_eligibility,
    "alm": allocator_alm,
    "liquidity": allocator_liquidity,
}
REGISTRY = Registry(PLUGINS.items())
SPECS = tuple(REGISTRY.constraints.values())
WHEN = date(2027, 1, 1)
(EXAMPLE_BLOCK,) = re.findall(r"```text\n(.*?)```", TEXT, re.S)
EXAMPLES = EXAMPLE_BLOCK.strip().splitlines()


def table() -> list[list[str]]:
    """Return the lines of the tables of rules: line, source, certainty, rule, figures."""
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line.startswith("|")
    ]
    return [cells for cells in lines if len(cells) == 5 and cells[0] not in ("requirement", "---")]


def figures(when: date = WHEN) -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    for name in PLUGINS:
        book = RuleBook.load(f"allocator_{name}", f"rules/{name}.yaml")
        assert not set(found) & set(book.keys)
        found |= {key: book.at(key, when, early=True) for key in book.keys}
    return found


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_line_names_a_rule_or_says_why_not() -> None:
    assert len(table()) > 40
    for line, _, _, rule, _ in table():
        if rule.startswith("no rule"):
            assert ":" in rule and len(rule.split(":", 1)[1]) > 15, line
            continue
        named = quoted(re.sub(r"\(.*?\)", "", rule))
        assert named, line
        assert not [name for name in named if name not in REGISTRY.constraints], line


def test_every_rule_stands_in_the_table() -> None:
    named = {name for cells in table() for name in quoted(cells[3]) if not cells[3].startswith("no rule")}
    assert not set(REGISTRY.constraints) - named


def test_every_figure_stands_in_the_table_with_its_source_and_certainty() -> None:
    now, before = figures(), figures(date(2025, 4, 7))
    assert {name for cells in table() for name in quoted(cells[4])} == set(now)
    for line, source, certainty, _, keys in table():
        for key in quoted(keys):
            sources = (now[key].source, before[key].source)
            # A list of kinds is recalled even where the threshold beside it is not.
            recalled = isinstance(now[key].value, (list, dict)) and now[key].source.certainty is Certainty.RECALLED
            if not recalled and source != "user":
                assert any(one.document in source for one in sources), (line, key)
                assert certainty in {one.certainty.value for one in sources}, (line, key)


def test_stated_thresholds_are_the_books() -> None:
    """Percentages of the table's lines are those of the figures beside them."""
    known = figures()
    for line, _, _, _, keys in table():
        stated = {float(number) for number in re.findall(r"(\d+(?:\.\d+)?)%", line)}
        for key in quoted(keys):
            value = known[key].value
            if isinstance(value, float) and known[key].unit.startswith(("share", "ratio")) and stated:
                assert round(100 * value, 9) in stated, (line, key)


@pytest.mark.parametrize("rule", EXAMPLES)
def test_the_examples_of_the_rule_language_are_rules(rule: str) -> None:
    rows = [
        {
            **{"kind": kind, "amount": 100.0, "issuer": "X", "rating": "AA", "currency": "CNY", "green": True},
            **{"modified_duration": 4.0, "maturity": "2028-06-30", "indices": ("csi300",)},
        }
        for kind in ("venture_fund", "corporate_bond", "cash", "reverse_repo")
    ]
    fund = context(rows, issuers=pd.DataFrame({"issuer": ["X"], "type": ["technology_firm"]}))
    for term in build(SPECS, "limit", fund, rule=rule).values():
        assert np.isfinite(term.slack(fund.space.current)).all()


def test_the_fund_file_of_the_page_names_rules_and_keys_that_exist() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.S)
    for entry in yaml.safe_load(block)["constraints"]:
        name, options = (entry, {}) if isinstance(entry, str) else next(iter(entry.items()))
        REGISTRY.constraints[name].options.model_validate(options)
