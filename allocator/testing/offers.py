"""What each kind of offer promises: one function a hook, each yielding findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from pydantic import BaseModel

from allocator.api import Fund
from allocator.config.load import validate_options
from allocator.errors import AllocatorError, InputError
from allocator.model import Objective, Term
from allocator.testing.expressions import Curvature, Points, check_expression, curvature_of
from allocator.testing.findings import Finding, Outcome
from allocator.testing.trial import Trial
from allocator.types import Source, Table, Text

__all__ = ["OFFERS", "OTHER_UNIT", "Offers", "check_offer"]

OTHER_UNIT = 1e4
"""The other unit of money that figures are compared in, as a fraction of the fund's."""

UNITS = 1e-9
"""Largest relative difference of a figure between two units of money."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_UNKNOWN = "no_such_option"


@dataclass(frozen=True)
class Offers:
    """The small fund in three states, with the plugin enabled.

    Parameters
    ----------
    fund : Fund
        With plausible cells in the plugin's own columns.
    other_unit : Fund
        The same in another unit of money.
    bare : Fund or None
        Without cells in the plugin's own columns; None when it declares none.
    trial : Trial
        What the author gave.
    own : tuple of Table
        The plugin's own declarations.
    """

    fund: Fund
    other_unit: Fund
    bare: Fund | None
    trial: Trial
    own: tuple[Table, ...]

    def options(self, hook: str, spec: Any, money: float = 1.0) -> Any:
        """Return the options to try an offer with, amounts times ``money``; InputError when some are missing.

        Parameters
        ----------
        hook : str
            Name of the hook.
        spec : object
            What it returned.
        money : float
            Factor of amounts of money.

        Raises
        ------
        InputError
            When options that are needed are not given.
        """
        fields = spec.options.model_fields
        examples = {name: field.examples[0] for name, field in fields.items() if field.examples and field.is_required()}
        known = self.trial.options
        given = {**examples, **known.get(f"{hook}.{spec.name}", known.get(spec.name, {}))}
        return validate_options(spec.options, _scaled(given, self.trial.money, money), self.fund.settings, spec.name)


def _scaled(options: Any, names: Collection[str], money: float) -> Any:
    """Return options with every amount of money among them multiplied."""
    if not isinstance(options, Mapping):
        return options
    return {
        key: _times(value, money) if key in names else _scaled(value, names, money) for key, value in options.items()
    }


def _times(amount: Any, money: float) -> Any:
    return [_times(item, money) for item in amount] if isinstance(amount, (list, tuple)) else float(amount) * money


def check_offer(hook: str, spec: Any, offers: Offers) -> Iterator[Finding]:
    """Yield the findings about one specification.

    Parameters
    ----------
    hook : str
        Name of the hook.
    spec : object
        What it returned.
    offers : Offers
        The fund and the options to try it with.
    """
    wrong = tuple(_specification(hook, spec))
    if wrong:
        yield from (Finding("specification", spec.name, Outcome.FAILED, text) for text in wrong)
    else:
        yield Finding("specification", spec.name)
    if hook == "allocator_regimes":
        yield from _regime(spec, offers)
    check = OFFERS.get(hook)
    if check is None:
        return
    try:
        options = offers.options(hook, spec)
    except InputError as error:
        what = Text(f"not tried, it needs options: {error}", f"未试用，缺少选项：{error.render('zh')}")
        yield Finding("builds", spec.name, Outcome.NOTED, what)
        return
    yield from _unfilled(spec, options, offers, check)
    yield from check.findings(spec, options, offers)


def _specification(hook: str, spec: Any) -> Iterator[Text]:
    name = spec.name.replace("-", "_") if hook == "allocator_commands" else spec.name
    if not _NAME.fullmatch(name):
        yield Text(f"the name {spec.name!r} is not lower_case", f"名称 {spec.name!r} 应为小写字母、数字与下划线")
    options = getattr(spec, "options", None)
    if options is not None:
        yield from _option_model(options)
    source = getattr(spec, "source", None)
    if source is not None and not (isinstance(source, Source) and source.document):
        yield Text("the source names no document", "来源未注明文件")


def _option_model(options: type[BaseModel]) -> Iterator[Text]:
    if not (isinstance(options, type) and issubclass(options, BaseModel)):
        yield Text("options is no pydantic model", "options 不是 pydantic 模型")
        return
    if options.model_config.get("extra") != "forbid" or not options.model_config.get("frozen"):
        yield Text(
            "the options accept unknown keys or may change: derive from Section", "选项模型不严格：请继承 Section"
        )
    if not (options.__doc__ or "").strip():
        yield Text("the options say nothing of their keys: write a docstring", "选项模型缺少说明文字")


@dataclass(frozen=True, slots=True)
class _Check:
    """How offers of one hook are tried: ``call(spec, options, fund)``, and what its result must be."""

    call: Callable[[Any, Any, Fund], Any]
    findings: Callable[[Any, Any, Offers], Iterator[Finding]]


def _unfilled(spec: Any, options: Any, offers: Offers, check: _Check) -> Iterator[Finding]:
    """An unknown option, and the plugin's own columns left empty, are reported with their place."""
    try:
        validate_options(spec.options, {**options.model_dump(), _UNKNOWN: 1}, offers.fund.settings, spec.name)
    except InputError as error:
        located = _UNKNOWN in str(error)
    else:
        located = False
    wrong = None if located else Text("an unknown option is not refused by name", "未知选项未被指名拒绝")
    if wrong is None and offers.bare is not None:
        try:
            check.call(spec, options, offers.bare)
        except InputError as error:
            if not all(problem.where for problem in error.problems):
                wrong = Text(f"an error names no place: {error}", f"报错未指明位置：{error.render('zh')}")
        except AllocatorError as error:
            english = f"with its own columns empty it fails: {error}"
            wrong = Text(english, f"自有列为空时出错：{error.render('zh')}")
    yield Finding("errors", spec.name, Outcome.FAILED if wrong else Outcome.PASSED, wrong)


def _built(spec: Any, options: Any, offers: Offers, check: _Check) -> tuple[Any, Finding]:
    """Return what an offer builds and the finding about it; twice the same in, twice the same out."""
    try:
        return check.call(spec, options, offers.fund), Finding("builds", spec.name)
    except InputError as error:
        if all(problem.where for problem in error.problems):
            what = Text(f"not tried: {error}", f"未试用：{error.render('zh')}")
            return None, Finding("builds", spec.name, Outcome.NOTED, what)
        wrong: AllocatorError = error
    except AllocatorError as error:
        wrong = error
    return None, Finding("builds", spec.name, Outcome.FAILED, Text(wrong.render("en"), wrong.render("zh")))


def _from_context(spec: Any, options: Any, fund: Fund) -> Any:
    return spec.build(fund.context, options)


def _from_inputs(spec: Any, options: Any, fund: Fund) -> Any:
    return spec.build(fund.inputs, options)


def _scored(spec: Any, options: Any, fund: Fund) -> Any:
    return spec.score(fund.inputs, options)


def _constraint(spec: Any, options: Any, offers: Offers) -> Iterator[Finding]:
    terms, finding = _built(spec, options, offers, OFFERS["allocator_constraints"])
    yield finding
    if terms is None:
        return
    points = Points.of(offers.fund.space, offers.trial.seed)
    for term in terms:
        yield from check_expression(term.name, term.left, curvature_of(term.sense), points)
        wrong = None if term.source.document and term.unit else Text("a term without source or unit", "缺少来源或单位")
        yield Finding("specification", term.name, Outcome.FAILED if wrong else Outcome.PASSED, wrong)
    yield _units(spec, offers, terms)


def _units(spec: Any, offers: Offers, terms: tuple[Term, ...]) -> Finding:
    """Neither side depends on the unit; the right side may where it is an amount that an unnamed option gives."""
    options = offers.options("allocator_constraints", spec, OTHER_UNIT)
    other = {term.name: term for term in spec.build(offers.other_unit.context, options)}
    for term in terms:
        if term.name not in other:
            continue
        current = offers.fund.space.current
        sides = zip(term.shown(current), other[term.name].shown(offers.other_unit.space.current), strict=True)
        left, right = (_same(one, two) for one, two in sides)
        if not left or not (right or term.unit == "CNY"):
            side = Text("right side", "右侧") if left else Text("left side", "左侧")
            what = Text(
                f"{term.name}: the {side.en} changes with fund.unit", f"{term.name}：{side.zh}随 fund.unit 改变"
            )
            return Finding("units", spec.name, Outcome.FAILED, what)
    return Finding("units", spec.name)


def _same(one: Any, two: Any) -> bool:
    return bool(np.shape(one) == np.shape(two) and np.allclose(one, two, rtol=UNITS, atol=0.0))


def _objective(spec: Any, options: Any, offers: Offers) -> Iterator[Finding]:
    objective, finding = _built(spec, options, offers, OFFERS["allocator_objectives"])
    yield finding
    if objective is None:
        return
    assert isinstance(objective, Objective)
    points = Points.of(offers.fund.space, offers.trial.seed)
    for term in objective.terms:
        curvature = Curvature.CONCAVE if term.weight > 0 else Curvature.CONVEX
        yield from check_expression(f"{spec.name}: {term.name}", term.expression, curvature, points)


def _repeated(hook: str, figures: Callable[[Any], Any]) -> Callable[[Any, Any, Offers], Iterator[Finding]]:
    """Return the check of a model: it builds, gives the same again, and the same in another unit of money."""

    def check(spec: Any, options: Any, offers: Offers) -> Iterator[Finding]:
        first, finding = _built(spec, options, offers, OFFERS[hook])
        yield finding
        if first is None:
            return
        again = OFFERS[hook].call(spec, options, offers.fund)
        if not np.array_equal(figures(first), figures(again)):
            wrong = Text("the same inputs give other figures the second time", "相同输入两次结果不同")
            yield Finding("builds", spec.name, Outcome.FAILED, wrong)
        other = OFFERS[hook].call(spec, options, offers.other_unit)
        same = np.allclose(figures(first), figures(other), rtol=1e-6, atol=1e-12)
        what = None if same else Text("the figures change with fund.unit", "结果随 fund.unit 改变")
        yield Finding("units", spec.name, Outcome.PASSED if same else Outcome.FAILED, what)

    return check


def _regime(spec: Any, offers: Offers) -> Iterator[Finding]:
    capital = offers.fund.settings.capital
    if capital is None or capital.regime != spec.name:
        what = Text("not tried: the fund runs under another regime", "未试用：该组合采用其他监管制度")
        yield Finding("builds", spec.name, Outcome.NOTED, what)
        return
    try:
        position = offers.fund.position()
    except AllocatorError as error:
        yield Finding("builds", spec.name, Outcome.FAILED, Text(error.render("en"), error.render("zh")))
        return
    assert position is not None
    finite = np.isfinite(position.minimum_capital) and position.minimum_capital > 0
    wrong = None if finite else Text("the minimum capital is not positive", "最低资本应为正数")
    yield Finding("builds", spec.name, Outcome.PASSED if finite else Outcome.FAILED, wrong)


def _same_array(figures: Any) -> Any:
    return figures


def _covariance(risk: Any) -> Any:
    factors = np.asarray(risk.factors.toarray() if hasattr(risk.factors, "toarray") else risk.factors)
    return factors.T @ factors + np.diag(risk.specific)


OFFERS: Mapping[str, _Check] = MappingProxyType(
    {
        "allocator_constraints": _Check(_from_context, _constraint),
        "allocator_objectives": _Check(_from_context, _objective),
        "allocator_tilts": _Check(_scored, _repeated("allocator_tilts", _same_array)),
        "allocator_return_models": _Check(_from_inputs, _repeated("allocator_return_models", _same_array)),
        "allocator_risk_models": _Check(_from_inputs, _repeated("allocator_risk_models", _covariance)),
        "allocator_scenarios": _Check(_from_inputs, _repeated("allocator_scenarios", lambda made: made.returns)),
    }
)
"""Hook → how its offers are tried; offers of other hooks are only looked at."""
