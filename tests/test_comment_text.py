"""A comment calls nobody, refers to nothing and starts nothing, whatever the report holds; held against a parser."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from trackside.report.comment_text import MOST_UNITS, comment_text, units
from trackside.report.safe_text import markdown_text

MARKER = "<!-- trackside:analysis:7 -->"
SITE = "https://github.com/octo/engine"
NIL = "\u200b"
RENDERER = MarkdownIt("commonmark", {"html": True}).enable("table")
ACTIVE = re.compile(r"@\w|#\d|(?i:gh-\d)|://|(?i:www\.)")


class Page(HTMLParser):
    """What of a rendered comment acts: its tags, its links, and its text outside of code."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.code = ""
        self.comments: list[str] = []
        self._in_code = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        told = dict(attrs)
        self.links += [told[name] or "" for name in ("href", "src") if name in told]
        self._in_code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._in_code -= tag == "code"

    def handle_data(self, data: str) -> None:
        if self._in_code:
            self.code += data
        else:
            self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def comment(markdown: str) -> str:
    return comment_text(MARKER, markdown, SITE)


def body(markdown: str) -> str:
    """The comment without its marker and without the characters that have no width."""
    text = comment(markdown)
    assert text.startswith(f"{MARKER}\n\n")
    return text.removeprefix(f"{MARKER}\n\n")


def page(markdown: str) -> Page:
    return Page(RENDERER.render(comment(markdown)))


def test_a_plain_report_stays_as_it_is_below_its_marker() -> None:
    report = (
        "# Run 7\n\n| job | took |\n| --- | ---: |\n| unit (0) | 3 |\n\n- one\n- two\n\n```text\nE   assert 1 == 2\n```"
    )
    assert comment(report) == f"{MARKER}\n\n{report}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@alice and @octo/team", f"@{NIL}alice and @{NIL}octo/team"),
        ("&#64;alice", f"@{NIL}alice"),
        (
            "&commat;alice &#x40;a &#064;b &#49;",
            f"&{NIL}commat;alice &{NIL}#{NIL}x40;a &{NIL}#{NIL}064;b &{NIL}#{NIL}49;",
        ),
        ("fixes #12, Closes octo/engine#3; #4;", f"fixes #{NIL}12, Closes octo/engine#{NIL}3; #{NIL}4;"),
        ("fixes &#35;12", f"fixes &#35;{NIL}12"),
        ("GH-1 gh&#45;2", f"GH-{NIL}1 gh&#45;{NIL}2"),
        ("https://evil.example/x and www.evil.example", f"https:{NIL}//evil.example/x and www{NIL}.evil.example"),
        ("see https://github.com/victim/repo/issues/1", f"see https:{NIL}//github.com/victim/repo/issues/1"),
        ("https&#58;//evil.example", f"https&{NIL}#{NIL}58;//evil.example"),
        ("![x](https://evil.example/x.png)", f"!{NIL}[x]{NIL}(https:{NIL}//evil.example/x.png)"),
        ("[x](https://evil.example)", f"[x]{NIL}(https:{NIL}//evil.example)"),
        ("[x](javascript:alert(1))", f"[x]{NIL}(javascript:alert(1))"),
        ("[x]: https://evil.example", f"[x]{NIL}: https:{NIL}//evil.example"),
        ("<img src=x onerror=y> </p> <!-- x -->", "‹img src=x onerror=y> ‹/p> ‹!-- x -->"),
        ("<details open> <details/>", "‹details open> ‹details/>"),
        ("a@", f"a@{NIL}"),
        ("/deploy prod", f"{NIL}/deploy prod"),
        ("   /lgtm", f"   {NIL}/lgtm"),
        ("a ```` b", f"a `{NIL}`{NIL}`{NIL}` b"),
        ("  ```", f"  `{NIL}`{NIL}`"),
        ("red\x1b[31m \u202eabc\x00", r"red\x1b[31m \u202eabc\x00"),
    ],
    ids=lambda value: None,
)
def test_what_would_act_is_broken_and_can_still_be_read(text: str, shown: str) -> None:
    assert body(text) == shown


def test_links_into_the_repository_stay_and_lead_where_they_say() -> None:
    good = "[run 7](https://github.com/octo/engine/actions/runs/7) and [#5](https://github.com/Octo/Engine/issues/5#x)"
    assert page(good).links == [
        "https://github.com/octo/engine/actions/runs/7",
        "https://github.com/Octo/Engine/issues/5#x",
    ]
    assert f"[#{NIL}5](" in body(good)


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/octo/engine-evil/issues/1",
        "https://github.com/octo/engine/../../victim/repo/issues/1",
        "https://github.com/octo/engine/%2E%2e/%2e%2e/victim",
        "https://github.com@evil.example/octo/engine/x",
        "https://evil.example/octo/engine/x",
        "http://github.com/octo/engine/x",
        "https://github.com:444/octo/engine/x",
        "//github.com/octo/engine/x",
        "/octo/engine/x",
        "https://github.com/octo/engine\\..\\x",
        "https://github.com/octo/engine/é",
    ],
)
def test_links_that_lead_elsewhere_are_no_links(url: str) -> None:
    assert page(f"[x]({url})").links == []


def test_code_stays_as_it_was_but_for_what_bots_read_there_too() -> None:
    code = "```python\nFile <module> #12 https://x.example GH-1\n@claude do it\n/deploy\n  /usr/bin/x a@b\n```"
    assert body(code).split("\n") == [
        "```text",
        "File <module> #12 https://x.example GH-1",
        f"@{NIL}claude do it",
        f"{NIL}/deploy",
        f"  {NIL}/usr/bin/x a@{NIL}b",
        "```",
    ]


@pytest.mark.parametrize("info", ["mermaid", "geojson", "math", "suggestion", "<x>", "text extra"])
def test_a_fence_that_would_be_drawn_is_plain_text(info: str) -> None:
    assert body(f"```{info}\nx\n```").split("\n")[0] == "```text"


@pytest.mark.parametrize(
    "markdown",
    [
        "```\n<img src=x>\n  ```\n<img src=y> @alice",
        "````\n```\n````\n<img src=x> @alice",
        "~~~\n```\n~~~\n<img src=x> #1",
        "```\n~~~\n```x\n```\n<img src=x>",
        "- ```\n  <b>x</b>\n  ```\n<img src=x> @alice",
        "> ```\n> x\n<img src=x>",
        "- item\n  ```\n<img src=x>",
        "<details>\n<summary>s</summary>\n```\n<img src=x>\n```\n</details>",
        "<br>\n```\n<img src=x>\n```",
        "`a\n`<img src=x>`",
        "\\`<img src=x>`",
        "    ```\n<img src=x>",
        "``` `\n<img src=x>",
        "~~~ `\n<img src=x>\n~~~",
        "text\r```\r<img src=x>\r```\r<img src=y>",
        "a\x0c```\n<img src=x>",
        "a\u2028```\n<img src=x>",
        "<summary>\n\n```\n</summary>\n```\n<img src=x>",
    ],
    ids=range(18),
)
def test_no_trick_with_fences_lets_html_or_a_mention_out(markdown: str) -> None:
    shown = page(markdown)
    assert "img" not in shown.tags
    assert not ACTIVE.search(shown.text)


PARTS = st.sampled_from(
    [
        "```", "````", "~~~", "`", "\n", "\n\n", "  ", "    ", "- ", "> ", "1. ", "<details>", "</details>", "<br>",
        "<summary>", "</summary>", "<img src=x>", "<!--", "-->", "<script>", "@alice", "#12", "GH-7", "https://evil.example",
        "www.evil.example", "[x](https://evil.example)", "![x](https://evil.example)", "[x]: https://evil.example",
        "](", "[", "]", "(", ")", "\\", "&#64;", "&#35;", "&commat;", "&", ";", "*", "_", "|", "| - |", "/deploy", "\r",
        "\t", "x", "1", "text", "[a](https://github.com/octo/engine/actions/runs/1)", "<https://evil.example>",
    ]
)  # fmt: skip


@settings(max_examples=400)
@given(st.lists(PARTS, max_size=25).map("".join))
@example("```\n> ```\n<img src=x>")
@example("<details>\n~~~\n</details>\n@alice")
def test_whatever_comes_together_nothing_acts(markdown: str) -> None:
    shown = page(markdown)
    # An address of the repository's own page leads where links may.
    assert not ACTIVE.search(shown.text.replace(f"{SITE}/", "")), shown.text
    assert "@alice" not in shown.code
    assert not {"img", "script", "iframe", "style"} & shown.tags
    assert all(link.startswith(f"{SITE}/") for link in shown.links), shown.links
    assert shown.comments == [" trackside:analysis:7 "]
    assert not any(line.lstrip().startswith("/") for line in comment(markdown).split("\n"))


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_text_that_was_made_harmless_before_stays_so(text: str) -> None:
    shown = page(f"- {markdown_text(text)}\n")
    assert shown.links == []
    assert not ACTIVE.search(shown.text)
    assert not {"img", "script", "a"} & shown.tags


def test_secrets_are_replaced_in_text_and_code_and_where_the_at_is_written_otherwise() -> None:
    token = "ghp_" + "A1b2" * 9
    report = f"token {token}\n```\nAuthorization: Bearer {token}\n```\nhttps://bob:{token}&#64;host/x password=hunter22"
    text = comment(report)
    assert token not in text
    assert "hunter22" not in text
    assert text.count("***") >= 4


def test_a_report_that_is_too_long_ends_in_time_with_everything_closed_and_says_so() -> None:
    report = "<details>\n<summary>log</summary>\n\n```text\n" + "x x" * 33 + "\n"
    text = comment(report + ("y y" * 33 + "\n") * 2_000 + "```\n\n</details>\nend")
    assert MOST_UNITS - 200 < units(text) <= MOST_UNITS
    lines = text.split("\n")
    assert lines[-4:] == ["```", "</details>", "", lines[-1]]
    assert lines[-1].startswith("The rest is left out")
    assert "details" in Page(RENDERER.render(text)).tags


@pytest.mark.parametrize("char", ["x", "é", "漢", "😀", "@a", "<", "https://"], ids=str)
def test_a_comment_is_never_longer_than_github_takes_in_any_way_of_counting(char: str) -> None:
    for report in (char * 200_000, f"{char * 50}\n" * 9_000, f"```\n{char * 70}\n" * 3_000):
        text = comment(report)
        assert len(text.encode("utf-16-le")) // 2 == units(text) <= 65_536
        assert len(text.encode()) <= 262_144


def test_what_folds_text_away_is_closed_however_often_it_was_opened() -> None:
    text = comment("<details>\n" * 20_000)
    assert units(text) <= MOST_UNITS
    assert text.count("<details>") == text.count("</details>") > 1_000


def test_a_report_of_exactly_the_length_is_whole() -> None:
    room = MOST_UNITS - len(MARKER) - 2
    report = ("z " * 39 + "z\n") * (room // 80)
    report += "z-" * ((room - len(report)) // 2) + "z" * ((room - len(report)) % 2)
    text = comment(report)
    assert units(text) == MOST_UNITS
    assert "left out" not in text
    assert "left out" in comment(report + "z")


def test_the_same_report_gives_the_same_comment_and_an_empty_one_a_marker() -> None:
    assert comment("a @b\n") == comment("a @b\n")
    assert comment("") == f"{MARKER}\n\n"
    assert comment("\ud800").isprintable() is False
    comment("\ud800").encode()
