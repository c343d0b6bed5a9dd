# Needs python3 (3.11 or newer, with venv), make and git. `make help` lists the targets.
# Everything lands in .venv/, from locks with hashes; a second `make setup` finds nothing to do.

PYTHON ?= python3
BIN := .venv/bin
COMPILE := $(BIN)/uv pip compile --quiet --system-certs --universal --python-version 3.11 \
  --fork-strategy fewest --generate-hashes --no-emit-index-url --exclude-newer "3 days" \
  --custom-compile-command "make lock" $(UPGRADE)

# One worker more than there are cores, since most tests wait for something now and then; each with
# one thread for frames, where tests are not processes of their own.
MANY := --numprocesses=$(shell expr $$(nproc) + 1) --dist=worksteal
ALONE := POLARS_MAX_THREADS=1
# A running shop takes a third of two cores, so two of them go beside one another and no more.
LIVE := --numprocesses=2 --dist=worksteal

# The quick tests that the coverage floor is measured on, and how, where COVER is set.
CORE := tests/unit tests/flow tests/quality/test_engine_diagnose.py tests/quality/test_engine_blamed.py
TRACED := --cov --cov-report=

# Where Python keeps no bytecode, each of the many processes compiles all it imports: 5 s each.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup check test unit coverage attack simulate slack-faults crash demo bench bench-speed peers lock image clean elsewhere

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

setup: .venv/.synced  ## make .venv with firstline and all tools (PYTHON= chooses the interpreter)
	@echo "ready: $(BIN)/firstline"

# Scripts in a venv hold its path, so a copied or moved checkout makes its own.
ifneq ($(shell cat .venv/.made-in 2>/dev/null),$(CURDIR))
.venv/.made-in: elsewhere
endif

# Each marker is written last: whatever is interrupted is done again.
.venv/.made-in: requirements/build.txt
	@sh .ci/check-python "$(PYTHON)"
	@echo "making .venv with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements/build.txt
	@printf '%s\n' "$(CURDIR)" > $@

.venv/.synced: .venv/.made-in requirements/dev.txt pyproject.toml examples/shop/pyproject.toml
	@echo "installing what requirements/dev.txt locks"
	@$(BIN)/uv pip sync --quiet --system-certs --compile-bytecode --python $(BIN)/python \
	  --require-hashes --build-constraint requirements/build.txt requirements/dev.txt || \
	  { echo "uv could not install the lock; trying pip, which has its own settings"; \
	    $(BIN)/python -m pip install --quiet --require-hashes --no-deps --no-build-isolation \
	      --use-pep517 -r requirements/dev.txt; }
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --offline --no-deps \
	  --no-build-isolation -e . -e examples/shop
	@touch $@

check: .venv/.synced  ## formatting, lint, types, import contracts, dependencies, Dockerfile
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy -p shop
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/hadolint Dockerfile

test: .venv/.synced  ## all tests, the quick ones first (ARGS= goes to pytest, COVER=1 adds the floor)
	$(ALONE) $(BIN)/pytest $(CORE) $(MANY) $(if $(COVER),$(TRACED)) $(ARGS)
	$(if $(COVER),$(BIN)/coverage report)
	$(ALONE) $(BIN)/pytest tests/contract tests/architecture tests/attack tests/quality $(filter %.py,$(CORE:%=--ignore=%)) $(MANY) $(ARGS)
	$(BIN)/pytest tests/crash tests/e2e -m "not live" $(MANY) --durations=10 $(ARGS)
	$(BIN)/pytest tests/e2e -m live $(LIVE) $(ARGS)

coverage: .venv/.synced  ## the coverage floor, by the quick tests (tracing takes half as long again)
	$(ALONE) $(BIN)/pytest $(CORE) $(MANY) $(TRACED) $(ARGS)
	$(BIN)/coverage report

unit: .venv/.synced  ## the unit tests alone (ARGS= goes to pytest)
	$(ALONE) $(BIN)/pytest tests/unit $(MANY) $(ARGS)

attack: .venv/.synced  ## try to break approvals, policy and journal, with and without the guards
	$(ALONE) PYTHONPATH=tests:tests/attack $(BIN)/python tests/attack/table.py
	$(ALONE) TAMPERED_RECORDS=20 $(BIN)/pytest tests/attack/test_tamper.py $(MANY) $(ARGS)

simulate: .venv/.synced  ## ten thousand seeds of people and accidents around approvals (SEEDS=)
	$(ALONE) SEEDS=$(or $(SEEDS),10000) $(BIN)/pytest tests/attack/test_machine.py $(MANY) $(ARGS)

slack-faults: .venv/.synced  ## a thousand seeds of a Slack that fails, fifty kills -9 (SEEDS=, KILLS=, SEED= tells one)
ifdef SEED
	$(ALONE) PYTHONPATH=tests:tests/attack $(BIN)/python tests/attack/simulated.py $(SEED)
else
	$(ALONE) SLACK_SEEDS=$(or $(SEEDS),1000) $(BIN)/pytest tests/attack/test_slack_faults.py $(MANY) $(ARGS)
	KILLS=$(or $(KILLS),50) $(BIN)/pytest tests/crash/test_slack_kill.py $(MANY) $(ARGS)
endif

crash: .venv/.synced  ## kill -9 at two hundred random moments and at every stage (STORIES= of ten kills)
	STORIES=$(or $(STORIES),20) $(BIN)/pytest tests/crash $(MANY) --timeout 1200 $(ARGS)

demo: .venv/.synced  ## break the example shop, repair it, learn from it (FAULT=, SEED=, PAGE=1)
	$(BIN)/firstline demo $(if $(FAULT),--fault $(FAULT)) $(if $(SEED),--seed $(SEED)) $(if $(PAGE),--page)

bench: .venv/.synced  ## measure the diagnosis on labelled recordings (RECORDINGS= names folders)
	$(BIN)/firstline bench diagnosis $(RECORDINGS)

peers: .venv-peers/.synced  ## make .venv-peers with the methods of docs/peers.md (Python 3.11)
	@echo "ready: $(BIN)/python -m bench.peers DIR…"

.venv-peers/.synced: .venv/.synced bench/peers/requirements.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "the peers need Python 3.11: make peers PYTHON=python3.11"; exit 1; }
	@"$(PYTHON)" -m venv --clear .venv-peers
	@$(BIN)/uv pip sync --quiet --system-certs --python .venv-peers/bin/python --require-hashes \
	  bench/peers/requirements.txt
	@touch $@

bench-speed: .venv/.synced  ## measure CPU and memory of a diagnosis, 10⁴ to 4·10⁶ spans (SIZES=, ARGS=)
	$(BIN)/python -m bench.speed $(if $(SIZES),--sizes $(SIZES)) $(ARGS)

lock: .venv/.made-in  ## resolve the locks anew (UPGRADE=--upgrade takes newer releases)
	echo . | $(COMPILE) - examples/shop/pyproject.toml --group dev \
	  --no-emit-package firstline --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --constraint requirements/dev.txt --output-file requirements/runtime.txt
	$(COMPILE) --group build --constraint requirements/dev.txt --output-file requirements/build.txt
	$(COMPILE) bench/peers/requirements.in --output-file bench/peers/requirements.txt

image:  ## build the container image (IMAGE_BUILDER= chooses docker, podman or buildah)
	$(or $(IMAGE_BUILDER),docker) build -t firstline .

clean:  ## remove .venv and everything that a target leaves behind
	rm -rf .venv .venv-peers .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache dist htmlcov
