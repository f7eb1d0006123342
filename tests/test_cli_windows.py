"""Windows and waits as they are typed."""

from __future__ import annotations

import datetime as dt

import pytest

from trackside.cli.windows import parse_moment, parse_seconds, parse_window
from trackside.errors import UsageError

NOW = dt.datetime(2026, 11, 8, 9, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("7d", "2026-11-01T09:30:00+00:00"),
        ("24h", "2026-11-07T09:30:00+00:00"),
        ("90m", "2026-11-08T08:00:00+00:00"),
        ("2w", "2026-10-25T09:30:00+00:00"),
        ("2026-11-01", "2026-11-01T00:00:00+00:00"),
        ("2026-11-01T06:00", "2026-11-01T06:00:00+00:00"),
        ("2026-11-01T06:00:00+02:00", "2026-11-01T04:00:00+00:00"),
        ("2026-11-01T06:00:00Z", "2026-11-01T06:00:00+00:00"),
    ],
)
def test_a_moment_is_a_span_ago_a_date_or_a_time(text: str, moment: str) -> None:
    assert parse_moment(text, NOW, "--since").isoformat() == moment


def test_the_last_day_is_included() -> None:
    assert parse_window("2026-11-01", "2026-11-02", NOW)[1] == dt.datetime(2026, 11, 2, 23, 59, 59, tzinfo=dt.UTC)


@pytest.mark.parametrize("text", ["", "week", "7", "-7d", "2026-13-01", "999999w", "7d7d"])
def test_what_is_no_moment_is_a_wrong_usage_that_names_the_option(text: str) -> None:
    with pytest.raises(UsageError, match="--since"):
        parse_moment(text, NOW, "--since")


@pytest.mark.parametrize(("since", "until"), [("2026-11-09", None), ("24h", "7d"), ("2026-12-01", "2026-11-01")])
def test_an_empty_window_is_a_wrong_usage(since: str, until: str | None) -> None:
    with pytest.raises(UsageError, match="The window is empty"):
        parse_window(since, until, NOW)


@pytest.mark.parametrize(
    ("text", "seconds"), [("60", 60.0), ("60s", 60.0), ("5m", 300.0), ("1.5h", 5400.0), ("0", 0.0)]
)
def test_a_wait_is_told_in_seconds_minutes_or_hours(text: str, seconds: float) -> None:
    assert parse_seconds(text, "--max-wait") == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1s", "1d"])
def test_what_is_no_wait_is_a_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="--max-wait"):
        parse_seconds(text, "--max-wait")
