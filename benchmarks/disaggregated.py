"""Prefill and decode ranks of a disaggregated run, simulated batch by batch and interval by interval.

A request reserves KV space on its decode rank first, then bootstraps, is prefilled in chunks, its KV is sent,
and it decodes. Every number in a log line is the state of the simulation at that moment.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from typing import Final

from benchmarks.events import Events
from benchmarks.line_forms import DecodeState, PrefillState, decode_message, prefill_message
from benchmarks.worker import Worker
from benchmarks.workload import Request

LOG_STEPS: Final = 40
"""A decode rank logs every this many steps."""
BOOTSTRAP_S: Final = 0.03
ACCEPT_LEN: Final = 2.8
"""Mean tokens per step and request with speculative decoding."""


class PrefillRank:
    """One scheduler of a prefill worker."""

    def __init__(self, worker: Worker, dp: int, tokens_per_s: float, events: Events) -> None:
        self.worker = worker
        self.tag = worker.launch.tag(dp)
        self.bootstrap = 0
        self._tokens_per_s = tokens_per_s
        self._events = events
        self._waiting: deque[Request] = deque()
        self._busy = False
        self._busy_until = 0.0
        self._inflight = 0
        self._held_tokens = 0
        self._logged_at = 0.0
        self._logged_tokens = 0

    def bootstrapped(self, time_s: float, request: Request) -> None:
        """The decode side has room: the request may be prefilled."""
        self.bootstrap -= 1
        self._waiting.append(request)
        if not self._busy:
            self._busy = True
            self._form_batch(time_s, None)

    def _form_batch(self, time_s: float, _: object) -> None:
        if not self._waiting:
            self._busy = False
            return
        # The overlap scheduler now and then takes only the first request and forms the next batch while that
        # one still runs: a tiny gap, and a huge logged throughput, as in real logs.
        early = len(self._waiting) > 1 and self.worker.rng.random() < 0.02
        budget = self.worker.launch.chunk
        seqs = cached = 0
        done: list[Request] = []
        while self._waiting and budget > 0 and not (early and done):
            request = self._waiting[0]
            if request.prefill_started < 0:
                request.prefill_started = time_s
                cached += request.cached
                self._held_tokens += request.input_tokens
            taken = min(budget, request.left)
            request.left -= taken
            budget -= taken
            seqs += 1
            if not request.left:
                done.append(self._waiting.popleft())
        new_token = self.worker.launch.chunk - budget
        self._log(time_s, seqs, new_token, cached)
        self._run_batch(time_s, new_token, done, early)

    def _run_batch(self, time_s: float, new_token: int, done: list[Request], early: bool) -> None:
        rng = self.worker.rng
        duration = 0.012 + new_token / self._tokens_per_s * rng.uniform(0.95, 1.05)
        self._busy_until = max(time_s, self._busy_until) + duration
        self._events.put(self._busy_until, self._computed, done)
        next_s = time_s + rng.uniform(1e-3, 6e-3) if early else self._busy_until
        self._events.put(next_s, self._form_batch, None)

    def _log(self, time_s: float, seqs: int, new_token: int, cached: int) -> None:
        gap = max(time_s - self._logged_at, 1e-5)
        launch, log, dialect = self.worker.launch, self.worker.log, self.worker.dialect
        usage = min(1.0, self._held_tokens / launch.capacity)
        pending = sum(request.left for request in self._waiting) if "pending" in dialect.prefill else 0
        state = PrefillState(
            seqs, new_token, cached, usage, 0, len(self._waiting), self.bootstrap, self._inflight,
            self._logged_tokens / gap, pending,
        )  # fmt: skip
        message = prefill_message(dialect.prefill, state, dialect.plain)
        log.add_batch(time_s, f"{self.worker.head(time_s, self.tag)}{message}\n", "prefill", self.tag)
        log.count_tokens(seqs, new_token, cached)
        self._logged_at = time_s
        self._logged_tokens = new_token

    def _computed(self, time_s: float, done: list[Request]) -> None:
        for request in done:
            request.prefill_ended = time_s
            self._inflight += 1
            send_s = 0.004 + request.input_tokens * 70_000 / 40e9 * self.worker.rng.uniform(1.0, 2.5)
            self._events.put(time_s + send_s, self._sent, request)

    def _sent(self, time_s: float, request: Request) -> None:
        self._inflight -= 1
        self._held_tokens -= request.input_tokens
        self.worker.access(time_s, request)
        request.decode.receive(time_s, request)


class DecodeRank:
    """One scheduler of a decode worker. Progress is tokens per running request since the start."""

    def __init__(self, worker: Worker, dp: int, events: Events) -> None:
        self.worker = worker
        self.tag = worker.launch.tag(dp)
        self._events = events
        self._prealloc: deque[Request] = deque()
        self._ready: deque[Request] = deque()
        self._ends: list[tuple[float, int, Request]] = []
        self._transfer = 0
        self._transfer_tokens = 0
        self._committed_tokens = 0
        self._offset_tokens = 0.0
        self._progress = 0.0
        self._steps_left = LOG_STEPS
        self._from_s = 0.0
        self._step_s = 0.0
        self._awake = False
        self._generated = 0.0
        self._logged_at = 0.0

    def arrive(self, time_s: float, request: Request) -> None:
        """Queue a new request for KV space."""
        request.prefill.bootstrap += 1
        self._prealloc.append(request)
        self._preallocate(time_s)

    def _preallocate(self, time_s: float) -> None:
        launch = self.worker.launch
        while self._prealloc:
            request = self._prealloc[0]
            need = request.input_tokens + request.output_tokens
            full = self._committed_tokens + need > launch.capacity
            if full or len(self._ends) + len(self._ready) + self._transfer >= launch.max_running:
                return
            self._prealloc.popleft()
            self._committed_tokens += need
            self._transfer += 1
            self._transfer_tokens += request.input_tokens
            self._events.put(time_s + BOOTSTRAP_S, request.prefill.bootstrapped, request)

    def receive(self, time_s: float, request: Request) -> None:
        """The request's KV is here; it joins at the next step."""
        self._transfer -= 1
        self._transfer_tokens -= request.input_tokens
        request.ready = time_s
        self._ready.append(request)
        if not self._awake:
            self._awake = True
            self._begin_interval(time_s)

    def _begin_interval(self, time_s: float) -> None:
        self._from_s = time_s
        self._step_s = self.worker.step_s()
        self._events.put(time_s + self._steps_left * self._step_s, self._end_interval, None)

    def _join(self, accept_len: float) -> None:
        while self._ready:
            request = self._ready[0]
            step = max(0, math.ceil((request.ready - self._from_s) / self._step_s))
            if step >= self._steps_left:
                return
            self._ready.popleft()
            request.joined_at = self._progress + step * accept_len
            heapq.heappush(self._ends, (request.joined_at + request.output_tokens, request.number, request))
            self._offset_tokens += request.input_tokens - request.joined_at
            self._generated -= step * accept_len
            self.worker.running += 1

    def _finish_until(self, progress: float, accept_len: float) -> float:
        """Take out what ended in this interval; returns the progress at the last end."""
        last = self._progress
        while self._ends and self._ends[0][0] <= progress:
            last, _, request = heapq.heappop(self._ends)
            request.finished = self._from_s + (last - self._progress) / accept_len * self._step_s
            self._offset_tokens -= request.input_tokens - request.joined_at
            self._committed_tokens -= request.input_tokens + request.output_tokens
            self._generated -= progress - last
            self.worker.running -= 1
            self.worker.access(request.finished, request)
            self._events.finished(request)
        return last

    def _end_interval(self, time_s: float, _: object) -> None:
        mtp = self.worker.dialect.mtp
        accept_len = round(self.worker.rng.uniform(ACCEPT_LEN - 0.15, ACCEPT_LEN + 0.15), 2) if mtp else 1.0
        gained = self._steps_left * accept_len
        self._join(accept_len)
        self._generated += len(self._ends) * gained
        last = self._finish_until(self._progress + gained, accept_len)
        if self._ends:
            self._progress += gained
            self._steps_left = LOG_STEPS
            self._log(time_s, accept_len)
        else:
            self._steps_left -= min(self._steps_left - 1, math.ceil((last - self._progress) / accept_len))
            self._progress = last
        self._preallocate(time_s)
        self._awake = bool(self._ends or self._ready)
        if self._awake:
            self._begin_interval(time_s)

    def _log(self, time_s: float, accept_len: float) -> None:
        worker = self.worker
        launch, dialect = worker.launch, worker.dialect
        running = len(self._ends)
        tokens = round(self._offset_tokens + running * self._progress)
        state = DecodeState(
            running, tokens, tokens / launch.capacity, accept_len, self._transfer_tokens / launch.capacity,
            len(self._prealloc), self._transfer, self._generated / (time_s - self._logged_at),
            len(self._ready), True,
        )  # fmt: skip
        message = decode_message(dialect.decode, state, dialect.plain)
        worker.log.add_batch(time_s, f"{worker.head(time_s, self.tag)}{message}\n", "decode", self.tag)
        self._logged_at = time_s
        self._generated = 0.0
