#!/bin/sh
# Install the outside programs of `make test-real` into .real: Node and the MCP Inspector, both pinned by hash.
# Says nothing and touches no network when they are there. Needs .venv (deploy/setup.sh dev).
#
# Node comes as a wheel, so that no system package and no particular npm is needed.
set -eu
cd "$(dirname "$0")/.."

stamp=".real/.ready-$(cat deploy/real/requirements.txt deploy/real/package-lock.json | cksum | tr ' ' '-')"
[ ! -e "$stamp" ] || exit 0

rm -rf .real
echo "Installing Node and the MCP Inspector into .real" >&2
.venv/bin/python -m venv .real/python
PIP_DISABLE_PIP_VERSION_CHECK=1 .real/python/bin/python -m pip install --quiet --no-input --no-deps --require-hashes \
    -r deploy/real/requirements.txt >&2 </dev/null
cp deploy/real/package.json deploy/real/package-lock.json deploy/real/.npmrc .real/
PATH="$PWD/.real/python/bin:$PATH"
(cd .real && npm ci --no-progress >&2 </dev/null)
: >"$stamp"
