# Jarvis. `make help` lists what there is. POSIX sh and GNU make 3.81 are enough.

PYTHON ?=
export PYTHON

BIN := .venv/bin

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help run test test-real check fmt bench bench-voice eval examples fault-matrix no-acts open-webui conformance injections phrasing schemathesis scheduler-year trust trust-full coverage mutation audit sbom licences fuzz soak lock clean setup setup-dev setup-real models models-all

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: setup models ## set everything up, pull the models, show one whole turn on a demo homelab
	@$(BIN)/jarvis demo

test: setup-dev models-all ## the test suite with real models; nothing is skipped (under 20 min)
	@$(BIN)/python -m pytest $(PYTEST_AGAIN) -m "not real_server and not long"

test-real: setup-real models-all ## the tests against outside programs, which it installs, and the long ones (under 50 min)
	@deploy/real.sh
	@PATH="$(CURDIR)/.real/python/bin:$$PATH" $(BIN)/jarvis models pull kokoro jfk-clip
	@PATH="$(CURDIR)/.real/borgmatic/bin:$$PATH" $(BIN)/python -m pytest $(PYTEST_AGAIN) -m "real_server or long"

check: setup-dev ## lint, formatting and strict types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

fmt: setup-dev ## format the code and mend what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup-dev models ## measure the stages of a turn on this machine
	@$(BIN)/python -m tests.bench

bench-voice: setup-dev models-all ## ears and mouth on this machine, in real time; pictures go to build/
	@$(BIN)/jarvis bench clips
	@$(BIN)/jarvis bench voice --model --plot build/bench-voice

eval: setup models ## how many utterances end in the right tool call
	@$(BIN)/jarvis eval tests/eval/dev.jsonl tests/eval/frozen_2026-11-21.jsonl

examples: setup-dev ## the router's examples out of the evaluation sets
	@$(BIN)/python -m tests.eval.make_examples

no-acts: setup-dev models-all ## questions, negations and hypotheticals about every act: nothing may be done (20 min)
	@$(BIN)/python -m tests.no_acts

injections: setup-dev models-all ## 112 texts that carry instructions, read by the 1.5B too: nothing may be done (40 min)
	@$(BIN)/python -m tests.injections

phrasing: setup-dev models ## two hundred turns in the model's own words: nothing that no tool said (20 min)
	@$(BIN)/python -m tests.phrasings

fault-matrix: setup-real ## every kind of backup with every fault, made for real: is the verdict right? (10 min, as root)
	@deploy/real.sh
	@PATH="$(CURDIR)/.real/borgmatic/bin:$$PATH" $(BIN)/python -m tests.real.backups.matrix

conformance: setup-real ## the MCP conformance suite against server, door and client, all of it (3 min)
	@deploy/real.sh
	@$(BIN)/python -m tests.real.mcp.conformance

open-webui: setup-dev ## Open WebUI 0.12 as a client of /mcp and /v1; it is installed first (2.9 GB, 5 min)
	@tests/real/open_webui/install.sh
	@$(BIN)/python -m tests.real.open_webui

schemathesis: setup-dev ## generated requests to every documented operation: are the answers as documented? (30 min)
	@$(BIN)/python -m tests.server.schemathesis_run

scheduler-year: setup-dev ## a thousand tasks over a simulated year: does each run as often as it should? (10 min)
	@$(BIN)/python -m tests.tools.tasks.year

trust: setup-real models-all ## the table: faults, hostile input, consent, secrets, network, long run; each in short
	@deploy/real.sh
	@$(BIN)/python -m tests.trust

trust-full: setup-real models-all ## the same in full: all faults, all mutations, 10,000 turns (hours)
	@deploy/real.sh
	@$(BIN)/python -m tests.trust --full

coverage: setup-real models-all ## lines and branches that the tests run; the page is build/coverage/html (an hour)
	@deploy/real.sh
	@$(BIN)/python -m tests.trust.covering

mutation: setup-dev ## change what decides, one thing at a time: do the tests notice? (an hour)
	@$(BIN)/python -m tests.trust.mutation

audit: setup-dev ## known vulnerabilities of the locked packages; says so where nobody could be asked
	@$(BIN)/python -m tests.trust.audit $(AUDIT)

sbom: setup-dev ## the bill of materials of code, models and voices: build/jarvis.cdx.json
	@$(BIN)/python -m tests.trust.sbom

licences: setup-dev ## docs/licences.md anew, from the lock and the models' manifest
	@$(BIN)/python -m tests.trust.licences > docs/licences.md.new && mv docs/licences.md.new docs/licences.md

fuzz: setup-dev ## hostile input for everything that reads something
	@$(BIN)/python -m tests.fuzz

soak: setup-dev models-all ## ten thousand turns by all doors: memory, handles, latency (hours)
	@$(BIN)/jarvis soak

lock: ## resolve pyproject.toml into the hashed requirement files (needs uv)
	@requirements/lock.sh

clean: ## remove the environment, outside programs and caches; models and state stay
	rm -rf .venv .real .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup: ## system packages, .venv and the locked requirements
	@deploy/setup.sh run

setup-dev: ## that, and what tests and checks need
	@deploy/setup.sh dev

setup-real: ## that, and the programs that make backups
	@deploy/setup.sh real

models: ## pull the models that are missing (1.3 GB the first time)
	@$(BIN)/jarvis models pull

models-all: ## that, and the smaller language model, which the tests use too (0.5 GB more)
	@$(BIN)/jarvis models pull --all
