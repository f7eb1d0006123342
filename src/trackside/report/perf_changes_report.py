"""Changes in performance: tables, JSON document, CSV."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from trackside.ci.results import Span
from trackside.perf.change_records import Change, Changes, Search, SearchedSeries, Verdict
from trackside.perf.changes import gravity
from trackside.perf.level_changes import CONFIRMED_BY, CONFIRMED_Q
from trackside.perf.silence import Silence
from trackside.perf.states import ChangeStates, PastChange
from trackside.records.perf_rules import ChangeState
from trackside.report.ledger import counted
from trackside.report.perf_change_words import (
    confidence,
    group_leads,
    runner_words,
    times_noise,
    unit_level,
)
from trackside.report.perf_silence_report import silence_sections
from trackside.report.perf_text import percent_text, short_sha
from trackside.report.sections import Cell, Section

PERF_CHANGES_VERSION: Final = 1
MOST_COMMITS: Final = 8
"""So many commits of a change are listed."""
_DEALT_WITH: Final = (ChangeState.INTENDED, ChangeState.FIXED)
_MOVED: Final = (
    "Id", "State", "Series", "Change", "From", "To", "× Noise", "Sure", "Since Run", "When", "Later Runs", "Others",
)  # fmt: skip
_TITLES: Final = {Verdict.REGRESSION: "Regressions", Verdict.IMPROVEMENT: "Improvements"}


class PerfChangesDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``trackside perf changes --format json`` prints; times are ISO 8601 in UTC.

    ``confounded`` are moves that came just as the machines changed; ``past`` are known changes that the window does
    not show. ``unused_notes`` are ids in the settings that no change has.
    """

    schema_version: int
    repository: str
    default_branch: str | None
    span: Span
    least_points: int
    changes: tuple[Change, ...]
    confounded: tuple[Change, ...]
    past: tuple[PastChange, ...]
    unused_notes: tuple[str, ...]
    silence: Silence
    series: tuple[SearchedSeries, ...]


def perf_changes_json(states: ChangeStates, silence: Silence, span: Span) -> str:
    """A PerfChangesDocument in ASCII, so that no character of it acts on a terminal."""
    found = states.found
    document = PerfChangesDocument(
        schema_version=PERF_CHANGES_VERSION,
        repository=found.repo,
        default_branch=found.default_branch,
        span=span,
        least_points=found.least_points,
        changes=found.changes,
        confounded=found.confounded,
        past=states.past,
        unused_notes=states.unused_notes,
        silence=silence,
        series=found.series,
    )
    return json.dumps(msgspec.to_builtins(document), indent=2)


def perf_changes_sections(
    states: ChangeStates, silence: Silence, top: int, *, shows_all: bool = False
) -> Iterator[Section]:
    """What moved and who can have done it, what stopped, and what was not searched; ``top`` rows of each table.

    What is intended or fixed, and what the window does not show, is listed only where ``shows_all``.
    """
    found = states.found
    shown = [one for one in found.changes if shows_all or one.state not in _DEALT_WITH]
    for verdict in Verdict:
        own = [one for one in shown if one.verdict is verdict]
        leads = group_leads(own)
        if leads or verdict is Verdict.REGRESSION:
            notes = tuple(_notes(states, own, leads, top)) if verdict is Verdict.REGRESSION else ()
            yield _moved(_TITLES[verdict], leads[:top], own, notes)
    leads = group_leads(shown)[:top]
    yield from _where_to_look(leads)
    yield from _together(shown, leads, shows_all=shows_all)
    yield from _machines(leads, found.confounded, top)
    yield from _past(states, top, shows_all=shows_all)
    yield from silence_sections(silence, top)
    yield from _searched(found, top, shows_all=shows_all)


def _moved(title: str, leads: Sequence[Change], own: Sequence[Change], notes: tuple[str, ...]) -> Section:
    ids = {one.change_id for one in own}
    return Section(
        title=title,
        headings=_MOVED,
        rows=tuple(
            (
                one.change_id, one.state.value, one.series, percent_text(_share(one)), unit_level(one.before, one.unit),
                unit_level(one.after, one.unit), times_noise(one.noises), confidence(one.q), _run(one),
                one.at.ordered_at, one.later, len(ids.intersection(one.moved_with)) or None,
            )
            for one in leads
        ),
        notes=notes,
    )  # fmt: skip


def _notes(states: ChangeStates, own: Sequence[Change], leads: Sequence[Change], top: int) -> Iterator[str]:
    found = states.found
    searched = sum(one.search is Search.SEARCHED for one in found.series)
    if not own:
        yield f"No regression in {searched:,} series that were searched."
    if len(leads) > top:
        yield f"Not listed: {counted(len(leads) - top, 'change')}; --top or --format json shows them."
    hidden = Counter(one.state.value for one in found.changes if one.state in _DEALT_WITH)
    if hidden and not set(hidden) <= {one.state.value for one in own}:
        told = ", ".join(f"{count} {state}" for state, count in sorted(hidden.items()))
        yield f"Dealt with: {told}; --all lists them."
    if own:
        yield (
            f"New: fewer than {CONFIRMED_BY} later runs of the default branch bear it out, or it is less than "
            f"{1 - CONFIRMED_Q:.1%} sure; then confirmed. Others: series that moved at the same commits. "
            "× Noise: in units of what the series scatters by itself. Sure: after looking at all series at once."
        )


def _share(change: Change) -> float | None:
    return None if change.percent is None else change.percent / 100


def _run(change: Change) -> str:
    point = change.at
    return f"#{point.run_number}" if point.run_number is not None else str(point.run_id)


def _where_to_look(leads: Sequence[Change]) -> Iterator[Section]:
    if not leads:
        return
    yield Section(
        title="Where to look",
        headings=("Id", "Last Good", "First Bad", "Commits", "Code or Machine", "Difference or Run"),
        rows=tuple(
            (
                one.change_id, short_sha(one.last_good.sha), short_sha(one.first_bad.sha), len(one.suspects.commits),
                runner_words(one.runners), one.suspects.compare_url or one.at.url,
            )
            for one in leads
        ),
        notes=tuple(
            f"{one.change_id}: it lies between runs of one commit, so that no commit of the repository did it."
            for one in leads
            if one.suspects.same_commit
        ),
    )  # fmt: skip
    rows = tuple(row for one in leads for row in _commits(one))
    if rows:
        yield Section(
            title="Commits", headings=("Id", "Commit", "Pull Request", "Author", "Title", "Likely"), rows=rows
        )


def _commits(change: Change) -> Iterator[tuple[Cell, ...]]:
    """The commits of a change, the likely ones first."""
    likely = set(change.suspects.likely)
    commits = sorted(change.suspects.commits, key=lambda one: one.sha not in likely)
    for one in commits[:MOST_COMMITS]:
        pull = one.pull_url or (f"#{one.pull_number}" if one.pull_number is not None else None)
        yield (change.change_id, short_sha(one.sha), pull, one.author, one.title, "yes" if one.sha in likely else None)
    if len(commits) > MOST_COMMITS:
        yield (change.change_id, f"and {len(commits) - MOST_COMMITS:,} more", None, None, None, None)


def _together(changes: Sequence[Change], leads: Sequence[Change], *, shows_all: bool) -> Iterator[Section]:
    """What moved with each cause, a row for each test; each series where ``shows_all``."""
    by_id = {one.change_id: one for one in changes}
    rows: list[tuple[Cell, ...]] = []
    for lead in leads:
        tests: dict[tuple[str, ...], list[Change]] = {}
        for other in (by_id[name] for name in lead.moved_with if name in by_id):
            key = (other.series,) if shows_all else (other.workflow, other.job, other.test, other.verdict.value)
            tests.setdefault(key, []).append(other)
        for own in sorted(tests.values(), key=lambda own: gravity(min(own, key=gravity))):
            most = min(own, key=gravity)
            rows.append(
                (
                    lead.change_id, most.change_id, most.verdict.value, most.series, percent_text(_share(most)),
                    times_noise(most.noises), len(own) - 1 or None,
                )
            )  # fmt: skip
    if rows:
        headings = ("With", "Id", "Verdict", "Series", "Change", "× Noise", "Others of the Test")
        note = "One decision on them all: trackside perf ack ID --reason TEXT --others."
        yield Section(title="Moved at the same commits", headings=headings, rows=tuple(rows), notes=(note,))


def _machines(leads: Sequence[Change], confounded: Sequence[Change], top: int) -> Iterator[Section]:
    rows = tuple(
        (one.change_id, shift.name, shift.values_before, _level(shift.before, one), shift.values_after,
         _level(shift.after, one), {True: "yes", False: "no", None: None}[shift.moved])
        for one in leads
        if len(one.runners.runners) > 1
        for shift in one.runners.runners[:MOST_COMMITS]
    )  # fmt: skip
    if rows:
        headings = ("Id", "Runner", "Values Before", "Median", "Values After", "Median", "Moved")
        yield Section(title="Runners before and after", headings=headings, rows=rows)
    if confounded:
        yield Section(
            title="Moved as the machines changed",
            headings=("Series", "Change", "From", "To", "Since Run", "When", "Code or Machine"),
            rows=tuple(
                (
                    one.series, percent_text(_share(one)), unit_level(one.before, one.unit),
                    unit_level(one.after, one.unit), _run(one), one.at.ordered_at, runner_words(one.runners),
                )
                for one in confounded[:top]
            ),
            notes=("These have no state and fail no check: the code cannot be told from the machines.",),
        )  # fmt: skip


def _level(value: float | None, change: Change) -> str | None:
    return None if value is None else unit_level(value, change.unit)


def _past(states: ChangeStates, top: int, *, shows_all: bool) -> Iterator[Section]:
    past = [one for one in states.past if shows_all or one in states.standing]
    if past:
        yield Section(
            title="Known from before" if shows_all else "Confirmed before the window, and still so",
            headings=("Id", "State", "Series", "Way", "From", "To", "Since", "Still So", "Reason"),
            rows=tuple(
                (
                    one.known.change_id, one.state.value, one.known.series, one.known.direction,
                    unit_level(one.known.before, None), unit_level(one.known.after, None), one.known.first_bad_at,
                    "yes" if one.stands else None, None if one.decision is None else one.decision.reason,
                )
                for one in past[:top]
            ),
        )  # fmt: skip
    if states.unused_notes and shows_all:
        names = ", ".join(states.unused_notes)
        yield Section(title="Notes of the settings", notes=(f"No change that is known has the id {names}.",))


def _searched(found: Changes, top: int, *, shows_all: bool) -> Iterator[Section]:
    searches = Counter(one.search for one in found.series)
    few = [one for one in found.series if one.search is Search.FEW_POINTS]
    drifting = [one for one in found.series if one.is_drifting]
    notes = [f"{len(found.series):,} series, {searches[Search.SEARCHED]:,} of them searched."]
    if found.default_branch is None:
        notes.append(
            "The default branch of the repository is not known, and only its runs are searched: set default_branch "
            "under [ci] in trackside.toml."
        )
    if few:
        notes.append(
            f"With fewer than {found.least_points} values on the default branch, too few to search: {len(few):,}."
        )
    if searches[Search.NO_DIRECTION]:
        notes.append(f"Neither more nor less is better, not searched: {searches[Search.NO_DIRECTION]:,}.")
    if drifting:
        notes.append(f"Moving slowly all the time: {', '.join(one.series for one in drifting[:top])}.")
    if few and not shows_all:
        notes.append("--all lists those with too few values.")
    yield Section(
        title="Series",
        headings=("Too Few Values to Search", "On the Default Branch", "In All"),
        rows=tuple((one.series, one.points, one.all_points) for one in few[:top]) if shows_all else (),
        notes=tuple(notes),
    )
