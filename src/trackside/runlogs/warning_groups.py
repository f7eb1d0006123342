"""Warnings of steps, compilers and package managers, each kind counted once."""

from __future__ import annotations

import re
from typing import Final

from trackside.joblogs.fingerprints import masked
from trackside.runlogs.findings import WarningGroup
from trackside.runlogs.lines import LogLine, shown

MOST: Final = 20
"""So many groups of a job are kept, those with most warnings; the others are counted."""
MOST_FORMS: Final = 500
"""So many different warnings are told apart; what comes later is counted with them."""
_KINDS: Final = (
    ("actions", re.compile(r"##\[warning\]|::warning(?: [^:]{0,500})?::")),
    (
        "npm",
        re.compile(r"npm (?:warn|WARN)\b|(?:yarn |\[?)warning(?: \"|\]) ?\S|(?:pnpm:?)? ?WARN  ?\S", re.IGNORECASE),
    ),
    ("msvc", re.compile(r".{1,300}\(\d{1,6}(?:,\d{1,6})?\): warning [A-Z]{1,6}\d{1,5}: ")),
    (
        "compiler",
        re.compile(r"[^\s:](?:[^:]|:(?=\\)){0,300}:\d{1,6}:(?:\d{1,5}:)? warning: |warning(?:\[[\w:-]{1,80}\])?: \S"),
    ),
    ("python", re.compile(r".{0,300}\b[A-Z]\w{0,40}Warning: |WARNING: \S")),
)
_ROUGH: Final = re.compile("warn", re.IGNORECASE)


class Warnings:
    """Takes the lines of a job's log; ``found`` are its kinds of warnings, ``total`` counts all of them."""

    def __init__(self, job: str) -> None:
        self.total = 0
        self._job = job
        self._groups: dict[tuple[str, str], tuple[LogLine, int]] = {}
        self._forms = 0

    def take(self, line: LogLine) -> None:
        """A line of the log."""
        text = line.text
        if line.is_script or not _ROUGH.search(text):
            return
        tool = next((name for name, pattern in _KINDS if pattern.match(text)), None)
        if tool is None:
            return
        self.total += 1
        key = (tool, masked(text[:300]))
        first, count = self._groups.get(key, (line, 0))
        if count or len(self._groups) < MOST_FORMS:
            self._groups[key] = (first, count + 1)

    @property
    def found(self) -> tuple[WarningGroup, ...]:
        """The groups with most warnings, of equal ones the first."""
        ranked = sorted(self._groups.items(), key=lambda item: (-item[1][1], item[1][0].number))
        return tuple(
            WarningGroup(
                tool=tool, count=count, line=shown(first.text), job=self._job, step=first.step, line_number=first.number
            )
            for (tool, _), (first, count) in ranked[:MOST]
        )

    @property
    def left_out(self) -> int:
        """How many warnings are not in the groups that are kept."""
        return self.total - sum(group.count for group in self.found)
