#!/usr/bin/env bash
# Installs Debian's nginx, the peer of `make bench`, where it is missing. Its service is not started. Where that cannot be
# done, the row that needs it is left out.
set -euo pipefail
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] && exit 0
if [ "$(id -u)" != 0 ]; then
    echo "missing: nginx: install this Debian package, or run as root; without it a row is left out" >&2
    exit 0
fi
# Debian starts a service as it installs it, unless this says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi
"$(dirname "$0")/debian.sh" nginx || echo "could not install nginx: a row is left out" >&2
