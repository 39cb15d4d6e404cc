# The workshop. `make` alone lists what there is; every target works on a fresh clone.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# The browser tests look the browser up by these names too.
CHROMIUM ?= $(shell command -v chromium chromium-browser google-chrome 2>/dev/null | head -n 1)
# The tests start Python some hundred times: what one process has compiled serves them all.
unexport PYTHONDONTWRITEBYTECODE
UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: $(INSTALLED) ## Run the whole bot on a simulated AWS and a local Slack workspace (PORT=… picks the port)
	@$(BIN)/patchgate sandbox $(if $(PORT),--port $(PORT))

.PHONY: test
test: $(INSTALLED) ## Run all tests; without Chromium all but the browser tests
ifeq ($(strip $(CHROMIUM)),)
	@echo "Chromium is not installed: the browser tests are skipped. On Debian: apt-get install chromium"
	@$(BIN)/pytest -n 6 --dist loadfile -q -m "not browser"
else
	@CHROMIUM="$(CHROMIUM)" $(BIN)/pytest -n 6 --dist loadfile -q
endif

.PHONY: check
check: $(INSTALLED) ## Check format, lint, types, import contracts, and manifest and docs against the code
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q tests/unit/docs

.PHONY: format
format: $(INSTALLED) ## Format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: manifest
manifest: $(INSTALLED) ## Write deploy/manifest.json from the command registry
	@$(BIN)/python -m bot.manifest > $(VENV)/manifest.json
	@mv $(VENV)/manifest.json deploy/manifest.json

.PHONY: lock
lock: $(BIN)/python ## Resolve the dependencies again and write both lock files with hashes
	@[ -x $(BIN)/uv ] || $(BIN)/python -m pip install --quiet uv
	@$(UV_COMPILE) --all-extras pyproject.toml -o requirements.lock
	@$(UV_COMPILE) --constraints requirements.lock pyproject.toml -o requirements-run.lock

.PHONY: mutation
mutation: $(INSTALLED) ## Break each safety rule in turn and see a named test fail
	@$(BIN)/python -m tests.mutation

.PHONY: torture
torture: $(INSTALLED) ## Tell random stories, and stories with crashes, and see that nothing is sent that may not be (STORIES=… SEED=…)
	@$(BIN)/pytest -q tests/unit/patching/test_gate_oracle.py tests/unit/patching/test_part_oracle.py --hypothesis-profile many
	@$(BIN)/pytest -q tests/stateful --stateful-examples $(or $(STORIES),200)
	@$(BIN)/pytest -q tests/torture --torture-stories $(or $(STORIES),100) $(if $(SEED),--torture-seed $(SEED)) -o faulthandler_timeout=0
	@$(BIN)/pytest -q tests/months --months-whole $(if $(SEED),--months-seed $(SEED)) -o faulthandler_timeout=0
	@$(BIN)/pytest -q -s tests/integration/test_many_nodes.py --many-nodes 1200 -o faulthandler_timeout=0

.PHONY: bench
bench: $(INSTALLED) ## Measure ack latency beside a bare Bolt app, and AWS calls beside the fewest possible
	@$(BIN)/python -m benchmarks.ack_latency
	@$(BIN)/python -m benchmarks.evidence_calls

.PHONY: screenshot
screenshot: $(INSTALLED) ## Take the picture of the page for the README (needs Chromium)
	@CHROMIUM="$(CHROMIUM)" $(BIN)/python -m tests.e2e.screenshot docs/page.png

.PHONY: clean
clean: ## Remove the virtual environment and everything that was generated
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# PIP_USER=0: a personal setting `user = true` would make pip refuse to install into a virtual environment.
$(INSTALLED): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what the lock file names into $(VENV) (the first time this takes a minute or two)"
	@PIP_USER=0 $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@PIP_USER=0 $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Patchgate needs Python 3.11 or newer, and $(PYTHON) is not: $$($(PYTHON) --version 2>&1)."; \
		echo "Name another one, for example: make $(firstword $(MAKECMDGOALS)) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
