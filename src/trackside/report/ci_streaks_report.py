"""What is broken and since when: tables, JSON document, CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from trackside.ci.results import RunLink
from trackside.ci.streaks import ALL_LINES, Beginning, Streak, Streaks
from trackside.report.ledger import counted
from trackside.report.sections import Cell, Section, section_csv

STREAKS_VERSION: Final = 1
FIXED_FROM: Final = 2
"""So many failed runs a fixed streak must have had to be listed: one alone may have been a flake."""
_AUTHORS: Final = 3
_CSV: Final = (
    "state", "workflow", "job", "family", "shard", "category", "line", "is_default_line", "beginning", "failed_runs",
    "undecided_runs", "failed_attempts", "hours", "first_bad_run", "first_bad_at", "first_bad_sha", "first_bad_url",
    "last_bad_run", "last_bad_at", "last_bad_url", "last_good_run", "last_good_at", "last_good_sha", "last_good_url",
    "ended_by_run", "ended_by_at", "ended_by_url", "compare_url", "commits", "runs_between", "authors", "moved_from",
    "runs_without", "passed_elsewhere", "causes", "failed_step",
)  # fmt: skip


class StreaksDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``trackside ci streaks --format json`` prints; times are ISO 8601 in UTC."""

    schema_version: int
    repository: str
    streaks: Streaks


def streaks_json(streaks: Streaks) -> str:
    """A StreaksDocument in ASCII, so that no character of it acts on a terminal."""
    document = StreaksDocument(schema_version=STREAKS_VERSION, repository=streaks.repo, streaks=streaks)
    return json.dumps(msgspec.to_builtins(document), indent=2)


def streaks_csv(streaks: Streaks) -> str:
    """One row for each streak: broken, gone, fixed; several values in a cell are joined with ``; ``."""
    return section_csv(_CSV, (_csv_row(one) for one in (*streaks.broken, *streaks.gone, *streaks.fixed)))


def streaks_sections(streaks: Streaks, top: int) -> Iterator[Section]:
    """What is broken now and where to look, what is gone, what was fixed, and the other lines; ``top`` rows each."""
    where = _where(streaks)
    broken = streaks.broken[:top]
    yield Section(
        title=f"Broken now {where}",
        headings=("Job", "Line", "Failed Runs", "Undecided", "Since Run", "Since", "Hours", "Last Good", "Why"),
        rows=tuple(_broken(one) for one in broken),
        notes=tuple(_broken_notes(streaks, where, top)),
    )
    if broken:
        yield Section(
            title="Where to look",
            headings=("Job", "Commits", "Authors", "Difference or First Bad Run", "Newest Failure"),
            rows=tuple(_look(one) for one in broken),
            notes=tuple(note for one in broken for note in _remarks(one)),
        )
    if streaks.gone:
        yield Section(
            title=f"Failed last and no longer there {where}",
            headings=("Job", "Line", "Failed Runs", "Last Seen", "Runs Without It", "First Run Without It"),
            rows=tuple(_gone(one) for one in streaks.gone[:top]),
        )
    yield from _fixed(streaks, where, top)
    yield from _others(streaks, top)


def _where(streaks: Streaks) -> str:
    if streaks.line == ALL_LINES:
        return "on all lines"
    return f"on {streaks.line}" if streaks.line else "on the default branch"


def _broken(one: Streak) -> tuple[Cell, ...]:
    return (
        name_of(one),
        one.line,
        one.failed_runs,
        one.undecided_runs or None,
        _run(one.first_bad),
        one.first_bad.created_at,
        one.hours,
        _last_good(one),
        _why(one),
    )


def name_of(one: Streak) -> str:
    """``workflow / job``; the workflow alone where it failed without jobs."""
    return one.workflow if one.job is None else f"{one.workflow} / {one.job}"


def _last_good(one: Streak) -> str:
    if one.last_good is not None:
        return _run(one.last_good)
    return "never: born red" if one.beginning is Beginning.BORN_RED else "none in the window"


def _why(one: Streak) -> str | None:
    if one.causes:
        return ", ".join(f"{cause} {count}" if len(one.causes) > 1 else cause for cause, count in one.causes.items())
    return f"step {one.failed_step}" if one.failed_step else None


def _broken_notes(streaks: Streaks, where: str, top: int) -> Iterator[str]:
    if streaks.line is None:
        yield (
            "The default branch of the repository is not known: name a line with --line, or set default_branch under "
            "[ci] in trackside.toml."
        )
    elif not streaks.broken:
        yield f"Nothing is broken {where}: the newest result of each of {counted(streaks.jobs, 'job')} is a success."
        if not streaks.jobs:
            yield "No job passed or failed there in the window: a longer one with --since 30d may show more."
    if len(streaks.broken) > top:
        yield f"Not listed: {counted(len(streaks.broken) - top, 'streak')}; --top or --format json shows them."
    if streaks.broken:
        yield (
            "A run counts for a job by the newest attempt in which it ran. Cancelled, skipped and running ones are "
            "undecided: they neither end nor lengthen a streak."
        )


def _look(one: Streak) -> tuple[Cell, ...]:
    found = one.range
    authors = ", ".join(found.authors[:_AUTHORS])
    more = f" and {len(found.authors) - _AUTHORS} more" if len(found.authors) > _AUTHORS else ""
    return (
        name_of(one),
        found.commits,
        f"{authors}{more}" or None,
        found.compare_url or one.first_bad.url,
        one.last_bad.url,
    )


def _remarks(one: Streak) -> Iterator[str]:
    name = name_of(one)
    if one.moved_from:
        yield f"{name}: the breakage was in {', then in '.join(one.moved_from)} before; tests moved between shards."
    if one.range.same_commit:
        yield f"{name}: its last good run is of the same commit, so that no commit of the repository broke it."
    if one.beginning is Beginning.BORN_RED:
        before = counted(one.runs_without, "run")
        yield f"{name}: it never passed here since it appeared; {before} of the window ended without it before."
    if one.beginning is Beginning.UNKNOWN:
        yield f"{name}: no success in the window; a longer one with --since shows whether it ever passed."
    if one.beginning is not Beginning.GOOD and one.passed_elsewhere:
        yield f"{name}: it passed in {counted(one.passed_elsewhere, 'run')} of other lines."


def _gone(one: Streak) -> tuple[Cell, ...]:
    return (
        name_of(one), one.line, one.failed_runs, _run(one.last_bad), one.runs_without,
        None if one.ended_by is None else one.ended_by.url,
    )  # fmt: skip


def _fixed(streaks: Streaks, where: str, top: int) -> Iterator[Section]:
    fixed = [one for one in streaks.fixed if one.failed_runs >= FIXED_FROM]
    alone = len(streaks.fixed) - len(fixed)
    if not streaks.fixed:
        return
    notes = [f"{counted(alone, 'job')} failed last in a single run and passed since: not listed."] if alone else []
    if len(fixed) > top:
        notes.append(f"Not listed: {counted(len(fixed) - top, 'streak')}; --top or --format json shows them.")
    newest = sorted(fixed, key=lambda one: (_at(one.ended_by), name_of(one)), reverse=True)
    yield Section(
        title=f"Broken in the window and fixed since {where}",
        headings=("Job", "Line", "Failed Runs", "Since Run", "Fixed By Run", "Fixed", "Hours", "Why"),
        rows=tuple(
            (
                name_of(one), one.line, one.failed_runs, _run(one.first_bad), _run(one.ended_by),
                None if one.ended_by is None else one.ended_by.created_at, one.hours, _why(one),
            )
            for one in newest[:top]
        ),
        notes=tuple(notes),
    )  # fmt: skip


def _others(streaks: Streaks, top: int) -> Iterator[Section]:
    if not streaks.other_lines:
        return
    rest = len(streaks.other_lines) - top
    note = f"{counted(rest, 'more line')} with failures; --line NAME shows one, --all-lines all of them."
    yield Section(
        title="Other lines whose newest results hold failures",
        headings=("Line", "Failing Jobs", "Of", "Newest Run", "Link"),
        rows=tuple(
            (one.line or "(not told)", one.broken_jobs, one.decided_jobs, _run(one.newest_run), one.newest_run.url)
            for one in streaks.other_lines[:top]
        ),
        notes=(note,) if rest > 0 else (),
    )


def _run(link: RunLink | None) -> str:
    if link is None:
        return "-"
    return f"#{link.run_number}" if link.run_number is not None else str(link.run_id)


def _at(link: RunLink | None) -> float:
    return link.created_at.timestamp() if link is not None and link.created_at is not None else 0.0


def _csv_row(one: Streak) -> Sequence[Cell]:
    good, end, found = one.last_good, one.ended_by, one.range
    return (
        one.state.value, one.workflow, one.job, one.family, one.shard, one.category, one.line,
        str(one.is_default_line).lower(), one.beginning.value, one.failed_runs, one.undecided_runs, one.failed_attempts,
        one.hours, one.first_bad.run_number, one.first_bad.created_at, one.first_bad.sha, one.first_bad.url,
        one.last_bad.run_number, one.last_bad.created_at, one.last_bad.url,
        *((None,) * 4 if good is None else (good.run_number, good.created_at, good.sha, good.url)),
        *((None,) * 3 if end is None else (end.run_number, end.created_at, end.url)),
        found.compare_url, found.commits, found.runs, "; ".join(found.authors), "; ".join(one.moved_from),
        one.runs_without, one.passed_elsewhere, "; ".join(f"{cause} {n}" for cause, n in one.causes.items()),
        one.failed_step,
    )  # fmt: skip
