# Every task of this repository; `make` alone lists them. Works with GNU make 3.81.
SHELL := /bin/bash
export SOLUTION CONFIG
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export CDK_DISABLE_CLI_TELEMETRY := true
# Machines that build containers often set it: every process would then compile twelve hundred files anew.
unexport PYTHONDONTWRITEBYTECODE
INSTALLED := .venv/.installed

.PHONY: help new upgrade install check test updates lifecycle mutate try verify evidence faults bench simulate pictures synth snapshots docs site look \
	recording lock clean
.DEFAULT_GOAL := help

# A misspelt or misplaced variable would otherwise run everything, for many minutes.
KNOWN := SLUG SOLUTION VARIANT BREAK EXPORT EVENTUAL CONFIG PORT LANES INTO KEEP STRICT FRESH QUICK EXAMPLES PYTHON PROFILE REGION PRICES YES
COMMAND_LINE := $(foreach name,$(.VARIABLES),$(if $(filter command line,$(origin $(name))),$(name)))
UNKNOWN := $(filter-out $(KNOWN) MAKEFLAGS MFLAGS MAKEOVERRIDES -%,$(COMMAND_LINE))
ifneq ($(strip $(UNKNOWN)),)
$(error unknown variable: $(strip $(UNKNOWN)); known: $(KNOWN))
endif
EMPTY := $(foreach name,$(filter SLUG SOLUTION VARIANT BREAK CONFIG PORT LANES INTO EXAMPLES PROFILE REGION PRICES,$(COMMAND_LINE)),$(if $(strip $($(name))),,$(name)))
ifneq ($(strip $(EMPTY)),)
$(error $(strip $(EMPTY)) is empty; give it a value, or leave it out)
endif
COMMA := ,
# $(call option,name,VARIABLE): --name 'value', if there is a value.
option = $(if $($(2)),--$(1) '$(subst ','\'',$($(2)))')

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

install: $(INSTALLED) ## install everything into this checkout: Python packages, Node, the CDK CLI

$(INSTALLED): requirements-dev.txt package-lock.json scripts/install
	@scripts/install

check: $(INSTALLED) ## format, lint, types, templates, permissions, shell files, locks
	@scripts/check

test: $(INSTALLED) ## all tests, offline; EXAMPLES=
	@python -m pytest -n 2 -q

try: $(INSTALLED) ## deploy and try on the emulator; SOLUTION=, VARIANT=, BREAK=, EXPORT=1, EVENTUAL=1, CONFIG=, PORT=, LANES=, KEEP=1, STRICT=1
	@python -m tryout $(call option,solution,SOLUTION) $(call option,variant,VARIANT) $(call option,break,BREAK) \
		$(call option,config,CONFIG) $(call option,port,PORT) $(call option,lanes,LANES) $(if $(KEEP),--keep) $(if $(STRICT),--strict) \
		$(if $(EXPORT),--export) $(if $(EVENTUAL),--eventual)

verify: $(INSTALLED) ## try one solution in a real account, cost first; SOLUTION=, PROFILE=, REGION=, VARIANT=, PRICES=, YES=1
	@python -m tryout.verify $(call option,solution,SOLUTION) $(call option,profile,PROFILE) $(call option,region,REGION) \
		$(if $(YES),--yes) $(call option,variant,VARIANT) $(call option,config,CONFIG) $(call option,prices,PRICES)

evidence: $(INSTALLED) ## take what the last make try found into docs/evidence.json, with commit and date
	@python -m tryout.run.evidence

faults: $(INSTALLED) ## what every handler does when an AWS call fails, in a table; writes docs/faults.md, some minutes; SOLUTION=
	@PYTHONPATH=.:lambdas python -m tests.faults $(call option,solution,SOLUTION) --into docs/faults.md

bench: $(INSTALLED) ## speed of synth, commands, functions and plans in one run; writes docs/benchmarks.md; SOLUTION=, QUICK=1
	@python -m benchmarks $(call option,solution,SOLUTION) $(if $(QUICK),--quick)

simulate: $(INSTALLED) ## how the queue's strategies scale, in tables and a picture; writes both into the docs
	@PYTHONPATH=.:lambdas python -m benchmarks.sqs_target_scaling

updates: $(INSTALLED) ## every setting of every solution with another value: what CloudFormation does; SOLUTION=
	@python -m tests.conformance.updates $(subst -,_,$(subst $(COMMA), ,$(SOLUTION)))

mutate: $(INSTALLED) ## each action of each role taken away, and what was recorded replayed; minutes; SOLUTION=, FRESH=1
	@python -m tests.mutation $(call option,solution,SOLUTION) $(if $(FRESH),--fresh)

lifecycle: $(INSTALLED) ## deploy, change each setting, fail, destroy, deploy again on the emulator; SOLUTION=, QUICK=1
	@python -m tests.lifecycle $(call option,solution,SOLUTION) $(if $(QUICK),--quick)

pictures: $(INSTALLED) ## draw the dashboards that make try has kept, or try them first; SOLUTION=, INTO=, FRESH=1
	@python -m tryout.pictures $(call option,solution,SOLUTION) $(call option,into,INTO) $(if $(FRESH),--fresh)

synth: $(INSTALLED) ## synthesize all enabled solutions into cdk.out; SOLUTION=, CONFIG=
	@scripts/synth

snapshots: $(INSTALLED) ## accept changed templates
	@python -m pytest tests/solutions -q -k test_stack --snapshot-update

docs: $(INSTALLED) ## regenerate what is committed: config.schema.json, tables of README.md and docs/
	@python -m stacks.documents
	@python -m website.documents
	@python -m emulator.documents
	@python -m tests.conformance

SITE := .local/site/.installed
site: $(INSTALLED) $(SITE) ## build the site of all documents into .local/site/html; STRICT=1: diagrams must be drawn
	@python -m website $(if $(STRICT),--strict)

look: $(INSTALLED) $(SITE) ## open every page of the built site in Chromium and say what is wrong; STRICT=1: it must run
	@python -m website.browser_check $(if $(STRICT),--strict)

$(SITE): requirements-docs.txt website/browser/package-lock.json scripts/site
	@scripts/site

recording: $(INSTALLED) ## record make try of one solution as docs/pictures/try.svg
	@python -m website.terminal

new: $(INSTALLED) ## a new solution that passes every check but the promises of its post; SLUG=
	@python scripts/new.py '$(subst ','\'',$(SLUG))'
	@$(MAKE) --no-print-directory docs
	@python -m pytest tests/solutions/$(subst -,_,$(SLUG)) -q -k test_template --snapshot-update
	@python scripts/new.py --next '$(subst ','\'',$(SLUG))'

upgrade: $(INSTALLED) ## pins to their newest releases, staged as one commit that says what it changes in the templates
	@python -m scripts.upgrade

lock: $(INSTALLED) ## resolve requirements*.in and package.json anew
	@scripts/lock

clean: ## remove everything that was installed or made here
	rm -rf .venv node_modules website/browser/node_modules .local cdk.out
