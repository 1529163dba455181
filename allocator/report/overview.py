"""The first page: six questions, each with its answer."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from allocator.report.formats import FORMATS
from allocator.report.headline import headline
from allocator.report.summary import SHARE, binding_rules, key_measures, proof_line, top_trades, watched_breaches
from allocator.report.templating import render
from allocator.report.view import View
from allocator.report.words import STATUS, TILT_MODES
from allocator.types import Text

__all__ = ["overview"]

TRADES, RULES = 6, 6
CARDS = ("expected_return", "volatility", "comprehensive", "core", "minimum_capital")


def overview(view: View) -> Markup:
    """Return the first page."""
    measures, proof, entry, money = key_measures(view), proof_line(view), view.manifest, view.money
    bought, sold = top_trades(view, TRADES)
    return render(
        "overview.html",
        money=money,
        sentences=headline(view),
        measures=measures,
        cards=[line for line in measures if line.name in CARDS],
        shares=[line for line in measures if line.name.startswith(SHARE)],
        trades=(*bought, *sold),
        turnover=FORMATS["percent"].write(entry["turnover"], money),
        cost=FORMATS["money"].write(view.cny(entry["trading_cost"]), money),
        rules=binding_rules(view),
        most=RULES,
        watched=watched_breaches(view),
        proof=proof,
        status=STATUS[str(proof["status"])],
        notes=sorted(entry["notes"], key=lambda note: bool(note["rule"])),
        tilt_heads=[
            view.tables["tilts"].heading(name) for name in ("name", "score_after", "return_given_up", "capital_used")
        ],
        tilts=_tilts(view),
    )


def _tilts(view: View) -> list[dict[str, Any]]:
    """Return each tilt with what it steered and what it cost."""
    source = view.tables["tilts"]
    return [
        {
            **{str(key): value for key, value in line.items()},
            "label": source.labels["name"].get(line["name"]) or Text(line["name"], line["name"]),
            "mode": TILT_MODES.get(line["mode"]),
        }
        for line in source.frame.to_dict("records")
    ]
