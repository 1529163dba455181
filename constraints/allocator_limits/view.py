"""A fund as the proportional rules look at it: figures in force, classes, book values, the denominator."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plugin import InputError, LocalizedPhrase, Mask, Problem, Problems, Text, Vector
from allocator.plugin.rules import Figure, RuleBook
from allocator.plugin.tables import Inputs, flags
from allocator.plugin.terms import (
    SHARE_OF_TOTAL_ASSETS,
    LimitOptions,
    Linear,
    Mode,
    ModelContext,
    Sense,
    Term,
    book_value_ratio,
    bound,
    total_assets,
)
from allocator_limits.columns import REGULATORY_CLASSES

__all__ = ["BOOK", "View"]


BOOK = RuleBook.load("allocator_limits", "rules/limits.yaml")


@dataclass(frozen=True, eq=False)
class View:
    """What the rules need of one fund, each worked out when first asked for."""

    context: ModelContext

    @property
    def inputs(self) -> Inputs:
        """The checked inputs."""
        return self.context.inputs

    def figure(self, key: str, user: float | None = None) -> Figure:
        """Return a figure in force at the valuation date, or the user's own number in its place.

        Parameters
        ----------
        key : str
            Name of the figure.
        user : float or None
            The user's own number, in the figure's unit.
        """
        return BOOK.at(key, self.inputs.as_of).or_user(user)

    @cached_property
    def total(self) -> float:
        """Base of the limits, CNY: ``limit_assets`` where given, else the company's total assets."""
        given = self.inputs.balance_sheet.limit_assets
        return total_assets(self.inputs) if given is None else given

    @property
    def unit(self) -> str:
        """Unit of a share of the base, which names it."""
        if self.inputs.balance_sheet.limit_assets is None:
            return SHARE_OF_TOTAL_ASSETS
        return LocalizedPhrase(
            "share of total assets less repo and separate accounts", "占上季末总资产（扣除正回购与独立账户）比例"
        )

    @cached_property
    def book(self) -> Vector:
        """Book value per CNY of amount (n,)."""
        return book_value_ratio(self.inputs)

    @cached_property
    def solvency(self) -> float:
        """The comprehensive ratio last reported; the ratio after trading never chooses its own tier.

        Raises
        ------
        InputError
            When the fund file does not state it.
        """
        ratio = self.inputs.balance_sheet.figure("reported_comprehensive_ratio")
        if ratio is None:
            raise InputError(
                Problem(
                    Text(
                        "the rule goes by the comprehensive ratio last reported", "该规则须依据上季末综合偿付能力充足率"
                    ),
                    self.inputs.settings.where("balance_sheet.reported_comprehensive_ratio"),
                    "missing",
                    "1.85 | 185%",
                )
            )
        return ratio

    def of_kinds(self, key: str) -> Mask:
        """Return the rows whose kind the list ``key`` names (n,)."""
        return self.kind.isin(self.figure(key).names).to_numpy()

    @property
    def kind(self) -> pd.Series:
        """The column ``kind``."""
        return self.inputs.assets["kind"]

    def issued_by(self, *types: str) -> Mask:
        """Return the rows whose issuer is known to be of one of these types (n,)."""
        issuers, assets = self.inputs.table("issuers"), self.inputs.assets
        if issuers is None or "issuer" not in assets or "type" not in issuers:
            return np.zeros(len(assets), dtype=bool)
        return assets["issuer"].isin(issuers.loc[issuers["type"].isin(types), "issuer"]).to_numpy(dtype=bool)

    @cached_property
    def own_capital_stakes(self) -> Mask:
        """Stakes in insurers in the shareholder account (n,): made with own capital."""
        own = (self.inputs.assets["account"] == "shareholder").to_numpy(dtype=bool)
        return own & self.issued_by("insurer") & self.of_kinds("own_capital_stakes")

    @cached_property
    def classes(self) -> NDArray[np.str_]:
        """The regulatory class of each row (n,): its own column, else its kind's.

        Own-use property and stakes in insurers made with own capital belong to none.
        """
        by_kind = {kind: name for name, kinds in self.figure("classes").table.items() for kind in kinds}
        derivative = {kind.name: "none" for kind in self.inputs.kinds.values() if kind.derivative}
        classes = self.kind.map({**derivative, **by_kind})
        if "product_type" in self.inputs.assets:
            inside = self.inputs.assets["product_type"].astype(object).map(self.figure("class_by_product_type").table)
            classes = inside.where((self.kind == "am_product") & inside.notna(), classes)
        if "regulatory_class" in self.inputs.assets:
            given = self.inputs.assets["regulatory_class"]
            classes = given.where(given.notna(), classes)
        problems = Problems()
        for row in np.flatnonzero(classes.isna()):
            problems.add(
                Text("the rules name no class for this kind", "规则未列明该资产种类所属大类"),
                self.inputs.where("assets", int(row), "regulatory_class"),
                str(self.kind.iloc[row]),
                ", ".join(REGULATORY_CLASSES),
                Text("fill the column regulatory_class", "请填写 regulatory_class（大类资产）列"),
            )
        problems.raise_if_any()
        names = classes.to_numpy(dtype=str)
        names[self.own_capital_stakes | (flags(self.inputs.assets, "own_use") & (names == "real_estate"))] = "none"
        return names

    def in_class(self, name: str) -> Mask:
        """Return the rows of a class; ``overseas`` cuts across the five (n,)."""
        return self.of_kinds("overseas.kinds") if name == "overseas" else self.classes == name

    def share(
        self,
        name: str,
        label: Text,
        rows: Mask,
        sense: Sense,
        figure: Figure,
        options: LimitOptions,
        mode: Mode | None = None,
        held: float = 0.0,
    ) -> Term:
        """Return ``held + Σ book value of the rows <sense> figure × total assets``; ``held`` in CNY.

        Parameters
        ----------
        name : str
            Name of the term.
        label : Text
            A sentence for reports.
        rows : ndarray of bool (n,)
            Rows that count.
        sense : Sense
            ≤ or ≥.
        figure : Figure
            The limit, a share of total assets.
        options : LimitOptions
            The rule's own keys.
        mode : Mode or None
            What the term does; None takes the options' mode.
        held : float
            What counts beside the rows, CNY.
        """
        term = Term(
            name,
            label,
            Linear.of(np.where(rows, self.book, 0.0), held),
            sense,
            np.array([figure.number * self.total]),
            np.array([self.total]),
            self.unit,
            figure.source,
        )
        return bound(term, options, self.context.space.current, mode)
