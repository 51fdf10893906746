# The table of contents. `make train` and `make test` set themselves up; neither needs the other.
#
#   ARGS="..."   is handed to what a target runs:  make train ARGS="--stack local"
#   PYTHON=...   a Python 3.11 to build .venv with, where python3.11 is not on the PATH
#   VENV=...     the environment's folder (default .venv)

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

VENV ?= .venv
export VENV
# Where this is set, Python compiles ZenML and MLflow anew at every start, which takes longer than a run.
unexport PYTHONDONTWRITEBYTECODE
ARGS ?=
# Everything that is written here: trained models, tracked runs, ZenML's database and its artifacts.
STATE := $(or $(CHURN_HOME),.churn)
state := $(if $(filter /%,$(STATE)),$(STATE),$(CURDIR)/$(STATE))
MLFLOW_PORT ?= 5000
DAGSTER_PORT ?= 3000
DOCS_PORT ?= 8001
COVERAGE_FLOOR := 85
bin := $(VENV)/bin
packages := churn deployment orchestration registry service steps
coverage := $(state)/coverage/data
# What make check runs: the tests that need no server and no run of a pipeline.
fast := tests/churn tests/runner tests/registry tests/tools

python311 = python=$$(tools/python311) && "$$python"
# Installs a lock into $(VENV); at once where that was done before.
install = $(python311) tools/install.py

##@ Work
.PHONY: train
train: setup  ## Train, judge and register a model on the real data
	$(bin)/python run.py --pipeline training $(ARGS)

.PHONY: train-deep
train-deep: setup-deep  ## The same with tuning, the network and every report (takes minutes)
	$(bin)/python run.py --pipeline training --set profile=deep $(ARGS)

.PHONY: features
features: setup  ## Build the features of the customer table, with provenance, and fill the feature store
	$(bin)/python run.py --pipeline features $(ARGS)

# Where something is in production, demonstrations aside. Release 0.1.0 kept its only store one folder higher.
in_production = { ls "$(STATE)"/production/current.json "$(STATE)"/production/*/current.json 2>/dev/null || true; } \
    | grep -v -- '-demo/current.json$$' >/dev/null

# Serves what promotion published. Training is nobody's side effect: it is asked for by name.
.PHONY: serve
serve: setup  ## Serve the production model on 127.0.0.1:8000 (runs promotion first where nothing is in production)
	@test -n "$${CHURN_STORE:-}" || { $(in_production); } || { \
	    echo "Nothing is in production yet: running promotion first." >&2; \
	    $(bin)/python run.py --pipeline promotion; }
	$(bin)/python -m service.api $(ARGS)

.PHONY: stream
stream: setup-stream  ## Score a Kafka topic with the production model (CHURN_KAFKA_SERVERS=host:port)
	$(bin)/python -m service.stream $(ARGS)

# Everything but the model is the demonstration's own; noida-db, its broker, is a development dependency.
demo_store = $(STATE)/production/telco-churn-demo/current.json
.PHONY: stream-demo
stream-demo: setup-dev  ## Watch simulated customers being scored, live; q ends it (ARGS="--servers host:port" for a real broker)
	@test -n "$${CHURN_STORE:-}" || { $(in_production); } || test -f "$(demo_store)" || { \
	    echo "Nothing is in production yet: training a demonstration's model first." >&2; \
	    $(bin)/python run.py --pipeline training --set profile=demo; \
	    $(bin)/python run.py --pipeline promotion --set profile=demo; }
	$(bin)/python -m service.stream.demo $(ARGS)

# A batch's output; the same one again is left as it is.
OUTPUT ?= $(STATE)/scores
.PHONY: batch
batch: setup  ## Score a whole table with the production model (INPUT=data/raw/telco.csv, OUTPUT=.churn/scores)
	$(bin)/python run.py --pipeline batch_inference --set input="$(or $(INPUT),data/raw/telco.csv)" --set output="$(OUTPUT)" $(ARGS)

# The model and what promotion is asked for, after ARGS: a contract's model bears its name.
asked_contract = $(or $(patsubst data.contract=%,%,$(filter data.contract=%,$(ARGS))),telco.yaml)
asked_model = $(or $(patsubst model.name=%,%,$(filter model.name=%,$(ARGS))),$(patsubst %-churn,%,$(subst _,-,$(basename $(notdir $(asked_contract)))))-churn)
promote_first = test -f "$(STATE)/production/$(asked_model)/current.json" || { \
    echo "Nothing is in production yet: running promotion first." >&2; \
    $(bin)/python run.py --pipeline promotion $(addprefix --set ,$(filter data.contract=% model.name=%,$(ARGS))); }

# Where nothing was ever kept and no window is named, the shipped table shows what a check looks like.
window = $(or $(BATCH),$(if $(ARGS)$(wildcard $(STATE)/inputs),,data/raw/telco.csv))
.PHONY: monitor
monitor: setup  ## Check the kept inputs of the last week, or BATCH=customers.csv, against the production model
	$(if $(ARGS),,@$(promote_first))
	$(if $(BATCH)$(ARGS)$(wildcard $(STATE)/inputs),,@echo "No inputs are kept yet, so the table of the training is checked. BATCH=customers.csv names yours." >&2)
	$(bin)/python run.py --pipeline monitoring $(if $(window),--set batch="$(window)") $(ARGS)

.PHONY: retention
retention: setup-data  ## Decide who is offered what: values, cohorts, offers, a call list (after make train)
	@$(promote_first)
	$(bin)/python run.py --pipeline retention $(ARGS)

.PHONY: demo-monitoring
demo-monitoring: setup  ## Replay half a year of synthetic customers with four drifts, and write a health page
	$(bin)/python -m runner.monitoring_demo

# dagster.yaml is Dagster's own name for an instance's settings.
.PHONY: dagster
dagster: setup-dagster  ## Open Dagster on the platform's assets, schedule and sensors (port 3000, or DAGSTER_PORT)
	@$(bin)/python tools/free_port.py $(DAGSTER_PORT) "make dagster DAGSTER_PORT=3001"
	@mkdir -p "$(state)/dagster" && cp orchestration/dagster.yaml "$(state)/dagster/dagster.yaml"
	DAGSTER_HOME="$(state)/dagster" CHURN_HOME="$(state)" $(bin)/dagster dev -m orchestration.definitions -p $(DAGSTER_PORT) $(ARGS)

.PHONY: demo-loop
demo-loop: setup  ## Show the retraining loop on synthetic customers: drift, a blocked challenger, a rollback
	$(bin)/python -m runner.retraining_demo

.PHONY: mlflow
mlflow: setup  ## Open MLflow's pages on what was tracked (port 5000, or MLFLOW_PORT)
	@test -f "$(STATE)/mlflow.db" || { echo "Nothing was tracked yet: run make train first." >&2; exit 1; }
	@$(bin)/python -m stacks.check_database "$(STATE)/mlflow.db"
	@$(bin)/python tools/free_port.py $(MLFLOW_PORT) "make mlflow MLFLOW_PORT=5001"
	$(bin)/mlflow ui --backend-store-uri "sqlite:///$(state)/mlflow.db" --port $(MLFLOW_PORT) $(ARGS)

.PHONY: dashboard
dashboard: setup  ## Open ZenML's dashboard on this machine (ARGS="--stop" ends it)
	@$(bin)/python -m stacks.check_database
	$(bin)/python tools/dashboard.py $(ARGS)

.PHONY: doctor
doctor: setup  ## Check Python, versions, stack, data and ports, and say what to do
	$(bin)/python run.py --doctor $(ARGS)

##@ Checks
# Two workers, whole groups of tests each (tests/suite.py); ends with one line where something was skipped.
suite = $(bin)/python -m pytest --quiet --numprocesses 2 --durations 15
skipped = if test -f "$(STATE)/not-tested.txt"; then cat "$(STATE)/not-tested.txt" >&2; fi

.PHONY: check
check: lint  ## Lint, types and the fast tests, in three minutes
	$(suite) -m "not slow and not system" $(fast)

.PHONY: test
test: lint docs pytest  ## Everything that must pass before a change goes in: lint, types, docs, tests, coverage

.PHONY: test-system
test-system: setup-dev  ## The long tests: kills, clusters, real servers (CI runs them after make test)
	$(suite) -m "system"
	@$(skipped)

.PHONY: lint
lint: setup-dev  ## Style, types and import boundaries
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports --no-logo

.PHONY: format
format: setup-dev  ## Rewrite the code as the linter wants it
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

# The floor holds for each package by itself; a table shows only where one falls below it.
.PHONY: pytest
pytest: setup-dev  ## Tests with the coverage floor (ARGS="tests/churn -k split" runs some, without it)
ifeq ($(strip $(ARGS)),)
	@rm -rf "$(STATE)/coverage" && mkdir -p "$(STATE)/coverage"
	COVERAGE_FILE="$(coverage)" $(suite) -m "measured" --cov --cov-report= --cov-config pyproject.toml
	@$(skipped)
	$(suite) -m "not measured and not system"
	@for package in $(packages); do \
	    COVERAGE_FILE="$(coverage)" $(bin)/coverage report --include="$$package/*" --fail-under=$(COVERAGE_FLOOR) >"$(STATE)/coverage/$$package.txt" \
	    || { cat "$(STATE)/coverage/$$package.txt"; echo "Coverage of $$package/ is below $(COVERAGE_FLOOR)%." >&2; exit 1; }; \
	    awk -v package="$$package" '$$1 == "TOTAL" {print package "/ is covered by " $$NF}' "$(STATE)/coverage/$$package.txt"; \
	done
	@$(skipped)
else
	$(bin)/python -m pytest $(ARGS)
endif

.PHONY: bench
bench: setup-dev  ## Measure every performance goal and print one table (ARGS="--quick", "--clone", "--deep")
	$(bin)/python -m benchmarks.run $(ARGS)

##@ Images
IMAGE ?= churn-pipeline:0.1.0
# Where Docker Hub cannot be reached: PYTHON_IMAGE=another base, BUILD_IMAGE=another one to install with.
bases = $(foreach each,PYTHON_IMAGE BUILD_IMAGE,$(if $($(each)),--build-arg $(each)="$($(each))"))
# A client without its engine builds nothing.
builder = $(or $(BUILDER),$(shell docker version >/dev/null 2>&1 && echo docker || command -v buildah))
.PHONY: image
image:  ## Build the pipelines' image with docker or buildah (IMAGE=registry.example/churn-pipeline:0.1.0)
	@builder="$(builder)"; test -n "$$builder" || { \
	    echo "Neither a Docker engine that answers nor buildah is here: start or install one." >&2; exit 1; }; \
	    "$$builder" build --target pipeline --tag "$(IMAGE)" $(bases) \
	    --build-arg REVISION="$$(git rev-parse --short HEAD)" .

##@ Documentation
.PHONY: docs
docs: setup-dev  ## Build the site into site/, strictly
	NO_MKDOCS_2_WARNING=1 $(bin)/mkdocs build --strict --quiet

.PHONY: eda
eda: setup-dev  ## Explore the shipped table, or ARGS="--contract FILE --source TABLE", on one HTML page
	$(bin)/python tools/notebook_page.py --output "$(STATE)/exploration.html" $(ARGS)

.PHONY: docs-serve
docs-serve: setup-dev  ## Serve the site while writing it (port 8001, or DOCS_PORT)
	@$(bin)/python tools/free_port.py $(DOCS_PORT) "make docs-serve DOCS_PORT=8002"
	NO_MKDOCS_2_WARNING=1 $(bin)/mkdocs serve --dev-addr 127.0.0.1:$(DOCS_PORT) $(ARGS)

##@ Setup
.PHONY: setup
setup:  ## Make .venv and install what the main job needs
	@$(install) requirements.lock

.PHONY: setup-deep
setup-deep:  ## The same, with what --set profile=deep needs (Optuna, PyTorch for CPUs, ONNX, SHAP)
	@$(install) requirements-deep.lock

.PHONY: setup-data
setup-data:  ## The same, with what works on customers in bulk (compiled trees, Feast, DuckDB, Delta Lake, lifelines)
	@$(install) requirements-data.lock

.PHONY: setup-stacks
setup-stacks:  ## The same, with what every stack needs (Kubernetes, Evidently, Deepchecks)
	@$(install) requirements-stacks.lock

.PHONY: setup-dagster
setup-dagster:  ## The same, with Dagster
	@$(install) requirements-dagster.lock

.PHONY: setup-stream
setup-stream:  ## What the stream's worker needs, on its own (kafka-python, redis)
	@$(install) requirements-stream.lock

.PHONY: setup-dev
setup-dev:  ## All of it, and what the checks need
	@$(install) requirements-dev.lock

.PHONY: hooks
hooks: setup-dev  ## Run the checks before every commit and push, through pre-commit
	$(bin)/pre-commit install --install-hooks --hook-type pre-commit --hook-type pre-push

# The locks' own pins hold unless they must move; UPGRADE=1 moves all, ARGS="--upgrade-package NAME" one.
.PHONY: lock
lock: setup  ## Write the lock files anew from pyproject.toml (UPGRADE=1 for newer versions)
	@$(python311) tools/lock.py $(if $(UPGRADE),--upgrade) $(ARGS)

.PHONY: clean
clean:  ## Remove what tools leave behind; keeps .venv, trained models and tracked runs
	rm -rf site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* "$(STATE)/coverage"
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +

.PHONY: distclean
distclean: clean  ## Remove .venv and everything trained and tracked here, too
	@case "$$(pwd -P)/" in "$$(cd "$(STATE)" 2>/dev/null && pwd -P | sed "s|/*$$||" || echo none)"/*) \
	    echo "CHURN_HOME is $(STATE), which holds this checkout: name the folder of its state alone." >&2; exit 1;; esac
	rm -rf $(VENV) "$(STATE)"

.PHONY: help
help:  ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	    /^[a-z-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
