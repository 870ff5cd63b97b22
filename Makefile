# The menu. `make test` installs what it needs and passes every test.
CARGO ?= cargo
CACHE := .cache
PYTHON := $(CACHE)/python/bin/python

# Parts outside the default program that are tested with it.
FEATURES := store/s3

SEEDS ?= 1000
MINUTES ?= 10

.PHONY: help test demo lint audit soak simulate fuzz bench python browser clean

help:            ## this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

test: python browser lint  ## every test, with what they need installed
	HIGHWATER_PYTHON=$(abspath $(PYTHON)) $(CARGO) test --release --workspace --features $(FEATURES) --locked

demo:            ## the pipeline on this machine, with generated pings
	$(CARGO) run --release --locked -- demo

lint:            ## formatting and lints
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --features $(FEATURES) --all-targets --locked -- -D warnings

audit:           ## licences, bans and sources of dependencies; installs cargo-deny, which takes minutes
	command -v cargo-deny >/dev/null || $(CARGO) install cargo-deny --locked
	cargo deny check bans licenses sources

soak:            ## load, kills, full disks, clock steps and restarts mixed for MINUTES=n (SEED=s), then every crash point at length
	$(CARGO) build --release --locked -p highwater
	$(CARGO) run --release --locked -p tests --bin soak -- --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(SOAK)
	$(if $(ONLY),,HIGHWATER_SOAK=1 $(CARGO) test --release --workspace --locked -- --nocapture soak)

simulate:        ## the pipeline in one thread under seeded faults: SEEDS=n of them, or SEED=s alone; TRACE=1 prints all
	$(CARGO) run --release --locked -p simulation -- $(if $(SEED),--seed $(SEED),--seeds $(SEEDS)) $(if $(TRACE),--trace)

fuzz:            ## all readers of foreign bytes under libFuzzer: FUZZ_SECONDS=180 each, FUZZ_TARGETS="names"
	CARGO=$(CARGO) infra/fuzz/run.sh

bench:           ## figures as ratios to the machine's own limits, in one run
	$(CARGO) build --release --locked -p highwater
	$(CARGO) run --release --locked -p bench -- $(BENCH)

python: $(CACHE)/python/.ready
$(CACHE)/python/.ready: tests/requirements.txt
	infra/install/python.sh $(CACHE)/python tests/requirements.txt
	touch $@

browser:
	infra/install/browser.sh

clean:           ## build results and installed tools
	rm -rf target $(CACHE)
