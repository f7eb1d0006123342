"""Rows of tables as HTML: every kind of cell, and nothing of a text that acts."""

from __future__ import annotations

import msgspec
import pytest

from tests.html_pages import Page
from tests.site_samples import ADDRESSES, ATTACKS, HOME, hostile_table, runs_table
from trackside.site.pages import svg
from trackside.site.table_rows import cell_html, table_rows
from trackside.site.tables import Cell, Kind, number_cell, state_cell, text_cell, time_cell

URL = f"{HOME}/actions/runs/1"


@pytest.mark.parametrize(
    ("cell", "kind", "written"),
    [
        (text_cell("main"), Kind.TEXT, "<bdi>main</bdi>"),
        (text_cell(None), Kind.TEXT, "<bdi>–</bdi>"),
        (text_cell("#1", URL), Kind.TEXT, f'<a href="{URL}" rel="noopener"><bdi>#1</bdi></a>'),
        (text_cell("#1", "https://evil.example/"), Kind.TEXT, "<bdi>#1</bdi>"),
        (text_cell("a", note="b"), Kind.TEXT, '<bdi>a</bdi><small class="note"><bdi>b</bdi></small>'),
        (number_cell(1234), Kind.NUMBER, "<bdi>1,234</bdi>"),
        (
            state_cell("failure", URL),
            Kind.STATE,
            '<span class="state bad"><span aria-hidden="true">✗</span> '
            f'<a href="{URL}" rel="noopener"><bdi>failure</bdi></a></span>',
        ),
        (state_cell(None), Kind.STATE,
         '<span class="state quiet"><span aria-hidden="true">?</span> <bdi>unknown</bdi></span>'),
        (Cell(value="2026-06-01T08:00:00Z", text="2026-06-01 08:00"), Kind.TIME,
         '<time datetime="2026-06-01T08:00:00Z">2026-06-01 08:00</time>'),
        (time_cell(None), Kind.TIME, "<bdi>–</bdi>"),
        (Cell(items=(text_cell("a"), text_cell("b"))), Kind.TEXT, " <bdi>a</bdi> <bdi>b</bdi>"),
        (Cell(value="<b>", text="✗ 3", spoken='"<b>'), Kind.TEXT,
         '<bdi role="img" aria-label="&#34;&lt;b&gt;" title="&#34;&lt;b&gt;">✗ 3</bdi>'),
        (Cell(), Kind.MARKUP, "–"),
        (Cell(markup=svg("<svg></svg>")), Kind.MARKUP, "<svg></svg>"),
    ],
    ids=range(14),
)  # fmt: skip
def test_a_cell_is_written_by_its_kind(cell: Cell, kind: Kind, written: str) -> None:
    assert cell_html(cell, kind, HOME) == written


def test_rows_beyond_the_first_page_are_marked_and_no_more_than_asked_for_are_written() -> None:
    table = msgspec.structs.replace(runs_table(30), page_size=10, written=25)
    lines = table_rows(table, HOME).splitlines()

    assert len(lines) == 25
    assert [line.startswith('<tr class="more">') for line in lines] == [False] * 10 + [True] * 15


def test_no_text_of_a_cell_makes_an_element_or_a_link_elsewhere() -> None:
    page = Page(str(table_rows(hostile_table(), HOME)))

    assert {tag for tag, _ in page.tags} <= {"tr", "td", "span", "bdi", "a", "small", "time"}
    assert not {attrs["href"] for tag, attrs in page.tags if tag == "a"} & set(ADDRESSES[:-1])
    assert ATTACKS[0].split("\u202e")[0] in page.text
