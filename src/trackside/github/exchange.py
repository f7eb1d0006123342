"""One request and what came back: the words that the client's parts share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request. ``headers`` may hold the token, so they are not shown."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None

    def __repr__(self) -> str:
        return f"Request({self.method} {self.url.partition('?')[0]})"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer. ``headers`` have lower-case names; ``body`` may be an access token, so it is not shown."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    def __repr__(self) -> str:
        return f"Reply({self.status} {self.url.partition('?')[0]})"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A good answer of the API: ``body`` is syntactically valid JSON, ``next_url`` the next page or None."""

    status: int
    body: bytes
    url: str
    next_url: str | None
    headers: Mapping[str, str]


class WireError(Exception):
    """No whole answer came. ``sent`` is False where GitHub cannot have seen the request."""

    def __init__(self, reason: str, *, sent: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class Stream(Protocol):
    """An answer whose body is still to be read. Reading raises WireError where the body breaks off."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, names in lower case."""
        ...

    @property
    def size_bytes(self) -> int:
        """What came over the wire until now."""
        ...

    def iter_bytes(self) -> Iterator[bytes]:
        """The body in pieces, decompressed."""
        ...


class Wire(Protocol):
    """What carries a request: one connection pool that follows no redirect and keeps no cookie."""

    def open(self, request: Request) -> AbstractContextManager[Stream]:
        """Send the request and give its answer once the headers are there. Raises WireError."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
