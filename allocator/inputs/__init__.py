"""Reading and checking: tables, the balance sheet, curves and cash flows."""

from allocator.inputs.fund import BalanceSheet, Inputs, TableSource
from allocator.inputs.load import from_frames, load_inputs

__all__ = ["BalanceSheet", "Inputs", "TableSource", "from_frames", "load_inputs"]
