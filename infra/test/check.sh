#!/usr/bin/env bash
# What a change in one crate can break, as fast as it can be told: its unit tests and suite, those of every crate that stands
# on it, and what the street (infra/test/street) has of it; crash points, crowds and AWS are left to `make test`. Usage: check.sh CRATE
# The first call compiles all of these; each later one what has changed.
set -euo pipefail
cd "$(dirname "$0")/../.."
crate=${1:-}
if [ -z "$crate" ] || [ ! -f "$crate/Cargo.toml" ]; then
    echo "name a crate: make check CRATE=query" >&2
    exit 2
fi
mkdir -p target/tests
"${MAKE:-make}" --no-print-directory python browser postgres
"${CARGO:-cargo}" fmt --all --check || { echo "run \`cargo fmt --all\`" >&2; exit 1; }
"${CARGO:-cargo}" metadata --no-deps --offline --format-version 1 >target/tests/metadata.json
BUILT=target/tests/check.json infra/test/build.sh --lib --test suite --test street --test world --test simulated --test postgres --test simulation --test corpus --test server --test house
export BUILT=target/tests/check.json
infra/test/tests.sh --dependents-of "$crate" --metadata target/tests/metadata.json --leave-out "tests street" --leave-out "highwater world"
parts=$(sed -n "s/^$crate: //p" infra/test/street)
case $parts in
    none) ;;
    *) infra/test/tests.sh --executable "tests street" $(printf -- '--only %s:: ' $parts) ;;
esac
