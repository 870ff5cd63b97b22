#!/usr/bin/env bash
# Compiles everything that is tested, all test executables and programs, and lints it in the same pass. What cargo made is
# named in target/tests/built.json, or in BUILT. Further arguments go to cargo.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p target/tests
# Clippy's driver is the compiler with lints: the workspace's own crates are linted as they are compiled, and what they stand on
# is compiled once, not once more for the lints. It compiles them as rustc does, less some of rustc's own optimisation.
driver=$(rustc --print sysroot)/bin/clippy-driver
if [ ! -x "$driver" ]; then
    echo "clippy is missing: rustup component add clippy, or Debian's rust-clippy" >&2
    exit 1
fi
export RUSTC_WORKSPACE_WRAPPER=$driver CLIPPY_ARGS=-Dwarnings
built=${BUILT:-target/tests/built.json}
"${CARGO:-cargo}" test --no-run --workspace --features "$FEATURES" --locked --message-format json-render-diagnostics "$@" >"$built.new"
mv "$built.new" "$built"
