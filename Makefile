# The menu. `make test` installs what it needs and passes every test.
CARGO ?= cargo
CACHE := .cache
PYTHON := $(CACHE)/python/bin/python

# Parts outside the default program that are tested with it.
FEATURES := store/s3,index-schema/postgres,aggregate-store/postgres,aggregate-store/conformance,lambda-indexer/lambda,highwater/aws,bench/aws

SEEDS ?= 1000
MINUTES ?= 10
TIMES ?= 5
STACK ?= highwater

export FEATURES PYTHON

.PHONY: help test check flaky release-check demo lint audit soak simulate fuzz bench bench-aws peers python web-client browser postgres localstack lambda cargo-lambda demo-aws soak-aws deploy clean

help:            ## this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

test:            ## every test, with what they need installed
	@infra/test/run.sh

check:           ## what a change in CRATE=name can break: its tests, those of what stands on it, the street's of it
	@infra/test/check.sh $(CRATE)

flaky:           ## the tests of real processes, and of figures and times, TIMES=n again beside other work; goes on where it was ended
	@infra/test/flaky.sh --times $(TIMES) $(FLAKY)

release-check:   ## the Lambda as cargo-lambda makes and deploys it, and the default program as it ships
	@infra/test/run.sh release

demo:            ## the pipeline on this machine, with generated pings
	$(CARGO) run --release --locked -- demo

demo-aws: postgres localstack lambda  ## the pipeline as it runs on AWS, on this machine: LocalStack, the real Lambda, PostgreSQL, two edges
	$(CARGO) build --release --locked --workspace --bins --features $(FEATURES)
	target/release/demo-aws target/release/highwater $(DEMO)

# The credentials and the region of the AWS tools.
deploy: lambda $(CACHE)/deploy/.ready  ## the stack of infra/aws/template.yaml in your AWS account: STACK=name, SET="IndexUrl=postgres://... Name=value"
	$(CACHE)/deploy/bin/python infra/aws/deploy.py up $(STACK) --zip target/lambda/lambda-indexer/bootstrap.zip \
	    $(foreach parameter,$(SET),--set '$(parameter)')

$(CACHE)/deploy/.ready: infra/aws/requirements.txt
	infra/install/python.sh $(CACHE)/deploy infra/aws/requirements.txt
	touch $@

lint:            ## formatting and lints
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --features $(FEATURES) --all-targets --locked -- -D warnings

audit:           ## licences, bans and sources of dependencies; installs cargo-deny, which takes minutes
	command -v cargo-deny >/dev/null || $(CARGO) install cargo-deny --locked
	cargo deny check bans licenses sources

soak:            ## load, kills, full disks, clock steps and restarts mixed for MINUTES=n (SEED=s), then every crash point at length
	$(CARGO) build --release --locked -p highwater
	$(CARGO) run --release --locked -p tests --bin soak -- --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(SOAK)
	$(if $(ONLY),,HIGHWATER_SOAK=1 $(CARGO) test --release --workspace --locked -- --nocapture soak)

soak-aws: postgres  ## a fleet of processes that share S3 and PostgreSQL, with faults of all of them mixed at random for MINUTES=n (SEED=s)
	$(CARGO) build --release --locked --workspace --bins --features $(FEATURES)
	target/release/soak --fleet target/release/highwater --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(SOAK)

simulate:        ## the pipeline in one thread under seeded faults: SEEDS=n of them, or SEED=s alone; TRACE=1 prints all
	$(CARGO) run --release --locked -p simulation -- $(if $(SEED),--seed $(SEED),--seeds $(SEEDS)) $(if $(TRACE),--trace)

fuzz:            ## all readers of foreign bytes under libFuzzer: FUZZ_SECONDS=180 each, FUZZ_TARGETS="names"
	CARGO=$(CARGO) infra/fuzz/run.sh

bench: peers     ## figures as ratios to the machine's own limits, in one run
	$(CARGO) build --release --locked -p highwater
	$(CARGO) run --release --locked -p bench -- $(BENCH)

bench-aws: postgres lambda  ## the rows of S3, PostgreSQL and the Lambda; with BENCH=--record they are kept
	$(CARGO) build --release --locked --workspace --bins --features $(FEATURES)
	target/release/bench --rows s3,index,postgres,sharing,lambda $(BENCH)

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

web-client: $(CACHE)/web-client/.ready
$(CACHE)/web-client/.ready: tests/web/package.json tests/web/package-lock.json
	infra/install/node.sh $(CACHE)/web-client tests/web
	touch $@

LOCALSTACK_FILES := $(shell find tests/localstack/executor -name '*.py' -o -name '*.toml')
localstack: $(CACHE)/localstack/.ready
$(CACHE)/localstack/.ready: infra/install/localstack.sh tests/localstack/requirements.txt $(LOCALSTACK_FILES)
	infra/install/localstack.sh $(CACHE)/localstack
	touch $@

cargo-lambda: $(CACHE)/cargo-lambda/.ready
$(CACHE)/cargo-lambda/.ready: infra/install/cargo-lambda.txt
	infra/install/python.sh $(CACHE)/cargo-lambda infra/install/cargo-lambda.txt
	touch $@

# For the machine's own kind of processor. The target is never added by rustup: its standard library is there, or the
# build says that it is not.
LAMBDA_KIND := $(if $(filter aarch64,$(shell uname -m)),--arm64,--x86-64)
lambda: cargo-lambda  ## the Lambda's zip, target/lambda/lambda-indexer/bootstrap.zip
	PATH=$(abspath $(CACHE)/cargo-lambda/bin):$$PATH $(CARGO) lambda build --profile lambda $(LAMBDA_KIND) \
	    --skip-target-check --output-format zip --locked -p lambda-indexer --bin lambda-indexer --features lambda

browser:
	infra/install/browser.sh

postgres:
	infra/install/postgres.sh

clean:           ## build results and installed tools
	rm -rf target $(CACHE)
