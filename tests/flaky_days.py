"""Days of runs that are added one by one, to be asked what of them is flaky."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from tests.history_frames import START, a_failure, a_history, a_job, a_run
from trackside.ci.flakiness import Flaky, find_flaky
from trackside.history.frames import History

MINUTE = dt.timedelta(minutes=1)
Row = dict[str, Any]


class Days:
    """Runs, jobs and failures that are added one by one; times are minutes after the start."""

    def __init__(self) -> None:
        self.runs: list[Row] = []
        self.jobs: list[Row] = []
        self.failures: list[Row] = []
        self.test_files: list[Row] = []

    def run(self, minute: float, jobs: Mapping[str, str], *, of: Row | None = None, **told: Any) -> Row:
        """A run, or with ``of`` another attempt of that run; ``jobs`` are names and conclusions."""
        at = START + minute * MINUTE
        number = of["run_number"] if of else len(self.runs) + 1
        attempt = of["run_attempt"] + 1 if of else 1
        same = (
            {name: of[name] for name in ("branch", "line", "sha", "workflow", "event", "is_default_line")} if of else {}
        )
        created = of["created_at"] if of else at
        end = "failure" if "failure" in jobs.values() else "success"
        run = a_run(number, end, created_at=created, started_at=at, run_attempt=attempt, **{**same, **told})
        self.runs.append(run)
        self.jobs += [a_job(run, name, conclusion) for name, conclusion in jobs.items()]
        return run

    def again(self, of: Row, minute: float, jobs: Mapping[str, str], **told: Any) -> Row:
        """Another attempt of a run."""
        return self.run(minute, jobs, of=of, **told)

    def works(self, minutes: range, *jobs: str) -> None:
        """Good runs on main at these minutes."""
        for minute in minutes:
            self.run(minute, dict.fromkeys(jobs or ("unit",), "success"))

    def told(self, cause: str, **told: Any) -> None:
        """Why the newest job failed."""
        self.failures.append(a_failure(self.jobs[-1], cause, **told))

    def history(self) -> History:
        return a_history(self.runs, self.jobs, failures=self.failures, test_files=self.test_files)

    def found(self) -> Flaky:
        return find_flaky(self.history())

    def kinds(self) -> list[tuple[str, str]]:
        flaky = self.found()
        events = [("flake", event.job) for job in flaky.jobs for event in job.examples]
        return sorted([*events, *((event.kind.value, event.job) for event in flaky.set_aside)])


def working_days() -> Days:
    """Forty good runs on main, one every half hour."""
    days = Days()
    days.works(range(0, 1200, 30))
    return days
