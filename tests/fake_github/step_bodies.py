"""The JSON of steps, joined from pieces: there are millions of them, and most jobs share one list of steps."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import msgspec

from tests.fake_github.clock import stamp
from tests.fake_github.things import Job, Step

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
Piece = tuple[bytes, int | None, int | None]


class _Pieces:
    """What is the same in each job of a list of steps; the list is kept so that its identity stays its own."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[tuple[Step, ...], list[Piece]]] = {}

    def of(self, steps: tuple[Step, ...]) -> list[Piece]:
        found = self._kept.get(id(steps))
        if found is None:
            found = self._kept[id(steps)] = (steps, [_piece(step) for step in steps])
        return found[1]


_PIECES = _Pieces()


def _piece(step: Step) -> Piece:
    end = None if step.start_s is None or step.length_s is None else step.start_s + step.length_s
    status = "queued" if step.start_s is None else "in_progress" if end is None else "completed"
    told = {"name": step.name, "status": status, "conclusion": None if end is None else step.conclusion}
    return msgspec.json.encode({**told, "number": step.number})[:-1], step.start_s, end


@lru_cache(maxsize=1 << 16)
def _quoted(second: int) -> bytes:
    return f'"{stamp(_EPOCH + dt.timedelta(seconds=second))}"'.encode()


def steps_json(job: Job) -> bytes:
    """The ``steps`` of a job in GitHub's words: whole seconds, numbers with gaps."""
    begun = int((job.started_at or job.created_at).timestamp())
    written = [
        b'%s,"started_at":%s,"completed_at":%s}'
        % (
            head,
            b"null" if start is None else _quoted(begun + start),
            b"null" if end is None else _quoted(begun + end),
        )
        for head, start, end in _PIECES.of(job.steps)
    ]
    return b"[" + b",".join(written) + b"]"
