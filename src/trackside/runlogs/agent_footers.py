"""The figures that agents print as text when they end: Copilot CLI and Claude Code."""

from __future__ import annotations

import re
from typing import Any, Final

from trackside.runlogs.agent_events import AgentEvent
from trackside.runlogs.findings import AgentKind

_COUNT: Final = r"(\d{1,12}(?:\.\d{1,6})?[kmb]?)"
_USAGE: Final = re.compile(r"\s{0,4}Total usage est: {1,20}(\d{1,9}(?:\.\d{1,4})?) Premium request")
_REQUESTS: Final = re.compile(r"\s{0,4}Requests {1,12}(\d{1,9}(?:\.\d{1,4})?) Premium")
_COST: Final = re.compile(r"\s{0,8}Total cost: {1,20}\$(\d{1,9}(?:\.\d{1,8})?)")
_SESSION: Final = re.compile(r"\s{0,8}Total (?:session time|duration \(wall\)): {1,20}(\S.{0,40})$")
_OTHER: Final = re.compile(
    r"\s{0,8}(?:API time spent|Total duration \(API\)|Total code changes|Breakdown by AI model|Usage by model): ?"
)
_MODEL: Final = re.compile(
    rf"\s{{1,40}}(\S{{1,80}}?):? {{1,30}}{_COUNT} in(?:put)?, {_COUNT} out(?:put)?, {_COUNT} cache(?:d| read)"
    rf"(?:, {_COUNT} cache write)?(?: \(|$|, )"
)
_TOKENS: Final = re.compile(rf"\s{{0,4}}Tokens {{1,12}}↑ {_COUNT} • ↓ {_COUNT}(?: • {_COUNT} \(cached\))?")
_PART: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(ms|[dhms])")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_FACTORS: Final = {"k": 1e3, "m": 1e6, "b": 1e9}


def read_footer(text: str, agent: AgentKind | None) -> AgentEvent | None:
    """What a line of such figures tells, None where it is none. ``agent`` is the one that speaks, if one does.

    Lines that both agents print are read only where it is known which of them speaks.
    """
    if not text.lstrip()[:1].isalpha():
        return None
    for pattern in (_USAGE, _REQUESTS):
        if found := pattern.match(text):
            return AgentEvent(agent="copilot", told={"premium_requests": float(found[1])})
    if found := _COST.match(text):
        return AgentEvent(agent="claude", told={"cost_usd": float(found[1])})
    if found := _TOKENS.match(text):
        return AgentEvent(agent="copilot", added=_tokens(found[1], found[2], found[3] or "0", whole=True))
    if agent not in ("copilot", "claude"):
        return None
    if found := _SESSION.match(text):
        seconds = _duration(found[1])
        return AgentEvent(agent=agent, told={} if seconds is None else {"duration_s": seconds})
    if found := _MODEL.match(text):
        return _model(agent, found)
    return AgentEvent(agent=agent) if _OTHER.match(text) else None


def _model(agent: AgentKind, found: re.Match[str]) -> AgentEvent:
    """The tokens of one model; Copilot counts what it read from a cache into what it took in, Claude Code does not."""
    added = _tokens(found[2], found[3], found[4], whole=agent == "copilot")
    if found[5]:
        added = {**added, "input_tokens": added["input_tokens"] + count(found[5])}
        added["total_tokens"] += count(found[5])
    told: dict[str, Any] = {"model": found[1]}
    return AgentEvent(agent=agent, added=added, told=told)


def _tokens(taken: str, given: str, cached: str, *, whole: bool) -> dict[str, int]:
    fresh = count(taken) - count(cached) if whole else count(taken)
    fresh = max(0, fresh)
    return {
        "input_tokens": fresh,
        "output_tokens": count(given),
        "cached_tokens": count(cached),
        "total_tokens": fresh + count(given) + count(cached),
    }


def count(text: str) -> int:
    """The number that ``20.9k`` or ``1.2m`` means."""
    return round(float(text.rstrip("kmb")) * _FACTORS.get(text[-1], 1))


def _duration(text: str) -> float | None:
    """Seconds out of ``2m 57s`` or ``1d 22h 55m``; None of what is none."""
    parts = _PART.findall(text)
    return round(sum(float(number) * _SECONDS[unit] for number, unit in parts), 3) if parts else None
