#!/bin/sh
# Runs targets of the crate `fuzz` under libFuzzer, one after the other: FUZZ_SECONDS each (180), FUZZ_TARGETS of them (all).
# A stable toolchain suffices: rustc hands LLVM's coverage instrumentation through. What libFuzzer learns stays in
# .cache/fuzz/TARGET; an input that breaks a law is kept in .cache/fuzz/found, and this ends with 1.
set -eu
cd "$(dirname "$0")/../.."
cargo=${CARGO:-cargo}
seconds=${FUZZ_SECONDS:-180}
cache=.cache/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
all=$(sed -n 's/^    \([a-z_]*\) [0-9_]* [0-9_]*,$/\1/p' fuzz/src/target.rs)
targets=${FUZZ_TARGETS:-$all}

# With --target the flags are not those of build scripts, which link no libFuzzer.
flags="--cfg fuzzing -Cdebug-assertions -Ccodegen-units=1 -Cpasses=sancov-module"
for option in level=4 inline-8bit-counters pc-table trace-compares; do
    flags="$flags -Cllvm-args=-sanitizer-coverage-$option"
done
RUSTFLAGS="$flags" "$cargo" build --release --locked --target "$host" --target-dir target/fuzz -p fuzz \
    --features libfuzzer --bin libfuzzer

mkdir -p "$cache/found"
broken=""
for target in $targets; do
    echo "== $target: $seconds s"
    mkdir -p "$cache/$target" "$cache/seeds/$target"
    dictionary=fuzz/dictionaries/$target.txt
    HIGHWATER_FUZZ_TARGET=$target HIGHWATER_FUZZ_SEEDS=$cache/seeds/$target \
        "target/fuzz/$host/release/libfuzzer" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 \
        -use_value_profile=1 -print_final_stats=1 -artifact_prefix="$cache/found/$target-" \
        $([ -f "$dictionary" ] && echo "-dict=$dictionary") \
        "$cache/$target" "$cache/seeds/$target" 2>"$cache/$target.log" || broken="$broken $target"
    grep -E '^(thread|assertion|  left| right|==.*ERROR|stat::(number_of_executed|peak)|.*(panicked|Test unit written))' \
        "$cache/$target.log" || true
    grep -E ' cov: ' "$cache/$target.log" | tail -n 1
done
if [ -n "$broken" ]; then
    echo "broken:$broken; the inputs are in $cache/found, the whole logs in $cache/TARGET.log" >&2
    exit 1
fi
