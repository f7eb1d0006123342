#!/usr/bin/env bash
# Makes .venv in the checkout from the pinned requirements; cheap when nothing changed.
# With --browser it also sees to a system Chromium, which the browser checks drive.
# Needs Python 3.11 or newer. Root on Debian gets what is missing (python3-venv, chromium) through apt.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

apt_install() {
    say "Installing $* with apt"
    apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

find_python() {
    local name
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$name"
            return
        fi
    done
    say "Python 3.11 or newer is needed and was not found; set PYTHON to one."
    exit 1
}

ensure_venv_module() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null && return
    local package
    package="$("$1" -c 'import sys; print(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")')"
    if can_apt && apt_install "$package" && "$1" -c 'import ensurepip, venv' 2>/dev/null; then
        return
    fi
    say "Python's venv module is missing and could not be installed: run 'apt-get install python3-venv' as root, then try again."
    exit 1
}

ensure_browser() {
    local name
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null && return
    done
    if can_apt && apt_install chromium; then
        return
    fi
    say "No Chromium found: the browser checks will be skipped. Install the package 'chromium' to run them."
}

make_environment() {
    local python stamp
    stamp=".venv/stamp-$(cat requirements/dev.txt pyproject.toml scripts/setup.sh | sha256sum | cut -c1-16)"
    if [ -e "$stamp" ] && .venv/bin/python -c pass 2>/dev/null; then
        return
    fi
    python="$(find_python)"
    ensure_venv_module "$python"
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --clear .venv
    fi
    say "Installing the pinned requirements into .venv"
    rm -f .venv/stamp-*
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
    touch "$stamp"
}

make_environment
if [ "${1:-}" = --browser ]; then
    ensure_browser
fi
