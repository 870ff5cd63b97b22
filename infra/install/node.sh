#!/usr/bin/env bash
# Installs packages of npm into a folder of the project's own, as a lock file pins them, and runs none of their scripts.
# Usage: node.sh FOLDER FOLDER_OF_LOCK_FILE
set -euo pipefail
folder=$1
lock=$2
if ! command -v npm >/dev/null; then
    "$(dirname "$0")/debian.sh" npm
fi
rm -rf "$folder"
mkdir -p "$folder"
cp "$lock/package.json" "$lock/package-lock.json" "$folder"
npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel error
