"""Years ahead: one model over all steps and branches, its ratios checked by the exact engine at each."""

from allocator.study.plan.study import PlanPoint, PlanStudy, plan

__all__ = ["PlanPoint", "PlanStudy", "plan"]
