"""Jobs that are no longer there, and jobs that were not there before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import polars as pl

from trackside.ci.stretches import Place, Track, place_of
from trackside.history.frames import History
from trackside.history.names import BarePath, bare_path, stands_in
from trackside.history.outcomes import Outcome


class EndedRun(NamedTuple):
    """A run that ran to its end with jobs: ``stand_ins`` are the bare names of those that were skipped."""

    place: Place
    event: str | None
    row: dict[str, Any]
    stand_ins: frozenset[BarePath]


_FILES: Final = ".github/"


class Attendance:
    """The runs of each workflow and branch line that ended, to ask in which of them a job was missing.

    A workflow that was given another name goes on in its file: jobs of the old name are missing in runs of the new one.

    A skipped job may stand for several: GitHub names a matrix or a called workflow that is skipped once, without its
    values. Such a run says nothing of the jobs that it stands for.
    """

    def __init__(self, history: History) -> None:
        runs = history.runs.filter(pl.col("is_latest") & pl.col("outcome").is_in(["passed", "failed"]))
        jobs = history.whole.jobs
        runs = runs.join(jobs.select("run_id").unique(), on="run_id", how="semi")
        skipped = jobs.filter(pl.col("outcome") == Outcome.SKIPPED.value)
        names = dict(skipped.group_by("run_id").agg(pl.col("job").unique()).iter_rows())
        bare: dict[str, BarePath] = {}
        self._runs: dict[tuple[str, str | None], list[EndedRun]] = {}
        by_file: dict[tuple[str, str | None], list[EndedRun]] = {}
        files: dict[tuple[str, str | None], set[str]] = {}
        told = ["run_id", "run_number", "workflow", "workflow_file", "line", "event", "sha", "url", "created_at"]
        for row in runs.select(told).rename({"created_at": "run_created_at", "url": "run_url"}).iter_rows(named=True):
            stand_ins = frozenset(
                bare.get(name) or bare.setdefault(name, bare_path(name)) for name in names.get(row["run_id"], ())
            )
            run = EndedRun(place_of(row), row["event"], row, stand_ins)
            self._runs.setdefault((row["workflow"], row["line"]), []).append(run)
            # Others (``dynamic/…``) run under many names at once.
            if (row["workflow_file"] or "").startswith(_FILES):
                by_file.setdefault((row["workflow_file"], row["line"]), []).append(run)
                files.setdefault((row["workflow"], row["line"]), set()).add(row["workflow_file"])
        for (workflow, line), found in self._runs.items():
            for file in files.get((workflow, line), ()):
                found.extend(run for run in by_file[file, line] if run.row["workflow"] != workflow)
            found.sort(key=lambda run: run.place)

    def gone_since(self, track: Track, rows: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], int] | None:
        """The first ended run without a job that is gone, and how many there are; None for a job that is there.

        A job is gone where more runs in a row ended without it than ever did between two in which it was. Only runs of
        events that it ran for count.
        """
        gaps = self._gaps(track, rows)
        missing = gaps[-1]
        if len(missing) <= max((len(gap) for gap in gaps[1:-1]), default=0):
            return None
        return missing[0].row, len(missing)

    def runs_before(self, track: Track, rows: Sequence[dict[str, Any]]) -> int:
        """How many ended runs before the first one with the job were without it."""
        return len(self._gaps(track, rows)[0])

    def _gaps(self, track: Track, rows: Sequence[dict[str, Any]]) -> list[list[EndedRun]]:
        """The ended runs without the job: before it was first there, between two times, and since the last time."""
        events = {row["event"] for row in rows}
        path = bare_path(track.job or "")
        there = [place_of(row) for row in rows]
        gaps: list[list[EndedRun]] = [[] for _ in range(len(there) + 1)]
        at = 0
        for run in self._runs.get((track.workflow, track.line), ()):
            while at < len(there) and there[at] < run.place:
                at += 1
            with_job = at < len(there) and there[at] == run.place
            if run.event in events and not with_job and not stands_in(run.stand_ins, path):
                gaps[at].append(run)
        return gaps
