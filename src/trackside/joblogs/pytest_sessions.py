"""The lines of pytest, read as results of test files: progress, the short summary, durations, re-runs.

A file failed if one of its tests did at the end; a test that failed, was run again and passed is no failure but an
attempt more. The time of a file is told only where ``--durations=0`` shows every test, for the slowest few tests are
not the time of their file.
"""

from __future__ import annotations

import re
from typing import Final

from trackside.joblogs.file_results import FileResult, Suite
from trackside.joblogs.portable_paths import portable_path
from trackside.records.failures import FileOutcome

_HEADER: Final = re.compile(r"=+ test session starts ?=+")
_FOOTER: Final = re.compile(r"=*\s?(?:\d{1,7} [a-z]{3,12}(?:, )?){1,9} in \d[\d.]{0,12}s?\b")
_DURATIONS: Final = re.compile(r"=+ slowest (?:(\d{1,6}) )?durations ?=+")
_SECTION: Final = re.compile(r"={3,} [\w ]{1,60} ={3,}$")
_DURATION: Final = re.compile(r"(\d{1,9}\.\d{1,6})s (?:setup|call|teardown)\s+(\S+?\.py)::")
_DOTS: Final = re.compile(r"(\S+\.py) ([.FEsxXRpu]{1,2000})(?:\s*\[\s*\d{1,3}%\])?$")
_WORDS: Final = "PASSED|FAILED|ERROR|RERUN|SKIPPED|XFAIL|XPASS"
_VERBOSE: Final = re.compile(rf"(\S+?\.py)::(.{{1,2000}}?) ({_WORDS})(?: \(.{{0,400}}\))?(?:\s*\[\s*\d{{1,3}}%\])?$")
_WORKER: Final = re.compile(rf"\[gw\d{{1,4}}\] (?:\[\s*\d{{1,3}}%\] )?({_WORDS}) (\S+?\.py)::(.+?)$")
_SHORT: Final = re.compile(r"(FAILED|ERROR|RERUN) (\S+?\.py)(?:::([^\[]{1,500}?(?:\[.{0,1000}?\])?))?(?: - (.*))?$")

WORDS: Final = (
    b".py",
    b"test session starts",
    b" passed",
    b" failed",
    b" error",
    b" skipped",
    b" durations ",
    b"=====",
)
SIGNS: Final = (b"test session starts", b".py::")


class PytestSessions:
    """Takes the cleaned lines of a log that are not a suite runner's; ``suites`` are those seen so far."""

    def __init__(self, repo: str, suites: list[Suite]) -> None:
        self.suites = suites
        self._repo = repo
        self._suite: Suite | None = None
        self._newest: FileResult | None = None
        self._failed: dict[str, set[str]] = {}
        self._reruns: dict[tuple[str, str], int] = {}
        self._every_duration = False
        self._workers = False

    def take(self, line: str) -> None:
        """What the line says is in ``suites`` then."""
        if _HEADER.match(line):
            self.close()
            self._suite = Suite()
            self.suites.append(self._suite)
        elif found := _DURATIONS.match(line):
            self._every_duration = found[1] is None
        elif self._suite is not None and _FOOTER.match(line):
            self._over()
        elif not self._progress(line) and not self._told(line) and _SECTION.match(line):
            self._every_duration = False

    def close(self) -> None:
        """The session is at its end, or the log is: what had not failed before a torn end is not known."""
        if self._suite is not None and not self._suite.over:
            for file in self._suite.files:
                if file.outcome is not FileOutcome.FAILED and not self._workers and file is not self._newest:
                    file.pass_()
        self._suite, self._newest, self._workers, self._every_duration = None, None, False, False
        self._failed, self._reruns = {}, {}

    def _over(self) -> None:
        assert self._suite is not None
        for file in self._suite.files:
            if file.outcome is None:
                file.pass_()
        self._suite.over = True
        self.close()

    def _progress(self, line: str) -> bool:
        if found := _VERBOSE.match(line):
            self._test(found[1], found[2], found[3])
        elif found := _WORKER.match(line):
            self._workers = True
            self._test(found[2], found[3], found[1])
        elif self._suite is not None and (found := _DOTS.match(line)):
            file = self._file(found[1])
            again = max((len(run) for run in re.findall(r"R+", found[2])), default=0)
            file.attempts = max(file.attempts, 1 + again)
            if "F" in found[2] or "E" in found[2]:
                file.fail(FileOutcome.FAILED, None)
        elif self._every_duration and (found := _DURATION.match(line.lstrip())):
            file = self._file(found[2])
            file.elapsed_s = round((file.elapsed_s or 0.0) + float(found[1]), 6)
        else:
            return False
        return True

    def _told(self, line: str) -> bool:
        found = _SHORT.match(line)
        if found is None or (found[3] is None and self._suite is None):
            return False
        if found[1] == "RERUN":
            file = self._file(found[2])
            file.attempts = max(file.attempts, 2)
        else:
            self._file(found[2]).fail(FileOutcome.FAILED, (found[4] or "").strip()[:200] or None)
        return True

    def _test(self, path: str, test: str, word: str) -> None:
        file = self._file(path)
        failed = self._failed.setdefault(file.file, set())
        if word == "RERUN":
            key = (file.file, test)
            self._reruns[key] = self._reruns.get(key, 0) + 1
            file.attempts = max(file.attempts, 1 + self._reruns[key])
        elif word in ("FAILED", "ERROR"):
            failed.add(test)
            file.fail(FileOutcome.FAILED, None)
        elif test in failed and word == "PASSED":
            failed.discard(test)
            file.attempts = max(file.attempts, 2)
            if not failed:
                file.outcome = None

    def _file(self, path: str) -> FileResult:
        if self._suite is None:
            self._suite = Suite()
            self.suites.append(self._suite)
        self._newest = self._suite.exactly(portable_path(path, self._repo))
        return self._newest
