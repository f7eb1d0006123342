"""All rules, strongest first, and the repository's own before them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from trackside.errors import UsageError
from trackside.joblogs import (
    rules_build,
    rules_configuration,
    rules_dependencies,
    rules_generic,
    rules_gpu,
    rules_lint,
    rules_measures,
    rules_memory,
    rules_models,
    rules_network,
    rules_runner,
    rules_tests,
)
from trackside.joblogs.pattern_cost import repeats_a_repetition
from trackside.joblogs.rule_table import Rule
from trackside.records.ci_rules import PatternRule

_FAMILIES: Final = (
    rules_runner,
    rules_memory,
    rules_gpu,
    rules_build,
    rules_dependencies,
    rules_models,
    rules_network,
    rules_configuration,
    rules_lint,
    rules_measures,
    rules_tests,
    rules_generic,
)
RULES: Final[tuple[Rule, ...]] = tuple(
    sorted((rule for family in _FAMILIES for rule in family.RULES), key=lambda rule: -rule.rank)
)
"""The first rule in this order that matches a line is the line's rule."""

OWN_STRENGTH: Final = 200


def compile_rules(own: Sequence[PatternRule]) -> tuple[Rule, ...]:
    """The repository's own patterns as rules, in their order.

    Raises:
        UsageError: a pattern is no regular expression; the message says which and why.
    """
    return tuple(_compiled(pattern, place) for place, pattern in enumerate(own))


def _compiled(pattern: PatternRule, place: int) -> Rule:
    try:
        compiled = re.compile(pattern.match)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(
            f"the pattern {pattern.name!r} of [ci] is no regular expression: {error} in {pattern.match[:200]!r}"
        ) from error
    if repeats_a_repetition(pattern.match):
        raise UsageError(
            f"the pattern {pattern.name!r} of [ci] repeats a repetition, which may take for ever on some line: "
            f"{pattern.match[:200]!r}"
        )
    if compiled.search("") is not None:
        raise UsageError(
            f"the pattern {pattern.name!r} of [ci] matches an empty line and so every line: {pattern.match[:200]!r}"
        )
    return Rule(pattern.name, pattern.cause, OWN_STRENGTH - min(place, 50), compiled, ())
