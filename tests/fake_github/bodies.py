"""The JSON GitHub sends for each thing, with all addresses on the fake's own host.

Bodies of runs and jobs are encoded once and kept until the thing changes: pages of a hundred are joined bytes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from tests.fake_github.clock import stamp
from tests.fake_github.job_lives import node_id
from tests.fake_github.repository_bodies import Body, account, repository
from tests.fake_github.step_bodies import steps_json
from tests.fake_github.things import ABSENT, Annotation, Artifact, Attempt, Job, Pull, Repository, Run, Thing, Workflow

KEPT_BYTES = 128 << 20
_encode = msgspec.json.Encoder().encode


class Bodies:
    """Makes bodies whose addresses begin with ``api`` and ``html``."""

    def __init__(self, api: str, html: str) -> None:
        self.api, self.html = api, html
        self._minimal: dict[tuple[int, str, str], msgspec.Raw] = {}
        self._room = KEPT_BYTES

    def _keep(self, thing: Thing, body: bytes) -> None:
        """Keep a body until the thing changes, as long as there is room."""
        if self._room > 0:
            self._room -= len(body)
            thing.kept_json = body

    def _repo_url(self, repo: Repository) -> str:
        return f"{self.api}/repos/{repo.full_name}"

    def minimal(self, repo: Repository) -> msgspec.Raw:
        """The short form that is part of each run, encoded once for each name."""
        key = (repo.id, repo.full_name, repo.description or "")
        if key not in self._minimal:
            self._minimal[key] = msgspec.Raw(_encode(repository(self.api, self.html, repo)))
        return self._minimal[key]

    def run(self, repo: Repository, run: Run, attempt: Attempt | None = None, *, pulls: bool = True) -> bytes:
        """A run as it stands in lists, or one of its attempts as ``attempts/{n}`` tells it."""
        kept = run.kept_json if attempt is None and run.latest.kept_json else None
        if kept is None:
            kept = _encode(overridden(self._run(repo, run, attempt), run.overrides))
            if attempt is None:
                self._keep(run, kept)
                run.latest.kept_json = b"part of what is kept of its run"
        named = self._pulls_of_run(repo, run) if pulls else []
        if "pull_requests" in run.overrides:
            return kept
        return b'{"pull_requests":' + _encode(named) + b"," + kept[1:]

    def _run(self, repo: Repository, run: Run, one: Attempt | None) -> Body:
        shown, base = one or run.latest, self._repo_url(repo)
        url = f"{base}/actions/runs/{run.id}"
        part = f"{url}/attempts/{shown.number}" if one else url
        before = shown.number - 1
        body: Body = {
            "id": run.id,
            "name": run.name,
            "node_id": node_id("WFR", repo.id, run.id),
            "head_branch": run.head_branch,
            "head_sha": run.head_sha,
            "path": run.path,
            "display_title": run.title,
            "run_number": run.number,
            "event": run.event,
            "status": shown.status,
            "conclusion": shown.conclusion,
            "workflow_id": run.workflow.id,
            "check_suite_id": run.check_suite_id,
            "check_suite_node_id": node_id("CS", repo.id, run.check_suite_id),
            "url": url,
            "html_url": f"{self.html}/{repo.full_name}/actions/runs/{run.id}",
            "created_at": stamp(shown.created_at if one else run.created_at),
            "updated_at": stamp(shown.updated_at),
            "actor": account(self.api, self.html, run.actor),
            "run_attempt": shown.number,
            "referenced_workflows": [
                {"path": path, "sha": run.head_sha, "ref": f"refs/heads/{run.head_branch}"}
                for path in run.referenced_workflows
            ],
            "run_started_at": stamp(shown.started_at),
            "triggering_actor": account(self.api, self.html, shown.triggering_actor),
            "jobs_url": f"{part}/jobs",
            "logs_url": f"{part}/logs",
            "check_suite_url": f"{base}/check-suites/{run.check_suite_id}",
            "artifacts_url": f"{url}/artifacts",
            "cancel_url": f"{url}/cancel",
            "rerun_url": f"{url}/rerun",
            "previous_attempt_url": f"{url}/attempts/{before}" if before else None,
            "workflow_url": f"{base}/actions/workflows/{run.workflow.id}",
            "head_commit": self._commit(run),
            "repository": self.minimal(repo),
            "head_repository": self.minimal(run.head_repository),
        }
        return body

    def _commit(self, run: Run) -> Body:
        who = {"name": run.actor.login.title(), "email": f"{run.actor.login}@users.noreply.github.com"}
        return {
            "id": run.head_sha,
            "tree_id": run.head_sha[::-1],
            "message": run.message,
            "timestamp": stamp(run.created_at - dt.timedelta(seconds=30)),
            "author": who,
            "committer": {"name": "GitHub", "email": "noreply@github.com"},
        }

    def _pulls_of_run(self, repo: Repository, run: Run) -> list[Body]:
        """The open pull requests of this moment whose head has the sha or the branch; none for forks."""
        named = [(number, repo) for number in run.wrong_pulls]
        named += [(pull.number, pull.base) for pull in open_pulls_of(repo, run)]
        end = {"id": repo.id, "url": self._repo_url(repo), "name": repo.name}
        return [
            {
                "url": f"{self._repo_url(repo)}/pulls/{number}",
                "id": 3_000_000_000 + number,
                "number": number,
                "head": {"ref": run.head_branch or "", "sha": run.head_sha, "repo": end},
                "base": {"ref": repo.default_branch, "sha": run.head_sha, "repo": end},
            }
            for number, repo in named
        ]

    def job(self, repo: Repository, run: Run, job: Job) -> bytes:
        """A job with its steps."""
        if job.kept_json is not None:
            return job.kept_json
        made = _encode(overridden(self._job(repo, run, job), job.overrides))
        self._keep(job, made)
        return made

    def _job(self, repo: Repository, run: Run, job: Job) -> Body:
        base = self._repo_url(repo)
        return {
            "id": job.id,
            "run_id": run.id,
            "workflow_name": run.name,
            "head_branch": run.head_branch,
            "run_url": f"{base}/actions/runs/{run.id}",
            "run_attempt": job.attempt,
            "node_id": node_id("CR", repo.id, job.id),
            "head_sha": run.head_sha,
            "url": f"{base}/actions/jobs/{job.id}",
            "html_url": f"{self.html}/{repo.full_name}/actions/runs/{run.id}/job/{job.id}",
            "status": job.status,
            "conclusion": job.conclusion,
            "created_at": stamp(job.created_at),
            "started_at": stamp(job.started_at or job.created_at),
            "completed_at": stamp(job.completed_at) if job.completed_at else None,
            "name": job.name,
            "steps": msgspec.Raw(steps_json(job)),
            "check_run_url": f"{base}/check-runs/{job.id}",
            "labels": job.labels,
            "runner_id": job.runner_id,
            "runner_name": job.runner_name,
            "runner_group_id": None if job.runner_group is None else 2,
            "runner_group_name": job.runner_group,
        }

    def workflow(self, repo: Repository, workflow: Workflow) -> bytes:
        """A workflow file."""
        base = self._repo_url(repo)
        made = stamp(workflow.created_at).replace("Z", ".000Z")
        page = f"{self.html}/{repo.full_name}"
        body = {
            "id": workflow.id,
            "node_id": node_id("W", repo.id, workflow.id),
            "name": workflow.name,
            "path": workflow.path,
            "state": workflow.state,
            "created_at": made,
            "updated_at": made,
            "url": f"{base}/actions/workflows/{workflow.id}",
            "html_url": f"{page}/blob/{repo.default_branch}/{workflow.path}",
            "badge_url": f"{page}/workflows/{workflow.name.replace(' ', '%20')}/badge.svg",
        }
        return _encode(body)

    def repository(self, repo: Repository) -> bytes:
        """The full form of ``GET /repos/{owner}/{repo}``."""
        return _encode(repository(self.api, self.html, repo, full=True))

    def artifact(self, repo: Repository, artifact: Artifact) -> bytes:
        """An artifact of a run."""
        url = f"{self._repo_url(repo)}/actions/artifacts/{artifact.id}"
        made = stamp(artifact.created_at)
        body = {
            "id": artifact.id,
            "node_id": node_id("A", repo.id, artifact.id),
            "name": artifact.name,
            "size_in_bytes": len(artifact.content),
            "url": url,
            "archive_download_url": f"{url}/zip",
            "expired": artifact.expired,
            "created_at": made,
            "updated_at": made,
            "expires_at": stamp(artifact.created_at + dt.timedelta(days=90)),
            "workflow_run": {
                "id": artifact.run.id,
                "repository_id": repo.id,
                "head_repository_id": artifact.run.head_repository.id,
                "head_branch": artifact.run.head_branch,
                "head_sha": artifact.run.head_sha,
            },
        }
        return _encode(overridden(body, artifact.overrides))

    def annotation(self, repo: Repository, run: Run, note: Annotation) -> bytes:
        """What a check run says about a line."""
        body = {
            "path": note.path,
            "blob_href": f"{self.html}/{repo.full_name}/blob/{run.head_sha}/{note.path}",
            "start_line": note.line,
            "start_column": None,
            "end_line": note.line,
            "end_column": None,
            "annotation_level": note.level,
            "title": note.title,
            "message": note.message,
            "raw_details": None,
        }
        return _encode(body)


def overridden(body: Body, overrides: Mapping[str, object]) -> Body:
    """The body with some fields otherwise, or left out."""
    return {key: value for key, value in {**body, **overrides}.items() if value is not ABSENT}


def open_pulls_of(repo: Repository, run: Run) -> list[Pull]:
    """The open pull requests GitHub would name with a run: by sha or branch; none for a run of a fork."""
    if run.head_repository is not repo:
        return []
    opened = [pull for pull in repo.pulls if pull.state == "open"]
    return [
        pull
        for pull in opened
        if pull.head_sha == run.head_sha or (pull.head_branch == run.head_branch and pull.head_repository is repo)
    ]


def listed(key: str | None, total: int, items: Iterable[bytes]) -> bytes:
    """A list answer: ``{"total_count": …, "<key>": […]}``, or a bare array where there is no key."""
    joined = b"[" + b",".join(items) + b"]"
    return joined if key is None else b'{"total_count":%d,"%s":%s}' % (total, key.encode(), joined)


def error(message: str, status: int, documentation: str = "https://docs.github.com/rest", **more: Any) -> bytes:
    """The JSON of an error answer."""
    return _encode({"message": message, **more, "documentation_url": documentation, "status": str(status)})
