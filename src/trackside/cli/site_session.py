"""Everything that the site shows, out of the store: read once, and told to the analyses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeVar

import msgspec
from cyclopts import Parameter

from trackside.cli.ci_session import Asked, CiSession, Opened, Source, diagnose, load_session, open_command
from trackside.cli.github_options import Access, Saying, Window
from trackside.cli.sync_session import request_of, window_of
from trackside.cli.terminal import OnPhase, OnProgress
from trackside.errors import NoDataError, TracksideError
from trackside.settings import Settings

if TYPE_CHECKING:
    from trackside.evidence.unread import LogsRead
    from trackside.records.syncs import SyncRecord
    from trackside.site.facts import SiteFacts
    from trackside.store.store import Store

_CLOCKS_DIFFER: Final = dt.timedelta(days=1)
"""By less: a run from further in the future does not end the window."""
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


def load_site(asked: SiteAsked | None = None) -> LoadedSite:
    """Syncs if that is wanted, reads the logs that came, and asks every analysis.

    The window ends when the newest run was touched last, so that the same store is always the same site. Raises
    NoDataError where there is no store to look at, where it holds no run of the repository, and where a choice of runs
    or jobs matches nothing.
    """
    asked = asked or SiteAsked()
    opened = open_command(asked.as_asked, adapt=_for_site)
    synced, failure = (None, None) if not asked.source.sync else _sync(opened)
    repo = opened.repo if synced is None else synced.repo
    opened = replace(opened, now=_newest_touch(opened, repo))
    since = _start_of_window(opened)
    session = load_session(opened, since, synced=synced, failure=failure, reader=_read_logs)
    return LoadedSite(facts=_facts(session, asked.window, since), session=session)


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


def _newest_touch(opened: Opened, repo: str) -> dt.datetime:
    from trackside.evidence.history import last_touched

    moment = last_touched(opened.store, repo, opened.now + _CLOCKS_DIFFER)
    if moment is None:
        msg = f"The store holds no run of {repo}: trackside sync --repo {repo} brings them, as does --sync here."
        raise NoDataError(msg)
    return moment


def _start_of_window(opened: Opened) -> dt.datetime:
    """The start of the window. Raises NoDataError where every run of the store is older."""
    window, settings = opened.asked.window, opened.settings
    window_of(window, settings, dt.datetime.now(dt.UTC))
    end = opened.now + dt.timedelta(microseconds=1)
    start, _ = window_of(window, settings, end)
    return start


def _read_logs(store: Store, repo: str, settings: Settings, on_count: OnProgress) -> LogsRead:
    """Reads why jobs failed, and what performance jobs measured, out of the logs that nobody read yet."""
    from trackside.cli.perf_session import for_performance, measure
    from trackside.evidence.unread import LogsRead

    told = diagnose(store, repo, settings, on_count)
    if told.unkept:
        return told
    values = measure(store, repo, for_performance(settings), on_count)
    return LogsRead(told.read + values.read, values.unkept)


def _facts(session: CiSession, window: Window, since: dt.datetime) -> SiteFacts:
    from trackside import __version__
    from trackside.cli.site_parts import agent_facts, ci_facts, health_facts, speed_facts
    from trackside.evidence.reports import last_sync
    from trackside.report.safe_links import site_of
    from trackside.site.facts import SiteFacts

    repo, urls = session.history.repo, session.history.runs["url"].drop_nulls()
    synced_at = last_sync(session.store, repo)
    with session.terminal.phases() as on_phase:
        ci = _phase(on_phase, "looking at CI", lambda: ci_facts(session))
        speed = _phase(on_phase, "looking at performance", lambda: speed_facts(session, window))
        agents = _phase(on_phase, "looking at agents", lambda: agent_facts(session, window))
        health = _phase(on_phase, "looking at the collection", lambda: health_facts(session, agents, synced_at))
    return SiteFacts(
        repo=repo,
        home=f"{site_of(next(iter(urls.tail(1)), None))}/{repo}",
        since=since,
        until=session.until,
        ci=ci,
        speed=speed,
        agents=agents,
        health=health,
        synced_at=synced_at,
        version=__version__,
        analyzer=session.settings.site.analyzer,
    )


def _phase(on_phase: OnPhase, name: str, look: Callable[[], T]) -> T:
    """What ``look`` finds, with a bar that is there meanwhile."""
    on_count = on_phase(name)
    found = look()
    on_count(1, 1)
    return found
