#!/bin/sh
# pyxirr 0.10.8 and numpy-financial 1.0.0 each return one internal rate where several solve the flows, and not the same one.
#
# −1600, 10000, −10000 has the rates 25% and 400%: numpy-financial returns 25%, pyxirr 400%. −100, 230, −132 has 10% and 20%:
# 10% here, 20% there. A venture fund whose manager pays carried interest back at the end (years 0 to 12 below) has 0% and
# −8.2%: both return 0%. Nothing marks the answers; only pyxirr's separate question is_conventional_cash_flow says no.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyxirr==0.10.8 numpy-financial==1.0.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'EOF'
import numpy as np
import numpy_financial
import pyxirr


def all_rates(flows):
    roots = np.roots(flows[::-1])
    real = roots.real[(abs(roots.imag) < 1e-9) & (roots.real > 0)]
    return sorted(1 / real - 1)


fund = [-10.0] * 5 + [0, 5, 30, 40, 20, 0, 0, -45]
for flows, theirs, other in (
    ([-1600.0, 10000.0, -10000.0], 0.25, 4.0),
    ([-100.0, 230.0, -132.0], 0.10, 0.20),
    (fund, 0.0, 0.0),
):
    rates, one, two = all_rates(flows), numpy_financial.irr(flows), pyxirr.irr(flows)
    print(f"{flows}: all rates {[round(float(rate), 4) for rate in rates]}, numpy-financial {one:.4f}, pyxirr {two:.4f}")
    assert len(rates) == 2
    assert abs(one - theirs) < 1e-6 and abs(two - other) < 1e-6
assert min(all_rates(fund)) < -0.08
assert not pyxirr.is_conventional_cash_flow(fund)
EOF
