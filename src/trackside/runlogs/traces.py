"""The blocks of a log that show where a program failed."""

from __future__ import annotations

from collections import deque
from itertools import takewhile
from typing import Final

import msgspec

from trackside.joblogs.raw_lines import message_of
from trackside.runlogs.findings import Trace
from trackside.runlogs.lines import LogLine, shown
from trackside.runlogs.trace_shapes import HEAD, LONGEST, FrameTrace, Shape, ShellTrace, frame_kind, shape_of

MOST: Final = 20
"""So many blocks of a job are kept: the first and the last of them."""
FIRST, LAST = 20, 40
"""So many lines of a block are kept, its first and its last."""
_BACK: Final = 8
_ROUGH: Final = (
    "Traceback",
    "panic",
    "fatal error: ",
    "____ ",
    "--- FAIL",
    "error",
    "● ",
    "FAIL ",
    ": line ",
    " at ",
    "\tat ",
)
_NEAR, _BELOW = 30, 6


class Traces:
    """Takes the lines of a job's log; ``found`` are its blocks, ``left_out`` counts those that are not kept."""

    def __init__(self, job: str) -> None:
        self._job = job
        self._recent: deque[LogLine] = deque(maxlen=_BACK)
        self._shape: Shape | None = None
        self._lines: list[LogLine] = []
        self._said: tuple[int, str] | None = None
        self._first: list[Trace] = []
        self._last: deque[Trace] = deque(maxlen=MOST // 2)
        self._count = 0

    def take(self, line: LogLine) -> None:
        """A line of the log."""
        text = message_of(line.text) if line.text.startswith(("#", "[", "(")) else line.text
        if self._shape is not None:
            before = self._shape.message
            if not line.is_script and len(self._lines) < LONGEST and self._shape.takes(text):
                self._lines.append(line)
                if self._said is None and self._shape.message != before:
                    self._said = (line.number, self._shape.message)
                return
            self._close()
        if line.is_script:
            return
        if any(word in text for word in _ROUGH):
            self._begin(line, text)
        if self._shape is None:
            self._recent.append(line)

    def close(self) -> None:
        """The log is over."""
        if self._shape is not None:
            self._close()

    @property
    def found(self) -> tuple[Trace, ...]:
        """The blocks in the order of the log."""
        return (*self._first, *self._last)

    @property
    def left_out(self) -> int:
        """How many blocks are not kept."""
        return self._count - len(self._first) - len(self._last)

    def _begin(self, line: LogLine, text: str) -> None:
        before: list[LogLine] = []
        shape = shape_of(text)
        if shape is None and (kind := frame_kind(text)) is not None:
            before = self._head()
            shape = FrameTrace(message_of(before[0].text) if before else text.strip(), kind)
        elif isinstance(shape, ShellTrace):
            before = self._commands()
        if shape is not None:
            self._shape, self._lines = shape, [*before, line]
            self._said = (line.number, shape.message) if isinstance(shape, ShellTrace) else None
            self._recent.clear()

    def _head(self) -> list[LogLine]:
        """The lines above the first frame, from the one that names the error on."""
        recent = list(self._recent)
        for place in range(len(recent) - 1, -1, -1):
            if HEAD.match(message_of(recent[place].text)):
                while place > 0 and message_of(recent[place].text).startswith("Caused by"):
                    place -= 1
                return recent[place:]
        return recent[-1:] if recent and recent[-1].text else []

    def _commands(self) -> list[LogLine]:
        """The commands that the shell showed just above."""
        recent = list(self._recent)
        shown_by_shell = takewhile(lambda line: line.text.startswith("+"), reversed(recent))
        return list(shown_by_shell)[::-1]

    def _close(self) -> None:
        shape, lines, said = self._shape, self._lines, self._said
        self._shape, self._lines, self._said = None, [], None
        while lines and not lines[-1].text.strip():
            lines.pop()
        if shape is None or not lines or not shape.is_whole:
            self._recent.extend(lines)
            return
        self._count += 1
        trace = _trace(self._job, shape, lines, said or (lines[0].number, shape.message))
        if len(self._first) < MOST // 2:
            self._first.append(trace)
        else:
            self._last.append(trace)


def _trace(job: str, shape: Shape, lines: list[LogLine], said: tuple[int, str]) -> Trace:
    kept = lines if len(lines) <= FIRST + LAST else [*lines[:FIRST], *lines[-LAST:]]
    return Trace(
        kind=shape.kind,
        job=job,
        step=lines[0].step,
        line_number=lines[0].number,
        last_line_number=lines[-1].number,
        message=shown(shape.message),
        first_message=shown(said[1]),
        first_message_number=said[0],
        lines=tuple(shown_block(line.text) for line in kept),
        left_out=len(lines) - len(kept),
    )


def shown_block(text: str, most: int = 300) -> str:
    """A line of a block as it may be kept: with the white space before it."""
    return text[: len(text) - len(text.lstrip())][:40] + shown(text, most)


def with_main(traces: tuple[Trace, ...], line_number: int | None, line: str | None) -> tuple[Trace, ...]:
    """The blocks, one of them marked as the one that goes with the line that tells most, if one does."""
    main = main_trace(traces, line_number, line)
    return tuple(msgspec.structs.replace(one, is_main=True) if one is main else one for one in traces)


def main_trace(traces: tuple[Trace, ...], line_number: int | None, line: str | None) -> Trace | None:
    """The block that holds the line, else one that says the same, else one just below it or shortly before it.

    Where no line tells anything it is the last block.
    """
    if line_number is None:
        return traces[-1] if traces else None
    for trace in traces:
        if trace.line_number <= line_number <= trace.last_line_number:
            return trace
    for trace in traces:
        if line and len(trace.message) > 10 and (trace.message in line or line in trace.message):
            return trace
    below = [one for one in traces if 0 < one.line_number - line_number <= _BELOW]
    near = [one for one in traces if 0 < line_number - one.last_line_number <= _NEAR]
    return next(iter([*below, *reversed(near)]), None)
