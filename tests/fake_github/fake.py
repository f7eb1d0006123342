"""The fake as one object: started, stopped, changed and asked what it saw."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from tests.fake_github.answers import Answers
from tests.fake_github.apps import Apps
from tests.fake_github.blobs import Blobs
from tests.fake_github.bodies import Bodies
from tests.fake_github.clock import Clock
from tests.fake_github.faults import Faults
from tests.fake_github.graph import Graph
from tests.fake_github.issue_answers import IssueAnswers
from tests.fake_github.journal import Journal
from tests.fake_github.log_answers import LogAnswers
from tests.fake_github.rates import Rates
from tests.fake_github.routes import Routes
from tests.fake_github.server import Listener, api_speaker, blob_speaker
from tests.fake_github.service import Service
from tests.fake_github.settings import Settings
from tests.fake_github.tokens import Tokens
from tests.fake_github.world import World


class FakeGitHub:
    """A GitHub of one's own on two ports of this machine: one for the API, one for logs and artifacts."""

    def __init__(self, *, clock: Clock | None = None, port: int = 0, base: str = "") -> None:
        self.clock = clock or Clock()
        self.settings = Settings()
        self.world = World(self.clock)
        self.tokens = Tokens(self.clock, self.settings)
        self.rates = Rates(self.clock)
        self.journal = Journal(self.settings)
        self.faults = Faults()
        self.apps = Apps(self.clock, self.settings, self.tokens)
        self.blobs = Blobs(self.world, self.settings)
        self._port, self._base = port, base
        self._listeners: list[Listener] = []
        self.api_url = self.graphql_url = self.html_url = ""

    def start(self) -> Self:
        """Listen; the addresses are known from now on."""
        bodies = Bodies("", "")
        answers = Answers(self.world, bodies, self.settings, self.rates)
        graph = Graph(self.world, answers, self.rates, self.settings)
        issues = IssueAnswers(self.world, answers)
        routes = Routes(self.world, answers, LogAnswers(answers, self.blobs), issues, self.apps, graph)
        service = Service(self.world, routes, self.rates, self.tokens, self.journal, self.settings)
        graphql = "/api/graphql" if self._base else "/graphql"
        api = Listener(("127.0.0.1", self._port), api_speaker(service, self._base, graphql), self.faults, self.journal)
        blob = Listener(("127.0.0.1", 0), blob_speaker(self.blobs, self.journal), self.faults, self.journal)
        self.html_url = f"http://127.0.0.1:{api.server_port}"
        self.api_url, self.graphql_url = self.html_url + self._base, self.html_url + graphql
        bodies.api, bodies.html = self.api_url, self.html_url
        # Another name and another port: a client that compares hosts in any way must see a difference.
        self.blobs.origin = f"http://localhost:{blob.server_port}"
        self._listeners = [api, blob]
        for listener in self._listeners:
            threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening and end what is open."""
        for listener in self._listeners:
            listener.close_all()
            listener.shutdown()
            listener.server_close()
        self._listeners = []

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self.journal.mistakes and error is None:
            message = "the fake itself broke down:\n" + self.journal.mistakes[0]
            raise AssertionError(message)

    def leave_calls(
        self, remaining: int, *, token: str | None = None, resource: str = "core", reset_in_s: int | None = None
    ) -> None:
        """Let this token (nobody, where none is given) have so many calls left."""
        caller = self.tokens.caller(None if token is None else f"Bearer {token}")
        if caller is None:
            message = "this token is revoked or has run out: it has no calls left"
            raise ValueError(message)
        with self.world.lock:
            self.rates.set_remaining(caller, remaining, resource=resource, reset_in_s=reset_in_s)
