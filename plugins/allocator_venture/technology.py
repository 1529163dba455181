"""Which rows are simulated from technical parameters, and as what funds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from allocator.plugin import Number, Problems, Section, Text, did_you_mean
from allocator.plugin.tables import Column, Inputs, Measure, Table, column, spelling
from allocator_venture.funds import FundRows, fund_rows, fund_terms
from allocator_venture.parameters import Parameters, load_parameters
from allocator_venture.simulation import VentureFund

__all__ = ["TABLES", "TechnologyOptions", "TechnologyRows", "named_fields", "technology_rows"]

Places = NDArray[np.int64]

TABLES = (
    Table(
        "funds",
        (
            Column(
                "technology_fields",
                Measure.LIST,
                Text("Fields of technology, apart by ;", "投资的未来产业领域，以分号隔开"),
                ("技术领域", "未来产业领域", "投资领域"),
            ),
            Column(
                "stage",
                Measure.CHOICE,
                Text("Stage at which it invests", "投资阶段"),
                ("投资阶段", "阶段"),
                choices={"seed": ("种子期",), "early": ("初创期", "早期"), "growth": ("成长期",)},
            ),
            Column(
                "companies",
                Measure.INTEGER,
                Text("Companies in the end", "预计投资企业数"),
                ("企业数", "投资企业数"),
                minimum=1,
                maximum=1000,
            ),
        ),
    ),
)


class TechnologyOptions(Section):
    """Keys of whatever simulates from technical parameters.

    ``paths`` simulated; ``seed`` (omitted: ``solve.seed``); ``overrides``: dotted path of ``fields.yaml`` → figure.
    """

    paths: Annotated[int, Field(ge=100, le=1_000_000)] = 5000
    seed: Annotated[int, Field(ge=0)] | None = None
    overrides: Mapping[str, Number] = {}

    def seed_of(self, inputs: Inputs) -> int:
        """Return the seed to draw with."""
        return inputs.settings.solve.seed if self.seed is None else self.seed

    def parameters(self, key: str) -> Parameters:
        """Return the technical parameters; ``key`` of the fund file names the place in messages."""
        return load_parameters(self.overrides, f"{key}.overrides")


@dataclass(frozen=True, eq=False)
class TechnologyRows:
    """The rows that are simulated.

    Parameters
    ----------
    row : ndarray of int (r,)
        Their places in the assets table.
    fund : ndarray of int (r,)
        Which of the funds each is.
    funds : tuple of VentureFund
        One for each asset with fields and a stage.
    names : tuple of str
        Their asset_id.
    """

    row: Places
    fund: Places
    funds: tuple[VentureFund, ...]
    names: tuple[str, ...]


def technology_rows(inputs: Inputs, parameters: Parameters) -> TechnologyRows:
    """Return the rows whose funds name their fields and stage.

    A fund is worth its NAV today and calls what is uncalled as the projection says; with neither it is one
    CNY newly committed. It lasts as long as its longest vintage.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    parameters : Parameters
        Of the fields of technology.

    Raises
    ------
    InputError
        For a field that is not known, a stage without a field or the other way round, and as `fund_rows` does.
    """
    terms, table = fund_terms(inputs)
    problems = Problems()
    fields = named_fields(inputs, table, parameters, problems)
    stage = table["stage"].to_numpy(dtype=object)
    for row, named in enumerate(fields):
        if bool(named) != isinstance(stage[row], str):
            problems.add(
                Text("fields and stage are given together or not at all", "技术领域与投资阶段须同时填写或同时留空"),
                inputs.where("funds", row, "stage" if named else "technology_fields"),
            )
    problems.raise_if_any()
    # Uncalled money of a fund still to be raised comes once it is: look as far ahead as the last of them ends.
    years = int(np.ceil((terms.life - terms.age).max(initial=1.0)))
    rows = fund_rows(inputs, max(years, 1))
    identity = inputs.assets["asset_id"].to_numpy()[rows.row]
    companies = column(table, "companies")
    chosen: dict[str, VentureFund] = {}
    for name in dict.fromkeys(table["asset_id"]):
        places = np.flatnonzero(table["asset_id"].to_numpy() == name)
        described = [int(place) for place in places if fields[place]]
        if described:
            last = described[-1]
            given = companies[last]
            chosen[str(name)] = VentureFund(
                fields[last],
                str(stage[last]),
                _calls(rows, np.flatnonzero(identity == name)),
                max(int(np.ceil((terms.life - np.maximum(terms.age, 0))[places].max())), 1),
                int(parameters.common.companies if np.isnan(given) else given),
            )
    order = pd.Index(list(chosen))
    fund = order.get_indexer(pd.Index(identity))
    return TechnologyRows(rows.row[fund >= 0], fund[fund >= 0], tuple(chosen.values()), tuple(chosen))


def _calls(rows: FundRows, of: Places) -> tuple[float, ...]:
    held = np.concatenate([[rows.current[of].sum()], rows.held.calls[of].sum(axis=0)])
    calls = held if held.sum() > 0 else np.concatenate([[0.0], rows.added.calls[of[0]]])
    return tuple(float(call) for call in np.trim_zeros(calls, "b"))


def named_fields(
    inputs: Inputs, table: pd.DataFrame, parameters: Parameters, problems: Problems
) -> list[tuple[str, ...]]:
    """Return the fields of each row of the table by their names in ``fields.yaml``.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    table : DataFrame
        Rows of the table ``funds``.
    parameters : Parameters
        Of the fields of technology.
    problems : Problems
        Receives what is missing or impossible; the caller must raise it.
    """
    known = {
        spelling(word): name
        for name, technology in parameters.fields.items()
        for word in (name, technology.label.en, technology.label.zh, *technology.aliases)
    }
    found = []
    for row, cell in enumerate(table["technology_fields"]):
        found.append(tuple(known[spelling(name)] for name in cell if spelling(name) in known))
        for name in cell:
            if spelling(name) not in known:
                problems.add(
                    Text("no such field of technology", "没有该技术领域"),
                    inputs.where("funds", row, "technology_fields"),
                    str(name),
                    ", ".join(parameters.fields),
                    did_you_mean(str(name), parameters.fields),
                )
    return found
