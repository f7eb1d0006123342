#!/usr/bin/env bash
# Renews the pins in requirements/ from pyproject.toml: every platform, hashes, no address of an index.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
tools="$(mktemp -d)"
trap 'rm -rf "$tools"' EXIT
.venv/bin/python -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check uv
compile() {
    "$tools/bin/uv" pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --custom-compile-command "make lock" "$@"
}
compile --output-file requirements/runtime.txt
compile --extra dev --output-file requirements/dev.txt
# What building from a checkout needs, for installs that must not fetch anything without a hash.
"$tools/bin/uv" pip compile - --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --custom-compile-command "make lock" --output-file requirements/build.txt \
    <<<'hatchling>=1.27,<2'
scripts/oracles.sh --lock
