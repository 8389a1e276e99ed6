# What a contributor does, and what someone who tries the project does. Every target works on a fresh clone: it makes
# .venv first (scripts/environment.sh), and only when requirements.lock or pyproject.toml changed.

BIN := .venv/bin
INSTALLED := .venv/.installed
PORT ?= 3000
PYTEST_ARGS ?=
# Test modules go to two processes, each with engines and servers of its own; more would want more than 16 GB.
TEST_PROCESSES ?= 2

# Images of containers tend to set it; then each of the hundreds of processes of a test run compiles Dagster anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo ui test check lint bench kills pictures lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

install: $(INSTALLED) ## Make .venv from requirements.lock

$(INSTALLED): requirements.lock pyproject.toml scripts/environment.sh
	@scripts/environment.sh

demo: $(INSTALLED) ## Run the flights product: CSV files to Iceberg tables, and what they say
	@$(BIN)/python scripts/demo.py

ui: $(INSTALLED) ## Open the same product in Dagster (PORT=3000)
	@$(BIN)/python scripts/ui.py --port $(PORT)

test: lint ## Everything that is checked: lint, types, architecture, behaviour, real engines, browser
	$(BIN)/pytest --numprocesses $(TEST_PROCESSES) --dist loadfile $(PYTEST_ARGS)

check: lint ## What is checked without running anything: lint, types, architecture
	$(BIN)/pytest -q tests/architecture

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(INSTALLED) ## Measure against the peers and write benchmarks/RESULTS.md (QUICK=1 for a rough look)
	$(BIN)/python benchmarks/run.py $(if $(QUICK),--quick)

kills: $(INSTALLED) ## Kill writers many times and write benchmarks/KILLS.md (KILLS=36 of each kind, STREAM_KILLS=50)
	$(BIN)/python benchmarks/kills.py $(or $(KILLS),36)
	$(BIN)/python benchmarks/kills_streams.py $(or $(STREAM_KILLS),50)

pictures: $(INSTALLED) ## Take the pictures of docs/images from the running UI
	mkdir -p docs/images
	DATAOS_PICTURES=docs/images $(BIN)/pytest -q tests/e2e

# Universal, with hashes, without addresses: the same file serves every machine and every mirror.
lock: $(INSTALLED) ## Resolve requirements.lock again (UPGRADE=1 for the newest versions)
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras --group dev \
		--generate-hashes --no-emit-index-url $(if $(UPGRADE),--upgrade) -o requirements.lock

clean: ## Remove .venv, local state and caches
	rm -rf .venv .dataos .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
