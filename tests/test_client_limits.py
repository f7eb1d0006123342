"""GitHub's limits on the wire: when one waits, how long, when one stops, and that nobody goes past either."""

from __future__ import annotations

import threading

import pytest

from tests.clocks import StillClock
from tests.connecting import RESET_S, limited, stops, talking
from tests.scripted_server import Received, Reply, answer
from trackside.errors import CallsStoppedError, GitHubError

GOOD = answer(200, {})
START_S = RESET_S - 1800
SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
ABUSE = {"message": "You have triggered an abuse detection mechanism."}


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


def test_the_reset_that_the_refusal_tells_counts_and_not_one_told_before() -> None:
    with talking([limited(4000), limited(0, reset_s=START_S + 9, status=403), limited(3999)]) as talk:
        talk.get()
        talk.get()
    assert talk.clock.sleeps == [10.0]


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
            with pytest.raises(CallsStoppedError, match=r"GraphQL queries to GitHub have stopped: .*, until 12:30 UTC"):
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

    def wait_for_the_refusals(seconds: float) -> None:
        del seconds
        while len(talk.traced) < 4:
            threading.Event().wait(0.01)
        threading.Event().wait(0.05)

    with talking(script, workers=3, clock=StillClock(on_sleep=wait_for_the_refusals)) as talk:
        talk.get()
        outcomes = list(talk.github.each(lambda n: talk.get(f"/{n}"), range(3)))
        assert [one.error for one in outcomes] == [None] * 3
        assert talk.clock.sleeps == [40.0]
        assert len(talk.said) == 1
        assert talk.github.meter().waited_s == 40.0


def refused_together(waits: list[str], *, late: bool = False) -> StillClock:
    """The clock of two calls that are refused at once; with ``late`` the second answer comes after the first wait."""
    together, waited = threading.Barrier(2), threading.Event()

    def script(request: Received) -> Reply:
        if request.target == "/thing" or not waits:
            return GOOD
        together.wait(10)
        asked = waits.pop(0)
        if late and not waits:
            waited.wait(10)
        return answer(403, SECONDARY, retry_after=asked)

    def on_sleep(seconds: float) -> None:
        del seconds
        while len(talk.traced) < (2 if late else 3):
            threading.Event().wait(0.01)
        threading.Event().wait(0.05)

    with talking(script, workers=2, clock=StillClock(on_sleep=on_sleep), max_wait_s=100) as talk:
        talk.get()
        after = threading.Timer(0.3, waited.set)
        after.start()
        assert [one.error for one in talk.github.each(lambda n: talk.get(f"/{n}"), range(2))] == [None] * 2
        return talk.clock


@pytest.mark.parametrize("waits", [["5", "30"], ["30", "5"]])
def test_of_calls_that_are_refused_together_the_longest_wait_counts(waits: list[str]) -> None:
    assert sum(refused_together(waits).sleeps) == 30.0


def test_a_refusal_that_comes_after_the_wait_of_another_is_obeyed_too() -> None:
    assert sum(refused_together(["5", "7"], late=True).sleeps) == 12.0


def test_a_connection_on_which_a_limit_was_told_is_not_used_again() -> None:
    with talking([GOOD, answer(404, {}), answer(403, SECONDARY, retry_after="5"), GOOD]) as talk:
        talk.get()
        with pytest.raises(GitHubError):
            talk.get()
        talk.get()
    used = [one.connection for one in talk.server.received]
    assert used[0] == used[1] == used[2] != used[3]


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
            if asked[0] == 4:
                after_wait.wait(0.2)  # time for the others to come, if they were let through
            at_once.append(talk.server.under_way)
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
