"""One call of the API until it is answered: redirects, retries, limits and refusals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

import msgspec

from trackside.errors import CallsStoppedError, GitHubError
from trackside.github.clock import Clock
from trackside.github.exchange import Reply, WireError
from trackside.github.gate import APP, Gate, Ticket
from trackside.github.lanes import GRAPHQL
from trackside.github.links import ApiAddress, moved_repository, resolve
from trackside.github.meter import Meter
from trackside.github.refusals import explain, own_words
from trackside.github.retries import ATTEMPTS, LIMIT_ATTEMPTS, Kind, Verdict, retry_after_s, retry_wait_s
from trackside.github.sending import Sending, read_reply
from trackside.github.tokens import TokenSource

REDIRECTS: Final = 5
UNREACHED: Final = "look at the network, at the proxy (HTTPS_PROXY) and at GITHUB_API_URL"


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One call: what is asked for, under which name it is counted, and how often it may be tried.

    ``bearer`` stands in place of the token and is not shown. A call that ``writes`` follows no redirect; one that makes
    something new is not tried again where it may have been carried out.
    """

    method: str = "GET"
    url: str
    endpoint: str
    body: bytes | None = None
    attempts: int = ATTEMPTS
    resource: str = "core"
    bearer: str | None = None
    writes: bool = False

    def __repr__(self) -> str:
        return f"Ask({self.method} {self.endpoint})"

    @property
    def makes(self) -> bool:
        """Whether something would be there twice if the call were carried out twice."""
        return self.writes and self.method == "POST"


class Refused(msgspec.Struct, frozen=True):
    """Why a call has to be sent once more, and with which status it was answered."""

    status: int | None
    reason: str


class Progress:
    """How far a call has come: where it is asked for by now, and how often each thing has happened to it."""

    def __init__(self, ask: Ask, url: str) -> None:
        self.ask = ask
        self.url = url
        self.tried = 0
        self.unreached = 0
        self.arrived = False
        self.limited = 0
        self.redirects = 0
        self.bearer: str | None = None
        self.renewed = False
        self.refused: Refused | None = None


class Calls:
    """Makes calls. Every method may be called by any thread."""

    def __init__(
        self,
        *,
        api: ApiAddress,
        sending: Sending,
        gate: Gate,
        meter: Meter,
        clock: Clock,
        token: TokenSource | None,
        say: Callable[[str], None],
    ) -> None:
        self.api = api
        self.sending = sending
        self.gate = gate
        self.meter = meter
        self.clock = clock
        self._token = token
        self._say = say
        self._secrets: set[str] = set()
        self._moved: dict[str, str] = {}

    def call(self, ask: Ask) -> Reply:
        """The good answer. Raises GitHubError where the call is refused or given up, CallsStoppedError on a stop."""
        progress = self.begin(ask)
        while True:
            reply: Reply | None = None
            progress.arrived = True
            try:
                reply, verdict = self._try(progress)
            except WireError as error:
                verdict = Verdict(Kind.AGAIN, error.reason)
                progress.arrived = error.sent
                progress.unreached += not error.sent
            if reply is not None and verdict.kind is Kind.GOOD:
                return reply
            self.settle(progress, verdict, reply)

    def begin(self, ask: Ask) -> Progress:
        """A call that has not been tried. Raises GitHubError for an address that is not the API's."""
        if not self.api.owns(ask.url):
            msg = f"{self.api.shown(ask.url)} is not an address of {self.api.root}: not asked"
            raise GitHubError(msg)
        return Progress(ask, self._where_it_moved(ask.url))

    def authorize(self, progress: Progress) -> None:
        """Get the token for the next try. This may call GitHub itself, so it comes before a place is taken."""
        progress.bearer = progress.ask.bearer
        if progress.bearer is None and self._token is not None:
            progress.bearer = self._token.token(self)
        if progress.bearer is not None:
            self._secrets.add(progress.bearer)

    def settle(self, progress: Progress, verdict: Verdict, reply: Reply | None) -> None:
        """Do what a verdict asks for so that the call can be tried again; raise where it must not be."""
        if verdict.kind is Kind.REDIRECT and reply is not None:
            self._follow(progress, reply)
        elif verdict.kind in (Kind.PRIMARY, Kind.SECONDARY):
            self._outlast_limit(progress, verdict, reply)
        elif verdict.kind is Kind.AGAIN and progress.ask.makes and progress.arrived:
            status = None if reply is None else reply.status
            what = f"was not answered well, so it may have been carried out or not: {verdict.reason}"
            raise self.failure(progress, status, what, unsure=True)
        elif verdict.kind is Kind.AGAIN:
            self._wait_to_retry(progress, verdict, reply)
        elif reply is not None and reply.status == 401 and self._may_renew(progress):
            progress.refused = Refused(reply.status, verdict.reason)
        else:
            raise self._refusal(progress, verdict, reply)

    def enter(self, progress: Progress) -> Ticket:
        """Leave to send the call, or to send it once more.

        Raises CallsStoppedError; a call that was refused before and is not sent again has failed.
        """
        try:
            ticket = self.gate.enter(progress.ask.resource)
        except CallsStoppedError:
            self._abandon(progress)
            raise
        if progress.refused is not None:
            self.meter.retried(progress.ask.endpoint)
            progress.refused = None
        return ticket

    def failure(self, progress: Progress, status: int | None, what: str, *, unsure: bool = False) -> GitHubError:
        """The error of a call that is given up, entered into the account. ``what`` follows the name of the thing."""
        what = self._clean(what)
        url = self.api.shown(progress.url)
        self.meter.failed(progress.ask.endpoint, url, status, what)
        return GitHubError(f"{progress.ask.method} {url} {what}", status=status, unsure=unsure)

    def server_now(self) -> dt.datetime:
        """The time by GitHub's clock."""
        return dt.datetime.fromtimestamp(self.gate.server_now_s(), dt.UTC)

    def call_as_app(self, method: str, path: str, bearer: str) -> bytes:
        """The body of one call that carries this and no other authorization. Raises GitHubError."""
        ask = Ask(method=method, url=self.api.full(path), endpoint="app token", resource=APP, bearer=bearer)
        return self.call(ask).body

    def _try(self, progress: Progress) -> tuple[Reply, Verdict]:
        ask, url = progress.ask, progress.url
        self.authorize(progress)
        ticket = self.enter(progress)
        began = self.clock.monotonic()
        try:
            with self.sending.to_api(ask.endpoint, ask.method, url, bearer=progress.bearer, body=ask.body) as stream:
                reply = read_reply(stream, url, self.clock, began)
            return reply, self.sending.understand(ticket, reply, graphql=ask.resource == GRAPHQL)
        finally:
            self.gate.leave(ticket)

    def _follow(self, progress: Progress, reply: Reply) -> None:
        """Go on where the API points to, with the token, as long as that is the API itself."""
        if progress.ask.writes:
            raise self.failure(progress, reply.status, f"is redirected ({reply.status}): nothing is written elsewhere")
        target = resolve(progress.url, reply.headers.get("location"))
        if target is None or not self.api.owns(target):
            where = "nowhere" if target is None else f"to {self.api.shown(target)}, which is not the API: not followed"
            raise self.failure(progress, reply.status, f"is redirected {where}")
        progress.redirects += 1
        if progress.redirects > REDIRECTS:
            raise self.failure(progress, reply.status, f"is redirected more than {REDIRECTS} times")
        if "?" in progress.url and "?" not in target:
            target += "?" + progress.url.partition("?")[2]
        if reply.status in (301, 308):
            self._remember_move(progress.url, target)
        progress.url = target

    def _remember_move(self, old: str, new: str) -> None:
        """Later calls ask at the new place at once; that a repository has moved is said once."""
        moved = moved_repository(old, new)
        if moved is not None and self._moved.setdefault(moved[0], moved[1]) is moved[1]:
            self._say(f"{self.api.shown(moved[0])} has moved to {self.api.shown(moved[1])}: renamed or transferred")

    def _where_it_moved(self, url: str) -> str:
        for old, new in tuple(self._moved.items()):
            if url.startswith(old) and url[len(old) : len(old) + 1] in ("", "/", "?"):
                return new + url[len(old) :]
        return url

    def _outlast_limit(self, progress: Progress, verdict: Verdict, reply: Reply | None) -> None:
        """The gate waits or has stopped; here only an end to being refused again and again."""
        progress.refused = Refused(None if reply is None else reply.status, verdict.reason)
        progress.limited += 1
        if progress.limited >= LIMIT_ATTEMPTS:
            self.gate.stop(f"{verdict.reason}, still after {progress.limited} tries")
        if (stopped := self.gate.stopped) is not None:
            self._abandon(progress)
            raise stopped

    def _abandon(self, progress: Progress) -> None:
        """Enters a call that was refused and is not sent again, because calls have stopped, into the account."""
        if progress.refused is not None:
            self.failure(progress, progress.refused.status, f"failed: {progress.refused.reason}")

    def _wait_to_retry(self, progress: Progress, verdict: Verdict, reply: Reply | None) -> None:
        progress.tried += 1
        status = None if reply is None else reply.status
        if progress.tried >= progress.ask.attempts:
            times = "" if progress.tried == 1 else f", {progress.tried} times"
            error = self.failure(progress, status, f"failed: {verdict.reason}{times}; try again later")
            if progress.unreached == progress.tried and not self.gate.has_heard:
                why = self._clean(verdict.reason)
                self.gate.stop(f"{self.api.root} could not be reached ({why}); {UNREACHED}")
                raise self.gate.stopped or error
            if progress.ask.attempts > 1:  # who wants one try has another way: a smaller query, or REST
                self.gate.gave_up(self._clean(verdict.reason))
            raise error
        asked_s = None if reply is None else retry_after_s(reply.headers, self.gate.server_now_s())
        wait_s = retry_wait_s(progress.tried, self.clock.random(), asked_s)
        what = f"{self.api.shown(progress.url)}: {self._clean(verdict.reason)}"
        progress.refused = Refused(status, verdict.reason)
        try:
            self.gate.pause(wait_s, f"{what}; try {progress.tried + 1} of {progress.ask.attempts} comes then")
        except CallsStoppedError:
            self._abandon(progress)
            raise

    def _may_renew(self, progress: Progress) -> bool:
        """Whether the refused token was one that can be replaced, which is done once a call."""
        refused = progress.bearer
        if progress.renewed or progress.ask.bearer is not None or refused is None or self._token is None:
            return False
        progress.renewed = True
        return self._token.renew(refused)

    def _refusal(self, progress: Progress, verdict: Verdict, reply: Reply | None) -> GitHubError:
        if reply is None:
            return self.failure(progress, None, verdict.reason)
        words = explain(reply.status, reply.headers, reply.body, has_token=progress.bearer is not None)
        error = self.failure(progress, reply.status, words)
        error.said = self._clean(own_words(reply.body))
        return error

    def _clean(self, text: str) -> str:
        """The text without any token, should a server have given one back."""
        for secret in tuple(self._secrets):
            text = text.replace(secret, "***")
        return text
