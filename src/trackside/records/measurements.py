"""Performance numbers that jobs printed: one record for each value, and the marker that a log was read for them."""

from __future__ import annotations

import enum

import msgspec


class Better(enum.StrEnum):
    """Which direction of a metric is the good one."""

    HIGHER = "higher"
    """Throughput, scores, accept length."""
    LOWER = "lower"
    """Latency, time, memory."""
    NEITHER = "neither"
    """A number that tells what was measured (requests, concurrency): a change of it is no regression."""


class TestOutcome(enum.StrEnum):
    """How the try of the test ended that printed a value."""

    __test__ = False

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """The output does not say."""


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One value; the key is (``repo``, ``job_id``, ``test``, ``metric``, ``try_number``).

    ``test`` names what was measured, as it is the same in every run; ``metric`` carries its unit in its name
    (``median_ttft_ms``). ``try_number`` counts the tries of the test within the job, from 1; ``is_final`` is false
    where a later try followed. ``line_number`` counts the lines of the log, or of the file in an artifact, from 1.
    ``grammar`` names the rule that read it, ``version`` that of all rules: rows of another version are made anew.
    """

    repo: str
    job_id: int
    run_id: int
    run_attempt: int
    version: str
    test: str
    metric: str
    value: float
    unit: str | None = None
    better: Better = Better.NEITHER
    try_number: int = 1
    is_final: bool = True
    test_outcome: TestOutcome = TestOutcome.UNKNOWN
    line_number: int | None = None
    grammar: str = ""
    is_established: bool = False


class MeasuredLog(msgspec.Struct, frozen=True, kw_only=True):
    """The marker that a job's log was read for measurements; the key is (``repo``, ``job_id``).

    ``tests`` and ``measurements`` say how many were found: none, in the log of a job that had some before, is an alarm.
    """

    repo: str
    job_id: int
    run_id: int
    run_attempt: int
    version: str
    tests: int
    measurements: int
