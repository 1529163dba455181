"""Income tax in the stress tests: core capital bears the loss, a deferred tax asset keeps part of it for the whole.

relief = rate · loss,  a deferred tax liability D is used first: core − loss + min(relief, D)
the rest is a deferred tax asset, supplementary tier 1 (R1 §40 (4)): comprehensive − (1 − rate) · loss
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from allocator.plugin import Number, Problems, Section, Text
from allocator.plugin.stress import Shocked, ShockSpec
from allocator.plugin.tables import Inputs, column
from allocator_cross2.capital_options import CapitalOptions

__all__ = ["DEFERRED_TAX", "DeferredTax", "defer_tax", "tax_shock"]


class DeferredTax(Section):
    """``rate`` of income tax on the loss so far; ``liability``: the deferred tax liability that it uses up
    first, in ``fund.unit``. Stands last in a scenario.
    """

    rate: Annotated[Number, Field(ge=0, lt=1)]
    liability: Annotated[Number, Field(ge=0)] = 0.0


def defer_tax(shocked: Shocked, options: DeferredTax, problems: Problems) -> Shocked:
    """Return the fund with the tax relief on what it has lost; a gain is left before tax. Source: R1 §40 (4)."""
    held = np.nan_to_num(column(shocked.base.assets, "amount"))
    relief = options.rate * max(-shocked.own_funds_change(held), 0.0)
    used = min(relief, options.liability * shocked.inputs.unit)
    sheet = shocked.base.balance_sheet
    grown = {"actual_capital", "admitted_assets", "supplementary_tier1"}
    known = {name: sheet.figure(name) for name in grown}
    left = relief - used
    asset = sheet.changed(**{name: value + left for name, value in known.items() if value is not None})
    taxed = replace(shocked, base=replace(shocked.base, balance_sheet=asset))
    return taxed.given(used).noting(
        Text(
            f"deferred tax at {options.rate:.0%}: the asset it leaves counts as supplementary tier 1",
            f"按{options.rate:.0%}计递延所得税，所形成的递延所得税资产计入附属一级资本",
        )
    )


def tax_shock(inputs: Inputs) -> Mapping[str, Any]:
    """Return the entry of a scenario of the rules for the tax that the ``capital`` section states; empty without."""
    capital = inputs.settings.capital
    if capital is None or capital.regime != "cross2":
        return {}
    options = CapitalOptions.model_validate(capital.options)
    if options.tax_rate == 0.0:
        return {}
    return {"deferred_tax": {"rate": options.tax_rate, "liability": options.deferred_tax_liability}}


DEFERRED_TAX = ShockSpec("deferred_tax", Text("Deferred tax on the loss", "损失的递延所得税"), DeferredTax, defer_tax)
"""What the hook ``allocator_shocks`` returns."""
