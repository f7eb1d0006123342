"""What a rule is: how a line of a log tells why its job failed, and how sure that is.

Strengths, so that rules of different families compare:

====== ===============================================================================================
90–99  the machine or the runner says itself what it did: time limit, shutdown, full disk, out of memory
75–89  a tool names the fault: a compiler, a resolver, a driver, a server that refused
60–74  a test, a threshold or a check names what failed
40–59  an exception or a message that was marked as an error, not known by kind
20–39  a line that says error
1–19   boilerplate that follows every failure
====== ===============================================================================================
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from trackside.records.failures import Cause


class Rule(NamedTuple):
    """``pattern`` is searched in a line's message where one of ``needs`` (lower case) is in the line.

    On the last lines before an error mark every rule is tried, elsewhere those whose words are there. ``last``: of
    several lines of this rule the last counts (a command that was tried again, a build that went on); otherwise the
    first error, where it was seen last. A ``wrapper`` only passes on that something else failed. A group ``test`` in
    the pattern is the name of the failed test. Where ``below`` is given, the next line must match it.
    """

    name: str
    cause: Cause
    strength: int
    pattern: re.Pattern[str]
    needs: tuple[str, ...]
    last: bool = False
    wrapper: bool = False
    anchored: bool = False
    below: re.Pattern[str] | None = None

    def search(self, message: str) -> re.Match[str] | None:
        """Where the pattern matches; a pattern of which all choices begin with ``^`` is tried there only."""
        return self.pattern.match(message) if self.anchored else self.pattern.search(message)

    @property
    def rank(self) -> int:
        """Which of several rules that match a line is the line's: a wrapper is known as such before it is an error."""
        return WRAPPER_RANK if self.wrapper else self.strength


WRAPPER_RANK: Final = 59


def rule(
    name: str,
    cause: Cause,
    strength: int,
    pattern: str,
    *needs: str,
    last: bool = False,
    wrapper: bool = False,
    below: str | None = None,
) -> Rule:
    """A rule of a table."""
    next_line = re.compile(below) if below else None
    return Rule(name, cause, strength, re.compile(pattern), needs, last, wrapper, _is_anchored(pattern), next_line)


def _is_anchored(pattern: str) -> bool:
    """Whether each of the pattern's outermost choices begins with ``^``."""
    without = re.sub(r"\\.", "", pattern)
    without = re.sub(r"\[\^?\]?[^\]]*\]", "", without)
    while "(" in without:
        inner = re.sub(r"\([^()]*\)", "", without)
        if inner == without:
            return False
        without = inner
    return all(choice.startswith("^") for choice in without.split("|"))


TRIGGERS: Final = (
    "error",
    "fail",
    "exception",
    "fatal",
    "timed out",
    "timeout",
    "killed",
    "denied",
    "not found",
    "no such",
    "unable to",
    "could not",
    "cannot",
    "can't",
    "refused",
    "cancel",
    "abort",
    "memory",
    "no space",
    "undefined",
    "conflict",
    "regression",
    "below",
    "rate limit",
    "toomanyreq",
    "shutdown signal",
    "lost communication",
    "panicked",
    "segmentation",
    "took >",
    "interrupt",
    "terminat",
    "exceed",
    "____ ",
    ">>> lint",
    "dirty",
    "nvrm:",
    "npm err",
    "panic: ",
    "no solution found",
    "unbound variable",
    " 429",
    "already in use",
    "overload",
    "usage limit",
    "session limit",
    "weekly limit",
    "credit balance",
    "insufficient_quota",
    "api key",
    "api_key",
    "api-key",
    "does not exist",
    "prompt is too long",
    "context length",
    "max turns",
    "reached max",
    "mcp server",
)
"""Lower-case words of which each rule's ``needs`` hold one: lines without any of them are not looked at."""
