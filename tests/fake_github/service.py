"""From a request to its reply: who asks, what is left to them, what the world says, what goes wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from tests.fake_github.bodies import error
from tests.fake_github.exchange import Reply, Request
from tests.fake_github.faults import Fault, Kind, spoil
from tests.fake_github.journal import Journal
from tests.fake_github.rates import Bucket, Rates
from tests.fake_github.routes import Routes
from tests.fake_github.settings import Settings
from tests.fake_github.tokens import Caller, Tokens
from tests.fake_github.world import World

HTML_PAGE = b"<!DOCTYPE html>\n<html><head><title>Unicorn! &middot; GitHub</title></head><body>Unicorn!</body></html>\n"
_SHOWN = (
    "ETag, Link, Location, Retry-After, X-GitHub-OTP, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Used, "
    "X-RateLimit-Resource, X-RateLimit-Reset, X-OAuth-Scopes, X-Accepted-OAuth-Scopes, X-Poll-Interval, "
    "X-GitHub-Media-Type, X-GitHub-SSO, X-GitHub-Request-Id, Deprecation, Sunset, Warning"
)
SAME_ALWAYS = [
    ("Server", "github.com"),
    ("X-GitHub-Media-Type", "github.v3; format=json"),
    ("Access-Control-Expose-Headers", _SHOWN),
    ("Access-Control-Allow-Origin", "*"),
    ("Strict-Transport-Security", "max-age=31536000; includeSubdomains; preload"),
    ("X-Frame-Options", "deny"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-XSS-Protection", "0"),
    ("Referrer-Policy", "origin-when-cross-origin, strict-origin-when-cross-origin"),
    ("Content-Security-Policy", "default-src 'none'"),
    ("Vary", "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With"),
]


class Service:
    """Makes replies; what is sent of them is up to the server."""

    def __init__(
        self, world: World, routes: Routes, rates: Rates, tokens: Tokens, journal: Journal, settings: Settings
    ) -> None:
        self.world, self.routes, self.rates = world, routes, rates
        self.tokens, self.journal, self.settings = tokens, journal, settings
        self._asked = 0

    def caller(self, endpoint: str, header: str | None) -> Caller | None:
        """Who asks; an app that shows its JWT counts as nobody."""
        return self.tokens.nobody if self.routes.of_app(endpoint) else self.tokens.caller(header)

    def reply(self, request: Request, faults: Sequence[Fault], connection: int) -> Reply:
        """The whole answer, headers too. Call it with the lock of the world."""
        self.world.catch_up()
        reply = self._reply(request, list(faults), connection)
        bucket = self.rates.bucket(request.caller, reply.resource)
        if reply.listing is not None:
            reply.body = reply.listing.body()
            link = reply.listing.link(request.query)
            self.journal.give_links(link)
            if link:
                reply.headers.append(("Link", link))
        if reply.status == 200 and request.method == "GET":
            self._tag(request, reply)
        reply.headers += self._usual(request, reply)
        if reply.rate_headers and self.settings.rate_limits:
            told = [value for name, value in reply.headers if name.lower() == "x-ratelimit-limit"]
            reply.headers += [] if told else bucket.headers(reply.resource)
        return reply

    def _reply(self, request: Request, faults: list[Fault], connection: int) -> Reply:
        for fault in faults:
            if fault.kind in (Kind.ERROR, Kind.PRIMARY, Kind.SECONDARY):
                return self._failure(request, fault, connection)
        resource = "graphql" if request.endpoint == "graphql" else "core"
        free = request.endpoint == "rate limit" or self.routes.of_app(request.endpoint)
        if resource == "graphql":
            # Its points are taken when the query is weighed.
            free = request.caller.anonymous or self.rates.bucket(request.caller, resource).remaining > 0
        free = free or not self.settings.rate_limits
        if not free and not self.rates.spend(request.caller, 1, resource):
            return self._over_limit(request, resource, connection)
        version = request.headers.get("x-github-api-version")
        if version is not None and version not in self.settings.api_versions:
            return Reply(400, error("The version you specified is not supported.", 400))
        reply = self.routes.answer(request)
        if reply.listing is not None:
            spoil(reply.listing, faults)
        return reply

    def _over_limit(self, request: Request, resource: str, connection: int) -> Reply:
        self.journal.block(request.caller.key, self.rates.bucket(request.caller, resource).reset_at, connection)
        graph = resource == "graphql"
        status = self.settings.graphql_over_limit_status if graph else self.settings.over_limit_status
        return Reply(status, refusal(status, limit_message(request.caller), _LIMITS), resource=resource)

    def _failure(self, request: Request, fault: Fault, connection: int) -> Reply:
        now, status = int(self.world.clock.epoch_s()), fault.answer_status
        resource = "graphql" if request.endpoint == "graphql" else "core"
        if fault.kind is Kind.ERROR:
            if fault.html:
                return Reply(status, HTML_PAGE, content_type="text/html; charset=utf-8", rate_headers=False)
            return Reply(status, error("Server Error", status), resource=resource)
        if fault.kind is Kind.PRIMARY:
            until = now + fault.reset_s
            self.journal.block(request.caller.key, until, connection)
            left = self.rates.bucket(request.caller, resource).limit
            headers = Bucket(left, until, left).headers(resource)
            return Reply(status, refusal(status, limit_message(request.caller), _LIMITS), headers)
        wait_s = 60 if fault.retry_after_s is None else fault.retry_after_s
        self.journal.block(request.caller.key, now + wait_s, connection)
        headers = [] if fault.retry_after_s is None else [("Retry-After", str(fault.retry_after_s))]
        body = refusal(status, _SECONDARY, _SECONDARY_PAGE)
        return Reply(status, body, headers, resource=resource, rate_headers=fault.rate_headers)

    def _tag(self, request: Request, reply: Reply) -> None:
        """An ETag that is another for each token; 304 where it is known, free for those with a token."""
        if request.endpoint == "rate limit":
            reply.headers.append(("Cache-Control", "no-cache"))
            return
        body = hashlib.blake2b(reply.body, key=request.caller.key.encode(), digest_size=32)
        tag = f'"{body.hexdigest()}"'
        scope = "public" if request.caller.anonymous else "private"
        reply.headers += [("ETag", f"W/{tag}"), ("Cache-Control", f"{scope}, max-age=60, s-maxage=60")]
        known = request.headers.get("if-none-match", "")
        if tag in [each.strip().removeprefix("W/") for each in known.split(",")]:
            reply.status, reply.body = 304, b""
            if not request.caller.anonymous:
                self.rates.give_back(request.caller)

    def _usual(self, request: Request, reply: Reply) -> list[tuple[str, str]]:
        self._asked += 1
        headers = list(SAME_ALWAYS)
        version = request.headers.get("x-github-api-version") or self.settings.api_versions[0]
        headers.append(("x-github-api-version-selected", version))
        headers.append(("X-GitHub-Request-Id", f"FA4E:{self._asked:06X}"))
        if reply.permission and reply.permission != "app":
            needed = reply.permission if "=" in reply.permission else f"{reply.permission}=read"
            headers.append(("x-accepted-github-permissions", needed))
        until = request.caller.expires_at
        if until is not None:
            headers.append(("github-authentication-token-expiration", until.strftime("%Y-%m-%d %H:%M:%S UTC")))
        return headers

    def bad_credentials(self, request: Request) -> Reply:
        """401, for a token that is unknown, revoked or has run out."""
        reply = Reply(401, error("Bad credentials", 401))
        reply.headers = [*self._usual(request, reply), *self.rates.bucket(self.tokens.nobody).headers("core")]
        return reply


_LIMITS = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"
_SECONDARY_PAGE = f"{_LIMITS}#about-secondary-rate-limits"
_SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
    "If you reach out to GitHub Support for help, please include the request ID FA4E."
)


def refusal(status: int, message: str, page: str) -> bytes:
    """The body of a refused call; with status 200 it is one of GraphQL."""
    if status == 200:
        return msgspec.json.encode({"errors": [{"type": "RATE_LIMITED", "message": message}]})
    return error(message, status, page)


def limit_message(caller: Caller) -> str:
    """What GitHub says when the primary limit is used up."""
    if caller.anonymous:
        return (
            "API rate limit exceeded for 127.0.0.1. (But here's the good news: Authenticated requests get a higher "
            "rate limit. Check out the documentation for more details.)"
        )
    who = "installation" if caller.kind != "other" else f"user ID {caller.user_id}"
    return f"API rate limit exceeded for {who}."
