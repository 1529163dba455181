"""The constraints of `make lowest` are the lower bounds of setup.cfg."""

from __future__ import annotations

import pytest
from lowest_versions import SETUP, lowest

SMALL = """
[options]
install_requires =
    numpy >=2.0.2,<3
    pyarrow >=17
[options.extras_require]
markets =
    scikit-learn >=1.5,<2
db =
    sqlalchemy >=2,<3
mip =
    pyscipopt >=5,<7
test =
    pytest
"""


def test_each_bound_is_a_constraint() -> None:
    assert list(lowest(SMALL)) == [
        *("numpy==2.0.2", "pyarrow==17", "scikit-learn==1.5"),
        *("sqlalchemy==2", "pyscipopt==5"),
    ]


def test_a_requirement_without_a_lower_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="no lower bound: pyarrow"):
        list(lowest(SMALL.replace("pyarrow >=17", "pyarrow")))


def test_every_requirement_has_a_lower_bound() -> None:
    assert len(list(lowest(SETUP.read_text(encoding="utf-8")))) > 15
