"""A learned shape is its literals and the digit runs between them."""

from __future__ import annotations

from trackside.bench.lines import Row, read_line
from trackside.bench.prefixes import Mark
from trackside.bench.templates import MAX_LITERAL, Template, learn

LINE = (
    b"[2026-01-04 00:44:47 DP0 TP12] Decode batch, #running-req: 3, token usage: 0.25, "
    b"gen throughput (token/s): 123456.5, #queue-req: 1"
)


def shape(line: bytes) -> Template:
    row = read_line(line)
    assert isinstance(row, Row)
    found = learn(line, [*row.prefix.marks, *row.marks])
    assert found is not None
    return found


def test_lines_that_differ_in_numbers_only_have_one_shape() -> None:
    other = LINE.replace(b"DP0 TP12", b"DP7 TP3").replace(b": 3,", b": 4711,").replace(b"00:44", b"23:59")
    assert (shape(other).steps, shape(other).tail, shape(other).outputs) == (
        shape(LINE).steps,
        shape(LINE).tail,
        shape(LINE).outputs,
    )


def test_another_tag_field_or_end_is_another_shape() -> None:
    for other in (
        LINE.replace(b"DP0 ", b""),
        LINE.replace(b"TP12", b"TP12 EP0"),
        LINE.replace(b"token usage", b"full token usage"),
        LINE.replace(b": 0.25", b": -0.25"),
        LINE + b", ",
    ):
        assert (shape(other).steps, shape(other).tail) != (shape(LINE).steps, shape(LINE).tail)


def test_steps_cover_the_line() -> None:
    found = shape(LINE)
    assert found.steps[0].literal == b"["
    assert (found.steps[0].form, found.steps[0].width) == ("full", 19)
    assert [output.column for output in found.outputs] == [
        "dp",
        "tp",
        "running_req",
        "token_usage",
        "gen_throughput",
        "queue_req",
    ]
    assert [step.hundredths for step in found.steps].count(True) == 1
    assert found.tail == b""


def test_labels_are_no_digits_that_may_vary() -> None:
    first, second = (shape(b"%d: " % label + LINE) for label in (1, 2))
    assert first.steps != second.steps


def test_a_literal_that_is_too_long_teaches_nothing() -> None:
    assert learn(b"x" * (MAX_LITERAL + 1) + b"1", []) is None


def test_marks_that_overlap_teach_nothing() -> None:
    assert learn(b"a: 123", [Mark(3, 6, "i", "x"), Mark(4, 6, "i", "y")]) is None
