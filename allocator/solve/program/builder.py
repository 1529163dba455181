"""Collects the columns and rows of a cone program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.arrays import Vector
from allocator.solve.program.program import Block, Cone, ConeProgram, merged

__all__ = ["Builder", "stacked", "widened_rows"]


class Builder:
    """Collects columns and rows; rows may be shorter than the final width."""

    def __init__(self) -> None:
        self.columns = 0
        self.rows = 0
        self._parts: list[sparse.csr_array] = []
        self._right: list[Vector] = []
        self.blocks: list[Block] = []

    def add_columns(self, count: int) -> slice:
        """Append columns; return their place."""
        start = self.columns
        self.columns += count
        return slice(start, self.columns)

    def add_rows(self, cone: Cone, matrix: Any, right: Vector) -> NDArray[np.int64]:
        """Append rows of one cone; return their numbers.

        Parameters
        ----------
        cone : Cone
            The cone.
        matrix : sparse matrix (rows, columns)
            Their entries.
        right : ndarray (rows,)
            Their right side.
        """
        return self.add_blocks([Block(cone, len(right))], matrix, right) if len(right) else np.empty(0, dtype=np.int64)

    def add_blocks(self, blocks: list[Block], matrix: Any, right: Vector) -> NDArray[np.int64]:
        """Append rows of several cones; return their numbers.

        Parameters
        ----------
        blocks : list of Block
            The cones, in the order of the rows.
        matrix : sparse matrix (rows, columns)
            Their entries.
        right : ndarray (rows,)
            Their right side.
        """
        self._parts.append(sparse.csr_array(matrix))
        self._right.append(right)
        self.blocks += blocks
        start = self.rows
        self.rows += len(right)
        return np.arange(start, self.rows)

    def build(self, quadratic: Any, linear: Vector, constant: float) -> ConeProgram:
        """Return the program that minimizes ½z′Pz + linear′z + constant under the rows.

        Parameters
        ----------
        quadratic : sparse matrix (N, N)
            Upper triangle of P.
        linear : ndarray (N,)
            q.
        constant : float
            Added to the objective.
        """
        matrix = stacked(self._parts, self.columns).tocsc()
        right = np.concatenate(self._right) if self._right else np.empty(0)
        upper = sparse.triu(widened_rows(sparse.csr_array(quadratic), self.columns, self.columns), format="csc")
        return ConeProgram(
            sparse.csc_array(upper),
            np.append(linear, np.zeros(self.columns - len(linear))),
            matrix,
            right,
            merged(self.blocks),
            constant,
        )


def stacked(parts: Sequence[sparse.csr_array], columns: int) -> sparse.csr_array:
    """Return matrices one below the other, each widened by empty columns to ``columns``.

    Parts are many and small: joined by hand they take a third of the time that scipy spends on looking at each.

    Parameters
    ----------
    parts : sequence of csr_array (rows, at most columns)
        The matrices.
    columns : int
        Columns of the result.
    """
    if not parts:
        return sparse.csr_array((0, columns))
    data = np.concatenate([part.data for part in parts])
    indices = np.concatenate([part.indices for part in parts])
    counts = np.concatenate([np.diff(part.indptr) for part in parts])
    pointers = np.concatenate([[0], np.cumsum(counts)])
    return sparse.csr_array((data, indices, pointers), shape=(len(counts), columns))


def widened_rows(part: sparse.csr_array, columns: int, rows: int | None = None) -> sparse.csr_array:
    """Return the rows with empty columns, and empty rows, behind them.

    Parameters
    ----------
    part : csr_array
        The rows.
    columns : int
        Columns of the result.
    rows : int or None
        Rows of the result; None keeps their number.
    """
    height = part.shape[0] if rows is None else rows
    pointers = np.append(part.indptr, np.full(height - part.shape[0], part.nnz))
    return sparse.csr_array((part.data, part.indices, pointers), shape=(height, columns))
