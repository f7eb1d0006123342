"""Stamps become moments: full ones as logged, those without a year or date from what else is known of the file."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scanning import scan
from trackside.bench.clock import FORMS, Clock, ClockState, date_in_file_name, find_anchor
from trackside.bench.kernels import NO_STAMP

MOMENTS = st.datetimes(dt.datetime.fromisoformat("1990-01-01"), dt.datetime.fromisoformat("2100-01-01"))


def seconds(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp())


def resolve(form: str, stamps: list[str], anchor: str) -> list[str | None]:
    clock = Clock(ClockState(anchor, "other_lines"))
    codes = np.array([clock.decode(form, stamp.encode()) for stamp in stamps], dtype=np.int64)
    out = clock.resolve(codes, np.full(len(stamps), FORMS[form], dtype=np.int8))
    return [None if s == NO_STAMP else f"{dt.datetime.fromtimestamp(int(s), dt.UTC):%Y-%m-%d %H:%M:%S}" for s in out]


@pytest.mark.parametrize(
    ("form", "stamp", "want"),
    [
        ("full", b"2026-01-04 00:44:47", "2026-01-04 00:44:47"),
        ("full", b"2026-01-04T00:44:47", "2026-01-04 00:44:47"),
        ("us", b"05/20/2026-23:24:41", "2026-05-20 23:24:41"),
        ("full", b"2024-02-29 12:00:00", "2024-02-29 12:00:00"),
        ("full", b"2000-02-29 23:59:59", "2000-02-29 23:59:59"),
    ],
)
def test_full_stamps(form: str, stamp: bytes, want: str) -> None:
    assert Clock(ClockState("2026-01-01", "file_date")).decode(form, stamp) == seconds(want)


@pytest.mark.parametrize(
    ("form", "stamp"),
    [
        ("full", b"2026-02-30 00:00:00"),
        ("full", b"2025-02-29 00:00:00"),
        ("full", b"2026-13-01 00:00:00"),
        ("full", b"2026-01-04 24:00:00"),
        ("full", b"2026-01-04 00:60:00"),
        ("full", b"0000-01-04 00:00:00"),
        ("full", b"2026-W01-4 00:44:15"),
        ("us", b"13/20/2026-23:24:41"),
        ("md", b"02-30 00:00:00"),
        ("md", b"+3-04 00:00:00"),
        ("tod", b"25:00:00"),
    ],
)
def test_what_is_no_date_has_no_time(form: str, stamp: bytes) -> None:
    clock = Clock(ClockState("2026-01-01", "file_date"))
    assert clock.decode(form, stamp) == NO_STAMP
    raw = np.frombuffer(stamp, dtype=np.uint8).reshape(1, -1)
    assert clock.decode_many(form, raw).tolist() == [NO_STAMP]


def test_a_line_with_a_stamp_that_is_no_date_is_a_row_without_a_time() -> None:
    line = b"[2026-02-%02d 00:00:00] Prefill batch, #new-seq: 1, #new-token: 5, #queue-req: 0\n"
    rows, _ = scan(b"".join(line % day for day in [27, 28, 29, 30, 0] * 5))
    assert len(rows) == 25
    assert [("logged_us" in row) for row in rows[:5]] == [True, True, False, False, False]


@given(st.lists(MOMENTS, min_size=1, max_size=30))
def test_many_stamps_at_once_are_what_one_by_one_gives(moments: list[dt.datetime]) -> None:
    clock = Clock(ClockState("2026-01-01", "file_date"))
    for form, text in {
        "full": "%Y-%m-%d %H:%M:%S",
        "us": "%m/%d/%Y-%H:%M:%S",
        "md": "%m-%d %H:%M:%S",
        "tod": "%H:%M:%S",
    }.items():
        stamps = [moment.strftime(text).encode() for moment in moments]
        raw = np.frombuffer(b"".join(stamps), dtype=np.uint8).reshape(len(stamps), -1)
        assert clock.decode_many(form, raw).tolist() == [clock.decode(form, stamp) for stamp in stamps]
        if form in ("full", "us"):
            want = [seconds(moment.replace(microsecond=0).isoformat()) for moment in moments]
            assert clock.decode_many(form, raw).tolist() == want


def test_times_without_a_date_pass_midnight() -> None:
    stamps = ["23:59:58", "23:59:59", "00:00:01", "23:59:59", "00:00:02", "00:10:00"]
    assert resolve("tod", stamps, "2026-01-31") == [
        "2026-01-31 23:59:58",
        "2026-01-31 23:59:59",
        "2026-02-01 00:00:01",
        "2026-01-31 23:59:59",
        "2026-02-01 00:00:02",
        "2026-02-01 00:10:00",
    ]


def test_times_without_a_date_go_on_after_a_long_silence() -> None:
    assert resolve("tod", ["01:00:00", "14:00:00", "09:00:00", "08:59:59"], "2026-01-31") == [
        "2026-01-31 01:00:00",
        "2026-01-31 14:00:00",
        "2026-02-01 09:00:00",
        "2026-02-01 08:59:59",
    ]


def test_stamps_without_a_year_pass_new_year() -> None:
    assert resolve("md", ["12-31 23:59:59", "01-01 00:00:00", "12-31 23:59:59", "01-02 00:00:00"], "2025-12-31") == [
        "2025-12-31 23:59:59",
        "2026-01-01 00:00:00",
        "2025-12-31 23:59:59",
        "2026-01-02 00:00:00",
    ]


def test_the_year_of_the_first_stamp_is_the_one_nearest_to_the_anchor() -> None:
    assert resolve("md", ["12-31 23:59:59"], "2026-01-02") == ["2025-12-31 23:59:59"]
    assert resolve("md", ["01-01 00:00:01"], "2025-12-31") == ["2026-01-01 00:00:01"]
    assert resolve("md", ["06-08 10:00:00"], "2026-06-09") == ["2026-06-08 10:00:00"]


def test_a_leap_day_without_a_year() -> None:
    assert resolve("md", ["02-28 23:59:59", "02-29 00:00:00", "03-01 00:00:00"], "2024-03-05") == [
        "2024-02-28 23:59:59",
        "2024-02-29 00:00:00",
        "2024-03-01 00:00:00",
    ]


def test_midnight_between_two_pieces_of_a_file() -> None:
    line = b"[%s TP0] Prefill batch. #new-seq: 1, #new-token: 5, #queue-req: 0\n"
    stamps = [b"23:59:%02d" % n for n in range(40, 60)] + [b"00:00:%02d" % n for n in range(20)]
    whole, _ = scan(b"".join(line % stamp for stamp in stamps))
    for cut in (1, 19, 20, 21, 39):
        pieces = [b"".join(line % s for s in stamps[:cut]), b"".join(line % s for s in stamps[cut:])]
        assert scan(pieces)[0] == whole
    assert whole[-1]["logged_us"] - whole[0]["logged_us"] == 39_000_000


def test_fractions_of_any_length_are_microseconds() -> None:
    line = b"[2026-01-04 00:00:00.%s TP0] Prefill batch, #new-seq: 1, #new-token: 5, #queue-req: 0\n"
    fractions = [b"5", b"25", b"125", b"123456", b"123456789"] * 10
    rows, _ = scan(b"".join(line % fraction for fraction in fractions))
    assert [row["logged_us"] % 1_000_000 for row in rows[:5]] == [500_000, 250_000, 125_000, 123_456, 123_456]
    assert [row["logged_us"] for row in rows] == [row["logged_us"] for row in rows[:5]] * 10


@pytest.mark.parametrize(("zone", "offset_s"), [(b"Z", 0), (b"+08:00", 28_800), (b"-0730", -27_000), (b"+0000", 0)])
def test_zones(zone: bytes, offset_s: int) -> None:
    line = b"2026-01-04T00:00:00%s  INFO a.b: Prefill batch, #new-seq: 1, #new-token: 5, #queue-req: 0\n" % zone
    rows, _ = scan(line * 20)
    assert {row["utc"] for row in rows} == {1}
    assert {row.get("offset_us", 0) for row in rows} == {offset_s * 1_000_000}


def test_the_anchor_comes_from_other_lines_then_the_name_then_the_file() -> None:
    day = dt.date(2026, 3, 4)
    assert find_anchor(b"x 2026-02-03 00:00:00 y", b"", "run_20260101.log", day).anchor == "2026-02-03"
    assert find_anchor(b"", b"2026-02-03T00:00:00Z", "run.log", day).source == "other_lines"
    named = find_anchor(b"9999-99-99 00:00:00", b"", "run_20260101.log", day)
    assert (named.anchor, named.source) == ("2026-01-01", "file_name")
    dated = find_anchor(b"", b"", "run.log", day)
    assert (dated.anchor, dated.source) == ("2026-03-04", "file_date")


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("job_2026-01-31.out", "2026-01-31"),
        ("log20260131T0332JST_server.log", "2026-01-31"),
        ("2026.01.31.log", "2026-01-31"),
        ("mm25-disagg-7025.out", None),
        ("20261331.log", None),
        ("20260231.log", None),
    ],
)
def test_dates_in_file_names(name: str, want: str | None) -> None:
    assert date_in_file_name(name) == want
