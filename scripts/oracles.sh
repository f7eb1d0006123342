#!/usr/bin/env bash
# Makes .venv-oracles in the checkout: other projects' change point finders, which ours is held against in tests.
# They pin old versions and pull in clients of services, so they live apart from .venv. Cheap when nothing changed.
# With --lock it renews requirements/oracles.txt instead.
set -euo pipefail
cd "$(dirname "$0")/.."
pins=requirements/oracles.txt

lock() {
    local tools
    tools="$(mktemp -d)"
    trap "rm -rf '$tools'" EXIT
    .venv/bin/python -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check uv
    "$tools/bin/uv" pip compile - --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --custom-compile-command "make lock" --output-file "$pins" \
        < <(printf '%s\n' 'apache-otava>=0.8,<0.9' 'ruptures>=1.1,<2')
}

make_environment() {
    local stamp
    stamp=".venv-oracles/stamp-$(cat "$pins" scripts/oracles.sh | sha256sum | cut -c1-16)"
    if [ -e "$stamp" ] && .venv-oracles/bin/python -c pass 2>/dev/null; then
        return
    fi
    printf 'Installing the pinned oracles into .venv-oracles\n' >&2
    .venv/bin/python -m venv --clear .venv-oracles
    .venv-oracles/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$pins"
    touch "$stamp"
}

if [ "${1:-}" = --lock ]; then
    lock
else
    make_environment
fi
