# What CI runs is `make check`; everything else here is a part of it or runs by name.
PYTHON := $(if $(filter Windows_NT,$(OS)),.venv/Scripts/python,.venv/bin/python)
# Compiled modules are kept: each test process would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE
export MNISTLAB_DATA ?= $(wildcard ../shared/data)

.PHONY: check check-cpus fuzz golden format lint types test slow tables evidence course site

# Types are checked while tests run.
check:
	$(MAKE) -j2 lint types test

lint:
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .

types:
	$(PYTHON) -m mypy

# What is marked slow takes minutes each and runs by `make slow`.
test:
	$(PYTHON) -m pytest -m "not slow" -n auto --dist loadfile --no-loadscope-reorder

# The tests that numbers depend on, as other makes of CPU would run them: half an hour.
# Resumed where it stopped; ARGS="--again" or ARGS="tests/golden" go to tests/cpus.py.
check-cpus:
	$(PYTHON) tests/cpus.py $(ARGS)

# Writes what tests/golden keeps of RECIPES="name ...", of all without: a minute for ten.
golden:
	PYTHONPATH=tests:$(PYTHONPATH) $(PYTHON) tests/golden/write.py $(ARGS) $(RECIPES)

# New examples for the tests that draw them: whatever fails has found a fault.
fuzz:
	MNISTLAB_FUZZ=1 $(PYTHON) -m pytest $$(grep -rl "@given" tests) -m "not slow" -n auto --dist loadfile

format:
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

# Each recipe's expected result on the complete sets, twenty kills of a torch training: five hours.
slow:
	$(PYTHON) -m pytest tests/slow
	$(PYTHON) -m pytest -m slow tests/unit tests/contract tests/golden tests/browser

# Writes the tables of README.md anew from benchmarks/ledger.jsonl.
tables:
	$(PYTHON) -m benchmarks.tables

# Trains what the tables of docs/systems.md still lack, cheapest first, at low priority: hours.
# Stopped at any moment, it is resumed by the same command; ARGS="--list", ARGS="--minutes 60".
evidence:
	$(PYTHON) -m benchmarks.evidence $(ARGS)

# Trains the course's solutions on the complete sets, and records what they reach: a day with
# C17 of chapter 8, else three hours. Some chapters or rows: CHAPTERS="2 3", CHAPTERS=E1.
course:
	$(PYTHON) -m labs.measure $(or $(CHAPTERS),2 3 4 5 6 7 8 9) --record

# The documentation as a site in build/site, to be opened without a server; a warning is an error.
site:
	$(PYTHON) -m sphinx -W --keep-going -q -b html docs build/site
