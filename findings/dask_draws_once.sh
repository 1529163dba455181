#!/bin/sh
# Dask distributed 2026.8.0 runs a simulation of 200 tasks once, and hands the one figure out 200 times.
#
# Tasks of the same function and arguments have the same key, so 200 draws of 1,000 paths each are one draw: the spread of
# the mean over tasks is 0, and as_completed still yields 200 results. A generator handed to every task has the
# same state each time it is sent, so that gives one draw as well. A quantile over the tasks is that of a single run.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check distributed==2026.8.0 dask==2026.8.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'EOF'
import random

import numpy as np
from dask.distributed import Client, as_completed


def mean_loss(paths):
    return sum(random.expovariate(1.0) for _ in range(paths)) / paths


def drawn(generator):
    return float(generator.normal())


if __name__ == "__main__":
    with Client(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as client:
        futures = client.map(mean_loss, [1000] * 200)
        finished = sum(1 for _ in as_completed(futures))
        means = client.gather(futures)
        generator = np.random.default_rng(7)
        normals = client.gather([client.submit(drawn, generator) for _ in range(50)])
        apart = client.gather(client.map(mean_loss, [1000] * 20, pure=False))
    print(f"{finished} results, {len(set(means))} different, spread {np.std(means)}; {len(set(normals))} normal of 50")
    assert finished == 200 and len(set(means)) == 1 and np.std(means) < 1e-15
    assert len(set(normals)) == 1
    assert len(set(apart)) == 20
EOF
