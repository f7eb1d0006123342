"""Tables of what fails: broken and gone jobs with their verdicts, what was fixed, other lines, groups of errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from trackside.ci.findings import Verdict
from trackside.ci.groups import FailureGroup, FailureGroups
from trackside.ci.streaks import ALL_LINES, Beginning, LineSummary, Streak, Streaks
from trackside.ci.verdicts import JobVerdict, Verdicts
from trackside.report.ci_causes_report import whose_code
from trackside.report.ci_streaks_report import FIXED_FROM
from trackside.report.ledger import counted
from trackside.site.addresses import commit_url
from trackside.site.ci_cells import job_cell, moment_cell, run_cell, sha_cell, workflow_column
from trackside.site.ci_jobs import Family
from trackside.site.new_groups import NewGroups
from trackside.site.tables import Cell, Column, Kind, Table, number_cell, state_cell, text_cell, time_cell
from trackside.site.words import cut, no_command, words

MOST_GROUPS: Final = 500
"""So many failure groups stand in a table."""
MOST_STREAKS: Final = 1_000
_MOST_PULLS: Final = 5
_MOST_AUTHORS: Final = 3
Paths = Mapping[Family, str]

_LINE: Final = Column(key="line", label="Branch", choices=True)
_FAILING: Final = (
    Column(key="job", label="Job"),
    workflow_column(),
    _LINE,
    Column(key="state", label="State", kind=Kind.STATE, choices=True),
    Column(key="failed", label="Failed runs", kind=Kind.NUMBER, about="In a row; undecided runs do not count"),
    Column(key="since", label="Since", kind=Kind.TIME, unit="UTC"),
    Column(key="commit", label="Since commit", about="The difference to the last good run, where one is known"),
    Column(key="hours", label="For", kind=Kind.NUMBER, unit="h"),
    Column(key="good", label="Last success", kind=Kind.TIME, unit="UTC"),
    Column(key="cause", label="Cause", choices=True),
    Column(key="verdict", label="Verdict", choices=True),
    Column(key="newest", label="Newest failure", kind=Kind.TIME, unit="UTC"),
)


def failing_table(streaks: Streaks, verdicts: Verdicts, paths: Paths, home: str) -> Table:
    """What fails now, then what failed last and is no longer there."""
    found = [*longest_first(streaks.broken), *longest_first(streaks.gone)]
    has_lines = streaks.line == ALL_LINES
    told = {(one.workflow, one.job, one.line): one for one in verdicts.lines}
    rows = [_failing(one, told.get((one.workflow, one.job or "", one.line)), paths, home, has_lines) for one in found]
    where = "on all lines" if has_lines else f"on {no_command(streaks.line)}" if streaks.line else ""
    return Table(
        key="failing",
        caption=f"Jobs whose newest result {where} is a failure, longest first",
        columns=tuple(column for column in _FAILING if has_lines or column is not _LINE),
        rows=tuple(rows[:MOST_STREAKS]),
        empty=_nothing_fails(streaks, where),
        left_out=max(len(rows) - MOST_STREAKS, 0),
        left_out_why="the longest are shown, data/ci-streaks.json has all",
    )


def longest_first(found: Iterable[Streak]) -> list[Streak]:
    """Streaks of the default branch first, by failed runs in a row, then by hours."""
    return sorted(found, key=lambda one: (not one.is_default_line, -one.failed_runs, -(one.hours or 0.0)))


def _nothing_fails(streaks: Streaks, where: str) -> str:
    if streaks.line is None:
        return "The default branch is not known: set `default_branch` under `[ci]` in `trackside.toml`."
    if not streaks.jobs:
        longer = "build with a longer one, such as `trackside site build --since 30d`"
        return f"No job passed or failed {where} in the window: {longer}."
    return f"Nothing is broken {where}: the newest result of each of {counted(streaks.jobs, 'job')} is a success."


def _failing(one: Streak, verdict: JobVerdict | None, paths: Paths, home: str, has_lines: bool) -> tuple[Cell, ...]:
    return (
        job_cell(one.job, family_key(one), paths),
        text_cell(one.workflow),
        *((text_cell(one.line),) if has_lines else ()),
        state_cell(one.state.value),
        number_cell(one.failed_runs, note=f"{one.undecided_runs:,} undecided" if one.undecided_runs else None),
        moment_cell(one.first_bad),
        since_commit(one, home),
        number_cell(one.hours),
        last_good(one),
        cause_cell(one),
        verdict_cell(verdict, one),
        moment_cell(one.last_bad),
    )


def family_key(one: Streak) -> Family | None:
    """The job of a streak as its page is named."""
    return None if one.family is None else (one.workflow, one.family)


def since_commit(one: Streak, home: str) -> Cell:
    """The first bad commit with the difference to the last good one."""
    found = one.range
    sha = found.bad_sha
    if found.same_commit:
        return sha_cell(sha, commit_url(home, sha), "the last success is of the same commit")
    authors = ", ".join(found.authors[:_MOST_AUTHORS])
    more = f" and {len(found.authors) - _MOST_AUTHORS} more" if len(found.authors) > _MOST_AUTHORS else ""
    told = f"{counted(found.commits, 'commit')}{f' by {authors}{more}' if authors else ''}"
    return sha_cell(sha, found.compare_url or commit_url(home, sha), told)


def last_good(one: Streak) -> Cell:
    """The last good run, or why there is none."""
    if one.last_good is not None:
        return moment_cell(one.last_good)
    return Cell(text="never: born red" if one.beginning is Beginning.BORN_RED else "none in the window")


def cause_cell(one: Streak) -> Cell:
    """The most frequent cause of a streak, the others below it."""
    causes = list(one.causes.items())
    if not causes:
        return text_cell(None, note=f"step {one.failed_step}" if one.failed_step else None)
    note = ", ".join(f"{words(cause)} {number:,}" for cause, number in causes) if len(causes) > 1 else None
    return Cell(value=causes[0][0], text=words(causes[0][0]), note=note)


def verdict_cell(verdict: JobVerdict | None, streak: Streak) -> Cell:
    """Where a streak comes from, and the first sentence that says why; unknown where that is of earlier failures."""
    if verdict is None:
        return Cell(text=None)
    if not verdict.broken_runs and verdict.newest.run_id != streak.last_bad.run_id:
        note = f"one failed run tells too little; earlier failures in the window: {whose_code(verdict)}"
        return Cell(value=Verdict.UNKNOWN.value, text=Verdict.UNKNOWN.value, note=note)
    return Cell(value=verdict.verdict.value, text=whose_code(verdict), note=cut(reason_of(verdict), 160))


def reason_of(verdict: JobVerdict) -> str | None:
    """The first sentence that says why, past the tally; for unknown what is missing."""
    evidence = verdict.evidence[1:] if verdict.looked_at > 1 else verdict.evidence
    return next(iter(evidence or verdict.missing), None)


def fixed_table(streaks: Streaks, paths: Paths, home: str) -> Table:
    """What was broken in the window and passes again, what was fixed last first; single failures are left out."""
    fixed = [one for one in streaks.fixed if one.failed_runs >= FIXED_FROM]
    fixed.sort(key=_fixed_at, reverse=True)
    alone = len(streaks.fixed) - len(fixed)
    columns = (
        *_FAILING[:3],
        Column(key="failed", label="Failed runs", kind=Kind.NUMBER),
        Column(key="since", label="Since", kind=Kind.TIME, unit="UTC"),
        Column(key="commit", label="Since commit"),
        Column(key="fixed", label="Fixed", kind=Kind.TIME, unit="UTC"),
        Column(key="hours", label="For", kind=Kind.NUMBER, unit="h"),
        Column(key="cause", label="Cause", choices=True),
    )
    return Table(
        key="fixed",
        caption="Broken in the window and fixed since, the last first",
        columns=columns,
        rows=tuple(_fixed(one, paths, home) for one in fixed[:MOST_STREAKS]),
        empty="No breakage of the window was fixed in it.",
        order="-fixed",
        left_out=alone + max(len(fixed) - MOST_STREAKS, 0),
        left_out_why="they failed in a single run and passed since"
        if len(fixed) <= MOST_STREAKS
        else "they failed in a single run, or were fixed longest ago",
    )


def _fixed_at(one: Streak) -> float:
    end = one.ended_by
    return end.created_at.timestamp() if end is not None and end.created_at is not None else 0.0


def _fixed(one: Streak, paths: Paths, home: str) -> tuple[Cell, ...]:
    return (
        job_cell(one.job, family_key(one), paths),
        text_cell(one.workflow),
        text_cell(one.line),
        number_cell(one.failed_runs),
        moment_cell(one.first_bad),
        since_commit(one, home),
        moment_cell(one.ended_by),
        number_cell(one.hours),
        cause_cell(one),
    )


def lines_table(lines: Iterable[LineSummary]) -> Table:
    """The other branches whose newest results hold failures."""
    rows = [
        (
            text_cell(one.line),
            number_cell(one.broken_jobs),
            number_cell(one.decided_jobs),
            time_cell(one.newest_run.created_at),
            run_cell(one.newest_run),
        )
        for one in lines
    ]
    return Table(
        key="lines",
        caption="Branches with failing jobs, most first",
        columns=(
            Column(key="line", label="Branch"),
            Column(key="failing", label="Failing jobs", kind=Kind.NUMBER),
            Column(key="of", label="Of", kind=Kind.NUMBER),
            Column(key="at", label="Newest run", kind=Kind.TIME, unit="UTC"),
            Column(key="run", label="Run", kind=Kind.NUMBER),
        ),
        rows=tuple(rows[:MOST_STREAKS]),
        empty="No other branch has a failing job.",
        order="-failing",
        left_out=max(len(rows) - MOST_STREAKS, 0),
        left_out_why="those with the most failing jobs are shown",
    )


_GROUPS: Final = (
    Column(key="error", label="Error", about="The line that matters, as the newest failure shows it"),
    Column(key="cause", label="Cause", choices=True),
    Column(key="failures", label="Failures", kind=Kind.NUMBER),
    Column(key="runs", label="Runs", kind=Kind.NUMBER),
    Column(key="first", label="First seen", kind=Kind.TIME, unit="UTC"),
    Column(key="last", label="Last seen", kind=Kind.TIME, unit="UTC"),
    Column(key="jobs", label="Jobs"),
    Column(key="lines", label="Branches", kind=Kind.NUMBER),
    Column(key="pulls", label="Pull requests"),
    Column(key="fingerprint", label="Fingerprint"),
)


def groups_table(groups: FailureGroups, new: NewGroups, home: str) -> Table:
    """The failures that show the same error, with a mark of those that are ``new`` where that can be told."""
    column = Column(key="new", label="New", kind=Kind.STATE, choices=True, about=f"New is what is {new.rule}")
    names = new.fingerprints
    ordered = sorted(groups.groups, key=lambda one: (one.fingerprint not in names, -one.failures))
    return Table(
        key="groups",
        caption="Failure groups, new ones first" if new.is_known else "Failure groups, the most failures first",
        columns=(column, *_GROUPS) if new.is_known else _GROUPS,
        rows=tuple(_group(one, new, home) for one in ordered[:MOST_GROUPS]),
        empty=_no_group(groups),
        page_size=10,
        left_out=max(len(groups.groups) - MOST_GROUPS, 0),
        left_out_why="those with the most failures are shown, data/ci-causes.json has all",
    )


def _no_group(groups: FailureGroups) -> str:
    if not groups.failures:
        return "No job failed in the window."
    if groups.without_log:
        return (
            f"No log of {counted(groups.without_log, 'failed attempt')} was read: `trackside site build --sync "
            "--logs failed` reads them, and then failures are grouped by their errors."
        )
    return f"None of the logs of {counted(groups.failures, 'failed attempt')} shows an error that could be told."


def _group(one: FailureGroup, new: NewGroups, home: str) -> tuple[Cell, ...]:
    where = [f"line {one.line_number:,}"] if one.line_number is not None else []
    note = " · ".join([*where, *([one.test] if one.test and one.test != one.line_text else [])])
    jobs = f"{one.jobs[0]} and {len(one.jobs) - 1:,} more" if len(one.jobs) > 1 else next(iter(one.jobs), None)
    pulls = tuple(Cell(value=number, text=f"#{number}", url=f"{home}/pull/{number}") for number in one.pulls)
    more = len(pulls) - _MOST_PULLS
    first = pulls[0] if pulls else text_cell("")
    return (
        *((state_cell("new" if one.fingerprint in new.fingerprints else "known"),) if new.is_known else ()),
        text_cell(cut(one.line_text or one.test), one.last.url, note=note or None),
        Cell(value=next(iter(one.causes), None), text=", ".join(map(words, one.causes)) or None),
        number_cell(one.failures),
        number_cell(one.runs),
        time_cell(one.first.at, one.first.url),
        time_cell(one.last.at, one.last.url),
        text_cell(jobs),
        number_cell(len(one.lines), note="and the default one" if one.on_default_line else None),
        Cell(
            value=first.value,
            text=first.text,
            url=first.url,
            items=pulls[1:_MOST_PULLS],
            note=f"and {more} more" if more > 0 else None,
        ),
        text_cell(one.fingerprint),
    )
