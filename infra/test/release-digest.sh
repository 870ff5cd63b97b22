#!/usr/bin/env bash
# A digest of all that the Lambda, its zip, its deployment and its tests are made from, as it lies here.
set -euo pipefail
cd "$(dirname "$0")/../.."
# The crates that the Lambda links, by their folders: a test compares them with what cargo says.
crates="lambda-indexer aws-connections chunk disk index-schema ping postgres-connections service store"
find Cargo.toml Cargo.lock Makefile infra/install/cargo-lambda.txt infra/aws/template.yaml infra/aws/deploy.py \
    $(printf '%s/src %s/Cargo.toml ' $(printf '%s %s ' $(for crate in $crates; do echo "$crate $crate"; done))) \
    tests/localstack tests/src/aws tests/tests/aws tests/world/lambda_faults.rs \
    -type f -not -name '*.pyc' | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d' ' -f1
