"""The commands that the server runs beside itself: the same program, with the options of the server."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from trackside.cli.github_options import Access, Window
from trackside.server.backend import Commands

_OWN: Final = ("TRACKSIDE_WEBHOOK_SECRET", "TRACKSIDE_SERVER_TOKEN")
"""What no child needs to know."""
_PROGRAM: Final = ("-P", "-c", "from trackside.cli.served_command import main; main()")


class Children(msgspec.Struct, frozen=True, kw_only=True):
    """What the children are told: where the site and the store are, and the options of the server.

    ``since`` is the start of the window that is synced, as it was typed or set.
    """

    repo: str
    store: str
    folder: Path
    since: str
    window: Window
    access: Access
    benchmarks: Sequence[Path] = ()


def child_commands(children: Children, environ: Mapping[str, str]) -> Commands:
    """The commands. A token that was typed goes on in the environment, where no list of processes shows it."""
    own = {name: value for name, value in environ.items() if name not in _OWN}
    if children.access.token:
        own["GITHUB_TOKEN"] = children.access.token
    where = (f"--repo={children.repo}", f"--store={children.store}")
    preset = (f"--preset={children.access.preset}",) if children.access.preset else ()
    window, calls = _window(children.window), _calls(children.access)
    build = (f"--output={children.folder}", "--offline", *(f"--benchmarks={one}" for one in children.benchmarks))
    since = () if children.window.since else (f"--since={children.since}",)
    return Commands(
        build=_command("site", "build", *build, *where, *preset, *window, "--quiet"),
        # Jobs that came in batches have no runners, which pages show.
        sync=_command("sync", "--api=rest", *where, *preset, *since, *window, *calls, "--quiet"),
        compact=_command("store", "compact", f"--store={children.store}"),
        analyze=_command("agents", "analyze", "--format=json", *where, *preset, *calls, "--quiet"),
        environ=own,
    )


def _command(*words: str) -> tuple[str, ...]:
    return (sys.executable, *_PROGRAM, *words)


def _window(window: Window) -> tuple[str, ...]:
    single = {"since": window.since, "until": window.until, "branch": window.branch, "event": window.event}
    words = [f"--{name}={value}" for name, value in single.items() if value is not None]
    words += [] if window.limit is None else [f"--limit={window.limit}"]
    words += [f"--workflow={one}" for one in window.workflow]
    return (*words, *(f"--job={one}" for one in window.job))


def _calls(access: Access) -> tuple[str, ...]:
    told = {
        "max-calls": access.max_calls,
        "max-wait": access.max_wait,
        "workers": access.workers,
        "pause-below": access.pause_below,
        "stop-below": access.stop_below,
    }
    return tuple(f"--{name}={value}" for name, value in told.items() if value is not None)
