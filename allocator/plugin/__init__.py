"""What every plugin needs: the hooks' marker, texts in both languages, sources, options, errors.

The modules of this package are the whole of what a plugin may import, and keep their names within a version of the
hooks (`API_VERSION`). Everything else in `allocator` is private and may change without notice; `allocator` itself is
for people, `allocator.testing` for a plugin's tests."""

from allocator.config.load import validate_options
from allocator.config.settings import Number, Section, parse_number
from allocator.errors import InputError, Problem, Problems, did_you_mean
from allocator.hooks import API_VERSION, CommandSpec, hookimpl
from allocator.language import preferred_language
from allocator.types import Certainty, Language, Phrase, Source, Text

__all__ = [
    "API_VERSION",
    "Certainty",
    "CommandSpec",
    "InputError",
    "Language",
    "Number",
    "Phrase",
    "Problem",
    "Problems",
    "Section",
    "Source",
    "Text",
    "did_you_mean",
    "hookimpl",
    "parse_number",
    "preferred_language",
    "validate_options",
]
