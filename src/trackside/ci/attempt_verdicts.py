"""What a single failed attempt comes from: rules in an order, each of which needs more than one sign.

The first rule that applies counts. From outside first (an outage, a runner, a service), as that strikes any job; then
what the same commit showed; then what the runs before and after show; at last nothing, and what would have told.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from trackside.ci.clues import MACHINES, OF_CODE, SERVICES, Clues
from trackside.ci.findings import (
    Finding,
    Ground,
    Verdict,
    contradiction,
    count,
    known,
    missing_of,
    passed_too,
    since,
    telling_line,
    words,
)
from trackside.ci.flake_evidence import Kind
from trackside.ci.same_commit import Proof
from trackside.records.failures import Cause

IN_A_ROW: Final = 2
"""So many runs in a row with the same error, of a cause that code brings about, make a breakage,"""
IN_A_ROW_OTHERWISE: Final = 3
"""so many where the cause may be another's."""
BY_CHANCE: Final = 0.01
"""An error that is known to come and go must be this unlikely in so many runs in a row."""
ON_ONE_RUNNER: Final = 3
"""So many failures for one cause of machines on a runner,"""
OF_ITS_POOL: Final = 2 / 3
"""and this share of those of its pool, make it the runner's."""
RUNNER_RATIO: Final = 3.0
"""A bad runner has this many times its due where it stands for failures that no log explains."""
TOGETHER: Final = 3
"""So many failures of a service within an hour, on two branch lines or more, make it the service's."""
CAME_AND_WENT: Final = 3
"""So many times an error came, each on another commit, of a job that passed more often than not in between."""
SOUND: Final = 20
"""So many runs on other commits without a flake make a lone failure of a test the change's own."""


def judge_attempt(clues: Clues) -> Finding:
    """The finding of the first rule that applies."""
    for rule in _RULES:
        finding = rule(clues)
        if finding is not None:
            return finding
    return Finding(verdict=Verdict.UNKNOWN, ground=Ground.NOTHING, reasons=known(clues), missing=missing_of(clues))


def _outage(clues: Clues) -> Finding | None:
    found = clues.outage
    if found is None or (clues.runner is not None and clues.cause in MACHINES):
        return None
    where = f" in the pool {found.pool}" if found.pool else ""
    how = words(found.reason) if clues.has_log else f"{words(found.reason)}, by the names of their steps"
    when = f"{found.first_at:%Y-%m-%d %H:%M} to {found.last_at:%H:%M} UTC"
    reasons = (
        f"{found.failures:,} attempts of {count(found.jobs, 'job')} and {count(found.commits, 'commit')} failed for "
        f"one cause ({how}){where} from {when}: {found.share:.0%} of all that ended then.",
        *telling_line(clues),
    )
    return Finding(verdict=Verdict.INFRASTRUCTURE, ground=Ground.OUTAGE, reasons=reasons)


def _bad_runner(clues: Clues) -> Finding | None:
    runner = clues.runner
    if runner is None or runner.expected is None or runner.q is None:
        return None
    fits = clues.has_log and clues.cause in MACHINES
    of_service = clues.has_log and clues.cause in (Cause.DEPENDENCY, Cause.RATE_LIMIT)
    passed = clues.event is not None and clues.event.kind is Kind.RUNNER and not of_service
    unexplained = not clues.has_log or (clues.cause not in OF_CODE and not of_service)
    much = runner.compared_failures >= RUNNER_RATIO * runner.expected
    if not fits and not passed and not (unexplained and much and not _is_elsewhere(clues)):
        return None
    reasons = (
        f"Failures concentrate on its runner {runner.name}: {runner.compared_failures:,} of {runner.compared:,} "
        f"attempts failed, {runner.expected:.1f} were to be expected from the same jobs on other runners "
        f"(q = {runner.q:.2g}).",
        *(telling_line(clues) if clues.has_log else ("No log tells another cause.",)),
        *(passed_too(clues) if passed else ()),
    )
    return Finding(verdict=Verdict.RUNNER, ground=Ground.BAD_RUNNER, reasons=reasons)


def _runner_lost(clues: Clues) -> Finding | None:
    passed = clues.event is not None
    if clues.cause is Cause.RUNNER_LOST and (clues.has_log or passed):
        happened = "went away while it ran"
    elif clues.cause is Cause.DISK_FULL and clues.has_log and passed:
        happened = "had no space left"
    else:
        return None
    if clues.runners_alike >= IN_A_ROW:
        return contradiction(
            clues,
            f"This befell {clues.runners_alike} different runners of the job in a row: the job may bring it about.",
            "what the machines say of that time (memory, disk, kernel log)",
        )
    on = f" {clues.row['runner_name']}" if clues.row["runner_name"] else ""
    reasons = (f"Its runner{on} {happened}.", *telling_line(clues), *(passed_too(clues) if passed else ()))
    return Finding(verdict=Verdict.RUNNER, ground=Ground.RUNNER_LOST, reasons=reasons)


def _machine(clues: Clues) -> Finding | None:
    if clues.cause not in MACHINES or clues.on_runner < ON_ONE_RUNNER or clues.on_runner < OF_ITS_POOL * clues.on_pool:
        return None
    if clues.runners_alike >= IN_A_ROW:
        return None
    reasons = (
        f"{clues.on_runner:,} of the {clues.on_pool:,} failures of its pool for this cause ({words(clues.cause)}) "
        f"were on its runner {clues.row['runner_name']}.",
        *telling_line(clues),
    )
    return Finding(verdict=Verdict.RUNNER, ground=Ground.MACHINE, reasons=reasons)


def _service(clues: Clues) -> Finding | None:
    if not clues.has_log or clues.cause not in SERVICES:
        return None
    attempts, families, lines = clues.fellows
    if attempts >= TOGETHER and lines > 1:
        told = f"{attempts:,} attempts of {count(families, 'job')} and {count(lines, 'branch line')} failed for this "
        reasons = (f"{told}cause ({words(clues.cause)}) within an hour of it.", *telling_line(clues))
    elif clues.event is not None and clues.event.kind is not Kind.BROKEN:
        reasons = (*telling_line(clues), *passed_too(clues))
    else:
        return None
    return Finding(verdict=Verdict.INFRASTRUCTURE, ground=Ground.SERVICE, reasons=reasons)


def _same_commit(clues: Clues) -> Finding | None:
    event = clues.event
    if event is None or event.proof is Proof.RETRY:
        return None
    if event.kind is Kind.FLAKE:
        reasons = (*passed_too(clues), "Around then the job was not broken on other commits.", *telling_line(clues))
        return Finding(verdict=Verdict.FLAKY, ground=Ground.SAME_COMMIT, reasons=reasons)
    if event.kind is Kind.UNKNOWN:
        return contradiction(
            clues,
            "The same commit passed later, and no run near it tells whether the job was broken before.",
            "runs of other commits around that time",
        )
    return None


def _main_is_broken(clues: Clues) -> Finding | None:
    found = clues.on_main
    if found is None or not _is_lasting(clues, len(found.failures)):
        return None
    reasons = (f"The default branch shows the same error at that time: {since(found)}.", *telling_line(clues))
    return Finding(verdict=Verdict.CODE, ground=Ground.MAIN_IS_BROKEN, reasons=reasons)


def _runs_in_a_row(clues: Clues) -> Finding | None:
    stretch = clues.stretch
    if stretch is None or not clues.has_log or clues.event is not None:
        return None
    failed, alike = len(stretch.failures), len(clues.alike)
    if alike < IN_A_ROW or 2 * alike < failed or not _is_lasting(clues, alike):
        return None
    if clues.cause not in OF_CODE and clues.runners_alike == 1 and alike < 2 * IN_A_ROW_OTHERWISE:
        return None
    runners = f" on {clues.runners_alike} runners" if clues.runners_alike > 1 else ""
    line = clues.row["line"]
    where = "The default branch" if clues.row["is_default_line"] else f"The line {line}"
    reasons = (
        f"{where} fails in runs in a row: {since(stretch)}.",
        f"The same error is in {alike:,} of them{runners}.",
        *telling_line(clues),
    )
    whose = None if clues.row["is_default_line"] else line
    return Finding(verdict=Verdict.CODE, ground=Ground.RUNS_IN_A_ROW, reasons=reasons, whose=whose)


def _known_flake(clues: Clues) -> Finding | None:
    kin = clues.kin
    if kin is None or kin.proofs == 0 or not _works_mostly(clues):
        return None
    reasons = (
        f"The same error of this job went away on the same commit {count(kin.proofs, 'time')} in the window.",
        f"The job is not broken: it failed in {clues.chance:.0%} of its other runs.",
        *telling_line(clues),
    )
    return _by_chance(clues, Ground.KNOWN_FLAKE, reasons)


def _came_and_went(clues: Clues) -> Finding | None:
    kin = clues.kin
    if kin is None or min(len(kin.commits), kin.episodes) < CAME_AND_WENT or not _works_mostly(clues):
        return None
    if 2 * kin.failed_runs >= kin.decided_runs or (
        kin.longest >= IN_A_ROW and math.pow(clues.chance, kin.longest) <= BY_CHANCE
    ):
        return None
    passed = kin.decided_runs - kin.failed_runs
    reasons = (
        f"The same error of this job came and went {count(kin.episodes, 'time')}, on "
        f"{count(len(kin.commits), 'commit')} of {count(len(kin.lines), 'branch line')}; in between it passed in "
        f"{count(passed, 'run')}.",
        *telling_line(clues),
    )
    return _by_chance(clues, Ground.CAME_AND_WENT, reasons)


def _own_change(clues: Clues) -> Finding | None:
    kin, row = clues.kin, clues.row
    if kin is None or not clues.has_log or row["is_default_line"] or row["line"] is None or clues.event is not None:
        return None
    repeated = clues.again >= IN_A_ROW
    may_be = clues.cause in OF_CODE or (clues.cause is Cause.DEPENDENCY and repeated)
    if not may_be or len(kin.lines) > 1 or clues.passed_elsewhere == 0:
        return None
    if repeated:
        more = f"It failed so {clues.again:,} times there, and never passed on the same commit."
    elif clues.cause in (Cause.BUILD, Cause.LINT):
        more = f"It is one that does not come and go by chance ({words(clues.cause)})."
    elif clues.runs_elsewhere >= SOUND and clues.flakes == 0:
        more = f"In {clues.runs_elsewhere:,} runs on other commits the job was never seen to be flaky."
    else:
        return None
    reasons = (
        f"The error is on no other line than {row['line']}.",
        more,
        f"The job passed in {count(clues.passed_elsewhere, 'run')} of other lines within a day of it.",
        *telling_line(clues),
    )
    return Finding(verdict=Verdict.CODE, ground=Ground.OWN_CHANGE, reasons=reasons, whose=row["line"])


_RULES: Final[tuple[Callable[[Clues], Finding | None], ...]] = (
    _outage,
    _bad_runner,
    _runner_lost,
    _machine,
    _service,
    _same_commit,
    _main_is_broken,
    _runs_in_a_row,
    _known_flake,
    _came_and_went,
    _own_change,
)


def _is_lasting(clues: Clues, runs: int) -> bool:
    """Whether so many failed runs in a row with one error are breakage rather than bad luck."""
    if runs < (IN_A_ROW if clues.cause in OF_CODE else IN_A_ROW_OTHERWISE):
        return False
    comes_and_goes = clues.kin is not None and clues.kin.proofs > 0
    return not comes_and_goes or math.pow(clues.chance, runs) <= BY_CHANCE


def _by_chance(clues: Clues, ground: Ground, reasons: tuple[str, ...]) -> Finding:
    """What comes and goes is a flake, unless a service is what comes and goes."""
    if clues.has_log and clues.cause in SERVICES:
        return Finding(verdict=Verdict.INFRASTRUCTURE, ground=Ground.SERVICE, reasons=reasons)
    return Finding(verdict=Verdict.FLAKY, ground=ground, reasons=reasons)


def _works_mostly(clues: Clues) -> bool:
    """Whether the job passes more often than not, and was not broken where its commit passed."""
    return 2 * clues.chance < 1 and (clues.event is None or clues.event.kind is not Kind.BROKEN)


def _is_elsewhere(clues: Clues) -> bool:
    """Whether the failure was on other runners too: the same error of the job, or runs in a row."""
    if clues.kin is not None and len(clues.kin.runners) > 1:
        return True
    rows = () if clues.stretch is None else clues.stretch.failures
    return any(row["runner_name"] not in (None, clues.row["runner_name"]) for row in rows)
