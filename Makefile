# Every target makes the environment it needs; second runs reuse it.
PYTHON ?= python3
# oldest: the oldest of each dependency that pyproject.toml allows, else the newest.
DEPENDENCIES ?= newest
# sync or async: which saver is tested. The extra of the async one pins botocore, so it has an
# environment of its own, as has every other Python.
SAVER ?= sync
VENV := .venv$(if $(filter async,$(SAVER)),-async)$(if $(filter oldest,$(DEPENDENCIES)),-oldest)$(if $(filter-out python3,$(PYTHON)),-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
ENGINES := .engines
# The command line of the CDK, in a place of its own: npm removes what it did not install itself.
CDK_PACKAGE := aws-cdk@2.1148.1
CDK_BIN := $(ENGINES)/cdk/node_modules/.bin/cdk
# What the example in TypeScript is compiled with and needs.
TYPESCRIPT_PACKAGES := aws-cdk-lib@2.275.0 constructs@10.8.1 typescript@5.9.3 @types/node@22.20.7
TSC := $(ENGINES)/typescript/node_modules/.bin/tsc
TEMPLATE := cloudformation/langgraph-checkpoint-dynamodb
# What Lambda's Node.js has at hand, for the CDK's own function that empties buckets.
AWS_SDK_PACKAGE := @aws-sdk/client-s3@3.940.0
# Its dependencies conflict with everybody's, hence an environment of its own.
CHECKOV_PACKAGE := checkov==3.3.30
CHECKOV_BIN := .venv-checkov/bin/checkov
DYNOXIDE_PACKAGE := @dynoxide/linux-x64@1.2.1
DYNOXIDE_BIN := $(ENGINES)/node_modules/@dynoxide/linux-x64/dynoxide
# The real packages of older writers, each beside a LangGraph: the first one that it works with, and
# one of today. npm and pip make each a folder of its own.
OLDER := .older
OLDER_PORT := @rwai/langgraphjs-checkpoint-dynamodb@0.1.6
OLDER_PYPI := langgraph-checkpoint-dynamodb==0.1.0
OLDER_WRITERS := $(addprefix $(OLDER)/,\
    javascript-langgraph-0.2.74 javascript-langgraph-1.7.3 \
    pypi-langgraph-0.2.53 pypi-langgraph-1.2.24)
# The release of this package before each change of what is stored: a name, and its commit.
OLDER_RELEASES := $(addprefix $(OLDER)/,before-task-items before-differences)
$(OLDER)/before-task-items: COMMIT := cf8dd5cdaaf9f991596937b71f1e3cbff8fb20c0
$(OLDER)/before-differences: COMMIT := f28f1e147614c16a540eeca5cc4246b6a8233f47
# Other packages whose tables threads are moved from, each beside the LangGraph of today.
OLDER_OTHERS := $(addprefix $(OLDER)/,langgraph-checkpoint-aws@1.2.6 \
    langgraph-dynamodb-checkpoint@0.5.0 langgraph-checkpoint-amazon-dynamodb@0.1.3)
# What make langgraph-suite takes the newest of.
NEWEST := langgraph langgraph-checkpoint langgraph-checkpoint-conformance
# What looks for barriers in the page of examples/web.
AXE_PACKAGE := axe-core@4.14.1
AXE := $(ENGINES)/axe/node_modules/axe-core/axe.min.js
# Arguments of the example chat, for example: make web WEB="--port 8400"
WEB ?=
# Arguments of it, for example: make langgraph-suite SUITE="--savers sync"
SUITE ?=
# Records anew what `make test` uses, where it is 1.
RECORD ?=
# moto, dynoxide, or empty: the endpoint in DYNAMODB_ENDPOINT_URL, else the best at hand.
ENGINE ?=
# Arguments of the benchmarks, for example: make bench BENCH="--quick --output results"
BENCH ?=
# Arguments of the simulation, for example: make simulate SIMULATE="--seconds 3600 --seed 100000"
SIMULATE ?=
# Whether every case of every test runs; make test-all sets it.
TEST_ALL ?=
# Arguments for pytest, for example: make test PYTEST="-k crash -x"
PYTEST ?=
WORKERS ?= auto

comma := ,

.DEFAULT_GOAL := help
.PHONY: help demo web web-test web-pictures test test-all infra-test template older-writers older-packages langgraph-suite frameworks docs simulate costs compression bench lint format engine clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-14s %s\n", $$1, $$2 }'
	@echo
	@echo '  make test ENGINE=moto|dynoxide          on that engine; a missing engine is an error'
	@echo '  make test SAVER=async                   AsyncDynamoDBSaver instead of DynamoDBSaver'
	@echo '  make test PYTHON=python3.12             on that Python, in an environment of its own'
	@echo '  make test DEPENDENCIES=oldest           with the oldest versions that are allowed'
	@echo '  DYNAMODB_ENDPOINT_URL=... make test     on that endpoint, for example DynamoDB Local'

demo: $(VENV)/.demo ## Run the example agent on an embedded engine: stop, resume, travel in time
	@$(BIN)/python -m examples.approval_agent

web: ## Run an example chat for a browser: conversations, approvals, time travel, costs
	@$(MAKE) --no-print-directory --silent VENV=.venv-web ENGINE= .venv-web/.web engine
	@.venv-web/bin/python -m examples.web $(WEB)

web-test: docs ## Use the example chat and the calculator of the docs in headless Chromium
	@$(MAKE) --no-print-directory VENV=.venv-web .venv-web/.web-test $(DYNOXIDE_BIN) $(AXE)
	@TEST_WEB=1 TEST_ENGINE=dynoxide TEST_SAVER=async .venv-web/bin/python -m pytest -n $(WORKERS) --dist loadfile tests/web $(PYTEST)
	@TEST_WEB=1 TEST_ENGINE=dynoxide TEST_SAVER=async .venv-web/bin/python -m pytest tests/docs/browser $(PYTEST)

web-pictures: ## Take the docs' pictures of the example chat, in the typeface Inter where it is installed
	@$(MAKE) --no-print-directory VENV=.venv-web .venv-web/.web-test $(DYNOXIDE_BIN)
	@.venv-web/bin/python -m tests.web.pictures

test: $(VENV)/.test engine ## Run the test suite on the best engine at hand
	@TEST_ENGINE=$(ENGINE) TEST_SAVER=$(SAVER) TEST_ALL=$(TEST_ALL) $(BIN)/python -m pytest -n $(WORKERS) $(PYTEST)

test-all: ## Run every case of every test; make test runs a sample of the slow ones
	@$(MAKE) --no-print-directory test TEST_ALL=1

infra-test: ## Deploy the Terraform module and the CDK stack on a local engine, use and destroy them
	@$(MAKE) --no-print-directory VENV=.venv-infra .venv-infra/.infra $(CDK_BIN) $(CHECKOV_BIN) $(TSC)
	.venv-infra/bin/mypy --cache-dir .mypy_cache/infra tests/infra examples/lambda
	cd cdk && ../.venv-infra/bin/mypy --cache-dir ../.mypy_cache/infra
	cd cdk && ../.venv-infra/bin/python -m pytest -n $(WORKERS)
	@TEST_INFRA=1 .venv-infra/bin/python -m pytest -n $(WORKERS) --dist loadfile tests/infra $(PYTEST)

template: ## Write the CloudFormation templates anew from the CDK construct
	@$(MAKE) --no-print-directory VENV=.venv-infra .venv-infra/.infra
	.venv-infra/bin/python -m langgraph_checkpoint_dynamodb_cdk.template tables $(TEMPLATE).yaml
	.venv-infra/bin/python -m langgraph_checkpoint_dynamodb_cdk.template alarms $(TEMPLATE)-alarms.yaml
	.venv-infra/bin/python -m langgraph_checkpoint_dynamodb_cdk.template dashboard $(TEMPLATE)-dashboard.yaml

older-writers: $(VENV)/.test older-packages $(DYNOXIDE_BIN) ## Go on with what the JavaScript port, PyPI 0.1.0, earlier releases and other packages write
ifeq ($(RECORD),1)
	@TEST_ENGINE=dynoxide $(BIN)/python -m tests.older
	@TEST_ENGINE=dynoxide $(BIN)/python -m tests.moving.foreign
endif
	@TEST_OLDER=1 TEST_ENGINE=dynoxide TEST_SAVER=$(SAVER) $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile tests/older tests/moving/foreign $(PYTEST)

older-packages: $(OLDER_WRITERS) $(OLDER_RELEASES) $(OLDER_OTHERS) ## Install what older-writers runs

langgraph-suite: ## Run LangGraph's own tests with both savers in place of InMemorySaver
	@$(MAKE) --no-print-directory VENV=.venv-suite .venv-suite/.suite $(DYNOXIDE_BIN)
	@.venv-suite/bin/python -m pip install --quiet --disable-pip-version-check --upgrade $(NEWEST)
	@TEST_ENGINE=dynoxide .venv-suite/bin/python -m tests.langgraph_suite $(SUITE)
	@for saver in sync async; do \
		TEST_ENGINE=dynoxide TEST_SAVER=$$saver .venv-suite/bin/python -m pytest -q tests/test_conformance.py || exit 1; \
	done

frameworks: ## Do what the pages on Agent Server, AgentCore and deepagents say, and run the example of the last
	@$(MAKE) --no-print-directory VENV=.venv-frameworks .venv-frameworks/.frameworks $(DYNOXIDE_BIN)
	@TEST_FRAMEWORKS=1 TEST_ENGINE=dynoxide .venv-frameworks/bin/python -m pytest -q tests/docs/test_pages.py \
		tests/examples/test_deepagents_memory.py $(PYTEST)

docs: ## Build the site of the documentation in .site, every link checked
	@$(MAKE) --no-print-directory VENV=.venv-docs .venv-docs/.docs
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --quiet
	@echo 'The site is .site/index.html'

costs: $(VENV)/.test engine ## Measure the tables of docs/explanation/costs.md
	@TEST_ENGINE=$(ENGINE) $(BIN)/python -m tests.support.costs

simulate: $(VENV)/.test ## Explore what calls that run at the same time do to each other
	@$(BIN)/python -m tests.simulation $(SIMULATE)

compression: $(VENV)/.test ## Measure compression on real text, level by level, and of threads that grow
	@$(BIN)/python -m tests.support.compressing
	@echo
	@$(BIN)/python -m tests.support.growing

bench: ## Compare with other checkpointers; writes benchmarks/RESULTS.md and its plots
	@$(MAKE) --no-print-directory VENV=.venv-bench .venv-bench/.bench $(DYNOXIDE_BIN)
	@TEST_ENGINE=dynoxide .venv-bench/bin/python -m benchmarks $(BENCH)

lint: $(VENV)/.lint ## Check style, types, and which room of the code imports which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --cache-dir .mypy_cache/imports

format: $(VENV)/.lint ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# dynoxide is one static binary from npm, for Linux on x86-64. Where it cannot be installed and was
# not asked for, the tests run on moto and say so.
engine:
ifeq ($(ENGINE),dynoxide)
	@$(MAKE) --no-print-directory $(DYNOXIDE_BIN)
else ifeq ($(ENGINE)$(DYNAMODB_ENDPOINT_URL),)
	@$(MAKE) --no-print-directory $(DYNOXIDE_BIN) || echo 'dynoxide cannot be installed here: testing on moto'
endif

$(DYNOXIDE_BIN):
	@npm install --silent --ignore-scripts --no-save --prefix $(ENGINES) $(DYNOXIDE_PACKAGE)

$(AXE):
	@npm install --silent --ignore-scripts --no-save --prefix $(ENGINES)/axe $(AXE_PACKAGE)

$(CDK_BIN):
	@npm install --silent --ignore-scripts --no-save --prefix $(ENGINES)/cdk $(CDK_PACKAGE) $(AWS_SDK_PACKAGE)

$(TSC):
	@npm install --silent --ignore-scripts --no-save --prefix $(ENGINES)/typescript $(TYPESCRIPT_PACKAGES)

$(CHECKOV_BIN):
	@$(PYTHON) -m venv .venv-checkov
	@echo 'Installing checkov into .venv-checkov ...'
	@.venv-checkov/bin/python -m pip install --quiet --disable-pip-version-check $(CHECKOV_PACKAGE)

# The port needs the core of LangChain that its LangGraph was made for.
$(OLDER)/javascript-langgraph-0.2.74: CORE := @langchain/core@0.3.80
$(OLDER)/javascript-langgraph-1.7.3: CORE := @langchain/core@1.4.0
$(OLDER)/javascript-langgraph-%:
	@npm install --silent --ignore-scripts --no-save --prefix $@.new $(OLDER_PORT) @langchain/langgraph@$* $(CORE)
	@mv $@.new $@

$(OLDER)/pypi-langgraph-0.2.53: CHECKPOINT := langgraph-checkpoint==2.0.4
$(OLDER)/pypi-langgraph-%:
	@$(PYTHON) -m venv $@
	@echo 'Installing $(OLDER_PYPI) beside langgraph $* ...'
	@$@/bin/python -m pip install --quiet --disable-pip-version-check $(OLDER_PYPI) langgraph==$* $(CHECKPOINT) || { rm -rf $@; exit 1; }

$(OLDER_OTHERS):
	@$(PYTHON) -m venv $@
	@echo 'Installing $(subst @,==,$(@F)) ...'
	@$@/bin/python -m pip install --quiet --disable-pip-version-check $(subst @,==,$(@F)) langgraph==1.2.24 || { rm -rf $@; exit 1; }

$(OLDER_RELEASES):
	@mkdir -p $@.new
	@git archive $(COMMIT) langgraph_checkpoint_dynamodb | tar -x -C $@.new
	@mv $@.new $@

$(VENV)/.infra: cdk/pyproject.toml

$(VENV)/.demo $(VENV)/.web $(VENV)/.web-test $(VENV)/.test $(VENV)/.lint $(VENV)/.bench $(VENV)/.suite $(VENV)/.infra $(VENV)/.docs $(VENV)/.frameworks: pyproject.toml | $(BIN)/python
	@echo 'Installing what "$(patsubst .%,%,$(notdir $@))" needs into $(VENV) ...'
	@$(INSTALL_$(DEPENDENCIES)) --editable '.[$(EXTRAS_$(notdir $@))]' $(MORE_$(notdir $@))
	@touch $@

INSTALL_newest := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# pip has no way to ask for the oldest, uv has.
INSTALL_oldest = $(INSTALL_newest) uv && $(BIN)/uv pip install --quiet --python $(BIN)/python --resolution lowest-direct

EXTRAS_.demo := demo
EXTRAS_.web := web
EXTRAS_.web-test := web,browser,test
EXTRAS_.test := test$(if $(filter async,$(SAVER)),$(comma)async)
EXTRAS_.lint := lint,test,demo
EXTRAS_.bench := bench
EXTRAS_.suite := suite
EXTRAS_.docs := docs
EXTRAS_.frameworks := frameworks
EXTRAS_.infra := infra,test,lint
MORE_.infra := --editable './cdk[template]'

$(BIN)/python:
	@$(PYTHON) -m venv $(VENV)

clean: ## Remove the environment, the engines and caches
	rm -rf .venv .venv-* $(ENGINES) $(OLDER) .suite .site
	rm -rf $(foreach folder,. cdk,$(addprefix $(folder)/,.hypothesis .mypy_cache .pytest_cache .ruff_cache))
