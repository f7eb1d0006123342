"""What the commands on performance share: logs of performance jobs, the values in them, and the points of series."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from trackside.cli.ci_session import Asked, CiSession, longer_window, open_session
from trackside.cli.terminal import OnProgress
from trackside.settings import Settings

if TYPE_CHECKING:
    import polars as pl

    from trackside.evidence.unread import LogsRead
    from trackside.history.frames import History
    from trackside.store.store import Store

SINCE: Final = "30d"
"""The window of these commands where none is said: a change needs runs before and after it."""


@dataclass(frozen=True)
class PerfSession:
    """One command on performance: the session on CI, and what its logs and artifacts measured.

    ``history`` is that of the session with the artifacts that rules name among its jobs. ``points`` have the columns
    ``perf.points.POINT_COLUMNS``; ``measured`` says of each job whose log was read, and of each such artifact, how many
    tests and values it had (``job_id``, ``tests``, ``measurements``).
    """

    ci: CiSession
    history: History
    points: pl.DataFrame
    measured: pl.DataFrame

    @property
    def is_whole(self) -> bool:
        """Whether no data of GitHub is missing."""
        return not self.history.unread and not self.ci.is_short


def open_perf_session(asked: Asked | None, *, whole_past: bool = False) -> PerfSession:
    """Syncs runs, jobs and the logs of performance jobs unless it is to stay offline, and reads the values in them.

    With ``whole_past`` a limit of runs reaches back as far as need be. Raises as ``open_session`` does.
    """
    session = open_session(asked, adapt=for_performance, whole_past=whole_past, runners=True, reader=measure)
    return measured(session, asked.window.job if asked else ())


def measured(session: CiSession, jobs: tuple[str, ...]) -> PerfSession:
    """The session with what the logs and artifacts of its runs measured; ``jobs`` are patterns of those asked for."""
    from trackside.evidence.artifacts import history_with_artifacts
    from trackside.evidence.measurements import measured_jobs, measurements_frame
    from trackside.history.names import matches_any
    from trackside.perf.points import points_frame

    rules = session.settings.perf
    history = history_with_artifacts(
        session.store, session.history, rules, lambda name: not jobs or matches_any(name, jobs)
    )
    values = measurements_frame(session.store, history.repo, history.jobs)
    return PerfSession(
        ci=session,
        history=history,
        points=points_frame(history, values, rules),
        measured=measured_jobs(session.store, history.repo, history.jobs),
    )


def for_performance(settings: Settings) -> Settings:
    """The settings with the workflows, the window and the logs that performance is read from."""
    settings = longer_window(settings, SINCE)
    own = settings.sync
    changed = msgspec.structs.replace(
        own,
        workflows=settings.perf.workflows or own.workflows,
        logs="all" if own.logs == "all" else "perf",
    )
    return msgspec.structs.replace(settings, sync=changed)


def measure(store: Store, repo: str, settings: Settings, on_count: OnProgress) -> LogsRead:
    """Reads the values in the logs of performance jobs, in all logs where all are downloaded, and in artifacts."""
    from trackside.evidence.artifacts import read_artifacts
    from trackside.evidence.measurements import measure_logs
    from trackside.history.names import matches_any
    from trackside.presets.grammar_files import grammars_in_force, load_grammars

    grammars = grammars_in_force(settings.perf)
    wanted = ("*",) if settings.sync.logs == "all" else settings.sync.perf_jobs
    now = dt.datetime.now(dt.UTC)
    logs = measure_logs(store, repo, grammars, now, on_count, wants=lambda name: matches_any(name, wanted))
    rules = settings.perf
    if not rules.artifacts or logs.unkept:
        return logs
    artifacts = read_artifacts(store, repo, rules, (*rules.grammar, *load_grammars()), now, on_count)
    return msgspec.structs.replace(artifacts, read=logs.read + artifacts.read)
