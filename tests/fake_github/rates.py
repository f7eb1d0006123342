"""The primary rate limits: so many calls an hour for each caller, GraphQL points apart."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.fake_github.clock import Clock
from tests.fake_github.tokens import Caller

HOUR_S = 3600
LIMITS = {
    "core": {"anonymous": 60, "github_token": 1000, "app": 5000, "other": 5000},
    "graphql": {"anonymous": 0, "github_token": 1000, "app": 5000, "other": 5000},
    "search": {"anonymous": 10, "github_token": 30, "app": 30, "other": 30},
}


@dataclass
class Bucket:
    """One caller's allowance of one resource until ``reset_at`` (seconds since 1970)."""

    limit: int
    reset_at: int
    used: int = 0

    @property
    def remaining(self) -> int:
        """Never below 0."""
        return max(0, self.limit - self.used)

    def headers(self, resource: str) -> list[tuple[str, str]]:
        """The five headers that tell it."""
        facts = {"Limit": self.limit, "Remaining": self.remaining, "Reset": self.reset_at, "Used": self.used}
        return [(f"X-RateLimit-{name}", str(value)) for name, value in facts.items()] + [
            ("X-RateLimit-Resource", resource)
        ]


@dataclass
class Rates:
    """All buckets. ``limits`` may be changed; a bucket that has begun keeps its own until it is reset."""

    clock: Clock
    limits: dict[str, dict[str, int]] = field(default_factory=lambda: {k: dict(v) for k, v in LIMITS.items()})
    buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)

    def bucket(self, caller: Caller, resource: str = "core") -> Bucket:
        """What the caller has left; a new hour begins when the old one is over."""
        key, now = (caller.key, resource), int(self.clock.epoch_s())
        found = self.buckets.get(key)
        if found is None or found.reset_at <= now:
            found = Bucket(self.limits[resource].get(caller.kind, 5000), now + HOUR_S)
            self.buckets[key] = found
        return found

    def spend(self, caller: Caller, points: int = 1, resource: str = "core") -> bool:
        """Take it off; False, and nothing taken, where nothing is left."""
        bucket = self.bucket(caller, resource)
        if bucket.remaining <= 0:
            return False
        bucket.used += points
        return True

    def give_back(self, caller: Caller, points: int = 1, resource: str = "core") -> None:
        """What turned out to be free."""
        bucket = self.bucket(caller, resource)
        bucket.used = max(0, bucket.used - points)

    def set_remaining(
        self, caller: Caller, remaining: int, *, resource: str = "core", reset_in_s: int | None = None
    ) -> None:
        """Leave the caller so many calls, and say when the next hour begins."""
        bucket = self.bucket(caller, resource)
        bucket.used = bucket.limit - remaining
        if reset_in_s is not None:
            bucket.reset_at = int(self.clock.epoch_s()) + reset_in_s
