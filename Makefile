# demo: install and run the main job. test: under 12 minutes. test-long: kills, fuzz, mutations, whole VQA-RAD. check: format, lint, types, imports.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test test-long test-models test-servers test-pages test-app test-clients test-upstream docs check format clean

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@# torch first: any other package that asks for it would take its newest build and gigabytes with it
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

demo: $(READY)
	$(BIN)/clincot demo

# One process a core, one group of files at a time in each (tests/conftest.py), so that fixtures are made once.
test: $(READY)
	$(BIN)/python -m pytest -n 2

test-long: $(READY)
	$(BIN)/python -m pytest -m long -n 2 --timeout 900

# What needs torchvision, other packages or their data: in an environment of its own, $(VENV)/models, never with another torch.
test-models: $(READY)
	$(BIN)/python -m tests.models.environment
	$(VENV)/models/bin/python -m pytest -o python_files='check_*.py' --timeout 900 tests/models tests/engines/test_classes.py tests/stages/train/test_train_classes.py

# Rounds over real servers: vLLM on this CPU, in $(VENV)/servers. Takes 10 to 20 minutes and 6 GB of memory.
test-servers: $(READY)
	$(BIN)/python tests/servers/environment.py
	$(BIN)/python -m pytest -o python_files='check_*.py' --timeout 1800 tests/servers

# Pages and the site of docs/ in a browser: Debian's chromium, Playwright for Python and axe-core, in $(VENV)/pages. Takes a minute.
test-pages: $(READY) docs
	$(BIN)/python -m tests.pages.environment
	$(VENV)/pages/bin/python -m pytest -o python_files='check_*.py' tests/pages

# The page of `clincot app`: Gradio, its client, Debian's chromium and Playwright for Python, in $(VENV)/app. Takes a minute.
test-app: $(READY)
	$(BIN)/python -m tests.app.environment
	$(VENV)/app/bin/python -m pytest -o python_files='check_*.py' tests/app

# Four versions of huggingface_hub, each in an environment of its own under $(VENV)/clients, over one embedded Hub.
test-clients: $(READY)
	$(BIN)/python tests/clients/environments.py
	$(BIN)/python -m pytest tests/clients/matrix.py

# The tests of huggingface_hub and datasets, from the sdists of the installed versions, against `clincot hub serve`.
test-upstream: $(READY)
	$(BIN)/python tests/upstream/projects.py
	$(BIN)/python -m pytest tests/upstream/suites.py

# docs/ as a site in site/, which fetches nothing; open site/index.html, the search works without a server.
docs: $(VENV)/docs/.ready
	NO_MKDOCS_2_WARNING=1 $(VENV)/docs/bin/mkdocs build --quiet
	$(PYTHON) tests/docs/fetched.py site

$(VENV)/docs/.ready: docs/requirements.txt
	test -x $(VENV)/docs/bin/python || $(PYTHON) -m venv $(VENV)/docs
	$(VENV)/docs/bin/python -m pip install --quiet --requirement docs/requirements.txt
	touch $@

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) runs clincot-hub site
