"""The account of calls: what was sent, billed, failed, retried, waited and read, by endpoint and limit."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.connecting import RESET_S, limited, talking
from tests.scripted_server import Reset, answer
from trackside.errors import CallsStoppedError, GitHubError
from trackside.records.syncs import EndpointCalls, FailedCall, RateLimit

GOOD = answer(200, {})


def test_calls_are_counted_by_endpoint() -> None:
    with talking([answer(200, [1, 2]), answer(500), Reset(), GOOD, answer(404, b"")]) as talk:
        talk.github.get("/runs", endpoint="runs")
        talk.github.get("/jobs", endpoint="jobs")
        with pytest.raises(GitHubError):
            talk.github.get("/jobs?page=2", endpoint="jobs")
        metered = talk.github.meter()
    assert metered.endpoints == (
        EndpointCalls(endpoint="jobs", calls=4, billed=4, failed=1, retried=2, bytes=2),
        EndpointCalls(endpoint="runs", calls=1, billed=1, bytes=6),
    )
    assert (metered.calls, metered.billed, metered.bytes, metered.waited_s) == (5, 5, 8, 4.0)
    assert metered.failed_calls == (
        FailedCall(
            endpoint="jobs", url="/jobs?page=2", status=404, reason="is not there, or the token may not see it (404)"
        ),
    )


def test_what_github_does_not_bill_is_not_billed() -> None:
    with talking([answer(304), answer(200, {"rate": {}}), answer(200, {"rate": {}})], prefix="/api/v3") as talk:
        assert talk.github.get("/runs", endpoint="runs").status == 304
        talk.github.get("/rate_limit", endpoint="rate")
        talk.github.get("/rate_limit", {"x": 1}, endpoint="rate")
        metered = talk.github.meter()
    assert (metered.calls, metered.billed) == (3, 0)


def test_compressed_answers_count_as_what_came_over_the_wire() -> None:
    import gzip

    packed = gzip.compress(b"[" + b" " * 100_000 + b"]")
    with talking([answer(200, packed, content_encoding="gzip")]) as talk:
        talk.get()
        assert talk.github.meter().bytes == len(packed)


def test_limits_are_told_from_start_to_end() -> None:
    with talking([GOOD, limited(4990), limited(4980), limited(None), limited(4970)]) as talk:
        for _ in range(5):
            talk.get()
        assert talk.github.meter().limits == (
            RateLimit(
                resource="core",
                limit=5000,
                remaining_start=4990,
                remaining_end=4970,
                reset_at=dt.datetime.fromtimestamp(RESET_S, dt.UTC),
            ),
        )


def test_a_limit_that_no_answer_told_is_not_there() -> None:
    with talking([GOOD]) as talk:
        talk.get()
        assert talk.github.meter().limits == ()


def test_the_account_is_whole_at_any_moment_and_for_any_number_of_threads() -> None:
    with talking(lambda _: GOOD) as talk:
        for _ in talk.github.each(lambda n: talk.get(f"/{n}"), range(200)):
            metered = talk.github.meter()
            assert metered.calls == sum(one.calls for one in metered.endpoints)
        assert talk.github.meter().calls == 200


def test_failed_calls_are_kept_up_to_a_thousand_and_counted_beyond() -> None:
    with talking(lambda _: answer(404)) as talk:
        outcomes = list(talk.github.each(lambda n: talk.get(f"/{n}"), range(1010)))
        metered = talk.github.meter()
    assert len(outcomes) == metered.endpoints[0].failed == 1010
    assert len(metered.failed_calls) == 1000


@pytest.mark.parametrize("status", [403, 429])
def test_a_call_that_a_limit_refused_for_good_has_failed_with_its_status(status: int) -> None:
    with talking([limited(0, status=status)], max_wait_s=0) as talk:
        with pytest.raises(CallsStoppedError):
            talk.get()
        metered = talk.github.meter()
    [counted] = metered.endpoints
    assert counted == EndpointCalls(endpoint="things", calls=1, billed=1, failed=1, bytes=counted.bytes)
    assert metered.failed_calls == (
        FailedCall(endpoint="things", url="/thing", status=status, reason="failed: GitHub's limit of calls is used up"),
    )


def test_a_limit_that_was_waited_out_is_a_retry_and_no_failure() -> None:
    with talking([limited(0, status=403), GOOD], max_wait_s=3600) as talk:
        talk.get()
        (only,) = talk.github.meter().endpoints
    assert (only.calls, only.retried, only.failed) == (2, 1, 0)


def test_a_query_without_points_has_failed_and_was_not_sent_again() -> None:
    used_up = answer(
        200, {"errors": [{"type": "RATE_LIMITED"}]}, x_ratelimit_remaining="0", x_ratelimit_reset=str(RESET_S)
    )
    with talking([used_up]) as talk:
        for _ in range(2):
            with pytest.raises(CallsStoppedError):
                talk.github.graphql("query", {})
        (only,) = talk.github.meter().endpoints
    assert (only.calls, only.retried, only.failed) == (1, 0, 1), "the second was not sent, and cannot have failed"


def test_a_call_that_was_refused_when_calls_stopped_has_failed() -> None:
    with talking([answer(502)], max_calls=1) as talk:
        with pytest.raises(CallsStoppedError):
            talk.get()
        metered = talk.github.meter()
    assert [(one.calls, one.retried, one.failed) for one in metered.endpoints] == [(1, 0, 1)]
    assert [(one.status, one.reason) for one in metered.failed_calls] == [(502, "failed: answered 502")]


def test_a_download_that_a_limit_refused_for_good_has_failed() -> None:
    with talking([limited(0, status=403)], max_wait_s=0) as talk:
        with pytest.raises(CallsStoppedError), talk.github.open_download("/log", endpoint="job log"):
            pass
        assert [(one.endpoint, one.status) for one in talk.github.meter().failed_calls] == [("job log", 403)]
