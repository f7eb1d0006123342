"""The tables of Home: what needs somebody, a few rows of each part; the page of the part has all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from trackside.agents.group_records import GroupRow
from trackside.ci.groups import FailureGroup
from trackside.ci.streaks import Streak
from trackside.ci.verdicts import JobVerdict
from trackside.perf.change_records import Change
from trackside.perf.states import PastChange
from trackside.records.bench_runs import BenchRun
from trackside.records.sync_health import SyncHealth, SyncSummary
from trackside.report.agents_words import success_trend
from trackside.report.ledger import counted
from trackside.report.perf_change_words import unit_level
from trackside.site.bench_names import report_path, run_names
from trackside.site.bench_tables import ENDED, logged_time
from trackside.site.ci_failing import cause_cell, family_key, longest_first, since_commit, verdict_cell
from trackside.site.ci_jobs import job_path
from trackside.site.facts import BenchReport, CiFacts, SiteFacts, SpeedFacts
from trackside.site.home_status import worked
from trackside.site.new_groups import NewGroups
from trackside.site.open_regressions import open_regressions
from trackside.site.pages import Section
from trackside.site.perf_changes import percent_cell
from trackside.site.perf_order import watched_series
from trackside.site.run_words import run_label
from trackside.site.shares import interval, share_cell, share_column, whole_cell
from trackside.site.tables import Cell, Column, Kind, Table, number_cell, state_cell, text_cell, time_cell
from trackside.site.words import cut, words

MOST: Final = 8
"""So many rows of a table stand on Home."""
_MOST_OF_AN_ERROR: Final = 140
_MOST_SYNCS: Final = 3
_ELSEWHERE: Final = "the page of this part has all"


def broken_table(ci: CiFacts, home: str) -> Table:
    """What is broken on the default branch, the longest first."""
    found = longest_first(ci.streaks.broken_on_default)
    told = {(one.workflow, one.job, one.line): one for one in ci.verdicts.lines}
    return Table(
        key="broken",
        caption=f"Jobs whose newest result on {ci.streaks.line} is a failure, longest first",
        columns=(
            Column(key="job", label="Job"),
            Column(key="since", label="Since", kind=Kind.TIME, unit="UTC"),
            Column(key="hours", label="For", kind=Kind.NUMBER, unit="h"),
            Column(key="failed", label="Failed runs", kind=Kind.NUMBER),
            Column(key="commit", label="Since commit"),
            Column(key="cause", label="Cause"),
            Column(key="verdict", label="Verdict"),
        ),
        rows=tuple(_broken(one, told, home) for one in found[:MOST]),
        left_out=max(len(found) - MOST, 0),
        left_out_why=_ELSEWHERE,
    )


def _broken(one: Streak, told: Mapping[tuple[str, str, str | None], JobVerdict], home: str) -> tuple[Cell, ...]:
    key = family_key(one)
    return (
        text_cell(one.job or one.workflow, None if key is None else job_path(key), note=one.workflow),
        time_cell(one.first_bad.created_at, one.first_bad.url),
        number_cell(one.hours),
        number_cell(one.failed_runs),
        since_commit(one, home),
        cause_cell(one),
        verdict_cell(told.get((one.workflow, one.job or "", one.line)), one),
    )


def regressions_table(speed: SpeedFacts) -> Table:
    """Regressions that wait for a decision, the gravest first, one line for a test and a run in which it changed.

    Those from before the window stand last.
    """
    found = open_regressions(speed)
    pages = watched_series(speed).addresses() if found.causes else {}
    together: dict[tuple[str, str, str, int], list[Change]] = {}
    for one in found.leads:
        together.setdefault((one.workflow, one.job, one.test, one.at.run_id), []).append(one)
    rows = [*(_regression(own, pages) for own in together.values()), *(_standing(one, pages) for one in found.standing)]
    return Table(
        key="regressions",
        caption="Regressions that nobody has acknowledged, a line for each test and change",
        columns=(
            Column(key="test", label="Test"),
            Column(key="metric", label="Metric"),
            Column(key="change", label="Change", kind=Kind.NUMBER),
            Column(key="levels", label="From → to"),
            Column(key="since", label="Since", kind=Kind.TIME, unit="UTC"),
            Column(key="run", label="Since run", kind=Kind.NUMBER),
            Column(key="state", label="State"),
        ),
        rows=tuple(rows[:MOST]),
        left_out=max(len(rows) - MOST, 0),
        left_out_why=_ELSEWHERE,
    )


def _regression(own: Sequence[Change], pages: Mapping[str, str]) -> tuple[Cell, ...]:
    one = own[0]
    moved = {name for each in own for name in (each.change_id, *each.moved_with)} - {one.change_id}
    others = f"and {len(moved):,} other series" if moved else None
    run = one.at.run_number if one.at.run_number is not None else one.at.run_id
    return (
        text_cell(one.test, pages.get(one.series), note=f"{one.workflow}: {one.job}"),
        text_cell(one.metric, note=others),
        percent_cell(one.percent),
        text_cell(f"{unit_level(one.before, one.unit)} → {unit_level(one.after, one.unit)}"),
        time_cell(one.at.ordered_at),
        Cell(value=run, text=run_label(one.at.run_number, one.at.run_id), url=one.at.url),
        text_cell(words(one.state.value), note=f"{one.later:,} later runs"),
    )


def _standing(one: PastChange, pages: Mapping[str, str]) -> tuple[Cell, ...]:
    known = one.known
    return (
        text_cell(known.series, pages.get(known.series)),
        text_cell(None),
        percent_cell(one.percent),
        text_cell(f"{unit_level(known.before, None)} → {unit_level(known.after, None)}"),
        time_cell(known.first_bad_at),
        number_cell(None),
        text_cell("from before the window", note="its level is still there"),
    )


def groups_table(new: NewGroups) -> Table:
    """Errors that are new, the most frequent first."""
    found = new.groups
    return Table(
        key="new-groups",
        caption="Errors that were not there before",
        columns=(
            Column(key="error", label="Error"),
            Column(key="cause", label="Cause"),
            Column(key="failures", label="Failures", kind=Kind.NUMBER),
            Column(key="first", label="First seen", kind=Kind.TIME, unit="UTC"),
            Column(key="jobs", label="Jobs"),
        ),
        rows=tuple(_new_group(one) for one in found[:MOST]),
        left_out=max(len(found) - MOST, 0),
        left_out_why=_ELSEWHERE,
    )


def _new_group(one: FailureGroup) -> tuple[Cell, ...]:
    more = f"and {len(one.jobs) - 1:,} more" if len(one.jobs) > 1 else None
    return (
        text_cell(cut(one.line_text or one.test, _MOST_OF_AN_ERROR), one.last.url),
        text_cell(", ".join(map(words, one.causes)) or None),
        number_cell(one.failures, note="the default branch too" if one.on_default_line else None),
        time_cell(one.first.at, one.first.url),
        text_cell(next(iter(one.jobs), None), note=more),
    )


def agents_table(facts: SiteFacts) -> Table:
    """The agents that worked, those with the most runs first."""
    found = worked(facts.agents)
    return Table(
        key="agents",
        caption="Run attempts in which an agent worked",
        columns=(
            Column(key="agent", label="Agent"),
            Column(key="worked", label="Worked in", kind=Kind.NUMBER),
            share_column("success", "Success"),
            Column(key="p50", label="Median", kind=Kind.NUMBER, unit="min"),
            Column(key="last", label="Last run", kind=Kind.TIME, unit="UTC"),
        ),
        rows=tuple(_agent(one) for one in found[:MOST]),
        left_out=max(len(found) - MOST, 0),
        left_out_why=_ELSEWHERE,
    )


def _agent(one: GroupRow) -> tuple[Cell, ...]:
    success = one.success
    note = None
    if success.low is not None and success.high is not None:
        note = f"{success.successes:,} of {success.n:,}; {interval(success.low, success.high)}"
    usual = None if one.run.p50_s is None else round(one.run.p50_s / 60, 1)
    return (
        text_cell(one.name, Section.AGENTS.value, note=f"success {success_trend(one.success_trend)}"),
        number_cell(one.outcomes.total),
        share_cell(success.rate, note=note),
        number_cell(usual, note=f"of {one.run.n:,}"),
        time_cell(one.last_run_at),
    )


def benches_table(benches: Sequence[BenchReport]) -> Table:
    """The first of the benchmark runs, which are given the newest first."""
    runs = [one.run for one in benches]
    names = run_names(runs)
    pages = {one.run.run_key for one in benches if one.body is not None}
    return Table(
        key="bench-runs",
        caption="The newest benchmark runs",
        columns=(
            Column(key="run", label="Run"),
            ENDED,
            Column(key="topology", label="Topology"),
            Column(key="output", label="Output", kind=Kind.NUMBER, unit="tokens/s"),
            Column(key="per_gpu", label="Per decode GPU", kind=Kind.NUMBER, unit="tokens/s"),
            Column(key="read", label="Read", kind=Kind.STATE),
        ),
        rows=tuple(_bench(one, names[one.run_key], has_page=one.run_key in pages) for one in runs[:MOST]),
        left_out=max(len(runs) - MOST, 0),
        left_out_why=_ELSEWHERE,
    )


def _bench(one: BenchRun, name: str, *, has_page: bool) -> tuple[Cell, ...]:
    return (
        text_cell(name, report_path(one) if has_page else Section.BENCHMARKS.value),
        text_cell(logged_time(one.last_at)),
        text_cell(one.topology),
        number_cell(one.output_tps, None if one.output_tps is None else f"{one.output_tps:,.0f}"),
        number_cell(
            one.output_tps_per_gpu, None if one.output_tps_per_gpu is None else f"{one.output_tps_per_gpu:,.0f}"
        ),
        state_cell("complete" if one.complete else "partial", note=f"{counted(one.files, 'file')}"),
    )


def last_syncs_table(health: SyncHealth) -> Table:
    """The newest syncs."""
    return Table(
        key="last-syncs",
        caption="The newest syncs",
        columns=(
            Column(key="ended", label="Ended", kind=Kind.TIME, unit="UTC"),
            Column(key="status", label="Status", kind=Kind.STATE),
            share_column("complete", "Complete"),
            Column(key="runs", label="New runs", kind=Kind.NUMBER),
            Column(key="calls", label="Calls", kind=Kind.NUMBER),
        ),
        rows=tuple(_sync(one) for one in health.last[:_MOST_SYNCS]),
        left_out=max(len(health.last) - _MOST_SYNCS, 0),
        left_out_why=_ELSEWHERE,
    )


def _sync(one: SyncSummary) -> tuple[Cell, ...]:
    return (
        time_cell(one.ended_at),
        state_cell(one.status),
        whole_cell(one.completeness),
        number_cell(one.runs_new, note=f"{one.runs_changed:,} changed" if one.runs_changed else None),
        number_cell(one.calls, note=f"{one.failed_calls:,} failed" if one.failed_calls else None),
    )
