"""GitHub's limits on the wire: when one waits, how long, when one stops, and that nobody goes past either."""

from __future__ import annotations

import threading

import pytest

from tests.clocks import StillClock
from tests.connecting import RESET_S, Talk, limited, talking
from tests.scripted_server import Received, Reply, answer
from trackside.errors import CallsStoppedError, GitHubError

GOOD = answer(200, {})
START_S = RESET_S - 1800
SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
ABUSE = {"message": "You have triggered an abuse detection mechanism."}


def stops(talk: Talk, words: str) -> str:
    """The sentence with which calls stop, now and ever after, without another request."""
    with pytest.raises(CallsStoppedError, match=words) as caught:
        talk.get()
    asked = len(talk.server.received)
    with pytest.raises(CallsStoppedError, match=words):
        talk.get()
    assert len(talk.server.received) == asked
    return str(caught.value)


@pytest.mark.parametrize("status", [403, 429])
def test_a_used_up_limit_is_waited_out_where_that_fits(status: int) -> None:
    with talking([limited(0, reset_s=START_S + 20, status=status), limited(4999, reset_s=RESET_S)]) as talk:
        talk.get()
    assert talk.clock.sleeps == [21.0]
    assert talk.said == ["Waiting 21 s: GitHub's limit of calls is used up"]
    assert talk.github.meter().waited_s == 21.0


@pytest.mark.parametrize("status", [403, 429])
def test_a_used_up_limit_stops_everything_where_waiting_does_not_fit(status: int) -> None:
    with talking([limited(0, reset_s=START_S + 60, status=status)]) as talk:
        said = stops(talk, "limit of calls is used up")
        assert "until 12:01 UTC" in said
        assert "run the same again later" in said
        assert talk.clock.sleeps == []
        assert len(talk.server.received) == 1


def test_a_wait_that_just_fits_is_waited() -> None:
    with talking([limited(0, reset_s=START_S + 59, status=403), GOOD]) as talk:
        talk.get()
    assert talk.clock.sleeps == [60.0]


def test_the_words_of_a_used_up_limit_count_without_its_headers() -> None:
    refusal = answer(403, {"message": "API rate limit exceeded for 192.0.2.1."})
    with talking([refusal, refusal, GOOD], max_wait_s=1000) as talk:
        talk.get()
    assert talk.clock.sleeps == [60.0, 120.0]


def test_a_used_up_limit_without_a_reset_is_waited_out_by_doubling() -> None:
    with talking([limited(0, reset_s=None, status=403)] * 3 + [GOOD], max_wait_s=1000) as talk:
        talk.get()
    assert talk.clock.sleeps == [60.0, 120.0, 240.0]


def test_a_limit_of_graphql_points_comes_in_a_good_answer() -> None:
    used_up = answer(
        200,
        {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]},
        x_ratelimit_remaining="0",
        x_ratelimit_reset=str(START_S + 5),
        x_ratelimit_resource="graphql",
    )
    with talking([used_up, answer(200, {"data": {}})]) as talk:
        assert talk.github.graphql("query", {}).body == b'{"data": {}}'
    assert talk.clock.sleeps == [6.0]


def test_graphql_points_that_stay_used_up_stop_queries_and_not_calls() -> None:
    used_up = answer(
        200, {"errors": [{"type": "RATE_LIMITED"}]}, x_ratelimit_remaining="0", x_ratelimit_reset=str(RESET_S)
    )
    with talking([used_up, limited(4000), limited(3999)]) as talk:
        for _ in range(2):
            with pytest.raises(CallsStoppedError, match="GraphQL queries to GitHub have stopped: .*, until 12:30 UTC"):
                talk.github.graphql("query", {})
            talk.get()
        assert talk.github.stopped is None
        assert talk.clock.sleeps == []


@pytest.mark.parametrize(
    ("refusal", "wait_s"),
    [
        (answer(403, SECONDARY, retry_after="30"), 30.0),
        (answer(429, SECONDARY, retry_after="30", x_ratelimit_remaining="4000"), 30.0),
        (answer(403, ABUSE, retry_after="7"), 7.0),
        (answer(403, b"<html>", retry_after="7"), 7.0),
        (answer(429, b""), 65.0),
        (answer(403, SECONDARY, retry_after="Sun, 22 Nov 2026 12:00:40 GMT"), 40.0),
        (answer(403, SECONDARY, retry_after="0"), 1.0),
        (answer(403, SECONDARY, retry_after="-5"), 65.0),
        (answer(403, SECONDARY, retry_after="soon"), 65.0),
        (answer(403, SECONDARY, x_ratelimit_remaining="4000"), 65.0),
        (answer(403, {"message": "no"}, x_ratelimit_remaining="0", retry_after="9"), 9.0),
    ],
)
def test_a_secondary_limit_is_waited_out(refusal: bytes, wait_s: float) -> None:
    with talking([refusal, GOOD], clock=StillClock(chance=0.5), max_wait_s=100) as talk:
        talk.get()
    assert talk.clock.sleeps == [wait_s]


def test_a_secondary_limit_with_nothing_left_of_the_primary_one_stops_after_the_wait() -> None:
    refusal = answer(403, SECONDARY, retry_after="5", x_ratelimit_remaining="0", x_ratelimit_reset=str(RESET_S))
    with talking([refusal]) as talk:
        stops(talk, "only 0 calls are left")
        assert talk.clock.sleeps == [5.0]


def test_a_secondary_limit_in_a_row_doubles_the_wait_and_a_good_answer_begins_anew() -> None:
    refusal = answer(403, SECONDARY)
    with talking([refusal, refusal, GOOD, refusal, GOOD], max_wait_s=1000) as talk:
        talk.get()
        talk.get()
    assert talk.clock.sleeps == [60.0, 120.0, 60.0]


def test_a_secondary_limit_stops_everything_where_waiting_does_not_fit() -> None:
    with talking([answer(403, SECONDARY, retry_after="61")]) as talk:
        stops(talk, "secondary rate limit")


@pytest.mark.parametrize("asked", ["999999999999", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_an_absurd_wait_is_not_believed(asked: str) -> None:
    with talking([answer(403, SECONDARY, retry_after=asked)], clock=StillClock(chance=0.1)) as talk:
        assert "9999" not in stops(talk, "secondary rate limit")


@pytest.mark.parametrize("reset_s", [1, START_S - 86_400, START_S + 86_400 * 365, 10**15])
def test_an_absurd_reset_is_not_believed(reset_s: int) -> None:
    with talking([limited(0, reset_s=reset_s, status=403), GOOD]) as talk:
        talk.get()
    assert talk.clock.sleeps == [60.0]


def test_the_reset_is_read_by_githubs_clock() -> None:
    skewed = limited(0, reset_s=START_S + 300 + 10, status=403)
    skewed = skewed.replace(b"\r\n", b"\r\nDate: Sun, 22 Nov 2026 12:05:00 GMT\r\n", 1)
    with talking([skewed, GOOD]) as talk:
        talk.get()
    assert talk.clock.sleeps == [11.0]


def test_waits_for_limits_are_bounded_in_all() -> None:
    refusal = answer(403, SECONDARY, retry_after="25")
    with talking([refusal, GOOD, refusal, GOOD, refusal]) as talk:
        talk.get()
        talk.get()
        assert "only 10 s may still be waited" in stops(talk, "secondary")
    assert talk.clock.sleeps == [25.0, 25.0]


def test_a_call_that_is_refused_again_and_again_ends_even_without_a_bound_on_waits() -> None:
    with talking(lambda _: answer(403, SECONDARY, retry_after="1"), max_wait_s=1e9) as talk:
        stops(talk, "still after 10 tries")


def test_one_wait_holds_all_threads_and_counts_once() -> None:
    together = threading.Barrier(3)
    asked: list[str] = []

    def script(request: Received) -> Reply:
        asked.append(request.target)
        if len(asked) == 1:
            return GOOD
        if len(asked) <= 4:
            together.wait(10)
            return answer(403, SECONDARY, retry_after="40")
        return GOOD

    with talking(script, workers=3) as talk:
        talk.get()
        outcomes = list(talk.github.each(lambda n: talk.get(f"/{n}"), range(3)))
        assert [one.error for one in outcomes] == [None] * 3
        assert talk.clock.sleeps == [40.0]
        assert len(talk.said) == 1
        assert talk.github.meter().waited_s == 40.0


def test_after_a_wait_one_call_goes_alone_before_the_others() -> None:
    together, asked, after_wait = threading.Barrier(3), [0], threading.Event()
    at_once: list[int] = []
    with talking(lambda _: GOOD, workers=3) as talk:

        def script(request: Received) -> Reply:
            del request
            asked[0] += 1
            if asked[0] <= 3:
                together.wait(10)
                return answer(429, SECONDARY, retry_after="5")
            at_once.append(talk.server.under_way)
            if asked[0] == 4:
                after_wait.wait(0.2)  # time for the others to come, if they were let through
            return GOOD

        talk.get()
        talk.server.script = script
        list(talk.github.each(lambda n: talk.get(f"/{n}"), range(3)))
    assert at_once[0] == 1


def test_the_first_call_goes_alone() -> None:
    first = threading.Event()

    def script(request: Received) -> Reply:
        del request
        if len(talk.server.received) == 1:
            first.wait(0.2)
            assert len(talk.server.received) == 1
        return GOOD

    with talking(script) as talk:
        list(talk.github.each(lambda n: talk.get(f"/{n}"), range(5)))
        assert len(talk.server.received) == 5


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
