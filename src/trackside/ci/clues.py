"""What is known around a failed attempt: its run of failures, its error elsewhere, its runner, outages, retries."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from trackside.ci.flake_evidence import Event
from trackside.ci.outages import Outage
from trackside.ci.runners import Judged
from trackside.ci.stretches import Stretch
from trackside.records.failures import Cause, Source

SERVICES: Final = (Cause.DEPENDENCY, Cause.NETWORK, Cause.RATE_LIMIT)
"""Causes that lie with a service that is asked for something."""
MACHINES: Final = (Cause.RUNNER_LOST, Cause.DISK_FULL, Cause.GPU_FAULT, Cause.HOST_MEMORY)
"""Causes that lie with a machine, or that a machine can bring about."""
OF_CODE: Final = (
    Cause.TEST,
    Cause.BUILD,
    Cause.LINT,
    Cause.CRASH,
    Cause.ACCURACY,
    Cause.PERFORMANCE,
    Cause.CONFIGURATION,
)
"""Causes that the code of the repository brings about as a rule. The others tell nothing by themselves."""
Row = dict[str, Any]
JobKey = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Kin:
    """One error (a fingerprint) of one job over all lines.

    ``commits``, ``lines`` and ``runners`` are those it was seen on; ``proofs`` counts failures with it that are flakes
    for sure; ``episodes`` stretches of failures with it, ``longest`` the failed runs with it in one of them. Between
    the first and the last sighting ``decided_runs`` of the job passed or failed, and ``failed_runs`` of them failed.
    """

    commits: frozenset[str]
    lines: frozenset[str | None]
    runners: Counter[str]
    proofs: int
    episodes: int
    longest: int
    decided_runs: int
    failed_runs: int


@dataclass(frozen=True, eq=False)
class Clues:
    """What is known around the failed attempt ``row``; None where there is no such thing.

    ``runner`` is its runner where failures concentrate on it. ``on_runner`` and ``on_pool`` count failures for its
    cause on its runner and on its pool, for causes of machines. ``event`` tells that its commit also passed.
    ``stretch`` is the run of failures of its job on its line that holds its run, ``alike`` the failed runs in it with
    the same error. ``on_main`` is a stretch on the default line with the same error at that time. ``again`` counts
    failed attempts of the job on its line with the same error, itself included. ``fellows`` are failures for the same
    cause within an hour, where that is a service's: attempts, families of jobs, branch lines. ``passed_elsewhere``
    counts runs of the job on other lines that passed within a day, ``runs_elsewhere`` those of the window on other
    commits that passed or failed, ``flakes`` the job's known flakes. ``chance`` is the share of failures in the job's
    runs outside of ``stretch``.
    """

    row: Row
    outage: Outage | None
    runner: Judged | None
    on_runner: int
    on_pool: int
    event: Event | None
    stretch: Stretch | None
    alike: tuple[Row, ...]
    kin: Kin | None
    on_main: Stretch | None
    again: int
    fellows: tuple[int, int, int]
    passed_elsewhere: int
    runs_elsewhere: int
    flakes: int
    chance: float

    @property
    def cause(self) -> Cause | None:
        """Why it failed, as far as it is known or guessed."""
        return None if self.row["cause"] is None else Cause(self.row["cause"])

    @property
    def has_log(self) -> bool:
        """Whether its cause was told by its log."""
        return bool(self.row["source"] == Source.LOG.value)

    @property
    def runners_alike(self) -> int:
        """On how many runners the stretch showed its error; 0 where none is told."""
        return len({one["runner_name"] for one in self.alike if one["runner_name"]})


def same_error(one: Row, other: Row) -> bool:
    """Whether two failures show the same error: one fingerprint, or one test that failed for one cause."""
    if one["fingerprint"] is not None and one["fingerprint"] == other["fingerprint"]:
        return True
    return one["test"] is not None and one["test"] == other["test"] and one["cause"] == other["cause"]
