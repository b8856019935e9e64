# Needs Go and make; `make race` also needs a C compiler. Variables to set:
#   FUZZTIME   how long `make fuzz` runs each target (10s)
#   BENCHTIME  how long `make bench` runs each benchmark (1s)
#   KILLS      how often `make soak` kills an import (300); SEED is its random seed (1)
#   PREFIX     where `make install` puts bin/flytt (what `go install` uses, if empty)

FUZZTIME  ?= 10s
BENCHTIME ?= 1s
KILLS     ?= 300
SEED      ?= 1
PREFIX    ?=

STATICCHECK_VERSION := v0.7.0
STATICCHECK         := bin/staticcheck-$(STATICCHECK_VERSION)

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)
LDFLAGS := -s -w $(if $(VERSION),-X main.version=$(VERSION))
BUILDFLAGS := -trimpath -ldflags '$(LDFLAGS)'

SAMPLE := samples/externalclientcontactperson
DEMO   := dist/demo
TOP    := ../..

export CGO_ENABLED := 0

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test race soak lint fmt-check vet staticcheck bench fuzz build install clean

help: ## list the targets
	@awk -F ': .*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

# Runs in a folder of its own, so that it neither finds nor leaves a sandbox elsewhere.
# Exit code 1 means that some rows were rejected; the register is made for that.
demo: build ## import a legacy register into a sandbox and show what was rejected
	@rm -rf $(DEMO) && mkdir -p $(DEMO)
	@echo '$$ cd $(DEMO)'
	@echo '$$ $(TOP)/bin/flytt import $(TOP)/$(SAMPLE)/register.csv -m $(TOP)/$(SAMPLE)/mapping.yaml --sandbox --yes --run-dir run'
	@cd $(DEMO); status=0; \
	$(TOP)/bin/flytt import $(TOP)/$(SAMPLE)/register.csv -m $(TOP)/$(SAMPLE)/mapping.yaml \
		--sandbox --yes --run-dir run || status=$$?; \
	if [ $$status -gt 1 ]; then echo "make demo: flytt ended with exit code $$status" >&2; exit $$status; fi; \
	printf '\nThe first rejected rows, as they were, then _row and _errors:\n\n'; \
	head -n 4 run/rejects.csv; \
	printf '\nTo look at next:\n'; \
	printf '  %-37s %s\n' \
		'$(DEMO)/run/rejects.csv' 'every rejected row with all its reasons; fix it and send it with flytt retry' \
		'$(DEMO)/run/summary.json' 'what was counted' \
		'$(DEMO)/run/mapping.yaml' 'the mapping that was used' \
		'$(SAMPLE)/' 'the register, its mapping file and what is expected of them'

test: ## run the tests
	go test -timeout=30m ./...

# The loops of the soak kill programs that are built without the race detector.
race: ## run the tests under the race detector (needs a C compiler)
	@if command -v "$$(go env CC)" >/dev/null; then \
		echo 'CGO_ENABLED=1 FLYTT_SOAK_KILLS=4 FLYTT_REWRITING_RUNS=500 go test -race -timeout=30m ./...'; CGO_ENABLED=1 FLYTT_SOAK_KILLS=4 FLYTT_REWRITING_RUNS=500 go test -race -timeout=30m ./...; \
	elif [ "$$CI" = true ]; then \
		echo 'make race: no C compiler, which the race detector needs' >&2; exit 1; \
	else \
		echo 'make race: SKIPPED: no C compiler, which the race detector needs' >&2; \
	fi

soak: ## kill imports at random moments and points, KILLS times; each is resumed and checked
	FLYTT_SOAK_KILLS=$(KILLS) FLYTT_SOAK_SEED=$(SEED) go test -count=1 -v -timeout=120m -run='^TestFault06Kills$$' ./cmd/flytt

lint: fmt-check vet staticcheck ## check the formatting, go vet and staticcheck

fmt-check:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then \
		printf 'not formatted with gofmt:\n%s\n' "$$unformatted" >&2; exit 1; fi

vet:
	go vet ./...

staticcheck: $(STATICCHECK)
	$(STATICCHECK) -checks all ./...

# Beside the module, so that go.mod names only what flytt is built from.
$(STATICCHECK):
	GOBIN=$(CURDIR)/bin go install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)
	mv bin/staticcheck $@

bench: ## run the benchmarks
	go test -run='^$$' -bench=. -benchmem -benchtime=$(BENCHTIME) ./...

fuzz: ## run every fuzz target for FUZZTIME
	@mkdir -p dist && go test -list='^Fuzz' ./... >dist/fuzz.txt || { cat dist/fuzz.txt; exit 1; }
	@awk '/^Fuzz/ {names[++n] = $$1} /^ok/ {for (i = 1; i <= n; i++) print $$2, names[i]; n = 0}' dist/fuzz.txt | \
	while read -r package target; do \
		echo "$$package $$target"; \
		go test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) "$$package" || exit 1; \
	done

build: ## build bin/flytt
	go build $(BUILDFLAGS) -o bin/ ./cmd/flytt

install: ## install flytt, in PREFIX/bin if PREFIX is set
	$(if $(PREFIX),GOBIN='$(abspath $(PREFIX))/bin') go install $(BUILDFLAGS) ./cmd/flytt

clean: ## remove what was built
	rm -rf bin dist
