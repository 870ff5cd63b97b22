#!/usr/bin/env bash
# Makes the Python environment of the tests on LocalStack: locked requirements and the executor that runs functions as
# processes. Usage: localstack.sh FOLDER. Where there is no CPython 3.11 on x86-64 Linux it says so and makes none: the
# tests leave out then what needs it.
set -euo pipefail
folder=$1
source=$(cd "$(dirname "$0")/../../tests/localstack" && pwd)
rm -rf "$folder"
mkdir -p "$folder"
python=$(command -v python3.11 || true)
if [ -z "$python" ] || [ "$(uname -sm)" != "Linux x86_64" ] || ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "left out: the tests on LocalStack need CPython 3.11 with venv on x86-64 Linux" >&2
    exit 0
fi
"$python" -m venv "$folder/python"
pip=("$folder/python/bin/python" -m pip --quiet --disable-pip-version-check install)
# Three requirements have no wheel: they are built by the pinned setuptools, not by whatever is newest.
grep '^setuptools==' "$source/requirements.txt" >"$folder/setuptools.txt"
"${pip[@]}" --require-hashes -r "$folder/setuptools.txt"
"${pip[@]}" --require-hashes --no-build-isolation -r "$source/requirements.txt"
# From a copy, for setuptools builds beside the sources.
cp -r "$source/executor" "$folder/executor"
"${pip[@]}" --no-deps --no-index --no-build-isolation "$folder/executor"
