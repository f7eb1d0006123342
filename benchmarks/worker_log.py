"""One worker's log file being written, and the count of what went into it."""

from __future__ import annotations

from collections import Counter
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, Final

from benchmarks.prefixes import Clock

_BLOCK: Final = 8192
_SETTLED_S: Final = 6.0
"""Lines older than this are written: nothing earlier can still come (an interval of 40 steps is shorter)."""


class WorkerLog:
    """Collects lines with their times, writes them in time order, counts kinds, ranks and tokens."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()
        self.ranks: dict[str, Counter[str]] = {}
        self.size_bytes = 0
        self._clock = clock
        self._held: list[tuple[float, str]] = []
        self._span: list[float] = []
        self._batch_span: list[float] = []
        self._out: BinaryIO = path.open("wb")

    def add(self, time_s: float, text: str, kind: str) -> None:
        """Take one text of one or more whole lines, whose first is of this kind."""
        self._held.append((time_s, text))
        self.counts[kind] += 1
        if len(self._held) >= _BLOCK:
            self._write(time_s - _SETTLED_S)

    def add_batch(self, time_s: float, text: str, kind: str, tag: str) -> None:
        """Take one batch line of one rank."""
        self.ranks.setdefault(tag, Counter())[kind] += 1
        if not self._batch_span:
            self._batch_span = [time_s, time_s]
        self._batch_span = [min(time_s, self._batch_span[0]), max(time_s, self._batch_span[1])]
        self.add(time_s, text, kind)

    def count_tokens(self, new_seq: int, new_token: int, cached_token: int) -> None:
        """Add what one prefill line says."""
        self.counts["new_seq"] += new_seq
        self.counts["new_token"] += new_token
        self.counts["cached_token"] += cached_token

    def _write(self, before_s: float) -> None:
        held = self._held
        held.sort(key=itemgetter(0))
        until = len(held)
        while until and held[until - 1][0] >= before_s:
            until -= 1
        if not until:
            return
        block = "".join([text for _, text in held[:until]])
        self._span = [self._span[0] if self._span else held[0][0], held[until - 1][0]]
        self.counts["lines"] += block.count("\n")
        self.counts["carriage_returns"] += block.count("\r")
        self.size_bytes += self._out.write(block.encode())
        del held[:until]

    def close(self) -> None:
        """Write what is held."""
        self._write(float("inf"))
        self._out.close()

    def truth(self) -> dict[str, Any]:
        """What the file holds, as plain data; stamps are None where no line has one."""
        stamps = [self._clock.at(time_s) for time_s in self._span] or None
        batch = [self._clock.at(time_s) for time_s in self._batch_span] or None
        kinds = ("prefill", "decode", "memory", "access")
        names = ("lines", "carriage_returns", *kinds, "new_seq", "new_token", "cached_token")
        return {
            "bytes": self.size_bytes,
            **{name: self.counts[name] for name in names},
            "other": self.counts["lines"] - sum(self.counts[kind] for kind in kinds),
            "first_stamp": stamps and stamps[0],
            "last_stamp": stamps and stamps[1],
            "first_batch_stamp": batch and batch[0],
            "last_batch_stamp": batch and batch[1],
            "ranks": {tag: dict(sorted(counts.items())) for tag, counts in sorted(self.ranks.items())},
            "planted": [],
        }
