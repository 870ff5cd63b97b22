#!/usr/bin/env bash
# Installs Debian's Chromium, its driver, node and what else the tests of the page run, where they are missing.
set -euo pipefail
missing=()
command -v chromium >/dev/null || missing+=(chromium fonts-dejavu-core)
command -v chromedriver >/dev/null || missing+=(chromium-driver)
command -v node >/dev/null || missing+=(nodejs)
command -v openssl >/dev/null || missing+=(openssl)
command -v zstd >/dev/null || missing+=(zstd)
[ ${#missing[@]} = 0 ] || "$(dirname "$0")/debian.sh" "${missing[@]}"
