"""A GitHub client for tests: on a still clock, with everything that it says and traces kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.clocks import StillClock
from tests.fake_github import FakeGitHub
from tests.scripted_server import Script, ScriptedServer, answer
from trackside.errors import CallsStoppedError
from trackside.github.client import GitHub
from trackside.github.tokens import StaticToken, TokenSource

TOKEN = "ghp_s3cretS3cretS3cret"
STATIC = StaticToken(TOKEN)
RESET_S = 1795350600  # 2026-11-22 12:30 UTC, half an hour after the still clock's start


@dataclass
class Talk:
    """A scripted server, a client that talks to it, and what the client said."""

    server: ScriptedServer
    github: GitHub
    clock: StillClock
    said: list[str] = field(default_factory=list)
    traced: list[str] = field(default_factory=list)

    def get(self, path: str = "/thing") -> bytes:
        return self.github.get(path, endpoint="things").body


@contextmanager
def talking(script: Script, *, prefix: str = "", token: TokenSource | None = STATIC, **options: Any) -> Iterator[Talk]:
    """A client of a scripted server. ``prefix`` is the path of the API's base, ``options`` are the client's."""
    clock = options.pop("clock", None) or StillClock()
    said: list[str] = []
    traced: list[str] = []
    with ScriptedServer(script) as server:
        options = {"token": token, "clock": clock, "say": said.append, "trace": traced.append} | options
        with GitHub(api_url=server.url + prefix, **options) as github:
            yield Talk(server, github, clock, said, traced)


def limited(remaining: int | None, *, limit: int = 5000, reset_s: int | None = RESET_S, status: int = 200) -> bytes:
    """An answer that tells of the limit; with 403 or 429 the message is that of a limit that is used up."""
    headers = {"x_ratelimit_limit": str(limit), "x_ratelimit_resource": "core"}
    if remaining is not None:
        headers["x_ratelimit_remaining"] = str(remaining)
    if reset_s is not None:
        headers["x_ratelimit_reset"] = str(reset_s)
    body = {} if status == 200 else {"message": "API rate limit exceeded for user ID 1."}
    return answer(status, body, **headers)


def stops(talk: Talk, words: str) -> str:
    """The sentence with which calls stop, now and ever after, without another request."""
    with pytest.raises(CallsStoppedError, match=words) as caught:
        talk.get()
    asked = len(talk.server.received)
    with pytest.raises(CallsStoppedError, match=words):
        talk.get()
    assert len(talk.server.received) == asked
    return str(caught.value)


def client_of(fake: FakeGitHub, **options: Any) -> GitHub:
    """A client of the fake GitHub: where it sleeps, the clock of the fake moves on."""
    clock = StillClock(fake.clock.now(), on_sleep=fake.clock.advance)
    said: list[str] = []
    return GitHub(api_url=fake.api_url, token=STATIC, clock=clock, say=said.append, **options)
