# One name a chore. Each installs what it needs; nothing outside this folder but the model cache is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUBJECT ?= smollm2-135m-instruct
PLAN ?= quick

.PHONY: setup scan test check bench bench-dictionary zoo trial docs clean
.DEFAULT_GOAL := help

help:  ## say what each chore does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(VENV)/.ready  ## make .venv and install brainscan
scan: setup  ## scan SUBJECT (a 135M model unless told otherwise) and write report.html
	$(BIN)/brainscan scan $(SUBJECT) --plan $(PLAN) --html report.html
test: $(VENV)/.ready-dev  ## run the tests
	$(BIN)/python -m pytest -n 2
check: $(VENV)/.ready-dev  ## format, lint, types, floors of the house, generated files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright
	$(BIN)/python -m docs.build --check
bench: $(VENV)/.ready-dev  ## measure speed and memory; writes bench/results.json
	$(BIN)/python -m bench.run
bench-dictionary: $(VENV)/.ready-dev  ## speed of dictionary training beside SAELens, files exchanged with it; writes docs/dictionaries.json
	$(BIN)/python -m bench.run dictionary dictionary:wide dictionary:routed dictionary_exchange
zoo: setup  ## build the organisms and controls that are not there yet (about five minutes each, two at a time), write zoo/
	$(BIN)/brainscan game zoo
trial: $(VENV)/.ready-dev zoo  ## scanner and opponents over the zoo; writes docs/trial.json and docs/trial.md
	$(BIN)/python -m bench.trial
	$(BIN)/python -m bench.trial_report
docs: $(VENV)/.ready-dev  ## write what is generated: schema, tables, command reference
	$(BIN)/python -m docs.build
clean:  ## remove what the chores made here
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis

# torch comes first and pinned: a bare "torch" would bring gigabytes of CUDA.
$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@
$(VENV)/.ready-dev: $(VENV)/.ready pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@
