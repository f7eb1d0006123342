"""Changes and silence in the words and figures of the tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trackside.perf.change_records import Change, Machines, RunnerAnswer
from trackside.perf.silence import SilenceReason, Silent
from trackside.report.ledger import counted
from trackside.report.perf_text import level_text

_SURE: Final = 0.9999
_REASONS: Final = {
    SilenceReason.NOTHING_READ: "its log was read, and no rule finds a value in it",
    SilenceReason.NO_VALUE: "its log was read: it has other values, but not this one",
    SilenceReason.NO_LOG: "it ran, and its log is not there",
    SilenceReason.NOT_RUN: "it was skipped or cancelled",
    SilenceReason.JOB_GONE: "it is not listed any more",
}
"""What is the matter with the job of a series that stopped."""


def confidence(q: float) -> str:
    """How sure a change is, after looking at all series: ``99.6 %``, never 100 %."""
    sure = 1.0 - q
    return f"> {_SURE:.2%}".replace("%", " %") if sure > _SURE else f"{100 * sure:.2f} %"


def unit_level(value: float, unit: str | None) -> str:
    """``153.1 tok/s``."""
    return f"{level_text(value)} {unit}" if unit else level_text(value)


def times_noise(noises: float | None) -> str | None:
    """The size of a change in units of the noise: ``5.3``."""
    return None if noises is None else f"{abs(noises):,.1f}"


def runner_words(answer: RunnerAnswer) -> str:
    """The runner question answered in a sentence: ``all 3 runners that measured before and after show it``."""
    both = [one for one in answer.runners if one.moved is not None]
    moved = sum(one.moved is True for one in both)
    of = counted(len(both), answer.by)
    if answer.machines is Machines.ALL:
        return f"all {of} that measured before and after show it"
    if answer.machines is Machines.ONE:
        return f"the one {answer.by} that measured before and after shows it{_elsewhere(answer)}"
    if answer.machines is Machines.SOME:
        return f"{moved} of {of} that measured before and after show it: {_named(answer, moved=True)}"
    if answer.machines is Machines.NEW:
        return f"it came with another {answer.by}: the code cannot be told from it{_elsewhere(answer)}"
    return "cannot be told: runners are not known, or measured too little"


def silence_words(one: Silent) -> str:
    """Why a series has no value any more."""
    failed = ", and it failed" if one.job_failed else ""
    return f"{_REASONS[one.reason]}{failed}"


def group_leads(changes: Sequence[Change]) -> list[Change]:
    """Of changes that moved together the first of ``changes``: one entry for one cause."""
    told: set[str] = set()
    leads = []
    for change in changes:
        if change.change_id not in told:
            leads.append(change)
            told |= {change.change_id, *change.moved_with}
    return leads


def _named(answer: RunnerAnswer, *, moved: bool, most: int = 5) -> str:
    names = [one.name for one in answer.runners if one.moved is moved]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _elsewhere(answer: RunnerAnswer) -> str:
    """The runners that measured on one side only."""
    came = sum(not one.values_before for one in answer.runners)
    went = sum(not one.values_after for one in answer.runners)
    parts = [f"{count} {verb}" for count, verb in ((came, "came"), (went, "went")) if count]
    return f" ({', '.join(parts)})" if parts else ""
