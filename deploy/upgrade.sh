#!/bin/sh
# Another version of this checkout for the service of this machine: the state is backed up, the version fetched and
# installed, the service started with it; when it does not come up, everything goes back to how it was.
#
#   deploy/upgrade.sh v0.2.0        a tag, branch or commit
#
# BACKUPS names the folder for the state's backup (the folder above this checkout is the default). Uses sudo for a system
# unit, where it is not root itself. Exit code 0: the new version runs; 1: the old one runs again; 2: nothing was done.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
die() { say "$@"; exit 2; }

[ $# = 1 ] || die "usage: deploy/upgrade.sh VERSION"
version=$1
jarvis=$PWD/.venv/bin/jarvis

if [ -e "${SYSTEM_UNITS:-/etc/systemd/system}/jarvis.service" ]; then
    unit=${SYSTEM_UNITS:-/etc/systemd/system}/jarvis.service
    manage() { privileged systemctl "$@"; }
    privileged() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
elif [ -e "$HOME/.config/systemd/user/jarvis.service" ]; then
    unit=$HOME/.config/systemd/user/jarvis.service
    manage() { systemctl --user "$@"; }
    privileged() { "$@"; }
else
    die "There is no unit of \`jarvis service install\` here. Without a service: \`jarvis state backup\`, then \`git checkout\`, \`make setup\`."
fi
named() { sed -n "s/^Environment=\"\{0,1\}$1=\([^\"]*\)\"\{0,1\}\$/\1/p" "$unit"; }
state=$(named JARVIS_STATE)
config=$(named JARVIS_CONFIG)
models=$(named JARVIS_MODELS)
[ -n "$state" ] || die "$unit names no state folder: write it anew with \`jarvis service install\`."

# What root writes into the folder of the service's user has to be that user's.
with_state() {
    privileged env "JARVIS_STATE=$state" ${config:+"JARVIS_CONFIG=$config"} ${models:+"JARVIS_MODELS=$models"} "$jarvis" "$@"
}
hand_over() {
    privileged chown -R --reference="$state/" "$state/"
}

[ -z "$(git status --porcelain --untracked-files=no)" ] || die "This checkout has changes that are not committed; nothing was done."
old=$(git rev-parse HEAD)
git fetch --quiet --tags || die "The new version cannot be fetched; nothing was done."
new=$(git rev-parse --verify --quiet "$version^{commit}") || die "There is no version $version; nothing was done."
[ "$new" != "$old" ] || die "$version is what is here."

backup=${BACKUPS:-$(dirname "$PWD")}/jarvis-state-before-$(git rev-parse --short "$new")-$(date +%Y%m%dT%H%M%S).tar.gz
with_state state backup "$backup" || die "The state cannot be backed up; nothing was done."
say "The state is in $backup."

back() {
    say "$1 Going back."
    manage stop jarvis.service || :
    git checkout --quiet --detach "$old"
    deploy/setup.sh run
    # Only where the new version has migrated the database there is a copy to go back to.
    with_state state rollback >&2 || say "The database is as it is."
    hand_over
    manage reset-failed jarvis.service || :
    if manage start jarvis.service; then
        say "The old version runs again. Its state from before is in $backup, too."
    else
        say "The old version does not start either: \`jarvis service logs\`. The state from before is in $backup."
    fi
    exit 1
}

git checkout --quiet --detach "$new"
deploy/setup.sh run || back "The new version cannot be installed."
"$jarvis" version >&2 || back "The new version does not run."
with_state models pull >&2 || back "Its models cannot be pulled."
! grep -q '^DynamicUser=yes' "$unit" || privileged chmod -R a+rX "$models"
manage restart jarvis.service || back "The new version does not start." # returns when it answers (Type=notify)
say "The new version runs. How to go back later stands in docs/operation.md; the version before was $old."
