"""Where numbers were printed: by which test, in which of its tries, and how that try ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from trackside.joblogs.file_results import FileResult
from trackside.joblogs.portable_paths import portable_path
from trackside.records.failures import FileOutcome
from trackside.records.measurements import TestOutcome

_OUTCOMES = {
    FileOutcome.PASSED: TestOutcome.PASSED,
    FileOutcome.FAILED: TestOutcome.FAILED,
    FileOutcome.TIMED_OUT: TestOutcome.FAILED,
}


@dataclass(frozen=True)
class TestName:
    """A test as its output names it: ``TestX`` and ``test_y``, and the file where it is told."""

    __test__ = False

    test: str
    group: str | None = None
    file: str | None = None

    @property
    def label(self) -> str:
        """``TestX::test_y``."""
        return self.test if self.group is None else f"{self.group}::{self.test}"


def name_said(said: dict[str, str | None], repo: str) -> TestName | None:
    """The test that the groups ``test``, ``class`` and ``file`` of a rule name, None where no test is named."""
    test, group, file = said.get("test"), said.get("class"), said.get("file")
    if not test:
        return None
    # A dot in the brackets of a parametrised test is no dot of a class.
    name, bracket, values = test.partition("[")
    parts = [part for part in name.replace("::", ".").split(".") if part]
    if not parts:
        return None
    if group is None and len(parts) > 1:
        group = parts[-2]
    elif group is not None:
        group = group.replace("::", ".").split(".")[-1] or None
    if group in ("__main__", parts[-1]):
        group = None
    return TestName(f"{parts[-1]}{bracket}{values}", group, portable_path(file, repo) if file else None)


@dataclass(eq=False)
class Attempt:
    """A try of a command, of a test file, or a step of the job.

    ``is_test``: the command names its one test, and all that is printed is that test's. ``result`` is the test file's.
    """

    name: str
    is_test: bool = False
    is_step: bool = False
    result: FileResult | None = None
    outcome: TestOutcome = TestOutcome.UNKNOWN
    has_values: bool = False
    failed: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)
    inner: dict[str, int] = field(default_factory=dict)
    number: int = 1
    is_last: bool = True

    @property
    def base(self) -> str:
        """The name of what is tried."""
        return self.name if self.result is None else self.result.file

    def tell_failed(self, name: TestName | None) -> None:
        """Take that a test in it failed, or, where none is named, that all of it did."""
        if name is None or self.is_test:
            self.outcome = TestOutcome.FAILED
        else:
            self.failed.update((name.label, name.test) if name.group is None else (name.label,))

    def ended_as(self) -> TestOutcome:
        """How it ended as a whole."""
        if not self.is_last and self.result is not None:
            return TestOutcome.FAILED
        if self.result is not None and self.result.outcome is not None:
            return _OUTCOMES.get(self.result.outcome, TestOutcome.UNKNOWN)
        return self.outcome


@dataclass(frozen=True)
class Place:
    """A try of a test: ``inner`` counts its tries within the attempt, from 0.

    ``is_shared``: it is of no test alone, and its tries are those of the attempt; where the attempt is of one test, it
    stands with the last try of that.
    """

    attempt: Attempt
    name: TestName | None
    inner: int = 0
    is_shared: bool = False

    @property
    def test(self) -> str:
        """The name of what was measured."""
        base = self.attempt.base
        if self.name is None or self.attempt.is_test:
            return base
        file = self.name.file or ("" if self.attempt.is_step else base)
        return f"{file}::{self.name.label}" if file else self.name.label

    @property
    def key(self) -> str:
        """What tells the test apart within the attempt."""
        return "" if self.name is None or self.attempt.is_test else self.name.label

    def last_inner(self, attempt: Attempt) -> int:
        """The number of the last of the test's tries within an attempt."""
        return 0 if self.is_shared and not attempt.is_test else attempt.inner.get(self.key, 0)

    @property
    def tries_within(self) -> int:
        """How many tries of the test went before it within its attempt."""
        return self.last_inner(self.attempt) if self.is_shared else self.inner

    def outcome(self) -> TestOutcome:
        """How this try of the test ended."""
        attempt = self.attempt
        if self.is_shared:
            return attempt.ended_as()
        if self.inner < self.last_inner(attempt):
            return TestOutcome.FAILED
        label = self.key
        if label:
            if label in attempt.failed or (self.name is not None and self.name.test in attempt.failed):
                return TestOutcome.FAILED
            if label in attempt.passed:
                return TestOutcome.PASSED
        ended = attempt.ended_as()
        if label and ended is TestOutcome.FAILED and attempt.failed:
            # It is told which tests failed, and this is none of them.
            return TestOutcome.PASSED
        return ended


def number_attempts(attempts: list[Attempt]) -> None:
    """Tells each try its number, and which of a name are the last."""
    newest: dict[str, Attempt] = {}
    for attempt in attempts:
        before = newest.get(attempt.base)
        told = 1 if attempt.result is None else attempt.number
        if before is not None:
            before.is_last = False
            told = max(told, before.number + 1)
        attempt.number = told
        newest[attempt.base] = attempt


def tries_before(attempts: list[Attempt], place: Place) -> int:
    """How many tries of the test went before this one; a try of a file in which it told nothing counts as one."""
    known = [one for one in attempts if one.base == place.attempt.base and one.number < place.attempt.number]
    missing = place.attempt.number - 1 - len(known)
    return missing + sum(1 + place.last_inner(one) for one in known) + place.tries_within
