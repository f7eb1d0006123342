"""What fits: rows of the data file as JSON under a limit of bytes, with a count of what does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar

import msgspec

from trackside.report.agents_run_records import DataJob, DataRun

MOST_FILE_BYTES: Final = 4_000_000
"""Bytes of a file: no page loads more than 5 MB, and 80 % of 5 MiB are alarming already."""
MOST_RUN_BYTES: Final = 1_500_000
"""Bytes of one run attempt: with more, steps and then jobs are left out."""
T = TypeVar("T")


class PackedRun(msgspec.Struct, frozen=True):
    """A run attempt as JSON on a line of its own, and what was left out of it."""

    run: DataRun
    json: bytes
    steps_left_out: int = 0
    jobs_left_out: int = 0


def pack_run(run: DataRun, most_bytes: int = MOST_RUN_BYTES) -> PackedRun:
    """``run`` as JSON, at most ``most_bytes`` long: without the steps of jobs that did well where it is longer, then
    without any, then without the jobs that do not fit."""
    text = _json(run)
    if len(text) <= most_bytes or run.jobs is None:
        return PackedRun(run, text)
    before, jobs = _steps(run.jobs), run.jobs
    for worse in (False, True):
        jobs = tuple(one if one.failed_step and not worse else _without_steps(one) for one in run.jobs)
        smaller = msgspec.structs.replace(run, jobs=jobs)
        text = _json(smaller)
        if len(text) <= most_bytes:
            return PackedRun(smaller, text, steps_left_out=before - _steps(jobs))
    room = most_bytes - len(_json(msgspec.structs.replace(run, jobs=())))
    kept, left_out = fitting(jobs, room)
    smaller = msgspec.structs.replace(run, jobs=kept)
    return PackedRun(smaller, _json(smaller), steps_left_out=before, jobs_left_out=left_out)


def fitting(rows: Iterable[T], most_bytes: int) -> tuple[tuple[T, ...], int]:
    """The rows that fit into so many bytes of JSON, the first ones first, and how many do not."""
    kept: list[T] = []
    left_out, size = 0, 0
    for row in rows:
        more = len(msgspec.json.encode(row)) + 1
        if size + more > most_bytes:
            left_out += 1
            continue
        size += more
        kept.append(row)
    return tuple(kept), left_out


def fitting_names(rows: Mapping[str, T], most_bytes: int) -> tuple[dict[str, T], int]:
    """The same for rows by name."""
    kept, left_out = fitting(rows.items(), most_bytes)
    return dict(kept), left_out


def parts(runs: Iterable[PackedRun], most_bytes: int) -> Iterator[list[PackedRun]]:
    """The runs in their order in parts that are each at most so many bytes of JSON, or one run long."""
    part: list[PackedRun] = []
    size = 0
    for run in runs:
        if part and size + len(run.json) + 1 > most_bytes:
            yield part
            part, size = [], 0
        part.append(run)
        size += len(run.json) + 1
    if part:
        yield part


def _json(run: DataRun) -> bytes:
    # On a line of its own: whoever keeps the file in git keeps what changed.
    return b"\n" + msgspec.json.encode(run)


def _steps(jobs: Iterable[DataJob]) -> int:
    return sum(len(job.steps or ()) for job in jobs)


def _without_steps(job: DataJob) -> DataJob:
    return msgspec.structs.replace(job, steps=None)
