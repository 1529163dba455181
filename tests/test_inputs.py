"""Frames to checked inputs: what is read, and what each kind of mistake is told."""

from __future__ import annotations

import pytest
from support import make_inputs

from allocator.errors import InputError

BOND = {"asset_id": "B1", "kind": "government_bond", "account": "traditional", "amount": 10.0}


def test_chinese_headings_kinds_accounts_and_units_are_understood() -> None:
    inputs = make_inputs(
        [{"证券代码": "019547", "资产类别": "国债", "账户": "分红", "市值（万元）": "1,234.5", "到期收益率(%)": 2.5}],
        settings={"fund": {"name": "f", "as_of": "2026-06-30", "unit": "1e8"}},
    )
    row = inputs.assets.iloc[0]
    assert (row["asset_id"], row["kind"], row["account"]) == ("019547", "government_bond", "participating")
    assert row["amount"] == 12_345_000.0
    assert row["yield"] == 0.025


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        make_inputs([{**BOND, "coupon": 3.5}, {**BOND, "kind": "goverment_bond", "amount": -1.0}])
    told = caught.value.render()
    assert "row 1, column coupon" in told and "0.035" in told
    assert "did you mean 'government_bond'?" in told
    assert "row 2, column amount: a negative amount" in told
    assert "the same asset_id and account twice" in told
