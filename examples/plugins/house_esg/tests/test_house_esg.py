"""What the plugin promises, and what its rule and its tilt mean."""

import house_esg
import pytest
from house_esg.tilt import LowCarbonOptions, score

from allocator.plugin import InputError
from allocator.testing import assert_conforms, small_fund


def test_it_conforms() -> None:
    assert_conforms(house_esg)


def test_the_floor_is_an_average_over_the_rated_rows() -> None:
    settings = {"constraints": [{"esg_floor": {"min": 50}}]}
    fund = small_fund(house_esg, settings=settings, cells={"assets.esg_score": ["40", "70", ""]})
    (term,) = [term for term in fund.model.terms if term.name == "esg_floor"]
    amounts, scores = fund.inputs.assets["amount"], fund.inputs.assets["esg_score"]
    above = ((scores - 50.0) * amounts).sum() / amounts.sum()
    assert term.slack(fund.space.current)[0] == pytest.approx(above)


def test_a_fund_without_scores_is_told_which_column_to_fill() -> None:
    fund = small_fund(
        house_esg, settings={"constraints": [{"esg_floor": {"min": 50}}]}, cells={"assets.esg_score": [""]}
    )
    with pytest.raises(InputError, match="esg_score"):
        _ = fund.model


def test_the_score_falls_from_one_to_nothing() -> None:
    fund = small_fund(house_esg, cells={"assets.carbon_intensity": ["0", "25", "100", "400", ""]})
    found = score(fund.inputs, LowCarbonOptions())
    assert found[:5].tolist() == [1.0, 0.75, 0.0, 0.0, 0.0]
