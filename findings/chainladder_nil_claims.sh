#!/bin/sh
# chainladder 0.10.1 leaves what developed from a nil claim out of its volume-weighted factors: 2.85 instead of 5.15.
#
# The layer above 2,000 of the RAA triangle, as a reinsurer sees it: several accident years have nothing in the layer after
# twelve months and much after 24. Their amounts are left out of the sum above the line, while a volume-weighted factor is
# the sum of all amounts at 24 months over the sum at 12. No warning is given. A latest year with nothing in the layer yet
# has the ultimate nan, and the total passes it over.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check chainladder==0.10.1
cd "$work"
"$work/venv/bin/python" - <<'EOF'
import warnings

import numpy as np

warnings.simplefilter("ignore", DeprecationWarning)
warnings.simplefilter("ignore", FutureWarning)
import chainladder as cl

with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always", UserWarning)
    triangle = cl.load_sample("raa")
    layer = np.maximum(triangle.values - 2000.0, 0.0)
    triangle.values = layer
    model = cl.Development(average="volume").fit(triangle)
    ultimate = cl.Chainladder().fit(model.transform(triangle)).ultimate_
factor = float(model.ldf_.values[0, 0, 0, 0])
first, second = layer[0, 0, :9, 0], layer[0, 0, :9, 1]
by_hand, without_nil = second.sum() / first.sum(), second[first > 0].sum() / first.sum()
print(f"12 to 24 months: {factor:.3f}, by hand {by_hand:.3f}, without what developed from nil {without_nil:.3f}")
assert abs(by_hand - 5.1545) < 1e-3
assert abs(factor - without_nil) < 1e-9 and factor < 2.85
assert abs(factor - by_hand) > 2.0
last = triangle.copy()
values = last.values.copy()
values[0, 0, 9, 0] = 0.0
last.values = values
final = cl.Chainladder().fit(cl.Development().fit_transform(last)).ultimate_
print("ultimate of a latest year with nothing yet:", final.values[0, 0, -1, 0], "total:", float(final.sum()))
assert np.isnan(final.values[0, 0, -1, 0]) and np.isfinite(float(final.sum()))
assert not [warning for warning in told if issubclass(warning.category, UserWarning)]
EOF
