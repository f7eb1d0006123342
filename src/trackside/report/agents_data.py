"""What goes into the data files: the newest runs into the main one, older ones into segments by month."""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, groupby
from typing import Any, Final, NamedTuple, cast

import msgspec
import polars as pl

from trackside.agents.bands import AGGREGATE, FULL, aggregates_of, detail_of
from trackside.agents.frames import AgentHistory
from trackside.agents.group_records import DayRow, Statistics
from trackside.agents.knowledge import Entry
from trackside.records.pulls import PullRequest
from trackside.report.agents_document import (
    DATA_VERSION,
    AgentsDocument,
    DataWindow,
    DaysDocument,
    DaysFile,
    LeftOut,
    Rows,
    SegmentFile,
)
from trackside.report.agents_figures import (
    MOST_RECENT,
    completeness_of,
    figures_by_name,
    recent_failures,
    summary_of,
    window_with_ends,
)
from trackside.report.agents_old_files import UNDATED
from trackside.report.agents_packing import (
    MOST_FILE_BYTES,
    MOST_RUN_BYTES,
    PackedRun,
    fitting,
    pack_run,
    parts,
)
from trackside.report.agents_run_records import DataRun
from trackside.report.agents_run_rows import RunRows, https_link

STATISTICS_BYTES: Final = {
    "workflows": 150_000,
    "agents": 100_000,
    "jobs": 200_000,
    "steps": 300_000,
    "slowest": 100_000,
    "failed": 150_000,
}
"""Bytes of each table of the statistics in the main file; rows that do not fit are counted."""
NAMES_BYTES: Final = 100_000
"""Bytes of the workload, and of the figures by workflow."""
GROUP_BYTES: Final = 300_000
AGGREGATE_BYTES: Final = 400_000
KEPT_FREE_BYTES: Final = 500_000
"""Bytes that are kept free for the failures of the last day and the index of the other files."""
RECENT_BYTES: Final = 200_000
_FILE_FULL: Final = "the file would be too large"
_RUN_LARGE: Final = "the run attempt alone is too large"
_ATTEMPT: Final = ["run_id", "run_attempt"]


class Segment(NamedTuple):
    """A file with older runs: the month of their creation, its bytes, and what the index tells of it."""

    month: str
    content: bytes
    runs: int
    first_run_at: dt.datetime | None
    last_run_at: dt.datetime | None


class DataFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the data files are made of.

    ``groups`` are the entries of the knowledge base, ``pulls`` the pull requests that are known, by number.
    ``most_bytes`` bounds each file; without it the main file holds everything.
    """

    history: AgentHistory
    statistics: Statistics
    window: DataWindow
    sync_file: str
    pulls: Mapping[int, PullRequest] = {}
    groups: tuple[Entry, ...] = ()
    most_bytes: int | None = MOST_FILE_BYTES


class DataContent:
    """The content of the data files. When it is made is not in it, but for ``last_updated``.

    ``segments`` are taken first, once: the main file tells of them.
    """

    def __init__(self, facts: DataFacts) -> None:
        self.repository = facts.history.history.repo
        self._facts = facts
        self._most_bytes = sys.maxsize if facts.most_bytes is None else facts.most_bytes
        order = ["created_at", *_ATTEMPT]
        self._runs = facts.history.runs.sort(order, descending=True, nulls_last=True)
        self._left_out: Counter[tuple[str, str]] = Counter()
        self._rows = self._run_rows()
        self._fixed = self._fixed_parts()
        own, self._without_jobs, self._dropped = self._banded()
        packed = self._packed(self._rows.rows(own, self._without_jobs))
        self._newest, self._older = _first(packed, self._room())

    @property
    def newest_runs(self) -> int:
        """How many run attempts the main file has."""
        return len(self._newest)

    def segments(self) -> Iterator[Segment]:
        """The files with the runs that the main file has no room for, the newest first."""
        room = self._most_bytes - 2 * NAMES_BYTES - len(self._segment("", ()))
        for month, own in groupby(self._older, lambda packed: _month(packed.run.created_at)):
            for part in parts(own, room):
                times = [packed.run.created_at for packed in part if packed.run.created_at is not None]
                ends = (min(times, default=None), max(times, default=None))
                yield Segment(month, self._segment(month, part), len(part), *ends)

    def days(self) -> tuple[bytes, int, int] | None:
        """The file with figures by day, its rows, and how many do not fit; None where there are no figures."""
        days = self._facts.statistics.days
        if not days:
            return None
        ordered = sorted(enumerate(days), key=lambda one: (one[1].step is not None, -one[1].day.toordinal()))
        kept, left_out = fitting((_Placed(*one) for one in ordered), self._most_bytes - 1_000)
        rows = tuple(one.row for one in sorted(kept, key=lambda one: one.place))
        document = DaysDocument(schema_version=DATA_VERSION, repository=self.repository, left_out=left_out, days=rows)
        return msgspec.json.encode(document), len(rows), left_out

    def main(self, last_updated: dt.datetime, segments: Iterable[SegmentFile], days: DaysFile | None) -> bytes:
        """The main file as it is where the runs changed last at ``last_updated``."""
        index = tuple(segments)
        recent = recent_failures(self._runs, last_updated).head(MOST_RECENT)
        keys = set(recent.select(_ATTEMPT).iter_rows())
        # Rows of their own: what is cut of them is counted with the runs.
        rows = self._run_rows().rows(recent, keys)
        document = msgspec.structs.replace(
            self._fixed,
            last_updated=stamp(last_updated),
            summary=summary_of(self._runs, last_updated),
            rows=self._account(sum(one.runs for one in index)),
            segments=index,
            days=days,
            recent_failures=fitting(rows, RECENT_BYTES)[0],
            runs=_raw(self._newest),
        )
        return msgspec.json.encode(document)

    def _run_rows(self) -> RunRows:
        return RunRows(self._facts.history, self._facts.pulls, self._facts.statistics.failed)

    def _fixed_parts(self) -> AgentsDocument:
        """What does not depend on when it is made, and on which runs the main file has room for."""
        facts = self._facts
        groups, more = fitting(map(_linked, facts.groups), self._limit(GROUP_BYTES))
        named, left_out = figures_by_name(self._runs, self._limit(NAMES_BYTES))
        for what, count in {"failure groups": more, **left_out}.items():
            self._left_out[what, _FILE_FULL] += count
        return AgentsDocument(
            repository=self.repository,
            **named,
            window=window_with_ends(facts.window, self._runs),
            completeness=completeness_of(facts.history),
            sync_file=facts.sync_file,
            statistics=self._statistics(),
            failure_groups=groups,
        )

    def _statistics(self) -> Statistics:
        told = self._facts.statistics
        failed = tuple(msgspec.structs.replace(one, url=https_link(one.url)) for one in told.failed)
        told = msgspec.structs.replace(told, failed=failed)
        if self._facts.most_bytes is None:
            return told
        kept: dict[str, Any] = {"days": ()}
        for name, most_bytes in STATISTICS_BYTES.items():
            kept[name], more = fitting(getattr(told, name), most_bytes)
            self._left_out[f"rows of statistics.{name}", _FILE_FULL] += more
        return msgspec.structs.replace(told, **kept)

    def _banded(self) -> tuple[pl.DataFrame, set[tuple[int, int]], int]:
        """The runs that files have, those of them whose jobs are left out, and how many are in no file."""
        history, rules = self._facts.history, self._facts.history.rules
        if rules.detail == "all":
            return self._runs, set(), 0
        detail = detail_of(history, rules.bands)
        gone = detail.filter(pl.col("detail") == AGGREGATE)
        aggregates, more = fitting(aggregates_of(history, gone), self._limit(AGGREGATE_BYTES))
        self._fixed = msgspec.structs.replace(self._fixed, aggregates=aggregates)
        self._left_out["aggregates", _FILE_FULL] += more
        without = detail.filter(~pl.col("detail").is_in([FULL, AGGREGATE])).select(_ATTEMPT)
        self._left_out["run attempts", "older than the bands of [agents.bands]: in the aggregates only"] += gone.height
        self._left_out["jobs of run attempts", "older than the full band of [agents.bands]"] += without.height
        kept = self._runs.join(gone, on=_ATTEMPT, how="anti", maintain_order="left")
        return kept, set(without.iter_rows()), gone.height

    def _limit(self, most_bytes: int) -> int:
        return sys.maxsize if self._facts.most_bytes is None else most_bytes

    def _room(self) -> int:
        return self._most_bytes - KEPT_FREE_BYTES - len(msgspec.json.encode(self._fixed))

    def _packed(self, rows: Iterable[DataRun]) -> Iterator[PackedRun]:
        for row in rows:
            packed = pack_run(row, self._limit(MOST_RUN_BYTES))
            self._left_out["steps", _RUN_LARGE] += packed.steps_left_out
            self._left_out["jobs", _RUN_LARGE] += packed.jobs_left_out
            yield packed

    def _segment(self, month: str, part: Iterable[PackedRun]) -> bytes:
        runs = list(part)
        keys = pl.DataFrame(
            [(one.run.id, one.run.run_attempt) for one in runs],
            schema=dict.fromkeys(_ATTEMPT, pl.Int64),
            orient="row",
        )
        own = self._runs.join(keys, on=_ATTEMPT, how="semi")
        changed: Any = own["updated_at"].max() or own["created_at"].max()
        document = AgentsDocument(
            repository=self.repository,
            last_updated=None if changed is None else stamp(changed),
            segment=month,
            summary=summary_of(own, changed or dt.datetime.max.replace(tzinfo=dt.UTC)),
            **figures_by_name(own, NAMES_BYTES)[0],
            runs=_raw(runs),
        )
        return msgspec.json.encode(document)

    def _account(self, in_segments: int) -> Rows:
        cut = {
            ("texts", "cut: a text has at most 300 characters"): self._rows.texts_cut,
            ("items of lists", "a list of labels, steps, numbers or artifacts has at most 50"): self._rows.items_cut,
        }
        told = [*self._left_out.items(), *cut.items()]
        return Rows(
            selected=self._runs.height,
            in_this_file=len(self._newest),
            in_segments=in_segments,
            dropped=self._dropped,
            left_out=tuple(LeftOut(what=what, count=n, reason=why) for (what, why), n in sorted(told) if n),
        )


class _Placed(NamedTuple):
    place: int
    row: DayRow


def stamp(moment: dt.datetime) -> str:
    """A time as the established file tells when it was written."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


def _first(packed: Iterator[PackedRun], room: int) -> tuple[list[PackedRun], Iterator[PackedRun]]:
    """The first runs, as many as fit into ``room`` bytes, and the others."""
    taken: list[PackedRun] = []
    for one in packed:
        room -= len(one.json) + 1
        if room < 0:
            return taken, chain([one], packed)
        taken.append(one)
    return taken, iter(())


def _raw(packed: Iterable[PackedRun]) -> tuple[DataRun, ...]:
    """The runs as they were encoded, to stand in a document that is encoded."""
    return cast("tuple[DataRun, ...]", tuple(msgspec.Raw(one.json) for one in packed))


def _month(created_at: dt.datetime | None) -> str:
    return UNDATED if created_at is None else f"{created_at.astimezone(dt.UTC):%Y-%m}"


def _linked(entry: Entry) -> Entry:
    """The entry with the addresses only that a page may make links of."""
    runs = tuple(msgspec.structs.replace(run, url=https_link(run.url)) for run in entry.runs)
    return msgspec.structs.replace(entry, runs=runs, link=https_link(entry.link))
