#!/bin/sh
# Builds the wheel, installs it in a clean environment and runs the example from there,
# away from the checkout, so that a module or data file missing from the wheel cannot hide.
set -eu
python=$1
root=$(pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/$python" -m build --wheel --outdir "$work/dist" "$root" >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
"$root/$python" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "$work"/dist/*.whl
"$root/$python" tests/wheel_contents.py "$work"/dist/*.whl
cp -R examples/life_insurer "$work/fund"
cd "$work"
export ALLOCATOR_REGISTER="$work/register.sqlite"
"$work/venv/bin/allocator" run fund/fund.yaml -o out >run.log
test -s out/run.json
test -s out/report.html
test -s register.sqlite
# A stranger's plugin, begun and tested with nothing but the wheel.
"$work/venv/bin/allocator" plugins new stranger --with constraint,tilt,objective,return_model --in "$work" >/dev/null
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "$work/stranger[test]"
(cd stranger && "$work/venv/bin/python" -m pytest -q >"$work/stranger.log" 2>&1) || { cat "$work/stranger.log"; exit 1; }
"$work/venv/bin/allocator" plugins check stranger >"$work/stranger.log" || { cat "$work/stranger.log"; exit 1; }
echo "wheel: installed alone, ran the example, began and tested a plugin"
