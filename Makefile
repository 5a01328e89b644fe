# `make test` and `make demo` do all set-up themselves: a virtual environment in .venv, this project in it, and what the system
# lacks where apt may install it. They say what could not be had and what that leaves out. See docs/index.md.
#
#   make test PYTEST_ARGS='-k resolve'    only some tests, and every other stage of the gate
#   make test GATE_ARGS='--only pytest'   only some stages
#   make setup                            only the set-up, and once more for system packages that failed before
#   TARGETENV_SYSTEM_PACKAGES=0           never call apt

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
VENV := .venv/bin/python

.PHONY: help test demo bench fuzz conformance conformance-stress setup ready clean

help:
	@sed -n 's/^#  *\(make .*\)/\1/p' Makefile
	@echo "make demo                             builds the example, resolves it on every device found, runs and checks it"
	@echo "make bench                            the benchmark tables"
	@echo "make conformance                      the drivers' suite; writes docs/reference/conformance.md"
	@echo "make conformance-stress               that suite in 50 random orders, then four threads at each device for a minute"
	@echo "make fuzz                             a million damaged files, read or refused (FUZZ_ARGS='--mutations 10000 amd')"

ready:
	@test -n "$(PYTHON)" || { echo "targetenv needs Python 3.11 or newer: none of python3, python3.11 ... python3.14 on PATH is" >&2; exit 3; }
	@$(PYTHON) tests/setup/prepare.py

setup:
	@$(PYTHON) tests/setup/prepare.py --again

test: ready
	@$(VENV) tests/gate.py $(GATE_ARGS) $(PYTEST_ARGS)

demo: ready
	@$(VENV) docs/examples/saxpy/demo.py $(DEMO_ARGS)

bench: ready
	@$(VENV) -m tests.benchmarks $(BENCH_ARGS)

fuzz: ready
	@nice -n 15 $(VENV) -m tests.fuzz $(FUZZ_ARGS)

conformance: ready
	@$(VENV) -m tests.conformance

conformance-stress: ready
	@nice -n 15 $(VENV) -m tests.conformance.stress $(STRESS_ARGS)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build-out
