"""Tables and their columns: what a plugin declares, and what it reads of checked inputs."""

from allocator.inputs.cells import is_empty, parse_numbers
from allocator.inputs.core_tables import ACCOUNT_CHOICES
from allocator.inputs.csv_files import decode
from allocator.inputs.error_collector import ErrorCollector
from allocator.inputs.fund import Inputs
from allocator.inputs.headings import spelling
from allocator.inputs.identity import identity
from allocator.inputs.look_through import contents
from allocator.inputs.ratings import SCALE, UNRATED, parse_rating, rating_cells, rating_ranks, read_rating
from allocator.inputs.terms import PRICE_BASE, annual_rates, column, filled, flags
from allocator.types import AssetKind, Column, Measure, Table

__all__ = [
    "ACCOUNT_CHOICES",
    "AssetKind",
    "Column",
    "ErrorCollector",
    "Inputs",
    "Measure",
    "PRICE_BASE",
    "SCALE",
    "Table",
    "UNRATED",
    "annual_rates",
    "column",
    "contents",
    "decode",
    "filled",
    "flags",
    "identity",
    "is_empty",
    "parse_numbers",
    "parse_rating",
    "rating_cells",
    "rating_ranks",
    "read_rating",
    "spelling",
]
