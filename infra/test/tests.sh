#!/usr/bin/env bash
# Runs the test executables that target/tests/built.json names, or what BUILT names, with what `make test` has installed for them. Further
# arguments go to `run-tests`.
set -euo pipefail
cd "$(dirname "$0")/../.."
runner=${RUNNER:-run-tests}
program=$(infra/test/built.sh "$runner")
export HIGHWATER_POSTGRES=${HIGHWATER_POSTGRES-required}
[ -x .cache/python/bin/python ] && export HIGHWATER_PYTHON=$PWD/.cache/python/bin/python
[ -d .cache/web-client/node_modules ] && export HIGHWATER_WEB_MODULES=$PWD/.cache/web-client/node_modules
[ -d .cache/localstack/python ] && export HIGHWATER_LOCALSTACK=${HIGHWATER_LOCALSTACK-required}
export HIGHWATER_LAMBDA_ZIP=${HIGHWATER_LAMBDA_ZIP-$PWD/target/tests/lambda.zip}
exec "$program" "${BUILT:-target/tests/built.json}" "$@"
