#!/usr/bin/env bash
# What a change in one crate can break, as fast as it can be told: its unit tests and suite, those of every crate that stands
# on it, and what the street (infra/test/street) has of it. Crash points, crowds, AWS, the unit tests of programs, and what
# nothing stands on (simulation, fuzz, bench) are left to `make test`. Usage: check.sh CRATE
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
# What nothing stands on is compiled only where it is asked for; leaving it out changes no feature of the rest.
case $crate in
    simulation | fuzz | bench) apart=(--test simulation --test corpus) ;;
    *)
        apart=(--exclude simulation --exclude fuzz --exclude bench)
        FEATURES=${FEATURES//,bench\/aws/}
        ;;
esac
BUILT=target/tests/check.json infra/test/build.sh --lib --test suite --test street --test world --test simulated --test postgres --test server --test house "${apart[@]}"
export BUILT=target/tests/check.json
# Most tests wait: the street's run beside the others, and what they say follows.
parts=$(sed -n "s/^$crate: //p" infra/test/street)
street=
if [ "$parts" != none ]; then
    # shellcheck disable=SC2046
    infra/test/tests.sh --executable "tests street" $(printf -- '--only %s:: ' $parts) --logs target/tests/check >target/tests/check-street 2>&1 &
    street=$!
    trap 'kill "$street" 2>/dev/null || true' EXIT
fi
failed=0
infra/test/tests.sh --dependents-of "$crate" --metadata target/tests/metadata.json --leave-out "tests street" --leave-out "highwater world" || failed=$?
if [ -n "$street" ]; then
    wait "$street" || failed=$?
    trap - EXIT
    cat target/tests/check-street
fi
exit "$failed"
