#!/bin/sh
# Install one tool of the trust table into an environment of its own, and print the path of its Python:
#
#   deploy/tool.sh mutmut | pip-audit | cyclonedx
#
# What is installed is locked by hash (requirements/tools/NAME.txt, made by requirements/tools/lock.sh). The tool does
# not get into .venv: nothing that Jarvis runs with is changed by it. With --beside it sees what is in .venv, after its
# own. Touches no network when it is there. Needs .venv (deploy/setup.sh dev).
set -eu
cd "$(dirname "$0")/.."

name=${1:?usage: deploy/tool.sh NAME [--beside]}
lock="requirements/tools/$name.txt"
[ -f "$lock" ] || { echo "There is no tool $name: the locks are $(ls requirements/tools)." >&2; exit 1; }
folder=".real/tools/$name"
stamp="$folder/.locked-$(cat "$lock" deploy/tool.sh | cksum | tr ' ' '-')"
python="$folder/bin/python"

if [ ! -e "$stamp" ] || ! "$python" -c '' >/dev/null 2>&1; then
    echo "Installing the locked $name" >&2
    rm -rf "$folder"
    .venv/bin/python -m venv "$folder"
    PIP_DISABLE_PIP_VERSION_CHECK=1 "$python" -m pip install --quiet --no-input --no-deps --require-hashes \
        -r "$lock" >&2 </dev/null
    : >"$stamp"
fi

if [ "${2:-}" = --beside ]; then
    # Behind its own: a .pth adds to the end of the path.
    .venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
        >"$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/beside.pth"
fi
printf '%s\n' "$PWD/$python"
