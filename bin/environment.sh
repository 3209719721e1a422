# Sourced by the commands beside it, which set `root` to the folder of the clone.
# Provides: ensure_environment run|full, which makes or updates .venv where it has to; has_environment, find_python.

# What a finished environment was made of: a change of pyproject.toml or a moved clone asks for a new one.
fingerprint() {
    printf '%s %s\n' "$(cksum < "$root/pyproject.toml")" "$root"
}

stamp_is() {  # $1: run or full, $2: fingerprint
    [ -r "$root/.venv/.pianod-$1" ] && [ "$(cat "$root/.venv/.pianod-$1")" = "$2" ]
}

# Print the Python to build with: 3.12 or 3.11 if there is one, since MIDI comes ready-made for them, else 3.13.
find_python() {
    second_choice=
    for name in ${PIANOD_SETUP_PYTHON:+"$PIANOD_SETUP_PYTHON"} python3.12 python3.11 python3 python python3.13 \
        /opt/homebrew/bin/python3.12 /opt/homebrew/bin/python3.11
    do
        found=$(command -v "$name" 2>/dev/null) || continue
        version=$("$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        case $version in
            3.11 | 3.12) printf '%s\n' "$found"; return 0 ;;
            3.13) [ -n "$second_choice" ] || second_choice=$found ;;
        esac
    done
    [ -n "$second_choice" ] && printf '%s\n' "$second_choice"
}

has_environment() {  # $1: run or full
    expected=$(fingerprint)
    [ -x "$root/.venv/bin/python" ] || return 1
    stamp_is full "$expected" || { [ "$1" = run ] && stamp_is run "$expected"; }
}

ensure_environment() {  # $1: run or full
    if has_environment "$1"; then return 0; fi
    if ! python=$(find_python); then
        {
            echo "pianod needs Python 3.11, 3.12 or 3.13, and found none of them."
            echo "Install Python 3.12 (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.12;"
            echo "or from python.org), or name one: PIANOD_SETUP_PYTHON=/path/to/python3.12 $0"
        } >&2
        return 1
    fi
    "$python" "$root/bin/set_up.py" "$1" "$(fingerprint)"
}
