"""Every call that came in, counted, and every rule of GitHub's that a client broke."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from tests.fake_github.settings import Settings

_LATER_PAGE = re.compile(r"(?:^|&)page=(?!1(?:&|$))")
GRACE_S = 0.25
"""Real seconds in which other connections may not have heard yet that calls must stop."""


def same_address(url: str) -> str:
    """The address with its parameters in one order and spelling: some clients sort them."""
    address, _, query = url.partition("?")
    return f"{address}?{urlencode(sorted(parse_qsl(query, keep_blank_values=True)))}"


@dataclass
class Call:
    """One call. Of a token only its presence is kept; ``status`` is 0 while there is no answer."""

    host: str
    method: str
    path: str
    raw_query: str
    endpoint: str
    headers: Mapping[str, str]
    has_token: bool
    at_s: float
    status: int = 0
    sent_bytes: int = 0
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Violation:
    """A rule that was broken, and by which call."""

    rule: str
    target: str


@dataclass
class Journal:
    """What happened. ``max_in_flight`` and ``breaker_remaining`` are off unless they are set."""

    settings: Settings
    calls: list[Call] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    """Where the fake itself broke down: always empty, or the test is worth nothing."""
    in_flight: int = 0
    most_in_flight: int = 0
    max_in_flight: int | None = None
    breaker_remaining: int | None = None
    _links: set[str] = field(default_factory=set)
    _blocked: dict[str, tuple[float, float, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, endpoint: str | None = None, *, host: str = "api") -> int:
        """Calls to the API, or to one endpoint of it; asking for the rate limit does not count among all."""
        with self._lock:
            if endpoint is not None:
                return sum(call.endpoint == endpoint and call.host == host for call in self.calls)
            return sum(call.host == host and call.endpoint != "rate limit" for call in self.calls)

    def by_endpoint(self) -> Counter[str]:
        """Calls to the API by endpoint."""
        with self._lock:
            return Counter(call.endpoint for call in self.calls if call.host == "api")

    def sent_bytes(self) -> int:
        """Bytes of bodies that were sent, of both hosts."""
        with self._lock:
            return sum(call.sent_bytes for call in self.calls)

    def broken_rules(self) -> Counter[str]:
        """How often each rule was broken."""
        with self._lock:
            return Counter(violation.rule for violation in self.violations)

    def clear(self) -> None:
        """Forget the calls and violations; what is blocked stays so."""
        with self._lock:
            self.calls.clear()
            self.violations.clear()
            self.most_in_flight = self.in_flight

    def violate(self, rule: str, target: str) -> None:
        """Note a broken rule."""
        with self._lock:
            self.violations.append(Violation(rule, target))

    def enter(self, call: Call) -> None:
        """A call begins."""
        with self._lock:
            self.calls.append(call)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            too_many = self.max_in_flight is not None and self.in_flight > self.max_in_flight
        if too_many:
            self.violate("too many calls in flight", call.path)

    def leave(self, call: Call) -> None:
        """A call has its answer, or never gets one."""
        with self._lock:
            self.in_flight -= 1

    def give_links(self, link: str | None) -> None:
        """Remember the addresses of a Link header: only those may be asked for by page."""
        if link:
            with self._lock:
                self._links.update(same_address(part.partition(">")[0].strip(" <")) for part in link.split(", <"))

    def block(self, key: str, until_s: float, connection: int) -> None:
        """From now until ``until_s`` (the fake's clock) this caller should not call."""
        with self._lock:
            self._blocked[key] = (until_s, time.monotonic() + GRACE_S, connection)

    def check(self, call: Call, url: str, key: str, connection: int, remaining: int) -> None:
        """Note each rule of the API that this call breaks."""
        target = f"{call.method} {call.path}"
        version = call.headers.get("x-github-api-version")
        if version is None:
            self.violate("X-GitHub-Api-Version missing", target)
        elif version not in self.settings.api_versions:
            self.violate("X-GitHub-Api-Version unknown", target)
        if not call.headers.get("user-agent"):
            self.violate("User-Agent missing", target)
        if _LATER_PAGE.search(call.raw_query):
            self._check_page(url, target)
        if call.endpoint != "rate limit":
            self._check_pause(call, target, key, connection, remaining)

    def _check_page(self, url: str, target: str) -> None:
        with self._lock:
            known = same_address(url) in self._links
        if not known:
            self.violate("page number made by hand", target)

    def _check_pause(self, call: Call, target: str, key: str, connection: int, remaining: int) -> None:
        with self._lock:
            until_s, grace_s, told = self._blocked.get(key, (0.0, 0.0, 0))
        if call.at_s < until_s and (connection == told or time.monotonic() > grace_s):
            self.violate("called while told to wait", target)
        if self.breaker_remaining is not None and remaining < self.breaker_remaining:
            self.violate("called below the breaker", target)
