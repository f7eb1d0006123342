"""The story of the performance collector on a terminal: the established lines, what is new at the end of each block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from trackside.perf.change_records import Changes, Search, Verdict
from trackside.perf.collection import READ, Collection
from trackside.perf.silence import Silence
from trackside.report.ci_failures import minute, named
from trackside.report.ledger import counted
from trackside.report.perf_tables import TestFiles
from trackside.report.safe_text import safe_text

NO_RUNS: Final = "No performance data found"
_RULE: Final = "=" * 60
_WHY: Final = {
    "expired": "expired",
    "never": "never written",
    "not_yet": "not written yet",
    "unreadable": "unreadable this time",
    "not_asked": "not asked for",
    "ready": "not searched yet",
}


class JobCount(msgspec.Struct, frozen=True, kw_only=True):
    """How much was measured in a job: its tests, and the rows of their tables."""

    workflow: str
    job: str
    tests: int
    records: int


class WrittenFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What a report left in ``folder``: how many tables and charts, and the other files by what they are.

    ``tries`` counts the tables of tries that another try followed.
    """

    folder: Path
    tables: int
    charts: int
    tries: int = 0
    others: tuple[tuple[str, Path], ...] = ()


def collection_lines(collection: Collection, repo: str, *, name: str | None, limit: int | None) -> Iterator[str]:
    """What was looked at, run by run; ``name`` is what the repository is called."""
    yield from (_RULE, safe_text(f"{name or repo} Performance Analysis Report"), _RULE, "")
    runs, workflow = collection.runs, safe_text(collection.workflow)
    recent = f"recent {limit} {workflow} runs" if limit is not None else f"{workflow} runs"
    yield from (f"Getting {recent}...", f"Got {len(runs)} {_within(workflow)} runs...", "")
    yield "Collecting performance data from CI runs..."
    for run in runs:
        yield f"Processing run {'?' if run.run_number is None else run.run_number} ({minute(run.created_at)})..."
        yield from (f"  Found {safe_text(job)} job ({safe_text(ending)})" for job, ending in run.jobs)
    yield from ("", "Performance data collection completed!")
    yield from (f"  {line}" for line in basis_lines(collection, repo))


def basis_lines(collection: Collection, repo: str) -> Iterator[str]:
    """What the values are of: the window, logs that were read and why others were not, failures, silent jobs."""
    runs, jobs = collection.runs, collection.jobs
    if runs:
        ends = sorted(run.created_at for run in runs)
        span = f"{minute(ends[0])} to {minute(ends[-1])} UTC"
        yield f"Window: {counted(len(runs), 'run')} of {safe_text(repo)} created {span}"
    read, *others = log_words(collection).items()
    missing = "".join(f", {count:,} {why}" for why, count in others)
    yield f"Logs: {read[1]:,} read of {counted(jobs.height, 'performance job')}{missing}"
    failed = collection.failed
    if failed.height:
        held = int(failed["values"].sum())
        yield f"Jobs that did not pass, included: {failed.height:,}, with {counted(held, 'value')}"
    if silent := collection.silent:
        yield f"Jobs that passed without a value in their log: {sum(silent.values()):,} ({named(silent)})"


def log_words(collection: Collection) -> dict[str, int]:
    """How many logs were read (``ready``) and how many were not, by why."""
    logs = collection.logs
    return {"ready": logs.get(READ, 0)} | {_WHY.get(state, state): n for state, n in logs.items() if state != READ}


def opening_line(folder: Path) -> str:
    """Where the tables go."""
    return f"Generating performance tables to directory: {safe_text(str(folder))}"


def table_line(path: Path) -> str:
    """A table that was written."""
    return f"  Generated table: {safe_text(str(path))}"


def chart_line(path: Path) -> str:
    """A chart that was written."""
    return f"  Generated chart: {safe_text(str(path))}"


def count_jobs(tests: Iterable[TestFiles]) -> list[JobCount]:
    """How much was measured in each job, in the order of ``tests``."""
    found: dict[tuple[str, str], list[int]] = {}
    for one in tests:
        found.setdefault((one.workflow, one.job), []).append(one.records)
    return [
        JobCount(workflow=workflow, job=job, tests=len(records), records=sum(records))
        for (workflow, job), records in found.items()
    ]


def finding_lines(changes: Changes, silence: Silence) -> Iterator[str]:
    """How many series there are, what of them moved, which could not be searched, and which stopped."""
    searches = Counter(one.search for one in changes.series)
    few = searches[Search.FEW_POINTS]
    untold = f", {few:,} with fewer than {changes.least_points} values of the default branch" if few else ""
    yield f"Series: {len(changes.series):,}, {searches[Search.SEARCHED]:,} searched for changes{untold}"
    for verdict in Verdict:
        moved = [one for one in changes.changes if one.verdict is verdict and one.state.is_open]
        if moved:
            tests = len({(one.workflow, one.job, one.test) for one in moved})
            amount = f"{len({one.series for one in moved}):,} series of {counted(tests, 'test')}"
            yield f"{verdict.value.capitalize()}s: {amount} (trackside perf changes tells more)"
    if silence.series:
        tests = len({(one.workflow, one.job, one.test) for one in silence.series})
        yield f"No value any more: {len(silence.series):,} series of {counted(tests, 'test')}"


def summary_lines(
    collection: Collection,
    counts: Sequence[JobCount],
    written: WrittenFiles,
    *,
    findings: Iterable[str],
    is_whole: bool,
) -> Iterator[str]:
    """The counts at the end, ``findings`` below the totals; ``is_whole`` says that no data of GitHub is missing."""
    yield from ("", "Performance tables and charts generation completed!", "")
    yield from (_RULE, "Performance Analysis Summary", _RULE, "")
    yield f"Total {safe_text(collection.workflow)} runs processed: {len(collection.runs):,}"
    yield f"Total performance tests found: {sum(one.tests for one in counts):,}"
    yield f"Total performance records collected: {sum(one.records for one in counts):,}"
    yield from findings
    yield from ("", "Performance test breakdown:")
    several = len({one.workflow for one in counts}) > 1
    for one in counts:
        of = f" ({safe_text(one.workflow)})" if several else ""
        yield f"  {safe_text(one.job)}{of}: {one.tests:,} tests, {one.records:,} records"
    yield from ("", "Generated files:")
    yield f"  CSV tables: {written.tables:,} files"
    yield f"  PNG charts: {written.charts:,} files"
    yield f"  Output directory: {safe_text(str(written.folder))}/"
    if written.tries:
        yield f"  CSV tables of earlier tries: {written.tries:,} files (*_tries.csv)"
    yield from (f"  {what}: {safe_text(str(path))}" for what, path in written.others)
    yield ""
    yield "Analysis completed successfully!" if is_whole else "Analysis completed; data of GitHub is still missing."


def _within(workflow: str) -> str:
    """The name of a workflow within a sentence: ``PR Test`` is a ``PR test`` run."""
    first, *rest = workflow.split(" ")
    return " ".join([first, *(word.lower() if word[1:].islower() else word for word in rest)])
