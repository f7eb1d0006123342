"""What test runners count at their end: passed, failed, skipped, in how many seconds."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from trackside.runlogs.findings import TestSummary
from trackside.runlogs.lines import LogLine

MOST: Final = 100
"""So many summaries of a job are kept; the others are counted."""
_PYTEST: Final = re.compile(r"=*\s?((?:\d{1,9} [a-z]{3,12}(?:, )?){1,10}|no tests ran) in (\d{1,9}(?:\.\d{1,6})?)s\b")
_COUNT: Final = re.compile(r"(\d{1,9}) ([a-z]{3,12})")
_RAN: Final = re.compile(r"Ran (\d{1,9}) tests? in (\d{1,9}(?:\.\d{1,6})?)s$")
_VERDICT: Final = re.compile(r"(OK|FAILED)(?: \(((?:[a-z ]{3,22}=\d{1,9}(?:, )?){1,6})\))?$")
_NAMED: Final = re.compile(r"([a-z ]{3,22})=(\d{1,9})")
_JEST: Final = re.compile(r"\s{0,4}Tests:\s{1,20}((?:\d{1,9} [a-z]{3,10}(?:, )?){1,6})$")
_VITEST: Final = re.compile(r"\s{1,10}Tests\s{1,20}((?:\d{1,9} [a-z]{3,10}(?: \| )?){1,5}) ?\((\d{1,9})\)$")
_GO_FILE: Final = re.compile(r"\s{0,16}--- (PASS|FAIL|SKIP): \S")
_GOTESTSUM: Final = re.compile(
    r"DONE (?:\d{1,4} runs, )?(\d{1,9}) tests((?:, \d{1,9} [a-z]{5,9}){0,4}) in (\d{1,9}(?:\.\d{1,6})?)s$"
)
_MAVEN: Final = re.compile(
    r"(?:\[[A-Z]{3,9}\] )?Tests run: (\d{1,9}), Failures: (\d{1,9}), Errors: (\d{1,9})(?:, Skipped: (\d{1,9}))?"
    r"(?P<rest>.{0,300})$"
)
_GRADLE: Final = re.compile(r"(\d{1,9}) tests? completed(?:, (\d{1,9}) failed)?(?:, (\d{1,9}) skipped)?$")
_CARGO: Final = re.compile(
    r"test result: (?:ok|FAILED)\. (\d{1,9}) passed; (\d{1,9}) failed; (\d{1,9}) ignored;"
    r"(?:.{0,80}finished in (\d{1,9}(?:\.\d{1,6})?)s)?"
)
_MOCHA: Final = re.compile(r"\s{2,6}(\d{1,9}) (passing|failing|pending)(?: \((\d{1,9})(ms|s|m)\))?$")
_MOCHA_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0}

_ROUGH: Final = re.compile(
    r" in \d|Ran |^OK|FAILED|Tests|--- |tests? completed|test result: |passing|failing|pending|DONE "
)
_FIELDS: Final = {
    "passed": "passed", "failed": "failed", "failures": "failed", "error": "errors", "errors": "errors",
    "skipped": "skipped", "todo": "skipped", "failure": "failed", "total": "total", "xpassed": "passed",
    "xfailed": "skipped",
}  # fmt: skip


class _Counts(NamedTuple):
    """What one line tells."""

    runner: str
    passed: int | None = None
    failed: int | None = None
    errors: int | None = None
    skipped: int | None = None
    total: int | None = None
    duration_s: float | None = None


class Tests:
    """Takes the lines of a job's log; ``found`` are the summaries of its test runners."""

    __test__ = False

    def __init__(self, job: str) -> None:
        self.found: list[TestSummary] = []
        self.left_out = 0
        self._job = job
        self._ran: tuple[int, float] | None = None
        self._go: dict[str, int] = {}
        self._go_line: LogLine | None = None
        self._mocha: dict[str, int] = {}

    def take(self, line: LogLine) -> None:
        """A line of the log."""
        if line.is_script or not line.text:
            return
        text = line.text
        if _ROUGH.search(text):
            self._test(line, text)

    def close(self) -> None:
        """The log is over."""
        if self._go_line is not None and (self._go.get("PASS") or self._go.get("FAIL")):
            passed, failed, skipped = (self._go.get(word, 0) for word in ("PASS", "FAIL", "SKIP"))
            counts = _Counts("go test", passed or None, failed, None, skipped or None)
            self._keep(self._go_line, counts)
        self.found.sort(key=lambda one: one.line_number)

    def _test(self, line: LogLine, text: str) -> None:
        if found := _GO_FILE.match(text):
            self._go[found[1]] = self._go.get(found[1], 0) + 1
            self._go_line = line
        elif found := _RAN.match(text):
            self._ran = (int(found[1]), float(found[2]))
        elif self._ran is not None and (found := _VERDICT.match(text)):
            self._keep(line, _unittest(self._ran, found[2]))
            self._ran = None
        elif found := _MOCHA.match(text):
            self._count_mocha(line, found)
        else:
            for read in _READERS:
                if (counts := read(text)) is not None:
                    self._keep(line, counts)
                    return

    def _count_mocha(self, line: LogLine, found: re.Match[str]) -> None:
        count = int(found[1])
        if found[2] == "passing":
            seconds = int(found[3]) * _MOCHA_UNITS[found[4]] if found[3] else None
            self._keep(line, _Counts("mocha", passed=count, failed=0, duration_s=seconds))
        elif self.found and self.found[-1].runner == "mocha":
            last = self.found.pop()
            failed = count if found[2] == "failing" else last.failed
            skipped = count if found[2] == "pending" else last.skipped
            told = _Counts("mocha", last.passed, failed, None, skipped, None, last.duration_s)
            self._keep(line, told)

    def _keep(self, line: LogLine, counts: _Counts) -> None:
        if len(self.found) == MOST:
            self.left_out += 1
            return
        parts = (counts.passed, counts.failed, counts.errors, counts.skipped)
        known = [part for part in parts if part is not None]
        told = counts._asdict() | {"total": sum(known) if counts.total is None and known else counts.total}
        self.found.append(TestSummary(job=self._job, step=line.step, line_number=line.number, **told))


def _words(runner: str, text: str, total: int | None = None, duration_s: float | None = None) -> _Counts | None:
    """Counts such as ``3 failed, 10 passed``; None where no word of them is known."""
    counts: dict[str, int] = {}
    for number, word in _COUNT.findall(text):
        if field := _FIELDS.get(word):
            counts[field] = counts.get(field, 0) + int(number)
    if not counts:
        return None
    total = counts.pop("total", total)
    return _Counts(runner, **counts, total=total, duration_s=duration_s)


def _pytest(text: str) -> _Counts | None:
    found = _PYTEST.match(text)
    if not found:
        return None
    if found[1] == "no tests ran":
        return _Counts("pytest", total=0, duration_s=float(found[2]))
    return _words("pytest", found[1], duration_s=float(found[2]))


def _unittest(ran: tuple[int, float], details: str | None) -> _Counts:
    named = {word.strip(): int(number) for word, number in _NAMED.findall(details or "")}
    failed, errors, skipped = named.get("failures", 0), named.get("errors", 0), named.get("skipped", 0)
    failed += named.get("unexpected successes", 0)
    return _Counts("unittest", max(0, ran[0] - failed - errors - skipped), failed, errors, skipped, ran[0], ran[1])


def _jest(text: str) -> _Counts | None:
    found = _JEST.match(text)
    return _words("jest", found[1]) if found else None


def _vitest(text: str) -> _Counts | None:
    found = _VITEST.match(text)
    return _words("vitest", found[1], int(found[2])) if found else None


def _gotestsum(text: str) -> _Counts | None:
    found = _GOTESTSUM.match(text)
    if not found:
        return None
    named = _words("gotestsum", found[2].replace("failures", "failed").replace("failure", "failed"))
    failed, errors, skipped = (named.failed, named.errors, named.skipped) if named else (None, None, None)
    passed = int(found[1]) - sum(part or 0 for part in (failed, errors, skipped))
    return _Counts("gotestsum", max(0, passed), failed or 0, errors, skipped, int(found[1]), float(found[3]))


def _maven(text: str) -> _Counts | None:
    """The line at the end; those of single classes tell their time or name."""
    found = _MAVEN.match(text)
    if not found or "Time elapsed" in found["rest"] or " - in " in found["rest"] or " -- in " in found["rest"]:
        return None
    total, failed, errors, skipped = (int(each or 0) for each in found.groups()[:4])
    return _Counts("junit", max(0, total - failed - errors - skipped), failed, errors, skipped, total)


def _gradle(text: str) -> _Counts | None:
    found = _GRADLE.match(text)
    if not found:
        return None
    total, failed, skipped = (int(each or 0) for each in found.groups())
    return _Counts("gradle", max(0, total - failed - skipped), failed, None, skipped, total)


def _cargo(text: str) -> _Counts | None:
    found = _CARGO.match(text)
    if not found:
        return None
    seconds = float(found[4]) if found[4] else None
    return _Counts("cargo test", int(found[1]), int(found[2]), None, int(found[3]), None, seconds)


_READERS: Final[tuple[Callable[[str], _Counts | None], ...]] = (
    _pytest,
    _jest,
    _vitest,
    _cargo,
    _maven,
    _gradle,
    _gotestsum,
)
