"""What the commands on CI share: their options, a sync unless it is not wanted, and the history they are about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from cyclopts import Parameter

from trackside.cli.github_options import Access, Saying, Window
from trackside.cli.github_session import repository_of, settings_of, store_of
from trackside.cli.options import FLAG
from trackside.cli.sync_session import request_of, sync_store, window_of
from trackside.cli.terminal import OnProgress, Terminal, open_terminal
from trackside.errors import NoDataError, PartialError, TracksideError
from trackside.settings import Settings, SyncSettings

if TYPE_CHECKING:
    from trackside.evidence.unread import LogsRead
    from trackside.history.frames import History
    from trackside.records.syncs import SyncRecord
    from trackside.store.store import Store

_LONG_AGO: Final = dt.datetime(2018, 1, 1, tzinfo=dt.UTC)
"""Before GitHub Actions."""
EXIT_FOUND: Final = 3
"""How a command ends whose --check found something."""
Format = Literal["table", "json", "csv", "markdown"]
LogReader = Callable[["Store", str, Settings, OnProgress], "LogsRead"]
"""Reads the logs in a store that were not read yet, for a repository, with its settings."""


@Parameter(name="*")
@dataclass(frozen=True)
class Source:
    """Where a report gets its facts."""

    offline: Annotated[bool, FLAG] = False
    """Use what the store holds; ask GitHub for nothing."""
    logs: Annotated[Literal["none", "new", "failed", "perf", "all"] | None, Parameter(show_default=False)] = None
    """Whose logs are downloaded first, each once in its lifetime. As set under [sync], else none; perf for perf."""


@Parameter(name="*")
@dataclass(frozen=True)
class Asked:
    """What every command on CI takes: where its facts come from, which runs, how GitHub is asked, how much is said."""

    source: Source = field(default_factory=Source)
    window: Window = field(default_factory=Window)
    access: Access = field(default_factory=Access)
    saying: Saying = field(default_factory=Saying)


@dataclass(frozen=True)
class Opened:
    """A command that has asked nothing yet: where it writes, what it is about, and what holds its facts."""

    asked: Asked
    terminal: Terminal
    settings: Settings
    repo: str
    store: Store
    now: dt.datetime


@dataclass(frozen=True)
class CiSession:
    """One command on CI: where it writes, what it is about, and how far that is complete.

    ``failure`` is why a sync failed as a whole, where the command goes on all the same.
    """

    terminal: Terminal
    settings: Settings
    store: Store
    history: History
    since: dt.datetime | None
    until: dt.datetime
    synced: SyncRecord | None
    offline: bool
    failure: TracksideError | None = None

    def end(self, *, found: bool = False) -> int:
        """3 where a check found something, else the code of a sync that failed, else 4 where data is missing, else 0.

        What is missing, and why, is said.
        """
        code = PartialError.exit_code
        if self.failure is not None:
            self.terminal.fail(str(self.failure))
            code = self.failure.exit_code
        elif self.synced is not None and self.synced.missing:
            from trackside.report.sync_report import missing_line

            self.terminal.warn(missing_line(self.synced))
        elif self.history.unread:
            self.terminal.warn(
                f"Not complete: the jobs of {self.history.unread:,} run attempts of the window are not in the store."
            )
        else:
            code = 0
        return EXIT_FOUND if found else code

    @property
    def is_short(self) -> bool:
        """Whether the sync could not bring all: what is not there may only not have come."""
        return self.failure is not None or (self.synced is not None and bool(self.synced.missing))


def open_session(
    asked: Asked | None,
    *,
    adapt: Callable[[Settings], Settings] | None = None,
    whole_past: bool = False,
    runners: bool = False,
    reader: LogReader | None = None,
) -> CiSession:
    """Syncs unless it is to stay offline, reads the logs that came, and loads the history of the window.

    ``adapt`` changes the settings for one command. With ``whole_past`` a limit of runs reaches back as far as need be.
    Jobs are read by REST unless the settings name another way: GraphQL does not tell runners. With ``runners`` those
    that it told of before are read again. ``reader`` reads the logs; why jobs failed is read of them if none is given.
    Raises NoDataError where there is no store to look at offline, and where a choice of runs or jobs matches nothing.
    """
    opened = open_command(asked, adapt=adapt)
    source, window, access = opened.asked.source, opened.asked.window, opened.asked.access
    synced = None
    if not source.offline:
        request = request_of(window, opened.settings, opened.repo)
        since = _LONG_AGO if whole_past and not window.since else request.since
        api: Literal["rest", "graphql"] = "rest" if runners or request.api != "graphql" else "graphql"
        request = msgspec.structs.replace(
            request, jobs=True, logs=source.logs or request.logs, since=since, api=api, runners=runners
        )
        synced = sync_store(opened.store, request, access, opened.settings, opened.terminal)
    start, _ = window_of(window, opened.settings, opened.now)
    since_ = None if whole_past and not window.since else start
    return load_session(opened, since_, synced=synced, reader=reader)


def open_command(asked: Asked | None, *, adapt: Callable[[Settings], Settings] | None = None) -> Opened:
    """The settings, ``adapt`` applied, the repository and the store of a command.

    Raises NoDataError where there is no store to look at offline.
    """
    asked = asked or Asked()
    settings = settings_of(asked.access)
    settings = settings if adapt is None else adapt(settings)
    return Opened(
        asked=asked,
        terminal=open_terminal(quiet=asked.saying.quiet),
        settings=settings,
        repo=repository_of(asked.access, settings),
        store=store_of(asked.access, create=not asked.source.offline),
        now=dt.datetime.now(dt.UTC),
    )


def load_session(
    opened: Opened,
    since: dt.datetime | None,
    *,
    synced: SyncRecord | None = None,
    failure: TracksideError | None = None,
    reader: LogReader | None = None,
    ignored: tuple[str, ...] = (),
) -> CiSession:
    """Reads the logs that came, and loads the history from ``since`` (None: ever) to the end of the window.

    ``ignored`` are workflows that are left out where none are named.
    Raises NoDataError where a choice of runs or jobs matches nothing.
    """
    window, settings = opened.asked.window, opened.settings
    repo = opened.repo if synced is None else synced.repo
    _, stop = window_of(window, settings, opened.now)
    _read_logs(reader or diagnose, opened.store, repo, settings, opened.terminal)
    session = CiSession(
        terminal=opened.terminal,
        settings=settings,
        store=opened.store,
        history=_load(opened.store, repo, settings, window, since, stop, ignored),
        since=since,
        until=stop or opened.now,
        synced=synced,
        offline=opened.asked.source.offline,
        failure=failure,
    )
    if not session.is_short:
        _require_match(session.store, session.history, window)
    return session


def longer_window(settings: Settings, since: str) -> Settings:
    """The settings with a window from ``since`` on, where they do not set another one than any command has."""
    if settings.sync.since != SyncSettings().since:
        return settings
    return msgspec.structs.replace(settings, sync=msgspec.structs.replace(settings.sync, since=since))


def diagnose(store: Store, repo: str, settings: Settings, on_count: OnProgress) -> LogsRead:
    """Reads why jobs failed, and their test files."""
    from trackside.evidence.diagnoses import read_logs

    return read_logs(store, repo, settings.ci, dt.datetime.now(dt.UTC), on_count)


def _read_logs(reader: LogReader, store: Store, repo: str, settings: Settings, terminal: Terminal) -> None:
    with terminal.phases() as on_phase:
        told = reader(store, repo, settings, on_phase("reading logs"))
    if told.unkept:
        terminal.warn(f"What the logs told could not be kept, and not all of them were read: {told.unkept}")


def _load(
    store: Store,
    repo: str,
    settings: Settings,
    window: Window,
    since: dt.datetime | None,
    until: dt.datetime | None,
    ignored: tuple[str, ...],
) -> History:
    from trackside.evidence.history import load_history
    from trackside.evidence.selection import Selection

    selection = Selection(
        repo=repo,
        since=since,
        until=until,
        workflows=window.workflow or settings.sync.workflows,
        branch=window.branch,
        event=window.event,
        jobs=window.job,
        limit=window.limit,
        ignored=ignored,
    )
    return load_history(store, selection, settings.ci)


def say_if_empty(session: CiSession) -> None:
    """Says that the window holds no run, where it does not: what is printed then is empty."""
    if session.history.runs.is_empty() and not session.is_short:
        where = "in the window of what the store holds" if session.offline else "in the window"
        session.terminal.warn(f"No run of {session.history.repo} is {where}; --since 90d looks at a longer one.")


def _require_match(store: Store, history: History, window: Window) -> None:
    """Raises NoDataError where something was chosen that is not there: a check of nothing must not pass."""
    from trackside.evidence.selection import known_names

    asked = {"workflow": window.workflow, "branch": window.branch, "event": window.event}
    if history.runs.is_empty() and any(asked.values()):
        words = " ".join(f"--{name} {value}" for name, value in _each(asked))
        known = known_names(store, history.repo)
        there = "; ".join(f"--{name} {_some(known[name])}" for name, value in asked.items() if value and known[name])
        hint = f" Known are {there}." if there else ""
        msg = f"No run of {history.repo} in the window is of {words}.{hint}"
        raise NoDataError(msg)
    if window.job and history.jobs.is_empty() and not history.whole.jobs.is_empty():
        names = sorted(set(history.whole.jobs["job"]))
        msg = f"No job in the window matches --job {' '.join(window.job)}. There are {_some(names)}."
        raise NoDataError(msg)


def _each(asked: dict[str, tuple[str, ...] | str | None]) -> Iterator[tuple[str, str]]:
    for name, value in asked.items():
        yield from ((name, one) for one in ((value,) if isinstance(value, str) else value or ()))


def _some(names: Sequence[str], most: int = 8) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
