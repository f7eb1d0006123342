"""States as people see them: a mark, a colour and a word each, so that no colour stands alone."""

from __future__ import annotations

from typing import Final

GOOD: Final = "good"
BAD: Final = "bad"
WARN: Final = "warn"
QUIET: Final = "quiet"
BUSY: Final = "busy"

_TONES: Final = {
    GOOD: ("success", "passed", "fixed", "ok", "improvement", "resolved", "recovered", "complete", "fails less"),
    BAD: (
        "failure", "failed", "broken", "timed_out", "startup_failure", "regression", "regressed", "on", "error",
        "fails more", "stands out",
    ),
    WARN: (
        "action_required", "flaky", "stale", "gone", "partial", "waiting", "open", "stopped", "warning", "new",
        "active",
    ),
    BUSY: ("in_progress", "queued", "requested", "pending", "unfinished", "recovering"),
    QUIET: ("cancelled", "skipped", "neutral", "muted", "undecided", "off", "unknown"),
}  # fmt: skip
_TONE_OF: Final = {state: tone for tone, states in _TONES.items() for state in states}
_MARKS: Final = {GOOD: "✓", BAD: "✗", WARN: "▲", BUSY: "◐", QUIET: "–"}
_OWN_MARKS: Final = {
    "cancelled": "⊘", "timed_out": "◷", "flaky": "≈", "queued": "○", "waiting": "○", "requested": "○", "pending": "○",
    "unknown": "?", "new": "✦", "regression": "▼", "improvement": "▲", "stopped": "∅",
    "startup_failure": "⊗", "stale": "△", "neutral": "□",
}  # fmt: skip


def tone_of(state: str | None) -> str:
    """How a state is coloured: good, bad, warn, busy or quiet, which is that of states that are new to us."""
    return _TONE_OF.get((state or "unknown").lower(), QUIET)


def mark_of(state: str | None) -> str:
    """The mark that stands before a state."""
    name = (state or "unknown").lower()
    return _OWN_MARKS.get(name, _MARKS[tone_of(name)])


def marks() -> dict[str, tuple[str, str]]:
    """The tone and the mark of every state that is known, for the script of the site."""
    return {state: (tone, mark_of(state)) for state, tone in _TONE_OF.items()}
