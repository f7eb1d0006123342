"""The table of what changed in performance: each change, its size, since when, and who can have done it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from trackside.history.default_line import Commit
from trackside.perf.change_records import Change, Verdict
from trackside.perf.states import ChangeStates, PastChange
from trackside.records.perf_rules import ChangeState
from trackside.report.ledger import counted
from trackside.report.perf_change_words import unit_level
from trackside.report.perf_text import level_text, percent_text
from trackside.report.perf_words import PerfWords
from trackside.site.addresses import commit_url
from trackside.site.marks import BAD, GOOD, QUIET, WARN
from trackside.site.tables import Cell, Column, Kind, Table, number_cell, text_cell, time_cell

MOST_CHANGES: Final = 1_000
_SUSPECTS: Final = 3
_OTHER_MACHINES: Final = "other machines"
_WORDS: Final = {Verdict.REGRESSION: "worse", Verdict.IMPROVEMENT: "better"}
_BEFORE: Final = "before the window"
_COLUMNS: Final = (
    Column(key="verdict", label="Change", kind=Kind.STATE, choices=True),
    Column(key="percent", label="By", kind=Kind.NUMBER, unit="%", about="Of the level before."),
    Column(key="test", label="Test"),
    Column(key="metric", label="Metric", choices=True),
    Column(key="levels", label="From → to", sortable=False, about="The fitted levels before and after."),
    Column(
        key="confidence",
        label="Sure",
        kind=Kind.NUMBER,
        unit="%",
        about="100 % less the share of false ones among all changes told with this much evidence.",
    ),
    Column(key="since", label="Since", kind=Kind.TIME, unit="UTC", choices=True),
    Column(key="range", label="Good … bad", about="The last good and the first bad commit; the link compares them."),
    Column(key="state", label="State", choices=True),
    Column(key="suspects", label="Suspects", about="Commits between, the likely ones first."),
    Column(key="id", label="Id", about="For trackside perf ack and trackside perf intend."),
)


def changes_table(states: ChangeStates, words: PerfWords, addresses: Mapping[str, str]) -> Table:
    """Every change of the window, the gravest first, then moves that came with other machines, then past ones.

    ``addresses`` are those of the charts by series. Past ones are confirmed regressions from before the window whose
    level is still there.
    """
    rows = tuple(_rows(states, words, addresses))
    return Table(
        key="changes",
        caption="Changes, the gravest first",
        columns=_COLUMNS,
        rows=rows[:MOST_CHANGES],
        empty="No change was found in the series of this window.",
        page_size=20,
        left_out=max(0, len(rows) - MOST_CHANGES),
        left_out_why="trackside perf changes --all lists them",
    )


def _rows(states: ChangeStates, words: PerfWords, addresses: Mapping[str, str]) -> Iterator[tuple[Cell, ...]]:
    for change in states.found.changes:
        yield _row(change, words, addresses)
    for change in states.found.confounded:
        yield _row(change, words, addresses, state=_OTHER_MACHINES)
    for past in states.standing:
        yield _past_row(past, addresses)


def _row(
    change: Change, words: PerfWords, addresses: Mapping[str, str], *, state: str | None = None
) -> tuple[Cell, ...]:
    tone = QUIET if state else _tone(change)
    return (
        Cell(value=change.verdict.value, text=_WORDS[change.verdict], tone=tone),
        percent_cell(change.percent, tone),
        text_cell(change.test, addresses.get(change.series), note=change.job),
        text_cell(change.metric),
        text_cell(f"{level_text(change.before)} → {unit_level(change.after, change.unit)}"),
        number_cell(100 * (1 - change.q), words.confidence(change)),
        time_cell(change.at.ordered_at, change.at.url),
        _range(change, words),
        _state(change, state),
        _suspects(change, words),
        text_cell(change.change_id),
    )


def _past_row(past: PastChange, addresses: Mapping[str, str]) -> tuple[Cell, ...]:
    """A change from before the window: its commits and runners are not known any more."""
    known, nothing = past.known, Cell()
    return (
        Cell() if past.verdict is None else Cell(value=past.verdict.value, text=_WORDS[past.verdict], tone=BAD),
        percent_cell(past.percent, BAD),
        text_cell(known.series, addresses.get(known.series)),
        nothing,
        text_cell(f"{level_text(known.before)} → {level_text(known.after)}"),
        nothing,
        time_cell(known.first_bad_at),
        nothing,
        text_cell(past.state.value, note=_BEFORE, tone=BAD),
        nothing,
        text_cell(known.change_id),
    )


def _tone(change: Change) -> str:
    if not change.state.is_open:
        return QUIET
    if change.verdict is Verdict.IMPROVEMENT:
        return GOOD
    return BAD if change.state is ChangeState.CONFIRMED else WARN


def percent_cell(percent: float | None, tone: str | None = None) -> Cell:
    """The size of a change; unknown where the level before is 0."""
    return number_cell(percent, None if percent is None else percent_text(percent / 100), tone=tone)


def _range(change: Change, words: PerfWords) -> Cell:
    """From the last good to the first bad commit; the link compares them."""
    good, bad = words.place(change.last_good), words.place(change.first_bad)
    if change.suspects.same_commit:
        return text_cell(f"{good} … {bad}", change.first_bad.url, note="runs of one commit: no commit did it")
    return text_cell(f"{good} … {bad}", change.suspects.compare_url)


def _suspects(change: Change, words: PerfWords) -> Cell:
    commits = words.suspects(change)
    if not commits:
        return Cell()
    first = commits[0]
    told = [words.commit_title(first), *([first.author] if first.author else [])]
    more = len(change.suspects.commits) - min(_SUSPECTS, len(commits))
    note = " · ".join([*told, *([f"and {counted(more, 'more commit')}"] if more else [])])
    items = tuple(_commit(one, words) for one in commits[:_SUSPECTS])
    return Cell(items=items, note=note)


def _commit(commit: Commit, words: PerfWords) -> Cell:
    if commit.pull_number is None:
        return text_cell(words.sha(commit.sha), commit_url(words.home, commit.sha))
    return text_cell(f"#{commit.pull_number}", commit.pull_url or f"{words.home}/pull/{commit.pull_number}")


def _state(change: Change, state: str | None) -> Cell:
    if state is not None:
        return text_cell(state, note="the code cannot be told from them", tone=QUIET)
    decision = change.decision
    return text_cell(change.state.value, note=decision.reason if decision else None)
