"""Runners and pools on which failures concentrate: tables, JSON document, CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from trackside.ci.results import Span
from trackside.ci.runners import Judged, PoolRunners, RunnerReport
from trackside.report.ledger import counted
from trackside.report.sections import Cell, Section, percent, section_csv

RUNNERS_VERSION: Final = 1
_JUDGED: Final = ("Failed", "Of", "Expected", "Rate", "95 %", "Others' Rate", "Commits", "p", "q")
_CSV: Final = (
    "kind", "name", "pools", "is_bad", "jobs", "failures", "commits", "compared", "compared_failures", "expected",
    "rate", "low", "high", "expected_rate", "p", "q",
)  # fmt: skip


class RunnersDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``trackside ci runners --format json`` prints; ``bad`` are the names of bad runners and pools."""

    schema_version: int
    repository: str
    span: Span
    bad: tuple[str, ...]
    runners: RunnerReport


def runners_json(repo: str, span: Span, report: RunnerReport) -> str:
    """A RunnersDocument in ASCII, so that no character of it acts on a terminal."""
    bad = tuple(one.name for one in report.bad)
    document = RunnersDocument(schema_version=RUNNERS_VERSION, repository=repo, span=span, bad=bad, runners=report)
    return json.dumps(msgspec.to_builtins(document), indent=2)


def runners_csv(report: RunnerReport) -> str:
    """One row for each runner and each pool; pools are joined with ``; ``."""
    kinds = (("runner", report.runners), ("pool", report.pools))
    return section_csv(_CSV, (_csv_row(kind, one) for kind, judged in kinds for one in judged))


def runners_sections(report: RunnerReport, top: int) -> Iterator[Section]:
    """What is bad and where it failed, then at most ``top`` of the runners and pools that were compared."""
    yield Section(
        title="Failures concentrate here",
        headings=("Runner or Pool", "Pools", *_JUDGED),
        rows=tuple((one.name, ", ".join(one.pools), *_figures(one)) for one in report.bad),
        notes=tuple(_notes(report)),
    )
    if report.bad:
        yield Section(
            title="What failed there",
            headings=("Runner or Pool", "Job", "Failed", "Of", "Failed Elsewhere", "Of", "Newest"),
            rows=tuple(row for one in report.bad for row in _jobs(one)),
        )
    for title, judged in (("Runners", report.runners), ("Pools that share jobs", report.pools)):
        shown = [one for one in judged if one.p is not None][:top]
        yield Section(title=title, headings=("Name", *_JUDGED), rows=tuple((one.name, *_figures(one)) for one in shown))
    yield Section(
        title="Pools",
        headings=("Pool", "Runners", "Kind", "Jobs", "Failed", "Rate"),
        rows=tuple(_kind(one) for one in report.kinds[:top]),
    )


def _figures(one: Judged) -> tuple[Cell, ...]:
    interval = None if one.low is None or one.high is None else f"{one.low * 100:.0f}-{one.high * 100:.0f} %"
    expected = None if one.expected is None else round(one.expected, 1)
    rates = (percent(one.rate), interval, percent(one.expected_rate))
    return (one.compared_failures, one.compared, expected, *rates, one.commits, _chance(one.p), _chance(one.q))


def _chance(value: float | None) -> str | None:
    """Never 0: a chance that is too small to show is told as below what is shown."""
    if value is None:
        return None
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"


def _jobs(one: Judged) -> Iterator[tuple[Cell, ...]]:
    newest = one.examples[0] if one.examples else None
    for place, job in enumerate(one.by_job):
        link = newest if place == 0 else None
        where = f"{job.workflow} / {job.job}"
        yield (one.name, where, job.failures, job.jobs, job.other_failures, job.other_jobs, link)


def _kind(one: PoolRunners) -> tuple[Cell, ...]:
    kind = "ephemeral" if one.ephemeral else "lasting"
    return (one.pool, one.runners, kind, one.jobs, one.failures, percent(one.failures / one.jobs))


def _notes(report: RunnerReport) -> Iterator[str]:
    yield _verdict(report)
    if report.ephemeral_jobs:
        yield (
            f"{counted(report.ephemeral_jobs, 'job attempt')} ran on ephemeral runners, which run a job and are gone: "
            "they are judged by pool only."
        )
    if report.unknown:
        yield (
            f"{counted(report.unknown, 'job attempt')} do not tell their runner: they are in no figure. "
            "Jobs that GraphQL told of are read again by REST, which tells it, without --offline."
        )


def _verdict(report: RunnerReport) -> str:
    compared = f"{counted(_compared(report.runners), 'runner')} and {counted(_compared(report.pools), 'pool')}"
    if not report.bad:
        return f"No runner and no pool stands out; {compared} could be compared with others on the same jobs."
    return (
        f"{compared} were compared with others on the same jobs at the same time. Expected are the failures that "
        "others would have had; of all that have this q or less at most that share is named by chance."
    )


def _compared(judged: Sequence[Judged]) -> int:
    return sum(one.p is not None for one in judged)


def _csv_row(kind: str, one: Judged) -> tuple[Cell, ...]:
    figures = (one.jobs, one.failures, one.commits, one.compared, one.compared_failures, one.expected)
    rates = (one.rate, one.low, one.high, one.expected_rate, one.p, one.q)
    return (kind, one.name, "; ".join(one.pools), str(one.is_bad).lower(), *figures, *rates)
