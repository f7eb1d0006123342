"""The lines of a log that say which test runs, taken one after the other: whose are the numbers that follow?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from trackside.joblogs.file_results import Suite
from trackside.joblogs.portable_paths import portable_path
from trackside.joblogs.raw_lines import RawLine, RawLines
from trackside.joblogs.suite_runner import SIGNS, SuiteRunner
from trackside.joblogs.suite_runner import WORDS as SUITE_WORDS
from trackside.perf.commands import Commands
from trackside.perf.grammars import TestLine
from trackside.perf.places import Attempt, Place, TestName, name_said
from trackside.perf.steps import moment_of, name_outside_tests, step_at
from trackside.records.jobs import Job
from trackside.records.measurements import TestOutcome
from trackside.records.perf_grammars import Says

WORDS: Final = (
    b" bytes were left out here]",
    b"##[group]",
    b"##[error]",
    b"\x1b[36;1m",
    b"Ran ",
    b" passed in ",
    b" failed in ",
    b" skipped in ",
    b" error in ",
    b" errors in ",
    b" warning in ",
    b" warnings in ",
)
_RAN: Final = re.compile(r"Ran \d{1,7} tests? in \d")
_OVER: Final = re.compile(r"(OK|FAILED)(?: \(.{1,200}\))?$")
_PYTEST_OVER: Final = re.compile(r"=+ (?:\d{1,7} [a-z]{3,12}(?:, )?){1,9} in \d[\d.]{0,12}s?\b")
_OF_STEP: Final = {"success": TestOutcome.PASSED, "failure": TestOutcome.FAILED, "timed_out": TestOutcome.FAILED}
_BROKEN: Final = re.compile(r"##\[error\]Process completed with exit code (?!0\.)\d")
_TRACE: Final = re.compile(r"\+{1,4} ")
_GAP: Final = re.compile(r"\[trackside: \d+ bytes were left out here\]")


class Sections:
    """Takes the lines of a log that say something of tests, in order; ``attempts`` are the tries seen so far."""

    def __init__(self, lines: RawLines, job: Job, rules: Sequence[TestLine]) -> None:
        self.attempts: list[Attempt] = []
        self._lines = lines
        self._job = job
        self._rules = rules
        suites: list[Suite] = []
        has_suites = any(sign in lines.content for sign in SIGNS)
        self._runner = SuiteRunner(job.repo, suites) if has_suites else None
        self._file: Attempt | None = None
        self._lost: tuple[int, int] | None = None
        self._commands = Commands()
        self._steps: dict[str, Attempt] = {}
        self._step: Attempt | None = None
        self._step_command: str | None = None
        self._step_stamp: bytes | None = None
        self._name: TestName | None = None
        self._again = False
        self._told: set[tuple[int, str, int, str]] = set()

    def words(self) -> tuple[bytes, ...]:
        """The words of which a line must hold one to be taken."""
        suite = SUITE_WORDS if self._runner is not None else ()
        return tuple(dict.fromkeys((*WORDS, *suite, *(word for rule in self._rules for word in rule.words))))

    def take(self, line: RawLine, message: str) -> None:
        """What the line says of tests; ``message`` is its text without what wrote it."""
        if line.echo or message.startswith("##[group]"):
            self._shown(line, message)
            return
        if _GAP.match(line.text):
            self._lost_track()
        elif line.text.startswith("##[error]"):
            self._error(line.text)
        elif self._runner is not None and self._runner.take(line.text):
            self._follow_runner()
        elif _RAN.match(message):
            self._over(self._result_after(line), line)
        elif _PYTEST_OVER.match(message):
            bad = " failed" in message or " error" in message
            self._over(TestOutcome.FAILED if bad else TestOutcome.PASSED, line)
        else:
            self._said(message)

    def here(self, line: RawLine) -> Place:
        """Where a block of results begins that this line is the first of."""
        attempt = self._attempt(line)
        return Place(attempt, self._name, attempt.inner.get(self._key(attempt), 0))

    def _key(self, attempt: Attempt) -> str:
        return "" if self._name is None or attempt.is_test else self._name.label

    def place(self, line: RawLine, metric: str, *, shared: bool = False) -> Place:
        """Where a number of this metric on this line was printed; ``shared``: by what the tests have in common."""
        attempt = self._attempt(line)
        if shared:
            return Place(attempt, None, is_shared=True)
        attempt.has_values = True
        key = self._key(attempt)
        inner = attempt.inner.setdefault(key, 0)
        if self._again and (id(attempt), key, inner, metric) in self._told:
            inner = attempt.inner[key] = inner + 1
            self._again = False
        self._told.add((id(attempt), key, inner, metric))
        return Place(attempt, self._name, inner)

    def _attempt(self, line: RawLine) -> Attempt:
        if self._file is not None:
            return self._file
        commands = self._commands
        if commands.running is not None:
            if commands.is_of_next(moment_of(self._lines.stamp_of(line.start))):
                commands.next()
            return commands.running
        if self._step is None:
            stamp = self._step_stamp or self._lines.stamp_of(line.start)
            step = step_at(self._job.steps, stamp)
            name = name_outside_tests(self._job, step, self._step_command)
            self._step = self._steps.get(name)
            if self._step is None:
                self._step = self._steps[name] = self._begun(Attempt(name, is_step=True))
            if step is not None and self._step.outcome is not TestOutcome.FAILED:
                self._step.outcome = _OF_STEP.get(step.conclusion or "", TestOutcome.UNKNOWN)
        return self._step

    def _begun(self, attempt: Attempt) -> Attempt:
        self.attempts.append(attempt)
        return attempt

    def _shown(self, line: RawLine, message: str) -> None:
        """A script that is shown before it runs, or a part of the log that begins."""
        if line.echo:
            commands = self._shown_commands(message)
            repeated = self._commands.header and [one.name for one in commands] == self._commands.names()
            if not repeated:
                self._commands.known += [self._begun(command) for command in commands]
            self._commands.header = False
            return
        self._commands = Commands()
        if self._file is None:
            self._name, self._again = None, False
        if not message.startswith("##[group]Run "):
            return
        if self._runner is not None:
            self._runner.take(line.text)
            self._follow_runner()
        self._step, self._step_command = None, message.removeprefix("##[group]Run ")
        self._step_stamp = self._lines.stamp_of(line.start)
        self._commands.known = [self._begun(command) for command in self._shown_commands(self._step_command)]
        self._commands.header = bool(self._commands.known)

    def _error(self, message: str) -> None:
        running = self._commands.running if self._file is None else self._file
        running = running or self._step
        if running is not None and _BROKEN.match(message) and running.outcome is TestOutcome.UNKNOWN:
            running.outcome = TestOutcome.FAILED

    def _lost_track(self) -> None:
        """Lines are missing here: what follows may be of another test, and is of none until one is named."""
        file = None if self._runner is None else self._runner.current
        self._lost = None if file is None else (id(file), file.attempts)
        self._commands, self._file, self._name, self._again = Commands(), None, None, False
        self._step = self._step_command = self._step_stamp = None

    def _follow_runner(self) -> None:
        file = None if self._runner is None else self._runner.current
        if file is not None and (id(file), file.attempts) == self._lost:
            return
        self._lost = None
        if file is None:
            if self._file is not None:
                self._file, self._name = None, None
        elif self._file is None or self._file.result is not file or self._file.number != file.attempts:
            self._file = self._begun(Attempt(file.file, result=file, number=file.attempts))
            self._name, self._again = None, False

    def _result_after(self, line: RawLine) -> TestOutcome:
        """What unittest says below the time that its tests took."""
        for below in self._lines.after(line.end, 4):
            if found := _OVER.match(below.text):
                return TestOutcome.PASSED if found[1] == "OK" else TestOutcome.FAILED
        return TestOutcome.UNKNOWN

    def _over(self, outcome: TestOutcome, line: RawLine) -> None:
        if self._file is not None or self._commands.running is None:
            return
        self._commands.end(outcome, moment_of(self._lines.stamp_of(line.start)))

    def _said(self, message: str) -> None:
        for line in self._rules:
            found = line.pattern.search(message)
            if found is None:
                continue
            says = line.rule.says
            if says is Says.COMMAND:
                # A file is named in many a message; it is run where the shell says so.
                if self._file is None and ("test" in found.groupdict() or found.start() == 0 or _TRACE.match(message)):
                    self._runs(found.groupdict())
            elif says is Says.AGAIN:
                self._again = True
            else:
                self._told_of(says, name_said(found.groupdict(), self._job.repo))
            return

    def _told_of(self, says: Says, name: TestName | None) -> None:
        if says is Says.TEST:
            self._test(name)
            return
        attempt, name = self._file or self._commands.running or self._step, name or self._name
        if attempt is not None and says is Says.FAILED:
            attempt.tell_failed(name)
        elif attempt is not None and name is not None:
            attempt.passed.add(name.label)

    def _test(self, name: TestName | None) -> None:
        self._name, self._again = name, False
        commands = self._commands
        if name is None or self._file is not None:
            return
        for place in range(commands.at, len(commands.known)):
            if commands.known[place].is_test and commands.known[place].name == name.test:
                if place != commands.at:
                    commands.begin(place)
                return

    def _runs(self, said: dict[str, str | None]) -> None:
        """A command begins now: the shell traces it, or a script prints it."""
        command = self._made(said)
        if command is None:
            return
        commands = self._commands
        self._name, self._again = None, False
        for place in range(commands.at, len(commands.known)):
            if commands.known[place].name == command.name and not commands.known[place].has_values:
                commands.begin(place)
                return
        commands.known.append(self._begun(command))
        commands.begin(len(commands.known) - 1)

    def _shown_commands(self, message: str) -> list[Attempt]:
        """The commands of a test in a line of a script, which is no comment and shows no text."""
        if message.lstrip().startswith(("#", "echo ")):
            return []
        for line in self._rules:
            if line.rule.says is Says.COMMAND:
                made = [self._made(found.groupdict()) for found in line.pattern.finditer(message)]
                if found := [command for command in made if command is not None]:
                    return found
        return []

    def _made(self, said: dict[str, str | None]) -> Attempt | None:
        if file := said.get("file"):
            return Attempt(portable_path(file, self._job.repo))
        test = (said.get("test") or "").rsplit(".", 1)[-1]
        return Attempt(test, is_test=True) if test else None
