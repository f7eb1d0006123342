"""Values that scripts print for others to read: notices, ``METRIC name=value``, JSON lines, patterns of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from trackside.errors import UsageError
from trackside.joblogs.pattern_cost import repeats_a_repetition
from trackside.records.agent_rules import MetricPattern
from trackside.runlogs.findings import Metric, MetricSource, Notice
from trackside.runlogs.lines import LogLine, shown

MOST: Final = 200
"""So many values, and so many notices, of a job are kept; the others are counted."""
MOST_KEYS: Final = 30
"""A JSON object with more values is data, not a line of metrics."""
_LONGEST_NAME: Final = 120
_LONGEST_TEXT: Final = 200
_LARGEST: Final = 2**53
_NOTICE: Final = re.compile(r"(?:##\[notice\]|::notice(?: (?P<fields>[^:]{0,500}))?::)(?P<text>.*)")
_TITLE: Final = re.compile(r"(?:^|,)\s{0,3}title=([^,]{1,200})")
_WORD: Final = r"[A-Za-z_][\w./-]{0,119}"
_VALUE: Final = r"\"[^\"]{0,200}\"|'[^']{0,200}'|[^\s,;]{1,200}"
_PAIR: Final = re.compile(rf"(?<![\w=.])({_WORD}) ?= ?({_VALUE})")
_UNIT: Final = r"%|[nuµm]?s|min|h|[kKMGT]?i?B(?:/s)?|(?:req|tok|tokens)/s|USD|EUR"
_COLON: Final = re.compile(
    rf"(?<![\w:./-])({_WORD}): ([-+]?\d[\d.eE+-]{{0,40}}|true|false)(?![\w./:])(?: ({_UNIT})(?!\w))?"
)
_NUMBER: Final = re.compile(
    r"([-+]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][-+]?\d{1,3})?)((?![xX])[A-Za-z%µ][\w/%]{0,11})?"
)
_NAMES, _UNITS = ("metric", "name"), ("unit", "units")


class CompiledPattern(NamedTuple):
    """A pattern of the settings, ready to be searched for."""

    pattern: re.Pattern[str]
    name: str | None


def compile_patterns(own: Sequence[MetricPattern]) -> tuple[CompiledPattern, ...]:
    """The patterns of ``[agents]``. Raises UsageError for one that may take for ever on some line."""
    for one in own:
        if repeats_a_repetition(one.match):
            msg = (
                f"metrics of [agents]: {one.match[:200]!r} repeats a repetition, which may take for ever on some line."
            )
            raise UsageError(msg)
    return tuple(CompiledPattern(re.compile(one.match), one.name) for one in own)


class Metrics:
    """Takes the lines of a job's log; ``found`` are its values, ``notices`` what steps noted."""

    def __init__(self, job: str, patterns: Sequence[CompiledPattern]) -> None:
        self.found: list[Metric] = []
        self.notices: list[Notice] = []
        self.left_out = 0
        self._job = job
        self._patterns = patterns

    def take(self, line: LogLine) -> None:
        """A line of the log."""
        if line.is_script:
            return
        text = line.text
        if "notice" in text and (found := _NOTICE.match(text)):
            self._notice(line, found["text"], found["fields"])
        elif text.lstrip().startswith("METRIC "):
            rest = text.lstrip()[len("METRIC ") :]
            read = _from_document(rest.encode()) if rest.startswith("{") else _pairs(rest, "metric")
            self._keep(line, read, "metric")
        elif text.startswith("{") and (document := line.document) is not None:
            self._keep(line, _from_document(document), "json")
        for pattern in self._patterns:
            self._keep(line, _matches(pattern, text), "pattern")

    def _notice(self, line: LogLine, text: str, fields: str | None) -> None:
        title = _TITLE.search(fields) if fields else None
        words = f"{title[1]}: {text}" if title else text
        if len(self.notices) < MOST:
            told = shown(words)
            self.notices.append(Notice(text=told, job=self._job, step=line.step, line_number=line.number))
        else:
            self.left_out += 1
        read = list(_pairs(text, "notice"))
        if not read and title and (value := _NUMBER.fullmatch(text.strip())):
            read = [(title[1].strip(), typed(value[1]), value[2])]
        self._keep(line, read, "notice")

    def _keep(self, line: LogLine, read: Iterator[_Read] | list[_Read], source: MetricSource) -> None:
        for name, value, unit in read:
            if len(self.found) == MOST:
                self.left_out += 1
                continue
            metric = Metric(
                name=shown(name, _LONGEST_NAME),
                value=shown(value, _LONGEST_TEXT) if isinstance(value, str) else value,
                unit=shown(unit, 20) if unit else None,
                source=source,
                job=self._job,
                step=line.step,
                line_number=line.number,
            )
            self.found.append(metric)


_Read = tuple[str, bool | int | float | str, str | None]


def typed(text: str) -> bool | int | float | str:
    """The value that ``text`` means: true or false, a whole number, a number, else text."""
    stripped = text.strip().strip("\"'")
    if stripped.lower() in ("true", "false"):
        return stripped.lower() == "true"
    if not _NUMBER.fullmatch(stripped):
        return stripped
    try:
        number = float(stripped)
    except ValueError:
        return stripped
    if abs(number) == float("inf"):
        return stripped
    whole = not set(stripped) & set(".eE")
    return int(stripped) if whole and abs(number) <= _LARGEST else number


def _pairs(text: str, source: MetricSource) -> Iterator[_Read]:
    """``name=value`` pairs; in a notice also ``name: 12 ms``, and there only numbers and truths are values."""
    found = False
    for name, value in _PAIR.findall(text):
        number = _NUMBER.fullmatch(value)
        read = typed(number[1]) if number else typed(value)
        if source == "notice" and isinstance(read, str):
            continue
        found = True
        yield name, read, number[2] if number else None
    if source == "notice" and not found:
        yield from ((name, typed(value), unit or None) for name, value, unit in _COLON.findall(text))


def _from_document(document: bytes) -> Iterator[_Read]:
    """The values of a JSON object: of one metric with its name, of ``metrics``, or of one that holds only numbers."""
    try:
        told = msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError):
        return
    if not isinstance(told, dict):
        return
    name = next((told[key] for key in _NAMES if isinstance(told.get(key), str)), None)
    if name and _is_scalar(told.get("value")):
        unit = next((told[key] for key in _UNITS if isinstance(told.get(key), str)), None)
        yield name, _held(told["value"]), unit
    elif isinstance(told.get("metrics"), dict):
        yield from _flat(told["metrics"])
    elif told and len(told) <= MOST_KEYS and all(isinstance(value, int | float) for value in told.values()):
        yield from _flat(told)


def _flat(values: dict[str, Any]) -> Iterator[_Read]:
    for key, value in list(values.items())[:MOST_KEYS]:
        if _is_scalar(value):
            yield key, _held(value), None


def _is_scalar(value: object) -> bool:
    return isinstance(value, bool | int | float | str)


def _held(value: Any) -> bool | int | float | str:
    """The value; a whole number that JSON readers cannot hold as a number of its own size."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST:
        return float(value) if abs(value) < 10**300 else str(value)
    held: bool | int | float | str = value
    return held


def _matches(own: CompiledPattern, text: str) -> Iterator[_Read]:
    for found in own.pattern.finditer(text):
        groups = found.groupdict()
        if groups.get("value") is None:
            continue
        name = groups.get("name") or own.name
        if name:
            number = _NUMBER.fullmatch(groups["value"].strip())
            read = typed(number[1]) if number else typed(groups["value"])
            yield name, read, groups.get("unit") or (number[2] if number else None)
