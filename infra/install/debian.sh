#!/usr/bin/env bash
# Installs Debian packages. Usage: debian.sh PACKAGE...
# Where another process holds a lock of apt's or dpkg's, as on a new cloud machine in its first minutes, it waits for its
# turn and says so: APT_PATIENCE seconds (900), looking every APT_PAUSE (3). It never takes a lock away.
set -euo pipefail
patience=${APT_PATIENCE:-900}
pause=${APT_PAUSE:-3}

if [ "$(id -u)" != 0 ]; then
    echo "missing: $*: install these Debian packages (apt-get install $*), or run as root" >&2
    exit 1
fi

said=$(mktemp)
trap 'rm -f "$said"' EXIT

# apt's own words, in every version since 1.9, of a lock that is held: of the lists, the archives, or dpkg.
is_held() {
    ! grep -q 'Could not open lock file' "$said" && grep -qE 'Could not get lock|Unable to (acquire the dpkg frontend lock|lock directory|lock the administration directory)' "$said"
}

# One step of apt-get, again and again while somebody else has the lock.
apt() {
    local waited=0
    until LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get "$@" >"$said" 2>&1; do
        if ! is_held; then
            cat "$said" >&2
            echo "installing $packages: apt-get $1 failed (its words are above): mend that, or install them by hand" >&2
            exit 1
        fi
        if [ "$waited" -ge "$patience" ]; then
            cat "$said" >&2
            echo "installing $packages: another process has held apt's lock for $patience s: wait until it ends, and run this again" >&2
            exit 1
        fi
        if [ "$waited" = 0 ]; then
            echo "installing $packages: waiting for another process that installs packages: $(grep -m1 -E 'lock' "$said")" >&2
        fi
        sleep "$pause"
        waited=$((waited + pause))
    done
}

packages=$*
apt update -qq
apt install -y -qq --no-install-recommends "$@"
