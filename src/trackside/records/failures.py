"""Why a job attempt failed, as far as its log and its steps tell; and what its log says of single test files."""

from __future__ import annotations

import datetime as dt
import enum

import msgspec


class Cause(enum.StrEnum):
    """What kind of thing went wrong. It does not say who is to blame: that is the verdict on a job."""

    TIMEOUT = "timeout"
    """A step, a job, a test file or a command took longer than it was given."""
    GPU_MEMORY = "gpu_memory"
    """A device ran out of memory."""
    HOST_MEMORY = "host_memory"
    """The machine ran out of memory, or a process was killed for it."""
    ACCURACY = "accuracy"
    """A score of a model's quality was below its threshold."""
    PERFORMANCE = "performance"
    """A throughput or latency missed its threshold."""
    TEST = "test"
    """A test failed or could not be collected, for none of the reasons above."""
    LINT = "lint"
    """A style, type or format check had findings."""
    BUILD = "build"
    """Something could not be compiled, linked or built."""
    DEPENDENCY = "dependency"
    """A package or an image could not be resolved or installed."""
    NETWORK = "network"
    """A download, an upload or a connection failed."""
    GPU_FAULT = "gpu_fault"
    """GPU, driver, NCCL or kernel fault."""
    RUNNER_LOST = "runner_lost"
    """The runner went away or was shut down."""
    DISK_FULL = "disk_full"
    """No space was left on a device."""
    CANCELLED = "cancelled"
    """Somebody or something cancelled the job."""
    RATE_LIMIT = "rate_limit"
    """A service refused because it was asked too often."""
    CONFIGURATION = "configuration"
    """The workflow, a secret, a permission, the checkout or an argument is wrong."""
    CRASH = "crash"
    """A program ended by an unhandled exception or a signal, outside of a test."""
    OTHER = "other"
    """None of these could be told from what is there."""


class Source(enum.StrEnum):
    """What a cause was told from."""

    LOG = "log"
    """A line of the job's log."""
    STEPS = "steps"
    """The names and conclusions of the job and its steps, as no log was read; a guess."""


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job attempt failed, told from its log.

    ``rule`` names what recognised ``line``, the most telling line: cleaned of stamps, colours and secrets, at most
    500 characters. ``line_number`` counts the lines of the log from 1; ``context`` holds some cleaned lines around
    it, itself included. ``test`` is the test file or test that failed first, ``tests`` all that were found (at most
    20). ``fingerprint`` is equal for equal errors, 16 hex digits. All but ``cause`` are None or
    empty where the log told nothing.
    """

    cause: Cause
    rule: str | None = None
    line: str | None = None
    line_number: int | None = None
    context: tuple[str, ...] = ()
    test: str | None = None
    tests: tuple[str, ...] = ()
    fingerprint: str | None = None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """The diagnosis of one failed attempt of a job; the key is (``repo``, ``job_id``).

    ``step`` and ``step_number`` are the first step that failed. ``version`` is that of the rules and fingerprints:
    a row of another version is made anew. ``log_lines`` counts the lines of the log, ``truncated`` says it was
    longer than was kept: its middle is missing, and ``log_lines`` and ``line_number`` are those of the kept text.
    """

    repo: str
    job_id: int
    run_id: int
    run_attempt: int
    version: str
    cause: Cause
    source: Source = Source.LOG
    rule: str | None = None
    line: str | None = None
    line_number: int | None = None
    context: tuple[str, ...] = ()
    test: str | None = None
    tests: tuple[str, ...] = ()
    fingerprint: str | None = None
    step: str | None = None
    step_number: int | None = None
    log_lines: int | None = None
    truncated: bool = False


class FileOutcome(enum.StrEnum):
    """How a test file ended in a job."""

    PASSED = "passed"
    """It passed, maybe after a retry: see ``attempts``."""
    FAILED = "failed"
    """It failed, each time it was tried."""
    TIMED_OUT = "timed_out"
    """It took longer than it was given."""
    UNKNOWN = "unknown"
    """It began, and the log does not say how it ended."""


class TestFile(msgspec.Struct, frozen=True, kw_only=True):
    """One test file as the log of a job attempt tells of it; the key is (``repo``, ``job_id``, ``file``, ``suite``).

    ``file`` is the path as far as it is the same on every machine, ``suite`` the number of the suite in the log,
    from 0. ``attempts`` counts the tries within the job, 1 without a retry. ``elapsed_s`` is the time of the last
    try, ``estimated_s`` what the suite expected; None where the log does not tell.
    """

    __test__ = False

    repo: str
    job_id: int
    run_id: int
    run_attempt: int
    version: str
    file: str
    suite: int = 0
    outcome: FileOutcome = FileOutcome.UNKNOWN
    attempts: int = 1
    elapsed_s: float | None = None
    estimated_s: float | None = None
    reason: str | None = None


class LogRead(msgspec.Struct, frozen=True, kw_only=True):
    """The marker that a job's log was read for test files; the key is (``repo``, ``job_id``)."""

    repo: str
    job_id: int
    run_id: int
    run_attempt: int
    version: str
    test_files: int


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """The marker that a report was made of a repository at a time; the key is (``repo``, ``kind``)."""

    repo: str
    kind: str
    reported_at: dt.datetime


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What was last told of a subject; the key is (``repo``, ``kind``, ``subject``).

    ``kind`` is broken, flaky or failure_group, for performance perf_regression, perf_improvement or perf_silence;
    ``state`` is on or off.
    """

    repo: str
    kind: str
    subject: str
    state: str
    detail: str | None = None
    url: str | None = None
