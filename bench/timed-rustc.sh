#!/usr/bin/env bash
# Cargo's RUSTC_WRAPPER while `bench --rows build` builds: runs the compiler and appends its CPU seconds, user and system,
# and the folder of the crate to $BENCH_RUSTC_LOG, each line at once, so that parallel compilers do not mix.
exec {out}>&1 {err}>&2
TIMEFORMAT='%U %S'
spent=$( { time "$@" 1>&"$out" 2>&"$err"; } 2>&1 )
status=$?
echo "$spent ${CARGO_MANIFEST_DIR:-none}" >> "$BENCH_RUSTC_LOG"
exit "$status"
