#!/bin/sh
# Makes .venv and installs one locked list into it: .requirements/install.sh run|dev
# Nothing but python3 is needed. A Debian python3 without venv is completed if we may, else the package is named.
set -eu
cd "$(dirname "$0")/.."
list=$1
python=${PYTHON:-python3}

die() { echo "$*" >&2; exit 1; }

command -v "$python" >/dev/null || die "Nameplate needs Python 3.11 or later: install the package python3."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    die "Nameplate needs Python 3.11 or later; $("$python" --version) is installed. Name another one: make run PYTHON=/path/to/python3"

if [ ! -x .venv/bin/pip ]; then
    rm -rf .venv
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            echo "Installing the Debian package python3-venv ..."
            { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends python3-venv; } </dev/null >/dev/null
        else
            die "This Python cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv"
        fi
    fi
    "$python" -m venv .venv
fi

echo "Installing the locked dependencies ($list) ..."
.venv/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes --only-binary :all: -r ".requirements/$list.txt" </dev/null ||
    die "The dependencies could not be installed; pip says why above."
touch ".venv/.$list"
if [ "$list" = dev ]; then touch .venv/.run; fi
