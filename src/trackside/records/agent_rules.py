"""What a repository's settings say of its agents: who they are, what is kept of their runs, costs, logs, alerts."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec

# What is beyond these bounds was mistyped, and would overflow where it is reckoned with.
_MOST: Final = 1_000_000_000
_MOST_BYTES: Final = 1024**4
_YEAR_HOURS: Final = 8760.0
_YEAR_S: Final = _YEAR_HOURS * 3600
Positive = Annotated[int, msgspec.Meta(ge=1, le=_MOST)]
Natural = Annotated[int, msgspec.Meta(ge=0, le=_MOST)]
Days = Annotated[int, msgspec.Meta(ge=1, le=3650)]
Bytes = Annotated[int, msgspec.Meta(ge=1, le=_MOST_BYTES)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Amount = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]
AccountId = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
LoggedEnding = Literal["failure", "timed_out", "cancelled"]
Detail = Literal["all", "bands"]


class OwnAgent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An agent that the repository names itself.

    ``aliases`` are other names of it, ``logins`` and ``ids`` the accounts it acts as, ``emails`` the addresses it
    commits with, ``branch_prefixes`` those of its branches, ``steps`` globs of the steps in which it works, and
    ``workflows`` the files of workflows that only run it. A name of an agent that is known anyway adds to it.
    """

    name: str
    aliases: tuple[str, ...] = ()
    logins: tuple[str, ...] = ()
    ids: tuple[AccountId, ...] = ()
    emails: tuple[str, ...] = ()
    branch_prefixes: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuses an agent without a name."""
        if not self.name.strip():
            raise ValueError("an agent needs a name")


class CostRate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a minute on a runner costs. ``labels`` are globs of labels, all of which a job must have; none fits all.

    The first rate that fits a job counts. ``per_minute`` is in the currency of the settings.
    """

    per_minute: Amount
    labels: tuple[str, ...] = ()


class Bands(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much is kept of a run in the data file, by its place among the runs of its workflow, the newest first.

    Runs 1 to ``full`` have jobs and steps, up to ``summary`` the run only, later ones count in the aggregates only.
    Runs that failed keep their steps up to ``failed``.
    """

    full: Natural = 10
    summary: Natural = 50
    failed: Natural = 200

    def __post_init__(self) -> None:
        """Refuses bands that overlap."""
        if not self.full <= self.summary:
            raise ValueError("full is at most summary")


class LogBudget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which logs of failed jobs are downloaded where only new failures are looked into, and how many at most.

    A failure is known where the log of one with the same workflow, job, failed step and conclusion was read. One of a
    known kind is looked into again after so many ``recheck_after`` failures or ``recheck_days``. ``per_sync`` and
    ``per_day`` bound downloads, ``mib_per_day`` their size; what is over waits for the next sync.
    """

    conclusions: Annotated[tuple[LoggedEnding, ...], msgspec.Meta(min_length=1)] = ("failure",)
    per_sync: Natural = 20
    per_day: Natural = 100
    mib_per_day: Natural = 200
    recheck_after: Positive = 5
    recheck_days: Days = 7


class AlertRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When something is alarming. ``rate_limit_below`` without a value is 1,000 of a limit of 5,000 or more, else 20 %.

    ``interval_hours`` is how often a sync is meant to run; data is stale after twice that.
    """

    rate_limit_below: Natural | None = None
    failures_in_row: Positive = 3
    sync_longer_than_s: Annotated[float, msgspec.Meta(ge=0, le=_YEAR_S)] = 300.0
    file_larger_than_bytes: Bytes = 5 * 1024 * 1024
    file_warning_share: Share = 0.8
    interval_hours: Annotated[float, msgspec.Meta(gt=0, le=_YEAR_HOURS)] = 2.0


class AutoAnalysis(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Runs that are analysed unasked: of ``workflow`` (a glob), on ``branch``, failed ``times`` in a row."""

    workflow: str
    branch: str | None = None
    times: Positive = 1


class MetricPattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A regular expression for a number that scripts print: groups ``value`` and, if not ``name``, ``name``."""

    match: str
    name: str | None = None

    def __post_init__(self) -> None:
        """Refuses what cannot find a value."""
        try:
            groups = re.compile(self.match).groupindex
        except re.error as error:
            msg = f"{self.match[:200]!r} is no regular expression: {error}"
            raise ValueError(msg) from error
        if "value" not in groups or (self.name is None and "name" not in groups):
            raise ValueError("a metric needs the groups value and, where it has no name, name")


class AgentRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section ``[agents]`` of the settings.

    ``registry`` is the folder, in a checkout of the repository, whose Markdown files each describe an agent.
    ``issue_patterns`` are regular expressions with a group ``number``, searched in titles of runs. ``artifacts``: the
    artifacts of each run are listed, and ``aw_info.json`` is read, a call or more for each run. ``knowledge_file`` is
    the file, in a checkout, that holds what people said of known failures. ``data_file`` is the data file whose
    size alerts look at, and its name where a report is told only the folder. ``detail``: all jobs and steps stand in
    it, or as many as the bands say. ``currency`` is that of the rates. ``ignored_workflows`` are left out where no
    workflow is named: the sync itself is a run, and would be news at every sync.
    """

    agent: tuple[OwnAgent, ...] = ()
    registry: str = ".github/agents"
    issue_patterns: tuple[str, ...] = ()
    ignored_workflows: tuple[str, ...] = ("agentops-data-sync.yml",)
    artifacts: bool = False
    data_file: str = "agentops-runs.json"
    knowledge_file: str = ".github/agentops-knowledge.json"
    detail: Detail = "all"
    bands: Bands = Bands()
    rates: tuple[CostRate, ...] = ()
    currency: str = "USD"
    logs: LogBudget = LogBudget()
    alerts: AlertRules = AlertRules()
    auto_analyze: tuple[AutoAnalysis, ...] = ()
    auto_analyze_per_day: Natural = 5
    metrics: tuple[MetricPattern, ...] = ()

    def __post_init__(self) -> None:
        """Refuses patterns of issues that cannot find a number."""
        for pattern in self.issue_patterns:
            try:
                groups = re.compile(pattern).groupindex
            except re.error as error:
                msg = f"issue_patterns: {pattern[:200]!r} is no regular expression: {error}"
                raise ValueError(msg) from error
            if "number" not in groups:
                msg = f"issue_patterns: {pattern[:200]!r} has no group number, as in (?P<number>[0-9]+)"
                raise ValueError(msg)
