"""What may still be called, on the wire: the marks at which one pauses and stops, and the budget of one command."""

from __future__ import annotations

import threading

import pytest

from tests.connecting import RESET_S, limited, stops, talking
from tests.scripted_server import Received, Reply, Reset, answer
from trackside.errors import CallsStoppedError, GitHubError

GOOD = answer(200, {})
START_S = RESET_S - 1800


def test_below_the_pause_mark_one_waits_for_the_renewal() -> None:
    script = [limited(100, reset_s=START_S + 30), limited(99, reset_s=START_S + 30), limited(4999), limited(4998)]
    with talking(script) as talk:
        for _ in range(4):
            talk.get()
    assert talk.clock.sleeps == [31.0]
    assert talk.said == ["Waiting 31 s: only 99 of 5000 calls are left (core)"]


def test_below_the_pause_mark_one_stops_where_the_renewal_is_too_far() -> None:
    with talking([limited(99)]) as talk:
        talk.get()
        assert "until 12:30 UTC" in stops(talk, "only 99 of 5000 calls are left")


def test_below_the_breaker_everything_stops_even_where_a_wait_would_fit() -> None:
    with talking([limited(49, reset_s=START_S + 5)]) as talk:
        talk.get()
        assert "renewed at 12:00 UTC" in stops(talk, "only 49 of 5000 calls are left")


def test_the_breaker_holds_after_a_wait_too() -> None:
    with talking([limited(99, reset_s=START_S + 5), limited(30)]) as talk:
        talk.get()
        talk.get()
        assert talk.clock.sleeps == [6.0]
        stops(talk, "only 30 of 5000 calls are left")


@pytest.mark.parametrize(("limit", "pause", "stop"), [(60, 12, 6), (1000, 100, 50), (15000, 100, 50), (300, 60, 30)])
def test_the_marks_fit_the_limit(limit: int, pause: int, stop: int) -> None:
    near = START_S + 5
    with talking(
        [limited(pause, limit=limit, reset_s=near), limited(pause - 1, limit=limit, reset_s=near), GOOD]
    ) as talk:
        talk.get()
        talk.get()
        assert talk.clock.sleeps == []
        talk.get()
        assert talk.clock.sleeps == [6.0]
    with talking([limited(stop - 1, limit=limit, reset_s=near)]) as talk:
        talk.get()
        stops(talk, f"only {stop - 1} of {limit}")


def test_the_marks_can_be_set() -> None:
    with talking([limited(5), limited(4)], pause_below=5, stop_below=2) as talk:
        talk.get()
        talk.get()
        stops(talk, "only 4 of 5000")


def test_calls_in_flight_count_as_spent() -> None:
    release, four = threading.Event(), threading.Barrier(4)

    def script(request: Received) -> Reply:
        del request
        if len(talk.server.received) > 1:
            four.wait(10)
            release.wait(10)
        return limited(103 - len(talk.server.received) + 1)

    with talking(script, workers=5) as talk:
        talk.get()  # 103 are left
        threading.Timer(0.2, release.set).start()
        outcomes = list(talk.github.each(lambda n: talk.get(f"/{n}"), range(5)))
    # Four go while at least 100 are left before each; the fifth does not, though none has come back.
    assert len(talk.server.received) == 5
    assert sum(isinstance(one.error, CallsStoppedError) for one in outcomes) == 1


def test_answers_out_of_order_do_not_raise_what_is_left() -> None:
    with talking([limited(99 + 2), limited(100), limited(5000 - 1)]) as talk:
        for _ in range(3):
            talk.get()
        assert talk.github.meter().limits[0].remaining_end == 100


def test_a_later_reset_begins_a_new_period_and_an_earlier_one_is_old_news() -> None:
    script = [limited(101), limited(4999, reset_s=RESET_S + 3600), limited(100, reset_s=RESET_S)]
    with talking(script) as talk:
        for _ in range(3):
            talk.get()
        assert talk.github.meter().limits[0].remaining_end == 4999


def test_an_answer_without_the_headers_is_not_zero_left() -> None:
    with talking([GOOD, limited(None), limited(300), GOOD, GOOD]) as talk:
        for _ in range(5):
            talk.get()
    assert talk.clock.sleeps == []


def test_an_answer_that_does_not_tell_is_taken_to_have_counted() -> None:
    with talking([limited(101), GOOD, GOOD]) as talk:
        talk.get()
        talk.get()
        talk.get()
        stops(talk, "only 99 of 5000")


def test_the_limit_that_a_refused_token_is_told_is_nobodys() -> None:
    refused = answer(401, {}, x_ratelimit_remaining="3", x_ratelimit_limit="60", x_ratelimit_reset=str(RESET_S))
    with talking([limited(4000), refused, limited(3999)]) as talk:
        talk.get()
        with pytest.raises(GitHubError):
            talk.get()
        talk.get()
        assert talk.github.meter().limits[0].remaining_end == 3999


def test_a_call_whose_answer_is_lost_is_taken_to_have_counted() -> None:
    with talking([limited(100), Reset()]) as talk:
        talk.get()
        stops(talk, "only 99 of 5000")
        assert len(talk.server.received) == 2


def test_limits_of_rest_and_graphql_are_apart() -> None:
    low = answer(
        200, {"data": {}}, x_ratelimit_remaining="30", x_ratelimit_limit="5000", x_ratelimit_resource="graphql"
    )
    with talking([limited(4000), low, limited(3999)]) as talk:
        talk.get()
        talk.github.graphql("query", {})
        talk.get()
        names = {one.resource: one.remaining_end for one in talk.github.meter().limits}
        assert names == {"core": 3999, "graphql": 30}


def test_the_limit_of_another_resource_does_not_hold_calls_back() -> None:
    search = answer(200, {}, x_ratelimit_remaining="3", x_ratelimit_limit="30", x_ratelimit_resource="search")
    with talking([search, limited(4000), GOOD]) as talk:
        for _ in range(3):
            talk.get()
    assert talk.clock.sleeps == []


def test_no_call_goes_after_the_breaker_has_tripped_not_even_a_retry() -> None:
    script: list[Reply] = [answer(500, b"", x_ratelimit_remaining="10", x_ratelimit_limit="5000")]
    with talking(script) as talk:
        stops(talk, "only 10 of 5000")
        assert len(talk.server.received) == 1


def test_the_budget_of_calls_is_never_exceeded_not_by_retries_or_redirects() -> None:
    script = [answer(500), answer(302, b"", location="/x"), GOOD, answer(500), GOOD]
    with talking(script, max_calls=4) as talk:
        talk.get()
        stops(talk, "the 4 calls that were allowed are used up")
        assert len(talk.server.received) == 4


def test_the_budget_of_calls_covers_calls_in_flight() -> None:
    with talking(lambda _: GOOD, max_calls=7) as talk:
        outcomes = list(talk.github.each(lambda n: talk.get(f"/{n}"), range(30)))
        assert len(talk.server.received) == 7
        assert sum(one.error is None for one in outcomes) == 7
        assert sum(isinstance(one.error, CallsStoppedError) for one in outcomes) == 23


def test_a_budget_of_exactly_what_is_needed_stops_nothing() -> None:
    with talking(lambda _: GOOD, max_calls=3) as talk:
        assert all(one.error is None for one in talk.github.each(lambda n: talk.get(f"/{n}"), range(3)))


def test_a_budget_of_nothing_sends_nothing() -> None:
    with talking([], max_calls=0) as talk:
        stops(talk, "the 0 calls that were allowed are used up")
        assert talk.server.received == []
