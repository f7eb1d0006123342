"""Through here goes every call: never too many at once, never past a limit, a budget or a stop."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from trackside.errors import GO_ON, CallsStoppedError
from trackside.github.budget import PERIOD_S, Allowance, Leave, Marks, may_go, read_allowance
from trackside.github.clock import Clock
from trackside.github.lanes import EVERY, GRAPHQL, Lane
from trackside.github.meter import Meter
from trackside.github.retries import Kind, clamp_s, limit_wait_s, read_http_date, retry_after_s

GIVEN_UP_IN_A_ROW: Final = 5
APP: Final = "app"
# Calls that are refused together are told to wait in whole seconds, and their answers take a while to come in.
_SAME_MOMENT_S: Final = 1.0
_RESOURCE: Final = re.compile("[a-z_]{1,40}")
_GO_ON: Final = f"what came is kept; {GO_ON}"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What one client may do: requests at once, seconds waited for limits in all, calls in all, and the marks."""

    workers: int
    max_wait_s: float
    max_calls: int | None
    marks: Marks


class Ticket:
    """One request under way. It takes a place until it leaves, and counts as in flight until it is answered."""

    def __init__(self, lanes: tuple[Lane, Lane]) -> None:
        self.lanes = lanes
        self.epochs = tuple(lane.epoch for lane in lanes)
        self.thread = threading.get_ident()
        self.in_flight = True


class Gate:
    """Lets calls go one by one. Every method may be called by any thread; ``say`` is called without the lock."""

    def __init__(self, terms: Terms, clock: Clock, meter: Meter, say: Callable[[str], None]) -> None:
        self._terms = terms
        self._clock = clock
        self._meter = meter
        self._say = say
        self._turn = threading.Condition()
        self._wake = threading.Event()
        self._lanes = {EVERY: Lane(EVERY, probe=False)}
        self._place = Lane("a place", probe=False)
        self._holders: set[int] = set()
        self._started = 0
        self._given_up = 0
        self._heard = False
        self._stopped: str | None = None
        self._offset_s = 0.0
        self._paid_until = -1.0
        self._paid_s = 0.0
        self._sleeping = 0
        self._sleeping_since = 0.0
        self._waited_s = 0.0

    @property
    def stopped(self) -> CallsStoppedError | None:
        """Why no call goes any more, None while they do; GraphQL queries alone may have stopped before."""
        return None if self._stopped is None else CallsStoppedError(self._stopped)

    def enter(self, resource: str) -> Ticket:
        """Wait for a place and for leave to send one request under the limit called ``resource``.

        Raises CallsStoppedError where calls have stopped.
        """
        with self._turn:
            if threading.get_ident() in self._holders:
                msg = "a download must be closed before its thread makes the next call"
                raise RuntimeError(msg)
            lanes = (self._lanes[EVERY], self._lane(resource))
            while (obstacle := self._obstacle(lanes)) is not None:
                if obstacle.held_until is not None and not obstacle.sleeper:
                    self._sleep_out(obstacle, obstacle.held_until)
                else:
                    self._turn.wait()
            ticket = Ticket(lanes)
            self._holders.add(ticket.thread)
            self._started += 1
            for lane in lanes:
                lane.in_flight += 1
            return ticket

    def leave(self, ticket: Ticket) -> None:
        """The request is over, however it ended. One that was not answered is taken to have counted."""
        with self._turn:
            if ticket.in_flight:
                self._land(ticket)
                for lane in ticket.lanes:
                    lane.known = lane.known.spent()
            self._holders.discard(ticket.thread)
            self._turn.notify_all()

    def answered(self, ticket: Ticket, headers: Mapping[str, str], *, probed: bool) -> None:
        """The headers of an answer of the API came; ``probed`` says that no limit and no fault refused the call."""
        with self._turn:
            self._heard = True
            self._land(ticket)
            if ticket.epochs[1] == ticket.lanes[1].epoch:
                self._learn(ticket, headers)
            if probed:
                self._given_up = 0
                for one, epoch in zip(ticket.lanes, ticket.epochs, strict=True):
                    one.answered(epoch)
            self._turn.notify_all()

    def limited(self, ticket: Ticket, kind: Kind, headers: Mapping[str, str], reason: str) -> None:
        """A limit refused the call: hold calls back for as long as it asks, or stop where that is too long."""
        every, lane = ticket.lanes
        held, epoch = (every, ticket.epochs[0]) if kind is Kind.SECONDARY else (lane, ticket.epochs[1])
        with self._turn:
            now, now_s = self._clock.monotonic(), self.server_now_s()
            if epoch != held.epoch and held.is_held(now):
                self._prolong(held, now + clamp_s(retry_after_s(headers, now_s) or 0.0), reason)
                return
            if kind is Kind.PRIMARY:
                lane.known = lane.known.used_up(read_allowance(headers, now_s))
            hits = held.hit()
            wait_s = limit_wait_s(kind, headers, lane.known, now_s, hits, self._clock.random())
            self._hold(held, wait_s, reason)
            self._turn.notify_all()

    def pause(self, seconds: float, why: str) -> None:
        """Wait before one call is tried again. Raises CallsStoppedError where calls stop meanwhile."""
        with self._turn:
            self._check()
            self._sleep(seconds, f"Waiting {seconds:.0f} s: {why}")
            self._check()

    def gave_up(self, reason: str) -> None:
        """A call was given up after all its tries; after five in a row GitHub is taken not to answer."""
        with self._turn:
            self._given_up += 1
            if self._given_up >= GIVEN_UP_IN_A_ROW:
                self._stop(f"GitHub does not answer: {self._given_up} calls in a row failed, the last one {reason}")

    def stop(self, why: str) -> None:
        """Let no call go any more, and wake whoever waits."""
        with self._turn:
            self._stop(why)

    @property
    def has_heard(self) -> bool:
        """Whether GitHub ever answered, be it with a refusal."""
        return self._heard

    def server_now_s(self) -> float:
        """The time of day by GitHub's clock, as epoch seconds."""
        return self._clock.now().timestamp() + self._offset_s

    @property
    def waited_s(self) -> float:
        """Seconds during which somebody waited; several waiting at once count once."""
        with self._turn:
            since = self._clock.monotonic() - self._sleeping_since if self._sleeping else 0.0
            return self._waited_s + since

    def _lane(self, name: str) -> Lane:
        return self._lanes.setdefault(name, Lane(name, probe=True))

    def _learn(self, ticket: Ticket, headers: Mapping[str, str]) -> None:
        """Take over what an answer tells of GitHub's clock and of a limit."""
        self._set_offset(headers)
        lane = self._lane_told(ticket, headers)
        seen = read_allowance(headers, self.server_now_s())
        lane.known = lane.known.spent() if seen.remaining is None else lane.known.after(seen)
        self._meter.saw_limit(lane.name, seen, lane.known)

    def _lane_told(self, ticket: Ticket, headers: Mapping[str, str]) -> Lane:
        """The lane of the limit that an answer tells of: GitHub names it, but for an App's own calls."""
        lane = ticket.lanes[-1]
        name = headers.get("x-ratelimit-resource", "")
        told = _RESOURCE.fullmatch(name) and name not in (EVERY, APP) and lane.name != APP
        return self._lane(name) if told else lane

    def _check(self, lane: Lane | None = None) -> None:
        why = self._stopped or (None if lane is None else lane.stopped)
        if why is not None:
            raise CallsStoppedError(why)

    def _obstacle(self, lanes: tuple[Lane, Lane]) -> Lane | None:
        """What a call waits for: a lane that is held or probed, or a place (told by a lane that is not held)."""
        self._check(lanes[1])
        if self._terms.max_calls is not None and self._started >= self._terms.max_calls:
            self._stop(f"the {self._terms.max_calls} calls that were allowed are used up")
            self._check()
        now = self._clock.monotonic()
        for lane in lanes:
            if lane.is_held(now):
                return lane
        if self._limit_holds(lanes[1]):
            self._check(lanes[1])
            return lanes[1]
        waiting = next((lane for lane in lanes if lane.waits_for_probe()), None)
        if waiting is None and len(self._holders) >= self._terms.workers:
            return self._place
        return waiting

    def _limit_holds(self, lane: Lane) -> bool:
        """Whether what is left of the limit makes the lane wait or stops everything; both are arranged here."""
        leave = may_go(lane.known, lane.in_flight, self.server_now_s(), self._terms.marks)
        of = "" if lane.known.limit is None else f" of {lane.known.limit}"
        left = f"{lane.known.remaining}{of} calls are left ({lane.name})"
        if leave is Leave.RENEWED:
            lane.renew()
        elif leave is Leave.STOP:
            self._stop_lane(lane, f"only {left}{self._when(lane.known)}")
        elif leave is Leave.PAUSE:
            wait_s = limit_wait_s(Kind.PRIMARY, {}, lane.known, self.server_now_s(), lane.hits, 0.0)
            self._hold(lane, wait_s, f"only {left}")
        return leave in (Leave.STOP, Leave.PAUSE)

    def _hold(self, lane: Lane, wait_s: float, why: str) -> None:
        """Hold a lane if that fits into what may still be waited, else stop. Time that is paid for costs no more."""
        now = self._clock.monotonic()
        cost_s = max(now + wait_s - max(now, self._paid_until), 0.0)
        if self._paid_s + cost_s > self._terms.max_wait_s:
            at = dt.datetime.fromtimestamp(self.server_now_s() + wait_s, dt.UTC)
            left_s = max(self._terms.max_wait_s - self._paid_s, 0.0)
            until = f"waiting would take {wait_s:.0f} s, until {at:%H:%M} UTC"
            self._stop_lane(lane, f"{why}; {until}, and only {left_s:.0f} s may still be waited (--max-wait)")
            return
        self._paid_s += cost_s
        self._paid_until = max(self._paid_until, now + wait_s)
        lane.hold(now + wait_s, why)

    def _prolong(self, lane: Lane, until: float, why: str) -> None:
        """Another call of a volley was refused while the lane is held: hold longer if that one asks for more."""
        if lane.held_until is not None and until > lane.held_until + _SAME_MOMENT_S:
            self._hold(lane, until - self._clock.monotonic(), why)

    def _sleep_out(self, lane: Lane, until: float) -> None:
        """Sleep until a hold is over, for everybody who waits for it."""
        lane.sleeper = True
        try:
            wait_s = max(until - self._clock.monotonic(), 0.0)
            told = None if lane.announced else f"Waiting {wait_s:.0f} s: {lane.why}"
            lane.announced = True
            self._sleep(wait_s, told)
        finally:
            lane.sleeper = False
            self._turn.notify_all()

    def _sleep(self, seconds: float, told: str | None) -> None:
        """Let go of the lock and sleep; the lock is taken again whatever happens."""
        if not self._sleeping:
            self._sleeping_since = self._clock.monotonic()
        self._sleeping += 1
        self._turn.release()
        try:
            if told is not None:
                self._say(told)
            self._clock.sleep(seconds, self._wake)
        finally:
            self._turn.acquire()
            self._sleeping -= 1
            if not self._sleeping:
                self._waited_s += self._clock.monotonic() - self._sleeping_since

    def _stop_lane(self, lane: Lane, why: str) -> None:
        """Stop calls at a limit: where only the GraphQL points are short, queries alone, as REST can do the same."""
        if lane.name != GRAPHQL:
            self._stop(why)
            return
        lane.stopped = f"GraphQL queries to GitHub have stopped: {why}; {_GO_ON}"
        self._turn.notify_all()

    def _stop(self, why: str) -> None:
        if self._stopped is None:
            self._stopped = f"Calls to GitHub have stopped: {why}; {_GO_ON}"
        self._wake.set()
        self._turn.notify_all()

    def _land(self, ticket: Ticket) -> None:
        if ticket.in_flight:
            ticket.in_flight = False
            for lane in ticket.lanes:
                lane.in_flight -= 1

    def _set_offset(self, headers: Mapping[str, str]) -> None:
        date = read_http_date(headers.get("date", ""))
        if date is not None:
            self._offset_s = date.timestamp() - self._clock.now().timestamp()

    def _when(self, known: Allowance) -> str:
        if known.reset_s is None or known.reset_s > self.server_now_s() + PERIOD_S * 2:
            return ""
        return f"; the limit is renewed at {dt.datetime.fromtimestamp(known.reset_s, dt.UTC):%H:%M} UTC"
