#!/usr/bin/env bash
# Installs Debian's PostgreSQL, and openssl, for the tests of what several processes share, where they are missing. The
# tests make servers of their own and do not use the one that Debian may start.
set -euo pipefail
missing=()
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
command -v openssl >/dev/null || missing+=(openssl)
[ ${#missing[@]} = 0 ] && exit 0
if [ "$(id -u)" != 0 ]; then
    echo "missing: ${missing[*]}: install these Debian packages, or run as root" >&2
    exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
