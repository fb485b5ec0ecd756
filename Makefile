# Everything a developer runs. Each target sets up .venv from the lock when it has to.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
ON_BOTH_CORES := -n 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo dev test prove check bench protos authority lock clean

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

demo: $(READY) ## Play two small agencies through a whole year, one rated by quadrant and one by numbers, then exit
	@$(BIN)/siklus demo

dev: $(READY) ## Run everything embedded; data in .siklus survives restarts
	@$(BIN)/siklus dev

test: $(READY) ## Run the tests, with the small form of every proof
	$(BIN)/pytest -q $(ON_BOTH_CORES) -m "not prove and not alone"
	$(BIN)/pytest -q -m "alone and not prove"

prove: $(READY) ## Run the tests with the full form of every proof
	SIKLUS_PROVE=1 $(BIN)/pytest -q $(ON_BOTH_CORES) -m "not alone"
	SIKLUS_PROVE=1 $(BIN)/pytest -q -m alone

check: $(READY) ## Check format, lint, types, imports, protos, deployment files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy tests protos/generate.py protos/publishing
	$(BIN)/lint-imports
	cd protos && ../$(BIN)/buf lint && ../$(BIN)/buf format --diff --exit-code
	$(BIN)/buf breaking protos --against protos/released.binpb
	$(BIN)/python protos/generate.py --check
	$(BIN)/python -m protos.publishing --check
	$(BIN)/siklus policy authority | diff deploy/authority.yaml -
	$(BIN)/siklus policy authority --page | diff deploy/authority.md -
	$(BIN)/hadolint deploy/Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml

bench: $(READY) ## Measure against the floors on this machine
	$(BIN)/python -m tests.bench

protos: $(READY) ## Generate the contract's code and pages anew
	$(BIN)/python protos/generate.py
	$(BIN)/python -m protos.publishing

contract: $(READY) ## Write the contract for other languages into dist
	$(BIN)/python -m protos.publishing --set

authority: $(READY) ## Write anew who may do what, to be reviewed
	$(BIN)/siklus policy authority > deploy/authority.yaml
	$(BIN)/siklus policy authority --page > deploy/authority.md

COMPILE := $(BIN)/uv pip compile --no-config --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate

# The image installs a part of the one lock: what runs, and what builds our wheel.
lock: $(READY) ## Pin every dependency anew, with hashes for every platform
	$(COMPILE) --all-extras --output-file requirements.lock pyproject.toml
	$(COMPILE) --constraints requirements.lock --output-file deploy/runtime.lock pyproject.toml
	echo hatchling | $(COMPILE) --constraints requirements.lock --output-file deploy/build.lock -

clean: ## Remove what can be made again; data in .siklus stays
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# pip refuses an editable install together with hashes, hence two steps.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Siklus needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
