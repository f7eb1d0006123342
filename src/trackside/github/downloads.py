"""Logs: the API gives a link that lives for a minute, another host gives the bytes and must not see the token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Final, Literal

from trackside.errors import GitHubError
from trackside.github.calls import Ask, Calls, Progress
from trackside.github.exchange import Reply, Stream, WireError
from trackside.github.gate import Ticket
from trackside.github.links import is_downgrade, resolve
from trackside.github.retries import Kind, Verdict
from trackside.github.sending import read_reply

GIVEN_UP_IN_A_ROW: Final = 5
_HOPS: Final = 3
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_STATES: Final = (404, 410)
# The other host refuses a link that has expired with one of these; a fresh one may do.
_STALE: Final = (400, 401, 403, 408, 429)


class Download:
    """An answer to a download: ``status`` is 200, 404 or 410.

    ``host`` says who answered: "api", or "blob" for the host of the link. ``headers`` have lower-case names.
    """

    def __init__(self, host: Literal["api", "blob"], stream: Stream, what: str, whole: Reply | None = None) -> None:
        self.host = host
        self.status = stream.status if whole is None else whole.status
        self.headers: Mapping[str, str] = stream.headers if whole is None else whole.headers
        self._stream = stream
        self._what = what
        self._whole = whole

    def iter_bytes(self) -> Iterator[bytes]:
        """The body in pieces, once. Raises GitHubError (status None) where it breaks off; ask for the whole again."""
        if self._whole is not None:
            yield self._whole.body
            return
        try:
            yield from self._stream.iter_bytes()
        except WireError as error:
            msg = f"{self._what} broke off after {self._stream.size_bytes} bytes: {error.reason}"
            raise GitHubError(msg) from None


class Downloads:
    """Opens downloads. Every method may be called by any thread."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._given_up = 0

    @contextmanager
    def open(self, path: str, endpoint: str) -> Iterator[Download]:
        """A download under way; it takes a place among the calls until the block ends."""
        if self._given_up >= GIVEN_UP_IN_A_ROW:
            msg = f"{path} was not asked for: the last {self._given_up} downloads failed, the host does not answer"
            raise GitHubError(msg)
        progress = self._calls.begin(Ask(url=self._calls.api.full(path), endpoint=endpoint))
        with ExitStack() as stack:
            yield self._reach(stack, progress)

    def _reach(self, stack: ExitStack, progress: Progress) -> Download:
        while True:
            with ExitStack() as trying:
                found = self._try(trying, progress)
                if isinstance(found, Download):
                    stack.push(trying.pop_all())
                    return found
            self._calls.settle(progress, *found)

    def _try(self, trying: ExitStack, progress: Progress) -> Download | tuple[Verdict, Reply | None]:
        calls = self._calls
        calls.authorize(progress)
        ticket = calls.enter(progress)
        trying.callback(calls.gate.leave, ticket)
        try:
            found = self._ask_for_link(trying, progress, ticket)
        except WireError as error:
            return Verdict(Kind.AGAIN, error.reason), None
        if isinstance(found, Download):
            return found
        reply, verdict = found
        target = resolve(progress.url, reply.headers.get("location"))
        if verdict.kind is not Kind.REDIRECT or target is None or calls.api.is_repository(target):
            return verdict, reply
        return self._fetch(trying, progress, target)

    def _ask_for_link(self, trying: ExitStack, progress: Progress, ticket: Ticket) -> Download | tuple[Reply, Verdict]:
        sending, url = self._calls.sending, progress.url
        began = self._calls.clock.monotonic()
        with ExitStack() as asking:
            stream = asking.enter_context(sending.to_api(progress.ask.endpoint, "GET", url, bearer=progress.bearer))
            if stream.status == 200:
                sending.understand_stream(ticket, stream)
                trying.push(asking.pop_all())
                return Download("api", stream, self._calls.api.shown(url))
            reply = read_reply(stream, url, self._calls.clock, began)
            verdict = sending.understand(ticket, reply)
            if reply.status in _STATES:
                return Download("api", stream, self._calls.api.shown(url), reply)
        return reply, verdict

    def _fetch(self, trying: ExitStack, progress: Progress, link: str) -> Download | tuple[Verdict, Reply | None]:
        """The bytes behind a link, used at once. A link that fails is not used again: the API is asked for another."""
        calls = self._calls
        endpoint = f"{progress.ask.endpoint} download"
        url = progress.url
        for _ in range(_HOPS):
            shown = calls.api.shown(link, signed=True)
            if is_downgrade(url, link):
                raise calls.failure(progress, None, f"leads to {shown}, which is not safe: not followed")
            url = link
            try:
                stream = trying.enter_context(calls.sending.to_host(endpoint, link))
            except WireError as error:
                return self._failed(progress, f"{shown}: {error.reason}")
            if stream.status == 200 or stream.status in _STATES:
                self._given_up = 0
                return Download("blob", stream, shown)
            if stream.status not in _REDIRECTS:
                break
            link = resolve(link, stream.headers.get("location")) or ""
        if stream.status in _STALE or stream.status >= 500:
            return self._failed(progress, f"{shown} answered {stream.status}")
        raise calls.failure(progress, stream.status, f"leads to {shown}, which answered {stream.status}")

    def _failed(self, progress: Progress, reason: str) -> tuple[Verdict, None]:
        if progress.tried + 1 >= progress.ask.attempts:
            self._given_up += 1
        return Verdict(Kind.AGAIN, reason), None
