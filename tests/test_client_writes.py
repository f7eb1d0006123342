"""Calls that change something: what of them is tried again, and what never is."""

from __future__ import annotations

import json

import pytest

from tests.clocks import StillClock
from tests.connecting import TOKEN, limited, talking
from tests.scripted_server import Cut, Reply, Reset, answer
from trackside.errors import CallsStoppedError, GitHubError
from trackside.github.client import GitHub

MADE = answer(201, {"id": 1})
TAKEN_MAYBE: dict[str, Reply] = {
    "answered 502": answer(502, b"<html>"),
    "answered 408": answer(408),
    "the connection broke": Reset(),
    "the answer was cut": Cut(b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{}"),
    "answered 201 with cut or broken JSON": answer(201, b'{"id": ', content_type="application/json"),
}


def test_a_call_that_writes_sends_its_body_as_json_with_the_token_and_is_accounted_for() -> None:
    with talking([MADE, answer(200, {}), answer(204)]) as talk:
        assert talk.github.send("POST", "/things", {"body": "ü"}, endpoint="make").body == b'{"id": 1}'
        talk.github.send("PATCH", "/things/1", {"body": "b"}, endpoint="edit")
        assert talk.github.send("DELETE", "/things/1", None, endpoint="drop").status == 204
        received = talk.server.received
        assert [(one.method, one.target) for one in received] == [
            ("POST", "/things"),
            ("PATCH", "/things/1"),
            ("DELETE", "/things/1"),
        ]
        assert json.loads(received[0].body) == {"body": "ü"}
        assert received[0].headers["authorization"] == f"Bearer {TOKEN}"
        assert received[0].headers["content-type"] == "application/json"
        assert received[2].body == b""
        metered = talk.github.meter()
        assert (metered.calls, metered.billed) == (3, 3)
        assert [one.endpoint for one in metered.endpoints] == ["drop", "edit", "make"]


@pytest.mark.parametrize("reason", TAKEN_MAYBE)
def test_what_may_have_been_made_is_not_made_again_blindly(reason: str) -> None:
    with talking([TAKEN_MAYBE[reason], MADE]) as talk:
        with pytest.raises(GitHubError, match="may have been carried out or not") as caught:
            talk.github.send("POST", "/things", {"body": "x"}, endpoint="make")
        assert caught.value.unsure
        assert reason in str(caught.value)
        assert len(talk.server.received) == 1
        assert talk.github.meter().failed_calls[0].endpoint == "make"


@pytest.mark.parametrize("reason", TAKEN_MAYBE)
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_what_may_be_done_twice_is_tried_again(method: str, reason: str) -> None:
    with talking([TAKEN_MAYBE[reason], answer(200, {})]) as talk:
        talk.github.send(method, "/things/1", {}, endpoint="edit")  # type: ignore[arg-type]
        assert len(talk.server.received) == 2


def test_what_a_limit_refused_was_not_made_and_is_tried_again() -> None:
    with talking([limited(0, status=403), MADE], max_wait_s=7200) as talk:
        talk.github.send("POST", "/things", {}, endpoint="make")
        assert len(talk.server.received) == 2


def test_what_never_reached_github_was_not_made_and_is_tried_again() -> None:
    clock, said = StillClock(), list[str]()
    with (
        GitHub(api_url="http://127.0.0.1:9", say=said.append, clock=clock) as github,
        pytest.raises(CallsStoppedError, match="could not be reached"),
    ):
        github.send("POST", "/things", {}, endpoint="make")
    assert len(clock.sleeps) == 4


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nothing_is_written_where_a_redirect_leads(status: int) -> None:
    with talking([answer(status, location="/elsewhere"), MADE]) as talk:
        with pytest.raises(GitHubError, match="nothing is written elsewhere") as caught:
            talk.github.send("POST", "/things", {}, endpoint="make")
        assert not caught.value.unsure
        assert len(talk.server.received) == 1


def test_a_write_goes_at_once_to_where_a_read_was_told_that_the_repository_is() -> None:
    moved = answer(301, location="/repositories/7/issues")
    with talking([moved, answer(200, []), MADE]) as talk:
        talk.github.get("/repos/old/name/issues", endpoint="issues")
        talk.github.send("POST", "/repos/old/name/issues", {}, endpoint="make")
        assert talk.server.received[-1].target == "/repositories/7/issues"


def test_a_refusal_is_told_with_githubs_own_words_and_without_the_token() -> None:
    refused = answer(422, {"message": f"Validation Failed for {TOKEN}"})
    with talking([refused]) as talk:
        with pytest.raises(GitHubError, match="Validation Failed") as caught:
            talk.github.send("POST", "/things", {"body": "secret words"}, endpoint="make")
        assert TOKEN not in str(caught.value)
        assert "secret words" not in str(caught.value)
        assert not caught.value.unsure
