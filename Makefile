# The menu. `make test` installs what it needs and passes every test.
CARGO ?= cargo
CACHE := .cache
PYTHON := $(CACHE)/python/bin/python

SEEDS ?= 1000
MINUTES ?= 10

.PHONY: help test demo lint audit soak simulate fuzz bench peers python browser postgres clean

help:            ## this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

test: python browser postgres lint  ## every test, with what they need installed
	HIGHWATER_PYTHON=$(abspath $(PYTHON)) $(CARGO) test --release --workspace --locked
	HIGHWATER_POSTGRES=required $(CARGO) test --release --locked -p postgres-for-tests -p index-schema --features index-schema/postgres

demo:            ## the pipeline on this machine, with generated pings
	$(CARGO) run --release --locked -- demo

lint:            ## formatting and lints
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets --locked --features index-schema/postgres -- -D warnings

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

bench: peers     ## figures as ratios to the machine's own limits, in one run
	$(CARGO) build --release --locked -p highwater
	$(CARGO) run --release --locked -p bench -- $(BENCH)

# Without them their rows are left out, and say so.
peers:           ## what `make bench` measures beside ours: engines into .cache, nginx as a Debian package
	@infra/install/peers.sh
	@[ $(CACHE)/peers/.ready -nt bench/peers/requirements.txt ] || { \
		infra/install/python.sh $(CACHE)/peers bench/peers/requirements.txt --no-deps && touch $(CACHE)/peers/.ready; \
	} || echo "peers could not be installed: rows that need them are left out" >&2

python: $(CACHE)/python/.ready
$(CACHE)/python/.ready: tests/requirements.txt
	infra/install/python.sh $(CACHE)/python tests/requirements.txt
	touch $@

browser:
	infra/install/browser.sh

postgres:
	infra/install/postgres.sh

clean:           ## build results and installed tools
	rm -rf target $(CACHE)
