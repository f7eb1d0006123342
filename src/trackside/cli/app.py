"""The commands, and what a process ends with. ``main`` is ``trackside``, ``srtlog_main`` is ``srtlog``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

from cyclopts import App, CycloptsError, UnusedCliTokensError

from trackside import __version__
from trackside.cli.catalogue import (
    AGENT_COMMANDS,
    ALERT_COMMANDS,
    BENCH_COMMANDS,
    CI_COMMANDS,
    EXPORT_COMMANDS,
    GITHUB_COMMANDS,
    KB_COMMANDS,
    PERF_COMMANDS,
    SERVER_COMMANDS,
    SITE_COMMANDS,
    STORE_COMMANDS,
)
from trackside.cli.command import Command
from trackside.errors import NoDataError, TracksideError, UsageError

_ASKED_TO_TELL: Final = frozenset({"--help", "-h", "--version"})
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130

_GROUPS: Final = (
    ("ci", "What broke in CI, since when, and why.", CI_COMMANDS),
    ("perf", "What got slower or faster in CI, since when, and by which change.", PERF_COMMANDS),
    ("agents", "What agents did: who ran, what it took, where it failed, what to do.", AGENT_COMMANDS),
    ("kb", "The knowledge base of failures: what is known of each, and what people say of it.", KB_COMMANDS),
    ("site", "Everything on pages: what a team opens in the morning, offline or published.", SITE_COMMANDS),
    ("export", "What the store holds, sent to other tools.", EXPORT_COMMANDS),
    ("store", "The store: what it holds, its upkeep, exports, questions in SQL.", STORE_COMMANDS),
)


def trackside_app() -> App:
    """The ``trackside`` command."""
    app = make_app("trackside", "Says what broke, what got slower and how benchmark jobs really behaved.")
    app.command(bench_app("bench"))
    for commands in (GITHUB_COMMANDS, ALERT_COMMANDS, SERVER_COMMANDS):
        _add_commands(app, commands)
    for name, text, commands in _GROUPS:
        app.command(_group(name, text, commands))
    return app


def bench_app(name: str) -> App:
    """The engine-log commands, under ``srtlog`` and under ``trackside bench``."""
    return _group(name, "Log analysis for distributed inference benchmarks.", BENCH_COMMANDS)


def _group(name: str, text: str, commands: Sequence[Command]) -> App:
    app = make_app(name, text)
    _add_commands(app, commands)
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
    from trackside.joblogs.cleaning import redact

    terminal = open_terminal()
    if debug:
        import traceback

        terminal.fail("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, CycloptsError):
        terminal.fail(f"Error: {redact(_wrong_usage(error))}\nSee --help for what is understood.")
        return EXIT_USAGE
    if isinstance(error, TracksideError):
        said = redact(str(error))
        terminal.fail(said if isinstance(error, NoDataError) else f"Error: {said}")
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


def make_app(name: str, text: str) -> App:
    """A command of this product without any words of its own."""
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
