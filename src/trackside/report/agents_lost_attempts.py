"""What a data file would lose: run attempts, and jobs of them, that are in the file and not in the store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from trackside.report.agents_document import DataWindow
from trackside.report.agents_old_files import MOST_BYTES, OldFile, read_old

_SELECTION: Final = ("workflows", "ignored_workflows", "branch", "event", "jobs")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a new data file is of: the run attempts ``runs`` (columns AGENT_RUN_COLUMNS) of ``window``.

    They were created from ``since`` (None: ever) to ``until``, and are the newest ``limit`` (None: all) runs of it.
    """

    runs: pl.DataFrame
    window: DataWindow
    since: dt.datetime | None
    until: dt.datetime
    limit: int | None = None


class _Run(msgspec.Struct):
    id: int
    run_attempt: int
    created_at: dt.datetime | None = None
    jobs_status: str = "not_read"


class _File(msgspec.Struct):
    runs: list[_Run]
    window: DataWindow | None = None


def lost_words(path: Path, wanted: Wanted) -> str | None:
    """What the data file at ``path``, its segments included, tells of the same window and ``wanted`` does not.

    A part of a sentence; None where nothing is lost, and where the file is of another selection of runs.
    """
    old = read_old(path)
    if not isinstance(old, OldFile):
        return None
    keys = zip(*(wanted.runs[name] for name in ("run_id", "run_attempt", "jobs")), strict=True)
    known = {(run_id, attempt): jobs is not None for run_id, attempt, jobs in keys}
    gone = unread = 0
    for run in _runs(path, old, wanted.window):
        if not _is_within(run.created_at, wanted):
            continue
        has_jobs = known.get((run.id, run.run_attempt))
        gone += has_jobs is None
        unread += has_jobs is False and run.jobs_status != "not_read"
    told = [f"{gone:,} of these" if gone else "", f"the jobs of {unread:,} of these" if unread else ""]
    lost = " and ".join(one for one in told if one)
    return f"{lost} did not come yet" if lost else None


def _runs(path: Path, old: OldFile, window: DataWindow) -> Iterator[_Run]:
    """The runs of the main file and of its segments, a file at a time; none where it is of another selection."""
    main = _file(old.content)
    if main is None or main.window is None:
        return
    if any(getattr(main.window, name) != getattr(window, name) for name in _SELECTION):
        return
    yield from main.runs
    for one in old.segments:
        segment = _segment(path.with_name(Path(one.file).name))
        if segment is not None:
            yield from segment.runs


def _segment(path: Path) -> _File | None:
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        return _file(path.read_bytes())
    except OSError:
        return None


def _file(content: bytes) -> _File | None:
    try:
        return msgspec.json.decode(content, type=_File)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _is_within(created_at: dt.datetime | None, wanted: Wanted) -> bool:
    """Whether a run of that creation is one that ``wanted`` would have."""
    if created_at is None or created_at.tzinfo is None or created_at > wanted.until:
        return False
    start = wanted.since
    if wanted.limit is not None and wanted.runs["run_id"].n_unique() >= wanted.limit:
        start = wanted.runs["created_at"].min()  # type: ignore[assignment]
    return start is None or created_at >= start
