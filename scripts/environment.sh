#!/bin/sh
# Make .venv from requirements.lock, with uv when it is there and with nothing but Python when it is not.
#
# The lock names every distribution with its hashes and no address: where packages come from is this machine's
# configuration. PYTHON=/path/to/python chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."

OLDEST="3.11"
is_recent='import sys; sys.exit(sys.version_info < (3, 11))'

interpreter() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
        if command -v "$candidate" >/dev/null 2>&1 && "$candidate" -c "$is_recent" >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
    {
        echo "error: dataos-dagster needs Python $OLDEST or newer, and none is on the PATH."
        echo "  found: $(python3 --version 2>&1 || echo 'no python3 at all')"
        echo "  hint: install one, or name it: make PYTHON=/path/to/python3.12 demo"
    } >&2
    return 1
}

# uv comes from the lock like everything else; pip, which every Python brings, is only used to get it.
install_uv() {
    if ! "$1" -m venv .venv >/dev/null 2>&1; then
        {
            echo "error: '$1 -m venv' does not work here, and uv is not installed."
            echo "  hint: install uv, or the venv module (on Debian and Ubuntu: apt install python3-venv)"
        } >&2
        return 1
    fi
    pinned="$(mktemp)"
    awk '/^uv==/ {keep = 1} keep {print} keep && !/\\$/ {exit}' requirements.lock >"$pinned"
    .venv/bin/python -m pip install --quiet --require-hashes --no-deps -r "$pinned"
    rm -f "$pinned"
}

python="$(interpreter)"
if [ -x .venv/bin/python ] && ! .venv/bin/python -c "$is_recent" >/dev/null 2>&1; then
    rm -rf .venv # its interpreter is gone or was too old
fi
if command -v uv >/dev/null 2>&1; then
    uv=uv
    [ -x .venv/bin/python ] || uv venv --quiet --no-python-downloads --python "$python" .venv
else
    uv=.venv/bin/uv
    [ -x "$uv" ] || install_uv "$python"
fi

[ -e .venv/.installed ] || echo "Installing into .venv (about 1.7 GB, a minute or two) ..."
"$uv" pip install --quiet --python .venv/bin/python --require-hashes -r requirements.lock
"$uv" pip install --quiet --python .venv/bin/python --no-deps --editable .
touch .venv/.installed
