#!/usr/bin/env bash
# Installs Debian's PostgreSQL, and openssl, for the tests of what several processes share, where they are missing. The
# tests make servers of their own and do not use the one that Debian may start.
set -euo pipefail
missing=()
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
command -v openssl >/dev/null || missing+=(openssl)
[ ${#missing[@]} = 0 ] || "$(dirname "$0")/debian.sh" "${missing[@]}"
