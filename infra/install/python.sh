#!/usr/bin/env bash
# Makes a Python environment of the project's own from pinned requirements. Usage: python.sh FOLDER REQUIREMENTS
# [OPTIONS OF PIP...]
set -euo pipefail
folder=$1
requirements=$2
shift 2
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    "$(dirname "$0")/debian.sh" python3 python3-venv
fi
rm -rf "$folder"
python3 -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes "$@" -r "$requirements"
