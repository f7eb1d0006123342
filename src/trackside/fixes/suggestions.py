"""What to do about a failure, as shipped rules tell it. Where no rule fits, nothing is suggested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from trackside.fixes import (
    access,
    coding_agents,
    git,
    machine,
    network,
    packages,
    runner,
    shell,
    tests,
)
from trackside.fixes.table import Fix
from trackside.joblogs.rules import RULES

_FAMILIES: Final = (
    coding_agents,
    access,
    git,
    packages,
    runner,
    machine,
    shell,
    network,
    tests,
)
FIXES: Final[tuple[Fix, ...]] = tuple(one for family in _FAMILIES for one in family.FIXES)
"""All rules for fixes; of several that fit a failure the first are suggested first."""

_MOST: Final = 3
_LONGEST: Final = 500
_SAYS_LITTLE: Final = frozenset(rule.name for rule in RULES if rule.wrapper or rule.strength < 40)
"""Rules whose line only says that something failed: the lines around it count too."""


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """What to do. ``evidence`` are the lines that made the rule fit, at most 3, each at most 500 characters."""

    rule_id: str
    title: str
    text: str
    evidence: tuple[str, ...]


def suggest(
    *, cause: str | None, rule: str | None, line: str | None, context: Sequence[str] = (), step: str | None = None
) -> tuple[Suggestion, ...]:
    """What to do about a failure with that diagnosis, at most 3 suggestions; empty where no rule fits.

    ``context`` are the lines around ``line``. They count where the line only says that something failed, or where
    there is none. ``step`` is the name of the step that failed.
    """
    lines = _telling(rule, line, context)
    found: list[tuple[Fix, Suggestion]] = []
    for one in FIXES:
        if cause in one.not_for or not _is_in_step(one, step):
            continue
        evidence = tuple(_evidence(one, rule, line, lines))[:_MOST]
        if evidence:
            found.append((one, Suggestion(rule_id=one.rule_id, title=one.title, text=one.text, evidence=evidence)))
    specific = [suggestion for one, suggestion in found if not one.general]
    return tuple(specific or [suggestion for _, suggestion in found])[:_MOST]


def _telling(rule: str | None, line: str | None, context: Sequence[str]) -> list[str]:
    """The lines that count, each once, the diagnosis' own first."""
    around = context if line is None or rule is None or rule in _SAYS_LITTLE else ()
    return list(dict.fromkeys(one[:_LONGEST] for one in (line, *around) if one))


def _is_in_step(one: Fix, step: str | None) -> bool:
    return one.steps is None or (step is not None and one.steps.search(step) is not None)


def _evidence(one: Fix, rule: str | None, line: str | None, lines: Sequence[str]) -> Iterator[str]:
    own = line[:_LONGEST] if line and rule in one.rules else None
    for text in lines:
        if one.unless and one.unless.search(text):
            continue
        if text == own or (one.pattern and one.pattern.search(text)):
            yield text
