#!/usr/bin/env bash
# `make test`: installs what the tests need beside compiling, lints, compiles, runs all tests, and tells at its end what took
# how long. A stage that fails says which, why, and what to do; what can be told in spite of it is told before the end.
set -uo pipefail
cd "$(dirname "$0")/../.."
source infra/test/stages.sh
make=${MAKE:-make}

beside installing "see what stands above; what is installed by hand is not installed again" \
    "$make" --no-print-directory python web-client browser postgres localstack
stage formatting "run \`cargo fmt --all\`" \
    "${CARGO:-cargo}" fmt --all --check
stage "linting and compiling" "mend what the compiler or clippy says above" \
    infra/test/build.sh || stop
stage "linting the default program" "mend what the compiler or clippy says above of the program without the feature aws" \
    "${CARGO:-cargo}" clippy --quiet -p highwater --locked -- -D warnings
joined installing || stop
stage "packing the Lambda" "see what Python says above" \
    infra/test/lambda-zip.sh "$PYTHON" || stop
if [ "${1:-}" = release ]; then
    stage "checking the release" "see what stands above" infra/test/release-check.sh
    stop
fi
stage "checking the release" "run \`make release-check\` and see what stands above" \
    infra/test/release-check.sh if-changed
stage "running tests" "what failed tests said stands above, all that was said in target/tests" \
    infra/test/tests.sh --whole --slowest target/tests/slowest --executables-max "$(bound executables)" --crates-max "$(bound crates)"
stop
