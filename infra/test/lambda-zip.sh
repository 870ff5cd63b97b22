#!/usr/bin/env bash
# Packs the workspace's own build of the Lambda as the template takes it: target/tests/lambda.zip. What is deployed for real
# is made by cargo-lambda (`make lambda`) and tested by `make release-check`. Usage: lambda-zip.sh PYTHON
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(infra/test/built.sh lambda-indexer)
exec "$1" - "$program" target/tests/lambda.zip <<'PYTHON'
import os, sys, zipfile
program, zip = sys.argv[1:]
bootstrap = zipfile.ZipInfo("bootstrap")
bootstrap.external_attr = 0o755 << 16
bootstrap.compress_type = zipfile.ZIP_DEFLATED
with zipfile.ZipFile(zip + ".new", "w", compresslevel=1) as made, open(program, "rb") as file:
    made.writestr(bootstrap, file.read())
os.replace(zip + ".new", zip)
PYTHON
