# `make demo` and `make test` need make and a Python >= 3.11, nothing else: they make .venv themselves.
# Another Python: make test PYTHON=/path/to/python

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

.PHONY: help demo test smoke lint format bench venv clean

help:
	@echo "make demo    train on real handwritten digits, and draw lantern-demo.png"
	@echo "make test    lint, format, types, then the whole suite"
	@echo "make smoke   the two-second suite, for before each commit"
	@echo "make lint    ruff and mypy;  make format: let ruff lay the code out"
	@echo "make bench   time training steps beside PyTorch's (install torch into .venv first)"
	@echo "make clean   remove .venv and everything that was made"

demo: .venv/installed-plots
	$(BIN)/lantern demo

# Differential tests run when torch can be imported, from .venv or from the Python outside it.
test: lint
	LANTERN_OUTSIDE_PYTHON="$(PYTHON)" $(BIN)/python -m pytest --quiet

smoke: .venv/installed-test
	$(BIN)/python -m pytest --quiet tests/test_smoke.py

lint: .venv/installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: .venv/installed-test
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/installed-test
	$(BIN)/python benchmarks/eager.py

venv: .venv/installed-test

.venv/installed-%: pyproject.toml | .venv/pyvenv.cfg
	$(BIN)/python -m pip install --quiet --editable ".[$*]"
	@touch $@

.venv/pyvenv.cfg:
	@test -n "$(PYTHON)" || { echo "Lantern needs Python 3.11 or newer; none was found" >&2; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis lantern-demo.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
