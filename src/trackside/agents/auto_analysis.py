"""Which runs are to be analysed unasked: those that rules of the settings name, each once, and few a day."""

from __future__ import annotations

import datetime as dt
import fnmatch
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import msgspec
import polars as pl

from trackside.history.names import is_workflow
from trackside.history.outcomes import Outcome
from trackside.records.agent_rules import AgentRules, AutoAnalysis

DAY: Final = dt.timedelta(days=1)
OWN_WORKFLOWS: Final = (
    "agentops-log-analyzer.yml",
    "agentops-data-sync.yml",
    "AgentOps log analyzer",
    "AgentOps data sync",
)
"""The workflows that analyse, by file and by name: their own failures would start them again and again."""
_COLUMNS: Final = (
    "run_id", "workflow", "workflow_file", "line", "outcome", "conclusion", "created_at", "updated_at",
)  # fmt: skip


class DueRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is to be analysed: ``failures`` is how many of its workflow and branch failed in a row with it."""

    run_id: int
    workflow: str
    branch: str | None
    failures: int


def due_runs(
    rules: AgentRules,
    runs: pl.DataFrame,
    begun: Mapping[int, dt.datetime],
    now: dt.datetime,
    own: Collection[str] = OWN_WORKFLOWS,
) -> tuple[DueRun, ...]:
    """The runs that the rules name, the newest first, as many as may be begun within a day.

    ``runs`` has the columns of ``history.frames.RUN_COLUMNS``; the newest attempt of each run counts. A run is due
    where it is at least the so manieth failure in a row of its workflow on its branch, and was over within the last
    day; a branch of a fork is another branch. Neither a cancelled run nor one that is not over ends a row.
    ``begun`` tells when an analysis of a run was begun, ever: it is not begun again. Workflows in ``own`` (paths, file
    names or names) are never analysed.
    """
    left = rules.auto_analyze_per_day - sum(at > now - DAY for at in begun.values())
    if left <= 0 or not rules.auto_analyze:
        return ()
    found = {
        one.run_id: one
        for one in _failures(runs, now, own)
        if one.run_id not in begun and any(_names(rule, one) for rule in rules.auto_analyze)
    }
    chosen = sorted(found.values(), key=lambda one: one.run_id, reverse=True)[:left]
    return tuple(
        DueRun(run_id=one.run_id, workflow=one.workflow, branch=one.branch, failures=one.failures) for one in chosen
    )


class _Failure(DueRun, frozen=True, kw_only=True):
    file: str | None


def _names(rule: AutoAnalysis, run: _Failure) -> bool:
    """Whether the rule is about the run: by path, file name or name of its workflow, branch, failures in a row."""
    last = (run.file or "").rpartition("/")[2]
    names = [name.casefold() for name in (run.workflow, run.file, last) if name]
    of_workflow = any(fnmatch.fnmatchcase(name, rule.workflow.casefold()) for name in names)
    return of_workflow and rule.branch in (None, run.branch) and run.failures >= rule.times


def _failures(runs: pl.DataFrame, now: dt.datetime, own: Collection[str]) -> Iterable[_Failure]:
    """Every run that failed within the last day, with how many failed in a row until it."""
    rows: dict[tuple[str | None, str, str | None], int] = defaultdict(int)
    newest = runs.filter("is_latest").select(_COLUMNS).sort("created_at", "run_id", nulls_last=True)
    for run in newest.iter_rows(named=True):
        if any(is_workflow(one, run["workflow_file"], run["workflow"]) for one in own):
            continue
        line = (run["workflow_file"], run["workflow"] if run["workflow_file"] is None else "", run["line"])
        if run["outcome"] == Outcome.PASSED:
            rows[line] = 0
        if not _failed(run):
            continue
        rows[line] += 1
        over_at = run["updated_at"] or run["created_at"]
        if over_at is not None and over_at > now - DAY:
            yield _Failure(
                run_id=run["run_id"],
                workflow=run["workflow"],
                file=run["workflow_file"],
                branch=run["line"],
                failures=rows[line],
            )


def _failed(run: Mapping[str, Any]) -> bool:
    """A run that waits for somebody's leave has no log to look into."""
    return bool(run["outcome"] == Outcome.FAILED) and run["conclusion"] != "action_required"
