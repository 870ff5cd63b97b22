#!/usr/bin/env bash
# Runs tests again and again beside other work: installs and builds as `make test` does, then goes on with the tally in
# target/flaky. Arguments go to `flaky`.
set -euo pipefail
cd "$(dirname "$0")/../.."
"${MAKE:-make}" --no-print-directory python browser postgres localstack
infra/test/build.sh
infra/test/lambda-zip.sh "$PYTHON"
RUNNER=flaky exec infra/test/tests.sh "$@"
