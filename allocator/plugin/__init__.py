"""What every plugin needs: the hooks' marker, texts in both languages, sources, options, errors.

The modules of this package are the whole of what a plugin may import, and keep their names within a version of the
hooks (`API_VERSION`). Everything else in `allocator` is private and may change without notice; `allocator` itself is
for people, `allocator.testing` for a plugin's tests."""

from allocator.arrays import Mask, Vector
from allocator.config.load import validate_options
from allocator.config.settings import Money, Number, RequiredRatio, Section, parse_number
from allocator.errors import InputError, Problem, Problems, did_you_mean
from allocator.hooks import API_VERSION, CommandSpec, hookimpl
from allocator.language import counted, preferred_language
from allocator.model.units import money_unit
from allocator.types import EMPTY, Certainty, Language, LocalizedPhrase, Source, Text

__all__ = [
    "Mask",
    "Vector",
    "API_VERSION",
    "Certainty",
    "EMPTY",
    "CommandSpec",
    "InputError",
    "Language",
    "Number",
    "LocalizedPhrase",
    "Money",
    "Problem",
    "Problems",
    "RequiredRatio",
    "Section",
    "Source",
    "Text",
    "counted",
    "did_you_mean",
    "hookimpl",
    "money_unit",
    "parse_number",
    "preferred_language",
    "validate_options",
]
