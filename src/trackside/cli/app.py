"""The commands, and what a process ends with. ``main`` is ``trackside``, ``srtlog_main`` is ``srtlog``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cyclopts import App, CycloptsError, UnusedCliTokensError

from trackside import __version__
from trackside.errors import NoDataError, TracksideError, UsageError

_ASKED_TO_TELL: Final = frozenset({"--help", "-h", "--version"})
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130


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
        "Remove runs that are older than so many days, with their jobs, markers and logs.",
        ("trackside store prune --keep 400d",),
    ),
    Command(
        "export",
        "trackside.cli.store:export",
        "Write the newest rows of every table but syncs as sorted files.",
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

COMMANDS: Final = {"srtlog": BENCH_COMMANDS, "trackside": GITHUB_COMMANDS, "trackside store": STORE_COMMANDS}
"""Every command, under the words that are typed before its name."""


def trackside_app() -> App:
    """The ``trackside`` command."""
    app = _app("trackside", "Says what broke, what got slower and how benchmark jobs really behaved.")
    app.command(bench_app("bench"))
    _add_commands(app, GITHUB_COMMANDS)
    shelf = _app("store", "The store: what it holds, its upkeep, exports, questions in SQL.")
    _add_commands(shelf, STORE_COMMANDS)
    app.command(shelf)
    return app


def bench_app(name: str) -> App:
    """The engine-log commands, under ``srtlog`` and under ``trackside bench``."""
    app = _app(name, "Log analysis for distributed inference benchmarks.")
    _add_commands(app, BENCH_COMMANDS)
    return app


def _add_commands(app: App, commands: Sequence[Command]) -> None:
    for command in commands:
        examples = "Examples:\n" + "\n".join(f"  {line}" for line in command.examples)
        app.command(command.target, name=command.name, help=command.help, help_epilogue=examples)


def main() -> None:
    """Runs ``trackside`` and ends the process."""
    sys.exit(run(trackside_app(), sys.argv[1:]))


def srtlog_main() -> None:
    """Runs ``srtlog`` and ends the process."""
    sys.exit(run(bench_app("srtlog"), sys.argv[1:]))


def run(app: App, arguments: Sequence[str]) -> int:
    """The exit code of ``app`` with ``arguments``; whatever went wrong is one sentence on stderr."""
    _prepare_streams()
    try:
        code = app(_said(arguments))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; without this the interpreter complains once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except Exception as error:  # noqa: BLE001 - the one place where a traceback is kept from the user
        return _report(error, debug="--debug" in arguments or os.environ.get("TRACKSIDE_DEBUG") == "1")
    if isinstance(code, int):
        return code
    return 0 if _ASKED_TO_TELL & set(arguments) else EXIT_FAILED


def _said(arguments: Sequence[str]) -> list[str]:
    """``arguments`` without the options that were left empty, as a scheduled workflow leaves its inputs.

    Raises UsageError for any other empty argument.
    """
    said: list[str] = []
    for argument in arguments:
        if argument == "" and said and said[-1].startswith("-") and "=" not in said[-1]:
            said.pop()
        elif argument == "":
            msg = "An argument is empty: leave it out, or say what it should be."
            raise UsageError(msg)
        elif not (argument.startswith("--") and argument.endswith("=") and argument.count("=") == 1):
            said.append(argument)
    return said


def _prepare_streams() -> None:
    """What cannot be encoded is written out; a stream that was closed (``>&-``) swallows what is said."""
    sys.stdout, sys.stderr = (
        open(os.devnull, "w", encoding="utf-8") if stream is None else stream  # noqa: PTH123, SIM115
        for stream in (sys.stdout, sys.stderr)
    )
    # The libraries of the store log on stderr by themselves; what fails is told once, in our own words.
    os.environ.setdefault("RUST_LOG", "off")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _report(error: Exception, *, debug: bool) -> int:
    from trackside.cli.terminal import open_terminal

    terminal = open_terminal()
    if debug:
        import traceback

        terminal.fail("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, CycloptsError):
        terminal.fail(f"Error: {_wrong_usage(error)}\nSee --help for what is understood.")
        return EXIT_USAGE
    if isinstance(error, TracksideError):
        terminal.fail(str(error) if isinstance(error, NoDataError) else f"Error: {error}")
        return error.exit_code
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        terminal.fail(f"Error: {error.strerror}{where}")
        return EXIT_FAILED
    hint = "" if debug else " Run the command again with --debug to see where."
    terminal.fail(f"Error: unexpected {type(error).__name__}: {error}.{hint}")
    return EXIT_FAILED


def _wrong_usage(error: CycloptsError) -> str:
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        return f"This was not expected: {' '.join(error.unused_tokens)}"
    return str(error)


def _app(name: str, text: str) -> App:
    return App(
        name=name,
        help=text,
        version=f"{name} {__version__}",
        help_format="plaintext",
        print_error=False,
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
