"""Reading what the store holds and nobody read yet: part by part, each kept before the next is begun."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec

from trackside.errors import OutputError
from trackside.records.jobs import Job

T = TypeVar("T")
OnCount = Callable[[int, int], None]
"""Told how many are done, and of how many."""
JOB_COLUMNS: Final = tuple(
    field.name for field in msgspec.structs.fields(Job) if field.name not in ("labels", "runner_id")
)
"""What of a job its log is read with."""


class LogsRead(msgspec.Struct, frozen=True):
    """What reading logs came to: how many were read now; ``unkept`` says why what they told could not be kept."""

    read: int
    unkept: str | None = None


def read_in_parts(waiting: Sequence[T], most: int, read: Callable[[Sequence[T]], None], on_count: OnCount) -> LogsRead:
    """What ``read``, which reads and keeps at ``most`` so many, came to; what cannot be kept ends it."""
    done = 0
    for start in range(0, len(waiting), most):
        part = waiting[start : start + most]
        try:
            read(part)
        except OutputError as error:
            return LogsRead(done, str(error))
        done += len(part)
        on_count(done, len(waiting))
    return LogsRead(done)
