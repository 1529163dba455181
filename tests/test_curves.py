"""Spot curves: interpolation, discounting, par rates, and the mean of a daily history."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.errors import Problems
from allocator.inputs.curves import SpotCurve, mean_of_history, spot_curve

DATA = Path(os.environ.get("ALLOCATOR_DATA", Path(__file__).parents[2] / "shared" / "data"))


def curve(*rates: float) -> SpotCurve:
    return SpotCurve(np.arange(1.0, len(rates) + 1), np.array(rates))


def test_rates_are_linear_between_tenors_and_flat_outside() -> None:
    three = curve(0.02, 0.03, 0.05)
    assert three.rate([0.0, 0.5, 1.0, 1.5, 2.25, 3.0, 40.0]) == pytest.approx(
        [0.02, 0.02, 0.02, 0.025, 0.035, 0.05, 0.05]
    )


def test_discount_factors_are_compounded_annually() -> None:
    three = curve(0.02, 0.03, 0.05)
    assert three.discount([0.0, 1.0, 1.5, 3.0]) == pytest.approx([1.0, 1 / 1.02, 1.025**-1.5, 1.05**-3])
    assert three.discount_by_day(730)[[0, 365, 730]] == pytest.approx([1.0, 1 / 1.02, 1.03**-2])


def test_forwards_compound_to_the_spot_rate() -> None:
    three = curve(0.02, 0.03, 0.05)
    assert 1.02 * (1 + float(three.forward(1, 2))) == pytest.approx(1.03**2)


@given(st.lists(st.floats(-0.02, 0.15), min_size=2, max_size=40))
def test_a_bond_with_the_par_coupon_is_worth_par(rates: list[float]) -> None:
    spot = curve(*rates)
    years = len(rates)
    coupon = spot.par_rate(years)
    times = np.arange(1, years + 1)
    assert coupon * spot.discount(times).sum() + spot.discount(years) == pytest.approx(1.0)


def test_par_rate_of_a_flat_curve_is_the_nominal_rate() -> None:
    flat = curve(*[0.04] * 10)
    assert flat.par_rate(10, 2) == pytest.approx(2 * (1.04**0.5 - 1))


def test_a_shift_moves_every_tenor() -> None:
    assert curve(0.02, 0.03).shifted([0.01, -0.01]).rates == pytest.approx([0.03, 0.02])


@pytest.mark.parametrize(
    ("tenors", "rates"), [([], []), ([2.0, 1.0], [0.1, 0.1]), ([0.0], [0.1]), ([1.0], [np.nan]), ([1.0], [-1.0])]
)
def test_a_malformed_curve_is_refused(tenors: list[float], rates: list[float]) -> None:
    with pytest.raises(ValueError, match=r"curve"):
        SpotCurve(np.array(tenors), np.array(rates))


def read(rows: dict[float, float], first: float = 1, last: float = 20) -> tuple[SpotCurve | None, list[str]]:
    problems = Problems()
    frame = pd.DataFrame({"tenor": list(rows), "spot": list(rows.values())})
    return spot_curve(frame, first, last, "curve.csv", problems), [str(problem) for problem in problems]


def test_gaps_between_tenors_are_interpolated_and_order_does_not_matter() -> None:
    spot, messages = read({20: 0.03, 1: 0.02, 10: 0.025})
    assert not messages and spot is not None
    assert spot.rate([5.5, 15]) == pytest.approx([0.0225, 0.0275])


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ({1: 0.02, 10: 0.03}, "does not reach"),
        ({2: 0.02, 20: 0.03}, "does not reach"),
        ({1: 2.1, 20: 3.1}, "out of range"),
        ({1: np.nan, 20: 0.03}, "empty cells"),
        ({0: 0.01, 1: 0.02, 20: 0.03}, "not positive"),
        ({}, "empty"),
    ],
)
def test_an_unusable_table_is_named(rows: dict[float, float], word: str) -> None:
    spot, messages = read(rows)
    assert spot is None
    assert any(word in message and message.startswith("curve.csv") for message in messages)


def test_a_repeated_tenor_is_named() -> None:
    problems = Problems()
    frame = pd.DataFrame({"tenor": [1.0, 1.0, 20.0], "spot": [0.01, 0.02, 0.03]})
    assert spot_curve(frame, 1, 20, "curve.csv", problems) is None
    assert "stands twice" in str(next(iter(problems)))


def history(days: int) -> pd.DataFrame:
    dates = pd.bdate_range("2025-01-01", periods=days)
    drift = 0.0001 * np.arange(days)
    return pd.DataFrame({"date": dates, "1y": 0.01 + drift, "2y": 0.02 + drift, "50y": np.nan})


def test_the_mean_takes_the_last_observations_up_to_the_date() -> None:
    problems = Problems()
    frame = history(100)
    as_of = frame["date"].iloc[89].date()
    mean = mean_of_history(frame, as_of, 60, "history.csv", problems)
    # Observations 30 … 89: their mean index is 59.5.
    assert not len(problems) and mean is not None
    assert mean["tenor"].tolist() == [1.0, 2.0]
    assert mean["spot"].tolist() == pytest.approx([0.01 + 0.00595, 0.02 + 0.00595])


def test_a_short_history_and_a_gap_are_named() -> None:
    problems = Problems()
    assert mean_of_history(history(59), date(2025, 12, 31), 60, "history.csv", problems) is None
    holed = history(60)
    holed.loc[7, "2y"] = np.nan
    assert mean_of_history(holed, date(2025, 12, 31), 60, "history.csv", problems) is None
    assert "too short" in str(list(problems)[0])
    assert "every day" in str(list(problems)[1])


@pytest.mark.skipif(not DATA.is_dir(), reason="the data folder is not present")
def test_the_mean_agrees_with_the_published_sixty_day_mean() -> None:
    daily = pd.read_csv(DATA / "curves" / "chinabond_cgb_spot_daily.csv", parse_dates=["date"])
    tenors = [f"{year}y" for year in range(1, 51)]
    problems = Problems()
    mean = mean_of_history(daily, date(2026, 3, 31), 60, "history.csv", problems)
    means = pd.read_csv(DATA / "curves" / "derived_cgb_moving_average_monthend.csv")
    row = means.query("date == '2026-03-31' and curve == 'cgb_spot' and window_obs == 60").iloc[0]
    assert mean is not None
    assert mean["spot"].to_numpy() == pytest.approx(row[tenors].to_numpy(dtype=float), abs=2e-5)
