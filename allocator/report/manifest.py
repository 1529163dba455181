"""run.json: what was asked, what came out, how sure it is, and from exactly which inputs."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.config.settings import Settings
from allocator.errors import AllocatorError, Infeasible, NotProven, VerificationError
from allocator.inputs.fund import Inputs
from allocator.jurisdiction import Jurisdiction
from allocator.model.limits import rules_without_rows
from allocator.model.position import CapitalPosition
from allocator.model.regime import Regime, RegimeNote
from allocator.report.jurisdiction_entry import jurisdiction_entry
from allocator.report.leaves import leaf_entries
from allocator.report.versions import versions_of
from allocator.result.result import TRADE_NOISE, Result, TiltPrice
from allocator.types import Language
from allocator.verify import verify

if TYPE_CHECKING:
    from allocator.study.tasks import Plan

__all__ = [
    "Json",
    "batch_manifest",
    "capital_summary",
    "failure_entry",
    "failure_manifest",
    "file_hash",
    "manifest",
    "note_entry",
    "problem_entries",
    "recipe",
    "provenance",
    "study_manifest",
    "verified",
]

Json = dict[str, Any]


def manifest(result: Result) -> Json:
    """Return run.json of a verified answer, money in ``fund.unit``; the writer adds the files' hashes."""
    solution, space, unit = result.solution, result.model.space, result.inputs.unit
    chosen = result.inputs.settings.objective
    scale = unit if result.objective_in_money else 1.0
    summary: Json = {
        "status": result.status,
        "objective": result.objective / scale,
        "bound": result.bound / scale,
        "gap": result.gap / scale,
        "nodes": solution.nodes,
        "solver": solution.solver,
        "verified": verified(result),
        "unchecked_limits": [{"en": item.en, "zh": item.zh} for item in result.unchecked],
        "aim": {
            "direction": "minimize" if chosen.minimize else "maximize",
            "name": chosen.minimize or chosen.maximize,
            "unit": "money" if result.objective_in_money else "annual decimal",
        },
        "expected_return": {
            "before": result.return_before,
            "after": result.return_after,
        },
        "volatility": _volatility(result),
        "trading_cost": float(result.model.cost.value(result.holdings)[0]) / unit,
        "turnover": 0.5 * float(np.abs(result.traded[space.funded]).sum()) / space.total,
        "funded_total": space.total / unit,
        "shares": _shares(result),
        "seconds": dict(result.seconds),
    }
    if result.before is not None and result.after is not None:
        summary |= _solvency(result.before, result.after, result.inputs.jurisdiction, unit)
        summary["capital"]["leaves"] = leaf_entries(result.after, result.inputs.settings, unit)
    if result.relaxed_constraints:
        summary["concessions"] = [
            {"name": item.name, "amount": item.amount, "unit": item.unit, "priority": item.priority}
            for item in result.relaxed_constraints
        ]
    if result.tilts:
        summary["tilts"] = {tilt.name: _tilt(tilt, result) for tilt in result.tilts}
    made = provenance(result.inputs, result.regime)
    idle = [note_entry(RegimeNote(text)) for text in rules_without_rows(result.model.terms)]
    return summary | made | {"notes": idle + made["notes"]}


def verified(result: Result) -> bool:
    """Return whether bounds, rules and promises on capital hold at the target, recomputed in numpy here and now."""
    try:
        return verify(result.model, result.holdings, None if result.after is None else result.after.tree).passed
    except VerificationError:
        return False


def capital_summary(position: CapitalPosition, jurisdiction: Jurisdiction, regime: Regime | None, unit: float) -> Json:
    """Return capital and ratios of one set of holdings, money in ``unit``."""
    attribution = position.tree.attribute(position.holdings)
    return {
        "capital": {
            "minimum_capital": position.minimum_capital / unit,
            **_own_funds(position, jurisdiction, unit),
            "attribution": {
                "assets": float(attribution.contribution.sum()) / unit,
                "liabilities_and_constants": attribution.constants / unit,
                "total": attribution.total / unit,
            },
        },
        "solvency": {
            item.name: {
                "before": item.over(position.minimum_capital),
                "required": item.required,
                "statutory": item.statutory,
                "article": item.article,
            }
            for item in position.requirements
        },
        "notes": [note_entry(note) for note in (regime.notes() if regime else ())],
    }


def failure_entry(error: AllocatorError) -> Json:
    """Return the JSON object of a run that ended with an error."""
    return {
        "status": _FAILURES.get(type(error), "bad_input" if error.exit_status == 2 else "defect"),
        "exit_status": error.exit_status,
        "verified": False,
        "problems": problem_entries(error),
    }


_FAILURES: Mapping[type[AllocatorError], str] = {Infeasible: "infeasible", NotProven: "not_proven"}


def failure_manifest(error: AllocatorError, inputs: Inputs) -> Json:
    """Return run.json of a run that ended without an answer: infeasible, or not proven within the limits."""
    return failure_entry(error) | provenance(inputs, None)


def study_manifest(entry: Json, inputs: Inputs, regime: Regime | None) -> Json:
    """Return run.json of a study: its own entry and from exactly which inputs it came."""
    return entry | provenance(inputs, regime)


def batch_manifest(plan: Plan, study: Path, results: Path, rows: Mapping[str, int]) -> Json:
    """Return what batch.json says of a finished batch: what was asked of which fund files, and what came of it.

    Parameters
    ----------
    plan : Plan
        The tasks.
    study : Path
        The study file.
    results : Path
        The file of all results.
    rows : mapping of str to int
        Number of its rows by status.
    """
    funds = {Path(os.path.relpath(name, study.parent)).as_posix(): Path(name) for name in plan.funds}
    return {
        "study": "batch",
        "question": plan.spec.name,
        "status": "done",
        "fund": {"name": study.name, "as_of": "", "unit": 1.0},
        "tasks": len(plan),
        "rows": dict(rows),
        "inputs": {name: {"file": name, "rows": None, "sha256": file_hash(path)} for name, path in funds.items()},
        "settings": plan.settings.model_dump(mode="json"),
        "versions": dict(versions_of(())),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {results.name: file_hash(results)},
    }


def problem_entries(error: AllocatorError) -> list[Json]:
    """Return the problems of an error for JSON, in both languages."""
    return [
        {
            "where": problem.where,
            "got": problem.got,
            "allowed": problem.allowed,
            "en": problem.render(Language.ENGLISH),
            "zh": problem.render(Language.CHINESE),
        }
        for problem in error.problems
    ]


def note_entry(note: RegimeNote) -> Json:
    """Return a note of the regime; ``rule`` is false for what departs from the rules."""
    return {"en": note.text.en, "zh": note.text.zh, "article": note.article, "rule": note.rule}


def _own_funds(position: CapitalPosition, jurisdiction: Jurisdiction, unit: float) -> Json:
    """Return the numerator of each ratio: actual capital, then those of the others, None where it is not given."""
    amounts = position.own_funds.amounts
    further = [ratio.name for ratio in jurisdiction.ratios[1:]]
    given = {f"{name}_capital": amounts[name] / unit if name in amounts else None for name in further}
    return {"actual_capital": position.own_funds.actual / unit, **given}


def _solvency(before: CapitalPosition, after: CapitalPosition, jurisdiction: Jurisdiction, unit: float) -> Json:
    after_by_name = {item.name: item for item in after.requirements}
    summary = capital_summary(after, jurisdiction, None, unit)
    capital = summary["capital"] | {
        "minimum_capital_before": before.minimum_capital / unit,
        **{f"{name}_before": amount for name, amount in _own_funds(before, jurisdiction, unit).items()},
    }
    solvency = {
        item.name: {
            "before": before.ratio(item.name),
            "after": after.ratio(item.name),
            "required": after_by_name[item.name].required,
            "statutory": item.statutory,
            "article": item.article,
        }
        for item in before.requirements
    }
    return {"solvency": solvency, "capital": capital}


def _volatility(result: Result) -> Json | None:
    """Return the standard deviation of the annual return of both portfolios; None without a risk model."""
    if result.risk is None:
        return None
    space = result.model.space
    return {
        "before": math.sqrt(result.risk.variance(space.current_weights)),
        "after": math.sqrt(result.risk.variance(result.shares)),
        "method": {"en": result.risk.method.en, "zh": result.risk.method.zh},
    }


def _shares(result: Result) -> Json:
    """Return the share of each theme of kinds before and after, by the theme's English name in lower case."""
    kinds, assets, space = result.inputs.kinds, result.inputs.assets, result.model.space
    found: Json = {}
    for kind in dict.fromkeys(assets["kind"]) if "kind" in assets else ():
        theme = kinds[kind].theme if kind in kinds else None
        if theme is None:
            continue
        rows = (assets["kind"] == kind).to_numpy()
        name = theme.en.lower().replace(" ", "_")
        line = found.setdefault(name, {"before": 0.0, "after": 0.0, "label": {"en": theme.en, "zh": theme.zh}})
        line["before"] += float(space.current[rows].sum()) / space.total
        line["after"] += float(result.holdings[rows].sum()) / space.total
    return found


def _tilt(tilt: TiltPrice, result: Result) -> Json:
    space, unit = result.model.space, result.inputs.unit
    order = np.argsort(-np.abs(tilt.moved), kind="stable")
    traded = order[np.abs(tilt.moved[order]) > TRADE_NOISE * space.total]
    return {
        "mode": tilt.mode,
        "score_before": tilt.score_before,
        "score_untilted": tilt.score_untilted,
        "score_after": tilt.score_after,
        "score_gap": tilt.score_gap,
        "objective_given_up": tilt.objective_given_up,
        "return_given_up": tilt.return_given_up,
        "capital_used": tilt.capital_used / unit,
        "ratio_change": tilt.ratio_change,
        "bought_and_sold": [
            {
                "asset_id": str(space.asset_id[row]),
                "account": str(space.account[row]),
                "amount": float(tilt.moved[row]) / unit,
            }
            for row in traded
        ],
    }


def provenance(inputs: Inputs, regime: Regime | None) -> Json:
    """Return what every run.json says of where its figures come from: fund, notes, inputs, settings, versions."""
    settings = inputs.settings
    fund = settings.fund
    entry: Json = {
        "fund": {
            "name": fund.name,
            "as_of": fund.as_of.isoformat(),
            "unit": fund.unit,
            "rows": len(inputs.assets),
            "regime": settings.capital.regime if settings.capital else None,
        },
        "jurisdiction": jurisdiction_entry(inputs.jurisdiction),
        "notes": [note_entry(note) for note in (*map(RegimeNote, inputs.notes), *(regime.notes() if regime else ()))],
        "inputs": _inputs(inputs),
        "seed": settings.solve.seed,
        "settings": _settings(inputs),
        "versions": dict(versions_of(settings.plugins.enable)),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return entry


def recipe(settings: Settings, out: Path) -> Json:
    """Return what a replay needs beyond the inputs: the fund file as seen from OUT, and the settings changed.

    The path is None unless fund file and OUT lie below the working directory: no machine's folders go into a
    file that travels. Where runs are registered is no part of a result, and may hold a password.
    """
    here, fund, folder = Path.cwd(), (settings.folder / settings.file).resolve(), out.resolve()
    near = bool(settings.file) and fund.is_relative_to(here) and folder.is_relative_to(here)
    return {
        "fund": Path(os.path.relpath(fund, folder)).as_posix() if near else None,
        "set": [change for change in settings.given if change.partition("=")[0].strip() != "register"],
    }


def _inputs(inputs: Inputs) -> dict[str, Json]:
    found: dict[str, Json] = {}
    path = inputs.settings.folder / inputs.settings.file
    if inputs.settings.file and path.is_file():
        found["fund"] = {"file": path.name, "rows": None, "sha256": file_hash(path)}
    for name, source in inputs.sources.items():
        found[name] = {"file": source.file, "rows": len(inputs.tables[name]), "sha256": source.fingerprint}
    return found


def _settings(inputs: Inputs) -> Json:
    """Return the settings as they were understood; paths relative to the fund file's folder.

    Where runs are registered stays out: it changes no figure, and a database URL may hold a password.
    """
    settings = inputs.settings
    echo: Json = settings.model_dump(
        mode="json", exclude={"lines", "folder", "file", "inputs", "overrides", "given", "run_register"}
    )
    echo["overrides"] = sorted(settings.overrides - {"register"})
    echo["inputs"] = {
        name: path.relative_to(settings.folder).as_posix() if path.is_relative_to(settings.folder) else path.name
        for name, path in settings.inputs.items()
    }
    return echo


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
