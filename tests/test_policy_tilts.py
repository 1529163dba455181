"""First-party tilts and their guards, against cases worked by hand from their rules."""

from __future__ import annotations

from typing import Any

import allocator_disclosure_screen
import allocator_future_industries
import allocator_green_bonds
import allocator_long_term_holding
import allocator_national_projects
import allocator_securitised
import allocator_venture
import numpy as np
import pandas as pd
import pytest
from allocator_disclosure_screen.report import case_tables
from allocator_disclosure_screen.screen import ScreenOptions, disclosure_cases
from allocator_future_industries.report import industry_tables
from allocator_green_bonds.tilt import GreenOptions
from allocator_long_term_holding.report import lost_marks, sale_tables
from allocator_long_term_holding.tilt import HoldingOptions
from allocator_national_projects.report import evidence_tables
from allocator_national_projects.tilt import Evidence, ProjectOptions, evidence
from support import make_inputs, make_registry

from allocator import Fund, InputError
from allocator.inputs.fund import Inputs
from allocator.model import TiltSpec
from allocator.result.result import Result
from allocator.types import Certainty

REGISTRY = make_registry(
    ("disclosure_screen", allocator_disclosure_screen),
    ("future_industries", allocator_future_industries),
    ("green_bonds", allocator_green_bonds),
    ("long_term_holding", allocator_long_term_holding),
    ("national_projects", allocator_national_projects),
    ("securitised", allocator_securitised),
    ("venture", allocator_venture),
)
AS_OF = "2026-06-30"


def inputs(assets: list[dict[str, Any]], issuers: list[dict[str, Any]] | None = None, **more: Any) -> Inputs:
    rows = [{"account": "traditional", "amount": 100.0, "expected_return": 0.02, **asset} for asset in assets]
    tables = {name: table for name, table in more.items() if isinstance(table, pd.DataFrame)}
    if issuers is not None:
        tables["issuers"] = pd.DataFrame(issuers)
    settings = {"fund": {"name": "Test", "as_of": more.get("as_of", AS_OF)}}
    for section in ("tilts", "constraints"):
        settings[section] = more.get(section, [])
    return make_inputs(rows, tables=tables, settings=settings, registry=REGISTRY)


def bond(issuer: str | None, name: str | None = None, **more: Any) -> dict[str, Any]:
    return {"asset_id": name or f"B_{issuer}", "kind": "corporate_bond", "issuer": issuer, **more}


def score(name: str, held: Inputs, **options: Any) -> list[float]:
    spec: TiltSpec = REGISTRY.tilts[name]
    return [float(value) for value in spec.score(held, spec.options.model_validate(options))]


def optimum(held: Inputs) -> Result:
    return Fund.of(held, REGISTRY).optimize().value


PROJECT = {
    "national_project": True,
    "national_project_evidence": "2025-ZD-0001",
    "national_project_source": "主管部门立项通知",
    "national_project_date": "2025-09-15",
}
CARRIERS = [
    {"issuer": "FRESH", **PROJECT},
    {"issuer": "EDGE", **PROJECT, "national_project_date": "2024-06-30"},
    {"issuer": "OLD", **PROJECT, "national_project_date": "2024-06-29"},
    {"issuer": "BARE", **PROJECT, "national_project_evidence": None},
    {"issuer": "UNDATED", **PROJECT, "national_project_date": None},
    {"issuer": "LATER", **PROJECT, "national_project_date": "2026-07-01"},
    {"issuer": "SELF", **PROJECT, "national_project_source": "公司公告"},
    {"issuer": "SELF_EN", **PROJECT, "national_project_source": "Company announcement of May"},
    {"issuer": "NOT", **PROJECT, "national_project": False},
]


def test_evidence_counts_in_full_for_24_months_then_half() -> None:
    held = inputs([bond(line["issuer"]) for line in CARRIERS], CARRIERS)
    assert score("national_projects", held) == [1.0, 1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert score("national_projects", held, months=6, stale=0.1)[:3] == [0.1, 0.1, 0.1]


def test_no_evidence_no_score_and_every_reason_is_told() -> None:
    held = inputs([bond("FRESH")], CARRIERS)
    states = dict(zip(*evidence(held, ProjectOptions())[["issuer", "state"]].to_numpy().T, strict=True))
    assert states == {
        "FRESH": Evidence.FRESH,
        "EDGE": Evidence.FRESH,
        "OLD": Evidence.STALE,
        "BARE": Evidence.MISSING,
        "UNDATED": Evidence.MISSING,
        "LATER": Evidence.LATER,
        "SELF": Evidence.ANNOUNCED,
        "SELF_EN": Evidence.ANNOUNCED,
    }


def test_stale_evidence_is_reported_where_the_tilt_is_named() -> None:
    assets = [bond("OLD"), bond("FRESH")]
    named = optimum(inputs(assets, CARRIERS, tilts=[{"national_projects": {"mode": "floor", "months": 12}}]))
    (table,) = evidence_tables(named)
    assert table.frame.set_index("issuer").loc["OLD", "score"] == 0.5
    assert table.labels["state"]["stale"].zh.startswith("证据已超期")
    assert evidence_tables(optimum(inputs(assets, CARRIERS))) == ()


def test_a_fund_scores_what_is_inside() -> None:
    """60% in a carrier with fresh evidence, 20% in one with old evidence: 0.6 + 0.2 × 0.5."""
    inside = pd.DataFrame(
        {"asset_id": "F", "kind": "corporate_bond", "share": [0.6, 0.2, 0.2], "issuer": ["FRESH", "OLD", "NOT"]}
    )
    held = inputs([{"asset_id": "F", "kind": "bond_fund"}], CARRIERS, underlying=inside)
    assert score("national_projects", held) == [pytest.approx(0.7)]


FIRMS = [
    {"issuer": "CHIPS", "strategic_class": "新一代信息技术产业", "strategic_revenue_share": "90%",
     "future_fields": "集成电路", "future_revenue_share": "85%", "revenue_basis": None},
    {"issuer": "TWO", "strategic_class": "biotech", "strategic_revenue_share": 0.5,
     "future_fields": "生物制造;商业航天", "future_revenue_share": 0.6, "revenue_basis": "经审计"},
    {"issuer": "UNAUDITED", "strategic_class": "biotech", "strategic_revenue_share": 0.9,
     "future_fields": "脑机接口", "future_revenue_share": 0.9, "revenue_basis": "未经审计"},
    {"issuer": "HYPE", "strategic_class": "new_energy", "strategic_revenue_share": 0.8,
     "future_fields": "brain-computer interfaces", "future_revenue_share": 1.0, "revenue_basis": "公司公告"},
    {"issuer": "SILENT", "strategic_class": "new_energy", "strategic_revenue_share": None,
     "future_fields": "quantum_technology", "future_revenue_share": None, "revenue_basis": None},
]  # fmt: skip


def test_industries_score_by_audited_revenue_alone() -> None:
    """Of 60% over two fields of which one is among the seven, half counts; unaudited and announced shares do not."""
    held = inputs([bond(line["issuer"]) for line in FIRMS], FIRMS)
    assert score("strategic_industries", held) == [0.9, 0.5, 0.0, 0.0, 0.0]
    assert score("future_industries", held) == [0.85, 0.3, 0.0, 0.0, 0.0]
    assert score("strategic_industries", held, classes=["biotech"]) == [0.0, 0.5, 0.0, 0.0, 0.0]
    assert score("future_industries", held, fields=["集成电路"]) == [0.85, 0.0, 0.0, 0.0, 0.0]


def test_an_industry_that_does_not_exist_is_refused() -> None:
    held = inputs([bond("CHIPS")], FIRMS)
    with pytest.raises(InputError, match="did you mean 'quantum_technology'"):
        score("future_industries", held, fields=["quantum_technolgy"])


def test_what_does_not_count_is_shown_with_its_basis() -> None:
    tilts = [{"strategic_industries": {"mode": "floor"}}, {"future_industries": {"mode": "floor"}}]
    tables = industry_tables(optimum(inputs([bond("CHIPS"), bond("HYPE")], FIRMS, tilts=tilts)))
    assert [table.name for table in tables] == ["strategic_industries", "future_industries"]
    assert tables[1].frame.set_index("issuer").loc["HYPE", ["basis", "score"]].tolist() == ["announcement", 0.0]


def test_green_bonds_are_bonds_with_the_flag() -> None:
    rows = [
        bond(None, "G", green=True),
        bond(None, "N", green=False),
        bond(None, "U", green=None),
        {"asset_id": "S", "kind": "listed_stock", "green": True},
    ]
    assert score("green_bonds", inputs(rows)) == [1.0, 0.0, 0.0, 0.0]
    assert GreenOptions.model_fields == {}


POOL = pd.DataFrame(
    {
        "asset_id": ["ABS", "ABS", "ABS"],
        "kind": "corporate_bond",
        "share": [0.5, 0.3, 0.2],
        "issuer": ["TECH", "BANK", None],
    }
)


def test_securitised_products_count_by_the_firms_in_the_pool() -> None:
    """Half the pool are technology firms; a pool unlisted counts as its report states, else nothing; stock never."""
    issuers = [{"issuer": "TECH", "type": "科技型企业"}, {"issuer": "BANK", "type": "bank"}]
    rows = [
        {"asset_id": "ABS", "kind": "exchange_abs"},
        {"asset_id": "STATED", "kind": "abn", "technology_pool_share": "70%"},
        {"asset_id": "SILENT", "kind": "credit_abs"},
        {"asset_id": "STOCK", "kind": "listed_stock", "issuer": "TECH", "technology_pool_share": "70%"},
    ]
    held = inputs(rows, issuers, underlying=POOL)
    assert score("technology_securitised", held) == [0.5, 0.7, 0.0, 0.0]
    assert score("technology_securitised", held, issuer_types=["bank"])[0] == pytest.approx(0.3)


def fund_row(name: str, fields: str | None, **more: Any) -> dict[str, Any]:
    terms = {
        "vintage": 2025,
        "commitment": 100.0,
        "paid_in": 100.0,
        "nav": 100.0,
        "life": 10,
        "growth": 0.1,
        "bow": 2.5,
        "contribution_rates": "50%",
    }
    return {"asset_id": name, **terms, "technology_fields": fields, "stage": "early" if fields else None, **more}


def test_venture_funds_count_by_the_fields_of_their_agreement() -> None:
    funds = pd.DataFrame(
        [
            fund_row("Q", "量子科技;脑机接口"),
            fund_row("I", None, incubator=True),
            fund_row("O", None),
            fund_row("P", "AI"),
        ]
    )
    kinds = {"Q": "venture_fund", "I": "venture_fund", "O": "venture_fund", "P": "pe_fund"}
    held = inputs([{"asset_id": name, "kind": kind} for name, kind in kinds.items()], funds=funds)
    assert score("frontier_venture", held) == [1.0, 1.0, 0.0, 0.0]
    assert score("frontier_venture", held, incubators=False) == [1.0, 0.0, 0.0, 0.0]
    assert score("frontier_venture", inputs([{"asset_id": "Q", "kind": "venture_fund"}])) == [0.0]


def stock(name: str, board: str, indices: str | None, years: float | None, **more: Any) -> dict[str, Any]:
    return {
        "asset_id": name,
        "kind": "listed_stock",
        "board": board,
        "indices": indices,
        "holding_years": years,
        **more,
    }


SHARES = [
    stock("STAR_DONE", "star", None, 2.4),
    stock("STAR_NEAR", "star", "csi300", 1.5),
    stock("STAR_NEW", "star", None, 0.0),
    stock("CSI_NEAR", "main", "csi300", 2.0),
    stock("CSI_FAR", "main", "csi300", 0.5),
    stock("DIVIDEND", "main", "csi300;csi_dividend_low_vol_100", 3.1),
    stock("OTHER", "main", None, 9.0),
]


def test_nearing_a_mark_scores_and_reaching_it_scores_fully() -> None:
    """Marks of 2 and 3 years, two years' horizon: 1 − (2 − 1.5)/2 = 0.75, 1 − (3 − 2)/2 = 0.5, 2.5 away is 0."""
    held = inputs(SHARES)
    assert score("long_term_holding", held) == [1.0, 0.75, 0.0, 0.5, 0.0, 1.0, 0.0]
    assert score("long_term_holding", held, horizon=4) == [1.0, 0.875, 0.5, 0.75, 0.375, 1.0, 0.0]


def test_there_are_no_marks_before_the_notice() -> None:
    assert score("long_term_holding", inputs(SHARES, as_of="2025-11-30")) == [0.0] * 7


def test_a_sale_that_loses_its_mark_has_a_price() -> None:
    """40 of STAR past its mark: 40 × (0.40 − 0.36) = 1.6 of capital, for two years at 6%: 0.192. Half of the CSI row
    two years in: 50 × (0.30 − 0.27) = 1.5 for the two years waited: 0.18. Dividend stock in the CSI 300 saves 0.03."""
    target = np.array([60.0, 100.0, 100.0, 50.0, 100.0, 90.0, 0.0])
    lost = lost_marks(inputs(SHARES), target, 0.06).set_index("asset_id")
    assert list(lost.index) == ["STAR_DONE", "CSI_NEAR", "DIVIDEND"]
    assert lost["saving"].tolist() == pytest.approx([1.6, 1.5, 0.3])
    assert lost["price"].tolist() == pytest.approx([0.192, 0.18, 0.3 * 0.06 * 3])
    assert lost["share"].tolist() == pytest.approx([0.0048, 0.0036, 0.0054])
    assert lost["reached"].tolist() == [True, False, True]


def test_the_report_prices_the_sales_of_the_answer() -> None:
    rows = [stock("STAR", "star", None, 3.0, expected_return=0.01), bond(None, "B")]
    tilts = [{"long_term_holding": {"mode": "floor", "min": 0.25, "cost_of_capital": "10%"}}]
    (table,) = sale_tables(optimum(inputs(rows, tilts=tilts)))
    # 200 in all, a quarter stays: 50 sold, 50 × 0.04 × 10% × 2 years.
    assert table.frame["price"].tolist() == pytest.approx([0.4], rel=1e-6)
    assert table.note is not None and "10.00%" in table.note.zh
    assert sale_tables(optimum(inputs(rows))) == ()
    assert HoldingOptions().horizon is None


CASES = [
    {"issuer": "OPEN", "disclosure_case": "立案", "disclosure_opened": "2026-03-10"},
    {
        "issuer": "CLOSED",
        "disclosure_case": "立案",
        "disclosure_opened": "2025-03-10",
        "disclosure_closed": "2026-06-30",
    },
    {
        "issuer": "FINED",
        "disclosure_case": "处罚",
        "disclosure_opened": "2023-01-01",
        "disclosure_closed": "2024-07-01",
    },
    {
        "issuer": "SERVED",
        "disclosure_case": "处罚",
        "disclosure_opened": "2023-01-01",
        "disclosure_closed": "2024-06-30",
    },
    {"issuer": "WARNED", "disclosure_case": "警示", "disclosure_opened": "2026-01-01"},
    {"issuer": "LATER", "disclosure_case": "立案", "disclosure_opened": "2026-07-01"},
]


def test_cases_bar_watch_and_expire() -> None:
    """Open cases bar, closed ones do not; a penalty of 2024-07-01 bars until 2026-07-01, one a day older no more."""
    cases = disclosure_cases(inputs([bond("OPEN")], CASES), ScreenOptions())
    assert dict(zip(cases["issuer"], cases["state"], strict=True)) == {
        "OPEN": "barred",
        "CLOSED": "free",
        "FINED": "barred",
        "SERVED": "free",
        "WARNED": "watched",
        "LATER": "free",
    }
    shorter = disclosure_cases(inputs([bond("OPEN")], CASES), ScreenOptions(months=12, warning_months=5))
    assert shorter["state"].tolist() == ["barred", "free", "free", "free", "free", "free"]


def screened(**options: Any) -> Result:
    rows = [bond("OPEN", expected_return=0.05), bond("WARNED", expected_return=0.04), bond("CLEAN", amount=50.0)]
    issuers = [*CASES, {"issuer": "CLEAN"}]
    return optimum(inputs(rows, issuers, constraints=[{"disclosure_screen": options}]))


def test_a_barred_issuer_is_kept_or_sold_and_never_bought() -> None:
    result = screened()
    assert result.holdings == pytest.approx([100.0, 150.0, 0.0], abs=1e-4)
    terms = {term.name: term for term in result.model.terms}
    assert terms["disclosure_screen"].rows == ("B_OPEN/traditional",)
    assert terms["disclosure_screen:watch"].mode == "monitor"
    assert terms["disclosure_screen"].source.certainty is Certainty.USER
    (table,) = case_tables(result)
    assert table.frame.set_index("issuer").loc["OPEN", "target"] == pytest.approx(100.0, abs=1e-4)


def test_a_product_full_of_barred_issuers_is_not_bought_either() -> None:
    inside = pd.DataFrame({"asset_id": "F", "kind": "corporate_bond", "share": [0.2, 0.8], "issuer": ["OPEN", "CLEAN"]})
    rows = [{"asset_id": "F", "kind": "bond_fund", "expected_return": 0.05}, bond("CLEAN")]
    issuers = [*CASES, {"issuer": "CLEAN"}]
    for most, target in ((None, 200.0), (0.25, 200.0), (0.1, 100.0)):
        options = {} if most is None else {"inside": most}
        held = inputs(rows, issuers, constraints=[{"disclosure_screen": options}], underlying=inside)
        assert optimum(held).holdings[0] == pytest.approx(target, abs=1e-4)


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ({"disclosure_case": "处罚"}, "needs its date"),
        (
            {"disclosure_case": "立案", "disclosure_opened": "2026-02-01", "disclosure_closed": "2026-01-01"},
            "before it was",
        ),
    ],
)
def test_a_case_without_a_usable_date_is_refused(case: dict[str, Any], told: str) -> None:
    held = inputs([bond("X")], [{"issuer": "X", **case}], constraints=["disclosure_screen"])
    with pytest.raises(InputError, match=told):
        optimum(held)


def test_a_screen_needs_issuers() -> None:
    with pytest.raises(InputError, match="table of issuers"):
        optimum(inputs([bond(None, "B")], constraints=["disclosure_screen"]))


# Every company fails at its first milestone and returns 10% of its cost, free of fees: 0.9 of what is paid in is lost.
CERTAIN_LOSS = {
    "common.management_fee": 0.0,
    "common.forced_sale": 1.0,
    "fields.quantum_technology.milestones.2.probability": 1e-300,
}


def sleeve(reserve: float, *, uncalled: float = 0.0, **options: Any) -> Result:
    funds = pd.DataFrame([fund_row("Q", "quantum_technology", paid_in=100.0 - uncalled)])
    rule = {"reserve": reserve, "overrides": CERTAIN_LOSS, **options}
    rows = [{"asset_id": "Q", "kind": "venture_fund", "expected_return": 0.1}, bond(None, "B")]
    rows[0] |= {"max": 100.0}
    return optimum(inputs(rows, constraints=[{"venture_fault_tolerance": rule}], funds=funds))


def test_the_sleeve_loses_no_more_than_the_reserve() -> None:
    """Every CNY paid in loses 0.9, so a reserve of 45 bears 50 paid in; of 100 paid in none is uncalled."""
    result = sleeve(45.0)
    term = next(term for term in result.model.terms if term.name == "venture_fault_tolerance")
    assert term.left.value(np.array([100.0, 0.0])) == pytest.approx(90.0, rel=1e-6)
    assert result.holdings[0] == pytest.approx(50.0, rel=1e-5)
    assert sleeve(1000.0).holdings[0] == pytest.approx(100.0, abs=1e-4)


def test_one_funds_gain_stands_against_anothers_loss() -> None:
    """The sleeve's tail loss is at most the sum of its funds' tail losses: the portfolio is assessed, not a project."""
    funds = pd.DataFrame([fund_row("Q", "量子科技"), fund_row("B", "生物制造")])
    rows = [{"asset_id": name, "kind": "venture_fund", "expected_return": 0.1} for name in ("Q", "B")]
    rule = {"venture_fault_tolerance": {"reserve": 1000.0, "confidence": 0.7}}
    model = Fund.of(inputs(rows, constraints=[rule], funds=funds), REGISTRY).model
    term = next(term for term in model.terms if term.name == "venture_fault_tolerance")
    loss = [float(term.left.value(np.array(x))[0]) for x in ([100.0, 0.0], [0.0, 100.0], [100.0, 100.0])]
    assert 0.0 < loss[2] < loss[0] + loss[1] - 1.0


def test_a_fund_that_cannot_be_simulated_is_named_or_skipped() -> None:
    funds = pd.DataFrame([fund_row("Q", "量子科技"), fund_row("X", None)])
    rows = [{"asset_id": name, "kind": "venture_fund", "expected_return": 0.1} for name in ("Q", "X")]
    rule: dict[str, Any] = {"reserve": 1000.0}
    with pytest.raises(InputError, match="fields and stage"):
        optimum(inputs(rows, constraints=[{"venture_fault_tolerance": rule}], funds=funds))
    skipped = inputs(rows, constraints=[{"venture_fault_tolerance": rule | {"blank": "skip"}}], funds=funds)
    assert optimum(skipped).solution.status == "optimal"


@pytest.mark.parametrize("name", sorted(REGISTRY.tilts))
def test_every_tilt_speaks_both_languages_and_names_its_source(name: str) -> None:
    spec = REGISTRY.tilts[name]
    assert any("一" <= character <= "鿿" for character in spec.label.zh)
    assert spec.source.document and spec.source.effective
    assert spec.parts is not None
