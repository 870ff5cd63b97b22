#!/usr/bin/env bash
# Makes a Python environment of the project's own from pinned requirements. Usage: python.sh FOLDER REQUIREMENTS
# [OPTIONS OF PIP...]
set -euo pipefail
folder=$1
requirements=$2
shift 2
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" != 0 ]; then
        echo "python3 with venv is missing: install Debian's python3-venv, or run as root" >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3 python3-venv >/dev/null
fi
rm -rf "$folder"
python3 -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes "$@" -r "$requirements"
