"""Grammars made ready for reading: expressions compiled and checked, names and words prepared."""

from __future__ import annotations

import functools
import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from trackside.errors import UsageError
from trackside.perf.expressions import NUMBER_MARK, compile_expression, words_of
from trackside.records.measurements import Better
from trackside.records.perf_grammars import Format, Grammar, MetricRule, Take, TestRule

VERSION: Final = "1"
"""Of the reader: what was read by another version is read anew."""
MOST_METRICS: Final = 500
_PLACE: Final = re.compile(r"\{(\w+)\}")
_NAME: Final = re.compile(r"[A-Za-z0-9_.{}-]{1,120}")
_PLAIN: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Metric:
    """A rule of a metric that can be used. ``places`` are the groups that its name is made of."""

    rule: MetricRule
    grammar: str
    pattern: re.Pattern[str] | None
    words: tuple[bytes, ...]
    places: tuple[str, ...]

    def name(self, groups: dict[str, str | None]) -> str:
        """The name of what was matched."""
        if not self.places:
            return self.rule.name
        return _PLACE.sub(lambda place: plain(groups.get(place[1]) or ""), self.rule.name).strip("_")


@dataclass(frozen=True)
class TestLine:
    """A rule of a line on tests that can be used."""

    __test__ = False

    rule: TestRule
    pattern: re.Pattern[str]
    words: tuple[bytes, ...]


@dataclass(frozen=True)
class Reader:
    """A grammar that can be used. ``signs``: a log without any of them has nothing that it reads."""

    grammar: Grammar
    signs: tuple[bytes, ...]
    begin: re.Pattern[str] | None
    begin_words: tuple[bytes, ...]
    end: re.Pattern[str] | None
    end_words: tuple[bytes, ...]
    metrics: tuple[Metric, ...]
    tests: tuple[TestLine, ...]

    def is_established(self, job: str, test: str, metric: str, *, marked: bool) -> bool:
        """Whether the chart of the metric is drawn without being asked for."""
        last = test.rsplit("::", 1)[-1]
        tables = [table for table in self.grammar.established if table.job in job and last in table.tests]
        return any(metric in table.metrics for table in tables) if tables else marked


def plain(text: str) -> str:
    """``text`` as part of a metric's name: ``E2E Latency`` → ``e2e_latency``."""
    return _PLAIN.sub("_", text.lower()).strip("_")


def check_grammars(grammars: Sequence[Grammar]) -> None:
    """Nothing, where all of them can be used.

    Raises:
        UsageError: a rule cannot; the message names the grammar and the metric, and says why.
    """
    ready(tuple(grammars))


def version_of(grammars: Sequence[Grammar]) -> str:
    """The version of what logs are read with: that of the reader, and a hash of the grammars."""
    own = msgspec.json.encode(tuple(grammars))
    return f"{VERSION}+{hashlib.blake2b(own, digest_size=4).hexdigest()}"


@functools.lru_cache(maxsize=32)
def ready(grammars: tuple[Grammar, ...]) -> tuple[Reader, ...]:
    """The grammars, in their order, of several of one name the first.

    Raises:
        UsageError: a rule cannot be used.
    """
    first: dict[str, Grammar] = {}
    for grammar in grammars:
        first.setdefault(grammar.name, grammar)
    return tuple(_reader(grammar) for grammar in first.values())


def _reader(grammar: Grammar) -> Reader:
    where = f"the grammar {grammar.name!r} of [perf]"
    if not grammar.name.strip():
        raise UsageError("a grammar of [perf] has no name; name = '...' is what its numbers are marked with")
    if len(grammar.metrics) > MOST_METRICS:
        raise UsageError(f"{where} has more than {MOST_METRICS} metrics; make several grammars of it")
    metrics = tuple(_metric(rule, grammar) for rule in grammar.metrics)
    begin, begin_words = _line(grammar.begin, f"begin of {where}")
    end, end_words = _line(grammar.end, f"end of {where}")
    said = words_of("", grammar.words, where) if grammar.words else ()
    inside = tuple(dict.fromkeys(word for metric in metrics for word in metric.words))
    return Reader(
        grammar,
        said or begin_words or inside,
        begin,
        begin_words,
        end,
        end_words,
        metrics,
        tuple(_test_line(rule, where) for rule in grammar.tests),
    )


def _line(expression: str | None, where: str) -> tuple[re.Pattern[str] | None, tuple[bytes, ...]]:
    if expression is None:
        return None, ()
    return compile_expression(expression, where), words_of(expression, (), where)


def _test_line(rule: TestRule, where: str) -> TestLine:
    told = f"a rule of tests ({rule.says.value}) of {where}"
    return TestLine(rule, compile_expression(rule.match, told), words_of(rule.match, rule.words, told))


def _metric(rule: MetricRule, grammar: Grammar) -> Metric:
    where = f"the metric {rule.name!r} of the grammar {grammar.name!r} of [perf]"
    if not _NAME.fullmatch(rule.name):
        raise UsageError(f"{where} has a name that is none: letters, digits and _ . - make one, and {{group}}")
    if not math.isfinite(rule.scale) or rule.scale == 0:
        raise UsageError(f"{where} has a scale that is no number to multiply with: {rule.scale}")
    places = tuple(_PLACE.findall(rule.name))
    if grammar.format is Format.JSON:
        return _json_metric(rule, grammar, places, where)
    if rule.match is None:
        raise UsageError(f"{where} has no match; a regular expression with {NUMBER_MARK} in it says how it is printed")
    pattern = compile_expression(rule.match, where)
    if not pattern.groups:
        raise UsageError(f"{where} has no value: write {NUMBER_MARK} where the number is in {rule.match[:200]!r}")
    if "value" not in pattern.groupindex and pattern.groups > 1:
        raise UsageError(f"{where} has several groups and does not tell which is the value: write {NUMBER_MARK} for it")
    missing = [place for place in places if place not in pattern.groupindex]
    if missing:
        raise UsageError(f"{where} is named after the group {missing[0]!r}, which its match does not have")
    return Metric(rule, grammar.name, pattern, words_of(rule.match, rule.words, where), places)


def _json_metric(rule: MetricRule, grammar: Grammar, places: tuple[str, ...], where: str) -> Metric:
    if rule.path is None:
        raise UsageError(f"{where} has no path; in a JSON grammar it says where the value is (stats.mean)")
    if set(places) - {"unit"}:
        raise UsageError(f"{where} is named after a group; in a JSON grammar only {{unit}} can be")
    if rule.take is not Take.EACH:
        raise UsageError(f"{where} says take, which a JSON grammar does not know")
    last = rule.path.rsplit(".", 1)[-1]
    said = rule.words or (f'"{last}"',)
    return Metric(rule, grammar.name, None, words_of("", said, where), places)


def better_of(metric: Metric, unit: str | None, grammar: Grammar) -> Better:
    """Which direction is the good one, also where only the unit tells it."""
    if metric.rule.better is not Better.NEITHER or unit is None:
        return metric.rule.better
    if unit in grammar.json.higher:
        return Better.HIGHER
    return Better.LOWER if unit in grammar.json.lower else Better.NEITHER
