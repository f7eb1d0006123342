"""Tables as their pages carry them for the script."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.site_samples import ADDRESSES, ATTACKS, HOME, hostile_table, runs_table
from trackside.site.pages import svg
from trackside.site.table_data import safe_link, table_block, table_document, text_of
from trackside.site.table_rows import table_rows
from trackside.site.tables import (
    Cell,
    Column,
    Kind,
    Table,
    Value,
    markup_cell,
    number_cell,
    state_cell,
    text_cell,
    time_cell,
)


def told(cell: Cell, kind: Kind = Kind.TEXT) -> Any:
    """A cell of a table of one, as the script reads it."""
    table = Table(key="t", caption="T", columns=(Column(key="c", label="C", kind=kind),), rows=((cell,),))
    return json.loads(table_block(table, HOME))["rows"][0][0]


def test_the_document_tells_columns_and_every_row() -> None:
    document = table_document(runs_table(300), HOME)

    assert {key: document[key] for key in ("key", "order", "page_size", "search")} == {
        "key": "runs",
        "order": "-started",
        "page_size": 20,
        "search": True,
    }
    assert document["columns"][5] == {
        "key": "minutes",
        "label": "Duration",
        "unit": "min",
        "kind": "number",
        "choices": False,
        "sortable": True,
        "shown": True,
    }
    assert not document["columns"][6]["sortable"]
    assert len(document["rows"]) == 300


def test_a_cell_is_its_value_alone_where_that_tells_all() -> None:
    runs = runs_table(1).rows[0]

    assert told(text_cell("main")) == "main"
    assert told(number_cell(1234567), Kind.NUMBER) == 1234567
    assert told(state_cell("timed_out"), Kind.STATE) == "timed_out"
    assert told(runs[-1], Kind.TIME) == "2026-10-20T12:00:00Z"
    assert told(Cell()) is None
    assert told(time_cell(None), Kind.TIME) is None


def test_a_cell_tells_what_its_value_does_not() -> None:
    assert told(number_cell(1.5), Kind.NUMBER) == {"v": 1.5, "t": "1.5"}
    assert told(text_cell("a", f"{HOME}/pull/1", note="b", tone="bad")) == {
        "v": "a",
        "u": f"{HOME}/pull/1",
        "n": "b",
        "k": "bad",
    }
    assert told(Cell(value=3)) == {"v": 3, "t": None}
    assert told(Cell(items=(text_cell("#1"), text_cell("#2", "ci.html")))) == {
        "v": None,
        "i": ["#1", {"v": "#2", "u": "ci.html"}],
    }
    assert told(markup_cell(svg("<svg></svg>")), Kind.MARKUP) == {"v": None, "h": "<svg></svg>"}


def test_a_value_is_kept_as_it_is_and_other_texts_have_their_control_characters_shown() -> None:
    assert told(text_cell("a\u202eb\n")) == "a\u202eb\n"
    assert told(Cell(value=1, text="\x1b[1m", note="\u202e")) == {"v": 1, "t": "\\x1b[1m", "n": "\\u202e"}


def test_a_value_that_no_file_can_hold_is_told_in_another_way() -> None:
    assert told(text_cell("a\ud800")) == {"v": "a\\ud800", "t": "a\\ud800"}
    assert told(Cell(value=float("nan"), text="?"), Kind.NUMBER) == {"v": None, "t": "?"}
    assert told(number_cell(2**60), Kind.NUMBER)["v"] == str(2**60)
    str(table_block(hostile_table(), HOME)).encode()


def test_the_block_cannot_be_ended_by_a_text() -> None:
    block = str(table_block(hostile_table(), HOME))

    assert not set("<>&\u2028\u2029") & set(block)
    assert [row[0]["v"] for row in json.loads(block)["rows"]] == list(ATTACKS)


@pytest.mark.parametrize("url", ADDRESSES, ids=range(len(ADDRESSES)))
def test_an_address_that_leads_elsewhere_is_no_link(url: str) -> None:
    assert not safe_link(url, HOME)


@pytest.mark.parametrize(
    "url",
    [
        f"{HOME}/actions/runs/1",
        f"{HOME}/tree/fix%2Fdecode",
        "ci.html",
        "../ci/jobs/a-1b2c.html#runs",
        "?runs.q=a:b//c",
        "#a:b",
        "ci.html?x=http://evil.example",
    ],
)
def test_an_address_of_the_host_or_of_a_file_is_a_link(url: str) -> None:
    assert safe_link(url, HOME) == url


@given(st.text(max_size=20))
def test_no_text_becomes_a_link_to_another_host(text: str) -> None:
    link = safe_link(text, HOME)

    assert link is None or link.isascii()
    if link is not None:
        assert not link.startswith(("/", "\\", " "))
        assert ":" not in link.split("?")[0].split("#")[0]


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, Kind.TEXT, None),
        (True, Kind.TEXT, "yes"),
        (1234, Kind.NUMBER, "1,234"),
        ("2026-10-20T12:34:56Z", Kind.TIME, "2026-10-20 12:34"),
        ("in_progress", Kind.STATE, "in progress"),
        ("in_progress", Kind.TEXT, "in_progress"),
    ],
)
def test_a_value_is_shown_as_its_kind_is(value: Value, kind: Kind, text: str | None) -> None:
    assert text_of(value, kind) == text


def test_a_column_that_is_not_shown_is_told_for_files_and_never_for_sorting() -> None:
    columns = (Column(key="a", label="A"), Column(key="b", label="B", shown=False))
    table = Table(key="t", caption="T", columns=columns, rows=((text_cell("1"), text_cell("2")),))

    document = table_document(table, HOME)

    assert [(one["shown"], one["sortable"]) for one in document["columns"]] == [(True, True), (False, False)]
    assert document["rows"] == [["1", "2"]]
    assert str(table_rows(table, HOME)).count("<td") == 1


def test_a_short_text_is_told_with_what_it_is_in_full() -> None:
    assert told(Cell(value="3 failed", text="✗ 3", spoken="3 failed")) == {"v": "3 failed", "t": "✗ 3", "s": "3 failed"}
