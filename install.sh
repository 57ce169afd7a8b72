#!/bin/sh
# Puts mnistlab into .venv beside this file.
#   ./install.sh        to use it
#   ./install.sh dev    to work on it: the tests' tools and a browser as well
# On Debian and Ubuntu missing system packages are installed first (as root or through sudo).
# Without an NVIDIA GPU the much smaller torch for CPUs is installed, where pip finds one: name
# PyTorch's index for CPUs with TORCH_INDEX=... (or in pip's own settings); else the usual torch.
set -eu
cd "$(dirname "$0")"
kind=${1:-use}
how=
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

pinned() { # pinned PACKAGE: its version in constraints.txt
    sed -n "s/^$1==//p" constraints.txt
}

install_small_torch() { # fails where pip finds no torch built for CPUs alone
    set -- "torch==$(pinned torch)+cpu" "torchvision==$(pinned torchvision)+cpu"
    $bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
        ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} "$@" 2>/dev/null
}

has_gpu() { [ -e /dev/nvidiactl ] || command -v nvidia-smi >/dev/null; }

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "error: Python 3.11 or newer is needed; name it with PYTHON=..." >&2
    exit 2
}
need python3-venv "$python" -c 'import ensurepip'
case $kind in
    use) target='.[export,serve]' ;;
    dev)
        target='.[dev]'
        how=--no-compile # a minute: Python compiles what it imports, and tests do not import all
        need make make --version
        need chromium sh -c 'command -v chromium || command -v google-chrome'
        ;;
    *)
        echo "error: ./install.sh takes nothing or dev, not $kind" >&2
        exit 2
        ;;
esac
bin=.venv/bin
[ "${OS:-}" != Windows_NT ] || bin=.venv/Scripts
[ -x $bin/python ] || "$python" -m venv .venv
if ! has_gpu && ! $bin/python -c 'import torch' 2>/dev/null && install_small_torch; then
    echo "installed torch for CPUs: no NVIDIA GPU was found"
fi
echo "installing Python packages into .venv (torch is large)"
$bin/python -m pip install --quiet --disable-pip-version-check $how -c constraints.txt -e "$target"
$bin/mnistlab --version
[ "$kind" = dev ] || echo "next: source $bin/activate, then mnistlab train simple-cnn"
