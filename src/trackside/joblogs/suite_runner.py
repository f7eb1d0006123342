"""The lines of a runner of test files: one process a file, retries within the job, a summary at the end.

Read are ``Begin (i/n):``, ``python3 FILE``, ``End (i/n):``, ``filename='FILE', elapsed=N, estimated_time=N``,
``[CI Retry] …``, ``PASSED on retry (attempt k): FILE``, ``FAILED: FILE returned exit code N``, ``TIMEOUT: FILE after N
seconds``, ``Success. Time elapsed:``, ``Test Summary: a/b passed`` with its blocks PASSED, FAILED and RETRIED, and
``TIMINGS BEGIN`` with a JSON object a line.
"""

from __future__ import annotations

import math
import re
from typing import Final

import msgspec

from trackside.joblogs.file_results import FileResult, Suite
from trackside.joblogs.portable_paths import portable_path, same_file
from trackside.records.failures import FileOutcome

_MARK: Final = r"[^\w\s]{0,6}\s{0,4}"
_BEGIN: Final = re.compile(_MARK + r"Begin \((\d{1,6})/(\d{1,6})\):")
_END: Final = re.compile(_MARK + r"End \((\d{1,6})/(\d{1,6})\):")
_COMMAND: Final = re.compile(
    r"(?:\S{0,200}/)?(?:python[\d.]{0,6}|pytest) (?:-m [\w.]{1,40} |-\S{1,40} ){0,6}(\S+\.py)(?=\s|$)"
)
_RESULT: Final = re.compile(
    r"filename=(?P<quote>['\"])(?P<file>[^'\"]+)(?P=quote), elapsed=(?P<elapsed>\d{1,12}(?:\.\d{1,12})?)(?!\d)"
    r"(?:, estimated_time=(?P<estimated>\d{1,12}(?:\.\d{1,12})?)(?!\d))?"
)
_AGAIN: Final = re.compile(r"\[CI Retry\] Attempt (\d{1,4})/\d{1,4} for (\S+)")
_RETRIABLE: Final = re.compile(r"\[CI Retry\] (\S+) failed with (.+)")
_PASSED_AGAIN: Final = re.compile(_MARK + r"PASSED on retry \(attempt (\d{1,4})\): (\S+)")
_FAILED: Final = re.compile(_MARK + r"FAILED: (\S+) returned exit code (-?\d{1,10})")
_FAILED_2025: Final = re.compile(r"(?:AssertionError: )?expected return code 0, but (\S+) returned (-?\d{1,10})")
_TIMED_OUT: Final = re.compile(_MARK + r"TIMEOUT: (\S+) after (\d[\d.]{0,12}) ?s(?:econds)?")
_TIMED_OUT_2025: Final = re.compile(r"Timeout after (\d[\d.]{0,12}) seconds when running (\S+)")
_OVER: Final = re.compile(r"(Success|Fail)\. Time elapsed: ")
_SUMMARY: Final = re.compile(_MARK + r"Test Summary: (\d{1,6})/(\d{1,6}) passed")
_BLOCK: Final = re.compile(_MARK + r"(PASSED|FAILED|RETRIED):$")
_ENTRY: Final = re.compile(r"\s*(\S+)(?: \((.*)\))?$")
_TRIES: Final = re.compile(r"(\d{1,4}) attempts?\b")
_TIMINGS: Final = re.compile(r"=+ ?TIMINGS (BEGIN|END)\b")

WORDS: Final = (
    b".py",
    b"##[group]Run ",
    b"Begin (",
    b"End (",
    b"filename=",
    b"[CI Retry]",
    b"PASSED",
    b"FAILED",
    b"RETRIED",
    b"TIMEOUT: ",
    b"Timeout after ",
    b"expected return code 0",
    b"Time elapsed: ",
    b"Test Summary: ",
    b"TIMINGS ",
    b"=====",
)
"""Each line that says something of a suite holds one of these."""
SIGNS: Final = (b"Begin (", b"filename=", b"Test Summary: ", b"TIMINGS BEGIN")
"""A log without any of these has no suite of this kind."""


class _Timing(msgspec.Struct):
    file: str
    elapsed: float | None = None
    passed: bool | None = None


class SuiteRunner:
    """Takes the cleaned lines of a log, one after the other; ``suites`` are those of them seen so far."""

    def __init__(self, repo: str, suites: list[Suite]) -> None:
        self.suites = suites
        self._repo = repo
        self._suite: Suite | None = None
        self._current: FileResult | None = None
        self._begun: int | None = None
        self._awaited = False
        self._again = False
        self._block: str | None = None
        self._timings = False
        self._summed = False

    @property
    def running(self) -> bool:
        """Whether a suite is: then the lines are the output of its test files."""
        return self._awaited or (self._suite is not None and not self._suite.over)

    @property
    def current(self) -> FileResult | None:
        """The file whose output the lines are, None where none has begun; ``attempts`` of it is the try."""
        return self._current if self.running else None

    def take(self, line: str) -> bool:
        """Whether the line is one of this runner's; what it says is in ``suites`` then."""
        return (
            self._begin_or_end(line)
            or self._told_of_a_file(line)
            or self._told_of_the_suite(line)
            or self._in_a_block(line)
        )

    def _open(self) -> Suite:
        if self._suite is None:
            self._suite = Suite()
            self.suites.append(self._suite)
        return self._suite

    def _file(self, name: str) -> FileResult:
        path = portable_path(name, self._repo)
        if self._current is not None and same_file(self._current.file, path):
            if len(path) > len(self._current.file):
                self._current.file = path
            return self._current
        return self._open().take(path)

    def _begin_or_end(self, line: str) -> bool:
        if line.startswith("##[group]Run "):
            # A new step: what ran in the one before is over, whatever became of it.
            self._close()
            return False
        if found := _BEGIN.match(line):
            self._begin(int(found[1]))
        elif self._awaited and (found := _COMMAND.match(line)):
            self._start(portable_path(found[1], self._repo))
        elif _END.match(line):
            if self._current is not None:
                self._current.ended = True
        elif found := _RESULT.search(line):
            self._awaited = False
            file = self._file(found["file"])
            file.elapsed_s = float(found["elapsed"])
            file.estimated_s = float(found["estimated"]) if found["estimated"] else file.estimated_s
            file.ended = True
        else:
            return False
        return True

    def _begin(self, index: int) -> None:
        if self._suite is not None and (self._suite.over or (self._begun is not None and index < self._begun)):
            self._close()
        if self._begun != index and self._current is not None and self._current.ended:
            # It was not told to have failed, and the next one began.
            self._current.pass_()
        if self._begun != index:
            self._current, self._again = None, False
        self._begun, self._awaited, self._block, self._timings = index, True, None, False

    def _start(self, path: str) -> None:
        self._awaited = False
        if self._current is not None and same_file(self._current.file, path):
            if not self._again:
                self._current.attempts += 1
            self._current.ended, self._current.outcome, self._again = False, None, False
            return
        if self._current is not None:
            # Another file under the same number: the suite before was cut short.
            self._suite = None
        self._current = self._open().add(path)

    def _close(self) -> None:
        self._suite, self._current, self._begun = None, None, None
        self._again = self._summed = self._awaited = self._timings = False
        self._block = None

    def _told_of_a_file(self, line: str) -> bool:
        if found := _AGAIN.match(line):
            file = self._file(found[2])
            file.attempts, self._again = max(file.attempts, int(found[1])), True
        elif found := _RETRIABLE.match(line):
            file = self._file(found[1])
            # If it is tried again, that try says how it ended.
            file.fail(FileOutcome.FAILED, found[2].strip()[:200])
        elif found := _PASSED_AGAIN.match(line):
            file = self._file(found[2])
            file.outcome, file.ended, file.attempts = FileOutcome.PASSED, True, max(file.attempts, int(found[1]))
        elif found := _FAILED.match(line) or _FAILED_2025.match(line):
            self._file(found[1]).fail(FileOutcome.FAILED, f"exit code {found[2]}")
        elif found := _TIMED_OUT.match(line):
            self._file(found[1]).fail(FileOutcome.TIMED_OUT, f"timeout after {found[2]}s")
        elif found := _TIMED_OUT_2025.match(line):
            self._file(found[2]).fail(FileOutcome.TIMED_OUT, f"timeout after {found[1]}s")
        else:
            return False
        return True

    def _told_of_the_suite(self, line: str) -> bool:
        if found := _OVER.match(line):
            self._over(found[1] == "Success")
        elif _SUMMARY.match(line):
            if self._summed:
                self._close()
            self._open().over, self._block, self._awaited, self._summed = True, "", False, True
        elif found := _TIMINGS.match(line):
            self._timings, self._block = found[1] == "BEGIN", None
            self._open().over = True
        else:
            return False
        return True

    def _over(self, success: bool) -> None:
        if self._suite is None:
            return
        self._suite.over, self._awaited = True, False
        for file in self._suite.files:
            if file.outcome is None and success:
                file.pass_()
            elif file.outcome is None and file is self._current and file.ended:
                file.fail(FileOutcome.FAILED, None)

    def _in_a_block(self, line: str) -> bool:
        if self._timings and line.startswith("{"):
            self._timing(line)
            return True
        if self._block is None:
            return False
        if found := _BLOCK.match(line):
            self._block = found[1]
        elif self._block and line.startswith("====="):
            self._block = None
        elif self._block and (entry := _ENTRY.match(line)):
            self._entry(entry[1], entry[2])
        else:
            return False
        return True

    def _entry(self, name: str, said: str | None) -> None:
        path = portable_path(name, self._repo)
        if not path.endswith(".py") and self._open().named(path) is None:
            return
        file = self._open().take(path)
        if self._block == "PASSED":
            file.pass_()
        elif self._block == "FAILED":
            late = (said or "").startswith("timeout")
            file.fail(FileOutcome.TIMED_OUT if late else FileOutcome.FAILED, (said or "")[:200] or None)
        elif tries := _TRIES.search(said or ""):
            file.attempts = max(file.attempts, int(tries[1]))

    def _timing(self, line: str) -> None:
        try:
            told = msgspec.json.decode(line, type=_Timing)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeEncodeError):
            return
        file = self._open().take(portable_path(told.file, self._repo))
        if told.elapsed is not None and 0 <= told.elapsed < math.inf:
            file.elapsed_s = told.elapsed
        if told.passed:
            file.pass_()
        elif told.passed is False and file.outcome is not FileOutcome.TIMED_OUT:
            file.fail(FileOutcome.FAILED, None)
        file.ended = True
