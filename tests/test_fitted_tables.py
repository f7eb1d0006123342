"""Tables on screens that are too narrow for them."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from trackside.report.fitted_tables import fitted_parts
from trackside.report.tables import plain_table

HEADINGS = ("Job", "Flaky Runs", "Of", "Rate", "95 %", "Trend", "Standing", "Commits", "Minutes", "Why")
JOB = "PR Test (AMD) / unit-test-1-gpu-amd (linux-mi300-gpu-1, 4)"
ROWS = [
    ("PR Test / finish", 13, 220, "5.9 %", "3.5-9.8 %", "steady", "recovered", 17, 13.9, "other"),
    (JOB, 1, 191, "0.5 %", "0.1-2.9 %", "steady", "recovering", 53, 35.9, "gpu_memory"),
]
LINK = "https://github.com/octo/engine/actions/runs/19000000966/job/57000000966"


def printed(title: str, headings: Sequence[str], rows: Sequence[Sequence[object]], width: int | None) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width or 10_000, force_terminal=True, color_system=None)
    for part in fitted_parts(title, headings, rows, width):
        console.print(part, soft_wrap=isinstance(part, str), markup=False, highlight=False)
    return stream.getvalue()


def test_on_80_columns_states_are_whole_names_have_room_and_nothing_is_cut() -> None:
    shown = printed("Flaky jobs", HEADINGS, ROWS, 80)

    assert "…" not in shown
    for whole in ("recovered ", "recovering ", "gpu_memory", "0.1-2.9 %", "Flaky Runs"):
        assert whole in shown
    assert max(map(cell_len, shown.splitlines())) <= 80
    assert "PR Test (AMD) /" in shown
    assert "Flaky jobs, continued" in shown


@pytest.mark.parametrize("width", [200, None])
def test_where_it_fits_or_there_is_no_screen_it_is_the_plain_table(width: int | None) -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=width or 10_000, force_terminal=True, color_system=None)
    console.print(plain_table("Flaky jobs", HEADINGS, ROWS))

    assert printed("Flaky jobs", HEADINGS, ROWS, width) == stream.getvalue()


def test_addresses_stand_whole_below_a_table_that_is_too_wide() -> None:
    shown = printed("Newest proof", ("Job", "Proof", "Failed"), [(JOB, "rerun", LINK), ("b", "x", None)], 80)

    assert shown.splitlines()[-2:] == [JOB, f"  Failed: {LINK}"]
    assert "Failed" not in shown.split("╰")[0]


def test_a_further_table_begins_with_the_columns_that_tell_the_rows_apart() -> None:
    rows = [("unit-test-1-gpu", f"test/srt/test_{name}.py", 3, 290.0, 108.0, "x" * 40) for name in "ab"]

    shown = printed("Estimates", ("Job", "File", "n", "Median", "Last", "Note"), rows, 60)

    tables = shown.split("Estimates, continued")
    assert len(tables) > 1
    assert all("test_a" in table and "test_b" in table for table in tables)


@settings(deadline=None)
@given(st.lists(st.lists(st.text(max_size=40), min_size=4, max_size=4), min_size=1, max_size=5), st.integers(40, 130))
def test_no_line_is_wider_than_the_screen(rows: list[list[str]], width: int) -> None:
    shown = printed("t", ("Job", "A long heading that is folded", "C", "D"), rows, width)

    assert max(map(cell_len, shown.splitlines())) <= width
