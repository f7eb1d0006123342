"""Text from outside in Markdown: harmless, and still to be searched for where it was harmless already."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackside.report.safe_text import markdown_text


@pytest.mark.parametrize(
    "text",
    ["unit-test-1-gpu (linux-mi300-gpu-1, 3)", "2026-11-22 21:13", "action_required", "a/b.py::test_x", "5 + 3!"],
)
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert markdown_text(text) == text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("@everyone", "&#64;everyone"),
        ("see #12", "see &#35;12"),
        ("see GH-12", "see GH&#45;12"),
        ("<img src=x>", "&#60;img src=x&#62;"),
        ("a | b", "a &#124; b"),
        ("[x](http://y)", "&#91;x&#93;(http://y)"),
        ("![x](y)", "!&#91;x&#93;(y)"),
        ("- item", "&#45; item"),
        ("  - item", "  &#45; item"),
        ("---", "&#45;--"),
        ("===", "&#61;=="),
        ("_so_ and __so__", "&#95;so&#95; and &#95;&#95;so&#95;&#95;"),
        ("**so** `x` ~~y~~", "&#42;&#42;so&#42;&#42; &#96;x&#96; &#126;&#126;y&#126;&#126;"),
        ("&lt;", "&#38;lt;"),
        ("$x$", "&#36;x&#36;"),
        ("two\nlines", "two&#92;nlines"),
    ],
)
def test_what_markdown_would_act_on_is_written_as_its_number(text: str, safe: str) -> None:
    assert markdown_text(text) == safe


@given(st.text())
def test_no_text_brings_a_mention_a_cell_a_tag_or_a_fence(text: str) -> None:
    rest = markdown_text(text)
    for number in (35, 36, 38, 42, 43, 45, 60, 61, 62, 64, 91, 92, 93, 95, 96, 123, 124, 125, 126):
        rest = rest.replace(f"&#{number};", "")
    assert not set(rest) & set("\\`*{}[]<>#|~@&$\n")
