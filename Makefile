# `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8050
SWEEP ?= experiments
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run setup test check bench bench-player soak browser-setup

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(BIN)/.run-ready: requirements.txt requirements-kernel.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the app needs into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet -r requirements.txt
	@command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null || $(BIN)/python -m pip install --quiet -r requirements-kernel.txt
	@touch $@

$(BIN)/.dev-ready: $(BIN)/.run-ready requirements-dev.txt pyproject.toml
	@echo "Installing what the tests need into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

run: $(BIN)/.run-ready ## set up and serve the sweep (PORT=8050 SWEEP=experiments)
	@PORT="$(PORT)" SWEEP="$(SWEEP)" $(BIN)/python app.py

setup: $(BIN)/.dev-ready ## prepare .venv with run and test dependencies

browser-setup:
	@command -v chromium >/dev/null || (echo "Installing Chromium for the browser tests ..."; apt-get update -qq && apt-get install -y -qq chromium >/dev/null)
	@command -v node >/dev/null || (echo "Installing Node.js for the JavaScript tests ..."; apt-get update -qq && apt-get install -y -qq nodejs >/dev/null)

test: setup browser-setup ## set up and pass every test
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: setup ## format, lint, types, import contracts, known vulnerabilities
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.audit

bench: setup ## measure every row beside its reference; the table goes to docs/benchmarks.md
	$(BIN)/python -m benchmarks.run --json docs/benchmarks.json --figure docs/images/benchmarks.svg --markdown docs/benchmarks.md

soak: setup ## hours' worth of trouble: damaged input, kills, a sweep in the making, many users
	$(BIN)/python -m benchmarks.soak.fuzz --cases 100000
	$(BIN)/python -m benchmarks.soak.kill --kills 200
	$(BIN)/python -m benchmarks.soak.live --minutes 5
	$(BIN)/python -m benchmarks.soak.load --users 50 --minutes 10 --runs 1000

bench-player: setup browser-setup ## measure the player in a real browser on large synthetic runs
	$(BIN)/python -m benchmarks.player
