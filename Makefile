# All commands for this project. They need Python 3.11 or later, make and git. `make help` lists them.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Where it is set, each worker and each command that the tests start compiles all modules again: ten seconds a worker.
unexport PYTHONDONTWRITEBYTECODE

# Finds the first Python of a supported version that runs and can create environments; a shim may exist and fail.
FITS := import ensurepip, sys, venv; sys.exit(sys.version_info[:2] < (3, 11))
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python3.14; do \
	"$$python" -c '$(FITS)' 2>/dev/null && echo "$$python" && break; done)

CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

BIN := .venv/bin
# Each test file runs on one worker, so that its fixtures (dbt's build, the shop) are made once; folders with dbt or the Snowflake
# stand-in share one (tests/conftest.py). Files start in their order: by default those with few tests start last, and these take
# longest. The end says how much CPU all processes took, which a busy machine changes little.
PYTEST := $(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: .venv/ready ## Set up and run the demo: a made-up shop and a Klaviyo sandbox; nothing leaves this machine
	@$(BIN)/reverse-etl demo

.PHONY: test
test: .venv/ready .venv-dbt/ready ## Set up and run the tests; a part of them: make test ARGS=tests/test_shop.py
	@$(PYTEST) -m "not long and not live and not pages" $(ARGS)

.PHONY: test-long
test-long: .venv/ready .venv-dbt/ready ## Run the tests that take minutes; with TIMES=20, as many times the random days
	@RETL_TIMES="$(or $(TIMES),1)" $(PYTEST) -m "long and not live and not pages" $(ARGS)

.PHONY: test-pages
test-pages: .venv/ready .pages/ready ## Use the pages in chromium as a person does, ask axe for faults, and try the schemas as an editor does; needs npm
	@RETL_CHROMIUM="$(CHROMIUM)" $(BIN)/python -m pytest -q -m pages tests/browser $(ARGS)

.PHONY: test-live
test-live: .venv/ready ## Run the tests that need a Snowflake account: make test-live ENV=path/to/snowflake.env
	@test -f "$(ENV)" || { echo "Give the account: make test-live ENV=path/to/snowflake.env (see docs/snowflake.md)." >&2; exit 1; }
	@RETL_LIVE_ENV="$(abspath $(ENV))" $(BIN)/python -m pytest -q -m live --timeout 1800 tests/warehouse $(ARGS)

.PHONY: test-live-klaviyo
test-live-klaviyo: .venv/ready ## Run the tests that need a Klaviyo test account: ENV=path/to/klaviyo.env
	@test -f "$(ENV)" || { echo "Give the account: make test-live-klaviyo ENV=path/to/klaviyo.env (see docs/klaviyo.md)." >&2; exit 1; }
	@RETL_LIVE_KLAVIYO_ENV="$(abspath $(ENV))" $(BIN)/python -m pytest -q -m live --timeout 3600 tests/live $(ARGS)

.PHONY: probe-klaviyo
probe-klaviyo: .venv/ready ## Ask a Klaviyo test account what Klaviyo's documentation leaves open: ENV=path/to/klaviyo.env
	@test -f "$(ENV)" || { echo "Give the account: make probe-klaviyo ENV=path/to/klaviyo.env (see docs/klaviyo.md)." >&2; exit 1; }
	@$(BIN)/python -m tests.live.probe "$(abspath $(ENV))"

.PHONY: test-openapi
test-openapi: .venv/ready ## Check the requests of the tests against Klaviyo's OpenAPI documents: SPEC="a.json b.json"
	@test -n "$(SPEC)" || { echo "Give Klaviyo's documents: make test-openapi SPEC=path/to/openapi.json (see docs/klaviyo.md)." >&2; exit 1; }
	@RETL_OPENAPI="$(subst $() $(),:,$(abspath $(SPEC)))" $(PYTEST) -p tests.openapi -m "not long and not live" tests/core $(ARGS)

.PHONY: test-dbt
test-dbt: .venv/ready .venv-dbt-1.12/ready ## Run the tests of dbt with dbt 1.12
	@RETL_DBT_BIN=$(CURDIR)/.venv-dbt-1.12/bin/dbt $(PYTEST) -m "not long and not live" tests/dbt $(ARGS)

.PHONY: lint
lint: .venv/ready ## Check style, formatting and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

.PHONY: format
format: .venv/ready ## Fix style and formatting
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

.PHONY: docs
docs: .venv/ready ## Build the documentation site in build/site; a page or link that leads nowhere is an error
	@$(BIN)/sphinx-build -q -W --keep-going -b html docs build/site

.PHONY: pictures
pictures: .venv/ready ## Take the pictures of docs/pictures from the demo; needs chromium
	@$(BIN)/python docs/take_pictures.py

.PHONY: bench
bench: .venv/ready ## Run the benchmarks and write benchmarks/results.md and cost.md
	@$(BIN)/python benchmarks/run.py
	@$(BIN)/python -m benchmarks.cost
	@$(BIN)/python benchmarks/surfaces.py

.PHONY: bench-cost
bench-cost: .venv/ready ## Count statements and rows, time the start of commands, and write benchmarks/cost.md
	@$(BIN)/python -m benchmarks.cost

.PHONY: bench-long
bench-long: .venv/ready ## Run the benchmarks with 10 million rows too
	@$(BIN)/python benchmarks/run.py --long
	@$(BIN)/python -m benchmarks.cost

.PHONY: clean
clean: ## Remove caches and the demo's files; keep the environments
	@rm -rf demo build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -path './.venv*' -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## Remove the environments too
	@rm -rf .venv .venv-dbt .venv-dbt-1.12 .pages reverse_etl.egg-info

# $(call environment,folder,description)
define environment
@"$(PYTHON)" -c '$(FITS)' 2>/dev/null || { \
	echo "This needs Python 3.11 or later with its venv module (on Debian: apt install python3-venv)." >&2; \
	echo "None was found$(if $(PYTHON), as $(PYTHON)). Give its path: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; \
	exit 1; }
@echo "Setting up $(1) with $$("$(PYTHON)" --version): $(2). This happens once and takes a minute or two."
@"$(PYTHON)" -m venv $(1)
@$(1)/bin/python -m pip install -qq --upgrade 'pip>=25.1'
endef

.venv/ready: pyproject.toml
	$(call environment,.venv,reverse-etl and its development tools)
	@$(BIN)/python -m pip install -qq --editable . --group dev
	@touch $@

.venv-dbt-1.12/ready: requirements-dbt-1.12.txt
	$(call environment,.venv-dbt-1.12,dbt 1.12 for the tests)
	@.venv-dbt-1.12/bin/python -m pip install -qq --requirement requirements-dbt-1.12.txt
	@touch $@

.venv-dbt/ready: requirements-dbt.txt
	$(call environment,.venv-dbt,dbt and a simulated Snowflake for the tests)
	@.venv-dbt/bin/python -m pip install -qq --requirement requirements-dbt.txt
	@touch $@

.pages/ready: requirements-pages.txt .venv/ready
	@test -n "$(CHROMIUM)" || { echo "Install chromium (on Debian: apt install chromium), or name it: make CHROMIUM=path $(MAKECMDGOALS)" >&2; exit 1; }
	@command -v npm >/dev/null || { echo "Install npm (on Debian: apt install npm): axe and the editors' language server come from its registry." >&2; exit 1; }
	@$(BIN)/python -m pip install -qq --requirement requirements-pages.txt
	@mkdir -p .pages && npm install --silent --no-save --prefix .pages axe-core@4 yaml-language-server@1
	@touch $@
