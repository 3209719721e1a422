#!/bin/sh
# By hand: the README's two commands on a machine with Python and nothing else, for a new user with an empty home.
# Makes a Debian in a folder (debootstrap), clones what is committed into it, and tries there, one after the other:
# bin/pianod; bin/test as a user who may install nothing; .ci/run as root, which installs. Needs root, a network, 4 GB;
# takes ten minutes and more, most of it pip and apt-get, with the whole suite twice as long again.
#   tests/fresh_machine.sh FOLDER [PYTEST-ARGUMENTS]   FOLDER must not exist; it is deleted at the end
#   FRESH_BIND="/some/wheels ..."               folders of this machine that its package index needs
set -eu
repository=$(cd "$(dirname "$0")/.." && pwd -P)
[ "$#" -ge 1 ] && [ ! -e "$1" ] || { sed -n '2,8s/^# //p' "$0"; exit 2; }
if [ -z "${FRESH_INSIDE:-}" ]; then  # mounts of our own, which end with us
    FRESH_INSIDE=1 exec unshare --mount "$0" "$@"
fi
place=$(realpath -m "$1")
shift
arguments=$*
clean_up() {
    for bound in proc dev ${FRESH_BIND:-}; do umount -R "$place/$bound" 2>/dev/null || true; done
    if grep -q " $place/" /proc/mounts; then  # nothing of this machine must be deleted with it
        echo "$place is left: something is still mounted in it" >&2
    else
        rm -rf --one-file-system "$place"
    fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

say() { printf '\n#### %s\n' "$*"; }

prepare() {
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$place" > "$place.log" 2>&1
    mount -t proc proc "$place/proc"
    mount --rbind /dev "$place/dev"
    mount -t tmpfs tmpfs "$place/dev/shm"  # its own: what JACK keeps there of other servers, eight at most, is not its own
    for bound in ${FRESH_BIND:-}; do
        mkdir -p "$place$bound"
        mount --bind -o ro "$bound" "$place$bound"
    done
    cp /etc/resolv.conf /etc/hosts "$place/etc/"
    cp /etc/ssl/certs/ca-certificates.crt "$place/etc/ssl/certs/"
    cp /etc/apt/apt.conf.d/* "$place/etc/apt/apt.conf.d/"
    for settings in pip.conf xdg/pip; do  # how this machine reaches its package index
        [ ! -e "/etc/$settings" ] || { mkdir -p "$place/etc/xdg" && cp -r "/etc/$settings" "$place/etc/$settings"; }
    done
    [ ! -e "$HOME/.config/pip/pip.conf" ] || cp "$HOME/.config/pip/pip.conf" "$place/etc/pip-of-the-user.conf"
    chroot "$place" useradd --create-home newcomer
    git clone --quiet --depth 1 "file://$repository" "$place/home/newcomer/pianod"
    chroot "$place" chown -R newcomer /home/newcomer
}

within() {  # $1: user, $2: command
    variables=$(env | sed -n "s/^\(PIP_[A-Z_]*\|SSL_CERT_FILE\)=\(.*\)/\1='\2'/p" | tr '\n' ' ')
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot "$place" su "$1" -s /bin/sh -c \
        "cd /home/newcomer/pianod && export PIP_CONFIG_FILE=/etc/pip-of-the-user.conf $variables && $2" </dev/null
}

expect() {  # $1: exit code, $2: words that must be said, the rest: user and command
    code=$1 words=$2 given=0
    shift 2
    say "$1: $2"
    within "$@" > "$place.said" 2>&1 || given=$?
    tail -25 "$place.said"
    [ "$given" = "$code" ] && grep -q -- "$words" "$place.said" && return 0
    say "WRONG: it ended with $given, not $code, or did not say: $words (all of it: $place.said)"
    exit 1
}

say "making $place"
prepare
play="bin/pianod --help >/dev/null; bin/pianod >said 2>&1 & until grep 'panel is at' said || ! kill -0 \$!; do sleep 1; done"
expect 0 "the panel is at" newcomer "$play; kill -TERM \$! && wait \$! && cat said && rm said"
expect 77 "sudo apt-get install" newcomer "bin/test $arguments"
expect 0 "All checks passed" root ".ci/run $arguments"
say "both commands work on a fresh machine"
