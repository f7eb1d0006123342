"""Faults and refusals on the wire: what is tried again, how long is waited before, what is never tried again."""

from __future__ import annotations

import gzip

import pytest

from tests.clocks import StillClock
from tests.connecting import TOKEN, talking
from tests.scripted_server import Cut, Reply, Reset, Silence, answer
from trackside.errors import CallsStoppedError, GitHubError

GOOD = answer(200, {"a": 1})
FAULTS: dict[str, Reply] = {
    "answered 500": answer(500),
    "answered 502": answer(502, b"<html>"),
    "answered 503": answer(503, {"message": "x"}),
    "answered 408": answer(408),
    "the connection broke": Reset(),
    "the answer was cut": Cut(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}"),
    "the answer was cut or": Cut(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{}   \r\n"),
    "the answer was cut or is not HTTP": Cut(b"SSH-2.0-OpenSSH\r\n\r\n"),
    "cut or broken JSON": answer(200, b'[{"a": 1}, {"a"', content_type="application/json"),
    "text/html in place of JSON": answer(200, b"<!DOCTYPE html>", content_type="text/html; charset=utf-8"),
    "answered 200 with cut": answer(200, b""),
    "answered 200 with cut or broken": answer(200, b'{"a": "\xff"}'),
    "answered 200 with cut or": answer(200, b"[" * 100_000, content_type="application/json"),
    "compressed wrongly": answer(200, gzip.compress(b"{}")[:-9] + b"123456789", content_encoding="gzip"),
}


@pytest.mark.parametrize("reason", FAULTS)
def test_a_fault_that_may_pass_is_tried_again(reason: str) -> None:
    with talking([FAULTS[reason], GOOD]) as talk:
        assert talk.get() == b'{"a": 1}'
    assert len(talk.server.received) == 2
    assert talk.clock.sleeps == [2.0]
    assert reason in talk.said[0]


@pytest.mark.parametrize("reason", FAULTS)
def test_a_fault_that_stays_is_given_up_after_five_tries(reason: str) -> None:
    with talking(lambda _: FAULTS[reason]) as talk:
        with pytest.raises(GitHubError, match="try again later") as caught:
            talk.get("/thing?page=3")
        assert str(caught.value).startswith("GET /thing?page=3 failed: ")
        assert reason in str(caught.value)
        assert len(talk.server.received) == 5


def test_a_server_that_never_answers_is_a_fault() -> None:
    replies: list[Reply] = [Silence(), GOOD]
    with talking(lambda _: replies.pop(0), read_timeout_s=0.05) as talk:
        assert talk.get() == b'{"a": 1}'
    assert "no answer in time" in talk.said[0]


def test_an_answer_that_never_ends_is_a_fault() -> None:
    clock = StillClock()

    def slow(request: object) -> Reply:
        clock.advance(0 if clock.sleeps else 301)
        return GOOD

    with talking(slow, clock=clock) as talk:
        assert talk.get() == b'{"a": 1}'
    assert len(talk.server.received) == 2
    assert "had not ended after 300 s" in talk.said[0]


def test_where_nobody_ever_listened_the_first_call_tells_where_to_look_and_is_the_last() -> None:
    with talking([]) as talk:
        talk.server.stop()
        for _ in range(2):
            words = r"could not be reached \(no connection could be made\); look at the network, at the proxy"
            with pytest.raises(CallsStoppedError, match=words):
                talk.get()
        metered = talk.github.meter()
    assert (metered.calls, metered.billed) == (5, 0)
    assert [(one.status, one.reason) for one in metered.failed_calls] == [
        (None, "failed: no connection could be made, 5 times; try again later")
    ]


def test_where_nobody_listens_any_more_the_call_fails_alone() -> None:
    with talking([GOOD]) as talk:
        talk.get()
        talk.server.stop()
        with pytest.raises(GitHubError, match="no connection could be made, 5 times") as caught:
            talk.get()
        assert caught.value.status is None
        assert talk.github.stopped is None
        assert talk.github.meter().billed == 1


@pytest.mark.parametrize(
    ("chance", "waits"), [(0.0, [2.0, 2.0, 2.0, 2.0]), (0.5, [3.0, 5.0, 9.0, 17.0]), (0.999999, [4.0, 8.0, 16.0, 32.0])]
)
def test_waits_grow_with_full_jitter(chance: float, waits: list[float]) -> None:
    with talking(lambda _: answer(500), clock=StillClock(chance=chance)) as talk, pytest.raises(GitHubError):
        talk.get()
    assert talk.clock.sleeps == pytest.approx(waits, rel=1e-4)
    assert len(talk.said) == 4


def test_a_fault_that_asks_for_a_longer_wait_gets_it_up_to_a_minute() -> None:
    with talking([answer(503, retry_after="30"), answer(503, retry_after="4000"), GOOD]) as talk:
        talk.get()
    assert talk.clock.sleeps == [30.0, 60.0]


def test_a_wait_is_said_before_it_begins() -> None:
    order: list[str] = []
    clock = StillClock(on_sleep=lambda _: order.append("sleep"))
    with talking([answer(502), GOOD], clock=clock, say=order.append) as talk:
        talk.get("/runs?page=2")
    assert order == ["Waiting 2 s: /runs?page=2: answered 502; try 2 of 5 comes then", "sleep"]


def test_after_five_calls_in_a_row_that_were_given_up_calls_stop() -> None:
    with talking(lambda _: answer(502)) as talk:
        for _ in range(5):
            with pytest.raises(GitHubError):
                talk.get()
        with pytest.raises(CallsStoppedError, match="GitHub does not answer"):
            talk.get()
        assert len(talk.server.received) == 25


def test_a_good_answer_begins_the_count_anew() -> None:
    replies = ([answer(502)] * 20 + [GOOD]) * 2 + [GOOD]
    with talking(replies) as talk:
        for _ in range(2):
            for _ in range(4):
                with pytest.raises(GitHubError):
                    talk.get()
            talk.get()
        talk.get()


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (401, {}, "the token is not valid or has expired"),
        (403, {}, "Must have admin rights to Repository"),
        (403, {"x_accepted_github_permissions": "actions=read"}, "the token needs actions: read"),
        (403, {"x_accepted_github_permissions": "checks=read,actions=read; metadata=read"},
         "the token needs checks: read and actions: read or metadata: read"),
        (403, {"x_accepted_oauth_scopes": "repo"}, "the token needs the scope repo"),
        (403, {"x_github_sso": "required; url=https://x"}, "single sign-on"),
        (403, {"x_ratelimit_remaining": "12"}, "lacks a permission"),
        (404, {}, "is not there, or the token may not see it"),
        (404, {"content_type": "text/html"}, "is not there"),
        (404, {"retry_after": "5"}, "is not there"),
        (409, {}, "409"),
        (410, {}, "is gone"),
        (422, {}, "was refused (422: Must have admin"),
        (451, {}, "legal reasons"),
        (400, {}, "was refused (400"),
    ],
)  # fmt: skip
def test_a_refusal_is_never_tried_again_and_says_what_is_missing(
    status: int, headers: dict[str, str], words: str
) -> None:
    with talking([answer(status, {"message": "Must have admin rights to Repository."}, **headers)]) as talk:
        with pytest.raises(GitHubError) as caught:
            talk.get("/repos/o/r/actions/runs")
        assert caught.value.status == status
        assert words in str(caught.value)
        assert str(caught.value).startswith("GET /repos/o/r/actions/runs ")
        assert len(talk.server.received) == 1
        assert talk.clock.sleeps == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_without_a_token_a_refusal_says_that_one_may_be_needed(status: int) -> None:
    with (
        talking([answer(status, {"message": "x"})], token=None) as talk,
        pytest.raises(GitHubError, match="set GITHUB_TOKEN"),
    ):
        talk.get()


def test_what_github_says_is_cut_to_one_printable_line() -> None:
    with talking([answer(422, {"message": "a\x1b[2J\nb" + "c" * 999})]) as talk, pytest.raises(GitHubError) as caught:
        talk.get()
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_token_that_a_server_gives_back_is_not_shown() -> None:
    echo = f"Bad credentials: Bearer {TOKEN}"
    script = [answer(422, {"message": echo})] + [answer(200, b"<", content_type=TOKEN)] * 5
    with talking(script) as talk:
        for _ in range(2):
            with pytest.raises(GitHubError) as caught:
                talk.get()
            assert TOKEN not in str(caught.value)
            assert "***" in str(caught.value)
        assert TOKEN not in repr(talk.github.meter())
    assert TOKEN not in "".join(talk.said + talk.traced)


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_query_is_tried_as_often_as_the_caller_says(attempts: int) -> None:
    with talking(lambda _: answer(502)) as talk, pytest.raises(GitHubError) as caught:
        talk.github.graphql("query", {}, attempts=attempts)
    assert caught.value.status == 502
    assert len(talk.server.received) == attempts


def test_a_query_with_errors_beside_its_data_is_an_answer() -> None:
    body = {"data": {"nodes": [None]}, "errors": [{"type": "NOT_FOUND", "message": "no"}]}
    with talking([answer(200, body)]) as talk:
        assert b"NOT_FOUND" in talk.github.graphql("query", {}).body


def test_a_query_whose_answer_is_no_object_is_tried_again() -> None:
    with talking([answer(200, [1]), answer(200, {"data": {}})]) as talk:
        assert talk.github.graphql("query", {}).body == b'{"data": {}}'


def test_an_answer_without_content_is_good() -> None:
    with talking([answer(204)]) as talk:
        assert talk.get() == b""


def test_an_answer_that_is_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trackside.github.sending.MOST_BODY_BYTES", 1_000_000)
    bomb = gzip.compress(b"[" + b" " * 50_000_000 + b"]")
    with talking(lambda _: answer(200, bomb, content_encoding="gzip")) as talk:
        with pytest.raises(GitHubError, match="larger than"):
            talk.get()
        assert len(talk.server.received) == 5


def test_a_token_that_is_about_to_expire_is_said_once() -> None:
    script = [answer(200, {}, github_authentication_token_expiration="2026-11-25 05:00:00 -0700")] * 2
    with talking(script) as talk:
        talk.get()
        talk.get()
    assert talk.said == ["The GitHub token expires on 2026-11-25 12:00 UTC: renew it before then"]


@pytest.mark.parametrize("when", ["2027-11-25 05:00:00 UTC", "soon", "9999-99-99 00:00:00 UTC", ""])
def test_a_token_that_lives_longer_is_no_news(when: str) -> None:
    with talking([answer(200, {}, github_authentication_token_expiration=when)]) as talk:
        talk.get()
    assert talk.said == []
