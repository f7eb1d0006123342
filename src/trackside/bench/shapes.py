"""The shapes of lines that a scan has learned so far, and how whole blocks of lines are matched against them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trackside.bench.clock import FORMS
from trackside.bench.kernels import Decode, Match, Text, match_template, word_of
from trackside.bench.lines import Row
from trackside.bench.templates import Template, learn

Ints = NDArray[np.int64]

MAX_PREFIXES: Final = 32
MAX_MESSAGES: Final = 128
MAX_STRIKES: Final = 200


@dataclass(slots=True)
class Shape:
    """One learned prefix or message: its template, the columns that are constant, and (messages) a sample row."""

    template: Template
    constants: dict[str, int]
    row: Row
    torn: bool = False


class Found(NamedTuple):
    """Lines that match a prefix and a message: columns of both, ready to become rows."""

    match: Match
    row: Row
    torn: bool
    constants: dict[str, int]


@dataclass
class ShapeBook:
    """Learned prefixes and messages, most used first."""

    prefixes: list[Shape] = field(default_factory=list)
    messages: dict[bytes, list[Shape]] = field(default_factory=dict)
    strikes: int = 0

    def apply(self, text: Text, lines: Ints, starts: Ints, ends: Ints, decode: Decode) -> Iterator[Found]:
        """Those of ``lines`` (indices of starts and ends) that match a known prefix and a known message."""
        remaining = lines
        for prefix in self.prefixes:
            if not remaining.size:
                break
            before = match_template(text, prefix.template, remaining, starts[remaining], None, decode)
            if before is None:
                continue
            taken = np.zeros(len(starts), dtype=bool)
            for found in self._messages_after(text, prefix, before, ends, decode):
                taken[found.match.lines] = True
                prefix.template.hits += len(found.match.lines)
                yield found
            remaining = remaining[~taken[remaining]]
        self.prefixes.sort(key=lambda shape: -shape.template.hits)

    def _messages_after(self, text: Text, prefix: Shape, before: Match, ends: Ints, decode: Decode) -> Iterator[Found]:
        words = text.words(before.ends)
        for head, shapes in self.messages.items():
            mask = np.uint64((1 << (8 * len(head))) - 1)
            chosen = np.flatnonzero((words & mask) == word_of(head))
            for message in shapes:
                if not chosen.size:
                    break
                at = before.ends[chosen]
                after = match_template(text, message.template, chosen, at, ends[before.lines[chosen]], decode)
                if after is None:
                    continue
                message.template.hits += len(after.lines)
                yield join(prefix, message, before, after)
                chosen = np.setdiff1d(chosen, after.lines, assume_unique=True)
            shapes.sort(key=lambda shape: -shape.template.hits)

    def apply_pair(
        self, text: Text, pair: tuple[Shape, Shape], lines: Ints, starts: Ints, ends: Ints, decode: Decode
    ) -> Found | None:
        """The lines among ``lines`` that match one prefix followed by one message."""
        prefix, message = pair
        before = match_template(text, prefix.template, lines, starts[lines], None, decode)
        if before is None:
            self.strikes += 1
            return None
        order = np.arange(len(before.lines), dtype=np.int64)
        after = match_template(text, message.template, order, before.ends, ends[before.lines], decode)
        self.strikes += after is None
        return None if after is None else join(prefix, message, before, after)

    def learn(
        self, line: bytes, row: Row, prefix_constants: dict[str, int], constants: dict[str, int]
    ) -> tuple[Shape, Shape] | None:
        """The shapes of a line that the parser read, new or known; None where the line teaches nothing."""
        if self.strikes > MAX_STRIKES:
            return None
        at = row.message_start
        before = learn(line[:at], [m for m in row.marks + list(row.prefix.marks) if m.end <= at])
        after = learn(line[at:], [m for m in row.marks if m.start >= at], at)
        if before is None or after is None:
            return None
        if row.prefix.form and before.stamp < 0:
            prefix_constants = prefix_constants | {"form": FORMS[""]}
        prefix = _keep(self.prefixes, Shape(before, prefix_constants, row, row.prefix.torn), MAX_PREFIXES)
        head = after.head[:8]
        constants = constants | {"torn": int(row.torn and not row.prefix.torn)}
        known = self.messages.setdefault(head, [])
        message = _keep(known, Shape(after, constants, row, bool(constants["torn"])), MAX_MESSAGES)
        return prefix, message


def _keep(shapes: list[Shape], new: Shape, limit: int) -> Shape:
    for shape in shapes:
        same = shape.template.steps == new.template.steps and shape.template.tail == new.template.tail
        if same and shape.constants == new.constants and shape.template.outputs == new.template.outputs:
            return shape
    if len(shapes) >= limit:
        shapes.sort(key=lambda shape: -shape.template.hits)
        shapes.pop()
    shapes.append(new)
    return new


def join(prefix: Shape, message: Shape, before: Match, after: Match) -> Found:
    """The lines of ``after`` (which count into ``before``) with the columns of both."""
    at = after.lines
    columns = {name: values[at] for name, values in before.columns.items()} | after.columns
    from_prefix = before.stamps is not None
    stamps = before.stamps[at] if before.stamps is not None else after.stamps
    micros = before.micros[at] if before.micros is not None else after.micros
    constants = prefix.constants | message.constants
    if not from_prefix and after.stamps is not None:
        constants["form"] = FORMS["full"]
    torn = prefix.torn or message.torn
    constants["torn"] = int(torn)
    match = Match(before.lines[at], after.ends, columns, stamps, micros)
    return Found(match, message.row, torn, constants)
