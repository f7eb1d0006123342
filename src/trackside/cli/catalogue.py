"""Every command: its name, where its function is, what it does, and lines that can be typed so."""

from __future__ import annotations

from typing import Final

from trackside.cli.command import Command
from trackside.cli.site_catalogue import EXPORT_COMMANDS, SERVER_COMMANDS, SITE_COMMANDS

__all__ = [
    "AGENT_COMMANDS", "ALERT_COMMANDS", "BENCH_COMMANDS", "CI_COMMANDS", "COMMANDS", "EXPORT_COMMANDS",
    "GITHUB_COMMANDS", "KB_COMMANDS", "PERF_COMMANDS", "SERVER_COMMANDS", "SITE_COMMANDS", "STORE_COMMANDS",
]  # fmt: skip


BENCH_COMMANDS: Final = (
    Command(
        "parse",
        "trackside.cli.bench:parse",
        "Print the workers of a run and write its node_metrics.parquet.",
        (
            "srtlog parse job_12345",
            "srtlog parse job_12345 -v",
            "srtlog parse job_12345 job_12346 --format json",
            "srtlog parse job_12345 --register",
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

AGENT_COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "report",
        "trackside.cli.agents_report:report",
        "Show runs by workflow, agent, job and step, and write them as a data file that dashboards read.",
        (
            "trackside agents report --repo OWNER/NAME",
            "trackside agents report -o agentops-runs.json --logs new",
            "trackside agents report --preset chained --offline --format markdown",
        ),
    ),
    Command(
        "explain",
        "trackside.cli.agents_explain:explain",
        "Show which agent a run is of, and every signal that says so.",
        ("trackside agents explain 19250972881 --repo OWNER/NAME", "trackside agents explain 19250972881 --offline"),
    ),
    Command(
        "analyze",
        "trackside.cli.agents_analyze:analyze",
        "Look into the logs of one run: what failed, what agents said, metrics, tests, known fixes.",
        (
            "trackside agents analyze 19250972881 --repo OWNER/NAME",
            "trackside agents analyze https://github.com/OWNER/NAME/actions/runs/19250972881 -o report.md",
            "trackside agents analyze logs.zip --format json",
            "trackside agents analyze 19250972881 --repo OWNER/NAME --comment 12 --dry-run",
        ),
    ),
)

KB_COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "list",
        "trackside.cli.kb:list_entries",
        "Show the known failures: how often, since when, where, how they stand, what to do.",
        ("trackside kb list --repo OWNER/NAME", "trackside kb list --state open --format json"),
    ),
    Command(
        "show",
        "trackside.cli.kb:show",
        "Show one known failure: its lines, runs, workflows, agents, notes and suggested fixes.",
        ("trackside kb show 4f2a91c0d3e5b678",),
    ),
    Command(
        "note",
        "trackside.cli.kb_edits:note",
        "Say something of a known failure: a title, a note, a fix, a link.",
        ("trackside kb note 4f2a91c0d3e5b678 --note 'seen since the new image' --fix 'pin the image'",),
    ),
    Command(
        "mute",
        "trackside.cli.kb_edits:mute",
        "Hear no more of a failure, or hear of it again with --off.",
        ("trackside kb mute 4f2a91c0d3e5b678", "trackside kb mute 4f2a91c0d3e5b678 --off"),
    ),
    Command(
        "resolve",
        "trackside.cli.kb_edits:resolve",
        "Say that a failure is mended; it is regressed where it is seen again.",
        ("trackside kb resolve 4f2a91c0d3e5b678", "trackside kb resolve 4f2a91c0d3e5b678 --off"),
    ),
    Command(
        "merge",
        "trackside.cli.kb_edits:merge",
        "Join failures that are one error.",
        ("trackside kb merge 4f2a91c0d3e5b678 --into 00112233445566aa",),
    ),
    Command(
        "split",
        "trackside.cli.kb_edits:split",
        "Make the failures of one workflow, job and step an entry of their own, or take a merge or split back.",
        (
            "trackside kb split 4f2a91c0d3e5b678 --signature 8899aabbccddeeff",
            "trackside kb split 4f2a91c0d3e5b678 --off",
        ),
    ),
    Command(
        "export",
        "trackside.cli.kb_files:export",
        "Write what people said of failures, and with --all everything known of them, to a file.",
        ("trackside kb export -o .github/agentops-knowledge.json", "trackside kb export --all -o knowledge.json"),
    ),
    Command(
        "import",
        "trackside.cli.kb_files:import_file",
        "Read what people said of failures from a file; what was said later counts.",
        ("trackside kb import .github/agentops-knowledge.json",),
    ),
)

ALERT_COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "alerts",
        "trackside.cli.alerts:alerts",
        "Show alerts on the collection itself: limits, failed and slow syncs, large files, stale data.",
        ("trackside alerts --repo OWNER/NAME", "trackside alerts --check"),
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
    "trackside": (*GITHUB_COMMANDS, *ALERT_COMMANDS, *SERVER_COMMANDS),
    "trackside ci": CI_COMMANDS,
    "trackside perf": PERF_COMMANDS,
    "trackside agents": AGENT_COMMANDS,
    "trackside kb": KB_COMMANDS,
    "trackside site": SITE_COMMANDS,
    "trackside export": EXPORT_COMMANDS,
    "trackside store": STORE_COMMANDS,
}
"""Every command, under the words that are typed before its name."""
