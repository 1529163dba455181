#!/bin/sh
# OSQP 1.1.3 fills what it does not have with 2143289344.0, a finite number that passes every check for NaN and infinity.
#
# A book of 50 assets that cannot be funded ends "primal infeasible": x holds 2.14e9 in every place, and so do the prices.
# In the same book made feasible, "solved", both certificates hold it. The number is the bit pattern of a single-precision
# NaN read as a whole number. Money of that size is plausible: two billion.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check osqp==1.1.3 numpy==2.4.6 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'EOF'
import numpy as np
import osqp
from scipy import sparse


def solve(budget, ceiling, assets=50):
    rows = sparse.vstack([sparse.eye(assets), np.ones((1, assets))]).tocsc()
    solver = osqp.OSQP()
    lower, upper = np.r_[np.zeros(assets), budget], np.r_[np.full(assets, ceiling), budget]
    solver.setup(sparse.csc_matrix(sparse.eye(assets)), np.full(assets, -0.03), rows, lower, upper, verbose=False)
    return solver.solve()


NOTHING = 2143289344.0
short, funded = solve(1.0, 0.01), solve(1.0, 0.05)
print(short.info.status, short.x[:2], short.y[:2])
print(funded.info.status, funded.x[:2], funded.prim_inf_cert[:2], funded.dual_inf_cert[:2])
assert short.info.status == "primal infeasible" and funded.info.status == "solved"
for values in (short.x, short.y, funded.prim_inf_cert, funded.dual_inf_cert):
    assert np.isfinite(values).all() and (values == NOTHING).all()
assert np.array([np.nan], np.float32).view(np.int32)[0] == NOTHING
EOF
