#!/usr/bin/env bash
# Installs as a user does, without pins, into a new environment and starts the commands:
# catches a dependency whose newest release breaks us.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
room="$(mktemp -d)"
trap 'rm -rf "$room"' EXIT
.venv/bin/python -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check ".[dask]"
cd "$room"
venv/bin/trackside --help >/dev/null
venv/bin/srtlog --help >/dev/null
venv/bin/srtlog --version
venv/bin/python -c 'import trackside, srtlog, distributed; trackside.open_run; srtlog.NodeAnalyzer'
venv/bin/pip check --disable-pip-version-check
echo "An install without pins works"
