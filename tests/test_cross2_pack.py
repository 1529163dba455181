"""Rule packs by date: the version in force, overrides that are remembered, and the tables other rooms read."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from allocator_cross2.figures import FigureFile
from allocator_cross2.pack import RulePack

from allocator.errors import InputError
from allocator.types import Certainty

FIRST = date(2022, 3, 31)
NOTICE_2023 = date(2023, 9, 10)
NOTICE_2025 = date(2025, 12, 1)
TODAY = date(2026, 6, 30)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def pack() -> RulePack:
    return RulePack.at(TODAY)


def test_a_date_before_the_rules_is_refused() -> None:
    with pytest.raises(InputError, match="fund.as_of.*2022-03-30.*2022-03-31 or later"):
        RulePack.at(date(2022, 3, 30))


@pytest.mark.parametrize(
    ("key", "notice", "before", "after"),
    [
        ("equity.listed.star", NOTICE_2023, 0.45, 0.40),
        ("equity.listed.csi300", NOTICE_2023, None, 0.30),
        ("equity.listed.index_long", NOTICE_2025, None, 0.27),
        ("equity.listed.star_long", NOTICE_2025, None, 0.36),
        ("equity.unlisted.strategic_emerging", NOTICE_2023, None, 0.40),
        ("opaque.reit", NOTICE_2023, 0.6, 0.5),
        ("tier.future_surplus", NOTICE_2023, 0.35, 0.40),
        ("rate.non_base_layers", NOTICE_2023, None, 3),
    ],
)
def test_a_notice_takes_effect_on_its_day(key: str, notice: date, before: float | None, after: float) -> None:
    earlier, later = RulePack.at(notice - DAY), RulePack.at(notice)
    assert (earlier.value(key) if key in earlier else None) == before
    assert later.value(key) == after
    assert later.source(key).effective == notice.isoformat()


def test_sources_name_document_and_article(pack: RulePack) -> None:
    assert pack.article("equity.listed.main") == "R8 §26"
    assert pack.article("equity.listed.csi300") == "金规〔2023〕5号 (6)"
    assert pack.source("equity.listed.main").document == "银保监发〔2021〕51号"
    assert pack.source("concentration.class.overseas").certainty is Certainty.RECALLED
    assert "Solvency Regulatory Rules" in pack.document_title("equity.listed.main").en
    for key in pack:
        assert pack.label(key).zh and pack.unit(key) and pack.article(key)


def test_an_unknown_key_names_the_nearest(pack: RulePack) -> None:
    with pytest.raises(KeyError, match=r"equity\.listed\.main"):
        pack.value("equity.listed.man")
    with pytest.raises(TypeError, match="not a float"):
        pack.value("default.derivative")


# Annex 3 of 52号, written out.
STRESS = {
    1: (97, -71),
    2: (76, -66),
    3: (68, -61),
    4: (65, -54),
    5: (66, -48),
    6: (61, -45),
    7: (55, -42),
    8: (53, -39),
    9: (52, -36),
    10: (50, -34),
    11: (49, -32),
    12: (47, -30),
    13: (45, -28),
    14: (42, -27),
    15: (41, -25),
    16: (39, -24),
    17: (38, -23),
    18: (38, -23),
    19: (38, -23),
    20: (37, -23),
    40: (17, -11),
}


def test_rate_curve_figures(pack: RulePack) -> None:
    stress = pack.points("rate.stress")
    got = {int(t): (round(100 * u), round(100 * d)) for t, u, d in zip(*stress.columns.values(), strict=True)}
    assert got == STRESS
    assert (pack.value("rate.ultimate"), pack.value("rate.spread")) == (0.045, 0.0045)
    assert (pack.value("rate.observed_to"), pack.value("rate.ultimate_from")) == (20, 40)


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        (
            "market.correlation",
            [
                [1, -0.14, -0.18, 0, -0.16, 0.07],
                [-0.14, 1, 0.22, 0.06, 0.50, 0.04],
                [-0.18, 0.22, 1, 0.18, 0.19, -0.14],
                [0, 0.06, 0.18, 1, 0.04, -0.01],
                [-0.16, 0.50, 0.19, 0.04, 1, -0.19],
                [0.07, 0.04, -0.14, -0.01, -0.19, 1],
            ],
        ),
        (
            "quantifiable.correlation.life",
            [[1, 0.20, 0.30, 0.15], [0.20, 1, 0.10, 0.10], [0.30, 0.10, 1, 0.35], [0.15, 0.10, 0.35, 1]],
        ),
        ("quantifiable.correlation.property", [[1, 0.1, 0.15], [0.1, 1, 0.27], [0.15, 0.27, 1]]),
        (
            "quantifiable.correlation.reinsurer",
            [[1, 0.10, 0.30, 0.15], [0.10, 1, 0.10, 0.15], [0.30, 0.10, 1, 0.27], [0.15, 0.15, 0.27, 1]],
        ),
        ("life.correlation", [[1, 0.4, 0], [0.4, 1, 0.5], [0, 0.5, 1]]),
        ("credit.correlation", [[1, 0.25], [0.25, 1]]),
        ("loss_absorption.correlation", [[1, 0.35], [0.35, 1]]),
        ("overseas_fixed_income.correlation", [[1, 0.1365], [0.1365, 1]]),
        ("overseas_equity.correlation", [[1, 0.375], [0.375, 1]]),
    ],
)
def test_correlation_matrices(pack: RulePack, key: str, rows: list[list[float]]) -> None:
    np.testing.assert_array_equal(pack.matrix(key).values, rows)


def test_market_order_is_that_of_the_rule(pack: RulePack) -> None:
    matrix = pack.matrix("market.correlation")
    assert matrix.order == (
        "interest_rate",
        "equity_price",
        "real_estate_price",
        "overseas_fixed_income",
        "overseas_equity",
        "currency",
    )
    assert matrix.entry("equity_price", "overseas_equity") == 0.50


@pytest.mark.parametrize(("score", "factor"), [(0, 0.75), (70, 0.05), (80, 0.0), (90, -0.05), (100, -0.15)])
def test_control_risk_factor(pack: RulePack, score: float, factor: float) -> None:
    assert pack.piecewise("control_risk.factor").at(np.array([score]))[0] == pytest.approx(factor, abs=1e-15)


@pytest.mark.parametrize(
    ("key", "assets", "before", "after"),
    [
        ("size_factor.life", 49.9e9, 1, 0.90),
        ("size_factor.life", 50e9, 1, 0.95),
        ("size_factor.life", 499.9e9, 1, 0.95),
        ("size_factor.life", 500e9, 1, 1),
        ("size_factor.property", 9.9e9, 1, 0.90),
        ("size_factor.property", 10e9, 1, 0.95),
        ("size_factor.property", 199.9e9, 1, 0.95),
        ("size_factor.property", 200e9, 1, 1),
    ],
)
def test_size_factor(key: str, assets: float, before: float, after: float) -> None:
    x = np.array([assets])
    assert RulePack.at(date(2023, 6, 30)).ladder(key).at(x)[0] == before
    assert RulePack.at(date(2023, 9, 30)).ladder(key).at(x)[0] == after


def test_a_shared_bound_is_a_reading() -> None:
    ladder = RulePack.at(TODAY).ladder("size_factor.life")
    assert ladder.at(np.array([50e9, 500e9]), include_bound=False).tolist() == [0.90, 0.95]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("loss_absorption.k", 0),
        ("loss_absorption.largest_ratio", 0.5),
        ("loss_absorption.cap_weight", 0.22),
        ("loss_absorption.floor", 0.02),
        ("control_risk.standard_score", 80),
        ("control_risk.absolute_weight", 0.5),
        ("ratio.core", 0.5),
        ("ratio.comprehensive", 1.0),
        ("tier.supplementary", 1.0),
        ("tier.core_tier2", 0.30),
        ("tier.supplementary_tier2", 0.25),
    ],
)
def test_single_figures(pack: RulePack, key: str, value: float) -> None:
    assert pack.value(key) == value


@pytest.mark.parametrize(
    ("when", "ratio", "ceiling"),
    [
        (date(2025, 3, 31), 0.9, 0.10),
        (date(2025, 3, 31), 1.0, 0.20),
        (date(2025, 3, 31), 1.5, 0.25),
        (date(2025, 3, 31), 2.0, 0.30),
        (date(2025, 3, 31), 2.5, 0.35),
        (date(2025, 3, 31), 3.0, 0.40),
        (date(2025, 3, 31), 3.5, 0.45),
        (date(2025, 4, 8), 0.9, 0.10),
        (date(2025, 4, 8), 1.0, 0.20),
        (date(2025, 4, 8), 1.5, 0.30),
        (date(2025, 4, 8), 2.5, 0.40),
        (date(2025, 4, 8), 3.5, 0.50),
    ],
)
def test_equity_ceiling_of_class_concentration(when: date, ratio: float, ceiling: float) -> None:
    assert RulePack.at(when).ladder("concentration.class.equity").at(np.array([ratio]))[0] == ceiling


def test_overrides_are_remembered_and_leave_the_rules_alone() -> None:
    changed = RulePack.at(
        TODAY,
        {
            "equity.listed.main": 0.30,
            "default.derivative.AA+": 0.14,
            "default.deposit.city.2": 0.09,
            "spread.standardised.AA.1.coefficients.2": 0.024,
        },
    )
    assert changed.value("equity.listed.main") == 0.30
    assert changed.table("default.derivative")["AA+"] == 0.14
    assert changed.table("default.derivative")["AA"] == 0.18
    assert changed.ladder("default.deposit.city").values.tolist() == [0.04, 0.09, 0.10, 0.15]
    assert changed.piecewise_table("spread.standardised")["AA"].at(np.array([1.0]))[0] == pytest.approx(0.0249)
    assert changed.overridden == {
        "equity.listed.main",
        "default.derivative",
        "default.deposit.city",
        "spread.standardised",
    }
    assert RulePack.at(TODAY).value("equity.listed.main") == 0.35
    assert RulePack.at(TODAY).overridden == frozenset()


def test_every_bad_override_is_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        RulePack.at(
            FIRST,
            {
                "equity.listed.man": 0.3,
                "equity.listed.csi300": 0.3,
                "default.derivative": 0.3,
                "default.deposit.city.9": 0.3,
                "market.correlation.rows.1.2": 0.3,
            },
            {"keep_k2": True},
        )
    message = str(caught.value)
    assert len(caught.value.problems) == 6
    for expected in (
        "did you mean 'equity.listed.main'?",
        "2023-09-10 or later",
        "default.derivative.AA+",
        "default.deposit.city.4",
        "symmetric",
        "capital.readings.keep_k2",
    ):
        assert expected in message
    assert all(problem.render("zh") for problem in caught.value.problems)


def test_readings_have_defaults_and_questions() -> None:
    pack = RulePack.at(TODAY, readings={"clip_concentration": True})
    assert pack.reading("clip_concentration") is True
    assert pack.reading("csi300_factor_keeps_k2") is False
    with pytest.raises(KeyError):
        pack.reading("no_such_reading")
    assert {name for name, *_ in pack.reading_notes()} == set(pack.readings)


@pytest.mark.parametrize(
    ("form", "value", "message"),
    [
        ("ladder", [{"at_least": 1, "value": 1}, {"at_least": 2, "value": 2}, {"value": 3}], "descending"),
        ("ladder", [{"at_least": 1, "value": 1}], "last step"),
        ("bands", [{"up_to": 2, "share": 0.1}, {"up_to": 1, "share": 0.1}, {"share": 0.1}], "ascending"),
        ("bands", [{"up_to": 2, "share": 0.1}], "last band"),
        ("matrix", {"order": ["a", "b"], "rows": [[1, 0.2], [0.3, 1]]}, "symmetric"),
        ("matrix", {"order": ["a", "b"], "rows": [[1]]}, "2 × 2"),
        ("points", {"columns": ["x", "y"], "rows": [[1, 2], [1, 3]]}, "increase"),
        ("points", {"columns": ["x", "y"], "rows": [[1]]}, "one number per column"),
        ("number", float("nan"), "finite"),
        ("number", "abc", "number"),
    ],
)
def test_the_schema_refuses_a_malformed_figure(form: str, value: object, message: str) -> None:
    version = {"effective": "2022-03-31", "document": "rules", "article": "R1 §1", "value": value}
    figure = {"label": {"en": "x", "zh": "x"}, "unit": "factor", "form": form, "versions": [version]}
    with pytest.raises(ValueError, match=message):
        FigureFile.model_validate({"figures": {"x": figure}})


def test_versions_stand_in_order_and_may_lapse() -> None:
    version = {"document": "rules", "article": "R1 §1", "value": 1.0}
    figure = {"label": {"en": "x", "zh": "x"}, "unit": "factor", "form": "number"}
    early, late = {**version, "effective": "2022-03-31", "until": "2023-01-01"}, {**version, "effective": "2024-01-01"}
    read = FigureFile.model_validate({"figures": {"x": {**figure, "versions": [early, late]}}}).figures["x"].read
    assert [read(day) is not None for day in (FIRST, date(2023, 1, 1), date(2024, 1, 1))] == [True, False, True]
    with pytest.raises(ValueError, match="in order"):
        FigureFile.model_validate({"figures": {"x": {**figure, "versions": [late, early]}}})
