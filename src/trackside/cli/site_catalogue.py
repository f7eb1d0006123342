"""The commands that show everything at once: the site, the server over the same pages, and what is sent elsewhere."""

from __future__ import annotations

from typing import Final

from trackside.cli.command import Command

SITE_COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "build",
        "trackside.cli.site:build",
        "Write the site: home, CI, performance, benchmarks, agents and data health as pages that open offline.",
        (
            "trackside site build -o site --repo OWNER/NAME",
            "trackside site build -o site --sync --logs failed --since 14d",
            "trackside site build -o site --benchmarks /data/runs",
        ),
    ),
)

SERVER_COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "serve",
        "trackside.cli.serve:serve",
        "Serve the site live: pages that follow the store, a JSON API, webhooks, metrics.",
        (
            "trackside serve --repo OWNER/NAME",
            "trackside serve --port 8080 --sync-every 15m",
            "TRACKSIDE_WEBHOOK_SECRET=... trackside serve --host 0.0.0.0 --allow-host ci.example.org",
        ),
    ),
)

EXPORT_COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "otel",
        "trackside.cli.otel:otel",
        "Send runs as traces to an OpenTelemetry collector: a span for each run, job and step.",
        (
            "trackside export otel --repo OWNER/NAME --endpoint http://localhost:4318",
            "trackside export otel --since 24h --dry-run",
        ),
    ),
)
