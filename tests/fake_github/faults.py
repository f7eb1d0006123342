"""What goes wrong, by rule: which calls, how often, and how."""

from __future__ import annotations

import enum
import random
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fake_github.exchange import Listing


class Kind(enum.StrEnum):
    """How a call goes wrong. Several may befall one call: delays add up, the first that ends it wins."""

    ERROR = "error"
    """``status`` with JSON, or with an HTML page where ``html`` is set."""
    RESET = "reset"
    """The connection is reset before a byte of the answer."""
    RESET_IN_BODY = "reset in body"
    """… after the headers and a part of the body."""
    HANG = "hang"
    """No answer for ``delay_s``, then the connection is closed."""
    SLOW = "slow"
    """The answer comes ``delay_s`` late."""
    DRIP = "drip"
    """The headers at once, the body in ten pieces over ``delay_s``."""
    CUT = "cut"
    """Half the body, then the connection is closed, although Content-Length said more."""
    CUT_CHUNKED = "cut chunked"
    """Half the body in chunks, and no last chunk."""
    BAD_JSON = "bad json"
    """A body that ends in the middle, with the right Content-Length and status 200."""
    HTML = "html"
    """A page for browsers with status 200."""
    PRIMARY = "primary"
    """The limit is used up: ``status`` 403 or 429, remaining 0, reset in ``reset_s``."""
    SECONDARY = "secondary"
    """The secondary limit: ``status`` 403 or 429, ``retry_after_s`` or none, with or without ``rate_headers``."""
    DUPLICATES = "duplicates"
    """The page begins with the last ``count`` items of the page before."""
    TOTAL = "total"
    """``total_count`` is off by ``count``."""
    EMPTY_PAGE = "empty page"
    """No items, and a next link all the same."""
    CALL = "call"
    """``call`` is called first: new runs arrive, jobs end, a repository is renamed."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A rule. It looks only at calls of its ``endpoint`` and with ``path`` (a pattern) in address and query.

    Of those it takes the ``nth``, or each ``every``-th, or each by ``chance`` (the same ones for the same ``seed``,
    in whatever order threads come), or all; ``times`` at most. ``host`` is ``api`` or ``blob``.
    """

    kind: Kind
    endpoint: str | None = None
    path: str | None = None
    host: str = "api"
    nth: int | None = None
    every: int | None = None
    chance: float | None = None
    seed: int = 0
    times: int | None = None
    status: int | None = None
    html: bool = False
    delay_s: float = 0.0
    retry_after_s: int | None = 60
    reset_s: int = 30
    rate_headers: bool = True
    count: int = 1
    call: Callable[[], object] | None = None

    @property
    def answer_status(self) -> int:
        """The status that was told; else 502, and 403 for a limit."""
        return self.status or (502 if self.kind is Kind.ERROR else 403)

    def looks_at(self, host: str, endpoint: str, target: str) -> bool:
        """Whether the rule has to do with this call."""
        if host != self.host or self.endpoint not in (None, endpoint):
            return False
        return self.path is None or re.search(self.path, target) is not None


@dataclass
class _Counted:
    fault: Fault
    seen: int = 0
    fired: int = 0
    by_target: Counter[str] = field(default_factory=Counter)

    def fires(self, target: str) -> bool:
        self.seen += 1
        self.by_target[target] += 1
        fault = self.fault
        if fault.times is not None and self.fired >= fault.times:
            return False
        hit = True
        if fault.nth is not None:
            hit = self.seen == fault.nth
        elif fault.every is not None:
            hit = self.seen % fault.every == 0
        elif fault.chance is not None:
            hit = random.Random(f"{fault.seed} {target} {self.by_target[target]}").random() < fault.chance
        self.fired += hit
        return hit


class Faults:
    """All rules, in the order they were added."""

    def __init__(self) -> None:
        self._rules: list[_Counted] = []
        self._lock = threading.Lock()

    def add(self, kind: Kind | str, **rule: object) -> None:
        """``add("error", endpoint="jobs", every=7, status=503)``; the words are those of ``Fault``."""
        with self._lock:
            self._rules.append(_Counted(Fault(kind=Kind(kind), **rule)))  # type: ignore[arg-type]

    def clear(self) -> None:
        """From now on all is well."""
        with self._lock:
            self._rules.clear()

    def fired(self) -> Counter[str]:
        """How often each kind has struck."""
        with self._lock:
            counts: Counter[str] = Counter()
            for rule in self._rules:
                counts[rule.fault.kind.value] += rule.fired
            return counts

    def striking(self, host: str, endpoint: str, target: str) -> list[Fault]:
        """The faults that befall this call."""
        with self._lock:
            looking = [rule for rule in self._rules if rule.fault.looks_at(host, endpoint, target)]
            return [rule.fault for rule in looking if rule.fires(target)]


def spoil(listing: Listing, faults: list[Fault]) -> None:
    """Change a page as the faults of lists say."""
    for fault in faults:
        if fault.kind is Kind.DUPLICATES:
            listing.items = [*listing.before(fault.count), *listing.items]
        elif fault.kind is Kind.TOTAL:
            listing.total = max(0, listing.total + fault.count)
        elif fault.kind is Kind.EMPTY_PAGE:
            listing.items, listing.more = [], True
