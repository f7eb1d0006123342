"""The one way to GitHub: calls within a budget, over one pool of connections."""

from __future__ import annotations

import http.cookiejar
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Final, Literal, Self, TypeVar
from urllib.parse import quote, urlencode

import httpx2
import msgspec

from trackside.errors import CallsStoppedError, GitHubError, UsageError
from trackside.github.budget import Marks
from trackside.github.calls import Ask, Calls
from trackside.github.clock import Clock, SystemClock
from trackside.github.downloads import Download, Downloads
from trackside.github.exchange import Answer, Reply, Request, Stream, WireError
from trackside.github.gate import Gate, Terms
from trackside.github.lanes import GRAPHQL
from trackside.github.links import ApiAddress, next_link
from trackside.github.meter import Meter, Metered
from trackside.github.pool import Outcome, each
from trackside.github.retries import ATTEMPTS
from trackside.github.sending import Sending
from trackside.github.tokens import TokenSource

__all__ = ["Answer", "Download", "GitHub", "Metered", "Outcome"]

T = TypeVar("T")
R = TypeVar("R")

MOST_WORKERS: Final = 10
CONNECT_TIMEOUT_S: Final = 10.0
READ_TIMEOUT_S: Final = 60.0


def say_on_stderr(sentence: str) -> None:
    """Print what happens to a person who waits."""
    print(sentence, file=sys.stderr)  # noqa: T201 - announcements belong on stderr


class GitHub:
    """Calls of one command, as a context manager; any thread may make them.

    ``max_wait_s`` is the most that is waited for GitHub's limits in all, ``max_calls`` the most requests that are sent
    to the API. Below ``pause_below`` remaining calls one waits for the limit's renewal, below ``stop_below`` one stops.
    ``say`` gets each wait before it begins, ``trace`` one line for each request; neither ever gets a token.
    Every call raises GitHubError where GitHub refuses it or does not answer, CallsStoppedError once calls have stopped.
    """

    def __init__(
        self,
        *,
        api_url: str = "https://api.github.com",
        token: TokenSource | None = None,
        workers: int = 5,
        max_wait_s: float = 60.0,
        max_calls: int | None = None,
        pause_below: int | None = None,
        stop_below: int | None = None,
        clock: Clock | None = None,
        say: Callable[[str], None] = say_on_stderr,
        trace: Callable[[str], None] | None = None,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        if not 1 <= workers <= MOST_WORKERS:
            msg = f"{workers} calls at once is not possible: from 1 to {MOST_WORKERS}"
            raise UsageError(msg)
        clock = clock or SystemClock()
        self._api = ApiAddress(api_url)
        if token is not None and not self._api.is_private:
            msg = f"The token is not sent over plain http to {self._api.root}: use https, or no token"
            raise UsageError(msg)
        self._workers = workers
        self._token = token
        self._meter = Meter()
        marks = Marks(pause_below=pause_below, stop_below=stop_below)
        terms = Terms(workers=workers, max_wait_s=max_wait_s, max_calls=max_calls, marks=marks)
        self._gate = Gate(terms, clock, self._meter, say)
        self._wire = _Wire(workers, connect_timeout_s, read_timeout_s)
        sending = Sending(
            api=self._api, wire=self._wire, gate=self._gate, meter=self._meter, clock=clock, say=say, trace=trace
        )
        self._calls = Calls(
            api=self._api, sending=sending, gate=self._gate, meter=self._meter, clock=clock, token=token, say=say
        )
        self._downloads = Downloads(self._calls)

    def __repr__(self) -> str:
        return f"GitHub({self._api.base})"

    @property
    def has_token(self) -> bool:
        """Whether calls are made with a token; GraphQL answers nobody without one."""
        return self._token is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let no call go any more and close the connections; calls that wait end with CallsStoppedError."""
        self._gate.stop("the client is closed")
        self._wire.close()

    def get(self, path: str, params: Mapping[str, str | int] | None = None, *, endpoint: str) -> Answer:
        """The answer to a GET. ``path`` begins with a slash, or is a whole address of the API that GitHub gave."""
        url = self._api.full(path)
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params, quote_via=quote)
        return self._answer(self._calls.call(Ask(url=url, endpoint=endpoint)))

    def pages(self, path: str, params: Mapping[str, str | int] | None = None, *, endpoint: str) -> Iterator[Answer]:
        """The answer and those of all pages after it, each asked for when it is needed, by GitHub's own links."""
        answer = self.get(path, params, endpoint=endpoint)
        seen = {answer.url}
        yield answer
        while answer.next_url is not None:
            if answer.next_url in seen:
                msg = f"{self._api.shown(answer.url)}: the pages lead in a circle; what came until then is kept"
                raise GitHubError(msg, status=answer.status)
            seen.add(answer.next_url)
            answer = self.get(answer.next_url, endpoint=endpoint)
            yield answer

    def graphql(
        self, query: str, variables: Mapping[str, object], *, attempts: int = ATTEMPTS, endpoint: str = GRAPHQL
    ) -> Answer:
        """The answer to a query, which may hold ``errors`` beside ``data``; ``attempts`` bounds the tries."""
        body = msgspec.json.encode({"query": query, "variables": dict(variables)})
        ask = Ask(
            method="POST", url=self._api.graphql, endpoint=endpoint, body=body, attempts=attempts, resource=GRAPHQL
        )
        return self._answer(self._calls.call(ask))

    def send(self, method: Literal["POST", "PATCH", "DELETE"], path: str, body: object, *, endpoint: str) -> Answer:
        """The answer to a call that changes something; ``body`` is sent as JSON, None as nothing.

        No redirect is followed. A POST is not tried again where GitHub may have taken it: then the GitHubError is
        ``unsure``, and who asked must look.
        """
        content = None if body is None else msgspec.json.encode(body)
        ask = Ask(method=method, url=self._api.full(path), endpoint=endpoint, body=content, writes=True)
        return self._answer(self._calls.call(ask))

    def open_download(self, path: str, *, endpoint: str) -> AbstractContextManager[Download]:
        """A log or an archive under way, as a context manager.

        The API's link is used at once and without the token. 200, 404 and 410 are given as ``status``, with ``host``
        to tell the API's answer from that of the link's host; faults are tried again, each with a fresh link.
        """
        return self._downloads.open(path, endpoint)

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> Iterator[Outcome[T, R]]:
        """The outcome of ``work`` on every item, as they come; a failure or a stop is an outcome too.

        As many threads as workers. After a stop, items that are left come back with it and are not begun.
        """
        return each(work, items, workers=self._workers, stopped=lambda: self._gate.stopped)

    def meter(self) -> Metered:
        """What the calls cost until now."""
        return self._meter.snapshot(self._gate.waited_s)

    @property
    def stopped(self) -> CallsStoppedError | None:
        """Why no call goes any more, None while they do. Short of GraphQL points only queries stop, and calls go on."""
        return self._gate.stopped

    @property
    def workers(self) -> int:
        """How many requests may be under way at once."""
        return self._workers

    def _answer(self, reply: Reply) -> Answer:
        following = next_link(reply.headers.get("link"), reply.url)
        if following is not None and not self._api.owns(following):
            msg = f"{self._api.shown(reply.url)}: its next page is on another host ({self._api.shown(following)})"
            raise GitHubError(msg, status=reply.status)
        return Answer(status=reply.status, body=reply.body, url=reply.url, next_url=following, headers=reply.headers)


class _Wire:
    """httpx2 as a wire: one client, no redirects, no cookies, its errors in our words."""

    def __init__(self, workers: int, connect_timeout_s: float, read_timeout_s: float) -> None:
        # Its log lines hold whole addresses, and a link to a log is signed.
        logging.getLogger("httpx2").setLevel(logging.WARNING)
        no_cookies = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self._client = httpx2.Client(
            follow_redirects=False,
            cookies=no_cookies,
            timeout=httpx2.Timeout(read_timeout_s, connect=connect_timeout_s, pool=None),
            limits=httpx2.Limits(max_connections=2 * workers, max_keepalive_connections=workers),
        )

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    @contextmanager
    def open(self, request: Request) -> Iterator[Stream]:
        """Send the request and give its answer once the headers are there. Raises WireError."""
        prepared = self._client.build_request(
            request.method, request.url, headers=dict(request.headers), content=request.body
        )
        try:
            response = self._client.send(prepared, stream=True)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _wire_error(error) from None
        except RuntimeError:
            if not self._client.is_closed:
                raise
            reason = "the client is closed"
            raise WireError(reason, sent=False) from None
        try:
            yield _Stream(response)
        finally:
            response.close()


class _Stream:
    """An answer of httpx2 whose body is still to be read."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}

    @property
    def size_bytes(self) -> int:
        """What came over the wire until now."""
        return self._response.num_bytes_downloaded

    def iter_bytes(self) -> Iterator[bytes]:
        """The body in pieces, decompressed. Raises WireError where it breaks off."""
        try:
            yield from self._response.iter_bytes()
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise _wire_error(error) from None


def _wire_error(error: Exception) -> WireError:
    """The same in our words; what the library says may hold what was sent, so it is not repeated."""
    for kind, reason, sent in _REASONS:
        if isinstance(error, kind):
            return WireError(reason, sent=sent)
    return WireError("the connection failed")


_REASONS: Final[tuple[tuple[type[Exception], str, bool], ...]] = (
    (httpx2.ConnectTimeout, "no connection in time", False),
    (httpx2.ConnectError, "no connection could be made", False),
    (httpx2.ProxyError, "the proxy refused the connection", False),
    (httpx2.UnsupportedProtocol, "the address is of no known kind", False),
    (httpx2.InvalidURL, "the address is not valid", False),
    (httpx2.TimeoutException, "no answer in time", True),
    (httpx2.DecodingError, "the answer is compressed wrongly", True),
    (httpx2.RemoteProtocolError, "the answer was cut or is not HTTP", True),
    (httpx2.NetworkError, "the connection broke", True),
)
