"""Lines of a log that hold a word."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trackside.joblogs.telling_lines import LONGEST, lines_with


def test_each_line_is_told_once_in_order_however_many_words_it_holds() -> None:
    content = b"one two\nnothing\n\ntwo\r\nthree one one"

    assert list(lines_with(content, [b"two", b"one"])) == [b"one two", b"two\r", b"three one one"]


def test_a_long_line_is_cut() -> None:
    assert list(lines_with(b"x\none" + b"y" * 9000, [b"y"])) == [b"one" + b"y" * (LONGEST - 3)]


@settings(deadline=None)
@given(st.lists(st.text("ab\r ", max_size=6)), st.lists(st.sampled_from([b"a", b"ab", b"b a"]), min_size=1))
def test_it_is_what_looking_at_each_line_finds(lines: list[str], words: list[bytes]) -> None:
    content = "\n".join(lines).encode()

    found = [line for line in content.split(b"\n") if any(word in line for word in words)]

    assert list(lines_with(content, words)) == found
