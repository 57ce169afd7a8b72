#!/bin/sh
# Puts mnistlab into .venv beside this file.
#   ./install.sh        to use it
#   ./install.sh dev    to work on it: the tests' tools and a browser as well
# On Debian and Ubuntu missing system packages are installed first (as root or through sudo).
set -eu
cd "$(dirname "$0")"
kind=${1:-use}
python=${PYTHON:-python3}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

need() { # need PACKAGE COMMAND...: install PACKAGE unless COMMAND works
    package=$1
    shift
    if "$@" >/dev/null 2>&1; then return; fi
    if ! command -v apt-get >/dev/null; then
        echo "error: '$*' does not work; please install what Debian calls $package" >&2
        exit 2
    fi
    echo "installing $package"
    [ -n "${apt_updated:-}" ] || as_root apt-get update -qq
    apt_updated=yes
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "error: Python 3.11 or newer is needed; name it with PYTHON=..." >&2
    exit 2
}
need python3-venv "$python" -c 'import ensurepip'
case $kind in
    use) target='.[export,serve]' ;;
    dev)
        target='.[dev]'
        need make make --version
        need chromium sh -c 'command -v chromium || command -v google-chrome'
        ;;
    *)
        echo "error: ./install.sh takes nothing or dev, not $kind" >&2
        exit 2
        ;;
esac
[ -x .venv/bin/python ] || "$python" -m venv .venv
echo "installing Python packages into .venv (torch is large)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e "$target"
.venv/bin/mnistlab --version
