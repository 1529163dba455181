# Needs Python 3.11+ and make; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FUND ?= examples/life_insurer/fund.yaml
OUT ?= out/life_insurer
TESTS ?=

.PHONY: setup run test check unit wheel house docs acceptance lowest sbom bench mutants changelog clean

run: $(VENV)/installed
	$(BIN)/allocator run $(FUND) -o $(OUT)

# For contributors: everything that tests and documentation need, and the hooks of commits.
setup: $(VENV)/installed-test
	$(BIN)/pre-commit install

test: check unit wheel

check: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=constraints:plugins $(BIN)/mypy allocator constraints/* plugins/*

unit: $(VENV)/installed-test
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -m "not acceptance"

# The wheel is what users get: build it, install it alone, run the example from it.
wheel: $(VENV)/installed-test
	sh tests/wheel.sh $(BIN)/python

# The laws of the house, and its picture drawn anew.
house: $(VENV)/installed-test
	$(BIN)/python tests/house.py
	$(BIN)/python docs/build_house_page.py

# The tests build the site too and fail on a broken link; here it is kept, in out/site.
docs: $(VENV)/installed-test
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

acceptance: $(VENV)/installed-test
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -m acceptance -s tests/acceptance

# The unit tests, or some of them (TESTS=…), at the lowest version of every dependency that setup.cfg allows.
lowest:
	$(PYTHON) -m venv out/lowest
	$(PYTHON) tests/lowest_versions.py > out/lowest/constraints.txt
	out/lowest/bin/pip install --quiet --disable-pip-version-check --constraint out/lowest/constraints.txt --editable ".[test,docs,db]"
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 out/lowest/bin/python -m pytest -n auto -m "not acceptance" $(TESTS)

# What a release is made of: every package that it installs, with version and licence, as CycloneDX.
sbom: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[release]"
	rm -rf out/release && $(PYTHON) -m venv --without-pip out/release
	$(BIN)/pip --python out/release/bin/python install --quiet --disable-pip-version-check .
	$(BIN)/cyclonedx-py environment out/release/bin/python --output-format JSON --output-reproducible --validate -o out/sbom.json
	$(BIN)/python tests/sbom_contents.py out/sbom.json

# What a release would say, from changelog.d/; nothing is written.
changelog: $(VENV)/installed-test
	$(BIN)/towncrier build --draft --version "$$($(BIN)/python -c 'import allocator; print(allocator.__version__)')"

# One line changed at a time in a scratch copy, the tests that should notice run on it: what survives is listed.
mutants: $(VENV)/installed-test
	$(BIN)/python tests/mutants.py

bench: $(VENV)/installed-bench
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks

$(VENV)/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/installed: $(VENV)/python setup.cfg pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/installed-bench: $(VENV)/installed-test
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[bench]"
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[test,docs,db]"
	touch $@

clean:
	rm -rf $(VENV) build dist out *.egg-info
