"""The technical parameters of ``fields.yaml``: read once, checked, and replaced figure by figure by the user."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from allocator.plugin import Problems, Text, did_you_mean
from allocator.plugin.rules import read_yaml

__all__ = ["Common", "Exit", "Milestone", "Parameters", "Technology", "load_parameters"]

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Figure(_Strict):
    value: float
    source: Annotated[str, Field(min_length=1)]


class _Label(_Strict):
    en: str
    zh: str

    @property
    def text(self) -> Text:
        return Text(self.en, self.zh)


class Common(_Strict):
    """What all fields share; every figure as ``fields.yaml`` explains it."""

    common_technology: Share
    field_technology: Share
    market: Share
    time_dispersion: Annotated[float, Field(ge=0)]
    recovery: Share
    forced_sale: Share
    management_fee: Share
    carried_interest: Share
    companies: Positive


class Milestone(_Strict):
    """A step of the technology: the readiness level reached, its probability, and the years it takes."""

    name: _Label
    readiness: Annotated[int, Field(ge=1, le=9)]
    probability: Annotated[float, Field(gt=0, le=1)]
    years: Positive


class Exit(_Strict):
    """The exit multiple of cost, lognormal with mean ``multiple`` and log standard deviation."""

    multiple: Positive
    log_volatility: Annotated[float, Field(ge=0)]


class Stage(_Strict):
    """When a company is bought: before which milestone, at which readiness level."""

    label: _Label
    first: Annotated[int, Field(ge=1)]
    readiness: Annotated[int, Field(ge=1, le=9)]


class Technology(_Strict):
    """One field: its milestones in order, its exit multiples by stage, and how far the figures may be off."""

    label: _Label
    aliases: tuple[str, ...] = ()
    doubt: Annotated[float, Field(ge=0, lt=1)]
    milestones: Annotated[tuple[Milestone, ...], Field(min_length=1)]
    exit: dict[str, Exit]


class Parameters(_Strict):
    """All parameters, with figures as plain numbers."""

    common: Common
    stages: dict[str, Stage]
    fields: dict[str, Technology]

    def path(self, field: str, stage: str) -> tuple[Milestone, ...]:
        """Return the milestones still ahead of a company of that field and stage.

        Parameters
        ----------
        field : str
            Field of technology.
        stage : str
            Stage of the company.
        """
        return self.fields[field].milestones[self.stages[stage].first - 1 :]

    def implied_growth(self, field: str, stage: str) -> float:
        """Return g with (1 + g)^T = Π p · multiple + (1 − Π p) · recovery, T the sum of the milestones' years.

        Parameters
        ----------
        field : str
            Field of technology.
        stage : str
            Stage of the company.
        """
        ahead = self.path(field, stage)
        success = math.prod(milestone.probability for milestone in ahead)
        multiple = success * self.fields[field].exit[stage].multiple + (1.0 - success) * self.common.recovery
        return float(multiple ** (1.0 / sum(milestone.years for milestone in ahead)) - 1.0)

    def doubted(self, sign: int) -> Parameters:
        """Return the parameters at the pessimistic (−1) or optimistic (+1) end of every field's doubt.

        The probability of passing all milestones of the field and the exit multiple each move by the doubt;
        the former is spread evenly over the milestones, none of which can exceed 1.
        """
        changed = {
            name: technology.model_copy(
                update={
                    "milestones": tuple(
                        milestone.model_copy(
                            update={
                                "probability": min(
                                    milestone.probability
                                    * (1.0 + sign * technology.doubt) ** (1.0 / len(technology.milestones)),
                                    1.0,
                                )
                            }
                        )
                        for milestone in technology.milestones
                    ),
                    "exit": {
                        stage: end.model_copy(update={"multiple": end.multiple * (1.0 + sign * technology.doubt)})
                        for stage, end in technology.exit.items()
                    },
                }
            )
            for name, technology in self.fields.items()
        }
        return self.model_copy(update={"fields": changed})


@lru_cache(maxsize=1)
def _content() -> dict[str, Any]:
    text = resources.files("allocator_venture").joinpath("fields.yaml").read_text(encoding="utf-8")
    content = read_yaml(text)
    if not isinstance(content, dict):
        raise ValueError("fields.yaml holds no mapping")
    return content


def load_parameters(
    overrides: Mapping[str, float] = MappingProxyType({}), where: str = "models.scenarios.technology.overrides"
) -> Parameters:
    """Return the parameters of ``fields.yaml`` with the user's figures in place of some.

    Parameters
    ----------
    overrides : mapping of str to float
        Dotted path → figure: ``common.market``, ``fields.quantum_technology.doubt``,
        ``fields.quantum_technology.milestones.2.probability`` (counted from 1),
        ``fields.quantum_technology.exit.early.multiple``.
    where : str
        Key of the fund file, for messages.

    Raises
    ------
    InputError
        For an unknown path or a figure out of range.
    """
    content = copy.deepcopy(_content())
    problems = Problems()
    figures = dict(_figures(content))
    for path, value in overrides.items():
        if path not in figures:
            what = Text("no such technical parameter", "没有该技术参数")
            problems.add(what, f"{where}.{path}", path, hint=did_you_mean(path, figures))
        else:
            figures[path]["value"] = value
    problems.raise_if_any()
    try:
        return Parameters.model_validate(_plain(content))
    except ValidationError as error:
        for fault in error.errors():
            place = ".".join(str(part + 1) if isinstance(part, int) else part for part in fault["loc"])
            what = Text(f"a technical parameter out of range: {fault['msg']}", "技术参数超出允许范围")
            problems.add(what, f"{where}.{place}", fault["input"])
        problems.raise_if_any()
        raise


def _figures(node: Any, path: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Return every figure with its dotted path; entries of a list count from 1."""
    if isinstance(node, dict) and set(node) == {"value", "source"}:
        return [(path, node)]
    if isinstance(node, dict):
        children = [(str(key), child) for key, child in node.items()]
    elif isinstance(node, list):
        children = [(str(number), child) for number, child in enumerate(node, start=1)]
    else:
        return []
    return [found for key, child in children for found in _figures(child, f"{path}.{key}" if path else key)]


def _plain(node: Any) -> Any:
    """Return the content with every figure, checked to state its source, as its number."""
    if isinstance(node, dict) and set(node) == {"value", "source"}:
        return _Figure.model_validate(node).value
    if isinstance(node, dict):
        return {key: _plain(child) for key, child in node.items()}
    if isinstance(node, list):
        return [_plain(child) for child in node]
    return node
