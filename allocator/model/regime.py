"""The interface of a solvency regime: own funds, requirements and a capital tree over the holdings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel
from scipy import sparse

from allocator.arrays import Vector
from allocator.capital.tree import CapitalTree
from allocator.jurisdiction import Jurisdiction, Ratio
from allocator.types import Text

if TYPE_CHECKING:
    from allocator.inputs.fund import Inputs
    from allocator.model.space import Space
    from allocator.model.terms import Term

__all__ = ["OptionalBreach", "BookState", "OwnFunds", "Regime", "RegimeNote", "RegimeSpec", "Requirement"]


@dataclass(frozen=True, slots=True)
class OwnFunds:
    """Capital available, before the costs of trading.

    Parameters
    ----------
    amounts : mapping of str to float
        By the ratio that each is the numerator of, the principal one first: all of own funds, the actual capital. A
        ratio whose numerator the fund does not give is left out.
    """

    amounts: Mapping[str, float]

    @property
    def actual(self) -> float:
        """Actual capital: numerator of the principal ratio."""
        return next(iter(self.amounts.values()))

    def less(self, costs: float) -> OwnFunds:
        """Return what is left after these costs."""
        return OwnFunds({name: amount - costs for name, amount in self.amounts.items()})


@dataclass(frozen=True, slots=True)
class Requirement:
    """A ratio that must hold: ``capital / minimum capital ≥ required``.

    Parameters
    ----------
    ratio : Ratio
        As the jurisdiction declares it.
    capital : float
        The numerator before costs.
    required : float or None
        The ratio to hold, a decimal; None reports the ratio without requiring anything.
    statutory : float
        The ratio the rules themselves ask for.
    article : str
        Where the rules ask for it.
    free_capital : float or None
        Instead of a ratio: the amount by which ``capital`` must exceed minimum capital.
    """

    ratio: Ratio
    capital: float
    required: float | None
    statutory: float
    article: str
    free_capital: float | None = None

    def over(self, minimum_capital: float) -> float:
        """Return ``capital / minimum_capital``: without end where nothing is required, by the sign of capital."""
        if minimum_capital == 0.0:
            return np.inf if self.capital >= 0.0 else -np.inf
        return self.capital / minimum_capital

    @property
    def name(self) -> str:
        """The ratio's name."""
        return self.ratio.name

    @property
    def label(self) -> Text:
        """What messages call it."""
        return self.ratio.in_a_sentence


@dataclass(frozen=True, slots=True)
class RegimeNote:
    """Something a reader of the capital figure must know: an assumption, a reading, a what-if.

    ``rule`` is False for whatever departs from the rules (overrides, factors the user gave).
    """

    text: Text
    article: str = ""
    rule: bool = True


@dataclass(frozen=True, eq=False)
class OptionalBreach:
    """A rule a′x ≤ h that may be broken at a charge: the optimizer decides, the exact tree judges.

    Parameters
    ----------
    name : str
        What it is called, such as the counterparty.
    left : ndarray (n,)
        a ≥ 0.
    right : float
        h; broken or not, an answer below it is charged as one that keeps the rule.
    charges : csr_array (leaves, n)
        What breaking it adds to the coefficients of the tree, ≥ 0, whichever others are broken.
    where : str
        The key of the fund file that asks for the choice.
    """

    name: str
    left: Vector
    right: float
    charges: sparse.csr_array
    where: str


class BookState(ABC):
    """One number of the whole book that charges depend on, such as the gain of the stock book.

    It lets the optimizer branch on that number: inside an interval of it, the exact coefficients lie between
    those of two trees, and linear rules hold that every such book keeps.
    """

    @abstractmethod
    def reach(self, space: Space) -> tuple[float, float]:
        """Return the least and greatest state inside the space's bounds."""

    @abstractmethod
    def at(self, holdings: Vector) -> float:
        """Return the state at ``holdings`` (n,)."""

    @abstractmethod
    def trees(self, low: float, high: float) -> tuple[CapitalTree, CapitalTree]:
        """Return two trees between whose coefficients the exact ones lie while low ≤ state ≤ high.

        Parameters
        ----------
        low, high : float
            Ends of an interval of the state.
        """

    @abstractmethod
    def rules(self, space: Space, low: float, high: float) -> tuple[Term, ...]:
        """Return rules kept by every book in the space whose state lies between ``low`` and ``high``.

        Parameters
        ----------
        space : Space
            Bounds of the holdings.
        low, high : float
            Ends of an interval of the state.
        """

    @abstractmethod
    def split(self, space: Space, state: float, holdings: Vector) -> tuple[Space, Space] | None:
        """Return two spaces that cover ``space`` and make the rules at ``state`` tell more of ``holdings``.

        None when the rules are exact in the space already.

        Parameters
        ----------
        space : Space
            Bounds of the holdings (n,).
        state : float
            The state of the rules.
        holdings : ndarray (n,)
            A relaxed answer, money.
        """

    def straddling(self, space: Space) -> NDArray[np.int64]:
        """Return the rows that may be held above and below zero and are charged by their side.

        `trees` charges them as held long, those of `held_short` as held short.
        """
        return np.zeros(0, dtype=np.int64)

    def held_short(self) -> BookState:
        """Return the state that charges the straddling rows as held short."""
        return self

    def decide(self, space: Space, holdings: Vector, long: Vector) -> Sequence[tuple[BookState, Space]]:
        """Return states with their spaces that cover this one, each with one step of the charges more decided.

        None where the exact charges at ``holdings`` lie beyond no step that is open.

        Parameters
        ----------
        space : Space
            Bounds of the holdings (n,).
        holdings : ndarray (n,)
            The relaxed answer, money.
        long : ndarray (straddling rows,)
            What it counts as held long of each row on either side of zero, money.
        """
        return ()

    def around(self, space: Space, holdings: Vector) -> tuple[BookState, Space]:
        """Return the state, and its space, with every step decided as it is at ``holdings``.

        Parameters
        ----------
        space : Space
            Bounds of the holdings (n,).
        holdings : ndarray (n,)
            Amounts, money.
        """
        return self, space

    def safe(self, space: Space, low: float, high: float) -> Iterator[tuple[BookState, Space]]:
        """Yield states, in which every step is decided, from which an answer is looked for where none was found.

        The greater of their trees charges every book that keeps their rules for at least what is exact for it.

        Parameters
        ----------
        space : Space
            Bounds of the holdings (n,).
        low, high : float
            Ends of the interval of the state.
        """
        yield self, space

    def alternatives(self, space: Space) -> tuple[OptionalBreach, ...]:
        """Return the rules that may be kept or broken; `trees` charges for none of them.

        None may hold a row that the space's bounds let fall below zero.
        """
        return ()


class Regime(ABC):
    """A solvency regime bound to one fund's inputs.

    Everything costly (classification, cash flows) is done when the regime is built; `tree` may be called
    many times.
    """

    name: str
    label: Text

    @abstractmethod
    def own_funds(self) -> OwnFunds:
        """Return the capital available."""

    @abstractmethod
    def requirements(self) -> tuple[Requirement, ...]:
        """Return the ratios to report, in order, with what is required of each."""

    @abstractmethod
    def tree(self, holdings: Vector | None = None) -> CapitalTree:
        """Return the capital tree with every state-dependent charge evaluated at ``holdings``.

        Parameters
        ----------
        holdings : ndarray (n,) or None
            Amounts, one per row of the assets table, at which charges that depend on the book as a
            whole (gain of the stock book, concentration) are taken; None means the current amounts. The
            tree's own value is exact at exactly these holdings.
        """

    def marginals(self, holdings: Vector) -> tuple[Vector, Vector]:
        """Return what one unit of money more of each row costs and one less frees at ``holdings``, each shape (n,).

        A regime whose charges depend on the book as a whole counts here what a trade does to them; at frozen charges
        the two sides are the tree's own slope.
        """
        slope = self.tree(holdings).gradient(holdings)
        return slope, slope

    def guards(self, space: Space) -> tuple[Term, ...]:
        """Return rules that keep the frozen charges of `tree` true while the holdings move.

        A counterparty below its concentration threshold, say, must stay below it unless the user accepts
        the charge.
        """
        return ()

    def book_state(self, space: Space) -> BookState | None:
        """Return the number of the whole book that charges depend on, or None when (given `guards`) none does.

        Without one, the tree at the current holdings is exact everywhere inside the space's bounds.
        """
        return None

    @abstractmethod
    def charges(self, holdings: Vector | None = None) -> pd.DataFrame:
        """Return how each row is charged: one line per asset row and module with its derivation.

        Columns at least: asset_id, account, module, exposure, factor, charge (money), article,
        derivation (text; a `LocalizedPhrase` where the languages differ).
        """

    @abstractmethod
    def notes(self) -> tuple[RegimeNote, ...]:
        """Return assumptions, readings and what-ifs that the figure rests on."""


@dataclass(frozen=True, slots=True)
class RegimeSpec:
    """What the hook ``allocator_regimes`` returns.

    Parameters
    ----------
    name : str
        Value of ``capital.regime`` in the fund file.
    label : Text
        Its title.
    options : type of pydantic.BaseModel
        The further keys of the ``capital`` section; extra keys must be forbidden.
    jurisdiction : Jurisdiction
        Its currency, accounts, ratios and lines of the balance sheet.
    build : callable
        ``build(inputs, options) -> Regime``; raises InputError naming rows and columns.
    filed : callable or None
        ``filed(path, unit, size_factor) -> DataFrame``: aggregates filed module amounts, computed beside
        filed, for ``allocator capital --filed``.
    summarise_filed : callable or None
        ``summarise_filed(frame) -> sentences``: how many rows of that frame agree, and the worst ones.
    templates : mapping of str to str
        Parts of the fund folder that ``allocator init`` writes: ``"capital"``, the section of the fund file with its
        keys explained, and ``"balance_sheet"``, lines for its own keys of that section.
    """

    name: str
    label: Text
    options: type[BaseModel]
    jurisdiction: Jurisdiction
    build: Callable[[Inputs, Any], Regime]
    filed: Callable[[Path, float, str], pd.DataFrame] | None = None
    summarise_filed: Callable[[pd.DataFrame], Sequence[Text]] | None = None
    templates: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
