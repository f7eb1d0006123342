"""Everything that the site shows, out of the store: read once, and told to the analyses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeVar

import msgspec
from cyclopts import Parameter

from trackside.cli.ci_session import Asked, CiSession, Opened, Source, diagnose, load_session, open_command
from trackside.cli.github_options import Access, Saying, Window
from trackside.cli.sync_session import request_of, window_of
from trackside.cli.terminal import OnPhase, OnProgress
from trackside.errors import NoDataError, PartialError, TracksideError, UsageError
from trackside.settings import Settings

if TYPE_CHECKING:
    from trackside.evidence.unread import LogsRead
    from trackside.records.syncs import SyncRecord
    from trackside.site.facts import BenchReport, SiteFacts
    from trackside.store.store import Store

_CLOCKS_DIFFER: Final = dt.timedelta(days=1)
"""By less: a run from further in the future does not end the window."""
_UNTOLD: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""The end of the window of a site whose benchmark runs alone are known, and none of them has a time."""
T = TypeVar("T")


@Parameter(name="*")
@dataclass(frozen=True)
class SiteSource:
    """Where the site gets its facts."""

    sync: Annotated[bool, Parameter(negative="--offline", show_default=False)] = False
    """Bring the store up to date first; without it, and with --offline, the site shows what the store holds."""
    logs: Annotated[Literal["none", "new", "failed", "perf", "all"] | None, Parameter(show_default=False)] = None
    """Whose logs a sync downloads, each once in its lifetime. As set under [sync], else none."""


@Parameter(name="*")
@dataclass(frozen=True)
class SiteAsked:
    """What the commands on the site take: where facts come from, which runs, how GitHub is asked, how much is said."""

    source: SiteSource = field(default_factory=SiteSource)
    window: Window = field(default_factory=Window)
    access: Access = field(default_factory=Access)
    saying: Saying = field(default_factory=Saying)

    @property
    def as_asked(self) -> Asked:
        """The same as a command on CI takes it."""
        source = Source(offline=not self.source.sync, logs=self.source.logs)
        return Asked(source=source, window=self.window, access=self.access, saying=self.saying)


@dataclass(frozen=True)
class LoadedSite:
    """What the site shows, and the session that it was loaded in, which knows what is missing."""

    facts: SiteFacts
    session: CiSession

    def end(self) -> int:
        """The exit code of the session, 4 where a part could not be told; what is missing is said."""
        for sentence in self.facts.missing:
            self.session.terminal.warn(sentence)
        return self.session.end() or (PartialError.exit_code if self.facts.missing else 0)


def load_site(
    asked: SiteAsked | None, output: Path, benchmarks: tuple[Path, ...] = (), elsewhere: Executor | None = None
) -> LoadedSite:
    """Syncs if that is wanted, reads the logs that came, and asks every analysis, for a site in the folder ``output``.

    ``elsewhere`` takes work that can be done beside other work.

    The window ends when the newest run was touched last, so that the same store is always the same site. Raises
    OutputError where the folder is not for this site, and NoDataError where there is no store to look at, where it
    holds neither a run of the repository nor a benchmark, and where a choice of runs or jobs matches nothing.
    """
    from trackside.site.files import require_site

    asked = asked or SiteAsked()
    opened = open_command(asked.as_asked, adapt=_for_site)
    require_site(output, opened.repo)
    synced, failure = (None, None) if not asked.source.sync else _sync(opened)
    repo = opened.repo if synced is None else synced.repo
    benches, notes = _benches(opened, benchmarks)
    opened = replace(opened, now=_end_of_window(opened, repo, benches, failure))
    since = _start_of_window(opened)
    session = load_session(opened, since, synced=synced, failure=failure, reader=_read_logs)
    facts = _facts(session, asked.window, since, elsewhere)
    return LoadedSite(facts=msgspec.structs.replace(facts, benches=benches, bench_notes=notes), session=session)


def _for_site(settings: Settings) -> Settings:
    """The settings with the window of the site."""
    sync = msgspec.structs.replace(settings.sync, since=settings.site.since)
    return msgspec.structs.replace(settings, sync=sync)


def _sync(opened: Opened) -> tuple[SyncRecord | None, TracksideError | None]:
    """The ledger of a sync of all that pages show, or why it failed as a whole. GraphQL does not tell runners."""
    from trackside.cli.agents_session import try_sync

    request = request_of(opened.asked.window, opened.settings, opened.repo)
    logs = opened.asked.source.logs or request.logs
    return try_sync(opened, msgspec.structs.replace(request, jobs=True, logs=logs, api="rest", runners=True))


def _benches(opened: Opened, folders: tuple[Path, ...]) -> tuple[tuple[BenchReport, ...], tuple[str, ...]]:
    """The benchmark runs that are registered, and those in the folders that are typed or set."""
    from trackside.cli.site_benches import bench_facts

    settings = opened.settings
    every = (*folders, *(Path(one) for one in settings.site.benchmarks))
    with opened.terminal.phases() as on_phase:
        return bench_facts(opened.store, every, settings.bench, on_phase("reading benchmark runs"))


def _end_of_window(
    opened: Opened, repo: str, benches: tuple[BenchReport, ...], failure: TracksideError | None
) -> dt.datetime:
    """When the newest run was touched last; where there is none, when the newest benchmark run ended.

    A benchmark run that tells no time, or one that is still to come, counts by when it was registered; it is never the
    time of building.
    """
    from trackside.evidence.history import last_touched

    moment = last_touched(opened.store, repo, opened.now + _CLOCKS_DIFFER)
    if moment is not None:
        return moment
    if failure is not None:
        raise failure
    if not benches:
        msg = f"The store holds no run of {repo}: trackside sync --repo {repo} brings them, as does --sync here."
        raise NoDataError(msg)
    latest = opened.now + _CLOCKS_DIFFER
    told = ((one.run.last_at, one.run.registered_at) for one in benches)
    moments = (last if last is not None and last <= latest else registered for last, registered in told)
    return max((moment for moment in moments if moment is not None), default=_UNTOLD)


def _start_of_window(opened: Opened) -> dt.datetime:
    """The start of the window. Raises NoDataError where every run of the store is older."""
    window, settings = opened.asked.window, opened.settings
    now = dt.datetime.now(dt.UTC)
    start, _ = window_of(window, settings, now)
    try:
        return window_of(window, settings, opened.now)[0]
    except UsageError:
        msg = (
            f"The newest run of {opened.repo} in the store was touched last at {opened.now:%Y-%m-%d %H:%M} UTC: there "
            f"is none since {start:%Y-%m-%d %H:%M}."
        )
        raise NoDataError(msg) from None


def _read_logs(store: Store, repo: str, settings: Settings, on_count: OnProgress) -> LogsRead:
    """Reads why jobs failed, and what performance jobs measured, out of the logs that nobody read yet."""
    from trackside.cli.perf_session import for_performance, measure
    from trackside.evidence.unread import LogsRead

    told = diagnose(store, repo, settings, on_count)
    if told.unkept:
        return told
    values = measure(store, repo, for_performance(settings), on_count)
    return LogsRead(told.read + values.read, values.unkept)


def _facts(session: CiSession, window: Window, since: dt.datetime, elsewhere: Executor | None) -> SiteFacts:
    from trackside import __version__
    from trackside.cli.site_parts import agent_facts, begin_speed, ci_facts, health_facts
    from trackside.evidence.reports import last_sync
    from trackside.report.safe_links import site_of
    from trackside.site.facts import SiteFacts

    repo, urls = session.history.repo, session.history.runs["url"].drop_nulls()
    synced_at = last_sync(session.store, repo)
    with session.terminal.phases() as on_phase:
        asking = _Asking(on_phase)
        begun = asking.of("Performance", lambda: begin_speed(session, window, elsewhere))
        ci = asking.of("CI", lambda: ci_facts(session))
        agents = asking.of("Agents", lambda: agent_facts(session, window))
        speed = None if begun is None else asking.of("Performance", begun)
        health = asking.of("Data health", lambda: health_facts(session, agents, synced_at))
    return SiteFacts(
        repo=repo,
        home=f"{site_of(next(iter(urls.tail(1)), None))}/{repo}",
        since=since,
        until=session.until,
        ci=ci,
        speed=speed,
        agents=agents,
        health=health,
        missing=tuple(asking.missing),
        synced_at=synced_at,
        interval_hours=session.settings.agents.alerts.interval_hours,
        version=__version__,
        analyzer=session.settings.site.analyzer,
    )


class _Asking:
    """Asks for one part after the other; what cannot be told of one is kept as a sentence, and the others go on."""

    def __init__(self, on_phase: OnPhase) -> None:
        self._on_phase = on_phase
        self.missing: list[str] = []

    def of(self, name: str, look: Callable[[], T]) -> T | None:
        """What ``look`` finds for the part ``name``, None where a TracksideError says why it cannot."""
        on_count = self._on_phase(f"looking at {name}")
        try:
            found = look()
        except TracksideError as error:
            self.missing.append(f"{name} is not on the site: {error}")
            return None
        on_count(1, 1)
        return found
