"""Numbers in JSON documents: files of benchmarks, and what is printed of them into a log."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from trackside.joblogs.cleaning import STAMP
from trackside.joblogs.raw_lines import RawLines
from trackside.perf.blocks import Value
from trackside.perf.grammars import Metric, Reader

MOST_LINES: Final = 20_000
_MOST_TEXT: Final = 4_000_000
_MOST_STARTS: Final = 50
_MOST_ITEMS: Final = 20_000
_JSON_LINE: Final = re.compile(r"\s*(?:[\]\[{}\"]|-?\d|true\b|false\b|null\b|NaN\b|-?Infinity\b)")
_NUMERIC: Final = re.compile(r"-?\d{1,40}(?:\.\d{1,40})?(?:[eE][-+]?\d{1,5})?")
_OPENS: Final = re.compile(r"(?m)^[ \t]{0,80}[\[{]")
_BRACKET: Final = re.compile(r"\[\s{0,9}\{|\{\s{0,9}\"")
_LONGEST: Final = 200


def documents_around(lines: RawLines, start: int, after: int) -> tuple[list[Any], int]:
    """The JSON documents in the run of lines that look like JSON around ``start``, and where that run ends.

    What is before ``after`` was read.
    """
    said = _text_at(lines, start)
    if not _JSON_LINE.match(said):
        # In one line with what says what it is.
        bracket = _BRACKET.search(said)
        end = lines.content.find(b"\n", start)
        return list(documents_in(said[bracket.start() :])) if bracket else [], len(
            lines.content
        ) if end < 0 else end + 1
    first = start
    for line in lines.before(start, MOST_LINES):
        if line.start < after or not _JSON_LINE.match(line.text):
            break
        first = line.start
    texts: list[str] = []
    end, size = first, 0
    while end < len(lines.content) and len(texts) < 2 * MOST_LINES and size < _MOST_TEXT:
        text = _text_at(lines, end)
        if not _JSON_LINE.match(text) and end > start:
            break
        texts.append(text)
        size += len(text)
        line_end = lines.content.find(b"\n", end)
        end = len(lines.content) if line_end < 0 else line_end + 1
    return list(documents_in("\n".join(texts))), end


def documents_in(text: str) -> Iterator[Any]:
    """The JSON documents of a text, one after the other, from lines on that begin with a bracket; NaN is read."""
    decoder = json.JSONDecoder()
    at = starts = 0
    while starts < _MOST_STARTS and (opened := _OPENS.search(text, at)):
        begin = opened.end() - 1
        try:
            document, at = decoder.raw_decode(text, begin)
        except (ValueError, RecursionError):
            starts += 1
            at = begin + 1
        else:
            yield document


def _text_at(lines: RawLines, start: int) -> str:
    """A whole line: documents in one line are longer than what is looked at of others."""
    end = lines.content.find(b"\n", start, start + _MOST_TEXT)
    raw = lines.content[start : end if end >= 0 else start + _MOST_TEXT]
    if len(raw) < 2000:
        return lines.at(start).text
    stamp = STAMP.match(raw)
    return raw[stamp.end() if stamp else 0 :].decode("utf-8", "replace").rstrip("\r\n")


def values_of(document: Any, reader: Reader, line_number: int) -> Iterator[Value]:
    """What the grammar reads of a document, in its order."""
    rules = reader.grammar.json
    for item in _items(document, rules.items):
        if not all(_at(item, path) is not None for path in rules.requires):
            continue
        test = _text(_at(item, rules.test)) if rules.test is not None else None
        if rules.test is not None and not test:
            continue
        unit = _text(_at(item, rules.unit)) if rules.unit is not None else None
        case = ", ".join(str(said) for path in rules.case if isinstance(said := _at(item, path), str | int))[:_LONGEST]
        for metric in reader.metrics:
            number = _number(_at(item, metric.rule.path or ""), metric)
            name = metric.name({"unit": unit})
            if number is not None and name:
                yield Value(metric, name, number, line_number, case=case, test=test, unit=unit)


def _items(document: Any, path: str) -> Iterator[Mapping[str, Any]]:
    found = document if not path else _at(document, path)
    listed = found if isinstance(found, list) else [found]
    for item in listed[:_MOST_ITEMS]:
        if isinstance(item, dict):
            yield item


def _at(item: Any, path: str | None) -> Any:
    """What the path leads to; a key that has dots itself is found whole."""
    if path is None or not isinstance(item, dict):
        return None
    if path in item:
        return item[path]
    for cut in range(len(path) - 1, 0, -1):
        if path[cut] == "." and path[:cut] in item:
            return _at(item[path[:cut]], path[cut + 1 :])
    return None


def _text(found: Any) -> str | None:
    if not isinstance(found, str):
        return None
    return " ".join("".join(char if char.isprintable() else " " for char in found[:2000]).split())[:_LONGEST] or None


def _number(found: Any, metric: Metric) -> float | None:
    if isinstance(found, str) and _NUMERIC.fullmatch(found.strip()):
        found = found.strip()
    elif isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        number = float(found) * metric.rule.scale
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
