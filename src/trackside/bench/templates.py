"""The shape of a line, learned from one that the line parser read: literals, and the digit runs between them.

Two lines with the same literals mean the same columns, so whatever the parser said of the first holds for all.
A template is split where the message begins: prefixes and messages combine freely, so each is learned once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from trackside.bench.numbers import NUMBER
from trackside.bench.prefixes import Mark

STAMP_WIDTHS: Final = {"full": 19, "us": 19, "md": 14, "tod": 8}
_HUNDREDTHS: Final = re.compile(rb"[-+]?\d{1,5}\.\d\d")
_DIGITS: Final = re.compile(rb"\d+")
MAX_LITERAL: Final = 480


@dataclass(frozen=True, slots=True)
class Step:
    """A literal, then a digit run (``width`` 0), a stamp of fixed ``width`` and ``form``, or a number in hundredths.

    ``count`` is how many digits the run must have (0: any number): decimals that end a line tell whether it was cut.
    """

    literal: bytes
    width: int = 0
    form: str = ""
    hundredths: bool = False
    count: int = 0


@dataclass(frozen=True, slots=True)
class Output:
    """How the numbers of some steps make one column. Indices count steps; -1 is none.

    ``scale10`` is the power of ten that the integer is to be multiplied by, before fraction and exponent count.
    """

    column: str
    integer: int
    frac: int = -1
    exp: int = -1
    negative: bool = False
    exp_negative: bool = False
    scale10: int = 0
    is_float: bool = False


@dataclass(slots=True)
class Template:
    """A learned shape: its steps, the literal that ends it, what its numbers mean and what is constant."""

    steps: tuple[Step, ...]
    tail: bytes
    outputs: tuple[Output, ...]
    stamp: int = -1
    stamp_frac: int = -1
    constants: dict[str, object] = field(default_factory=dict)
    hits: int = 0

    @property
    def head(self) -> bytes:
        """The literal that every line of the shape begins with."""
        return self.steps[0].literal if self.steps else self.tail


def learn(text: bytes, marks: Sequence[Mark], offset: int = 0) -> Template | None:
    """The template of ``text`` whose ``marks`` count from ``offset``; None where a literal is too long to be useful."""
    builder = _Builder(text)
    position = 0
    for mark in sorted(marks, key=lambda m: m.start):
        start, end = mark.start - offset, mark.end - offset
        if start < position or end > len(text):
            return None
        builder.free(position, start)
        builder.mark(mark, start, end)
        position = end
    builder.free(position, len(text))
    return builder.finish()


class _Builder:
    def __init__(self, text: bytes) -> None:
        self.text = text
        self.steps: list[Step] = []
        self.outputs: list[Output] = []
        self.literal = bytearray()
        self.stamp = -1
        self.stamp_frac = -1

    def digits(self, count: int = 0) -> int:
        self.steps.append(Step(bytes(self.literal), count=count))
        self.literal.clear()
        return len(self.steps) - 1

    def free(self, start: int, end: int) -> None:
        """Text whose digits may vary without a meaning."""
        position = start
        for run in _DIGITS.finditer(self.text, start, end):
            self.literal += self.text[position : run.start()]
            self.digits()
            position = run.end()
        self.literal += self.text[position:end]

    def mark(self, mark: Mark, start: int, end: int) -> None:
        if mark.kind == "fixed":
            self.literal += self.text[start:end]
        elif mark.kind == "stamp":
            self.steps.append(Step(bytes(self.literal), STAMP_WIDTHS[mark.column], mark.column))
            self.literal.clear()
            self.stamp = len(self.steps) - 1
        elif mark.kind == "frac":
            self.stamp_frac = self.digits()
        else:
            self.number(mark, start, end)

    def number(self, mark: Mark, start: int, end: int) -> None:
        match = NUMBER.fullmatch(self.text, start, end)
        assert match is not None, "a number mark spans a number"
        self.literal += match["sign"]
        if _HUNDREDTHS.fullmatch(match[0]) and mark.kind == "f":
            self.steps.append(Step(bytes(self.literal), hundredths=True))
            self.literal.clear()
            negative = match["sign"] == b"-"
            step = len(self.steps) - 1
            self.outputs.append(Output(mark.column, step, negative=negative, scale10=mark.scale10 - 2, is_float=True))
            return
        integer = self.digits()
        frac = exp = -1
        if match["frac"] is not None:
            self.literal += b"."
            if match["frac"]:
                last = match.end("frac") == len(self.text)
                frac = self.digits(len(match["frac"]) if last else 0)
        if match["exp"]:
            exp_digits = len(match["exp"].lstrip(b"+-"))
            mantissa_end = match.end("int" if match["frac"] is None else "frac")
            self.literal += self.text[mantissa_end : end - exp_digits]
            exp = self.digits()
        self.outputs.append(
            Output(
                mark.column,
                integer,
                frac,
                exp,
                negative=match["sign"] == b"-",
                exp_negative=(match["exp"] or b"").startswith(b"-"),
                scale10=mark.scale10,
                is_float=mark.kind == "f",
            )
        )

    def finish(self) -> Template | None:
        literals = [step.literal for step in self.steps] + [bytes(self.literal)]
        if max(len(literal) for literal in literals) > MAX_LITERAL:
            return None
        return Template(
            tuple(self.steps), bytes(self.literal), tuple(self.outputs), stamp=self.stamp, stamp_frac=self.stamp_frac
        )
