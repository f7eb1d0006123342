# One place for everything a contributor or a machine does here. Every target sets up what it needs.
SHELL := /bin/bash
BIN := .venv/bin

.PHONY: help setup demo screenshots test check e2e bench docs lock

help:
	@echo "setup  make .venv from the pinned requirements"
	@echo "demo   generate a benchmark run, sync a week of CI and agents from a fake GitHub, write reports and a site"
	@echo "test   every test, in a browser too where there is one"
	@echo "check  formatting, lint, types, import direction, dependencies, workflows"
	@echo "e2e    only the tests that open pages in a browser"
	@echo "bench  the speed figures, measured beside grep"
	@echo "docs   build the documentation into site/"
	@echo "screenshots  take the pictures of the documentation from the demo's site"
	@echo "lock   renew the pins in requirements/"

setup:
	@scripts/setup.sh

demo: setup
	@$(BIN)/python benchmarks/demo.py

test:
	@scripts/setup.sh --browser
	@scripts/oracles.sh || echo 'Without the oracles their tests are skipped.' >&2
	@$(BIN)/python -m pytest -n 2 --dist loadfile

e2e:
	@scripts/setup.sh --browser
	@$(BIN)/python -m pytest -m e2e

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry src
	$(BIN)/actionlint
	$(BIN)/zizmor --offline --quiet .github/workflows

bench: setup
	@$(BIN)/python benchmarks/speed.py

docs: setup
	$(BIN)/python scripts/cli_docs.py
	$(BIN)/python scripts/schemas.py
	$(BIN)/zensical build --clean

# Of the site that is there from the last demo; without one it is made.
screenshots:
	@scripts/setup.sh --browser
	@$(BIN)/python scripts/screenshots.py

# uv reads only pyproject.toml here; the pins carry hashes and no address of an index.
lock:
	@scripts/lock.sh
