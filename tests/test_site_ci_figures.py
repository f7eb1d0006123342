"""The headline figures of CI: equal to those of Home, and unknown where nothing tells them."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from tests.ci_sites import HOME, UNTIL, a_morning, a_site, ci_of
from tests.history_frames import HOUR, START, a_failure, a_history, a_job, a_run
from trackside.site.ci_cards import ci_cards, default_success
from trackside.site.ci_failing import groups_table
from trackside.site.ci_job_facts import JobPages
from trackside.site.ci_jobs import ci_results
from trackside.site.facts import CiFacts
from trackside.site.home_cards import home_cards
from trackside.site.new_groups import new_groups, new_groups_card
from trackside.site.tables import Table

MORNING: Final = a_morning()


def column(table: Table, key: str) -> list[object]:
    place = [one.key for one in table.columns].index(key)
    return [row[place].value for row in table.rows]


def cards_of(ci: CiFacts) -> dict[str, tuple[str, str]]:
    return {card.label: (card.value, card.basis) for card in ci_cards(ci, UNTIL)}


def test_the_cards_tell_what_the_analyses_found() -> None:
    cards = cards_of(MORNING)

    assert cards["Broken now"] == ("1", "of 5 jobs on main, 11 runs, 2026-06-01")
    assert cards["Flaky jobs"] == ("1", "1 not recovered; of 5 jobs")
    assert cards["New failure groups"] == (
        "unknown",
        "The window is too short to tell what is new: trackside sync --since 30d brings a longer one; "
        "of 2 groups of 4 failed attempts of jobs.",
    )
    assert cards["Success rate"] == ("72.7 %", "8 of 11 runs of main; 95 % 43.4–90.3 %")
    assert cards["Jobs known"] == ("100.0 %", "jobs of 13 of 13 run attempts; logs of 4 of 4 failed attempts")


def test_the_queue_card_is_over_all_pools_and_names_the_slowest() -> None:
    waited = MORNING.history.jobs.filter(pl.col("outcome") != "skipped")["queue_s"]
    value, basis = cards_of(MORNING)["Queue p90"]

    slowest = MORNING.waiting.pools[0]
    assert value == f"{(waited.quantile(0.9, 'linear') or 0) / 60:.1f} min"
    assert basis == f"p50 30 s of {len(waited)} jobs; slowest pool {slowest.pool}: {(slowest.p90_s or 0) / 60:.1f} min"


def test_no_decided_run_is_no_success_rate() -> None:
    found = default_success(a_history([a_run(1, "cancelled")]))

    assert (found.decided, found.rate) == (0, None)
    assert cards_of(ci_of(a_history([a_run(1, "cancelled")])))["Success rate"][0] == "unknown"


def test_jobs_that_were_only_cancelled_leave_broken_and_flaky_unknown() -> None:
    run = a_run(1, "cancelled")
    cards = cards_of(ci_of(a_history([run], [a_job(run, "build", "cancelled")])))

    assert cards["Broken now"] == (
        "unknown", "No job passed or failed on the default branch in the window: run trackside sync."
    )  # fmt: skip
    assert cards["Flaky jobs"] == ("unknown", "no job passed or failed in the window")


def test_run_attempts_whose_jobs_are_not_known_are_told_and_never_as_all() -> None:
    history = a_history([a_run(number) for number in range(2_000)])
    cards = cards_of(ci_of(msgspec.structs.replace(history, unread=1)))

    assert cards["Jobs known"] == ("99.9 %", "jobs of 1,999 of 2,000 run attempts")


def test_new_groups_are_counted_since_the_last_report() -> None:
    failures = MORNING.history.failures.to_dicts()
    runs, jobs = MORNING.history.runs.to_dicts(), MORNING.history.jobs.to_dicts()
    ci = ci_of(a_history(runs, jobs, failures=failures), last_report_at=START.replace(hour=14))
    table = groups_table(ci.groups, new_groups(ci, UNTIL), HOME)

    assert cards_of(ci)["New failure groups"] == (
        "1", "of 2 groups of 4 failed attempts of jobs; not known to the report of 2026-06-01 14:00 UTC"
    )  # fmt: skip
    assert column(table, "new") == ["new", "known"]
    assert column(table, "fingerprint") == ["b" * 16, "f" * 16]


def a_week_with_a_new_error() -> CiFacts:
    """A run a day for eight days with an old error in the first two, and a new one in the last; no report before."""
    day = 24 * HOUR
    runs = [a_run(number, "failure", created_at=START + number * day) for number in range(8)]
    jobs = [a_job(run, "build", "failure", completed_at=run["created_at"] + HOUR) for run in runs]
    names = {0: "a", 1: "a", 7: "b"}
    failures = [a_failure(jobs[place], "build", fingerprint=name * 16) for place, name in names.items()]
    return ci_of(a_history(runs, jobs, failures=failures))


def test_home_and_ci_say_the_same_of_new_groups_and_of_what_is_broken() -> None:
    for ci in (a_week_with_a_new_error(), MORNING, ci_of(a_history([]))):
        until = START + 8 * 24 * HOUR
        site = msgspec.structs.replace(a_site(ci), until=until)
        here = {card.label: (card.value, card.basis, card.tone) for card in ci_cards(ci, until)}
        home = {card.label: (card.value, card.basis, card.tone) for card in home_cards(site)}
        for label in ("New failure groups", "Broken now"):
            assert here[label] == home[label], label


def test_what_the_window_shows_first_at_its_end_is_marked_new_where_no_report_was_made_before() -> None:
    ci, until = a_week_with_a_new_error(), START + 8 * 24 * HOUR
    table = groups_table(ci.groups, new_groups(ci, until), HOME)

    assert ci.groups.last_report_at is None
    assert column(table, "new") == ["new", "known"]
    assert column(table, "fingerprint") == ["b" * 16, "a" * 16]
    assert table.caption == "Failure groups, new ones first"
    found = ci_results(ci)
    page = JobPages(ci, found, until).page(found.jobs[0])
    assert {one.fingerprint: one.is_new for one in page.errors if one.fingerprint} == {"b" * 16: True, "a" * 16: False}


def test_groups_have_no_mark_where_it_cannot_be_told_whether_they_are_new() -> None:
    table = groups_table(MORNING.groups, new_groups(MORNING, UNTIL), HOME)

    assert "new" not in [one.key for one in table.columns]
    assert table.caption == "Failure groups, the most failures first"


def test_logs_that_nobody_read_leave_it_unknown_what_is_new() -> None:
    run = a_run(1, "failure")
    ci = ci_of(a_history([run], [a_job(run, "build", "failure")]), last_report_at=START)

    assert cards_of(ci)["New failure groups"] == (
        "unknown", "No log of 1 failed attempt of jobs was read: trackside sync --logs failed downloads them."
    )  # fmt: skip


def test_nothing_new_among_logs_of_which_some_were_not_read_is_not_called_good() -> None:
    ci = a_week_with_a_new_error()
    card = new_groups_card(new_groups(ci, START + 30 * 24 * HOUR), "#groups")

    assert (card.value, card.tone) == ("0", "")
    assert card.basis.startswith("of 2 groups of 8 failed attempts of jobs, 5 without a log; first seen in the 24 h")
