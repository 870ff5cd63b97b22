#!/usr/bin/env bash
# What is released, as it is released: the Lambda's zip made by `cargo lambda build`, deployed by the template and by `cargo
# lambda deploy`, with all tests of the Lambda on it; and the README's first command, the default program optimised as it
# ships. When all of it holds, infra/test/release-checked is written: commit it.
#
# With `if-changed` nothing is done while what the Lambda and its deployment are made from is what it says.
# Needs what `make test` installs and builds.
set -euo pipefail
cd "$(dirname "$0")/../.."
checked=infra/test/release-checked
digest=$(infra/test/release-digest.sh)
if [ "${1:-}" = if-changed ] && [ -f "$checked" ] && [ "$(cut -d' ' -f1 "$checked")" = "$digest" ]; then
    echo "nothing that the Lambda and its deployment are made from has changed since \`make release-check\` held on $(cut -d' ' -f2 "$checked")"
    exit 0
fi
"${MAKE:-make}" --no-print-directory lambda
if [ -d .cache/localstack/python ]; then
    HIGHWATER_LAMBDA_ZIP=$PWD/target/lambda/lambda-indexer/bootstrap.zip infra/test/tests.sh \
        --logs target/tests/release --executable "tests aws" --executable "highwater world"
else
    echo "left out: the Lambda in LocalStack, which is not installed" >&2
fi
cargo build --release --locked
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
target/release/highwater demo --data-dir "$folder/data" --edge-listen 127.0.0.1:0 --api-listen 127.0.0.1:0 --pings 400 --exit
echo "$digest $(date -u +%F)" >"$checked"
echo "$checked is written: commit it"
