"""Numbers read eight bytes at a time are the numbers that Python reads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackside.bench.kernels import NO_STAMP, Match, Text, literal_mask, match_template
from trackside.bench.numbers import NUMBER, read_float
from trackside.bench.prefixes import Mark
from trackside.bench.templates import Template, learn


def decode(
    form: str, raw: np.ndarray[tuple[int, int], np.dtype[np.uint8]]
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.full(len(raw), NO_STAMP, dtype=np.int64)


def template(sample: bytes, value: bytes, kind: str) -> Template:
    at = sample.index(value)
    found = learn(sample, [Mark(at, at + len(value), kind, "x")])
    assert found is not None
    return found


def match(shape: Template, lines: list[bytes]) -> dict[int, int | float]:
    """The values of the lines that have the shape, by line."""
    text = Text(b"\n".join(lines) + b"\n")
    sizes = np.array([len(line) + 1 for line in lines], dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    found = match_template(text, shape, np.arange(len(lines), dtype=np.int64), starts, starts + sizes - 1, decode)
    if found is None:
        return {}
    assert isinstance(found, Match)
    return dict(zip(found.lines.tolist(), found.columns["x"].tolist(), strict=True))


@given(st.lists(st.integers(0, 10**15 - 1), min_size=1, max_size=30))
def test_whole_numbers_of_any_length(numbers: list[int]) -> None:
    lines = [b"a: %d, b" % number for number in numbers]
    assert match(template(b"a: 7, b", b"7", "i"), lines) == dict(enumerate(numbers))


@given(st.lists(st.integers(0, 10**20), min_size=1, max_size=30))
def test_longer_numbers_are_left_to_the_line_parser_and_never_wrong(numbers: list[int]) -> None:
    found = match(template(b"a: 7, b", b"7", "i"), [b"a: %d, b" % number for number in numbers])
    assert all(numbers[line] == value for line, value in found.items())
    assert {n for n, number in enumerate(numbers) if number < 10**15} <= set(found)


@given(st.lists(st.decimals(0, 99999, places=2), min_size=1, max_size=30))
def test_hundredths_are_the_nearest_doubles(numbers: list[object]) -> None:
    lines = [f"a: {number} b".encode() for number in numbers]
    assert match(template(b"a: 1.25 b", b"1.25", "f"), lines) == {n: float(str(x)) for n, x in enumerate(numbers)}


@given(st.lists(st.tuples(st.integers(0, 10**9 - 1), st.integers(0, 10**5)), min_size=1, max_size=30))
def test_decimals_of_up_to_15_digits_are_the_nearest_doubles(parts: list[tuple[int, int]]) -> None:
    texts = [f"{whole}.{frac}" for whole, frac in parts]
    lines = [f"a: {text} b".encode() for text in texts]
    assert match(template(b"a: 123456.5 b", b"123456.5", "f"), lines) == {n: float(t) for n, t in enumerate(texts)}


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 30)), min_size=1, max_size=30))
def test_exponents_are_what_the_line_parser_says(parts: list[tuple[int, int]]) -> None:
    texts = [b"%d.5e-%d" % part for part in parts]
    found = match(template(b"a: 1.5e-3 b", b"1.5e-3", "f"), [b"a: %s b" % text for text in texts])
    for line, value in found.items():
        number = NUMBER.fullmatch(texts[line])
        assert number is not None
        assert value == read_float(number)


@pytest.mark.parametrize(
    "line",
    [
        b"a: , b",
        b"a: -7, b",
        b"a: 7.5, b",
        b"a: 7",
        b"a: 7, bc",
        b"a: 7, ",
        b"A: 7, b",
        b"",
        b"a: 7\0, b",
        b"a: \xb7, b",
        b"a: 0x7, b",
        b"a:  7, b",
    ],
)
def test_lines_of_another_shape_do_not_match(line: bytes) -> None:
    assert match(template(b"a: 7, b", b"7", "i"), [line, b"a: 12, b"]) == {1: 12}


def test_a_value_that_ends_the_line_must_have_as_many_decimals() -> None:
    shape = template(b"a: 123456.78", b"123456.78", "f")
    assert match(shape, [b"a: 123456.7", b"a: 123456", b"a: 987654.32", b"a: 1.234"]) == {2: 987654.32}


@given(st.binary(min_size=1, max_size=40), st.lists(st.binary(max_size=60), min_size=1, max_size=10))
def test_a_literal_of_any_length_is_compared_byte_for_byte(literal: bytes, texts: list[bytes]) -> None:
    lines = [literal + text if n % 2 else text for n, text in enumerate(texts)]
    width = max(8, -(-len(literal) // 8) * 8)
    windows = np.frombuffer(b"".join(line[:width].ljust(width, b"\xff") for line in lines), dtype=f"V{width}")
    mask = literal_mask(windows, literal)
    assert mask is not None
    assert mask.tolist() == [line[:width].ljust(width, b"\xff").startswith(literal) for line in lines]
