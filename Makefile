# One-line entries to everything; `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FLOWORK := $(BIN)/flowork
# Many tests wait for processes more than they compute, so three share two cores.
WORKERS ?= $(shell echo $$(( $$(nproc) * 3 / 2 )))
# Random cases are new with each commit, and the same wherever that commit is tested.
TEST_SEED ?= $(shell printf %d 0x$$(git rev-parse --short=7 HEAD 2>/dev/null || echo 0))

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo up gui env test soak mutants points bench sbom check format generate clean

help: ## list the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.runtime ## install what is needed to run
setup-dev: $(VENV)/.dev ## install what is needed to develop and test

$(VENV)/bin/python:
	@$(PYTHON) deploy/setup/make_venv.py $(VENV)

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python deploy/setup/install.py requirements/runtime.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt requirements/runtime.txt pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python deploy/setup/install.py requirements/dev.txt
	@touch $@ $(VENV)/.runtime

demo: setup ## run the whole platform once on a real log file; INPUT=path for your own
	@$(FLOWORK) demo $(if $(INPUT),--input "$(INPUT)")

up: setup ## build the web GUI if need be, start gateway and engine and keep them running
	@$(BIN)/python deploy/setup/build_gui.py --if-stale --optional
	@$(FLOWORK) up

gui: setup ## build the web GUI (fetches Node as a Python package where the machine has none)
	@$(BIN)/python deploy/setup/build_gui.py

env: setup ## make the secrets for docker-compose into .env; an existing file is left alone
	@$(FLOWORK) env --output .env

test: setup-dev ## run all tests; TEST_SEED=n tries other random cases than those of the commit
	TEST_SEED=$(TEST_SEED) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --hypothesis-seed=$(TEST_SEED)

soak: setup-dev ## load and random kills for SOAK_MINUTES (30); SOAK_CLIENTS, SOAK_SEED, SOAK_WORKERS=1
	$(BIN)/python -m tests.soak

mutants: setup-dev ## put faults into the code that guards (long): do tests notice? ONLY="paths FILE"  AGAIN=1
	$(BIN)/python -m tools.mutants $(ONLY) $(if $(AGAIN),--again)

points: setup-dev ## kill the engine, and let its disk fail, at every single write of a session
	FAULT_POINTS=all $(BIN)/python -m pytest --timeout 0 tests/faults/test_disk_points.py

bench: setup-dev ## measure speed beside peers, on an idle machine; ONLY=B3,B4  QUICK=1  DOCS=1
	$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick) $(if $(DOCS),--write-docs)

sbom: setup-dev ## write the bill of materials (CycloneDX) to var/sbom.json
	$(BIN)/python -m tools.sbom var/sbom.json

check: setup-dev ## format, lint, types, layers, freshness of generated files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.generate --check

format: setup-dev ## format the code and regenerate derived files
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python -m tools.generate

generate: setup-dev ## regenerate derived files
	$(BIN)/python -m tools.generate

clean: ## remove the environment and the demo's data
	rm -rf $(VENV) var/demo
