"""What the fund file's models say: expected returns, risk, and the paths of scenarios, each by the model it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from allocator.arrays import Vector
from allocator.config.load import lookup, validate_options
from allocator.errors import InputError, Problem
from allocator.inputs.fund import Inputs
from allocator.inputs.lent import LentTables
from allocator.model import OfferedModels, Risk, Scenarios
from allocator.types import Text

__all__ = ["Estimates"]


@dataclass(frozen=True)
class Estimates:
    """The models that a fund file names under ``models``, asked one by one.

    Parameters
    ----------
    inputs : Inputs
        The fund.
    offered : OfferedModels
        The models of the enabled plugins.
    """

    inputs: Inputs
    offered: OfferedModels

    def expected_return(self) -> Vector:
        """Return the expected return of each row, (n,), decimals a year."""
        found: Vector = self._named("returns", self.offered.return_models, "table")
        return found

    def risk(self) -> Risk:
        """Return the risk model; the default follows the first table given of exposures, covariance and history."""
        found: Risk = self._named("risk", self.offered.risk_models, self._default_risk())
        return found

    def scenarios(self, expected_return: Vector) -> Scenarios:
        """Return the paths of the first source named, joined by each later one.

        Parameters
        ----------
        expected_return : ndarray (n,)
            Decimals a year; the sources see it as the column ``expected_return`` of the assets.

        Raises
        ------
        InputError
            Where no source is named, or one cannot stand behind another.
        """
        given = self.inputs.settings.models.get("scenarios", "table")
        assets = self.inputs.assets.assign(expected_return=expected_return)
        inputs = replace(self.inputs, tables=LentTables({**self.inputs.tables, "assets": assets}))
        offered = self.offered.scenarios
        found: Scenarios | None = None
        for position, entry in enumerate(given if isinstance(given, list) else [given]):
            key = f"models.scenarios.{position}" if isinstance(given, list) else "models.scenarios"
            found = self._chosen(key, entry, offered, "table", partial(_joined, inputs, self._where(key), found))
        if found is None:
            what = Text("no source of scenarios is named", "未指定情景来源")
            raise InputError(Problem(what, self._where("models.scenarios"), "[]", ", ".join(offered)))
        return found

    def _named(self, key: str, offered: Mapping[str, Any], default: str) -> Any:
        given = self.inputs.settings.models.get(key, default)
        return self._chosen(
            f"models.{key}", given, offered, default, lambda spec, options: spec.build(self.inputs, options)
        )

    def _chosen(
        self, key: str, given: object, offered: Mapping[str, Any], default: str, make: Callable[[Any, Any], Any]
    ) -> Any:
        """Return what the model named at ``key`` makes of its options."""
        if not isinstance(given, (str, Mapping)):
            what = Text("a model's name is needed, or a mapping with name and options", "应为模型名称或含 name 的映射")
            raise InputError(Problem(what, self._where(key), repr(given), ", ".join(offered)))
        name, options = (given, {}) if isinstance(given, str) else (given.get("name", default), dict(given))
        options.pop("name", None)
        spec = lookup(offered, name, self._where(key))
        return make(spec, validate_options(spec.options, options, self.inputs.settings, key))

    def _default_risk(self) -> str:
        named = self.inputs.settings.inputs
        given = named if named else dict.fromkeys(self.inputs.tables)
        for table, model in (("factor_exposures", "factors"), ("covariance", "covariance"), ("returns", "history")):
            if table in given or self.inputs.table(table) is not None:
                return model
        return "covariance"

    def _where(self, key: str) -> str:
        return self.inputs.settings.where(key)


def _built(inputs: Inputs, spec: Any, options: Any) -> Any:
    return spec.build(inputs, options)


def _joined(inputs: Inputs, place: str, before: Scenarios | None, spec: Any, options: Any) -> Scenarios:
    """Return the paths of a source, joined to those before it."""
    if before is None:
        made: Scenarios = spec.build(inputs, options)
    elif spec.join is not None:
        made = spec.join(inputs, options, before)
    else:
        what = Text("this source of scenarios cannot stand behind another", "该情景来源不能接在其他来源之后")
        raise InputError(Problem(what, place, spec.name))
    return made
