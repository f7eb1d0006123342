"""What the calls to GitHub cost: by endpoint, by limit, and which were given up."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Final

import msgspec

from trackside.github.budget import Allowance
from trackside.records.syncs import EndpointCalls, FailedCall, RateLimit

MOST_FAILED_CALLS: Final = 1000


class Metered(msgspec.Struct, frozen=True, kw_only=True):
    """The account of one client until now.

    ``calls`` are the requests to the API, ``billed`` those of them that count against GitHub's limit. Downloads from
    other hosts are endpoints of their own; only ``bytes`` (what came over the wire) counts them too.
    """

    calls: int = 0
    billed: int = 0
    waited_s: float = 0.0
    bytes: int = 0
    endpoints: tuple[EndpointCalls, ...] = ()
    failed_calls: tuple[FailedCall, ...] = ()
    limits: tuple[RateLimit, ...] = ()


class Meter:
    """Counts calls. Every method may be called by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls = 0
        self._endpoints: dict[str, EndpointCalls] = {}
        self._failed: list[FailedCall] = []
        self._limits: dict[str, RateLimit] = {}

    def count(self, endpoint: str, *, api: bool, billed: bool, size_bytes: int) -> None:
        """One request was sent, or was tried to be sent."""
        with self._lock:
            self._calls += api
        self._add(endpoint, calls=1, billed=int(billed), bytes=size_bytes)

    def retried(self, endpoint: str) -> None:
        """A request is sent once more."""
        self._add(endpoint, retried=1)

    def failed(self, endpoint: str, url: str, status: int | None, reason: str) -> None:
        """A call was given up. The first thousand are kept with their address, all are counted."""
        self._add(endpoint, failed=1)
        with self._lock:
            if len(self._failed) < MOST_FAILED_CALLS:
                self._failed.append(FailedCall(endpoint=endpoint, url=url, status=status, reason=reason))

    def saw_limit(self, resource: str, seen: Allowance, known: Allowance) -> None:
        """An answer told of a limit; ``known`` is what is known of it now."""
        if seen.remaining is None:
            return
        reset = None if known.reset_s is None else dt.datetime.fromtimestamp(known.reset_s, dt.UTC)
        with self._lock:
            first = self._limits.get(resource)
            start = seen.remaining if first is None else first.remaining_start
            self._limits[resource] = RateLimit(
                resource=resource,
                limit=known.limit,
                remaining_start=start,
                remaining_end=known.remaining,
                reset_at=reset,
            )

    def snapshot(self, waited_s: float) -> Metered:
        """The account until now, endpoints and limits by name."""
        with self._lock:
            endpoints = tuple(self._endpoints[name] for name in sorted(self._endpoints))
            return Metered(
                calls=self._calls,
                billed=sum(one.billed for one in endpoints),
                waited_s=waited_s,
                bytes=sum(one.bytes for one in endpoints),
                endpoints=endpoints,
                failed_calls=tuple(self._failed),
                limits=tuple(self._limits[name] for name in sorted(self._limits)),
            )

    def _add(self, endpoint: str, **counts: int) -> None:
        with self._lock:
            before = self._endpoints.get(endpoint) or EndpointCalls(endpoint=endpoint)
            more = {name: getattr(before, name) + count for name, count in counts.items()}
            self._endpoints[endpoint] = msgspec.structs.replace(before, **more)
