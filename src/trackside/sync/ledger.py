"""The ledger of a sync while it runs."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec

from trackside.github.clock import Clock
from trackside.github.meter import Metered
from trackside.records.jobs import Job
from trackside.records.syncs import Interval, Missing, SyncRecord, shared_reason

SAMPLES: Final = 5


class SyncLedger:
    """Counts what a sync does. ``record`` gives the account at any moment."""

    def __init__(self, repo: str, api: str, scope: str, window: Interval, clock: Clock) -> None:
        self.repo = repo
        self.listed: list[Interval] = []
        self.swept = False
        self.default_branch: str | None = None
        self.counts: Counter[str] = Counter()
        self.completeness: float | None = None
        self.notes: list[str] = []
        self._api = api
        self._scope = scope
        self._window = window
        self._clock = clock
        self._started_at = clock.now()
        self._phases_s: dict[str, float] = {}
        self._missing: dict[tuple[str, str], Missing] = {}
        self._problems: list[str] = []

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Counts the time spent inside as that of the phase."""
        began = self._clock.monotonic()
        try:
            yield
        finally:
            self._phases_s[name] = self._phases_s.get(name, 0.0) + self._clock.monotonic() - began

    def miss(self, missing: Iterable[Missing]) -> None:
        """Adds what could not be had; the same thing for the same reason, whatever its id, is one entry."""
        for item in missing:
            key = (item.what, shared_reason(item.reason))
            if (before := self._missing.get(key)) is not None:
                samples = tuple(dict.fromkeys((*before.samples, *item.samples)))[:SAMPLES]
                reason = item.reason if item.reason == before.reason else key[1]
                item = msgspec.structs.replace(item, reason=reason, count=before.count + item.count, samples=samples)
            self._missing[key] = item

    def problem(self, sentences: Sequence[str]) -> None:
        """Adds fields or items that could not be understood."""
        self.counts["parse_errors"] += len(sentences)
        self._problems += sentences[: SAMPLES - len(self._problems)]

    def took(self, jobs: Sequence[Job]) -> None:
        """Adds jobs that came."""
        self.counts["jobs_new"] += len(jobs)
        self.counts["steps_new"] += sum(len(job.steps) for job in jobs)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing."""
        return not self._missing

    def record(self, metered: Metered, *, failed: bool = False) -> SyncRecord:
        """The account as it stands."""
        status = "failed" if failed else "ok" if self.is_complete else "partial"
        return SyncRecord(
            repo=self.repo,
            sync_id=f"{self._started_at:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}",
            started_at=self._started_at,
            ended_at=self._clock.now(),
            status=status,
            api=self._api,
            window_start=self._window.start,
            window_stop=self._window.stop,
            scope=self._scope,
            listed=tuple(self.listed),
            swept=self.swept,
            calls=metered.calls,
            billed=metered.billed,
            waited_s=metered.waited_s,
            bytes=metered.bytes,
            endpoints=metered.endpoints,
            failed_calls=metered.failed_calls,
            limits=metered.limits,
            missing=tuple(self._missing.values()),
            parse_error_samples=tuple(self._problems),
            completeness=self.completeness,
            phases_s=dict(self._phases_s),
            default_branch=self.default_branch,
            notes=tuple(self.notes),
            **self.counts,
        )
