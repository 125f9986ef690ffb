# `make` makes the environment in .venv; `make report` needs no more than that.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := env
.PHONY: env report test lint lab bench clean
.DELETE_ON_ERROR:

env: .venv/.core

.venv/.core: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, but $(PYTHON) is: $$($(PYTHON) --version 2>&1)." \
	    "Name another one: make PYTHON=python3.13" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) -e .
	@touch $@

.venv/.test: .venv/.core
	$(PIP) -e '.[test,polars,spark]'
	@touch $@

.venv/.lab: .venv/.core
	$(PIP) -e '.[lab]'
	@touch $@

report: .venv/.core
	$(BIN)/diskenc report data/sample -o out/sample

# One run, so that one summary line counts everything: tests, docstring examples and notebooks; file by file on all
# cores, since the cells of a notebook share a kernel and the tests of a file their fixtures; in the order of
# tests/conftest.py, the long files first, so that no core waits for the last one. One more at a time than there are
# cores, since tests wait for a browser, for Java and for Azure's stand-in.
AT_ONCE = $$($(BIN)/python -c 'import os; print(os.cpu_count() + 1)')
test: .venv/.test
	$(BIN)/python -m pytest -n $(AT_ONCE) --dist loadfile --no-loadscope-reorder --nbval-lax --nbval-current-env \
	  --ignore-glob='*/tests/*.ipynb' tests diskenc_analysis notebooks

lint: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	find notebooks -name '*.ipynb' -not -path '*/.*' -exec $(BIN)/nbstripout --verify --keep-id {} +

# LAB holds options of JupyterLab: make lab LAB="--no-browser --port 8899", or --allow-root in a container.
LAB ?=
lab: .venv/.lab
	$(BIN)/diskenc lab lab
	$(BIN)/jupyter lab lab $(LAB)

# The table of engines, sizes and steps, and whole commands; the tenants are made once and stay in out/bench.
SIZES ?= 10000 100000 1000000 10000000
bench: .venv/.test
	$(BIN)/python -m benchmarks --whole --sizes $(SIZES) --keep out/bench -o benchmarks/latest.json

# The environment stays; to make it anew, remove .venv.
clean:
	rm -rf out dist build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
