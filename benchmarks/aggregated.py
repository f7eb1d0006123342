"""A rank that does both phases: it prefills what waits, else decodes in slices that let new prompts in."""

from __future__ import annotations

import heapq
from collections import deque
from typing import Final

from benchmarks.events import Events
from benchmarks.line_forms import DecodeState, PrefillState, decode_message, prefill_message
from benchmarks.worker import Worker
from benchmarks.workload import Request

LOG_STEPS: Final = 40
SLICE_STEPS: Final = 8


class AggregatedRank:
    """One scheduler of an aggregated worker. Progress is tokens per running request since the start."""

    def __init__(self, worker: Worker, dp: int, tokens_per_s: float, events: Events) -> None:
        self.worker = worker
        self.tag = worker.launch.tag(dp)
        self._tokens_per_s = tokens_per_s
        self._events = events
        self._waiting: deque[Request] = deque()
        self._ends: list[tuple[float, int, Request]] = []
        self._offset_tokens = 0.0
        self._committed_tokens = 0
        self._partial_tokens = 0
        self._progress = 0.0
        self._steps_left = LOG_STEPS
        self._generated = 0.0
        self._logged_at = 0.0
        self._prefill_logged_at = 0.0
        self._prefill_logged_tokens = 0
        self._awake = False

    def arrive(self, time_s: float, request: Request) -> None:
        """Queue a new request."""
        self._waiting.append(request)
        if not self._awake:
            self._awake = True
            self._go_on(time_s)

    def _room(self, request: Request, joining: int) -> bool:
        launch = self.worker.launch
        need = request.input_tokens + request.output_tokens
        return request.prefill_started >= 0 or (
            self._committed_tokens + need <= launch.capacity and len(self._ends) + joining < launch.max_running
        )

    def _go_on(self, time_s: float) -> None:
        if self._waiting and self._room(self._waiting[0], 0):
            self._prefill(time_s)
        elif self._ends:
            steps = min(SLICE_STEPS, self._steps_left)
            step_s = self.worker.step_s()
            self._events.put(time_s + steps * step_s, self._decoded, (steps, step_s))
        else:
            self._awake = False

    def _prefill(self, time_s: float) -> None:
        budget = self.worker.launch.chunk
        seqs = cached = 0
        done: list[Request] = []
        while self._waiting and budget > 0 and self._room(self._waiting[0], len(done)):
            request = self._waiting[0]
            if request.prefill_started < 0:
                request.prefill_started = time_s
                cached += request.cached
                self._committed_tokens += request.input_tokens + request.output_tokens
                self._partial_tokens += request.cached
            taken = min(budget, request.left)
            request.left -= taken
            budget -= taken
            seqs += 1
            self._partial_tokens += taken
            if not request.left:
                done.append(self._waiting.popleft())
        new_token = self.worker.launch.chunk - budget
        self._log_prefill(time_s, seqs, new_token, cached)
        self._events.put(time_s + 0.012 + new_token / self._tokens_per_s, self._prefilled, done)

    def _prefilled(self, time_s: float, done: list[Request]) -> None:
        for request in done:
            request.prefill_ended = request.ready = time_s
            request.joined_at = self._progress
            self._partial_tokens -= request.input_tokens
            self._offset_tokens += request.input_tokens - request.joined_at
            heapq.heappush(self._ends, (self._progress + request.output_tokens, request.number, request))
            self.worker.running += 1
        self._go_on(time_s)

    def _decoded(self, time_s: float, took: tuple[int, float]) -> None:
        steps, step_s = took
        began_s = time_s - steps * step_s
        accept_len = 2.8 if self.worker.dialect.mtp else 1.0
        progress = self._progress + steps * accept_len
        self._generated += len(self._ends) * steps * accept_len
        while self._ends and self._ends[0][0] <= progress:
            at, _, request = heapq.heappop(self._ends)
            request.finished = began_s + (at - self._progress) / accept_len * step_s
            self._generated -= progress - at
            self._offset_tokens -= request.input_tokens - request.joined_at
            self._committed_tokens -= request.input_tokens + request.output_tokens
            self.worker.running -= 1
            self.worker.access(request.finished, request)
            self._events.finished(request)
        self._progress = progress
        self._steps_left -= steps
        if not self._steps_left:
            self._steps_left = LOG_STEPS
            if self._ends:
                self._log_decode(time_s, accept_len)
        self._go_on(time_s)

    def _tokens(self) -> int:
        return round(self._offset_tokens + len(self._ends) * self._progress) + self._partial_tokens

    def _log_prefill(self, time_s: float, seqs: int, new_token: int, cached: int) -> None:
        worker = self.worker
        rate = self._prefill_logged_tokens / max(time_s - self._prefill_logged_at, 1e-5)
        pending = sum(request.left for request in self._waiting) if "pending" in worker.dialect.prefill else 0
        state = PrefillState(
            seqs, new_token, cached, self._tokens() / worker.launch.capacity, len(self._ends),
            len(self._waiting), 0, 0, rate, pending,
        )  # fmt: skip
        message = prefill_message(worker.dialect.agg_prefill, state, worker.dialect.plain)
        worker.log.add_batch(time_s, f"{worker.head(time_s, self.tag)}{message}\n", "prefill", self.tag)
        worker.log.count_tokens(seqs, new_token, cached)
        self._prefill_logged_at = time_s
        self._prefill_logged_tokens = new_token

    def _log_decode(self, time_s: float, accept_len: float) -> None:
        worker = self.worker
        tokens = self._tokens()
        state = DecodeState(
            len(self._ends), tokens, tokens / worker.launch.capacity, accept_len, 0.0, 0, 0,
            self._generated / (time_s - self._logged_at), len(self._waiting), True,
        )  # fmt: skip
        message = decode_message(worker.dialect.agg_decode, state, worker.dialect.plain)
        worker.log.add_batch(time_s, f"{worker.head(time_s, self.tag)}{message}\n", "decode", self.tag)
        self._logged_at = time_s
        self._generated = 0.0
