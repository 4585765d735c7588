# What a person or CI does with this project. Environments are set up on first use and kept in .venv and build/.

# The first Python of at least 3.11 that can make environments; `make PYTHON=/path/to/python` chooses another.
ifndef PYTHON
PYTHON := $(shell for python in python3.11 python3.12 python3.13 python3.14 python3 \
	"$$HOME"/.pyenv/versions/3.1[1-9]*/bin/python; do \
	"$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
	{ echo "$$python"; break; }; done)
endif

VENV := .venv
BIN := $(VENV)/bin
BENCH := build/bench
PIP := --disable-pip-version-check --quiet --retries 5
# Where bytecode may not be written, every start would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH

.PHONY: demo test check lint types house docs reference bench clean help
.DEFAULT_GOAL := help

help:  ## Show what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

# The command alone: what a user has.
$(VENV)/.installed: pyproject.toml bin/runner
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, with its venv module (Debian: python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install $(PIP) --upgrade 'pip>=25.1'
	$(BIN)/pip install $(PIP) --editable .
	@touch $@

# And what developing it takes.
$(VENV)/.developed: $(VENV)/.installed
	$(BIN)/pip install $(PIP) --group dev
	@touch $@

demo: export VIRTUAL_ENV := $(CURDIR)/$(VENV)
demo: export PATH := $(CURDIR)/$(BIN):$(PATH)
demo: export RUNNER_HISTORY_DB := $(CURDIR)/build/demo/script_runner_history.db
demo: $(VENV)/.installed  ## Run two examples and see what they cost
	@mkdir -p build/demo && cp examples/*.py build/demo/
	@cd build/demo && set -x && runner etl.py --rows 40000
	@echo
	@cd build/demo && set -x && runner --retry 3 --retry-delay 0.2 flaky.py
	@echo
	@cd build/demo && set -x && runner history
	@echo
	@echo "Every run is remembered, here in build/demo/script_runner_history.db. Where to look next:"
	@echo
	@echo "  . $(BIN)/activate                 makes runner a command of this shell"
	@echo "  runner YOUR_SCRIPT.py                 run something of your own"
	@echo "  runner --help                         what it can do, on one screen"
	@echo "  runner metrics                        what is measured, and how exactly"
	@echo "  docs/tutorial/first-run.md            ten minutes that show the rest"

test: $(VENV)/.developed  ## Run all tests
	@$(BIN)/python -m compileall -q src
	$(BIN)/python -m pytest $(ARGS)

check: lint types house docs  ## Check style, types, the rules of the house, and the docs

lint: $(VENV)/.developed
	$(BIN)/ruff check .

types: $(VENV)/.developed
	$(BIN)/mypy

house: $(VENV)/.developed
	$(BIN)/python -m pytest -q tests/unit/test_house.py

docs: $(VENV)/.developed  ## Build the documentation into site/
	$(BIN)/mkdocs build --strict --quiet

reference: $(VENV)/.developed  ## Generate the reference pages and the tables from the declarations
	$(BIN)/python tools/generate_table.py
	$(BIN)/python tools/generate_schema.py
	$(BIN)/python tools/generate_run_schema.py
	$(BIN)/python tools/generate_reference.py

# The benchmarks run what a user has: the wheel, installed, beside its competitors.
$(BENCH)/.installed: $(VENV)/.installed pyproject.toml bin/runner $(shell find src -name '*.py' -o -name '*.sql')
	$(PYTHON) -m venv --clear $(BENCH)
	$(BENCH)/bin/pip install $(PIP) --upgrade 'pip>=25.1'
	$(BENCH)/bin/pip install $(PIP) . psutil pytest pytest-timeout hypothesis
	-$(BENCH)/bin/pip install $(PIP) con-duct psrecord duckdb pyarrow
	@touch $@

bench: $(BENCH)/.installed  ## Measure the figures the project promises, beside other tools
	$(BENCH)/bin/python -m benchmarks $(ARGS)

clean:  ## Remove everything that was made here
	rm -rf $(VENV) build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
