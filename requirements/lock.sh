#!/bin/sh
# Resolve pyproject.toml into hashed, universal requirement files. Needs uv (`pip install uv`).
set -eu
cd "$(dirname "$0")/.."
compile() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
        --override requirements/overrides.txt pyproject.toml --group build "$@"
}
compile -o requirements/run.txt
compile --group dev -o requirements/dev.txt
