#!/usr/bin/env bash
# Installs as a user does, without pins, into a new environment and starts the commands:
# catches a dependency whose newest release breaks us.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
room="$(mktemp -d)"
trap 'rm -rf "$room"' EXIT
.venv/bin/python -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check ".[app,dask,notify,otel,server]"
cd "$room"
venv/bin/trackside --help >/dev/null
venv/bin/srtlog --help >/dev/null
venv/bin/srtlog --version
venv/bin/python -c 'import trackside, srtlog, distributed, jwt, trackside.server.app; trackside.open_run; srtlog.NodeAnalyzer'
echo '{"id": 1, "run_number": 1, "run_attempt": 1, "workflow_id": 2, "event": "push", "status": "queued", "created_at": "2026-11-02T08:00:00Z", "updated_at": "2026-11-02T08:01:00Z"}' |
    venv/bin/trackside ingest --quiet --repo octo/engine --store store -
venv/bin/trackside store sql --store store 'SELECT run_id, status FROM runs'
venv/bin/trackside site build --quiet --output site --repo octo/engine --store store
test -s site/index.html -a -s site/assets/site.css
venv/bin/trackside export otel --repo octo/engine --store store --dry-run >/dev/null
venv/bin/pip check --disable-pip-version-check
echo "An install without pins works"
