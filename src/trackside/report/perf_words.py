"""The words of the page of the performance monitor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import polars as pl

from trackside.history.default_line import Commit
from trackside.perf.change_records import Change, Changes, Direction, PointLink, RunnerShift, Verdict
from trackside.perf.changes import gravity
from trackside.perf.silence import Silent
from trackside.records.perf_rules import ChangeState
from trackside.report.ledger import counted
from trackside.report.perf_causes import Cause, count_tests
from trackside.report.perf_change_words import confidence, runner_words, silence_words
from trackside.report.perf_chart_data import change_text
from trackside.report.perf_facts import PerfFacts
from trackside.report.perf_series import SeriesView, Standing
from trackside.report.perf_text import DASH, day_text, level_text, moment_text, short_sha
from trackside.report.safe_links import link_within
from trackside.report.safe_text import safe_text

MOST_SUSPECTS: Final = 12
MOST_NAMED: Final = 2
_TITLES: Final = {
    Standing.WORSE: ("Worse, confirmed", "Later runs bear these out, and nobody has acknowledged them."),
    Standing.NEW: ("Worse, new", "Found, and not yet confirmed by later runs."),
    Standing.STOPPED: ("Stopped", "No value comes any more: a job or a test was renamed or removed, or fails early."),
    Standing.BETTER: ("Better", "Improvements."),
    Standing.KNOWN: ("Known", "Changes that somebody acknowledged or intended."),
    Standing.STEADY: (
        "No change found",
        "No change that still stands; one that is smaller than the noise is not seen.",
    ),
    Standing.UNTOLD: ("Not judged", "Drawn, but not searched for changes."),
    Standing.FEW: ("Too few values to judge", "Only values of the default branch are searched for changes."),
}
_ALSO: Final = {
    Standing.WORSE: "worse",
    Standing.NEW: "worse (new)",
    Standing.STOPPED: "without values now",
    Standing.BETTER: "better",
    Standing.KNOWN: "known",
}
_BETTER: Final = {
    "higher": "higher is better",
    "lower": "lower is better",
    "neither": "neither more nor less is better",
}


class Sign(NamedTuple):
    """How a series stands in a mark and a few words; ``kind`` is its colour's name."""

    kind: str
    mark: str
    text: str


class PerfWords(msgspec.Struct, frozen=True, kw_only=True):
    """Sentences and figures by the facts of the page; ``shown`` gives the address of each series that is shown."""

    facts: PerfFacts
    changes: Changes | None
    home: str
    shown: Mapping[str, str]

    def text(self, value: object) -> str:
        """Text from outside with its control characters visible."""
        return DASH if value is None or value == "" else safe_text(str(value))

    def link(self, url: str | None) -> str | None:
        """The address, where it leads to the repository's host."""
        return link_within(url, self.facts.site)

    def level(self, value: float | None, unit: str | None = None) -> str:
        """A level with its unit."""
        return f"{level_text(value)} {safe_text(unit)}" if unit and value is not None else level_text(value)

    def moment(self, at: dt.datetime | None) -> str:
        """A minute, UTC."""
        return moment_text(at)

    def sha(self, sha: str | None) -> str:
        """A short commit."""
        return safe_text(short_sha(sha))

    def counted(self, count: int, noun: str) -> str:
        """``1 run``, ``2 runs``."""
        return counted(count, noun)

    def title(self, standing: Standing) -> str:
        """The heading of series that stand alike."""
        return _TITLES[standing][0]

    def intro(self, standing: Standing) -> str:
        """What the heading means."""
        if standing is Standing.FEW and self.changes is not None:
            return f"{_TITLES[standing][1]} A search takes {self.changes.least_points} of them."
        return _TITLES[standing][1]

    def extent(self, views: Sequence[SeriesView], *, by_test: bool = True) -> str:
        """``9 tests, 108 series``."""
        series = f"{len(views):,} series"
        return f"{counted(count_tests(views), 'test')}, {series}" if by_test else series

    def tests(self, views: Sequence[SeriesView]) -> int:
        """How many tests these are series of."""
        return count_tests(views)

    def branch(self) -> str:
        """The name of the default branch."""
        return safe_text(self.facts.default_branch or "the default branch")

    def window(self) -> str:
        """``2026-05-01 → 2026-05-31, UTC``."""
        first = "the beginning" if self.facts.since is None else day_text(self.facts.since)
        return f"{first} → {day_text(self.facts.until)}, UTC"

    def is_complete(self) -> bool:
        """True where the log of every job was read."""
        return not self.facts.unread and not any(self._missing())

    def reading(self) -> str:
        """How complete the page is."""
        facts = self.facts
        ready = facts.logs.get("ready", 0)
        told = [f"{ready:,} of {counted(sum(facts.logs.values()), 'log')} read"] if facts.logs else []
        told += self._missing()
        if facts.unread:
            told.append(f"the jobs of {counted(facts.unread, 'run attempt')} are not known")
        return ", ".join(told) or "no log was asked for"

    def _missing(self) -> list[str]:
        return [
            f"{count:,} {safe_text(state)}" for state, count in self.facts.logs.items() if state != "ready" and count
        ]

    def sign(self, view: SeriesView) -> Sign:
        """How the series stands."""
        change, standing = view.headline, view.standing
        if standing is Standing.STOPPED:
            last = view.silent.last_at if view.silent else None
            return Sign("warn", "■", f"no value since {day_text(last)}")
        if change is not None:
            word = "worse" if change.verdict is Verdict.REGRESSION else "better"
            note = "" if change.state is ChangeState.CONFIRMED else f" ({change.state.value})"
            kind = "known" if standing is Standing.KNOWN else "worse" if word == "worse" else "better"
            return Sign(kind, self.arrow(change), f"{self.amount(change)} {word}{note}")
        if standing is Standing.FEW:
            return Sign("none", "…", f"too few values on {self.branch()}: {view.searched_count}")
        return Sign("none", "=", "no change") if standing is Standing.STEADY else Sign("none", "·", "not judged")

    def silence(self, silent: Silent) -> str:
        """Since when no value came, why, and what may have become of the series."""
        return f"No value since {moment_text(silent.last_at)}, {self._without(silent, 'Its job')}"

    def stopped(self, silent: Silent) -> str:
        """The same below a heading that says since when, with the name of the job."""
        return self._without(silent, silent.job)

    def _without(self, silent: Silent, job: str) -> str:
        told = f"{counted(silent.runs_without, 'run')} without. {job}: {silence_words(silent)}."
        if silent.proposal is not None:
            told += f" The nearest new {silent.proposal.kind} is {silent.proposal.new}."
        return safe_text(told)

    def arrow(self, change: Change) -> str:
        """Which way the numbers went."""
        return "▲" if change.direction is Direction.UP else "▼"

    def amount(self, change: Change) -> str:
        """``−3.1 %``."""
        return change_text(change.percent, change.before, change.after)

    def kind(self, change: Change) -> str:
        """The name of the colour of a change."""
        return "worse" if change.verdict is Verdict.REGRESSION else "better"

    def times(self, noises: float | None) -> str:
        """How many times the noise a change is."""
        return DASH if noises is None else f"{abs(noises):.1f} ×"

    def confidence(self, change: Change) -> str:
        """How sure the change is."""
        return confidence(change.q)

    def better(self, view: SeriesView) -> str:
        """Which direction is the good one."""
        return _BETTER.get(view.better, view.better)

    def counts(self, view: SeriesView) -> str:
        """How many values of which kind the series has."""
        points = view.points
        failed = points.filter(is_failed()).height
        tries = points.filter(~pl.col("is_final")).height
        others = points.height - view.searched_count - tries
        told = [f"{view.searched_count:,} on {self.branch()}", f"{others:,} on other branches"]
        told += [f"{failed:,} of failed jobs"] * bool(failed)
        told += [f"{counted(tries, 'earlier try').replace('trys', 'tries')}"] * bool(tries)
        return f"{counted(points.height, 'value')}: {', '.join(told)}"

    def noise(self, view: SeriesView) -> str | None:
        """The noise of the series in percent of its level, where it was searched."""
        searched = view.searched
        if searched is None or searched.noise is None or not searched.level:
            return None
        return f"noise ±{100 * searched.noise / abs(searched.level):.2g} %"

    def machines(self, change: Change) -> str:
        """The answer to whether it is the code or a machine."""
        return f"{safe_text(runner_words(change.runners))}."

    def runner(self, one: RunnerShift) -> str:
        """What one runner, or pool, measured before and after."""
        moved = {True: "moved", False: "did not move", None: "measured on one side only, or too little"}[one.moved]
        return (
            f"{safe_text(one.name)}: {level_text(one.before)} → {level_text(one.after)} "
            f"({one.values_before} and {one.values_after} values), {moved}"
        )

    def place(self, point: PointLink) -> str:
        """The commit of a point, or its run where that is not known."""
        return self.sha(point.sha) if point.sha else f"run {point.run_number or point.run_id}"

    def suspects(self, change: Change) -> tuple[Commit, ...]:
        """The commits that can have done it, the likely ones first; not more than a reader looks through."""
        likely = set(change.suspects.likely)
        commits = sorted(change.suspects.commits, key=lambda one: one.sha not in likely)
        return tuple(commits[:MOST_SUSPECTS])

    def named(self, change: Change) -> tuple[Commit, ...]:
        """The commits that stand for the others in a heading."""
        return self.suspects(change)[:MOST_NAMED]

    def commit_title(self, commit: Commit) -> str:
        """What the commit says it does, without the number of its pull request, which stands beside it."""
        return self.text((commit.title or "").removesuffix(f"(#{commit.pull_number})").rstrip())

    def also(self, cause: Cause) -> Iterator[tuple[str, str]]:
        """What else the cause moved, and the key of the first such series."""
        for standing, count, key in cause.elsewhere:
            yield f"{count:,} series {_ALSO[standing]}", key

    def moved(self, change: Change) -> list[tuple[str, str | None, int]]:
        """For each test whose series moved with it one of them: its name, its address, and how many others."""
        known = {one.change_id: one for one in self.changes.changes} if self.changes else {}
        tests: dict[tuple[str, ...], list[Change]] = {}
        for other in sorted((known[one] for one in change.moved_with if one in known), key=gravity):
            tests.setdefault((other.workflow, other.job, other.test), []).append(other)
        return [(self._moved(own[0]), self.shown.get(own[0].series), len(own) - 1) for own in tests.values()]

    def _moved(self, change: Change) -> str:
        return safe_text(f"{change.job} / {change.test} / {change.metric} ({self.amount(change)})")

    def newest(self, view: SeriesView, most: int) -> list[dict[str, Any]]:
        """The newest points, newest first."""
        return view.points.with_columns(failed=is_failed()).tail(most).reverse().to_dicts()


def is_failed() -> pl.Expr:
    """Whether the test, or its job, failed."""
    return (pl.col("test_outcome") == "failed").fill_null(False) | (pl.col("job_outcome") == "failed").fill_null(False)
