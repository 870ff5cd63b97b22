#!/usr/bin/env bash
# What is released, as it is released: the Lambda's zip made by `cargo lambda build`, deployed by the template and by `cargo
# lambda deploy`, with all tests of the Lambda on it; and the README's first command, the default program optimised as it
# ships. When all of it holds, infra/test/release-checked is written: commit it.
#
# With `if-changed` nothing is done while what the Lambda and its deployment are made from is what it says.
# Needs what `make test` installs and builds.
set -euo pipefail
cd -P "$(dirname "$0")/../.."
checked=infra/test/release-checked
digest=$(infra/test/release-digest.sh)
if [ "${1:-}" = if-changed ] && [ -f "$checked" ] && [ "$(cut -d' ' -f1 "$checked")" = "$digest" ]; then
    echo "nothing that the Lambda and its deployment are made from has changed since \`make release-check\` held on $(cut -d' ' -f2 "$checked")"
    exit 0
fi
"${MAKE:-make}" --no-print-directory lambda
if [ -d .cache/localstack/python ]; then
    HIGHWATER_LAMBDA_ZIP=$(pwd -P)/target/lambda/lambda-indexer/bootstrap.zip infra/test/tests.sh \
        --logs target/tests/release --executable "tests aws" --executable "highwater world"
    if grep -h "^left out" target/tests/release/*.log; then
        echo "the release is not checked while that is left out" >&2
        exit 1
    fi
else
    echo "left out: checking the release, for LocalStack is not installed (it needs CPython 3.11 on x86-64 Linux)" >&2
    exit 0
fi
"${CARGO:-cargo}" build --release --locked
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
target/release/highwater demo --data-dir "$folder/data" --edge-listen 127.0.0.1:0 --api-listen 127.0.0.1:0 --pings 400 --exit
echo "$digest $(date -u +%F)" >"$checked"
echo "$checked is written: commit it"
