"""Series whose values stopped, and why: what nobody measures any more nobody watches."""

from __future__ import annotations

import datetime as dt
import enum
import fnmatch
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from trackside.history.frames import History
from trackside.perf.attendance import Presence, WorkflowRuns, attendance, watched_runs
from trackside.perf.points import SERIES_KEY
from trackside.perf.renames import AliasProposal, Key, nearest_rename
from trackside.records.perf_rules import PerfRules

SILENT_AFTER: Final = 2
"""So many runs in a row in which a value could have been measured, and was not, make a series silent."""
SKIPPED_AFTER: Final = 5
"""So many runs in a row do where the job was skipped in runs that failed: what failed there may have kept it off."""
GAP_DEVIATIONS: Final = 3
"""A gap is unusual when it is longer than the usual ones by so many of their standard deviations: jobs that changes of
some files only set off run at irregular times."""
_LINK: Final = (("run_id", "run_id"), ("run_number", "run_number"), ("at", "created_at"), ("url", "url"))


class SilenceReason(enum.StrEnum):
    """Why a series has no value in the newest runs."""

    NOTHING_READ = "nothing_read"
    """The job ran and its log was read, but no grammar finds any value in it."""
    NO_VALUE = "no_value"
    """The job ran and its log was read: it holds values of other tests or metrics, and none of this one."""
    NO_LOG = "no_log"
    """The job ran, and its log is not in the store: expired, refused, or not downloaded yet."""
    NOT_RUN = "not_run"
    """The job is listed, but was skipped or cancelled."""
    JOB_GONE = "job_gone"
    """The job is not listed any more."""


_REASONS: Final = {
    Presence.VALUES: SilenceReason.NO_VALUE,
    Presence.NOTHING: SilenceReason.NOTHING_READ,
    Presence.NO_LOG: SilenceReason.NO_LOG,
    Presence.NOT_RUN: SilenceReason.NOT_RUN,
    Presence.GONE: SilenceReason.JOB_GONE,
}


class Silent(msgspec.Struct, frozen=True, kw_only=True):
    """A series that stopped.

    ``last_*`` are those of the newest run with a value, ``since_*`` of the first run without one, ``newest_url`` is the
    page of the newest; ``runs_without`` counts the ended runs since. ``job_failed`` says that the job failed in the one
    that the reason is told from. ``proposal`` is the rename that would explain it.
    """

    series: str
    workflow: str
    job: str
    test: str
    metric: str
    reason: SilenceReason
    runs_without: int
    last_run_id: int
    last_at: dt.datetime
    since_run_id: int
    since_at: dt.datetime
    last_run_number: int | None = None
    last_url: str | None = None
    since_run_number: int | None = None
    since_url: str | None = None
    newest_url: str | None = None
    job_failed: bool = False
    proposal: AliasProposal | None = None


class SilentJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job all of whose ``series`` stopped for one reason; ``since_*`` is the first run without any of them."""

    workflow: str
    job: str
    reason: SilenceReason
    series: int
    runs_without: int
    last_at: dt.datetime
    since_at: dt.datetime
    since_url: str | None = None


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """What stopped. ``watched`` counts the series that were looked at, ``runs`` the runs.

    ``jobs`` sums up those of ``series`` whose whole job is silent. ``ended`` counts the silent series that the settings
    say have ended. ``proposals`` are the renames that would explain some of it, each once.
    """

    repo: str
    watched: int
    runs: int
    series: tuple[Silent, ...]
    jobs: tuple[SilentJob, ...] = ()
    ended: int = 0
    proposals: tuple[AliasProposal, ...] = ()


class SilentEntry(NamedTuple):
    """What stopped at one place, to be told in one line: a job, a test of it, or one series, and how many series."""

    name: str
    series: int
    one: Silent


def silent_entries(silence: Silence) -> list[SilentEntry]:
    """What stopped: whole jobs first, then tests of the others, and series that stopped alone."""
    whole = {(one.workflow, one.job) for one in silence.jobs}
    jobs: dict[str, list[Silent]] = {}
    tests: dict[tuple[str, int], list[Silent]] = {}
    for one in silence.series:
        if (one.workflow, one.job) in whole:
            jobs.setdefault(f"{one.workflow}: {one.job}", []).append(one)
        else:
            tests.setdefault((f"{one.workflow}: {one.job} / {one.test}", one.last_run_id), []).append(one)
    entries = [SilentEntry(name, len(own), own[0]) for name, own in jobs.items()]
    for (name, _), own in tests.items():
        entries.append(SilentEntry(own[0].series if len(own) == 1 else name, len(own), own[0]))
    return entries


def find_silent(history: History, points: pl.DataFrame, measured: pl.DataFrame, rules: PerfRules) -> Silence:
    """The series of ``points`` that have no value in the newest runs of the default branch or of a schedule.

    Only ended runs of events that the series had values in count. A series is silent after ``SILENT_AFTER`` of them in
    which its job ran, its log read or not, or from which it is gone, or was skipped though nothing failed; after
    ``SKIPPED_AFTER`` whatever was the matter; and where it was without a value for so long before, twice or more, only
    after longer than that. ``measured`` says of each job whose log was read how many values it had.
    """
    runs = watched_runs(history)
    there = points.join(runs.select("run_id", "place"), on="run_id", how="inner")
    workflows = attendance(history, runs, measured, rules)
    tracks = [_Track(row, workflows[row["workflow"]]) for row in _tracks(there).iter_rows(named=True)]
    stopped = [one for one in tracks if one.is_silent]
    silent = [one for one in stopped if not _is_ended(one.name, rules)]
    series = _best_renames([one.silent(_began_after(tracks, one)) for one in silent])
    return Silence(
        repo=history.repo,
        watched=len(tracks),
        runs=runs.height,
        series=series,
        jobs=tuple(_silent_jobs(series, tracks)),
        ended=len(stopped) - len(silent),
        proposals=tuple(dict.fromkeys(one.proposal for one in series if one.proposal is not None)),
    )


def _tracks(points: pl.DataFrame) -> pl.DataFrame:
    """Each series with the places of the runs that have a value of it, and the events of these."""
    return points.group_by("series", maintain_order=True).agg(
        *(pl.col(name).first() for name in SERIES_KEY), pl.col("place").unique().sort(), pl.col("event").unique()
    )


class _Track:
    """A series beside the runs of its workflow: where it has values, and how its job was there where it has none."""

    def __init__(self, row: dict[str, Any], runs: WorkflowRuns) -> None:
        self.name = str(row["series"])
        self.key: Key = (row["workflow"], row["job"], row["test"], row["metric"])
        self._values = np.asarray(row["place"], dtype=np.int64)
        self.first, self.last = int(self._values[0]), int(self._values[-1])
        self._runs = runs
        self._attended = runs.attended(row["job"])
        watched = np.isin(runs.events, [event or "" for event in row["event"]])
        watched[self._values] = True
        self._places = np.flatnonzero(watched)
        self._with = np.searchsorted(self._places, self._values)

    @property
    def reach(self) -> int:
        """Within so many runs of the workflow a series that goes on as another must be there again."""
        longest = int(np.diff(self._values).max(initial=0))
        return max(SKIPPED_AFTER, 2 * longest)

    @property
    def is_silent(self) -> bool:
        return any(self._stopped(counts, least) for counts, least in self._counted())

    def silent(self, began_after: Sequence[Key]) -> Silent:
        """The series as it is told; ``began_after`` are those that it may go on as."""
        without = self._places[self._with[-1] + 1 :]
        last, since, newest = (self._runs.rows[int(place)] for place in (self.last, without[0], without[-1]))
        told = self._counted()[1][0][self._with[-1] + 1 :]
        telling = int(without[np.flatnonzero(told)[-1]]) if told.any() else int(without[-1])
        return Silent(
            series=self.name,
            workflow=self.key[0],
            job=self.key[1],
            test=self.key[2],
            metric=self.key[3],
            reason=_REASONS[Presence(int(self._attended.presence[telling]))],
            runs_without=len(without),
            **{f"last_{name}": last[column] for name, column in _LINK},
            **{f"since_{name}": since[column] for name, column in _LINK},
            newest_url=newest["url"],
            job_failed=bool(self._attended.failed[telling]),
            proposal=nearest_rename(self.key, began_after),
        )

    def _counted(self) -> tuple[tuple[npt.NDArray[np.bool_], int], ...]:
        """Which of the watched runs count, in three ways, and how many of them without a value are too many."""
        presence, failed = self._attended.presence[self._places], self._runs.failed[self._places]
        read = presence >= Presence.NOTHING
        telling = ~((presence == Presence.NOT_RUN) & failed)
        return (read, SILENT_AFTER), (telling, SILENT_AFTER), (np.ones_like(read), SKIPPED_AFTER)

    def _stopped(self, counts: npt.NDArray[np.bool_], least: int) -> bool:
        counts = counts.copy()
        counts[self._with] = False
        passed = np.concatenate(([0], np.cumsum(counts)))[np.append(self._with, len(counts))]
        gaps = np.sort(np.diff(passed[:-1]))
        usual = gaps[:-1]
        longest = int(usual[-1] + GAP_DEVIATIONS * np.std(usual)) if usual.size else 0
        return int(passed[-1] - passed[-2]) >= max(least, longest + 1)


def _is_ended(series: str, rules: PerfRules) -> bool:
    lower = series.lower()
    return any(fnmatch.fnmatchcase(lower, glob.lower()) for glob in rules.ended)


def _began_after(tracks: Sequence[_Track], silent: _Track) -> list[Key]:
    """The series of the same workflow whose first value came when the next one of the silent one was due, or soon."""
    first, last = silent.last + 1, silent.last + silent.reach
    return [one.key for one in tracks if one.key[0] == silent.key[0] and first <= one.first <= last]


def _best_renames(series: Sequence[Silent]) -> tuple[Silent, ...]:
    """The silent series; a new name is proposed for the old one that is nearest to it, and for no other."""
    nearest: dict[tuple[str, str], AliasProposal] = {}
    for one in sorted((one.proposal for one in series if one.proposal), key=lambda one: (-one.likeness, one.old)):
        nearest.setdefault((one.kind, one.new), one)
    return tuple(
        one
        if one.proposal is None or nearest[one.proposal.kind, one.proposal.new].old == one.proposal.old
        else msgspec.structs.replace(one, proposal=None)
        for one in series
    )


def _silent_jobs(series: Sequence[Silent], tracks: Sequence[_Track]) -> Iterator[SilentJob]:
    """The jobs of which no series is left, with the reason that most of them have."""
    alive = Counter((one.key[0], one.key[1]) for one in tracks)
    by_job: dict[tuple[str, str], list[Silent]] = {}
    for one in series:
        by_job.setdefault((one.workflow, one.job), []).append(one)
    for (workflow, job), own in by_job.items():
        if len(own) == alive[workflow, job]:
            first = min(own, key=lambda one: (one.since_at, one.since_run_id))
            yield SilentJob(
                workflow=workflow,
                job=job,
                reason=Counter(one.reason for one in own).most_common(1)[0][0],
                series=len(own),
                runs_without=max(one.runs_without for one in own),
                last_at=max(one.last_at for one in own),
                since_at=first.since_at,
                since_url=first.since_url,
            )
