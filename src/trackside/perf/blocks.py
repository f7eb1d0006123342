"""Values as they are gathered while a log is read, and what becomes of them: one value for each test, metric, try."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from trackside.joblogs.cleaning import redact
from trackside.perf.grammars import Metric, Reader, better_of
from trackside.perf.places import Attempt, Place, number_attempts, tries_before
from trackside.records.jobs import Job
from trackside.records.measurements import Measurement, TestOutcome
from trackside.records.perf_grammars import Take

MOST_BLOCKS: Final = 100
"""So many blocks of one test that no name tells apart are kept: the first ones and the last."""
MOST_VALUES: Final = 50_000
_LONGEST_NAME: Final = 300


@dataclass(frozen=True)
class Value:
    """A number that a line told. ``case`` is what the rule tells apart within a test."""

    metric: Metric
    name: str
    number: float
    line_number: int
    case: str = ""
    test: str | None = None
    unit: str | None = None


@dataclass
class _Group:
    """The values that one grammar read in one try of a test; ``blocks`` are the results in the order of the log."""

    place: Place
    reader: Reader
    blocks: list[dict[str, Value]] = field(default_factory=lambda: [{}])
    single: dict[str, Value] = field(default_factory=dict)


class Blocks:
    """Takes values in the order of the log."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Place, str, str, str | None], _Group] = {}
        self._within: dict[tuple[Place, str], list[_Group]] = {}
        self._count = 0

    def begin(self, place: Place, reader: Reader) -> None:
        """A block of results of the grammar begins here."""
        for group in self._within.get((place, reader.grammar.name), ()):
            if group.blocks[-1]:
                _open(group)

    def take(self, place: Place, reader: Reader, value: Value) -> None:
        """A value."""
        if self._count >= MOST_VALUES:
            return
        key = (place, reader.grammar.name, value.case, value.test)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(place, reader)
            self._within.setdefault((place, reader.grammar.name), []).append(group)
        take = value.metric.rule.take
        if take is not Take.EACH:
            known = group.single.get(value.name)
            if known is None or take is Take.LAST or (take is Take.LARGEST and value.number > known.number):
                group.single[value.name] = value
            return
        if value.name in group.blocks[-1]:
            _open(group)
        group.blocks[-1][value.name] = value
        self._count += 1

    def measurements(self, job: Job, attempts: list[Attempt], version: str) -> tuple[Measurement, ...]:
        """All values as records, in the order of the log; of the same test, metric and try the last counts.

        Of a test and metric one value is final at most, even if several files or steps have a test of that name.
        """
        number_attempts(attempts)
        found: dict[tuple[str, str, int], Measurement] = {}
        for group in self._groups.values():
            tries = tries_before(attempts, group.place) + 1
            final = _is_final(group.place)
            for name, value in _named(group):
                one = _measurement(job, group, name, value, version, tries, is_final=final)
                key = (one.test, one.metric, one.try_number)
                known = found.get(key)
                if known is None or (one.line_number or 0) >= (known.line_number or 0):
                    found[key] = one
        return tuple(_with_one_final(sorted(found.values(), key=_place_in_log)))


def _place_in_log(one: Measurement) -> tuple[int, str, str, int]:
    return one.line_number or 0, one.test, one.metric, one.try_number


def _with_one_final(ordered: list[Measurement]) -> Iterator[Measurement]:
    last = {(one.test, one.metric): one for one in ordered if one.is_final}
    for one in ordered:
        is_last = last.get((one.test, one.metric)) is one
        yield msgspec.structs.replace(one, is_final=False) if one.is_final and not is_last else one


def _open(group: _Group) -> None:
    """Another block; where there are very many the last but one of them is let go."""
    if len(group.blocks) >= MOST_BLOCKS:
        group.blocks.pop()
    group.blocks.append({})


def _named(group: _Group) -> list[tuple[str, Value]]:
    """The values with what tells them apart: nothing for the last of a metric, ``#k`` for that of an earlier block."""
    blocks = [block for block in group.blocks if block]
    last = {name: place for place, block in enumerate(blocks) for name in block}
    named = [
        ("" if last[name] == place else f"#{place + 1}", value)
        for place, block in enumerate(blocks)
        for name, value in block.items()
    ]
    return named + [("", value) for value in group.single.values()]


def _is_final(place: Place) -> bool:
    return place.attempt.is_last and place.tries_within == place.last_inner(place.attempt)


def _measurement(
    job: Job, group: _Group, name: str, value: Value, version: str, tries: int, *, is_final: bool
) -> Measurement:
    place, reader, rule = group.place, group.reader, value.metric.rule
    base = redact(value.test if value.test is not None else place.test)[:_LONGEST_NAME]
    case = f"[{redact(value.case)}]" if value.case else ""
    outcome = place.outcome()
    if outcome is TestOutcome.UNKNOWN and is_final and job.conclusion == "success":
        outcome = TestOutcome.PASSED
    return Measurement(
        repo=job.repo,
        job_id=job.job_id,
        run_id=job.run_id,
        run_attempt=job.run_attempt,
        version=version,
        test=f"{base}{case}{name}",
        metric=value.name,
        value=value.number,
        unit=value.unit or rule.unit,
        better=better_of(value.metric, value.unit, reader.grammar),
        try_number=tries,
        is_final=is_final,
        test_outcome=outcome,
        line_number=value.line_number,
        grammar=reader.grammar.name,
        is_established=not name
        and reader.is_established(job.name, f"{base}{case}", value.name, marked=rule.established),
    )
