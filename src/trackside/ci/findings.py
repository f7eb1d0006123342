"""The verdict on a failed attempt of a job, the rule that led to it, and the sentences that say why."""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from trackside.ci.clues import Clues
from trackside.ci.flake_evidence import Kind
from trackside.ci.same_commit import Proof
from trackside.ci.stretches import Stretch

_MOST_OF_A_LINE: Final = 200
_NO_LINE: Final = "its log shows no line that tells an error"
_NO_LINE_OF_CUT: Final = (
    "its log is longer than log_cap_mib and was cut: what was kept shows no line that tells an error"
)


class Verdict(enum.StrEnum):
    """Where a failure comes from."""

    CODE = "code"
    """The code of the line, of its pull request, or of the default branch. It does not say which commit."""
    FLAKY = "flaky"
    """It comes and goes on the same code. It does not say that it may be ignored."""
    RUNNER = "runner"
    """One machine. It does not say that the job would pass elsewhere each time."""
    INFRASTRUCTURE = "infrastructure"
    """A service, or machines of many jobs at once. It does not say that the repository can do nothing about it."""
    UNKNOWN = "unknown"
    """What is there does not tell, or contradicts itself."""


class Ground(enum.StrEnum):
    """The rule that led to a verdict, in the order in which they are tried."""

    OUTAGE = "outage"
    """Many jobs of many commits failed for the same cause within an hour."""
    BAD_RUNNER = "bad_runner"
    """Failures concentrate on its runner beyond chance, and its cause fits or no log tells another."""
    RUNNER_LOST = "runner_lost"
    """Its runner went away."""
    MACHINE = "machine"
    """Failures for its cause, one of machines, are on its runner and hardly on others of the pool."""
    SERVICE = "service"
    """A service refused, and others met that too, the same commit passed later, or it comes and goes."""
    SAME_COMMIT = "same_commit"
    """The same commit passed too, while the job was not broken."""
    MAIN_IS_BROKEN = "main_is_broken"
    """The default line shows the same error at that time, in runs in a row."""
    RUNS_IN_A_ROW = "runs_in_a_row"
    """Its line fails in runs in a row, with the same error."""
    KNOWN_FLAKE = "known_flake"
    """The same error of the job went away on the same commit elsewhere."""
    CAME_AND_WENT = "came_and_went"
    """The same error of the job was there on several commits, with successes in between."""
    OWN_CHANGE = "own_change"
    """The error is on this line alone, and the job works elsewhere."""
    NOTHING = "nothing"
    """No rule applies."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one attempt. ``reasons`` led to it; ``missing`` says, for unknown, what would have told more.

    ``whose`` is the line whose code it is, for code; None stands for the default branch.
    """

    verdict: Verdict
    ground: Ground
    reasons: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    whose: str | None = None


def contradiction(clues: Clues, reason: str, missing: str) -> Finding:
    """Unknown, as what is there contradicts itself; ``missing`` would tell."""
    reasons = (reason, *telling_line(clues))
    return Finding(verdict=Verdict.UNKNOWN, ground=Ground.NOTHING, reasons=reasons, missing=(missing,))


def known(clues: Clues) -> tuple[str, ...]:
    """What is known of an attempt that no rule explains."""
    if told := telling_line(clues):
        return told
    step = f", in the step {clues.row['failed_step']}" if clues.row["failed_step"] else ""
    return (f"It failed{step}.",)


def missing_of(clues: Clues) -> tuple[str, ...]:
    """What would have told more about an attempt that no rule explains."""
    missing = []
    if not clues.has_log:
        missing.append("no log was read: run with --logs failed")
    elif clues.row["fingerprint"] is None:
        missing.append(_NO_LINE_OF_CUT if clues.row["truncated"] else _NO_LINE)
    if clues.event is not None and clues.event.kind is Kind.BROKEN:
        missing.append("the same commit passed, but other commits failed at that time too")
    elif clues.event is not None and clues.event.kind is Kind.OUTAGE:
        missing.append("many jobs failed at the same step in that hour, and no log tells why")
    elif clues.stretch is not None and len(clues.stretch.failures) > 1 and clues.has_log:
        rows, alike = len(clues.stretch.failures), len(clues.alike)
        missing.append(f"{rows:,} runs in a row failed, of which {alike:,} with this error")
    elif clues.event is None and clues.again <= 1:
        missing.append("the commit was not tried again: a second attempt would show a flake or a breakage")
    return tuple(missing)


def passed_too(clues: Clues) -> tuple[str, ...]:
    """That the same commit passed, and where."""
    assert clues.event is not None
    passed = clues.event.passed
    run = f"run #{passed.run_number}" if passed.run_number is not None else f"run {passed.run_id}"
    how = "another attempt of " if clues.event.proof is Proof.RERUN else ""
    return (f"The same commit passed in {how}{run}.",)


def since(stretch: Stretch) -> str:
    """How often, since which run, and what was before and after."""
    rows = stretch.rows
    first = rows[stretch.first]
    before = (
        f"passed last in run {_number(rows[stretch.before])}" if stretch.before is not None else "never passed before"
    )
    after = f", passed again in run {_number(rows[stretch.after])}" if stretch.after is not None else ""
    times = count(len(stretch.failures), "run")
    return f"{times} since run {_number(first)}; it {before}{after}"


def _number(row: dict[str, object]) -> str:
    number = row["run_number"] if row["run_number"] is not None else row["run_id"]
    return f"#{number} ({str(row['sha'])[:8]})" if row["sha"] else f"#{number}"


def telling_line(clues: Clues) -> tuple[str, ...]:
    """What the log shows; nothing where it was not read or tells no error."""
    if not clues.has_log or clues.cause is None or clues.row["fingerprint"] is None:
        return ()
    line, number = clues.row["line_text"] or "", clues.row["line_number"]
    line = line if len(line) <= _MOST_OF_A_LINE else f"{line[: _MOST_OF_A_LINE - 1]}…"
    at = f"line {number:,}" if number is not None else "a line"
    at = f"{at} of what was kept of it" if clues.row["truncated"] else at
    return (f"The log tells {words(clues.cause)}{f', {at}: {line}' if line else ''}",)


def count(number: int, noun: str) -> str:
    """``1 run``, ``1,234 runs``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def words(cause: str) -> str:
    """A cause as it is read."""
    return cause.replace("_", " ")
