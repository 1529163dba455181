"""The library in Python: a fund loaded, its capital, its best allocation, its studies. Re-exported by `allocator`.

Amounts go in and come out in ``fund.unit``, as in the files, by ``(asset_id, account)``. The rooms below work on plain
arrays; ``value`` of each object here is what they made.
"""

from allocator.api.fund import Fund, load
from allocator.api.result import CapitalPosition, Result
from allocator.api.study import Study

__all__ = ["CapitalPosition", "Fund", "Result", "Study", "load"]
