"""Unittest's own result, where it is plain of which test file it is.

``Ran N tests in Ts`` and ``OK`` or ``FAILED (…)`` name no file. They are taken for the file of the command that is
running: the only one that the step names (``python3 -m unittest test_x.TestY``, ``python3 test_x.py``), or the newest
that the shell echoed (``+ python3 test_x.py``). Where a step names several files nothing is told.
"""

from __future__ import annotations

import re
from typing import Final

from trackside.joblogs.file_results import FileResult, Suite
from trackside.joblogs.portable_paths import portable_path
from trackside.records.failures import FileOutcome

_STEP: Final = re.compile(r"##\[group\]Run ")
_COMMAND: Final = re.compile(
    r"(?P<echo>\+{1,4} )?(?:##\[group\]Run )?(?:[A-Z_][A-Z0-9_]{0,40}=\S{0,200} ){0,9}(?:\S{0,200}/)?python[\d.]{0,6} "
    r"(?:(?P<module>-m unittest )|(?=\S))(?:-[a-zA-Z-]{1,20} ){0,6}(?P<what>\S{1,400})"
)
_FILE: Final = re.compile(r"(?:\S*/)?test\w*\.py$|\S*_test\.py$")
_MODULE: Final = re.compile(r"(?:[A-Za-z_]\w*\.){0,12}?(?=test)(?P<module>[A-Za-z_]\w*)(?=\.|$)")
_RAN: Final = re.compile(r"Ran (\d{1,7}) tests? in (\d{1,9}(?:\.\d{1,6})?)s$")
_RESULT: Final = re.compile(r"(?:OK|FAILED)(?: \((.{1,200})\))?$")

WORDS: Final = (b"##[group]Run ", b"python", b"Ran ", b"Z OK", b"FAILED")
SIGNS: Final = (b" tests in ", b" test in ")


class UnittestCommands:
    """Takes the cleaned lines of a log that are not a suite runner's; each result is a suite of one file."""

    def __init__(self, repo: str, suites: list[Suite]) -> None:
        self.suites = suites
        self._repo = repo
        self._files: list[str] = []
        self._elapsed_s: float | None = None

    def take(self, line: str) -> None:
        """What the line says is in ``suites`` then."""
        if _STEP.match(line):
            self._files, self._elapsed_s = [], None
        if found := _RAN.match(line):
            self._elapsed_s = float(found[2])
        elif self._elapsed_s is not None and _RESULT.match(line):
            self._over(line.startswith("OK"))
        elif (found := _COMMAND.match(line)) and (file := self._file(found["what"], bool(found["module"]))):
            self._files = [file] if found["echo"] else [*dict.fromkeys([*self._files, file])]

    def _over(self, success: bool) -> None:
        if len(self._files) == 1:
            suite = Suite(over=True)
            result: FileResult = suite.add(self._files[0])
            result.elapsed_s = self._elapsed_s
            if success:
                result.pass_()
            else:
                result.fail(FileOutcome.FAILED, None)
            self.suites.append(suite)
        self._elapsed_s = None

    def _file(self, what: str, module: bool) -> str | None:
        if _FILE.match(what):
            return portable_path(what, self._repo)
        if module and (found := _MODULE.match(what)):
            return what[: found.end("module")].replace(".", "/") + ".py"
        return None
