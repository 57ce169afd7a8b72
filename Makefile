# What CI runs is `make check`; everything else here is a part of it or runs by name.
PYTHON := .venv/bin/python
export MNISTLAB_DATA ?= $(wildcard ../shared/data)

.PHONY: check format lint types test slow tables

check: lint types test

lint:
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .

types:
	$(PYTHON) -m mypy

test:
	$(PYTHON) -m pytest

format:
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

# Each recipe's expected result on the complete sets: some four hours.
slow:
	$(PYTHON) -m pytest tests/slow

# Writes the tables of README.md anew from benchmarks/ledger.jsonl.
tables:
	$(PYTHON) -m benchmarks.tables
