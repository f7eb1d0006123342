"""The same error over many jobs is one group: how often, since when, where, and whether it is new."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from trackside.ci.failed_attempts import failed_attempts, line_link
from trackside.history.frames import History
from trackside.records.failures import Source

_COLUMNS: Final = (
    "job_id", "run_id", "run_number", "run_url", "url", "ended_at", "workflow", "job", "line", "is_default_line",
    "pull_number", "sha", "runner_name", "failed_step_number", "cause", "line_text", "line_number", "context", "test",
    "fingerprint", "observed_at",
)  # fmt: skip
_LONG_AGO: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """One failed attempt of a job in which the error was seen. ``url`` is the job at its failed step."""

    at: dt.datetime
    run_id: int
    run_number: int | None
    run_url: str | None
    url: str | None
    sha: str | None


class FailureGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The failed attempts of jobs whose logs show the same error.

    ``failures`` counts attempts, ``runs`` the runs they are of. ``jobs`` (``workflow / job``), ``lines`` and ``causes``
    stand the most frequent first. ``runners`` counts the runners they ran on, 0 where none is told. ``line_text`` is
    the line that matters as the newest of them shows it, ``line_number`` counts its log's lines from 1, ``context``
    are the lines around it. ``is_new`` says that the error was not known when the last report was made.
    """

    fingerprint: str
    is_new: bool
    failures: int
    runs: int
    first: Sighting
    last: Sighting
    jobs: tuple[str, ...]
    lines: tuple[str, ...]
    on_default_line: bool
    pulls: tuple[int, ...]
    causes: tuple[str, ...]
    runners: int
    test: str | None
    line_text: str | None
    line_number: int | None
    context: tuple[str, ...]


class FailureGroups(msgspec.Struct, frozen=True, kw_only=True):
    """The groups of a window: new ones first, then by how often they were seen, then by the last time.

    Of ``failures`` failed attempts ``without_log`` have no log that was read, and ``unrecognised`` have one without a
    line that tells an error: they are in no group. ``last_report_at`` is what new is counted from; None where no
    report was made before, and then no group is marked as new.
    """

    groups: tuple[FailureGroup, ...]
    failures: int
    without_log: int
    unrecognised: int
    last_report_at: dt.datetime | None

    @property
    def new(self) -> tuple[FailureGroup, ...]:
        """The groups that were not known at the last report."""
        return tuple(group for group in self.groups if group.is_new)


def group_failures(
    history: History, *, last_report_at: dt.datetime | None = None, seen_before: frozenset[str] = frozenset()
) -> FailureGroups:
    """The failed attempts of the window by their fingerprint.

    ``seen_before`` are fingerprints that were known before the last report; so is each one that has a failure which
    was looked at until then.
    """
    failed = failed_attempts(history)
    read = pl.col("source").eq_missing(Source.LOG.value)
    marked = pl.col("fingerprint").is_not_null()
    known_at = _when_known(failed, last_report_at)
    rows = failed.filter(marked).with_columns(known_at.alias("observed_at")).select(_COLUMNS)
    groups = [
        _group(part.rows(named=True), last_report_at, seen_before)
        for part in rows.partition_by("fingerprint", maintain_order=True)
    ]
    groups.sort(key=lambda one: (not one.is_new, -one.failures, _LONG_AGO - one.last.at, one.fingerprint))
    return FailureGroups(
        groups=tuple(groups),
        failures=failed.height,
        without_log=failed.filter(~marked & ~read).height,
        unrecognised=failed.filter(~marked & read).height,
        last_report_at=last_report_at,
    )


def _when_known(failed: pl.DataFrame, last_report_at: dt.datetime | None) -> pl.Expr:
    """When each failure came to be known.

    Where nothing at all was looked at before the last report, all logs were read since: by newer rules, which give
    other fingerprints, or for the first time. Then only what failed since counts as new.
    """
    if last_report_at is None:
        return pl.col("observed_at")
    looked_at = failed.filter(pl.col("observed_at") <= last_report_at)
    return pl.col("ended_at") if looked_at.is_empty() else pl.col("observed_at")


def _group(rows: Sequence[dict[str, Any]], last_report_at: dt.datetime | None, known: frozenset[str]) -> FailureGroup:
    """The group of rows of one fingerprint, the oldest first."""
    newest = rows[-1]
    return FailureGroup(
        fingerprint=newest["fingerprint"],
        is_new=_is_new(rows, last_report_at, known),
        failures=len(rows),
        runs=len({row["run_id"] for row in rows}),
        first=_sighting(rows[0]),
        last=_sighting(newest),
        jobs=ranked(f"{row['workflow']} / {row['job']}" for row in rows),
        lines=ranked(row["line"] for row in rows if row["line"] is not None),
        on_default_line=any(row["is_default_line"] for row in rows),
        pulls=tuple(sorted({row["pull_number"] for row in rows if row["pull_number"] is not None})),
        causes=ranked(row["cause"] for row in rows if row["cause"] is not None),
        runners=len({row["runner_name"] for row in rows if row["runner_name"]}),
        test=next((row["test"] for row in reversed(rows) if row["test"]), None),
        line_text=newest["line_text"],
        line_number=newest["line_number"],
        context=tuple(newest["context"] or ()),
    )


def _is_new(rows: Sequence[dict[str, Any]], last_report_at: dt.datetime | None, known: frozenset[str]) -> bool:
    if last_report_at is None or rows[0]["fingerprint"] in known:
        return False
    return all(row["observed_at"] is None or row["observed_at"] > last_report_at for row in rows)


def _sighting(row: dict[str, Any]) -> Sighting:
    return Sighting(
        at=row["ended_at"] or _LONG_AGO,
        run_id=row["run_id"],
        run_number=row["run_number"],
        run_url=row["run_url"],
        url=line_link(row["url"], row["failed_step_number"]),
        sha=row["sha"],
    )


def ranked(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, the most frequent first."""
    return tuple(name for name, _ in sorted(Counter(names).items(), key=lambda item: (-item[1], item[0])))
