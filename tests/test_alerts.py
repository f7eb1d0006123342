"""Alerts: from where on each is on, and how it stands from one check to the next."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackside.agents.alerts import AlertFacts, are_on, check_alerts, few_calls
from trackside.records.agent_rules import AlertRules
from trackside.records.alerts import Alert, AlertKind, AlertState
from trackside.records.syncs import RateLimit

REPO = "octo/engine"
NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
RULES = AlertRules()
MIB_5 = 5 * 1024 * 1024


def left(remaining: int | None, limit: int | None = 5000, resource: str = "core") -> RateLimit:
    return RateLimit(resource=resource, limit=limit, remaining_start=remaining, remaining_end=remaining)


def facts(**more: object) -> AlertFacts:
    usual: dict[str, object] = {
        "limits": (left(4000),),
        "statuses": ("ok",),
        "duration_s": 12.0,
        "synced_at": NOW - HOUR,
        "data_at": NOW - HOUR,
        "files": {"agentops-runs.json": 1000},
    }
    return AlertFacts(repo=REPO, **{**usual, **more})  # type: ignore[arg-type]


def one(kind: AlertKind, rules: AlertRules = RULES, before: tuple[Alert, ...] = (), **more: object) -> Alert:
    found = {alert.kind: alert for alert in check_alerts(facts(**more), rules, before, NOW)}
    return found[kind]


def states(alerts: tuple[Alert, ...]) -> dict[str, str]:
    return {alert.kind.value: alert.state.value for alert in alerts}


def test_every_kind_of_alert_is_told_once_and_in_order() -> None:
    found = check_alerts(facts(), RULES, (), NOW)
    assert [alert.kind for alert in found] == list(AlertKind)
    assert {alert.state for alert in found} == {AlertState.OFF}
    assert are_on(found) == ()
    assert all(alert.repo == REPO and alert.checked_at == NOW and alert.text for alert in found)


@pytest.mark.parametrize(
    ("remaining", "limit", "state"),
    [
        (999, 5000, "on"),
        (1000, 5000, "off"),
        (999, 15000, "on"),
        (199, 1000, "on"),
        (200, 1000, "off"),
        (11, 60, "on"),
        (12, 60, "off"),
        (0, 1000, "on"),
        (999, 4999, "on"),
        (1000, 4999, "off"),
    ],
)
def test_few_calls_left_of_a_limit_are_alarming(remaining: int, limit: int, state: str) -> None:
    found = one(AlertKind.RATE_LIMIT, limits=(left(remaining, limit),))
    assert (found.state, found.value, found.unit) == (state, remaining, "calls")


def test_a_threshold_that_was_set_counts_for_any_limit() -> None:
    rules = AlertRules(rate_limit_below=300)
    assert one(AlertKind.RATE_LIMIT, rules, limits=(left(299, 1000),)).state is AlertState.ON
    assert one(AlertKind.RATE_LIMIT, rules, limits=(left(300, 15000),)).state is AlertState.OFF
    assert one(AlertKind.RATE_LIMIT, rules, limits=(left(299, None),)).state is AlertState.ON
    assert few_calls(None, RULES) is None


@pytest.mark.parametrize(
    "limits",
    [(), (left(None),), (left(10, None),), (left(0, 30, "search"),)],
    ids=["no limit", "nothing left told", "no size told", "another limit"],
)
def test_a_limit_that_nobody_told_is_unknown_and_not_nought(limits: tuple[RateLimit, ...]) -> None:
    found = one(AlertKind.RATE_LIMIT, limits=limits)
    assert (found.state, found.value) == (AlertState.UNKNOWN, None)
    assert found.text == "No answer told how many calls are left."


def test_calls_and_points_are_each_held_against_their_own_limit() -> None:
    both = (left(4000), left(150, 1000, "graphql"))
    found = one(AlertKind.RATE_LIMIT, limits=both)
    assert (found.state, found.value, found.threshold) == (AlertState.ON, 150, 200)
    assert found.text == "Few calls are left after the last sync: 150 of 1,000 (graphql; alarming below 200)."
    fine = one(AlertKind.RATE_LIMIT, limits=(left(4000), left(900, 1000, "graphql")))
    assert (fine.state, fine.value) == (AlertState.OFF, 900)
    assert "4,000 of 5,000 (core" in fine.text
    assert "900 of 1,000 (graphql" in fine.text


def test_the_renewal_of_a_limit_is_told_where_it_is_known() -> None:
    limit = msgspec.structs.replace(left(5), reset_at=dt.datetime(2026, 6, 1, 13, 5, tzinfo=dt.UTC))
    assert one(AlertKind.RATE_LIMIT, limits=(limit,)).text.endswith("renewed at 13:05 UTC.")


@pytest.mark.parametrize(
    ("statuses", "state", "value"),
    [
        (("failed", "failed", "ok"), "off", 2),
        (("failed", "failed", "failed", "ok"), "on", 3),
        (("failed",) * 9, "on", 9),
        (("ok", "failed", "failed", "failed"), "off", 0),
        (("failed", "failed", "partial", "failed"), "off", 2),
        ((), "unknown", None),
    ],
    ids=["two", "three", "nine", "success after three", "a part came", "never"],
)
def test_syncs_that_failed_in_a_row_are_alarming(statuses: tuple[str, ...], state: str, value: int | None) -> None:
    found = one(AlertKind.SYNC_FAILURES, statuses=statuses)
    assert (found.state, found.value) == (state, value)


@pytest.mark.parametrize(
    ("duration", "state"), [(300.0, "off"), (300.1, "on"), (0.0, "off"), (None, "unknown")], ids=str
)
def test_a_sync_that_takes_long_is_alarming(duration: float | None, state: str) -> None:
    assert one(AlertKind.SYNC_DURATION, duration_s=duration).state == state


@pytest.mark.parametrize(
    ("size", "state", "is_warning"),
    [
        (MIB_5, "off", True),
        (MIB_5 + 1, "on", False),
        (4 * 1024 * 1024, "off", True),
        (4 * 1024 * 1024 - 1, "off", False),
        (0, "off", False),
    ],
)
def test_a_large_data_file_is_alarming_and_warned_of_before(size: int, state: str, is_warning: bool) -> None:
    found = one(AlertKind.FILE_SIZE, files={"a.json": size, "b.json": 0})
    assert (found.state, found.is_warning, found.value) == (state, is_warning, size)


def test_the_largest_file_is_named_and_files_that_are_too_large_are_counted() -> None:
    found = one(AlertKind.FILE_SIZE, files={"a.json": MIB_5 + 1, "b.json": MIB_5 + 2, "c.json": 1})
    assert "b.json, has 5,242,882 bytes" in found.text
    assert found.text.endswith("2 files are too large.")


def test_without_a_file_the_size_is_unknown_and_unlooked_at_it_stays_as_it_was() -> None:
    assert one(AlertKind.FILE_SIZE, files={}).state is AlertState.UNKNOWN
    assert one(AlertKind.FILE_SIZE, files=None).state is AlertState.UNKNOWN
    before = one(AlertKind.FILE_SIZE, files={"a.json": MIB_5 + 1})
    assert one(AlertKind.FILE_SIZE, before=(before,), files=None) is before


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (4 * HOUR, "off"),
        (4 * HOUR + dt.timedelta(seconds=1), "on"),
        (-HOUR, "off"),
        (dt.timedelta(0), "off"),
    ],
    ids=["twice the interval", "a second more", "a clock ahead", "now"],
)
def test_data_older_than_two_intervals_is_alarming(age: dt.timedelta, state: str) -> None:
    assert one(AlertKind.STALE_DATA, data_at=NOW - age).state == state


def test_data_is_stale_since_the_moment_that_it_was_too_old() -> None:
    found = one(AlertKind.STALE_DATA, data_at=NOW - 10 * HOUR)
    assert found.since == NOW - 6 * HOUR
    assert found.text == (
        "The last sync that brought data ended 10.0 h ago, at 2026-06-01 02:00 UTC (alarming above 4 h)."
    )
    assert one(AlertKind.STALE_DATA, AlertRules(interval_hours=6.0), data_at=NOW - 10 * HOUR).state is AlertState.OFF
    assert one(AlertKind.STALE_DATA, data_at=None).state is AlertState.UNKNOWN


def sync_after(hours: float, before: tuple[Alert, ...], **more: object) -> tuple[Alert, ...]:
    """The check right after a sync, so many hours on."""
    at = NOW + hours * HOUR
    return check_alerts(facts(synced_at=at, data_at=at, **more), RULES, before, at)


def kind_of(alerts: tuple[Alert, ...], kind: AlertKind) -> Alert:
    return next(alert for alert in alerts if alert.kind is kind)


def test_an_alert_goes_on_stays_on_since_then_recovers_once_and_is_off() -> None:
    kind = AlertKind.SYNC_FAILURES
    first = sync_after(0, (), statuses=("failed", "failed", "failed"))
    second = sync_after(2, first, statuses=("failed",) * 4)
    third = sync_after(4, second, statuses=("ok", "failed"))
    fourth = sync_after(6, third)
    told = [kind_of(alerts, kind) for alerts in (first, second, third, fourth)]
    assert [alert.state.value for alert in told] == ["on", "on", "recovered", "off"]
    assert [alert.since for alert in told] == [NOW, NOW, NOW, None]
    assert [alert.recovered_at for alert in told] == [None, None, NOW + 4 * HOUR, None]


def test_looking_again_before_the_next_sync_does_not_hide_that_an_alert_recovered() -> None:
    on = sync_after(0, (), duration_s=301.0)
    recovered = sync_after(2, on)
    looked = check_alerts(facts(synced_at=NOW + 2 * HOUR, data_at=NOW + 2 * HOUR), RULES, recovered, NOW + 3 * HOUR)
    assert kind_of(looked, AlertKind.SYNC_DURATION).state is AlertState.RECOVERED
    assert kind_of(looked, AlertKind.SYNC_DURATION).recovered_at == NOW + 2 * HOUR
    assert kind_of(sync_after(4, looked), AlertKind.SYNC_DURATION).state is AlertState.OFF


def test_an_alert_that_goes_on_again_is_on_since_then() -> None:
    on = sync_after(0, (), duration_s=301.0)
    again = sync_after(4, sync_after(2, on), duration_s=400.0)
    assert kind_of(again, AlertKind.SYNC_DURATION).since == NOW + 4 * HOUR


def test_what_was_not_told_in_between_neither_ends_an_alert_nor_forgets_it() -> None:
    on = sync_after(0, (), limits=(left(5),))
    silent = sync_after(2, on, limits=())
    assert kind_of(silent, AlertKind.RATE_LIMIT).state is AlertState.UNKNOWN
    assert kind_of(silent, AlertKind.RATE_LIMIT).since == NOW
    assert kind_of(sync_after(4, silent, limits=(left(5),)), AlertKind.RATE_LIMIT).since == NOW
    assert kind_of(sync_after(4, silent), AlertKind.RATE_LIMIT).state is AlertState.RECOVERED


def test_alerts_of_another_repository_are_not_these() -> None:
    on = check_alerts(facts(duration_s=999.0), RULES, (), NOW)
    other = tuple(msgspec.structs.replace(alert, repo="octo/other") for alert in on)
    assert set(states(check_alerts(facts(), RULES, other, NOW)).values()) == {"off"}
    same = tuple(msgspec.structs.replace(alert, repo="Octo/Engine") for alert in on)
    assert states(check_alerts(facts(), RULES, same, NOW))["sync_duration"] == "recovered"


def test_the_issue_that_tells_of_an_alert_is_remembered() -> None:
    on = tuple(msgspec.structs.replace(alert, issue=7) for alert in check_alerts(facts(), RULES, (), NOW))
    assert {alert.issue for alert in check_alerts(facts(), RULES, on, NOW)} == {7}


COURSE = st.lists(st.sampled_from(["on", "off", "silent"]), min_size=1, max_size=12)


@given(COURSE)
def test_over_any_course_recovered_follows_on_once_and_only_what_is_not_off_has_a_beginning(course: list[str]) -> None:
    limits = {"on": (left(1),), "off": (left(4000),), "silent": ()}
    alerts: tuple[Alert, ...] = ()
    was_on = False
    for place, step in enumerate(course):
        alerts = sync_after(2 * place, alerts, limits=limits[step])
        found = kind_of(alerts, AlertKind.RATE_LIMIT)
        wanted = {"on": "on", "silent": "unknown", "off": "recovered" if was_on else "off"}[step]
        assert found.state == wanted
        assert (found.since is not None) == (wanted in ("on", "recovered") or (wanted == "unknown" and was_on))
        was_on = step == "on" or (was_on and step == "silent")
