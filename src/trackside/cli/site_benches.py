"""The benchmark runs of the site: those that were registered, those that stand in folders, and their reports."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trackside.cli.terminal import OnProgress
from trackside.errors import NoDataError, PathNotFoundError, TracksideError
from trackside.settings import BenchSettings

if TYPE_CHECKING:
    from trackside.evidence.bench_runs import Bench
    from trackside.site.facts import BenchReport
    from trackside.store.store import Store

MOST_REPORTS: Final = 25
"""A report takes about two seconds to draw."""
MOST_BYTES: Final = 4_500_000
"""Of a report: a page of the site has 5 MB at most."""


def bench_facts(
    store: Store, folders: Iterable[Path], settings: BenchSettings, on_progress: OnProgress | None = None
) -> tuple[tuple[BenchReport, ...], tuple[str, ...]]:
    """``SiteFacts.benches``, the newest run first, and ``SiteFacts.bench_notes``: what could not be read.

    The newest 25 runs whose logs are here have their full report.
    """
    from trackside.evidence.bench_runs import first_notes, load_benches

    known = load_benches(store, folders, tz=settings.tz, cache=settings.cache, on_progress=on_progress)
    reports: list[BenchReport] = []
    notes: list[str] = []
    for bench in known.benches:
        reports.append(_report_of(bench, sum(one.body is not None for one in reports), notes))
        if on_progress is not None:
            on_progress(len(reports), len(known.benches))
    return tuple(reports), (*known.notes, *first_notes(notes))


def _report_of(bench: Bench, drawn: int, notes: list[str]) -> BenchReport:
    """The run with its report, or why it has none; where its logs cannot be read the error goes to the notes."""
    from trackside.bench.series import REPORT_COLUMNS
    from trackside.evidence.bench_runs import GONE, UNREAD, note_of
    from trackside.report.bench_report import bench_body
    from trackside.site.facts import BenchReport

    run = bench.run
    if bench.logs is None:
        return BenchReport(run=run, why_not=bench.why_not)
    if drawn == MOST_REPORTS:
        return BenchReport(run=run, why_not=f"only the newest {MOST_REPORTS} have their full report here")
    try:
        logs = bench.logs()
        page = bench_body(logs.name, logs.rows(REPORT_COLUMNS), logs.workers, logs.ledger, logs.notes)
    except NoDataError:
        return BenchReport(run=run, why_not="none of its batch lines has a time")
    except PathNotFoundError:
        return BenchReport(run=run, why_not=GONE)
    except (TracksideError, OSError) as error:
        notes.append(note_of(run, error))
        return BenchReport(run=run, why_not=UNREAD)
    if len(page.body.encode()) > MOST_BYTES:
        return BenchReport(run=run, why_not="its full report is too large for a page: srtlog viz draws it")
    return BenchReport(run=run, lead=page.lead, body=page.body)
