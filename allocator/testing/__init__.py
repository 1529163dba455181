"""The conformance suite: what every plugin promises, tried on a small fund. For the tests of plugins.

>>> from allocator.testing import assert_conforms
>>> assert_conforms("limits")

tries everything that the installed plugin ``limits`` offers and raises AssertionError with whatever does not
hold. `conformance` returns the findings instead; ``allocator plugins check NAME`` prints them.
"""

from allocator.testing.findings import CHECKS, Finding, Outcome
from allocator.testing.suite import assert_conforms, conformance, small_fund
from allocator.testing.trial import Trial

__all__ = ["CHECKS", "Finding", "Outcome", "Trial", "assert_conforms", "conformance", "small_fund"]
