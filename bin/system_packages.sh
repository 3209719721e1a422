# Sourced by bin/test, which set `root`, and asked by bin/set_up.py. The packages themselves: system_packages.txt.
# Provides: missing_packages GROUP..., and install_packages PACKAGE..., which says what it does before it does it.

has_sign() {  # $1: a sign of the table
    case $1 in
        /*) [ -e "$1" ] ;;
        module:*) [ -n "${python:-}" ] && "$python" -c "import ${1#module:}" 2>/dev/null ;;
        library:*) [ -n "${python:-}" ] && "$python" -c 'import ctypes, sys
ctypes.CDLL(sys.argv[1])' "${1#library:}" 2>/dev/null ;;
        pkg-config:*) pkg-config --exists "${1#pkg-config:}" 2>/dev/null ;;
        header:*)
            [ -n "${python:-}" ] && "$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], sys.argv[1])))' "${1#header:}"
            ;;
        *)
            for program in $(printf '%s' "$1" | tr ',' ' '); do
                command -v "$program" >/dev/null 2>&1 && return 0
            done
            return 1
            ;;
    esac
}

# Print the packages of some groups that are not there. `python` is the Python to build with, where there is one.
missing_packages() {  # the groups, one word each
    while read -r group package sign _; do
        case " $* " in *" $group "*) has_sign "$sign" || printf '%s\n' "$package" ;; esac
    done < "$root/bin/system_packages.txt" | sed "s/@/$(version_of "${python:-}")/" | tr '\n' ' ' | sed 's/ $//'
}

version_of() {  # $1: a Python, or nothing
    [ -z "$1" ] || "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'
}

# A question may be asked where someone sits at a terminal.
may_ask() {
    [ -z "${CI:-}" ] && [ -t 0 ] && [ -t 2 ]
}

install_line() {  # the packages
    printf 'apt-get install --no-install-recommends %s' "$*"
}

# Install packages where that is allowed; where it is not, say the line to type and fail.
install_packages() {  # the packages, one word each
    if [ "${PIANOD_SETUP_SYSTEM:-yes}" = no ]; then
        echo "bin/test: not installed, as PIANOD_SETUP_SYSTEM=no asks: $*" >&2
        return 1
    fi
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "bin/test: missing: $*. Those are Debian's names, and there is no apt-get here; install them as this system" >&2
        echo "does, and call again. What each is for: bin/system_packages.txt" >&2
        return 1
    fi
    as_root=
    if [ "$(id -u)" != 0 ]; then
        as_root="sudo"
        may_ask || as_root="sudo -n"
        if ! command -v sudo >/dev/null 2>&1 || { ! may_ask && ! sudo -n true 2>/dev/null; }; then
            echo "bin/test: these packages are missing, and installing them needs root. The line to type, once:" >&2
            echo "    sudo $(install_line "$@")" >&2
            return 1
        fi
    fi
    log=$root/.venv.system.log
    echo "bin/test: installing what the tests need from the system:" >&2
    echo "    ${as_root:+$as_root }$(install_line "$@")" >&2
    : > "$log"
    # jackd2 asks whether it may use real-time priority; no question may stop an unattended run.
    echo "jackd2 jackd/tweak_rt_limits boolean false" | $as_root debconf-set-selections >> "$log" 2>&1 || true
    $as_root apt-get update -qq >> "$log" 2>&1 || true
    run_apt "$@" && return 0
    for package in "$@"; do  # one unknown name makes apt-get refuse them all
        run_apt "$package" || echo "bin/test: $package could not be installed; what apt-get said: $log" >&2
    done
}

run_apt() {  # the packages; another apt, such as one that updates the system by itself, is waited for
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
        install -y -qq --no-install-recommends "$@" </dev/null >> "$log" 2>&1
}
