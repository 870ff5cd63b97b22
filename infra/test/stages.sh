# Stages of a long command: each is timed, and one that fails says so with what to do. To be sourced.
# The table in the end has the seconds on the wall and those of processors, children included.
stages=()
failed=()
started=$(date +%s)
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
# What goes on beside ends with whoever ends this.
trap 'kill $(jobs -p) 2>/dev/null; wait; exit 130' INT TERM
rm -f target/tests/slowest

# stage NAME ADVICE COMMAND...: runs it now.
stage() {
    local name=$1 advice=$2
    shift 2
    echo "== $name"
    timed "$name" "$@"
    ended "$name" "$advice"
}

# beside NAME ADVICE COMMAND...: begins it; `joined NAME` waits for its end.
beside() {
    local name=$1 advice=$2
    shift 2
    timed "$name" "$@" &
    echo "$! $advice" >"$results/$name.beside"
}

joined() {
    local process advice
    read -r process advice <"$results/$1.beside"
    wait "$process"
    rm -f "$results/$1.beside"
    ended "$1 (beside others)" "$advice" "$1"
}

# Runs a command; leaves its status and its times.
timed() {
    local name=$1 TIMEFORMAT='%R %U %S' status
    shift
    {
        time {
            "$@" 2>&3
            status=$?
        }
    } 3>&2 2>"$results/$name.times"
    echo "$status" >"$results/$name.status"
    return "$status"
}

# ended TOLD ADVICE [NAME]: adds its row, and says when it failed.
ended() {
    local told=$1 advice=$2 name=${3:-$1} status
    status=$(cat "$results/$name.status")
    stages+=("$told|$(tail -n 1 "$results/$name.times")|$status")
    [ "$status" = 0 ] && return 0
    failed+=("$told")
    echo "FAILED: $told ended with $status: $advice" >&2
    return 1
}

# bound NAME: a number of infra/test/bounds.
bound() {
    sed -n "s/^$1 \([0-9]*\)\( .*\)\?$/\1/p" infra/test/bounds
}

# The table, and the end of the whole.
stop() {
    local row told times status name
    # What goes on beside is waited for: it must not write where the next run does.
    for name in "$results"/*.beside; do
        [ -e "$name" ] && name=$(basename "$name" .beside) && joined "$name"
    done
    printf '\n%-40s %8s %8s\n' stage seconds CPU
    for row in "${stages[@]}"; do
        IFS='|' read -r told times status <<<"$row"
        awk -v told="$told" -v times="$times" -v status="$status" 'BEGIN {
            split(times, t, " ")
            printf "%-40s %8.0f %8.0f%s\n", told, t[1], t[2] + t[3], status == 0 ? "" : "  FAILED"
        }'
    done
    printf '%-40s %8.0f\n' "all of it" "$(($(date +%s) - started))"
    [ -f target/tests/slowest ] && cat target/tests/slowest
    if [ ${#failed[@]} -gt 0 ]; then
        printf 'FAILED: %s\n' "${failed[@]}" >&2
        exit 1
    fi
    exit 0
}
