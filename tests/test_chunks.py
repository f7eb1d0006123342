"""A stream of bytes is cut into whole lines, whatever its blocks are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trackside.bench.chunks import MAX_LINE_BYTES, whole_lines


@given(st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"x", b"\n")), max_size=30))
def test_blocks_of_any_size_give_the_same_lines(blocks: list[bytes]) -> None:
    data = b"".join(blocks)
    chunks = list(whole_lines(blocks))
    assert b"".join(chunk.data for chunk in chunks) == data
    assert all(chunk.data.endswith(b"\n") for chunk in chunks if not chunk.is_tail)
    assert [chunk.is_tail for chunk in chunks[:-1]] == [False] * (len(chunks) - 1 if chunks else 0)
    assert not data or chunks[-1].is_tail == (not data.endswith(b"\n"))


@given(st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"x", b"\n")), max_size=30))
def test_what_was_consumed_is_whole_lines_from_the_start(blocks: list[bytes]) -> None:
    data = b"".join(blocks)
    seen = b""
    for chunk in whole_lines(blocks):
        seen += chunk.data
        if not chunk.is_tail:
            assert data[: chunk.consumed] == seen


def test_a_line_over_the_limit_is_cut_and_counted_and_the_rest_goes_on() -> None:
    long = b"a" * (3 * MAX_LINE_BYTES)
    data = b"one\n" + long + b"\ntwo\n"
    blocks = [data[at : at + 65_536] for at in range(0, len(data), 65_536)]
    chunks = list(whole_lines(blocks))
    lines = b"".join(chunk.data for chunk in chunks).split(b"\n")
    assert [len(line) for line in lines] == [3, MAX_LINE_BYTES, 3, 0]
    assert sum(chunk.overlong for chunk in chunks) == 1
    assert chunks[-1].consumed == len(data)


def test_memory_stays_bounded_however_long_a_line_is() -> None:
    blocks = (b"a" * 65_536 for _ in range(800))
    chunks = list(whole_lines(blocks))
    assert sum(len(chunk.data) for chunk in chunks) <= MAX_LINE_BYTES + 1
    assert sum(chunk.overlong for chunk in chunks) == 1


def test_an_empty_stream_has_no_chunks() -> None:
    assert list(whole_lines([])) == []
    assert list(whole_lines([b"", b""])) == []
