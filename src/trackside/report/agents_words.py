"""How the statistics of agent operations are put in words: outcomes, trends, costs, windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from trackside.agents.group_records import DENOMINATOR, Outcomes, Statistics, SuccessRate, Trend
from trackside.agents.outcome_counts import KINDS
from trackside.records.attribution import Role
from trackside.report.ledger import counted
from trackside.report.sections import percent

UNATTRIBUTED: Final = "(unattributed)"
NOT_KNOWN: Final = "not known"
OUTCOME_WORDS: Final = {
    "success": "succeeded",
    "failure": "failed",
    "timed_out": "timed out",
    "startup_failure": "could not start",
    "cancelled": "cancelled",
    "skipped": "skipped",
    "action_required": "waits for approval",
    "neutral": "neutral",
    "stale": "stale",
    "in_progress": "in progress",
    "queued": "queued",
    "waiting": "waiting",
    "requested": "requested",
    "pending": "pending",
    "other": "other",
}
"""A label of its own for each kind of outcome."""
ROLE_WORDS: Final = {
    Role.RAN.value: "worked",
    Role.TRIGGERED.value: "triggered",
    Role.AUTHORED.value: "authored",
    Role.ASSISTED.value: "assisted",
}
_DURATION: Final = {"up": "↑ longer", "down": "↓ shorter"}
_CENT: Final = 0.01
_SUCCESS: Final = {"up": "↑ better", "down": "↓ worse"}


def window_words(statistics: Statistics) -> str:
    """``Of 12 attempts of runs that began 2026-06-01 08:00 to 2026-06-02 07:10 UTC``."""
    attempts = counted(statistics.all_runs.outcomes.total, "attempt")
    if statistics.window_start is None or statistics.window_stop is None:
        return f"Of {attempts} of runs, when they began is not told"
    ends = f"{statistics.window_start:%Y-%m-%d %H:%M} to {statistics.window_stop:%Y-%m-%d %H:%M} UTC"
    return f"Of {attempts} of runs that began {ends}"


def outcome_parts(outcomes: Outcomes) -> list[tuple[str, int]]:
    """The label and count of each kind that there is; the counts add up to the total."""
    return [(OUTCOME_WORDS[kind], count) for kind in KINDS if (count := getattr(outcomes, kind))]


def success_words(success: SuccessRate) -> str:
    """``62.7 % (47 of 75; 51.4-72.7 %)``, the interval being Wilson's."""
    if success.rate is None or success.low is None or success.high is None:
        return NOT_KNOWN
    return f"{percent(success.rate)} ({success.successes:,} of {success.n:,}; {interval_words(success)})"


def interval_words(success: SuccessRate) -> str | None:
    """``51.4-72.7 %``; None where nothing was counted."""
    if success.low is None or success.high is None:
        return None
    return f"{success.low * 100:.1f}-{success.high * 100:.1f} %"


def denominator_words() -> str:
    """What a success rate is a share of, in the labels of the outcomes."""
    kinds = [OUTCOME_WORDS[kind] for kind in DENOMINATOR.split(" + ")]
    return f"{', '.join(kinds[:-1])} or {kinds[-1]}"


def duration_trend(trend: Trend, *, in_minutes: bool) -> str:
    """``↑ longer: 10.0 → 12.5``, the medians of the earlier and the later half of the window."""
    scale = 60 if in_minutes else 1
    return _trend(trend, _DURATION, lambda value: f"{value / scale:.1f}")


def success_trend(trend: Trend) -> str:
    """``↓ worse: 90.0 % → 72.5 %``, the rates of the earlier and the later half of the window."""
    return _trend(trend, _SUCCESS, lambda value: f"{value * 100:.1f} %")


def cost_words(cost: float | None, currency: str) -> str:
    """``USD 12.30``; what no rate tells is not known, and is not nothing."""
    if cost is None:
        return NOT_KNOWN
    return f"{currency} {cost:,.2f}" if cost >= _CENT or not cost else f"below {currency} {_CENT}"


def counts_words(counts: dict[str, int]) -> str | None:
    """``actor 12, branch 3``, the most frequent first; None where there is none."""
    told = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in told) or None


def other_roles(roles: dict[str, int]) -> str | None:
    """How often an agent had another part than to work in a run: ``triggered 12, assisted 1``."""
    return counts_words({ROLE_WORDS.get(role, role): n for role, n in roles.items() if role != Role.RAN.value})


def confidence_words(low: float | None, high: float | None) -> str | None:
    """``0.75`` or, where they differ, ``0.50-1.00``."""
    if low is None or high is None:
        return None
    return f"{low:.2f}" if low == high else f"{low:.2f}-{high:.2f}"


def _trend(trend: Trend, words: Mapping[str, str], shown: Callable[[float], str]) -> str:
    if trend.direction == "unknown" or trend.before is None or trend.after is None:
        return "too few to tell"
    if trend.direction == "flat":
        return "→ no clear change"
    return f"{words[trend.direction]}: {shown(trend.before)} → {shown(trend.after)}"
