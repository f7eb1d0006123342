"""Changes in performance as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trackside.perf.change_records import Change
from trackside.perf.states import ChangeStates
from trackside.report.sections import Cell, section_csv

_CSV: Final = (
    "id", "state", "verdict", "workflow", "job", "test", "metric", "unit", "direction", "before", "after", "percent",
    "noise", "noises", "p", "q", "at_run", "at", "at_sha", "at_url", "last_good_run", "last_good_at", "last_good_sha",
    "last_good_url", "first_bad_run", "first_bad_at", "first_bad_sha", "first_bad_url", "compare_url", "commits",
    "pull_requests", "authors", "machines", "points_before", "points_after", "later", "fixed_by_run", "moved_with",
    "reason", "link", "decided_at",
)  # fmt: skip


def perf_changes_csv(states: ChangeStates) -> str:
    """One row for each change that was found; several values in a cell are joined with ``; ``."""
    return section_csv(_CSV, map(_csv_row, states.found.changes))


def _csv_row(one: Change) -> Sequence[Cell]:
    good, bad, decision = one.last_good, one.first_bad, one.decision
    commits = one.suspects.commits
    pulls = [str(commit.pull_number) for commit in commits if commit.pull_number is not None]
    return (
        one.change_id, one.state.value, one.verdict.value, one.workflow, one.job, one.test, one.metric, one.unit,
        one.direction.value, one.before, one.after, one.percent, one.noise, one.noises, one.p, one.q, one.at.run_number,
        one.at.ordered_at, one.at.sha, one.at.url, good.run_number, good.ordered_at, good.sha, good.url, bad.run_number,
        bad.ordered_at, bad.sha, bad.url, one.suspects.compare_url, len(commits), "; ".join(dict.fromkeys(pulls)),
        "; ".join(dict.fromkeys(commit.author for commit in commits if commit.author)), one.runners.machines.value,
        one.points_before, one.points_after, one.later, one.fixed_by.run_number if one.fixed_by else None,
        "; ".join(one.moved_with), *((None,) * 3 if decision is None else
                                     (decision.reason, decision.link, decision.decided_at)),
    )  # fmt: skip
