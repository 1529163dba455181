"""Pools and tranches against hand-worked cases, and what must hold for all of them."""

from __future__ import annotations

import allocator_securitised
import numpy as np
import pandas as pd
import pytest
from allocator_securitised.building_blocks import building_blocks
from allocator_securitised.deals import tranche_cash_flows
from allocator_securitised.pool import PoolFlows, Pools, pool_flows
from allocator_securitised.report import part_tables, tranche_tables
from allocator_securitised.tranches import Tranches, expected_loss, tranche_flows
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy import integrate, stats
from support import make_inputs, make_registry

from allocator import Fund
from allocator.errors import InputError, Problems
from allocator.inputs.cash_flows import asset_cash_flows
from allocator.inputs.fund import Inputs


def pool(
    periods: int = 4,
    frequency: int = 1,
    coupon: float = 0.04,
    amortisation: str = "bullet",
    prepayment: ArrayLike = (0.0,),
    default: ArrayLike = (0.0,),
    severity: float = 0.5,
    copies: int = 1,
) -> Pools:
    def wide(values: ArrayLike) -> np.ndarray:
        return np.tile(np.asarray(values, dtype=float), (copies, 1))

    return Pools(
        np.full(copies, periods),
        np.full(copies, frequency),
        np.full(copies, coupon),
        np.full(copies, amortisation),
        wide(prepayment),
        wide(default),
        np.full(copies, severity),
    )


def stack(*points: float, coupon: float = 0.03) -> Tranches:
    """Tranches between the points 0 = a₀ < a₁ < … = 1, all of one coupon."""
    edges = np.asarray(points)
    same = np.full(len(edges) - 1, coupon)
    return Tranches(edges[:-1], edges[1:], same, same)


def test_an_annuity_pays_the_same_every_period() -> None:
    """4 years at 4%: instalment 0.04 / (1 − 1.04⁻⁴) = 0.27549; of the first, 0.04 is interest, 0.23549 principal."""
    flows = pool_flows(pool(amortisation="annuity"))
    np.testing.assert_allclose(flows.interest[0] + flows.scheduled[0], 0.04 / (1 - 1.04**-4), rtol=1e-12)
    np.testing.assert_allclose(flows.scheduled[0, :2], [0.23549005, 0.24490965], atol=1e-8)


def test_prepayment_and_default_by_hand() -> None:
    """Equal principal over 4 years at 4%, CPR 10% then 20%, CDR 2%, severity 50%.

    Year 1: default 0.02, performing 0.98, interest 0.0392, scheduled 0.245, prepaid 0.0735, balance 0.6615.
    Year 2: default 0.01323, performing 0.64827, interest 0.0259308, scheduled 0.21609, prepaid 0.086436.
    """
    flows = pool_flows(pool(amortisation="equal_principal", prepayment=(0.1, 0.2), default=(0.02,)))
    np.testing.assert_allclose(flows.interest[0, :2], [0.0392, 0.0259308], rtol=1e-12)
    np.testing.assert_allclose(flows.scheduled[0, :2], [0.245, 0.21609], rtol=1e-12)
    np.testing.assert_allclose(flows.prepaid[0, :2], [0.0735, 0.086436], rtol=1e-12)
    np.testing.assert_allclose(flows.lost[0, :2], [0.01, 0.006615], rtol=1e-12)
    np.testing.assert_allclose(flows.recovered[0, :2], [0.01, 0.006615], rtol=1e-12)


def test_monthly_rates_compound_to_the_annual_ones() -> None:
    """After twelve months of a bullet pool at CPR 12% and CDR 3% the balance is 0.88 · 0.97."""
    flows = pool_flows(pool(periods=24, frequency=12, prepayment=(0.12,), default=(0.03,)))
    gone = (flows.prepaid + flows.recovered + flows.lost)[0, :12].sum()
    assert 1.0 - gone == pytest.approx(0.88 * 0.97, rel=1e-12)


def test_the_waterfall_by_hand() -> None:
    """Senior 70%, mezzanine 20%, junior 10%; 0.5 of principal and 0.04 of loss in year 1, 0.35 and 0.11 in year 2.

    Senior receives 0.5, then 0.2. Mezzanine receives 0.85 − 0.7 = 0.15 and loses 0.15 − 0.10 = 0.05: together 0.20.
    Junior loses 0.04, then 0.06. Interest at 3%: year 2 owes 0.03·0.2 to the senior, 0.006 to the mezzanine and
    0.0018 to the junior; a pool paying 0.009 leaves the mezzanine 0.003 and the junior nothing.
    """
    tranches = stack(0.0, 0.1, 0.3, 1.0)
    principal, lost = np.array([[0.5, 0.35]] * 3), np.array([[0.04, 0.11]] * 3)
    pays = PoolFlows(np.array([[0.05, 0.009]] * 3), principal, np.zeros((3, 2)), np.zeros((3, 2)), lost)
    ones = np.ones(3, dtype=np.int64)
    # The junior ranks behind the senior and the mezzanine, whose coupon is the same.
    flows = tranche_flows(tranches, pays, ones)
    size = tranches.size[:, None]
    np.testing.assert_allclose(flows.principal * size, [[0, 0], [0, 0.15], [0.5, 0.2]], atol=1e-15)
    np.testing.assert_allclose(flows.lost * size, [[0.04, 0.06], [0, 0.05], [0, 0]], atol=1e-15)
    np.testing.assert_allclose(flows.outstanding * size, [[0.1, 0.06], [0.2, 0.2], [0.7, 0.2]], atol=1e-15)
    np.testing.assert_allclose(flows.interest * size, [[0.003, 0.0], [0.006, 0.003], [0.021, 0.006]], atol=1e-15)


def test_average_life_of_a_sequential_deal() -> None:
    """Equal principal over 4 years: the senior half is repaid in years 1 and 2, the junior half in 3 and 4."""
    terms = pool(amortisation="equal_principal", copies=2)
    flows = tranche_flows(stack(0.0, 0.5, 1.0), pool_flows(terms), terms.frequency)
    np.testing.assert_allclose(flows.average_life(terms.frequency), [3.5, 1.5])


rate = st.floats(0.0, 0.6)


@given(
    periods=st.integers(1, 60),
    frequency=st.sampled_from([1, 2, 4, 12]),
    coupon=st.floats(0.0, 0.15),
    amortisation=st.sampled_from(["bullet", "equal_principal", "annuity"]),
    prepayment=st.lists(rate, min_size=1, max_size=3),
    default=st.lists(rate, min_size=1, max_size=3),
    severity=st.floats(0.0, 1.0),
    cuts=st.lists(st.floats(0.01, 0.99), max_size=4, unique=True),
)
def test_principal_is_conserved(
    periods: int,
    frequency: int,
    coupon: float,
    amortisation: str,
    prepayment: list[float],
    default: list[float],
    severity: float,
    cuts: list[float],
) -> None:
    edges = [0.0, *sorted(cuts), 1.0]
    tranches = stack(*edges)
    terms = pool(periods, frequency, coupon, amortisation, prepayment, default, severity, copies=len(edges) - 1)
    flows = pool_flows(terms)
    np.testing.assert_allclose((flows.principal + flows.lost).sum(axis=1), 1.0, atol=1e-10)
    shares = tranche_flows(tranches, flows, terms.frequency)
    size = tranches.size[:, None]
    np.testing.assert_allclose((shares.principal * size).sum(axis=0), flows.principal[0], atol=1e-10)
    np.testing.assert_allclose((shares.lost * size).sum(axis=0), flows.lost[0], atol=1e-10)
    np.testing.assert_allclose((shares.principal + shares.lost).sum(axis=1), 1.0, atol=1e-8)
    assert np.all((shares.interest * size).sum(axis=0) <= flows.interest[0] + 1e-12)
    assert min(shares.principal.min(), shares.lost.min(), shares.interest.min()) >= -1e-9


def test_expected_loss_of_tranches_is_that_of_the_pool() -> None:
    """The factor's mean leaves the default probability as it is, so the tranches' losses weigh up to the pool's."""
    edges = (0.0, 0.03, 0.1, 1.0)
    terms = pool(periods=1, default=(0.04,), severity=0.6, copies=3)
    tranches = stack(*edges)
    losses = expected_loss(terms, tranches, np.full(3, 0.2))
    assert losses.share @ tranches.size == pytest.approx(0.04 * 0.6, rel=1e-6)
    assert losses.share[0] > losses.share[1] > losses.share[2] > 0.0


def test_expected_loss_agrees_with_the_integral() -> None:
    """∫ clip(severity · p(m) − a, 0, b − a) φ(m) dm / (b − a) for a pool that lasts one year."""
    a, b, p, severity, rho = 0.03, 0.1, 0.04, 0.6, 0.2
    cutoff = stats.norm.ppf(p)

    def loss(m: float) -> float:
        given_state = stats.norm.cdf((cutoff - np.sqrt(rho) * m) / np.sqrt(1 - rho))
        return float(np.clip(severity * given_state - a, 0, b - a) * stats.norm.pdf(m))

    exact = integrate.quad(loss, -8, 8, points=(-4, -3, -2, -1, 0))[0] / (b - a)
    one = Tranches(np.array([a]), np.array([b]), np.array([0.03]), np.array([0.03]))
    found = expected_loss(pool(periods=1, default=(p,), severity=severity), one, np.array([rho]))
    assert found.share[0] == pytest.approx(exact, rel=1e-3)
    # No default before the only year ends: the balance stands one year.
    assert found.annual[0] == pytest.approx(found.share[0], rel=1e-12)


def test_without_correlation_a_covered_loss_costs_the_senior_nothing() -> None:
    terms = pool(default=(0.01,), amortisation="annuity", copies=2)
    losses = expected_loss(terms, stack(0.0, 0.2, 1.0), np.zeros(2))
    assert losses.share[1] == 0.0
    assert losses.share[0] == pytest.approx(pool_flows(terms).lost[0].sum() / 0.2, rel=1e-9)
    assert expected_loss(pool(copies=1), stack(0.0, 1.0), np.full(1, 0.3)).share[0] == 0.0


ABS = {
    "asset_id": "ABS",
    "kind": "exchange_abs",
    "account": "traditional",
    "amount": 100.0,
    "coupon": 0.03,
    "frequency": 1,
    "maturity": "2030-06-30",
    "amortisation": "equal_principal",
    "prepayment_rate": "10%;20%",
    "default_rate": "2%",
    "loss_severity": 0.5,
    "subordination": 0.0,
    "pool_coupon": 0.04,
    "yield": 0.031,
    "expected_return": 0.0,
}
BOND = {"asset_id": "B", "kind": "government_bond", "account": "traditional", "amount": 50.0, "yield": 0.02}
REGISTRY = make_registry(("securitised", allocator_securitised))


def assets(*rows: dict[str, object], **tables: pd.DataFrame) -> Inputs:
    return make_inputs([dict(row) for row in rows], tables=tables, registry=REGISTRY)


def test_a_row_of_assets_becomes_the_cash_flows_worked_by_hand() -> None:
    """The hand-worked pool above, held whole: principal 0.245 + 0.0735 + 0.01 and coupon 3% of 100 after a year."""
    frame = tranche_cash_flows(assets(ABS, BOND))
    assert frame["asset_id"].unique().tolist() == ["ABS"]
    assert frame["date"].dt.strftime("%Y-%m-%d").tolist() == [f"{year}-06-30" for year in range(2027, 2031)]
    assert frame["principal"][0] == pytest.approx(32.85)
    assert frame["principal"][1] == pytest.approx(21.609 + 8.6436 + 0.6615)
    assert frame["interest"][0] == pytest.approx(3.0)
    lost = 100 * pool_flows(pool(amortisation="equal_principal", prepayment=(0.1, 0.2), default=(0.02,))).lost.sum()
    assert frame["principal"].sum() == pytest.approx(100.0 - lost)


def test_the_flows_are_a_table_the_fund_can_name() -> None:
    flows = tranche_cash_flows(assets(ABS))
    given = assets(ABS, cash_flows=flows)
    problems = Problems()
    found = asset_cash_flows(given, np.array([True]), problems)
    assert not len(problems)
    assert found.amount.sum() * 100.0 == pytest.approx(flows["principal"].sum() + flows["interest"].sum())


@pytest.mark.parametrize(
    ("change", "column", "words"),
    [
        ({"loss_severity": None}, "loss_severity", "need this figure"),
        ({"subordination": 0.3, "tranche_share": 0.8}, "tranche_share", "above its pool"),
        ({"default_rate": "120%"}, "default_rate", "out of range"),
        ({"frequency": 3}, "frequency", "1, 2, 4, 12"),
    ],
)
def test_what_a_tranche_lacks_is_named(change: dict[str, object], column: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        tranche_cash_flows(assets({**ABS, **change}))
    assert f"column {column}" in str(caught.value)


def test_building_blocks_show_their_parts() -> None:
    """Yield − loss + roll; dividend + growth + valuation; the funds' growth; else as given."""
    rows = assets(
        {**BOND, "modified_duration": 5 / 1.02, "frequency": 1},
        {
            **BOND,
            "asset_id": "C",
            "kind": "corporate_bond",
            "yield": 0.03,
            "default_rate": "0.4%;0.8%",
            "loss_severity": 0.6,
        },
        {"asset_id": "S", "kind": "listed_stock", "account": "traditional", "amount": 1.0, "dividend_yield": 0.03}
        | {"dividend_growth": 0.04, "valuation_change": -0.01},
        {"asset_id": "F", "kind": "pe_fund", "account": "traditional", "amount": 40.0},
        {"asset_id": "P", "kind": "property", "account": "traditional", "amount": 1.0, "expected_return": 0.05},
        curve=pd.DataFrame({"tenor": range(1, 51), "spot": [0.01 + 0.001 * t for t in range(1, 51)]}),
        funds=pd.DataFrame(
            {"asset_id": ["F", "F"], "vintage": [2022, 2024], "nav": [30.0, 10.0], "growth": [0.1, 0.06]}
        ),
    )
    parts = building_blocks(rows)
    # Duration 5 on a curve that rises 10 bp a year: 4 · 0.001.
    assert parts.loc[0].tolist() == pytest.approx([0.02, 0, 0.004, 0, 0, 0])
    assert parts.loc[1].tolist() == pytest.approx([0.03, -0.0036, 0, 0, 0, 0])
    assert parts.loc[2].tolist() == pytest.approx([0.03, 0, 0, 0.04, -0.01, 0])
    assert parts.loc[3].tolist() == pytest.approx([0, 0, 0, 0.09, 0, 0])
    assert parts.loc[4].tolist() == pytest.approx([0, 0, 0, 0, 0, 0.05])


def test_roll_down_is_exact_for_a_zero_bond() -> None:
    """Bought at e^−T r(T), worth e^−(T−1) r(T−1) a year later: in logarithms r(T) + roll-down."""
    tenor, rates = 7, {7: 0.024, 6: 0.021}
    roll = (tenor - 1) * (rates[7] - rates[6])
    assert tenor * rates[7] - (tenor - 1) * rates[6] == pytest.approx(rates[7] + roll)
    curve = pd.DataFrame({"tenor": [1.0, 6.0, 7.0, 50.0], "spot": [0.01, 0.021, 0.024, 0.03]})
    bond = {**BOND, "modified_duration": 7 / 1.02, "frequency": 1}
    assert building_blocks(assets(bond, curve=curve))["roll_down"][0] == pytest.approx(roll)


def test_a_tranche_loses_what_its_place_in_the_pool_says() -> None:
    """Junior and senior of one pool: 3.1% yield less the annual loss of each, from the engine above."""
    junior = {**ABS, "subordination": 0.0, "tranche_share": 0.1}
    senior = {**ABS, "asset_id": "SEN", "subordination": 0.1}
    parts = building_blocks(assets(junior, senior))
    terms = pool(amortisation="equal_principal", coupon=0.04, prepayment=(0.1, 0.2), default=(0.02,), copies=2)
    expected = expected_loss(terms, stack(0.0, 0.1, 1.0), np.full(2, 0.15))
    np.testing.assert_allclose(parts["expected_loss"], -expected.annual, rtol=1e-12)
    assert -parts["expected_loss"][0] > 10 * -parts["expected_loss"][1] > 0


def test_a_row_with_nothing_to_build_from_is_named() -> None:
    with pytest.raises(InputError, match="nothing to build") as caught:
        building_blocks(assets(BOND, {"asset_id": "X", "kind": "property", "account": "traditional", "amount": 1.0}))
    assert "row 2" in str(caught.value)
    credit = {**BOND, "asset_id": "C", "kind": "corporate_bond"}
    with pytest.raises(InputError, match="needs its expected loss"):
        building_blocks(assets(credit))


def test_the_report_shows_tranches_and_parts() -> None:
    settings = {"fund": {"name": "Test", "as_of": "2026-06-30"}, "models": {"returns": "building_blocks"}}
    result = Fund(settings, pd.DataFrame([ABS, BOND])).optimize().value
    tranches = tranche_tables(result)[0].frame
    assert tranches["asset_id"].tolist() == ["ABS"]
    assert tranches["loss"][0] == pytest.approx(tranches["pool_loss"][0])
    parts = part_tables(result)[0].frame
    np.testing.assert_allclose(parts["expected_return"], result.expected_return)
