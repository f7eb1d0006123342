"""What each endpoint answers: the things of the world as replies. The table of addresses is in ``routes``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from tests.fake_github.bodies import Bodies, error
from tests.fake_github.exchange import Listing, Reply, Request
from tests.fake_github.job_lives import newest_jobs
from tests.fake_github.paging import page_of
from tests.fake_github.rates import Rates
from tests.fake_github.repository_bodies import pull as pull_body
from tests.fake_github.run_filters import CAPPING, BadFilterError, tests_of
from tests.fake_github.settings import Latest, Settings
from tests.fake_github.things import Attempt, Job, Pull, Repository, Run, Workflow
from tests.fake_github.world import World

T = TypeVar("T")
NOT_FOUND = "Not Found"


def not_found(message: str = NOT_FOUND) -> Reply:
    """404, for what is not there and for what the caller may not know of."""
    return Reply(404, error(message, 404))


class Answers:
    """One method for each endpoint; each takes the request, the repository and what stood in the address."""

    def __init__(self, world: World, bodies: Bodies, settings: Settings, rates: Rates) -> None:
        self.world, self.bodies, self.settings, self.rates = world, bodies, settings, rates

    def listed(
        self,
        request: Request,
        repo: Repository,
        key: str | None,
        things: Sequence[T],
        encode: Callable[[T], bytes],
        cap: int | None = None,
    ) -> Reply:
        total = len(things)
        page = page_of(request.query, total, cap)
        if cap is not None and total > cap and self.settings.total_at_cap is not None:
            total = self.settings.total_at_cap
        rest = request.path.split("/", 4 if request.path.startswith("/repos/") else 3)[-1]
        first = page.slice.start

        def before(count: int) -> list[bytes]:
            return [encode(thing) for thing in things[max(0, first - count) : first]]

        items = [encode(thing) for thing in things[page.slice]]
        base = f"{self.bodies.api}/repositories/{repo.id}/{rest}"
        return Reply(200, listing=Listing(key, page, base, total, items, before))

    def rate_limit(self, request: Request) -> Reply:
        """Free; where the caller stands. 404 where there are no limits."""
        if not self.settings.rate_limits:
            return not_found("Rate limiting is not enabled.")
        shown = {}
        for resource in self.rates.limits:
            bucket = self.rates.bucket(request.caller, resource)
            facts = {"limit": bucket.limit, "used": bucket.used, "remaining": bucket.remaining}
            shown[resource] = {**facts, "reset": bucket.reset_at}
        return Reply(200, msgspec.json.encode({"resources": shown, "rate": shown["core"]}), free=True)

    def repository(self, request: Request, repo: Repository) -> Reply:
        """The repository itself."""
        return Reply(200, self.bodies.repository(repo))

    def workflows(self, request: Request, repo: Repository) -> Reply:
        """All workflows."""
        return self.listed(request, repo, "workflows", repo.workflows, lambda one: self.bodies.workflow(repo, one))

    def workflow(self, request: Request, repo: Repository, workflow: str) -> Reply:
        """One workflow, by id or file name."""
        found = find_workflow(repo, workflow)
        return not_found() if found is None else Reply(200, self.bodies.workflow(repo, found))

    def workflow_runs(self, request: Request, repo: Repository, workflow: str) -> Reply:
        """The runs of one workflow."""
        found = find_workflow(repo, workflow)
        if found is None:
            return not_found()
        return self._runs(request, repo, [run for run in reversed(repo.runs) if run.workflow is found])

    def runs(self, request: Request, repo: Repository) -> Reply:
        """The runs of the repository, newest first."""
        return self._runs(request, repo, repo.runs[::-1])

    def _runs(self, request: Request, repo: Repository, runs: Sequence[Run]) -> Reply:
        told = dict(request.query)
        try:
            tests = tests_of(told)
        except BadFilterError as bad:
            return Reply(422, error(f"Invalid value for a filter: {bad}", 422))
        for test in tests:
            runs = [run for run in runs if test(run)]
        pulls = told.get("exclude_pull_requests", "false").lower() not in ("true", "1")
        cap = self.settings.cap if any(told.get(name) for name in CAPPING) else None
        return self.listed(
            request, repo, "workflow_runs", runs, lambda run: self.bodies.run(repo, run, pulls=pulls), cap
        )

    def run(self, request: Request, repo: Repository, run: str) -> Reply:
        """One run, in its newest attempt."""
        found = self.find_run(repo, run)
        return not_found() if found is None else Reply(200, self.bodies.run(repo, found))

    def attempt(self, request: Request, repo: Repository, run: str, attempt: str) -> Reply:
        """One attempt of a run."""
        found = self.find_run(repo, run)
        one = None if found is None else find_attempt(found, attempt)
        return not_found() if found is None or one is None else Reply(200, self.bodies.run(repo, found, one))

    def jobs(self, request: Request, repo: Repository, run: str) -> Reply:
        """The jobs of a run: of all attempts, or the latest in the meaning that is set."""
        found = self.find_run(repo, run)
        if found is None:
            return not_found()
        return self._jobs(request, repo, found, self.jobs_of(found, request.told("filter") or "latest"))

    def jobs_of(self, run: Run, which: str) -> list[Job]:
        """By ``all``, or ``latest``."""
        if which == "all" and self.settings.heeds_filter:
            return [job for attempt in run.attempts for job in attempt.jobs]
        return newest_jobs(run) if self.settings.latest is Latest.NEWEST else run.latest.jobs

    def attempt_jobs(self, request: Request, repo: Repository, run: str, attempt: str) -> Reply:
        """The jobs of one attempt."""
        found = self.find_run(repo, run)
        one = None if found is None else find_attempt(found, attempt)
        return not_found() if found is None or one is None else self._jobs(request, repo, found, one.jobs)

    def _jobs(self, request: Request, repo: Repository, run: Run, jobs: Sequence[Job]) -> Reply:
        return self.listed(request, repo, "jobs", jobs, lambda job: self.bodies.job(repo, run, job))

    def job(self, request: Request, repo: Repository, job: str) -> Reply:
        """One job."""
        found = self.find_job(repo, job)
        return not_found() if found is None else Reply(200, self.bodies.job(repo, *found))

    def annotations(self, request: Request, repo: Repository, job: str) -> Reply:
        """What the check run of a job says about lines of files."""
        found = self.find_job(repo, job)
        if found is None:
            return not_found()
        run, one = found
        return self.listed(request, repo, None, one.annotations, lambda note: self.bodies.annotation(repo, run, note))

    def artifacts(self, request: Request, repo: Repository, run: str | None = None) -> Reply:
        """Artifacts of the repository or of one run; ``name`` picks by name."""
        if run is not None and self.find_run(repo, run) is None:
            return not_found()
        found = repo.artifacts if run is None else [each for each in repo.artifacts if str(each.run.id) == run]
        name = request.told("name")
        found = [each for each in found if name in (None, each.name)]
        return self.listed(request, repo, "artifacts", found, lambda each: self.bodies.artifact(repo, each))

    def artifact(self, request: Request, repo: Repository, artifact: str) -> Reply:
        """One artifact."""
        found = next((each for each in repo.artifacts if str(each.id) == artifact), None)
        return not_found() if found is None else Reply(200, self.bodies.artifact(repo, found))

    def pulls(self, request: Request, repo: Repository) -> Reply:
        """The pull requests into the repository, by ``state``, ``sort`` and ``direction``."""
        told = dict(request.query)
        state, sort = told.get("state", "open"), told.get("sort", "created")
        found = [pull for pull in repo.pulls if state in ("all", pull.state)]
        newest_first = told.get("direction", "desc" if sort == "created" else "asc") == "desc"
        by_update = sort == "updated"
        found.sort(
            key=lambda pull: (pull.updated_at if by_update else pull.created_at, pull.number), reverse=newest_first
        )
        return self.listed(request, repo, None, found, self._pull)

    def _pull(self, request: Pull) -> bytes:
        if request.kept_json is None:
            request.kept_json = pull_body(self.bodies.api, self.bodies.html, request)
        return request.kept_json

    def commit_pulls(self, request: Request, repo: Repository, sha: str) -> Reply:
        """The pull requests that brought a commit, also those into other repositories of the network."""
        if sha in repo.busy_commits:
            return Reply(409, error("Conflict: the commit is being worked on. Try again later.", 409))
        everywhere = [pull for each in self.world.repositories if each.readable for pull in each.pulls]
        found = [pull for pull in everywhere if sha in (pull.merge_commit_sha, pull.head_sha, *pull.commits)]
        if not found and not any(run.head_sha == sha for run in repo.runs):
            return Reply(422, error(f"No commit found for SHA: {sha}", 422))
        return self.listed(request, repo, None, found, self._pull)

    def find_run(self, repo: Repository, run: str) -> Run | None:
        """The run of this id in this repository."""
        found = self.world.runs.get(int(run))
        return found[1] if found and found[0] is repo else None

    def find_job(self, repo: Repository, job: str) -> tuple[Run, Job] | None:
        """The job of this id in this repository, and its run."""
        found = self.world.jobs.get(int(job))
        return found[1:] if found and found[0] is repo else None


def find_workflow(repo: Repository, word: str) -> Workflow | None:
    """By id, or by the name of its file."""
    return next((one for one in repo.workflows if word in (str(one.id), one.path.rpartition("/")[2])), None)


def find_attempt(run: Run, number: str) -> Attempt | None:
    """The attempt of this number."""
    return next((one for one in run.attempts if str(one.number) == number), None)
