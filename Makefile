# Every target builds its own environment when there is none: Python 3.11 or later and make are all it needs.
PYTHON ?= $(shell for each in python3.11 python3.12 python3.13 python3; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
VENV ?= .venv
RUN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-python test-bounds crash fuzz lint bench bench-smoke clean

demo: $(READY)
	$(RUN)/gcr demo

test: $(READY)
	$(RUN)/python -m pytest

# The kernels as plain Python, with coverage of every branch; their arithmetic wraps, which NumPy warns of.
test-python: $(READY)
	NUMBA_DISABLE_JIT=1 $(RUN)/coverage run -m pytest -m "not slow" -W "ignore:overflow encountered:RuntimeWarning"
	$(RUN)/coverage report

test-bounds: $(READY)
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(VENV)/bounds-cache $(RUN)/python -m pytest -m "not slow"

lint: $(READY)
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports

# 200 kills at random moments, and one at every step; `make test` tries 20.
crash: $(READY)
	GCR_CRASH_SEEDS=$${GCR_CRASH_SEEDS:-200} $(RUN)/python -m pytest tests/crash

# What a reader of other people's files does with bytes that nobody wrote; what it finds is left in tests/fuzz/found.
fuzz: $(READY)
	$(RUN)/python -c "import atheris" 2>/dev/null || $(RUN)/python -m pip install --quiet --editable '.[fuzz]'
	GCR_FUZZ_SECONDS=$${GCR_FUZZ_SECONDS:-300} $(RUN)/python tests/fuzz/fuzz_readers.py
	GCR_FUZZ_SECONDS=$${GCR_FUZZ_SECONDS:-300} $(RUN)/python tests/fuzz/fuzz_certificates.py

bench: $(READY)
	$(RUN)/python -m benchmarks

bench-smoke: $(READY)
	$(RUN)/python -m benchmarks --smoke

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -prune -exec rm -rf {} +

$(READY): pyproject.toml
	test -x $(RUN)/python || "$(PYTHON)" -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,bench]'
	touch $(READY)
