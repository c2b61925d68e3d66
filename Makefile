# The vocabulary of this project; `make help` explains it.
# `make demo` and `make test` need Python 3.11 or later and nothing else.

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset shell manage test lint format docs site bench requirements
.SUFFIXES:

PYTHON ?=
BIN := .venv/bin
RUNTIME := .venv/.runtime
DEVELOPMENT := .venv/.development
LAUNCH := $(BIN)/python -m config.launch

help: ## Explain the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUNTIME) ## Bring up database, web, worker and beat with demo data; Ctrl-C stops them
	@exec $(LAUNCH) demo

demo-reset: $(RUNTIME) ## The same from nothing: forget the demo's database and files first
	@$(LAUNCH) reset && exec $(LAUNCH) demo

manage: $(RUNTIME) ## Run manage.py on the demo: make manage ARGS="audit --replay"
	@$(LAUNCH) run -- $(BIN)/python manage.py $(ARGS)

shell: $(RUNTIME) ## Open Django's shell on the demo
	@$(LAUNCH) run -- $(BIN)/python manage.py shell

test: $(DEVELOPMENT) ## Run the tests: make test ARGS="tests/core -k outbox"
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

# makemigrations warns that there is no database; it needs none.
lint: $(DEVELOPMENT) ## Check style, types, layers and migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

format: $(DEVELOPMENT) ## Format the code and fix what can be fixed safely
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(DEVELOPMENT) ## Bring the tables of docs/reference up to date with the code
	@$(BIN)/python -m tests.docs

site: $(DEVELOPMENT) ## Build the documentation into var/site; a broken reference fails
	@$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet --jobs auto docs var/site

bench: $(DEVELOPMENT) ## Measure what claims of speed rest on
	@$(BIN)/python -m benchmarks $(ARGS)

requirements: $(DEVELOPMENT) ## Pin the newest versions that pyproject.toml allows
	$(COMPILE) pyproject.toml --output-file requirements.txt
	$(COMPILE) --extra dev --constraints requirements.txt pyproject.toml \
		--output-file requirements-dev.txt

COMPILE := $(BIN)/python -m uv pip compile --quiet --upgrade --universal --generate-hashes \
	--no-annotate --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make requirements"

# The stamps remember which requirements the environment has.
$(RUNTIME): requirements.txt scripts/environment
	@PYTHON="$(PYTHON)" sh scripts/environment requirements.txt
	@touch $@

$(DEVELOPMENT): requirements-dev.txt scripts/environment
	@PYTHON="$(PYTHON)" sh scripts/environment requirements-dev.txt
	@touch $@ $(RUNTIME)
