"""GraphQL, for now only its address."""

from __future__ import annotations

from tests.fake_github.answers import not_found
from tests.fake_github.exchange import Reply, Request


class Graph:
    """Answers 404 until there is a schema."""

    def __init__(self, *parts: object) -> None:
        self.parts = parts

    def answer(self, request: Request) -> Reply:
        return not_found()
