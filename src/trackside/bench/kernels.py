"""Applies learned templates to thousands of lines at once: gathers, masks and eight digits a multiplication.

Every function works on arrays over lines. Offsets are int64 into one padded byte buffer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trackside.bench.numbers import MAX_EXACT_DIGITS, MAX_EXACT_POWER
from trackside.bench.templates import Output, Step, Template

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Decode = Callable[[str, NDArray[np.uint8]], Ints]

PADDING: Final = 1024
MAX_DIGITS: Final = 16
NO_STAMP: Final = np.iinfo(np.int64).min

_ZEROS: Final = np.uint64(0x3030303030303030)
_OVER_NINE: Final = np.uint64(0x7676767676767676)
_HIGH_BITS: Final = np.uint64(0x8080808080808080)
_PAIRS: Final = np.uint64(0x00FF00FF00FF00FF)
_QUADS: Final = np.uint64(0x0000FFFF0000FFFF)
_ONE: Final = np.uint64(1)
_POINT: Final = np.uint64(ord(".") ^ ord("0"))
_POINT_AND_TWO: Final = np.uint64(0xFFFFFF)
_BY_10: Final = np.uint64(1 + (10 << 8))
_BY_100: Final = np.uint64(1 + (100 << 16))
_BY_10000: Final = np.uint64(1 + (10000 << 32))
_POW10_INT: Final = np.array([10**n for n in range(19)], dtype=np.int64)
_POW10: Final = np.array([10.0**n for n in range(MAX_EXACT_POWER + 1)])


class Text:
    """One chunk of log bytes, padded so that a window may be read at any offset of it."""

    def __init__(self, chunk: bytes) -> None:
        self.size = len(chunk)
        self.bytes = np.empty(len(chunk) + PADDING, dtype=np.uint8)
        self.bytes[: len(chunk)] = np.frombuffer(chunk, dtype=np.uint8)
        self.bytes[len(chunk) :] = 0
        self._windows: dict[int, NDArray[np.void]] = {}

    def windows(self, at: Ints, width: int) -> NDArray[np.void]:
        """The ``width`` bytes at each offset: one contiguous array of fixed-width records."""
        view = self._windows.get(width)
        if view is None:
            view = np.ndarray((self.size + 1,), dtype=f"V{width}", buffer=self.bytes, strides=(1,))
            self._windows[width] = view
        return view[at]

    def words(self, at: Ints) -> Words:
        """The eight bytes at each offset, the first lowest."""
        return self.windows(at, 8).view(np.uint64)


class Match(NamedTuple):
    """The lines that have a template's shape: their indices, where the shape ended, and what its numbers say.

    ``stamps`` are decoded by the caller's function; ``micros`` are the digits after the second.
    """

    lines: Ints
    ends: Ints
    columns: dict[str, NDArray[np.int64] | NDArray[np.float64]]
    stamps: Ints | None
    micros: Ints | None


class _Walk:
    """The lines still in step with a template; lines that fall out are dropped from every array."""

    def __init__(self, text: Text, lines: Ints, at: Ints) -> None:
        self.text = text
        self.lines = lines
        self.at = at
        self.values: list[Ints | None] = []
        self.digits: list[Ints | None] = []

    def keep(self, ok: NDArray[np.bool_]) -> None:
        if ok.all():
            return
        chosen = np.flatnonzero(ok)
        self.lines = self.lines[chosen]
        self.at = self.at[chosen]
        self.values = [v if v is None else v[chosen] for v in self.values]
        self.digits = [d if d is None else d[chosen] for d in self.digits]

    def literal(self, literal: bytes, extra: int) -> NDArray[np.void]:
        """Drops the lines that do not go on with ``literal``; windows over it and ``extra`` bytes more."""
        size = len(literal)
        width = max(8, -(-(size + extra) // 8) * 8)
        windows = self.text.windows(self.at, width)
        ok = literal_mask(windows, literal)
        if ok is not None and not ok.all():
            windows = windows[ok]
            self.keep(ok)
        return windows


def literal_mask(windows: NDArray[np.void], literal: bytes) -> NDArray[np.bool_] | None:
    """Which windows begin with ``literal``; None where it is empty."""
    if not literal:
        return None
    words = windows.view(np.uint64).reshape(len(windows), -1)
    ok: NDArray[np.bool_] | None = None
    for index in range(-(-len(literal) // 8)):
        part = literal[8 * index : 8 * index + 8]
        want = np.uint64(int.from_bytes(part, "little"))
        word = words[:, index]
        if len(part) < 8:
            word = word & np.uint64((1 << (8 * len(part))) - 1)
        same = word == want
        ok = same if ok is None else ok & same
    return ok


def word_of(text: bytes) -> np.uint64:
    """Up to eight bytes as the word that ``Text.words`` has for them."""
    return np.uint64(int.from_bytes(text, "little"))


def _word_at(windows: NDArray[np.void], offset: int) -> Words:
    return np.ndarray((len(windows),), dtype=np.uint64, buffer=windows, offset=offset, strides=(windows.itemsize,))


def _leading_digits(word: Words) -> tuple[Words, NDArray[np.uint8]]:
    """The bytes of a word less ``0``, and how many bits of it (from the lowest) are digits: a multiple of eight."""
    digits = word ^ _ZEROS
    stops = digits + _OVER_NINE
    stops |= digits
    stops &= _HIGH_BITS
    below = stops - _ONE
    np.invert(stops, out=stops)
    below &= stops
    return digits, np.bitwise_count(below) & np.uint8(0x78)


def _fold(digits: Words) -> None:
    """Eight digits, the first in the lowest byte, become the number that they write; in place."""
    digits *= _BY_10
    digits >>= np.uint64(8)
    digits &= _PAIRS
    digits *= _BY_100
    digits >>= np.uint64(16)
    digits &= _QUADS
    digits *= _BY_10000
    digits >>= np.uint64(32)


def _read_eight(word: Words) -> tuple[Words, Ints]:
    """Value and count of the digits that a word (first byte lowest) begins with; the value of no digits is 0."""
    digits, bits = _leading_digits(word)
    digits <<= (np.uint8(64) - bits).astype(np.uint64)
    _fold(digits)
    return digits, (bits >> np.uint8(3)).astype(np.int64)


def _read_digits(walk: _Walk, windows: NDArray[np.void], offset: int, exactly: int = 0) -> None:
    value, count = _read_eight(_word_at(windows, offset))
    longest = int(count.max(initial=0))
    if longest == 8:
        long = np.flatnonzero(count == 8)
        more, extra = _read_eight(_word_at(walk.text.windows(walk.at[long] + (offset + 8), 8), 0))
        value[long] = value[long] * _POW10_INT[extra].astype(np.uint64) + more
        count[long] += extra
    walk.values.append(value.view(np.int64))
    walk.digits.append(count)
    walk.at = walk.at + offset
    walk.at += count
    if longest == 8 or int(count.min(initial=1)) == 0:
        walk.keep((count > 0) & (count < MAX_DIGITS))
    if exactly:
        walk.keep(_need(walk.digits[-1]) == exactly)


def _read_hundredths(walk: _Walk, windows: NDArray[np.void], offset: int) -> None:
    """Digits, a point and two digits, as hundredths; lines with more or fewer digits in front fall out."""
    word = _word_at(windows, offset)
    digits, bits = _leading_digits(word)
    whole = bits.astype(np.uint64)
    rest = digits >> whole
    rest &= _POINT_AND_TWO
    tens = (rest >> np.uint64(8)) & np.uint64(0xFF)
    ones = rest >> np.uint64(16)
    ok = ((rest & np.uint64(0xFF)) == _POINT) & (tens <= np.uint64(9)) & (ones <= np.uint64(9))
    ok &= (bits >= np.uint8(8)) & (bits <= np.uint8(40))
    digits <<= np.uint64(64) - whole
    _fold(digits)
    digits *= np.uint64(100)
    digits += tens * np.uint64(10) + ones
    walk.values.append(digits.view(np.int64))
    walk.digits.append((bits >> np.uint8(3)).astype(np.int64) + 2)
    walk.at = walk.at + (offset + 3)
    walk.at += (bits >> np.uint8(3)).astype(np.int64)
    walk.keep(ok)


def _read_stamps(walk: _Walk, windows: NDArray[np.void], offset: int, step: Step, decode: Decode) -> None:
    width = step.width
    words = [_word_at(windows, offset + at) for at in sorted({*range(0, width - 7, 8), width - 8})]
    changed = np.ones(len(windows), dtype=bool)
    if len(windows) > 1:
        changed[1:] = False
        for word in words:
            changed[1:] |= word[1:] != word[:-1]
    first = np.flatnonzero(changed)
    raw = walk.text.windows(walk.at[first] + offset, 24).view(np.uint8).reshape(-1, 24)[:, :width]
    codes = decode(step.form, raw)
    stamps = codes[np.cumsum(changed) - 1] if first.size else codes
    walk.values.append(stamps)
    walk.digits.append(None)
    walk.at = walk.at + (offset + width)
    if codes.size and int(codes.min()) == NO_STAMP:
        walk.keep(stamps != NO_STAMP)


def match_template(
    text: Text,
    template: Template,
    lines: Ints,
    at: Ints,
    ends: Ints | None,
    decode: Decode,
) -> Match | None:
    """The ``lines`` with the template's shape from ``at`` on, up to ``ends`` where given; None if there is none.

    ``decode`` turns stamps of a form (rows of bytes) into numbers, NO_STAMP where they are none.
    """
    walk = _Walk(text, lines, at)
    if ends is not None:
        walk.values.append(ends)
        walk.digits.append(None)
    shift = len(walk.values)
    for step in template.steps:
        windows = walk.literal(step.literal, step.width or 8)
        if not walk.lines.size:
            return None
        if step.hundredths:
            _read_hundredths(walk, windows, len(step.literal))
        elif step.width:
            _read_stamps(walk, windows, len(step.literal), step, decode)
        else:
            _read_digits(walk, windows, len(step.literal), step.count)
        if not walk.lines.size:
            return None
    walk.literal(template.tail, 0)
    walk.at = walk.at + len(template.tail)
    if ends is not None:
        line_ends = walk.values[0]
        assert line_ends is not None
        walk.keep(walk.at == line_ends)
    _drop_inexact(walk, template, shift)
    return _collect(walk, template, shift) if walk.lines.size else None


def _drop_inexact(walk: _Walk, template: Template, shift: int) -> None:
    for output in template.outputs:
        if output.is_float and walk.lines.size:
            digits = _need(walk.digits[output.integer + shift])
            if output.frac >= 0:
                digits = digits + _need(walk.digits[output.frac + shift])
            ok = digits <= MAX_EXACT_DIGITS
            if output.exp >= 0:
                ok &= np.abs(_power(walk, output, shift)) <= MAX_EXACT_POWER
            walk.keep(ok)


def _need(array: Ints | None) -> Ints:
    assert array is not None
    return array


def _power(walk: _Walk, output: Output, shift: int) -> Ints:
    power = np.full(walk.lines.size, output.scale10, dtype=np.int64)
    if output.frac >= 0:
        power -= _need(walk.digits[output.frac + shift])
    if output.exp >= 0:
        exponent = np.minimum(_need(walk.values[output.exp + shift]), 10_000)
        power += -exponent if output.exp_negative else exponent
    return power


def _collect(walk: _Walk, template: Template, shift: int) -> Match:
    columns: dict[str, NDArray[np.int64] | NDArray[np.float64]] = {}
    for output in template.outputs:
        value = _need(walk.values[output.integer + shift])
        if output.is_float:
            columns[output.column] = _as_float(walk, output, value, shift)
        else:
            columns[output.column] = -value if output.negative else value
    stamps = walk.values[template.stamp + shift] if template.stamp >= 0 else None
    micros = None
    if template.stamp_frac >= 0:
        count = np.minimum(_need(walk.digits[template.stamp_frac + shift]), 18)
        frac = _need(walk.values[template.stamp_frac + shift])
        micros = np.where(
            count <= 6, frac * _POW10_INT[np.maximum(6 - count, 0)], frac // _POW10_INT[np.maximum(count - 6, 0)]
        )
    return Match(walk.lines, walk.at, columns, stamps, micros)


def _as_float(walk: _Walk, output: Output, value: Ints, shift: int) -> NDArray[np.float64]:
    if output.frac >= 0:
        digits = _need(walk.digits[output.frac + shift])
        value = value * _POW10_INT[digits] + _need(walk.values[output.frac + shift])
    power = _power(walk, output, shift)
    number = value.astype(np.float64)
    low, high = int(power.min()), int(power.max())
    if high <= 0:
        number /= _POW10[-low] if low == high else _POW10[-power]
    else:
        number = np.where(power >= 0, number * _POW10[np.maximum(power, 0)], number / _POW10[np.maximum(-power, 0)])
    return -number if output.negative else number
