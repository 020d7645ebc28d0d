# aiplatform.eks: `make help` lists the targets. Everything that is needed is installed into .venv and build/.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:

PYTHON ?= $(shell command -v python3.11 || command -v python3.13 || command -v python3.12 || command -v python3)
NEXT_PYTHON ?= $(shell python3.13 -c 'import sys; print(sys.executable)' 2>/dev/null || ls $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.13*/bin/python3.13 2>/dev/null | tail -1)
INVENTORY ?= local
GROUP ?=
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
export PATH := $(BIN):$(PATH)
STEP := $(PYTHON) scripts/step.py
PACKAGE := ansible_collections.aiplatform.eks
LIVE := build/collections
COPY := build/sanity/ansible_collections/aiplatform/eks
CHECKOV := build/checkov
PYVERSION = $(shell $(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
# Documentation may refer to these collections; reading the whole ansible bundle takes minutes.
ONLY_REFERENCED := ANSIBLE_COLLECTIONS_SCAN_SYS_PATH=false ANSIBLE_COLLECTIONS_PATH=$(CURDIR)/build/sanity:$(CURDIR)/build/referenced
# A worker for each core (four at most: each has a local cloud of its own); a file's tests stay together and in order.
PYTEST := -m pytest -p no:cacheprovider -n logical --maxprocesses 4 --dist loadfile

.PHONY: next help setup tree controlplane rehearse up down test lint static sanity docs-lint unit contract integration nvidia acceptance molecule bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

rehearse: setup controlplane ## from nothing to a platform and back, on this machine (INVENTORY=local)
	@$(STEP) --stream "rehearse inventories/$(INVENTORY) on the local cloud" $(BIN)/ansible-playbook -i inventories/$(INVENTORY) playbooks/rehearse.yml

up: setup controlplane ## make the platform of an inventory on the local cloud, and leave it to look at
	@$(STEP) --stream "make inventories/$(INVENTORY) on the local cloud" $(BIN)/ansible-playbook -i inventories/$(INVENTORY) site.yml -e aiplatform_cloud=local

down: setup ## stop the local cloud
	@$(STEP) --stream "stop the local cloud" $(BIN)/ansible-playbook -i inventories/$(INVENTORY) playbooks/local_cloud.yml -e local_cloud_state=stopped

test: lint unit next contract integration nvidia acceptance ## all checks: lint, sanity, unit, contract, integration and acceptance tests

lint: static sanity docs-lint ## all linters, with ansible-test sanity

setup: $(VENV)/.stamp tree ## install what the project needs into .venv

$(VENV)/.stamp: requirements.txt requirements-dev.txt
	@$(PYTHON) scripts/python_check.py >/dev/null
	@test -x $(BIN)/python || $(STEP) "make the virtual environment with $(PYTHON)" $(PYTHON) -m venv $(VENV)
	@$(STEP) "install requirements into $(VENV) (once)" $(BIN)/python scripts/install.py requirements.txt requirements-dev.txt
	@$(BIN)/python -m pip check >/dev/null
	@touch $@

tree:
	@$(PYTHON) scripts/collection_tree.py link >/dev/null

controlplane: setup ## find, download or build the Kubernetes binaries (once; a build takes about 8 minutes)
	@PYTHONPATH=$(LIVE) $(STEP) --stream "Kubernetes control plane binaries" $(BIN)/python -m $(PACKAGE).plugins.module_utils._local.binaries roles/local_cloud/files

static: setup
	@$(STEP) "ruff" $(BIN)/ruff check .
	@$(STEP) "ruff format" $(BIN)/ruff format --check .
	@$(STEP) "file and function length" $(BIN)/python scripts/file_length.py
	@$(STEP) "mypy --strict" $(BIN)/mypy -p $(PACKAGE).plugins.module_utils -p $(PACKAGE).plugins.plugin_utils
	@$(STEP) "yamllint" $(BIN)/yamllint --strict .

	@$(BIN)/python scripts/foundation_templates.py build/cfn
	@$(STEP) "cfn-lint" $(BIN)/cfn-lint build/cfn/*
	@$(MAKE) --no-print-directory $(CHECKOV)/.stamp
	@$(STEP) "checkov" $(CHECKOV)/bin/checkov --directory build/cfn --framework cloudformation --compact --quiet --skip-download

# checkov pins boto3 and dozens of others: it lives alone.
$(CHECKOV)/.stamp: requirements-checkov.txt
	@$(STEP) "install checkov beside the project (once)" bash -c '$(PYTHON) -m venv $(CHECKOV) && $(CHECKOV)/bin/python scripts/install.py requirements-checkov.txt'
	@touch $@

sanity: setup
	@$(PYTHON) scripts/collection_tree.py copy >/dev/null
	@$(BIN)/python scripts/ansible_test_get_pip.py
	@$(BIN)/shellcheck --version >/dev/null
	@cd $(COPY) && bash $(CURDIR)/scripts/no_ignores.sh && $(PYTHON) $(CURDIR)/scripts/step.py "ansible-test sanity, no ignores" $(BIN)/ansible-test sanity --python $(PYVERSION) --requirements --color no
	@cd $(COPY) && ANSIBLE_COLLECTIONS_PATH=$(CURDIR)/build/sanity $(PYTHON) $(CURDIR)/scripts/step.py "ansible-lint, production profile" $(BIN)/ansible-lint --offline --profile production -c .ansible-lint

docs-lint: setup
	@$(PYTHON) scripts/collection_tree.py copy >/dev/null
	@mkdir -p build/referenced/ansible_collections/amazon && ln -sfn "$$($(BIN)/python -c 'import ansible_collections.amazon.aws as c; print(next(iter(c.__path__)))')" build/referenced/ansible_collections/amazon/aws
	@cd $(COPY) && $(ONLY_REFERENCED) $(PYTHON) $(CURDIR)/scripts/step.py "antsibull-docs" $(BIN)/antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck --validate-collection-refs all .
	@cd $(COPY) && $(PYTHON) $(CURDIR)/scripts/step.py "antsibull-changelog" $(BIN)/antsibull-changelog lint

unit: setup ## pure tests
	@$(STEP) --stream "unit tests" $(BIN)/python $(PYTEST) tests/unit

contract: setup controlplane ## AWS calls: Stubber and the emulator
	@$(STEP) --stream "contract tests" $(BIN)/python $(PYTEST) tests/contract

integration: setup controlplane ## against the real control plane and the local cloud
	@$(STEP) --stream "integration tests" $(BIN)/python $(PYTEST) tests/integration

nvidia: setup ## NVIDIA's own programs as the judge of labels and resources (built once, about 3 minutes)
	@$(STEP) --stream "NVIDIA's programs" $(BIN)/python tests/nvidia/nvidia_programs.py
	@$(STEP) --stream "NVIDIA's judge" $(BIN)/python $(PYTEST) tests/nvidia

acceptance: setup controlplane ## as a user meets it: the Galaxy artefact, AWX templates, the execution environment
	@$(STEP) --stream "acceptance tests" $(BIN)/python $(PYTEST) tests/acceptance

molecule: setup controlplane ## every role family on a local cloud of molecule's own: check, converge, idempotence, verify, absent
	@MOLECULE_GLOB='molecule/*/molecule.yml' $(STEP) --stream "molecule" $(BIN)/molecule test --all

next: ## the unit tests on Python 3.13 with the newest ansible-core, where that interpreter exists
ifeq ($(NEXT_PYTHON),)
	@echo "==> no python3.13 here: the second lane is not run"
else
	@$(MAKE) --no-print-directory VENV=.venv-3.13 PYTHON=$(NEXT_PYTHON) setup
	@$(STEP) --stream "unit tests on Python 3.13" .venv-3.13/bin/python $(PYTEST) tests/unit
endif

bench: setup controlplane ## print the benchmark table and write build/bench.json (GROUP=k8s|helm|eks|aws|gpu|door|local|site)
	@$(BIN)/python -m benchmarks $(GROUP)

clean: ## remove what was built in this checkout (binaries in the XDG cache stay)
	rm -rf build .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .ansible
