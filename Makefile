# Everything starts here: `make` lists the targets. Needs git, make and Python; nothing is installed outside .venv.
#
#   ARGS       handed on to the command, as in: make demo ARGS="--days 2 --no-serve"
#   PYTHON     interpreter for .venv, as in: make install PYTHON=python3.12
#   INSTALLER  `pip` to do without uv

BIN := .venv/bin
ARGS ?=
PYTHON ?=
INSTALLER ?=
export PYTHON INSTALLER
unexport PYTHONDONTWRITEBYTECODE  # compiled modules halve the time that every later command takes to start

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo install install-dev test test-services test-home-assistant test-judges test-long test-tools check format bench fuzz soak contracts docs references clean lock

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' Makefile | while IFS='	' read -r name text; do printf '%-12s %s\n' "$$name" "$$text"; done

demo: install ## trade a week in a real community, then show the page (ARGS=… for its options)
	@$(BIN)/transactive demo $(ARGS)

install: ## make .venv with the program
	@sh scripts/environment.sh runtime

install-dev: ## make .venv with the program and the tools for tests and checks
	@sh scripts/environment.sh dev

PYTEST = $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --durations 20

test: install-dev ## run the tests that Python suffices for; at most eight minutes on two cores
	@$(PYTEST) -m "not long and not service and not soak" $(ARGS)

test-services: install-dev ## run the tests beside programs that are not ours, and the documents as typed: a browser, a node, a broker, a database
	@$(PYTEST) -m "service and not soak and not home_assistant and not judge" $(ARGS)

test-home-assistant: install-dev ## run the test with a real Home Assistant, in an environment of its own; needs Python 3.13
	@sh scripts/own_environment.sh home-assistant 3.13
	@$(BIN)/pytest -m home_assistant --numprocesses 0 tests/services/test_home_assistant.py $(ARGS)

test-judges: install-dev ## run the tests that foreign implementations judge, in an environment of its own; needs Python 3.12 or later
	@sh scripts/own_environment.sh judges 3.13 3.12
	@$(BIN)/pytest -m judge --numprocesses 0 tests/services/test_judges.py $(ARGS)

test-long: install-dev ## run the tests that take longer: kills at every stage, long random lives, rules on more input
	@$(PYTEST) -m "long and not service and not soak" $(ARGS)
	@[ -n "$(ARGS)" ] || $(PYTEST) -m "not long and not soak" --hypothesis-profile long tests/property

test-tools: install-dev ## bring what tests need beside Python: Anvil, Chromium, Mosquitto and PostgreSQL where there is none
	@sh scripts/browser.sh
	@sh scripts/broker.sh
	@sh scripts/database.sh

check: install-dev ## look at format, lint, types and import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: install-dev ## put the code in the house format
	@$(BIN)/ruff check --fix --exit-zero --quiet .
	@$(BIN)/ruff format .

bench: ## measure against references and targets (ARGS=… for names)
	@sh scripts/environment.sh bench
	@$(BIN)/transactive bench $(ARGS)

fuzz: install-dev ## a million random calls on contracts and their twins (ARGS=… for number, seed, minutes, report)
	@$(BIN)/python -m tests.fuzz $(ARGS)

soak: install-dev ## hours of work: fuzz, kept faults, 500 power failures, 1,000 kills, other Pythons (ARGS=… for parts, minutes)
	@$(BIN)/python -m tests.soak $(ARGS)

contracts: install-dev ## compile the contracts anew
	@$(BIN)/python -m transactive.chain.compile

docs: install-dev ## build the documents as a site, in build/docs, and check their links
	@$(BIN)/python -m scripts.docs site

references: install-dev ## write the references of commands, community file, API and Python anew
	@$(BIN)/python -m scripts.docs references

clean: ## remove .venv and what the tools left behind
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

lock: install-dev ## pin the newest dependencies that fit, for all Pythons and systems (ARGS=… for uv)
	@sh scripts/lock.sh $(ARGS)
