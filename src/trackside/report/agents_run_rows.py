"""Run attempts as rows of the data file, made from the frames some at a time."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote

import polars as pl

from trackside.agents.frames import AgentHistory
from trackside.agents.group_records import FailedJob
from trackside.agents.shown_names import MOST_NAME, shown_name
from trackside.history.runs import PULL_EVENTS
from trackside.records.attribution import Attribution
from trackside.records.pulls import PullRequest
from trackside.report.agents_figures import workflow_file
from trackside.report.agents_run_records import DataArtifact, DataJob, DataPull, DataRun, DataStep, JobsStatus
from trackside.report.safe_links import link_within, site_of

MOST_LISTED: Final = 50
"""Labels, failed steps, issues, pull requests and artifacts of one thing."""
_MOST_URL: Final = 2_000
_PART: Final = 2_000
_SHORT_SHA: Final = 8
_ATTEMPT: Final = ["run_id", "run_attempt"]
_JOB_COLUMNS: Final = (
    "job_id", *_ATTEMPT, "name", "status", "conclusion", "started_at", "completed_at", "duration_s", "queue_s",
    "runner_name", "url",
)  # fmt: skip
Key = tuple[int, int]
T = TypeVar("T")


class RunRows:
    """Makes rows of a history. ``texts_cut`` and ``items_cut`` count what was too long for them until now.

    ``pulls`` are the pull requests that are known, by number, ``failed`` the failed jobs of the history.
    """

    def __init__(self, history: AgentHistory, pulls: Mapping[int, PullRequest], failed: Iterable[FailedJob]) -> None:
        self.texts_cut = 0
        self.items_cut = 0
        self._history = history
        self._pulls = pulls
        self._failed = {one.job_id: one for one in failed}
        self._artifacts = _artifacts(history)
        self._home = f"{site_of(_newest_page(history.runs))}/{quote(history.history.repo)}"
        self._causes = dict(history.history.failures.select("job_id", "cause").drop_nulls().iter_rows())

    def rows(self, runs: pl.DataFrame, without_jobs: Container[Key] = ()) -> Iterator[DataRun]:
        """A row for each of ``runs``, in their order; the jobs of ``without_jobs`` are counted, and left out."""
        for start in range(0, runs.height, _PART):
            part = runs.slice(start, _PART)
            own = self._jobs(part, without_jobs)
            for run in part.iter_rows(named=True):
                key = (run["run_id"], run["run_attempt"])
                known = own.get(key, [] if run["is_read"] else None)
                yield self._run(run, known, self._status(known, wanted=key not in without_jobs))

    @staticmethod
    def _status(known: list[DataJob] | None, *, wanted: bool) -> JobsStatus:
        if known is None:
            return "not_read"
        return "read" if wanted else "left_out"

    def _run(self, run: Mapping[str, Any], known: list[DataJob] | None, status: JobsStatus) -> DataRun:
        sha, pulls = run["sha"], self._some(run["pull_numbers"] or ())
        return DataRun(
            id=run["run_id"],
            run_number=run["run_number"],
            run_attempt=run["run_attempt"],
            source=run["source"],
            workflow_name=self._text(run["workflow"]),
            workflow_file=self._text(workflow_file(run["workflow_file"])),
            workflow_path=self._text(run["workflow_file"]),
            display_title=self._text(run["title"]),
            status=self._text(run["status"]),
            conclusion=self._text(run["conclusion"]),
            created_at=run["created_at"],
            updated_at=run["updated_at"],
            duration_seconds=run["duration_s"],
            html_url=https_link(run["url"]),
            run_started_at=run["started_at"],
            actor=self._text(run["actor"]),
            triggering_actor=self._text(run["triggering_actor"]),
            event=self._text(run["event"]),
            head_branch=self._text(run["branch"]),
            branch_url=self._branch_url(run),
            head_sha=None if sha is None else self._text(sha[:_SHORT_SHA]),
            head_sha_full=self._text(sha),
            commit_url=https_link(f"{self._home}/commit/{quote(sha, safe='')}") if sha else None,
            **self._agent(run),
            issue_number=next(iter(run["issue_numbers"] or ()), None),
            issue_numbers=tuple(self._some(run["issue_numbers"] or ())),
            issue_source=run["issue_source"],
            pr_numbers=tuple(pulls),
            pull_requests=tuple(self._pull(number) for number in pulls),
            last_merged_pull=None if run["last_merged_pull"] is None else self._pull(run["last_merged_pull"]),
            queue_seconds=run["queue_s"],
            active_seconds=run["active_s"],
            jobs_status=status,
            job_count=None if known is None else len(known),
            step_count=None if known is None else sum(job.step_count or 0 for job in known),
            jobs=tuple(known) if known is not None and status == "read" else None,
            artifacts=self._artifacts_of(run["run_id"]),
        )

    def _agent(self, run: Mapping[str, Any]) -> dict[str, Any]:
        """Whom the run is attributed to, and the agent of each role that a signal tells."""
        told = self._history.attributions.get((run["run_id"], run["run_attempt"]), Attribution())
        roles: dict[str, str] = {}
        for signal in told.signals:
            roles.setdefault(signal.role.value, self._text(signal.agent) or "")
        return {
            "agent_name": self._text(run["agent"]),
            "agent_role": run["agent_role"],
            "agent_source": run["agent_source"],
            "agent_confidence": run["agent_confidence"],
            "agent_roles": roles,
        }

    def _branch_url(self, run: Mapping[str, Any]) -> str | None:
        """The page of the branch, in the repository that the commit is of; None where that is a fork that is gone."""
        if not run["branch"] or (not run["head_repository"] and run["event"] in PULL_EVENTS):
            return None
        site = self._home.rpartition("/")[0].rpartition("/")[0]
        home = f"{site}/{quote(run['head_repository'])}" if run["head_repository"] else self._home
        return https_link(f"{home}/tree/{quote(run['branch'])}")

    def _pull(self, number: int) -> DataPull:
        known = self._pulls.get(number)
        url = https_link(known.html_url) if known is not None else None
        return DataPull(
            number=number,
            url=url or f"{self._home}/pull/{number}",
            state=None if known is None else "merged" if known.merged_at is not None else self._text(known.state),
            title=None if known is None else self._text(known.title),
        )

    def _artifacts_of(self, run_id: int) -> tuple[DataArtifact, ...] | None:
        """Those that a list named; None where there is no list, or nothing in it."""
        known = self._artifacts.get(run_id)
        if known is None:
            return None
        return tuple(
            DataArtifact(
                name=self._text(one["name"]) or "",
                size_bytes=one["size_bytes"],
                state=one["state"],
                created_at=one["created_at"],
                url=f"{self._home}/actions/runs/{run_id}/artifacts/{one['artifact_id']}",
            )
            for one in self._some(known)
        )

    def _jobs(self, runs: pl.DataFrame, without: Container[Key]) -> dict[Key, list[DataJob]]:
        """The jobs of these runs, by run attempt, with their steps; of those of ``without`` they are only counted."""
        keys = runs.select(_ATTEMPT).unique()
        own = self._history.steps.join(keys, on=_ATTEMPT, how="semi")
        counts = dict(own.group_by("job_id").len().iter_rows())
        told = [key for key in keys.iter_rows() if key not in without]
        if len(told) < keys.height:
            own = own.join(
                pl.DataFrame(told, schema=keys.schema, orient="row"), on=_ATTEMPT, how="semi", maintain_order="left"
            )
        steps: dict[int, list[DataStep]] = {}
        for row in own.iter_rows(named=True):
            steps.setdefault(row["job_id"], []).append(self._step(row))
        jobs: dict[Key, list[DataJob]] = {}
        rows = self._history.history.jobs.select(_JOB_COLUMNS).join(keys, on=_ATTEMPT, how="semi")
        for row in rows.sort("job_id").iter_rows(named=True):
            jobs.setdefault((row["run_id"], row["run_attempt"]), []).append(self._job(row, steps, counts))
        return jobs

    def _job(self, job: Mapping[str, Any], steps: Mapping[int, list[DataStep]], counts: Mapping[int, int]) -> DataJob:
        own, failed = tuple(steps.get(job["job_id"], ())), self._failed.get(job["job_id"])
        return DataJob(
            id=job["job_id"],
            name=self._text(job["name"]),
            status=self._text(job["status"]),
            conclusion=self._text(job["conclusion"]),
            started_at=job["started_at"],
            completed_at=job["completed_at"],
            duration_seconds=job["duration_s"],
            queue_seconds=job["queue_s"],
            runner=self._text(job["runner_name"]),
            labels=self._texts(self._history.labels.get(job["job_id"], ())),
            attempt=job["run_attempt"],
            html_url=https_link(job["url"]),
            failed_step=None if failed is None else self._text(failed.failed_step),
            failed_steps=() if failed is None else self._texts(failed.failed_steps),
            cause=self._causes.get(job["job_id"]),
            step_count=counts.get(job["job_id"], 0),
            steps=own,
        )

    def _step(self, step: Mapping[str, Any]) -> DataStep:
        return DataStep(
            number=step["number"],
            name=self._text(step["step"]),
            status=self._text(step["status"]),
            conclusion=self._text(step["conclusion"]),
            started_at=step["started_at"],
            completed_at=step["completed_at"],
            duration_seconds=step["duration_s"],
        )

    def _texts(self, texts: Sequence[str]) -> tuple[str, ...]:
        return tuple(self._text(text) or "" for text in self._some(texts))

    def _text(self, text: str | None) -> str | None:
        if text is None or len(text) <= MOST_NAME:
            return text
        self.texts_cut += 1
        return shown_name(text)

    def _some(self, items: Sequence[T]) -> Sequence[T]:
        self.items_cut += max(0, len(items) - MOST_LISTED)
        return items[:MOST_LISTED]


def _artifacts(history: AgentHistory) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in history.artifacts.sort("artifact_id").iter_rows(named=True):
        found.setdefault(row["run_id"], []).append(row)
    return found


def https_link(url: str | None) -> str | None:
    """``url`` where it is a plain https address that a page may make a link of."""
    if url is None or len(url) > _MOST_URL or not url.startswith("https://"):
        return None
    return link_within(url, url)


def _newest_page(runs: pl.DataFrame) -> str | None:
    """The page of the newest run that has one which a page may link."""
    newest = runs.select("url", "created_at").drop_nulls("url").sort("created_at", nulls_last=False).tail(1)
    return next((url for url in newest["url"] if https_link(url) is not None), None)
