#!/bin/sh
# Make this checkout ready: system packages, a virtual environment in .venv, the locked requirements.
#
#   deploy/setup.sh run   what Jarvis needs
#   deploy/setup.sh dev   that, and what its tests and checks need
#   deploy/setup.sh real  that, and the programs that make backups, for `make test-real`
#
# Says nothing and touches no network when all is there. PYTHON names the interpreter (3.11 or newer).
# System packages are installed when that needs no password; otherwise the one line to type is printed.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
die() { say "$@"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# ── Python ──────────────────────────────────────────────────────────────────────────────────────────────────────────

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        new_enough "$PYTHON" || die "PYTHON=$PYTHON is not a Python 3.11 or newer that runs."
        printf '%s\n' "$PYTHON"
        return
    fi
    for candidate in python3.13 python3.12 python3.11 python3; do
        if have "$candidate" && new_enough "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    die "Jarvis needs Python 3.11 or newer and found none. Install one, or name it: make run PYTHON=/path/to/python3"
}

# ── system packages ─────────────────────────────────────────────────────────────────────────────────────────────────

has_library() { "$1" -c "import ctypes.util, sys; sys.exit(ctypes.util.find_library('$2') is None)" 2>/dev/null; }

venv_package() {
    "$1" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])'
}

# Sets $needed (Jarvis cannot do without) and $wanted (sound from this machine), as Debian names them.
look_on_linux() {
    # A virtual environment that is there already has no more need of venv.
    [ -x .venv/bin/pip ] || "$python" -c 'import ensurepip' >/dev/null 2>&1 || needed="$needed $(venv_package "$python")"
    have restic || needed="$needed restic"
    has_library "$python" gomp || needed="$needed libgomp1"
    has_library "$python" portaudio || wanted="$wanted libportaudio2"
    if [ "$what" != run ]; then # tests look over processes' shoulders and cut them off the network
        have strace || needed="$needed strace"
        have ip || needed="$needed iproute2"
        look_for_clips
    fi
    [ "$what" != real ] || look_for_backup_programs
    [ "$what" != real ] || look_for_alert_programs
    [ "$what" != real ] || look_for_machine_programs
    [ "$what" != real ] || look_for_systemd_programs
    [ "$what" != real ] || look_for_sound_programs
    [ "$what" != real ] || have caddy || needed="$needed caddy"          # runs deploy/caddy in tests/real/trust
    [ "$what" != real ] || have chromium || needed="$needed chromium" # opens the web page in tests/real/page
}

# What makes and proves backups in tests/real/backups: the tests start servers of their own, in temporary folders.
look_for_backup_programs() {
    have borg || needed="$needed borgbackup"
    have rclone || needed="$needed rclone"
    have rsync || needed="$needed rsync"
    have ssh || needed="$needed openssh-client"
    [ -x "${SBIN_DIR:-/usr/sbin}/sshd" ] || needed="$needed openssh-server"
    have psql || needed="$needed postgresql-client"
    set -- "${LIB_DIR:-/usr/lib}"/postgresql/*/bin/initdb
    [ -x "$1" ] || needed="$needed postgresql"
    have mariadb-dump || needed="$needed mariadb-client"
    [ -x "${SBIN_DIR:-/usr/sbin}/mariadbd" ] || needed="$needed mariadb-server"
    have git || needed="$needed git"
    have sqlite3 || needed="$needed sqlite3"
    have unzip || needed="$needed unzip"
}

# What raises alerts in tests/real/alerts: the tests start each on loopback, with a configuration of their own.
look_for_alert_programs() {
    have prometheus || needed="$needed prometheus"
    have prometheus-alertmanager || needed="$needed prometheus-alertmanager"
    have prometheus-node-exporter || needed="$needed prometheus-node-exporter"
    have prometheus-blackbox-exporter || needed="$needed prometheus-blackbox-exporter"
    [ -x "${SBIN_DIR:-/usr/sbin}/upsd" ] || needed="$needed nut-server"
    have upsrw || needed="$needed nut-client"
}

# What runs virtual machines in tests/real/vms: a daemon of the tests' own, guests under QEMU (deploy/real.sh fetches them).
look_for_machine_programs() {
    lib=${LIB_DIR:-/usr/lib}
    [ -e "$lib/python3/dist-packages/libvirt.py" ] || needed="$needed python3-libvirt"
    [ -x "${SBIN_DIR:-/usr/sbin}/libvirtd" ] || needed="$needed libvirt-daemon"
    set -- "$lib"/*/libvirt/connection-driver/libvirt_driver_qemu.so
    [ -e "$1" ] || needed="$needed libvirt-daemon-driver-qemu"
    have virsh || needed="$needed libvirt-clients"
    have qemu-system-x86_64 || needed="$needed qemu-system-x86"
    have qemu-img || needed="$needed qemu-utils"
}

# What boots a systemd of its own in tests/real/engines (deploy/real.sh makes its root).
look_for_systemd_programs() {
    [ -x "${SBIN_DIR:-/usr/sbin}/debootstrap" ] || needed="$needed debootstrap"
    have systemd-nspawn || needed="$needed systemd-container"
}

# What plays and records in tests/real/test_echo.py: a sound server of its own, without a sound card.
look_for_sound_programs() {
    have pulseaudio || needed="$needed pulseaudio"
    set -- "${LIB_DIR:-/usr/lib}"/*/alsa-lib/libasound_module_pcm_pulse.so
    [ -e "$1" ] || needed="$needed libasound2-plugins"
}

# What the clips of the voice benchmark are made of (jarvis bench clips): synthesizers, their voices, recordings.
look_for_clips() {
    share=${SHARE_DIR:-/usr/share}
    have flite || needed="$needed flite"
    have espeak-ng || needed="$needed espeak-ng"
    have text2wave || needed="$needed festival"
    while read -r package path; do
        [ -e "$share/$path" ] || needed="$needed $package"
    done <<END
festvox-kallpc16k festival/voices/english/kal_diphone
festvox-us-slt-hts festival/voices/us/cmu_us_slt_arctic_hts
pocketsphinx-testdata pocketsphinx/test/data
asterisk-core-sounds-en doc/asterisk-core-sounds-en
asterisk-core-sounds-en-g722 asterisk/sounds/en_US_f_Allison
asterisk-moh-opsound-g722 asterisk/moh
sound-theme-freedesktop sounds/freedesktop
sound-icons sounds/sound-icons
mate-media-common sounds/mate
END
}

# The command that installs without asking for a password, or nothing.
root_prefix() {
    if [ "$(id -u)" = 0 ]; then
        printf 'env'
    elif have sudo && sudo -n true >/dev/null 2>&1; then
        printf 'sudo -n env'
    fi
}

# RUNLEVEL=1: no service that a package brings is started for it.
install_on_debian() {
    line="apt-get update && apt-get install -y --no-install-recommends$needed$wanted"
    prefix=$(root_prefix)
    if [ -n "$prefix" ]; then
        say "Installing system packages:$needed$wanted"
        # shellcheck disable=SC2086  # the words are meant to be split
        if $prefix DEBIAN_FRONTEND=noninteractive apt-get update -q >&2 </dev/null &&
            $prefix RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $needed $wanted >&2 </dev/null; then
            return
        fi
    fi
    # shellcheck disable=SC2086
    tell "sudo sh -c '$line'" $needed
}

# Print the one line; stop when it is about something that Jarvis cannot do without.
tell() {
    line=$1
    shift
    if [ $# -gt 0 ]; then
        say "Jarvis needs system packages that may not be installed from here: $*"
        say "Type this line, then run make again:"
        say "  $line"
        exit 1
    fi
    say "No sound from this machine without$wanted; everything else works. To have it, type:"
    say "  $line"
}

system_packages() {
    needed=""
    wanted=""
    case "$(uname -s)" in
    Darwin)
        have restic && return 0
        have brew || die "Jarvis needs restic. Install Homebrew, type this line, then run make again:" "brew install restic"
        say "Installing restic with Homebrew"
        HOMEBREW_NO_AUTO_UPDATE=1 brew install restic >&2 </dev/null || tell "brew install restic" restic
        ;;
    *)
        look_on_linux
        [ -n "$needed$wanted" ] || return 0
        if have apt-get; then
            install_on_debian
        else
            # shellcheck disable=SC2086
            tell "install with your package manager (Debian's names):$needed$wanted" $needed
        fi
        ;;
    esac
}

# ── the environment ─────────────────────────────────────────────────────────────────────────────────────────────────

# The stamp's name holds what was installed: another lock, other entry points, and it is done again.
stamp_of() { printf '%s' ".venv/.$1-$(cat "requirements/$1.txt" pyproject.toml | cksum | tr ' ' '-')"; }

install_requirements() {
    what=$1
    [ ! -e "$(stamp_of "$what")" ] || return 0
    if ! .venv/bin/python -c '' >/dev/null 2>&1; then
        say "Creating .venv with $("$python" --version)"
        "$python" -m venv --clear .venv
    fi
    say "Installing the locked requirements ($what)"
    pip="env PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip install --quiet --no-input --no-deps"
    $pip --require-hashes -r "requirements/$what.txt" >&2 </dev/null
    $pip --no-build-isolation -e . >&2 </dev/null
    rm -f .venv/.run-* ".venv/.$what-"*
    : >"$(stamp_of "$what")"
    : >"$(stamp_of run)" # dev.txt holds all of run.txt
}

what=${1:-run}
case "$what" in
run | dev | real) ;;
*) die "usage: deploy/setup.sh [run|dev|real]" ;;
esac
python=$(find_python)
system_packages
case "$what" in
real) install_requirements dev ;;
*) install_requirements "$what" ;;
esac
