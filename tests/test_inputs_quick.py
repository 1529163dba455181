"""Shortcuts say only what the careful way says too."""

from __future__ import annotations

import string

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.inputs.order import canonical_order
from allocator.inputs.quick import may_begin, order_of_different, plain_days
from allocator.inputs.raw import STRING
from allocator.parsing import parse_date_text

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


@given(
    st.lists(st.none() | st.text(alphabet="ab-合tTotAal \u3000", max_size=6), max_size=12),
    st.lists(st.sampled_from(["", "-", "合计", "total", "a"]), min_size=1, max_size=3),
    st.integers(0, 3),
)
def test_a_text_that_is_one_of_the_words_is_never_overlooked(
    texts: list[str | None], words: list[str], start: int
) -> None:
    array = pa.array(texts, pa.large_string())[start:]
    assert may_begin(array, words) >= any(text.strip().lower() in words for text in texts[start:] if text is not None)


@settings(max_examples=40)
@given(st.lists(st.tuples(*[st.none() | st.text(alphabet="aB一-é", max_size=2)] * 3), max_size=20))
def test_categories_are_ordered_as_the_text_they_stand_for(rows: list[tuple[str | None, ...]]) -> None:
    frame = pd.DataFrame(rows, columns=["asset_id", "account", "note"], dtype=STRING)
    classes = pd.DataFrame({name: pd.Categorical(column) for name, column in frame.items()})
    wanted = sorted(range(len(rows)), key=lambda row: [(cell is not None, cell or "") for cell in rows[row]])
    for table in (frame, classes):
        order = canonical_order(table, ("asset_id",))
        assert wanted == list(range(len(rows)) if order is None else order)
