"""Regular expressions of rules: compiled, checked, and the words without which they cannot match."""

from __future__ import annotations

import re
from collections.abc import Iterator

# The parser of ``re`` has no public name, as in joblogs.pattern_cost.
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any, Final

from trackside.errors import UsageError
from trackside.joblogs.pattern_cost import repeats_a_repetition

NUMBER_MARK: Final = "{number}"
_NUMBER: Final = (
    r"(?P<value>[-+]?(?:\d{1,3}(?:,\d{3}){1,9}|\d{1,40})(?:\.\d{0,40})?(?:[eE][-+]?\d{1,5})?)"
    # No part of a version, a date, a hash, a list; no 3k for 3000.
    r"(?![.,_:/]?\d|[A-Za-z_]{1,20}\d|[kKmM]\b)"
)
_LONGEST: Final = 2000
_SHORTEST_WORD: Final = 3


def compile_expression(expression: str, where: str) -> re.Pattern[str]:
    """The expression, with ``{number}`` in it as the group ``value``.

    Raises:
        UsageError: it is none, may take for ever, or matches every line; the message says whose it is (``where``).
    """
    if len(expression) > _LONGEST:
        raise UsageError(f"{where} is longer than {_LONGEST} characters; say it shorter")
    full = expression.replace(NUMBER_MARK, _NUMBER)
    try:
        compiled = re.compile(full)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(f"{where} is no regular expression: {error} in {expression[:200]!r}") from error
    if repeats_a_repetition(expression.replace(NUMBER_MARK, "0")):
        raise UsageError(
            f"{where} repeats a repetition, which may take for ever on some line: {expression[:200]!r}; "
            "write it without one repetition in another"
        )
    if compiled.search("") is not None:
        raise UsageError(f"{where} matches an empty line and so every line: {expression[:200]!r}")
    return compiled


def words_of(expression: str, said: tuple[str, ...], where: str) -> tuple[bytes, ...]:
    """The words of which a line must hold one: those that were ``said``, else the longest text in every match.

    Raises:
        UsageError: nothing was said, and the expression has no text of three characters that every match holds.
    """
    if said:
        if not all(word.strip() for word in said):
            raise UsageError(f"{where} has an empty word among its words; a word is text that the line must hold")
        return tuple(word.encode() for word in said)
    parsed = _parser.parse(expression.replace(NUMBER_MARK, r"\d"))
    if parsed.state.flags & re.IGNORECASE:
        found = ""
    else:
        found = max((run.strip() for run in _runs(parsed)), key=len, default="")
    if len(found) < _SHORTEST_WORD:
        raise UsageError(
            f"{where} has no text of {_SHORTEST_WORD} characters that each of its lines holds, so every line of a log "
            "would have to be tried; name such texts as words = [...]"
        )
    return (found.encode(),)


def _runs(items: Any) -> Iterator[str]:
    """The texts that stand in every match, in order: what is optional or one of several is left out."""
    run = ""
    for operation, argument in items:
        if operation is _constants.LITERAL:
            run += chr(argument)
        elif operation is _constants.AT:
            continue
        else:
            yield run
            run = ""
            if operation is _constants.SUBPATTERN and not argument[1] & re.IGNORECASE:
                yield from _runs(argument[3])
            elif operation in (_constants.MAX_REPEAT, _constants.MIN_REPEAT) and argument[0] >= 1:
                yield from _runs(argument[2])
    yield run
