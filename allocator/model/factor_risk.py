"""Risk from named factors: B′ΩB + diag(s²) as F = Ω^½ B, where one asset in several accounts is one risk."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from allocator.arrays import Vector
from allocator.model.models import Risk
from allocator.types import Text

__all__ = ["factor_risk"]


def factor_risk(
    asset_id: NDArray[np.str_], names: tuple[str, ...], loading: Any, covariance: Vector, specific: Vector, method: Text
) -> Risk:
    """Return the risk of rows that hang on k factors.

    Parameters
    ----------
    asset_id : ndarray of str (n,)
        Rows of one asset share their specific part too.
    names : tuple of str
        The factors.
    loading : ndarray or sparse (k, n)
        B: exposure of each row to each factor.
    covariance : ndarray (k, k)
        Ω, annual, positive semidefinite to rounding.
    specific : ndarray (n,)
        s ≥ 0: annual volatility outside the factors.
    method : Text
        How it was estimated.
    """
    values, vectors = linalg.eigh((covariance + covariance.T) / 2.0)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))).T
    common = np.asarray((loading.T @ root.T).T)
    _, asset, count = np.unique(asset_id, return_inverse=True, return_counts=True)
    shared = np.flatnonzero(count[asset] > 1)
    alone = np.where(count[asset] > 1, 0.0, specific)
    if not len(shared):
        return Risk(common, alone**2, method, names, root)
    # The specific part of an asset in several accounts is a factor of its own rows.
    _, own = np.unique(asset[shared], return_inverse=True)
    rows = sparse.csr_array((specific[shared], (own, shared)), shape=(int(own.max()) + 1, len(asset_id)))
    return Risk(sparse.csr_array(sparse.vstack([sparse.csr_array(common), rows])), alone**2, method, names, root)
