#!/bin/sh
# Resolve each tool into its hashed, universal lock beside this script, at the versions of dev.txt where it has them.
# Needs uv (`pip install uv`).
set -eu
cd "$(dirname "$0")/../.."
compile() {
    echo "$2" | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-header --constraint requirements/dev.txt --output-file "requirements/tools/$1.txt" -
}
compile mutmut "mutmut>=3.8,<4"
compile pip-audit "pip-audit>=2.10,<3"
compile cyclonedx "cyclonedx-python-lib[json-validation]>=11,<12"
compile atheris "atheris>=3,<3.1" # 3.1 has no wheel for 3.11
