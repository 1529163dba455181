"""Shortcuts say only what the careful way says too."""

from __future__ import annotations

import string
from random import Random

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.inputs.cells import none_among, parse
from allocator.inputs.distinct import plain_days
from allocator.inputs.order import canonical_order, order_of_different
from allocator.inputs.raw import STRING, as_text
from allocator.parsing import parse_date_text
from allocator.types import Measure

numbers = st.integers(0, 40).map(lambda number: f"{number:02d}") | st.integers(0, 40).map(str)
dates = st.builds(
    "{}{}{}{}{}".format,
    st.integers(0, 9999).map("{:04d}".format),
    st.sampled_from("-/."),
    numbers,
    st.sampled_from("-/"),
    numbers,
)


@given(st.lists(dates | st.text(max_size=12), max_size=20))
def test_a_plain_day_is_the_day_that_the_parser_reads(texts: list[str]) -> None:
    found = plain_days(pa.array(texts, pa.large_string()))
    for text, day in zip(texts, found, strict=True):
        if not np.isnat(day):
            read = parse_date_text(text)
            assert read is not None and np.datetime64(read) == day


def test_days_that_do_not_exist_are_left_to_the_parser() -> None:
    texts = ["2026-02-29", "2024-02-29", "2026/6/31", "2026-13-01", "2026-00-10", "0000-01-01", "2026-6/30", None]
    found = plain_days(pa.array(texts, pa.large_string()))
    assert np.flatnonzero(~np.isnat(found)).tolist() == [1]


@given(st.lists(st.text(alphabet=string.ascii_letters + "一二", max_size=20), min_size=1, max_size=30))
def test_texts_that_repeat_never_pass_as_different(texts: list[str]) -> None:
    cells = pd.Series(texts, dtype=STRING)
    assert order_of_different(pd.concat([cells, cells.iloc[[0]]], ignore_index=True)) is None
    assert (order_of_different(cells) is not None) <= (len(set(texts)) == len(texts))


@given(st.lists(st.text(alphabet=string.printable + "一二é", max_size=20), min_size=1, max_size=30, unique=True))
def test_different_texts_are_sorted_as_python_sorts_them(texts: list[str]) -> None:
    order = order_of_different(pd.Series(texts, dtype=STRING))
    if order is not None:
        assert [texts[place] for place in order] == sorted(texts)
    else:
        assert "\0" in "".join(texts)


@given(st.lists(st.text(alphabet=string.ascii_letters, max_size=20), min_size=1, max_size=30))
def test_equal_texts_are_left_to_be_told_apart_by_other_columns(texts: list[str]) -> None:
    cells = pd.Series([*texts, texts[0]], dtype=STRING)
    assert order_of_different(cells) is None


@pytest.mark.parametrize("length", [1, 7, 8, 9, 16, 63])
def test_keys_of_any_length_are_told_apart_by_any_of_their_letters(length: int) -> None:
    keys = ["x" * at + "y" + "x" * (length - at - 1) for at in range(length)] + ["x" * length]
    for some in (keys[::-1], keys[1:]):
        order = order_of_different(pd.Series(some, dtype=STRING))
        assert order is not None
        assert [some[place] for place in order] == sorted(some)


def test_what_is_missing_or_too_long_is_left_to_the_checks() -> None:
    assert order_of_different(pd.Series(["b", None, "a"], dtype=STRING)) is None
    assert order_of_different(pd.Series(["b" * 100, "a"], dtype=STRING)) is None
    assert order_of_different(pd.Series([1.0, 2.0])) is None


@settings(max_examples=40)
@given(st.lists(st.tuples(*[st.none() | st.text(alphabet="aB一-é", max_size=2)] * 3), max_size=20))
def test_categories_are_ordered_as_the_text_they_stand_for(rows: list[tuple[str | None, ...]]) -> None:
    frame = pd.DataFrame(rows, columns=["asset_id", "account", "note"], dtype=STRING)
    classes = pd.DataFrame({name: pd.Categorical(column) for name, column in frame.items()})
    wanted = sorted(range(len(rows)), key=lambda row: [(cell is not None, cell or "") for cell in rows[row]])
    for table in (frame, classes):
        order = canonical_order(table, ("asset_id",))
        assert wanted == list(range(len(rows)) if order is None else order)


@given(
    st.lists(st.none() | st.text(alphabet="ab-#t合 ", max_size=4).map(str.strip), max_size=8),
    st.lists(st.sampled_from(["#n/a", "total", "合"]), max_size=2),
)
def test_a_column_said_to_hold_none_of_the_words_holds_none(texts: list[str | None], words: list[str]) -> None:
    said = none_among(pd.Series(texts, dtype=STRING), frozenset(words))
    assert not said or all(text and text.strip().lower() not in {*words, "", "-", "--"} for text in texts)


def test_only_text_is_said_to_hold_no_word() -> None:
    assert none_among(pd.Series(["A1", "A2"], dtype=STRING), frozenset({"total"}))
    for cells in (pd.Series(["A1"], dtype="category"), pd.Series([1.0]), pd.Series(["A1", 2], dtype=object)):
        assert not none_among(cells, frozenset())


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_moments_are_days_at_midnight_only(unit: str) -> None:
    moments = ["1969-12-31", "1969-12-31T00:00:01", None, "2026-06-30", "2026-06-30T12:00:00"]
    read = parse(pd.Series(np.array(moments, dtype=f"datetime64[{unit}]")), Measure.DATE)
    assert read.bad.tolist() == [False, True, False, False, True]
    assert read.empty.tolist() == [False, False, True, False, False]
    assert read.column.dtype == "datetime64[s]"
    assert read.column.dropna().tolist() == [pd.Timestamp("1969-12-31"), pd.Timestamp("2026-06-30")]


@given(st.lists(st.sampled_from([None, "a", "合", ""]), max_size=9), st.randoms(use_true_random=False))
def test_classes_become_the_text_they_stand_for(texts: list[str | None], random: Random) -> None:
    order = random.sample(range(len(texts)), len(texts))
    for used in (texts, [text and "CNY" for text in texts]):
        laid = pd.Series(as_text(pd.Series(used, dtype=STRING).astype("category"), np.array(order, dtype=np.intp)))
        assert laid.dtype == STRING
        pd.testing.assert_series_equal(laid, pd.Series([used[at] for at in order], dtype=STRING))
