"""Which regular expressions may take for ever: their cost grows exponentially with the length of a line."""

from __future__ import annotations

import re
from collections.abc import Iterator

# The parser of ``re`` has no public name; what it returns is looked at here, and in perf.expressions.
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)
_MANY = 25
"""A repetition of up to so many times is no endless one."""


def repeats_a_repetition(expression: str) -> bool:
    """Whether an unbounded repetition holds another one, as in ``(a+)+``; False where it is no expression."""
    try:
        parsed = _parser.parse(expression)
    except (re.error, OverflowError, RecursionError):
        return False
    return _nests(parsed, inside=False)


def _nests(items: Any, *, inside: bool) -> bool:
    for operation, argument in items:
        endless = operation in _REPEATS and argument[1] > _MANY
        if endless and inside:
            return True
        if any(_nests(part, inside=inside or endless) for part in _parts(operation, argument)):
            return True
    return False


def _parts(operation: Any, argument: Any) -> Iterator[Any]:
    """The expressions within an operation."""
    if operation is _constants.BRANCH:
        yield from argument[1]
    elif isinstance(argument, tuple):
        yield from (part for part in argument if isinstance(part, _parser.SubPattern))
    elif isinstance(argument, _parser.SubPattern):
        yield argument
