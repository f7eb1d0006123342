"""Which of the lines that may tell it tells best why a job failed."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from trackside.joblogs.candidates import Candidate
from trackside.joblogs.fingerprints import masked
from trackside.joblogs.places import Places
from trackside.joblogs.raw_lines import RawLines
from trackside.records.failures import Cause

# What a test may provoke on purpose, or get over: it counts less where tests passed after it.
_PASSING: Final = frozenset(
    {Cause.GPU_MEMORY, Cause.GPU_FAULT, Cause.HOST_MEMORY, Cause.NETWORK, Cause.RATE_LIMIT, Cause.TIMEOUT, Cause.CRASH}
)
# What is tried again by itself: it counts less where the next lines say so.
_TRIED_AGAIN: Final = frozenset({Cause.NETWORK, Cause.RATE_LIMIT, Cause.DEPENDENCY, Cause.TIMEOUT})
_AGAIN: Final = re.compile(
    r"(?i)\b(?:will retry|retrying|retries? left|back(?:ing)? ?off|trying again|retry in|attempt \d+ (?:of|/))\b"
)
_PASSED: Final = (b" PASSED", b" ... ok", b"[       OK ]", b" was successful, ")
_TEST_STRENGTH: Final = 56


class Weighed(NamedTuple):
    """A candidate and what its strength is where it stands."""

    candidate: Candidate
    strength: int
    place: int


def weigh(lines: RawLines, places: Places, candidates: list[Candidate]) -> list[Weighed]:
    """The candidates with their place counted in."""
    last_test = max((c.line.start for c in candidates if c.rule.strength >= _TEST_STRENGTH and c.test), default=-1)
    last_passed = max(lines.content.rfind(word, 0, max(last_test, 0)) for word in _PASSED)
    weighed = []
    for candidate in candidates:
        place = places.weight(candidate.line.start)
        if candidate.cause in _PASSING and candidate.line.end <= last_passed and not candidate.test:
            place -= 35
        if candidate.cause in _TRIED_AGAIN and _tried_again(lines, candidate):
            place -= 30
        weighed.append(Weighed(candidate, candidate.strength + place, place))
    return weighed


def _tried_again(lines: RawLines, candidate: Candidate) -> bool:
    if candidate.strength >= 95:
        return False
    return any(_AGAIN.search(line.text) for line in (candidate.line, *lines.after(candidate.line.end, 2)))


def most_telling(weighed: list[Weighed]) -> Candidate | None:
    """The strongest candidate; of several of one rule the last, or the first error where it was seen last."""
    if not weighed:
        return None
    best = max(each.strength for each in weighed)
    equal = [each.candidate for each in weighed if each.strength == best]
    of_rule = [each for each in equal if each.rule.name == equal[0].rule.name]
    if of_rule[0].rule.last:
        return of_rule[-1]
    first = masked(of_rule[0].message)
    return next(each for each in reversed(of_rule) if masked(each.message) == first)
