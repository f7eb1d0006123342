"""Tables as pages hand them to their templates."""

from __future__ import annotations

import datetime as dt

import pytest
from markupsafe import Markup

from trackside.site.pages import svg
from trackside.site.tables import (
    Cell,
    Column,
    Kind,
    Table,
    markup_cell,
    number_cell,
    state_cell,
    text_cell,
    time_cell,
)

NAME = Column(key="name", label="Name")


def test_a_text_is_what_is_shown_sorted_and_saved() -> None:
    assert text_cell("main", "ci.html", note="default") == Cell(
        value="main", text="main", url="ci.html", note="default"
    )


def test_a_number_is_shown_with_thousands_unless_a_text_is_given() -> None:
    assert number_cell(1234567).text == "1,234,567"
    assert number_cell(1234.5).text == "1,234.5"
    assert number_cell(90.0, "1 m 30 s") == Cell(value=90.0, text="1 m 30 s")


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_known_is_unknown_not_zero(value: float | None) -> None:
    assert number_cell(value, "12 s") == Cell()


def test_a_time_is_in_utc_to_the_minute_wherever_it_was_taken() -> None:
    there = dt.timezone(dt.timedelta(hours=5, minutes=30))

    cell = time_cell(dt.datetime(2026, 10, 20, 1, 15, 30, tzinfo=there))

    assert cell == Cell(value="2026-10-19T19:45:30Z", text="2026-10-19 19:45")
    assert time_cell(None) == Cell()


def test_a_state_is_shown_without_underscores_and_kept_as_it_is() -> None:
    assert state_cell("timed_out") == Cell(value="timed_out", text="timed out")
    assert state_cell(None) == Cell()


def test_a_row_has_a_cell_for_every_column() -> None:
    with pytest.raises(ValueError, match="has 1 columns, and a row of 2 cells"):
        Table(key="runs", caption="Runs", columns=(NAME,), rows=((Cell(), Cell()),))


@pytest.mark.parametrize(
    ("key", "columns"),
    [
        ("Runs of x", (NAME,)),
        ("runs", (NAME, NAME)),
        ("runs", (Column(key="a.b", label="A"),)),
        ("runs", (Column(key="", label="A"),)),
        ("runs\n", (NAME,)),
    ],
)
def test_keys_can_stand_in_an_address(key: str, columns: tuple[Column, ...]) -> None:
    with pytest.raises(ValueError, match="Keys of tables and columns"):
        Table(key=key, caption="Runs", columns=columns, rows=())


@pytest.mark.parametrize("key", ["q", "sort", "page", "size", "from", "to"])
def test_a_choice_does_not_take_the_place_of_what_every_table_has_in_the_address(key: str) -> None:
    Table(key="runs", caption="Runs", columns=(Column(key=key, label="A"),), rows=())
    with pytest.raises(ValueError, match="rename it"):
        Table(key="runs", caption="Runs", columns=(Column(key=key, label="A", choices=True),), rows=())


def test_the_order_is_of_a_column_that_is_here() -> None:
    Table(key="runs", caption="Runs", columns=(NAME,), rows=(), order="-name")
    with pytest.raises(ValueError, match="none of its columns"):
        Table(key="runs", caption="Runs", columns=(NAME,), rows=(), order="-started")


def test_markup_is_ours_and_in_a_column_of_its_own() -> None:
    drawn = Column(key="drawn", label="Drawn", kind=Kind.MARKUP)
    Table(key="runs", caption="Runs", columns=(drawn,), rows=((markup_cell(svg("<svg></svg>")),), (Cell(),)))
    with pytest.raises(ValueError, match="markup that was not made for it"):
        Table(key="runs", caption="Runs", columns=(NAME,), rows=((markup_cell(Markup("<b>x</b>")),),))
    with pytest.raises(ValueError, match="markup that was not made for it"):
        Table(key="runs", caption="Runs", columns=(drawn,), rows=((Cell(markup="<b>x</b>"),),))  # type: ignore[arg-type]
