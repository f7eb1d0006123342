"""What is being gathered of the test files of one log, suite by suite, until it is all read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from trackside.joblogs.portable_paths import same_file
from trackside.records.failures import FileOutcome

MOST_FILES: Final = 5000
_MOST_ALIKE: Final = 100


@dataclass
class FileResult:
    """A file as far as the log was read; ``ended`` once its process is over, whatever came of it."""

    file: str
    attempts: int = 1
    outcome: FileOutcome | None = None
    elapsed_s: float | None = None
    estimated_s: float | None = None
    reason: str | None = None
    ended: bool = False

    def fail(self, outcome: FileOutcome, reason: str | None) -> None:
        """Take a failure, and what was said of it."""
        self.outcome = outcome
        self.reason = reason or self.reason
        self.ended = True

    def pass_(self) -> None:
        """Take a success, unless a failure is known."""
        if self.outcome in (None, FileOutcome.UNKNOWN):
            self.outcome = FileOutcome.PASSED
        self.ended = True


@dataclass
class Suite:
    """The files of one suite, in the order in which they were named first. ``over`` once its result was told."""

    files: list[FileResult] = field(default_factory=list)
    over: bool = False
    _exact: dict[str, FileResult] = field(default_factory=dict)
    _called: dict[str, list[FileResult]] = field(default_factory=dict)

    def named(self, file: str) -> FileResult | None:
        """The file of that name, also where one of the two names is the longer; of several that with the shortest."""
        called = reversed(self._called.get(_last(file), ()))
        return min((one for one in called if same_file(one.file, file)), key=lambda one: len(one.file), default=None)

    def exactly(self, file: str) -> FileResult:
        """The file of exactly that name, added where it is new."""
        return self._exact.get(file) or self.add(file)

    def take(self, file: str) -> FileResult:
        """The file of that name, added where it is new; the longer name is kept."""
        known = self.named(file) or self.add(file)
        if len(file) > len(known.file):
            known.file = file
        return known

    def add(self, file: str) -> FileResult:
        """A new file of that name. What is more than MOST_FILES in a suite is not kept: no suite is that large."""
        new = FileResult(file)
        if len(self.files) < MOST_FILES:
            self.files.append(new)
            self._exact[file] = new
            called = self._called.setdefault(_last(file), [])
            # Hundreds of files of one name are told apart by their whole names only.
            if len(called) < _MOST_ALIKE:
                called.append(new)
        return new


def _last(file: str) -> str:
    return file.rsplit("/", 1)[-1]


_WORSE = (FileOutcome.PASSED, FileOutcome.UNKNOWN, FileOutcome.TIMED_OUT, FileOutcome.FAILED)


def merged(files: list[FileResult]) -> list[FileResult]:
    """One result for each name: of a file that ran twice in a suite the worse outcome and the last time."""
    results: dict[str, FileResult] = {}
    for one in files:
        first = results.setdefault(one.file, one)
        if first is one:
            continue
        if _WORSE.index(one.outcome or FileOutcome.UNKNOWN) > _WORSE.index(first.outcome or FileOutcome.UNKNOWN):
            first.outcome, first.reason = one.outcome, one.reason
        first.attempts = max(first.attempts, one.attempts)
        first.elapsed_s = first.elapsed_s if one.elapsed_s is None else one.elapsed_s
        first.estimated_s = first.estimated_s if one.estimated_s is None else one.estimated_s
    return list(results.values())
