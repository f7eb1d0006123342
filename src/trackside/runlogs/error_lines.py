"""The lines of a log that say that something went wrong, and the first of them that counts."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from trackside.joblogs.candidates import HEADERS, Candidate
from trackside.joblogs.choice import Weighed, most_telling
from trackside.joblogs.diagnosis import WeighedLog
from trackside.joblogs.fingerprints import masked
from trackside.runlogs.findings import ErrorLine
from trackside.runlogs.lines import shown

MOST: Final = 20
"""So many kinds of error lines of a job are kept, those that tell most; the others are counted."""
_TELLING: Final = 36
"""What a line weighs at least to be one of them."""
_FIRST: Final = 45
_WITHIN: Final = 30
"""The first error is not much weaker than the line that tells most."""


class StepAt(NamedTuple):
    """From a line of the log on a step runs."""

    line_number: int
    step: str | None


class ErrorLines(msgspec.Struct, frozen=True, kw_only=True):
    """The error lines of a job in the order of its log; ``first`` is the first one that counts, None where none does.

    Lines that differ in numbers, paths and times only are one, with their count.
    """

    found: tuple[ErrorLine, ...] = ()
    first: ErrorLine | None = None
    left_out: int = 0


def error_lines(log: WeighedLog, job: str, steps: Sequence[StepAt]) -> ErrorLines:
    """The error lines of a log. ``steps`` say which step runs from which line on."""
    telling = [one for one in log.weighed if one.strength >= _TELLING]
    if not telling:
        return ErrorLines()
    numbers = _numbers(log, telling)
    groups: dict[tuple[str, str], list[Weighed]] = {}
    for one in telling:
        groups.setdefault((one.candidate.rule.name, masked(one.candidate.message)[:300]), []).append(one)
    ranked = sorted(
        groups.values(), key=lambda group: (-max(one.strength for one in group), group[0].candidate.line.start)
    )

    def step_of(one: Weighed) -> int:
        number = numbers[one.candidate.line.start]
        return bisect.bisect_right(steps, number, key=lambda step: step.line_number) - 1

    def told(one: Weighed, count: int) -> ErrorLine:
        place = step_of(one)
        return ErrorLine(
            job=job,
            step=steps[place].step if place >= 0 else None,
            line_number=numbers[one.candidate.line.start],
            line=shown(one.candidate.line.text),
            rule=one.candidate.rule.name,
            cause=one.candidate.cause.value,
            count=count,
        )

    kept = [told(group[0], len(group)) for group in ranked[:MOST]]
    first = _first(telling, most_telling(log.weighed), step_of)
    return ErrorLines(
        found=tuple(sorted(kept, key=lambda one: one.line_number)),
        first=None if first is None else told(first, 1),
        left_out=sum(len(group) for group in ranked[MOST:]),
    )


def _first(telling: Sequence[Weighed], main: Candidate | None, step_of: Callable[[Weighed], int]) -> Weighed | None:
    """The first line, in the step of the most telling one (``main``), that is about as telling as that.

    The heading of a failed test names it, and does not yet say what is wrong with it; a line that only passes on that
    something failed is the first error where nothing else is.
    """
    most = next((one for one in telling if one.candidate is main), None)
    if most is None:
        return None
    bar = min(most.strength, max(_FIRST, most.strength - _WITHIN))
    strong = [one for one in telling if one.strength >= bar and step_of(one) == step_of(most)]
    own = [one for one in strong if not one.candidate.rule.wrapper and one.candidate.rule.name not in HEADERS]
    return next(iter([*own, *strong]))


def _numbers(log: WeighedLog, telling: Sequence[Weighed]) -> dict[int, int]:
    """The line number of each of these lines, by where it begins."""
    numbers: dict[int, int] = {}
    number, last = 1, 0
    for start in sorted({one.candidate.line.start for one in telling}):
        number += log.lines.content.count(b"\n", last, start)
        numbers[start], last = number, start
    return numbers
