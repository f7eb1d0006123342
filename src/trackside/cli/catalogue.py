"""Every command: its name, where its function is, what it does, and lines that can be typed so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Command:
    """One command: its name, where its function is, what it does, and lines that can be typed so."""

    name: str
    target: str
    help: str
    examples: tuple[str, ...]


BENCH_COMMANDS: Final = (
    Command(
        "parse",
        "trackside.cli.bench:parse",
        "Print the workers of a run and write its node_metrics.parquet.",
        (
            "srtlog parse job_12345",
            "srtlog parse job_12345 -v",
            "srtlog parse job_12345 job_12346 --format json",
        ),
    ),
    Command(
        "viz",
        "trackside.cli.bench:viz",
        "Draw a run in one HTML report that opens without a network.",
        (
            "srtlog viz job_12345",
            "srtlog viz job_12345 -o report.html --group-by dp",
            "srtlog viz job_12345 -o report.html --from 16:20 --to 16:40 --open",
        ),
    ),
    Command(
        "time-breakdown",
        "trackside.cli.bench:time_breakdown",
        "Show where the time of requests goes: queue, prefill, decode.",
        (
            "srtlog time-breakdown request_metrics",
            "srtlog time-breakdown request_metrics --stats-only --limit 1000",
        ),
    ),
    Command(
        "export",
        "trackside.cli.bench:export",
        "Write the rows, workers, ledger and launch configuration of a run as tidy tables.",
        ("srtlog export job_12345 -o tables", "srtlog export job_12345 -o tables --format csv"),
    ),
)

GITHUB_COMMANDS: Final = (
    Command(
        "sync",
        "trackside.cli.sync:sync",
        "Bring the store up to date with GitHub: runs, attempts, jobs, steps.",
        (
            "trackside sync --repo sgl-project/sglang",
            "trackside sync --repo OWNER/NAME --since 30d --max-calls 900",
            "trackside sync --preset chained --format json",
            "trackside sync --repo OWNER/NAME --logs failed --job 'unit-test*'",
        ),
    ),
    Command(
        "ingest",
        "trackside.cli.ingest:ingest",
        "Put payloads of webhooks and files of runs into the store, without a call to GitHub.",
        (
            "trackside ingest deliveries.jsonl",
            "trackside ingest runs.json --repo OWNER/NAME --format json",
            "gh api --paginate repos/OWNER/NAME/actions/runs | trackside ingest -",
        ),
    ),
)

CI_COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "failures",
        "trackside.cli.ci_failures:failures",
        "Show which jobs and categories fail, how often, when they last worked, and why.",
        (
            "trackside ci failures --repo OWNER/NAME",
            "trackside ci failures --since 30d --logs failed --output failures.json",
            "trackside ci failures --preset sglang --offline --format markdown",
        ),
    ),
    Command(
        "causes",
        "trackside.cli.ci_causes:causes",
        "Show where failures come from (code, flaky, runner, infrastructure), with the evidence, and equal errors.",
        (
            "trackside ci causes --repo OWNER/NAME --logs failed",
            "trackside ci causes --offline --format markdown",
            "trackside ci causes --logs failed --check",
        ),
    ),
    Command(
        "streaks",
        "trackside.cli.ci_breakage:streaks",
        "Show what is broken now, since which run and commit, and what was fixed.",
        (
            "trackside ci streaks --repo OWNER/NAME",
            "trackside ci streaks --offline --line OWNER:feature",
            "trackside ci streaks --offline --check",
        ),
    ),
    Command(
        "flaky",
        "trackside.cli.ci_breakage:flaky",
        "Show jobs and tests that fail and pass on the same commit, how often, and what it costs.",
        (
            "trackside ci flaky --repo OWNER/NAME --since 30d",
            "trackside ci flaky --offline --format csv",
        ),
    ),
    Command(
        "rates",
        "trackside.cli.ci_breakage:rates",
        "Show jobs that fail more often, or less often, than before.",
        (
            "trackside ci rates --repo OWNER/NAME --since 30d",
            "trackside ci rates --offline --recent 2d --check",
        ),
    ),
    Command(
        "queue",
        "trackside.cli.ci_operations:queue",
        "Show how long jobs wait for a runner, by pool and over time, and how many wait and run now.",
        (
            "trackside ci queue --repo OWNER/NAME",
            "trackside ci queue --since 30d --offline --format csv",
        ),
    ),
    Command(
        "runners",
        "trackside.cli.ci_operations:runners",
        "Show runners and pools on which failures concentrate, beyond chance and beyond the jobs that they run.",
        (
            "trackside ci runners --repo OWNER/NAME --since 14d",
            "trackside ci runners --offline --check",
        ),
    ),
    Command(
        "balance",
        "trackside.cli.ci_operations:balance",
        "Show how long shards and test files take against the estimates, and propose a better partition.",
        (
            "trackside ci balance --repo OWNER/NAME --logs all --job 'unit-test*'",
            "trackside ci balance --offline --format csv",
        ),
    ),
    Command(
        "minutes",
        "trackside.cli.ci_operations:minutes",
        "Show runner minutes by workflow, job and outcome, and those lost to failures, cancellations and flakes.",
        (
            "trackside ci minutes --repo OWNER/NAME --since 30d",
            "trackside ci minutes --offline --format json",
        ),
    ),
)

PERF_COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "report",
        "trackside.cli.perf_report:report",
        "Collect what performance jobs printed: a table and charts for each test, one page, JSON.",
        (
            "trackside perf report --repo OWNER/NAME",
            "trackside perf report --since 14d --output-dir tables --all-metrics",
            "trackside perf report --preset sglang --limit 1000 --format markdown",
        ),
    ),
    Command(
        "changes",
        "trackside.cli.perf_changes:changes",
        "Show what got slower or faster, since which commit, who can have done it, and what stopped.",
        (
            "trackside perf changes --repo OWNER/NAME",
            "trackside perf changes --since 60d --offline --check",
            "trackside perf changes --metric '*ttft*' --all --format markdown",
        ),
    ),
    Command(
        "compare",
        "trackside.cli.perf_compare:compare",
        "Show two commits, branches or pull requests beside each other: each series with an interval and a verdict.",
        (
            "trackside perf compare PR:123 --repo OWNER/NAME",
            "trackside perf compare main PR:123 --format markdown --check",
            "trackside perf compare 3f2a91c 8b1d04e --offline --all-metrics --all",
        ),
    ),
    Command(
        "ack",
        "trackside.cli.perf_states:ack",
        "Say that a change is known and why it stands.",
        (
            "trackside perf ack 4f2a91c0 --reason 'waits for the new driver' --link https://github.com/OWNER/NAME/issues/7",
        ),
    ),
    Command(
        "intend",
        "trackside.cli.perf_states:intend",
        "Say that a change is the price, or the fruit, of something that was wanted.",
        ("trackside perf intend 4f2a91c0 --reason 'exact sampling costs 2 %'",),
    ),
    Command(
        "reopen",
        "trackside.cli.perf_states:reopen",
        "Take back what was said of a change: its state is what the runs say again.",
        ("trackside perf reopen 4f2a91c0",),
    ),
)

STORE_COMMANDS: Final = (
    Command(
        "info",
        "trackside.cli.store:info",
        "Show what the store holds: rows, files, size, times, versions.",
        ("trackside store info", "trackside store info --store s3://bucket/trackside --format json"),
    ),
    Command(
        "compact",
        "trackside.cli.store:compact",
        "Fold the history: keep the newest row of each key, in few sorted files.",
        ("trackside store compact",),
    ),
    Command(
        "prune",
        "trackside.cli.store:prune",
        "Remove runs that are older than so many days, with their jobs, logs, artifacts and measurements.",
        ("trackside store prune --keep 400d",),
    ),
    Command(
        "export",
        "trackside.cli.store:export",
        "Write the newest rows of every table of facts as sorted files.",
        ("trackside store export tables", "trackside store export tables --format csv"),
    ),
    Command(
        "sql",
        "trackside.cli.store:sql",
        "Ask the store a question in SQL; nothing can be changed.",
        (
            'trackside store sql "SELECT conclusion, count(*) AS jobs FROM jobs GROUP BY conclusion"',
            'trackside store sql "SELECT name, max(duration_s) AS s FROM steps GROUP BY name" --format csv',
        ),
    ),
)

COMMANDS: Final = {
    "srtlog": BENCH_COMMANDS,
    "trackside": GITHUB_COMMANDS,
    "trackside ci": CI_COMMANDS,
    "trackside perf": PERF_COMMANDS,
    "trackside store": STORE_COMMANDS,
}
"""Every command, under the words that are typed before its name."""
