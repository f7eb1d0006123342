"""Where in a log a line stands: in a step that failed, in one that passed, in a test that passed when tried again."""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple

from trackside.joblogs.raw_lines import RawLines, index_before, offsets_of
from trackside.records.jobs import Job

FAILED_STEPS: Final = frozenset({"failure", "timed_out", "cancelled"})
_SECOND: Final = dt.timedelta(seconds=1)
# What says that a retry passed, what the thing that was tried began with, and how many of these ago.
_RETRIED: Final = (
    (b"PASSED on retry (attempt", b"Begin (", 1),
    (b"Test succeeded in new process", b"test session starts", 2),
    (b"Command completed after 2 attempt", b"##[group]Run ", 1),
    (b"Command completed after 3 attempt", b"##[group]Run ", 1),
)


class Span(NamedTuple):
    """From a byte of the log up to another."""

    start: int
    end: int


class Places:
    """What the place of a line says of its weight. All is told from GitHub's marks in the log, and the job's steps."""

    def __init__(self, lines: RawLines, job: Job) -> None:
        content = lines.content
        marks = offsets_of(content, b"##[")
        self._lines = lines
        self._groups = [at for at in marks if content.startswith(b"group]", at + 3)]
        self._ends = [at for at in marks if content.startswith(b"endgroup]", at + 3)]
        self.errors = [at for at in marks if content.startswith(b"error]", at + 3)]
        runs = [at for at in self._groups if content.startswith(b"Run ", at + 9)]
        self._posts = frozenset(offsets_of(content, b"Post job cleanup."))
        self._sections = sorted({0, *runs, *self._posts})
        self._failed = {section: order for order, section in enumerate(self._failed_sections())}
        self._exits = {self._section_of(at): at for at in self.errors if self._is_exit(at)}
        self._windows = _windows(job)
        if not self._windows_hold_a_line():
            self._windows = []
        self._redeemed = _redeemed(lines)

    def is_script(self, offset: int) -> bool:
        """Whether the line is part of what a step's header shows: its script, inputs and environment."""
        group = index_before(self._groups, offset)
        if group == -1 or not self._lines.content.startswith(b"##[group]Run ", self._groups[group]):
            return False
        end = index_before(self._ends, offset)
        if end != -1 and self._ends[end] >= self._groups[group]:
            return False
        # A header that never ends is a torn log, not a script of a thousand lines.
        return offset - self._groups[group] < 100_000

    def weight(self, offset: int) -> int:
        """What to add to the strength of a rule that matched at ``offset``: 0 within the failed step, else less."""
        weight = 0
        if any(span.start <= offset < span.end for span in self._redeemed):
            weight -= 60
        if self._is_clean_up(offset):
            return weight - 100
        inside = self._in_failed_step(offset)
        if inside is False:
            return weight - 45
        section = self._section_of(offset)
        if self._failed and section not in self._failed:
            weight -= 10 if inside else 28
        elif self._failed:
            weight -= min(self._failed[section], 2) * (0 if inside else 4)
        if section in self._failed and self._is_post(section):
            weight -= 20
        return weight

    def _is_clean_up(self, offset: int) -> bool:
        """Whether the line was written when all was over: in a clean-up that did not fail, or after the exit code."""
        section = self._section_of(offset)
        if self._is_post(section) and section not in self._failed:
            return True
        ended = self._exits.get(section)
        start = self._lines.start_of(offset)
        return (
            ended is not None
            and start > ended
            and index_before(self.errors, self._lines.at(start).end) <= index_before(self.errors, start - 1)
        )

    def _is_exit(self, error: int) -> bool:
        return self._lines.content.startswith(b"Process completed with exit code", error + len(b"##[error]"))

    def _windows_hold_a_line(self) -> bool:
        """Whether the log was stamped by the clock that the steps were timed by."""
        content = self._lines.content
        stamps = (self._lines.stamp_of(0), self._lines.stamp_of(self._lines.start_of(max(len(content) - 1, 0))))
        first, last = (_time(stamp) if stamp else None for stamp in stamps)
        if first is None or last is None:
            return True
        return any(first <= end + _SECOND and start - _SECOND <= last for start, end in self._windows)

    def _section_of(self, offset: int) -> int:
        return self._sections[max(index_before(self._sections, offset), 0)]

    def _is_post(self, section: int) -> bool:
        return section in self._posts

    def _failed_sections(self) -> list[int]:
        """The beginnings of the sections with an error mark, those that ended with an exit code first."""
        exits: dict[int, None] = {}
        others: dict[int, None] = {}
        for offset in self.errors:
            (exits if self._is_exit(offset) else others)[self._section_of(offset)] = None
        return list(exits | others)

    def _in_failed_step(self, offset: int) -> bool | None:
        """Whether the line was written while a failed step ran; None where steps or stamps do not tell."""
        if not self._windows:
            return None
        stamp = self._lines.stamp_of(self._lines.start_of(offset))
        at = _time(stamp) if stamp else None
        return None if at is None else any(start - _SECOND <= at <= end + _SECOND for start, end in self._windows)


def _time(stamp: bytes) -> dt.datetime | None:
    """None of what looks like a stamp and is no time."""
    try:
        return dt.datetime.fromisoformat(stamp.decode()).replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def _windows(job: Job) -> list[tuple[dt.datetime, dt.datetime]]:
    """The times of the steps that failed; of the cancelled ones only where none failed."""
    for wanted in (FAILED_STEPS - {"cancelled"}, FAILED_STEPS):
        found = [
            (step.started_at, step.completed_at)
            for step in job.steps
            if step.conclusion in wanted and step.started_at is not None and step.completed_at is not None
        ]
        if found:
            return found
    return []


def _redeemed(lines: RawLines) -> list[Span]:
    """What was said before a retry that passed: from where the test or command began to where it passed."""
    content = lines.content
    spans: list[Span] = []
    for said, beginning, tries in _RETRIED:
        passed = content.find(said)
        while passed != -1 and len(spans) < 1000:
            start = content.rfind(beginning, 0, passed)
            for _ in range(tries - 1):
                start = max(content.rfind(beginning, 0, max(start, 0)), 0)
            if start != -1:
                spans.append(Span(start, passed))
            passed = content.find(said, passed + len(said))
    return spans
