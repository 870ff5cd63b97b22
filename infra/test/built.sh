#!/usr/bin/env bash
# Where a program lies that target/tests/built.json names, or what BUILT names. Usage: built.sh NAME
set -euo pipefail
cd "$(dirname "$0")/../.."
built=${BUILT:-target/tests/built.json}
path=$(sed -n "s/.*\"kind\":\[\"bin\"\].*\"name\":\"$1\".*\"test\":false.*\"executable\":\"\([^\"]*\)\".*/\1/p" "$built" | tail -n 1)
if [ -z "$path" ]; then
    echo "there is no $1 in $built: run \`make test\`, or infra/test/build.sh" >&2
    exit 1
fi
echo "$path"
