"""The data files of agent operations as files of the site: the same bytes as those of a report, of equal facts."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Final

import msgspec
import polars as pl

from trackside.agents.bands import FULL, detail_of
from trackside.agents.frames import AgentHistory
from trackside.records.agent_rules import Bands
from trackside.report.agents_data import DataContent, DataFacts, Segment
from trackside.report.agents_document import DaysFile, SegmentFile
from trackside.report.agents_sync_document import FileSize, SyncFacts, sync_document
from trackside.site.facts import AgentFacts, HealthFacts, SiteFacts

DATA_FILE: Final = "agentops-runs.json"
DAYS_FILE: Final = "agentops-runs-days.json"
SYNC_FILE: Final = "agentops-sync.json"
MOST_BYTES: Final = 40_000_000
"""Bytes that all data files may have together, about: with more, older runs are told without their jobs."""
_ALL: Final = 1_000_000_000
_BANDS: Final = (
    Bands(full=200, summary=_ALL, failed=400),
    Bands(full=50, summary=_ALL, failed=100),
    Bands(full=50, summary=2_000, failed=100),
    Bands(full=10, summary=500, failed=50),
)
"""How much is told of the runs of each workflow where all would be too much, the most first."""
_RUN_BYTES, _JOB_BYTES, _STEP_BYTES = 1_400, 700, 200
_GZIP_LEVEL: Final = 6


def changed_at(history: AgentHistory, until: dt.datetime) -> dt.datetime:
    """When the runs changed last, as they tell themselves; ``until`` where none tells it."""
    newest: dt.datetime | None = history.runs.select(pl.max_horizontal("updated_at", "created_at").max()).item()
    return until if newest is None else newest


def data_files(agents: AgentFacts, facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
    """The main file, those that it names, and that of the syncs, as (name, content); nothing of the clock is in them.

    Where all runs with their jobs were more than about MOST_BYTES, the oldest are told without; ``rows`` counts them.
    """
    history = bounded(agents.history)
    content = DataContent(
        DataFacts(
            history=history,
            statistics=agents.statistics,
            window=agents.window,
            sync_file=SYNC_FILE,
            pulls=agents.pulls,
            groups=agents.entries,
        )
    )
    sizes: list[FileSize] = []
    index: list[SegmentFile] = []
    of_month: Counter[str] = Counter()
    for segment in content.segments():
        of_month[segment.month] += 1
        index.append(_segment_file(segment, of_month[segment.month]))
        yield index[-1].file, segment.content
    days, told = None, content.days()
    if told is not None:
        text, rows, left_out = told
        days = DaysFile(file=DAYS_FILE, rows=rows, left_out=left_out, bytes=len(text), sha256=_sha256(text))
        sizes.append(_size(DAYS_FILE, text))
        yield DAYS_FILE, text
    last_updated = changed_at(agents.history, facts.until)
    main = content.main(last_updated, index, days)
    yield DATA_FILE, main
    if facts.health is not None:
        beside = [FileSize(file=one.file, bytes=one.bytes, sha256=one.sha256, runs=one.runs) for one in index]
        files = (_size(DATA_FILE, main, content.newest_runs), *beside, *sizes)
        hours = agents.history.rules.alerts.interval_hours
        yield SYNC_FILE, _sync(facts, facts.health, hours, files, last_updated)


def bounded(history: AgentHistory) -> AgentHistory:
    """The history with bands that keep its data files within about MOST_BYTES; as it is where they are already."""
    rules = history.rules
    if rules.detail == "bands" or _bytes_of(history, None) <= MOST_BYTES:
        return history
    bands = next((one for one in _BANDS if _bytes_of(history, one) <= MOST_BYTES), _BANDS[-1])
    return msgspec.structs.replace(history, rules=msgspec.structs.replace(rules, detail="bands", bands=bands))


def _bytes_of(history: AgentHistory, bands: Bands | None) -> int:
    """About how large the files are with these bands, or with all."""
    jobs, steps, runs = history.history.jobs, history.steps, history.runs.height
    if bands is not None:
        detail = detail_of(history, bands)
        runs = detail.filter(pl.col("detail") != "aggregate").height
        full = detail.filter(pl.col("detail") == FULL).select("run_id", "run_attempt")
        jobs = jobs.join(full, on=["run_id", "run_attempt"], how="semi")
        steps = steps.join(full, on=["run_id", "run_attempt"], how="semi")
    return runs * _RUN_BYTES + jobs.height * _JOB_BYTES + steps.height * _STEP_BYTES


def _segment_file(segment: Segment, number: int) -> SegmentFile:
    name = DATA_FILE.removesuffix(".json")
    return SegmentFile(
        file=f"{name}-{segment.month}{f'-{number}' if number > 1 else ''}.json",
        month=segment.month,
        runs=segment.runs,
        first_run_at=segment.first_run_at,
        last_run_at=segment.last_run_at,
        bytes=len(segment.content),
        sha256=_sha256(segment.content),
    )


def _sync(
    facts: SiteFacts, known: HealthFacts, interval_hours: float, files: tuple[FileSize, ...], updated_at: dt.datetime
) -> bytes:
    return msgspec.json.encode(
        sync_document(
            SyncFacts(
                repository=facts.repo,
                checked_at=facts.synced_at or facts.until,
                interval_hours=interval_hours,
                health=known.health,
                good_at=next((one.ended_at for one in known.health.last if one.status in ("ok", "partial")), None),
                alerts=known.alerts,
            ),
            DATA_FILE,
            files,
            updated_at=updated_at,
        )
    )


def _size(name: str, content: bytes, runs: int | None = None) -> FileSize:
    packed = len(gzip.compress(content, compresslevel=_GZIP_LEVEL, mtime=0))
    return FileSize(file=name, bytes=len(content), gzip_bytes=packed, sha256=_sha256(content), runs=runs)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
