#!/bin/sh
# Install Open WebUI into .real/open-webui, for `make open-webui`: 2.9 GB, four minutes. Not part of `make test-real`.
# Needs .venv (deploy/setup.sh dev). torch comes first and by itself, so that a build for the CPU is taken where pip is
# offered one.
set -eu
cd "$(dirname "$0")/../../.."

version=0.12.4
folder=.real/open-webui
stamp=$folder/.installed-$version
[ ! -e "$stamp" ] || exit 0

echo "Installing Open WebUI $version into $folder (2.9 GB, four minutes)" >&2
rm -rf "$folder"
.venv/bin/python -m venv "$folder"
export PIP_DISABLE_PIP_VERSION_CHECK=1
"$folder/bin/python" -m pip install --quiet --no-input torch >&2 </dev/null
"$folder/bin/python" -m pip install --quiet --no-input "open-webui==$version" >&2 </dev/null
: >"$stamp"
