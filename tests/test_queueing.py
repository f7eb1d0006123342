"""Waiting time by pool."""

from __future__ import annotations

import datetime as dt

from tests.history_frames import HOUR, START, a_history, a_job, a_run
from trackside.ci.queueing import WaitBucket, waiting_times

MINUTE = dt.timedelta(minutes=1)


def test_waiting_times_are_told_by_pool_the_slowest_first() -> None:
    run = a_run(0)
    jobs = [a_job(run, f"fast {n}", queue_s=float(n), pool="cpu") for n in range(11)]
    jobs += [a_job(run, f"slow {n}", queue_s=100.0 * n, pool="gpu+h100") for n in range(5)]

    waiting = waiting_times(a_history([run], jobs), START + HOUR)

    slow, fast = waiting.pools
    assert (slow.pool, slow.jobs, slow.p50_s, slow.p90_s, slow.max_s) == ("gpu+h100", 5, 200.0, 360.0, 400.0)
    assert (fast.pool, fast.jobs, fast.p50_s, fast.p90_s, fast.max_s) == ("cpu", 11, 5.0, 9.0, 10.0)
    assert (waiting.jobs, waiting.unknown, waiting.waiting, waiting.running) == (16, 0, 0, 0)


def test_what_is_not_told_is_counted_and_is_not_zero() -> None:
    run = a_run(0)
    jobs = [
        a_job(run, "a", queue_s=None, pool=None, created_at=None),
        a_job(run, "b", queue_s=60.0),
        a_job(run, "c", queue_s=None),
    ]

    waiting = waiting_times(a_history([run], jobs), START + HOUR)

    known, unknown = waiting.pools
    assert (known.jobs, known.unknown, known.p50_s) == (1, 1, 60.0)
    assert (unknown.pool, unknown.jobs, unknown.unknown, unknown.p50_s, unknown.buckets) == (None, 0, 1, None, ())
    assert waiting.unknown == 2


def test_jobs_that_wait_and_run_now_are_counted_with_the_longest_wait() -> None:
    run = a_run(0)
    still = {"status": "queued", "started_at": None, "queue_s": None}
    jobs = [a_job(run, "a", None, **still, created_at=START), a_job(run, "b", None, **still, created_at=START + MINUTE),
            a_job(run, "c", None, queue_s=5.0), a_job(run, "d", "skipped", **still)]  # fmt: skip

    waiting = waiting_times(a_history([run], jobs), START + 10 * MINUTE)

    (pool,) = waiting.pools
    assert (waiting.longer_than(599), waiting.longer_than(600)) == ((pool,), ())
    assert (pool.waiting, pool.longest_s, pool.running, pool.jobs) == (2, 600.0, 1, 1)


def test_stretches_of_time_are_those_in_which_jobs_were_created() -> None:
    runs = [a_run(n) for n in range(3)]
    jobs = [a_job(run, f"job {n}", queue_s=10.0 * n) for n, run in enumerate(runs)]

    (pool,) = waiting_times(a_history(runs, jobs), START + 5 * HOUR).pools
    (day,) = waiting_times(a_history(runs, jobs), START + 5 * HOUR, dt.timedelta(days=1)).pools

    assert [one.start for one in pool.buckets] == [START, START + HOUR, START + 2 * HOUR]
    assert day.buckets == (WaitBucket(start=START - 8 * HOUR, jobs=3, p50_s=10.0, p90_s=18.0, max_s=20.0),)


def test_a_long_window_has_at_most_thirty_stretches() -> None:
    runs = [a_run(24 * n) for n in range(90)]
    history = a_history(runs, [a_job(run, "job") for run in runs])

    waiting = waiting_times(history, START + 2200 * HOUR)

    assert waiting.bucket_s == 7 * 24 * 3600
    assert len(waiting.pools[0].buckets) <= 30


def test_a_cancelled_job_that_never_began_has_no_waiting_time() -> None:
    run = a_run(0)
    jobs = [a_job(run, "a", "cancelled", started_at=None, queue_s=None), a_job(run, "b")]

    assert waiting_times(a_history([run], jobs), START).jobs == 1


def test_nothing_is_nothing() -> None:
    waiting = waiting_times(a_history([]), START)

    assert (waiting.pools, waiting.jobs, waiting.unknown) == ((), 0, 0)
