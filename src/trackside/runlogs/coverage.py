"""How much of the code tests ran through, as coverage tools print it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from trackside.runlogs.findings import Coverage
from trackside.runlogs.lines import LogLine

MOST: Final = 100
"""So many figures of a job are kept; the others are counted."""
_PERCENT: Final = r"(\d{1,3}(?:\.\d{1,6})?)"
_TOTAL: Final = re.compile(rf"TOTAL(?:\s{{1,200}}\d{{1,9}}){{2,4}}\s{{1,20}}{_PERCENT}%$")
_PYTHON_TOTAL: Final = re.compile(rf"(?:.{{0,120}}\. )?Total coverage: {_PERCENT}%")
_ISTANBUL: Final = re.compile(r"All files\s{0,200}\|" + rf"\s{{0,20}}{_PERCENT} \|" * 4)
_ISTANBUL_LINE: Final = re.compile(rf"(Statements|Branches|Functions|Lines)\s{{1,10}}: {_PERCENT}% \(")
_GO: Final = re.compile(rf"(?:(?:ok|FAIL)\s.{{0,400}}\s|\s{{0,8}})coverage: {_PERCENT}% of statements")
_GO_TOTAL: Final = re.compile(rf"total:\s{{1,40}}\(statements\)\s{{1,40}}{_PERCENT}%$")
_LCOV: Final = re.compile(rf"\s{{1,4}}(lines|functions|branches)\.{{2,12}}: {_PERCENT}% \(")
_TARPAULIN: Final = re.compile(rf"{_PERCENT}% coverage, \d{{1,9}}/\d{{1,9}} lines covered")
_CODECOV: Final = re.compile(rf"(?i:.{{0,120}}\bcodecov\b.{{0,120}}?){_PERCENT} ?%")


class Covered:
    """Takes the lines of a job's log; ``found`` is what coverage tools say in it."""

    def __init__(self, job: str) -> None:
        self.found: list[Coverage] = []
        self.left_out = 0
        self._job = job

    def take(self, line: LogLine) -> None:
        """A line of the log."""
        if line.is_script or ("%" not in line.text and not line.text.startswith("All files")):
            return
        for tool, of, percent in _covered(line.text):
            if percent > 100:
                continue
            if len(self.found) == MOST:
                self.left_out += 1
                continue
            told = Coverage(tool=tool, of=of, percent=percent, job=self._job, step=line.step, line_number=line.number)
            self.found.append(told)


def _covered(text: str) -> Iterator[tuple[str, str, float]]:
    """The tool, what it counts, and the percentage, of a line that tells coverage."""
    for pattern, tool, of in _ONE_FIGURE:
        if found := pattern.match(text):
            yield tool, of, float(found[1])
            return
    if found := _ISTANBUL.match(text):
        yield from (("istanbul", of, float(part)) for of, part in zip(_TABLE, found.groups(), strict=True))
    elif found := _ISTANBUL_LINE.match(text):
        yield "istanbul", found[1].lower(), float(found[2])
    elif found := _LCOV.match(text):
        yield "lcov", found[1], float(found[2])
    elif found := _CODECOV.match(text):
        yield "codecov", "lines", float(found[1])


_TABLE: Final = ("statements", "branches", "functions", "lines")
_ONE_FIGURE: Final = (
    (_TOTAL, "coverage.py", "lines"),
    (_PYTHON_TOTAL, "coverage.py", "lines"),
    (_GO_TOTAL, "go cover total", "statements"),
    (_GO, "go cover", "statements"),
    (_TARPAULIN, "tarpaulin", "lines"),
)
