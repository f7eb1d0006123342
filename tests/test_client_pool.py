"""Many calls at once: never too many, an outcome for each, and an end that comes quickly."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clocks import StillClock
from tests.connecting import limited, talking
from tests.scripted_server import Received, Reply, Reset, Silence, answer
from trackside.errors import CallsStoppedError, GitHubError

GOOD = answer(200, {})
INTERRUPTED = """
import sys
from trackside.github.client import GitHub
with GitHub(api_url=sys.argv[1]) as github:
    github.get("/first", endpoint="things")
    for outcome in github.each(lambda n: github.get(f"/{n}", endpoint="things"), range(100)):
        pass
"""


@pytest.mark.parametrize("workers", [1, 3, 5])
def test_never_more_requests_are_under_way_than_there_are_workers(workers: int) -> None:
    busy = threading.Event()

    def script(request: Received) -> Reply:
        del request
        busy.wait(0.005)
        return GOOD

    with talking(script, workers=workers) as talk:

        def work(number: int) -> int:
            list(talk.github.each(lambda n: talk.get(f"/{number}/{n}"), range(4)))
            return number

        extra = threading.Thread(target=lambda: [talk.get("/extra") for _ in range(10)])
        extra.start()
        outcomes = list(talk.github.each(work, range(6)))
        extra.join()
        assert sorted(one.item for one in outcomes) == list(range(6))
        assert len(talk.server.received) == 34
        assert talk.server.most_at_once == workers


def test_one_failure_loses_no_other() -> None:
    with talking(lambda request: answer(404) if request.path == "/3" else GOOD) as talk:
        outcomes = {one.item: one for one in talk.github.each(lambda n: talk.get(f"/{n}"), range(10))}
    assert sorted(outcomes) == list(range(10))
    assert isinstance(outcomes[3].error, GitHubError)
    assert outcomes[3].result is None
    assert all(one.result == b"{}" for item, one in outcomes.items() if item != 3)


def test_after_a_stop_the_items_that_are_left_come_back_unstarted() -> None:
    begun: list[int] = []
    with talking(lambda _: limited(3)) as talk:

        def work(number: int) -> bytes:
            begun.append(number)
            return talk.get(f"/{number}")

        outcomes = list(talk.github.each(work, range(1000)))
        assert len(outcomes) == 1000
        assert sum(one.error is None for one in outcomes) == 1
        assert all(isinstance(one.error, CallsStoppedError) for one in outcomes if one.result is None)
        assert len(begun) <= 6  # the one that succeeded, and five that met the stop


def test_a_stop_wakes_whoever_waits() -> None:
    asleep = threading.Event()

    class Patient(StillClock):
        def sleep(self, seconds: float, wake: threading.Event) -> None:
            asleep.set()
            assert wake.wait(10)

    def script(request: Received) -> Reply:
        return GOOD if request.path == "/thing" else answer(429, retry_after="50")

    with talking(script, clock=Patient(), workers=2) as talk:
        talk.get()
        threading.Thread(target=lambda: asleep.wait(10) and talk.github.close()).start()  # type: ignore[func-returns-value]
        outcomes = list(talk.github.each(lambda n: talk.get(f"/{n}"), range(8)))
        assert all(isinstance(one.error, CallsStoppedError) for one in outcomes)
        assert len(outcomes) == 8


def test_a_closed_client_calls_no_more() -> None:
    with talking([GOOD]) as talk:
        talk.github.close()
        with pytest.raises(CallsStoppedError, match="the client is closed"):
            talk.get()
        assert talk.server.received == []


def test_items_are_taken_only_as_fast_as_results_are() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    with talking(lambda _: GOOD, workers=2) as talk:
        outcomes = talk.github.each(lambda n: talk.get(f"/{n}"), items())
        next(outcomes)
        assert len(taken) <= 5
        outcomes.close()  # type: ignore[attr-defined]
        assert len(taken) <= 5


def test_where_the_items_fail_the_outcomes_before_come_first() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        message = "page 4 is not there"
        raise GitHubError(message, status=404)

    with talking(lambda _: GOOD) as talk:
        outcomes = talk.github.each(lambda n: talk.get(f"/{n}"), items())
        assert sorted(next(outcomes).item for _ in range(3)) == [0, 1, 2]
        with pytest.raises(GitHubError, match="page 4"):
            next(outcomes)


def test_a_bug_in_the_work_is_not_an_outcome() -> None:
    with talking(lambda _: GOOD) as talk, pytest.raises(ZeroDivisionError):
        list(talk.github.each(lambda n: 1 // n, range(3)))


def test_no_items_are_no_outcomes_and_no_threads() -> None:
    with talking([]) as talk:
        before = threading.active_count()
        assert list(talk.github.each(lambda n: talk.get(f"/{n}"), [])) == []
        assert threading.active_count() == before


def test_connections_that_break_under_load_lose_nothing() -> None:
    seen: set[str] = set()

    def script(request: Received) -> Reply:
        first = request.target not in seen
        seen.add(request.target)
        return Reset() if first and request.target.endswith(("1", "4", "7")) else GOOD

    with talking(script) as talk:
        outcomes = list(talk.github.each(lambda n: talk.get(f"/{n}"), range(60)))
        assert all(one.error is None for one in outcomes)
        assert talk.github.meter().endpoints[0].retried == 18


def test_ctrl_c_ends_quickly_while_calls_hang() -> None:
    hanging = threading.Semaphore(0)

    def script(request: Received) -> Reply:
        if request.path == "/first":
            return GOOD
        hanging.release()
        return Silence()

    with talking(script) as talk:
        command = [sys.executable, "-c", INTERRUPTED, talk.server.url]
        folder = Path(__file__).parent.parent / "src"
        running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={"PYTHONPATH": str(folder)})
        for _ in range(5):
            assert hanging.acquire(timeout=30)
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=30)
    assert running.returncode != 0
    assert errors.rstrip().endswith("KeyboardInterrupt")
