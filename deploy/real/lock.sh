#!/bin/sh
# Resolve what deploy/real.sh installs with pip into hashed requirement files. Needs uv (`pip install uv`).
set -eu
cd "$(dirname "$0")"
compile() {
    uv pip compile --quiet --universal --python-version "$2" --generate-hashes --no-emit-index-url --no-header \
        --override overrides.txt "$1.in" -o "$1.txt"
}
compile build 3.11
compile wyoming 3.11
compile satellite 3.11
compile borgmatic 3.11
compile otel 3.11
compile home-assistant-3.11 3.11
compile home-assistant-3.13 3.13
