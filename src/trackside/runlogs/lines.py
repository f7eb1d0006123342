"""The lines of a job's log one after the other, each with the step that wrote it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from trackside.joblogs.cleaning import STAMP, clean, redact
from trackside.records.jobs import Job, Step

MAX_LINE: Final = 500
"""Characters that are kept of a line."""
MAX_DOCUMENT: Final = 1024 * 1024
"""Bytes of a line that is a JSON document; a longer one is text."""
_RAW_LIMIT: Final = 16_384
_ECHO: Final = b"\x1b[36;1m"
_HEADER: Final = "##[group]Run "
_LONGEST_HEADER: Final = 2000


class LogLine(NamedTuple):
    """A line, cleaned. ``is_script``: it shows a script, its inputs or its environment, and nothing ran yet.

    ``is_header`` marks the first line of a section, ``section`` numbers these, from 0 for what comes before the first.
    """

    number: int
    text: str
    raw: bytes
    step: str | None
    section: int
    is_script: bool
    is_header: bool

    @property
    def document(self) -> bytes | None:
        """The whole line where it can be a JSON object or list, without its stamp."""
        return self.whole if self.text[:1] in ("{", "[") else None

    @property
    def whole(self) -> bytes | None:
        """The line without its stamp, however long; None where it is longer than MAX_DOCUMENT."""
        stamp = STAMP.match(self.raw)
        found = self.raw[stamp.end() if stamp else 0 :].strip()
        return found if len(found) <= MAX_DOCUMENT else None


def shown(text: str, most: int = MAX_LINE) -> str:
    """A piece of a log as it may be kept: without secrets and white space around it, cut."""
    return redact(text.strip())[:most]


def log_lines(content: bytes, job: Job | None) -> Iterator[LogLine]:
    """Each line of ``content``; the steps of ``job`` name those of the log, where they are known."""
    steps = _Steps(job)
    number = start = section = 0
    script_from: int | None = None
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end == -1 else end
        raw = content[start:end]
        number += 1
        start = end + 1
        text = clean(raw[:_RAW_LIMIT])
        is_header = text.startswith(_HEADER)
        if is_header or text == "Post job cleanup.":
            section += 1
            steps.enter(text.removeprefix("##[group]"), raw)
            script_from = number if is_header else None
        elif text.startswith("##[endgroup]") or (script_from and number - script_from > _LONGEST_HEADER):
            # A header that never ends is a torn log, not a script of thousands of lines.
            script_from = None
        is_script = script_from is not None or _is_echo(raw)
        yield LogLine(number, text, raw, steps.name, section, is_script, is_header)


def _is_echo(raw: bytes) -> bool:
    if _ECHO not in raw[:60]:
        return False
    stamp = STAMP.match(raw)
    return raw.startswith(_ECHO, stamp.end() if stamp else 0)


class _Steps:
    """Which step a section of the log is of: told by its title, else by the second in which it began."""

    def __init__(self, job: Job | None) -> None:
        ran = (step for step in job.steps if step.conclusion != "skipped") if job is not None else ()
        self._steps: Sequence[Step] = sorted(ran, key=lambda step: step.number)
        self._place = 0
        self.name: str | None = redact(self._steps[0].name) if self._steps else None

    def enter(self, title: str, raw: bytes) -> None:
        """A section begins."""
        if not self._steps:
            self.name = shown(title, 200)
            return
        moment = _moment(raw)
        later = range(self._place, len(self._steps))
        named = [place for place in later if self._steps[place].name == title and _may_hold(self._steps[place], moment)]
        # An action made of several parts begins a section for each: only then does a step go on.
        began = [place for place in later[1:] if _ran_at(self._steps[place], moment)]
        self._place = next(iter([*named, *began]), self._place)
        self.name = redact(self._steps[self._place].name)


def _may_hold(step: Step, moment: dt.datetime | None) -> bool:
    return moment is None or step.started_at is None or _ran_at(step, moment)


def _ran_at(step: Step, moment: dt.datetime | None) -> bool:
    if moment is None or step.started_at is None or step.started_at > moment:
        return False
    return step.completed_at is None or moment <= step.completed_at


def _moment(raw: bytes) -> dt.datetime | None:
    """When the line was written; None of what looks like a stamp and is no time."""
    stamp = STAMP.match(raw)
    try:
        return None if stamp is None else dt.datetime.fromisoformat(stamp[1].decode()).replace(tzinfo=dt.UTC)
    except ValueError:
        return None
