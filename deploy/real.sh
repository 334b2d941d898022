#!/bin/sh
# Install the outside programs of `make test-real` into .real: Node and the MCP Inspector, borgmatic, a Home Assistant,
# the Wyoming servers that it hears and speaks with, and a Wyoming satellite; all pinned by hash (deploy/real/lock.sh);
# and from Debian's packages, unpacked and not installed, a kernel and busybox for the smallest virtual machine, a
# Docker engine, and a small Debian with systemd. Says nothing and touches no network when they are there. Needs .venv
# (deploy/setup.sh dev). Some 600 MB to fetch, 2.2 GB on disk, four minutes.
#
# Node comes as a wheel, so that no system package and no particular npm is needed; ffmpeg, which Home Assistant makes
# its mp3 with, does as well.
set -eu
cd "$(dirname "$0")/.."

locks=deploy/real
mkdir -p .real

# The stamp's name holds what was installed: another lock, and that part is done again.
stamp_of() {
    part=$1
    shift
    printf '%s' ".real/.$part-$(cat "$@" | cksum | tr ' ' '-')"
}

# fresh STAMP FOLDER...: whether the part has to be installed; if so, what is left of an older one is gone.
fresh() {
    stamp=$1
    shift
    [ ! -e "$stamp" ] || return 1
    rm -rf "$@" "${stamp%%-[0-9]*}"-[0-9]*
}

# pip_into FOLDER LOCK [PYTHON]: a virtual environment with what the lock says. What is source only is built with what
# stands in it.
pip_into() {
    [ -x "$1/bin/python" ] || "${3:-.venv/bin/python}" -m venv "$1"
    PIP_DISABLE_PIP_VERSION_CHECK=1 "$1/bin/python" -m pip install --quiet --no-input --no-deps --require-hashes \
        --no-build-isolation -r "$2" >&2 </dev/null
}

inspector() {
    fresh "$1" .real/python .real/node_modules .real/package.json .real/package-lock.json .real/.npmrc || return 0
    echo "Installing Node and the MCP Inspector into .real" >&2
    pip_into .real/python "$locks/requirements.txt"
    cp "$locks/package.json" "$locks/package-lock.json" "$locks/.npmrc" .real/
    (PATH="$PWD/.real/python/bin:$PATH" && cd .real && npm ci --no-progress >&2 </dev/null)
    : >"$1"
}

wyoming() {
    fresh "$1" .real/wyoming || return 0
    echo "Installing the Wyoming servers into .real" >&2
    pip_into .real/wyoming "$locks/wyoming.txt"
    : >"$1"
}

satellite() {
    fresh "$1" .real/satellite || return 0
    echo "Installing wyoming-satellite into .real" >&2
    pip_into .real/satellite "$locks/satellite.txt"
    : >"$1"
}

borgmatic() {
    fresh "$1" .real/borgmatic || return 0
    echo "Installing borgmatic into .real" >&2
    pip_into .real/borgmatic "$locks/borgmatic.txt"
    : >"$1"
}

otel() {
    fresh "$1" .real/otel || return 0
    echo "Installing OpenTelemetry's SDK into .real" >&2
    pip_into .real/otel "$locks/otel.txt"
    : >"$1"
}

home_assistant() {
    fresh "$1" .real/home-assistant || return 0
    echo "Installing Home Assistant into .real" >&2
    pip_into .real/home-assistant "$locks/build.txt" "$home_python"
    pip_into .real/home-assistant "$home_lock"
    : >"$1"
}

# apt checks what it downloads; nothing of it is installed on this machine.
guest() {
    fresh "$1" .real/guest || return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "The tests' virtual machine comes from Debian packages, and there is no apt here." >&2
        return 0
    fi
    echo "Fetching a kernel and busybox for a virtual machine into .real" >&2
    mkdir -p .real/guest
    kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: //p' | head -n 1)
    (cd .real/guest && apt-get download -q "$kernel" busybox-static >&2 </dev/null)
    for package in .real/guest/*.deb; do
        dpkg-deb -x "$package" .real/guest
        rm "$package"
    done
    : >"$1"
}

# A Docker engine, unpacked and not installed: nothing of it runs but what a test starts. apt checks the signatures.
# A small Debian that systemd-nspawn boots: from the mirror and of the release that apt has. As root.
systemd_root() {
    fresh "$1" .real/systemd || return 0
    if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
        echo "The tests' systemd comes from Debian packages: it takes apt, and root." >&2
        return 0
    fi
    echo "Making a small Debian with systemd in .real" >&2
    read -r mirror suite <<END
$(apt-get indextargets --format '$(SITE) $(CODENAME)' 'Created-By: Packages' | head -n 1)
END
    # python3 and what Jarvis' own libraries link to: tests/real/trust runs this checkout in it.
    debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,python3,libgomp1,libportaudio2,restic \
        "$suite" "$PWD/.real/systemd" "$mirror" >&2 </dev/null
    rm -rf .real/systemd/var/cache/apt .real/systemd/var/lib/apt/lists
    : >"$1"
}

docker_engine() {
    fresh "$1" .real/docker || return 0
    echo "Unpacking a Docker engine into .real" >&2
    mkdir -p .real/docker/packages
    (
        cd .real/docker/packages
        # shellcheck disable=SC2046  # one word a line
        set -- $(cat "../../../$locks/docker.txt")
        apt-get -q download "$@" >&2 || { apt-get -q update >&2 && apt-get -q download "$@" >&2; }
        for package in *.deb; do dpkg -x "$package" ..; done
    )
    rm -r .real/docker/packages
    : >"$1"
}

# The newest Home Assistant that a Python at hand allows: each wants its own. What the one for 3.13 listens with comes
# as source only and needs a C++ compiler.
python_for() {
    [ "$1" != 3.13 ] || command -v c++ >/dev/null 2>&1 || return 1
    for candidate in .venv/bin/python "$(command -v "python$1" || :)" \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python; do
        if [ "$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$1" ]; then
            printf '%s' "$candidate"
            return
        fi
    done
    return 1
}

home_python=""
for version in 3.13 3.11; do
    if home_python=$(python_for "$version"); then
        break
    fi
done
if [ -z "$home_python" ]; then
    echo "No Python here can run one of the Home Assistants that are locked: install Python 3.11." >&2
    exit 1
fi
home_lock="$locks/home-assistant-$version.txt"

inspector "$(stamp_of inspector $locks/requirements.txt $locks/package-lock.json)"
wyoming "$(stamp_of wyoming $locks/wyoming.txt)"
satellite "$(stamp_of satellite $locks/satellite.txt)"
borgmatic "$(stamp_of borgmatic $locks/borgmatic.txt)"
otel "$(stamp_of otel $locks/otel.txt)"
guest ".real/.guest-1"
home_assistant "$(stamp_of home-assistant $locks/build.txt "$home_lock")"
systemd_root ".real/.systemd-2"
docker_engine "$(stamp_of docker $locks/docker.txt)"
