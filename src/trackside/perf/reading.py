"""The performance numbers that the log of a job tells, or a file of its artifacts.

Which lines are numbers, and which say what test runs, is data (``records.perf_grammars``). A log is not looked at line
by line: lines are found by words, and most logs have none of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

from trackside.joblogs.raw_lines import RawLine, RawLines, lines_with_word, message_of
from trackside.perf.blocks import Blocks, Value
from trackside.perf.grammars import Metric, Reader, ready, version_of
from trackside.perf.json_values import documents_around, documents_in, values_of
from trackside.perf.places import Attempt, Place
from trackside.perf.sections import Sections
from trackside.records.jobs import Job
from trackside.records.measurements import Measurement
from trackside.records.perf_grammars import Format, Grammar

__all__ = ["read_document", "read_measurements", "version_of"]

_LONGEST_CASE: Final = 160
_SHOWN: Final = ("##[group]", "##[command]", "##[debug]", "+ ", "++ ", "+++ ")


def read_measurements(content: bytes, job: Job, grammars: Sequence[Grammar]) -> tuple[Measurement, ...]:
    """The numbers in a whole log, in its order; whatever the log holds, nothing is raised.

    ``content`` is the decompressed log. Of the same test, metric and try there is one. A line counts for the first
    grammar that reads it: the repository's own go before those that come with the product.

    Raises:
        UsageError: a grammar cannot be used.
    """
    readers = [one for one in ready(tuple(grammars)) if one.grammar.logs]
    there: dict[bytes, bool] = {}
    wanted = [one for one in readers if one.metrics and _any_there(one.signs, content, there)]
    found = _Lines(wanted, content)
    if not found.starts:
        return ()
    return _Log(content, job, readers, found).read(version_of(grammars))


def read_document(content: bytes, job: Job, grammar: Grammar) -> tuple[Measurement, ...]:
    """The numbers in a file, read by one grammar: a JSON document, several of them, or text as in a log.

    What the file names no test of is called as the step or the job. ``line_number`` is 1 for JSON.

    Raises:
        UsageError: the grammar cannot be used.
    """
    (reader,) = ready((grammar,))
    if grammar.format is Format.TEXT:
        lines = _Lines([reader], content)
        return _Log(content, job, [reader], lines).read(version_of([grammar])) if lines.starts else ()
    blocks = Blocks()
    attempt = Attempt(job.name, is_step=True)
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    for document in documents_in(text):
        _take_document(document, reader, Place(attempt, None), blocks, 1)
    return blocks.measurements(job, [attempt], version_of([grammar]))


def _take_document(document: Any, reader: Reader, place: Place, blocks: Blocks, number: int) -> None:
    for value in values_of(document, reader, number):
        blocks.take(place, reader, value)


def _any_there(signs: Iterable[bytes], content: bytes, there: dict[bytes, bool]) -> bool:
    """Whether one of the words is in the log; ``there`` keeps what was looked for before."""
    for sign in signs:
        if sign not in there:
            there[sign] = sign in content
        if there[sign]:
            return True
    return False


class _Lines:
    """The lines that may hold numbers: what is to be tried on the line that begins at each of ``starts``."""

    def __init__(self, readers: Iterable[Reader], content: bytes) -> None:
        self.starts: dict[int, list[int]] = {}
        self.metrics: list[tuple[Reader, Metric]] = []
        self.marks: dict[int, list[tuple[Reader, bool]]] = {}
        places: dict[bytes, list[int]] = {}
        for reader in readers:
            for metric in reader.metrics:
                for word in metric.words:
                    if word not in places:
                        places[word] = lines_with_word(content, word)
                    for start in places[word]:
                        tried = self.starts.setdefault(start, [])
                        if tried[-1:] != [len(self.metrics)]:
                            tried.append(len(self.metrics))
                self.metrics.append((reader, metric))
            for words, begins in ((reader.begin_words, True), (reader.end_words, False)):
                for start in (start for word in words for start in lines_with_word(content, word)):
                    self.marks.setdefault(start, []).append((reader, begins))


class _Log:
    """One log while it is read."""

    def __init__(self, content: bytes, job: Job, readers: Sequence[Reader], found: _Lines) -> None:
        self._lines = RawLines(content)
        self._job = job
        self._found = found
        self._blocks = Blocks()
        self._sections = Sections(self._lines, job, [rule for reader in readers for rule in reader.tests])
        self._inside: dict[str, str] = {}
        self._json_until = 0
        self._number = 1
        self._counted = 0

    def read(self, version: str) -> tuple[Measurement, ...]:
        content = self._lines.content
        telling = {start for word in self._sections.words() for start in lines_with_word(content, word)}
        for start in sorted(telling | self._found.starts.keys() | self._found.marks.keys()):
            line = self._lines.at(start)
            message = message_of(line.text)
            if start in telling:
                self._sections.take(line, message)
            if line.echo or message.startswith(_SHOWN):
                continue
            if start in self._found.marks:
                self._mark(line, message)
            if start in self._found.starts:
                self._read_line(line, message)
        return self._blocks.measurements(self._job, self._sections.attempts, version)

    def _mark(self, line: RawLine, message: str) -> None:
        for reader, begins in self._found.marks[line.start]:
            name = reader.grammar.name
            if begins and reader.begin is not None and (found := reader.begin.search(message)):
                self._inside[name] = found.groupdict().get("case") or ""
                self._blocks.begin(self._sections.here(line), reader)
            elif not begins and reader.end is not None and reader.end.search(message):
                self._inside.pop(name, None)

    def _read_line(self, line: RawLine, message: str) -> None:
        taken: str | None = None
        told: set[str] = set()
        for index in self._found.starts[line.start]:
            reader, metric = self._found.metrics[index]
            name = reader.grammar.name
            if (taken is not None and taken != name) or (reader.begin is not None and name not in self._inside):
                continue
            if metric.pattern is None:
                if line.start >= self._json_until:
                    self._read_json(line)
                continue
            value = self._value(reader, metric, line, message)
            if value is not None and value.name not in told:
                taken = name
                told.add(value.name)
                self._blocks.take(self._place(line, reader, value), reader, value)

    def _place(self, line: RawLine, reader: Reader, value: Value) -> Place:
        return self._sections.place(line, value.name, shared=reader.grammar.shared)

    def _value(self, reader: Reader, metric: Metric, line: RawLine, message: str) -> Value | None:
        assert metric.pattern is not None
        found = metric.pattern.search(message)
        if found is None:
            return None
        groups = found.groupdict()
        number = _number(groups["value"] if "value" in groups else found[1], metric.rule.scale)
        name = metric.name(groups)
        if number is None or not name:
            return None
        cases = (self._inside.get(reader.grammar.name), groups.get("case"))
        case = " ".join(", ".join(case for case in cases if case).split())[:_LONGEST_CASE]
        return Value(metric, name, number, self._line_number(line.start), case)

    def _read_json(self, line: RawLine) -> None:
        documents, self._json_until = documents_around(self._lines, line.start, self._json_until)
        number = self._line_number(line.start)
        readers = dict.fromkeys(reader for reader, metric in self._found.metrics if metric.pattern is None)
        for document in documents:
            for reader in readers:
                values = list(values_of(document, reader, number))
                for value in values:
                    self._blocks.take(self._place(line, reader, value), reader, value)
                if values:
                    break

    def _line_number(self, start: int) -> int:
        self._number += self._lines.content.count(b"\n", self._counted, start)
        self._counted = start
        return self._number


def _number(text: str | None, scale: float) -> float | None:
    """The number, None where it is none or not finite."""
    if text is None:
        return None
    try:
        number = float(text.replace(",", "")) * scale
    except ValueError:
        return None
    return number if math.isfinite(number) else None
