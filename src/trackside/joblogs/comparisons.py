"""What a failed comparison of two numbers was of: a model's quality, its speed, or neither."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from trackside.joblogs.raw_lines import RawLine, RawLines, message_of
from trackside.joblogs.rules_measures import measured_cause
from trackside.records.failures import Cause

_MOST_OWN, _MOST_PRINTED = 40, 30
_HEADER: Final = re.compile(r"(?:FAIL|ERROR)(?: \[[\d.]+s\])?: |_{3,} ?\S")
# Of a traceback and of the test's source as pytest shows it; a server's log and a progress bar begin otherwise.
_OWN: Final = re.compile(
    r"\s|$|[>E] |-{5,}$|={5,}$|Traceback \(most recent call last\)|\w{1,40} {0,20}= |\S{1,300}:\d+: "
)
# A result as a test prints it: a name, a number, nothing else but its unit.
_PRINTED: Final = re.compile(
    r"\s{0,4}(?P<name>[A-Za-z][\w @%/().-]{1,80}?)\s{0,40}[:=]\s{0,40}(?P<value>-?\d+(?:\.\d+)?)\b"
)
_VALUE: Final = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def compared_cause(lines: RawLines, line: RawLine, message: str) -> Cause | None:
    """Accuracy or performance as the message says, else the lines of the test, else what it printed; None for neither.

    What a server logged above is not asked: its lines speak of throughput whatever was tested.
    """
    return measured_cause(chain((message,), _own_lines(lines, line), _printed(lines, line, message)))


def _own_lines(lines: RawLines, line: RawLine) -> Iterator[str]:
    """The traceback and source above the message, the nearest first, up to the heading that names the test."""
    for above in lines.before(line.start, _MOST_OWN):
        text = message_of(above.text)
        if _HEADER.match(text):
            yield text
            return
        if not _OWN.match(text):
            return
        yield text


def _printed(lines: RawLines, line: RawLine, message: str) -> Iterator[str]:
    """Names of the results above that are the number which was compared, to the digits that they were printed with."""
    compared = _VALUE.search(message)
    if compared is None:
        return
    actual = float(compared[0])
    for above in lines.before(line.start, _MOST_PRINTED):
        printed = _PRINTED.match(above.text)
        if printed and abs(actual - float(printed["value"])) <= _half_a_digit(printed["value"]):
            yield printed["name"]


def _half_a_digit(value: str) -> float:
    return 0.5 * 10.0 ** -len(value.partition(".")[2]) + 1e-9
