"""Stress scenarios, shocks, revaluation, and projections of committed funds."""

from allocator.stress.commitments import CommitmentSpec, CommittedFlows
from allocator.stress.revalue import TenorShift, given_curve, revalued, shifted_curve
from allocator.stress.shocks import Scenario, Shocked, ShockSpec, StressSpec

__all__ = [
    "CommitmentSpec",
    "CommittedFlows",
    "Scenario",
    "ShockSpec",
    "Shocked",
    "StressSpec",
    "TenorShift",
    "given_curve",
    "revalued",
    "shifted_curve",
]
