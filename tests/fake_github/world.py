"""The state of the fake GitHub and the short ways to change it, also while it serves."""

from __future__ import annotations

import datetime as dt
import heapq
import threading
import zlib
from collections.abc import Callable, Sequence

from tests.fake_github.clock import Clock
from tests.fake_github.job_lives import end_job, forget_json, made_job, newest_jobs, node_id, plan_of
from tests.fake_github.plans import JobPlan, Jobs, job_plans, sha_of
from tests.fake_github.things import Account, Artifact, Attempt, Comment, Issue, Job, Pull, Repository, Run, Workflow

DAY = dt.timedelta(days=1)


class World:
    """Everything there is. Builders give ids by counting, so that the same calls make the same world."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.accounts: dict[str, Account] = {}
        self.repositories: list[Repository] = []
        self.runs: dict[int, tuple[Repository, Run]] = {}
        self.jobs: dict[int, tuple[Repository, Run, Job]] = {}
        self.nodes: dict[str, tuple[Repository, Run]] = {}
        self._next = {"run": 19_000_000_000, "job": 50_000_000_000, "suite": 40_000_000_000, "pull": 2_000_000_000}
        self._due: list[tuple[dt.datetime, int, Callable[[], object]]] = []

    def next_id(self, kind: str) -> int:
        """The next number of a kind."""
        self._next[kind] = self._next.get(kind, 100) + 1
        return self._next[kind]

    def schedule(self, when: dt.datetime, action: Callable[[], object]) -> None:
        """Do it when the clock has reached ``when``: looked at before each request."""
        with self.lock:
            heapq.heappush(self._due, (when, self.next_id("event"), action))

    def catch_up(self) -> None:
        """Do what is due."""
        with self.lock:
            while self._due and self._due[0][0] <= self.clock.now():
                heapq.heappop(self._due)[2]()

    def account(self, login: str) -> Account:
        """The account of this login, made when it is new."""
        if login not in self.accounts:
            kind = "Bot" if login.endswith("[bot]") or login == "Copilot" else "User"
            self.accounts[login] = Account(login, kind)
        return self.accounts[login]

    def add_repository(
        self,
        full_name: str = "octo/engine",
        *,
        number: int | None = None,
        default_branch: str = "main",
        fork: bool = False,
        private: bool = False,
        readable: bool = True,
    ) -> Repository:
        """A repository; its numeric id comes from the name unless it is given."""
        with self.lock:
            owner = self.account(full_name.partition("/")[0])
            number = number or 600_000_000 + zlib.crc32(full_name.encode()) % 100_000_000
            repo = Repository(
                number, full_name, owner, self.clock.now() - 900 * DAY, default_branch, private, fork, readable
            )
            self.repositories.append(repo)
            return repo

    def repository(self, full_name: str) -> Repository | None:
        """The repository of this name, in any case; former names do not count."""
        lower = full_name.lower()
        return next((repo for repo in self.repositories if repo.full_name.lower() == lower), None)

    @property
    def home(self) -> Repository:
        """The first repository: where things go when nothing else is said; made when there is none."""
        return self.repositories[0] if self.repositories else self.add_repository()

    def rename(self, repo: Repository, full_name: str) -> None:
        """Give it a new name; the old one answers 301 from now on."""
        with self.lock:
            repo.former_names = (*repo.former_names, repo.full_name)
            repo.full_name = full_name
            for run in repo.runs:
                forget_json(run)
            for pull in repo.pulls:
                pull.kept_json = None

    def add_workflow(self, name: str = "CI", path: str | None = None, *, repo: Repository | None = None) -> Workflow:
        """A workflow; its file is named after it unless a path is given."""
        with self.lock:
            repo = repo or self.home
            slug = "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
            path = path or f".github/workflows/{slug}.yml"
            number = 10_000_000 + zlib.crc32(f"{repo.id} {path}".encode()) % 90_000_000
            found = Workflow(number, name, path, self.clock.now() - 800 * DAY)
            repo.workflows.append(found)
            return found

    def _workflow(self, repo: Repository, workflow: Workflow | str) -> Workflow:
        if isinstance(workflow, Workflow):
            return workflow
        known = next((w for w in repo.workflows if workflow in (w.name, w.path)), None)
        return known or self.add_workflow(workflow, repo=repo)

    def add_run(
        self,
        jobs: Jobs = None,
        *,
        conclusion: str | None = "success",
        status: str | None = None,
        workflow: Workflow | str = "CI",
        event: str = "push",
        branch: str | None = None,
        sha: str | None = None,
        at: dt.datetime | None = None,
        took_s: int | None = None,
        actor: str = "alice",
        title: str | None = None,
        message: str | None = None,
        head_repository: Repository | None = None,
        repo: Repository | None = None,
        number: int | None = None,
    ) -> Run:
        """A run with its first attempt and jobs, created ``at`` (now unless given). ``conclusion`` None: it goes on.

        ``number`` is the run's id. It takes as long as its longest job, or ``took_s``.
        """
        with self.lock:
            repo = repo or self.home
            of = self._workflow(repo, workflow)
            of.runs += 1
            at = at or self.clock.now()
            number = number or self.next_id("run")
            sha = sha or sha_of(f"commit {number}")
            run = Run(
                number,
                of.runs,
                of,
                event,
                branch or repo.default_branch,
                sha,
                head_repository or repo,
                self.account(actor),
                title or f"Change {number}",
                self.next_id("suite"),
                of.name,
                of.path,
                at,
                message if message is not None else title or f"Change {number}",
            )
            self._add_attempt(repo, run, job_plans(jobs, conclusion), conclusion, status, at, at, took_s, actor)
            self._enter(repo, run)
            return run

    def _enter(self, repo: Repository, run: Run) -> None:
        repo.runs.append(run)
        if len(repo.runs) > 1 and (repo.runs[-2].created_at, repo.runs[-2].id) > (run.created_at, run.id):
            repo.runs.sort(key=lambda each: (each.created_at, each.id))
        self.runs[run.id] = (repo, run)
        self.nodes[node_id("WFR", repo.id, run.id)] = (repo, run)

    def _add_attempt(
        self,
        repo: Repository,
        run: Run,
        plans: Sequence[JobPlan],
        conclusion: str | None,
        status: str | None,
        created_at: dt.datetime,
        started_at: dt.datetime,
        took_s: int | None,
        actor: str,
    ) -> Attempt:
        status = status or ("in_progress" if conclusion is None else "completed")
        if took_s is None:
            took_s = max([plan.wait_s + plan.took_s for plan in plans], default=0)
        updated = started_at + dt.timedelta(seconds=took_s if status == "completed" else 0)
        attempt = Attempt(
            len(run.attempts) + 1, created_at, started_at, updated, status, conclusion, self.account(actor)
        )
        run.attempts.append(attempt)
        forget_json(run)
        for plan in plans:
            self.add_job(repo, run, attempt, plan)
        return attempt

    def add_job(self, repo: Repository, run: Run, attempt: Attempt, plan: JobPlan) -> Job:
        """One more job of an attempt."""
        with self.lock:
            made = made_job(self.next_id("job"), plan, attempt)
            attempt.jobs.append(made)
            self.jobs[made.id] = (repo, run, made)
            return made

    def finish_run(self, run: Run, conclusion: str = "success", *, at: dt.datetime | None = None) -> None:
        """End the newest attempt and its jobs that go on: those end as the run does."""
        with self.lock:
            at = at or self.clock.now()
            attempt = run.latest
            for each in attempt.jobs:
                if each.status != "completed":
                    end_job(each, conclusion if conclusion in ("success", "cancelled") else "failure", at)
            attempt.status, attempt.conclusion, attempt.updated_at = "completed", conclusion, at
            forget_json(run)

    def rerun(
        self,
        run: Run,
        *,
        failed_only: bool = True,
        conclusion: str | None = "success",
        at: dt.datetime | None = None,
        actor: str | None = None,
        carry: bool = False,
        jobs: Sequence[JobPlan] | None = None,
    ) -> Attempt:
        """A further attempt: all jobs anew, or those that did not end well. ``conclusion`` None: it goes on.

        With ``carry`` the jobs that are not run again are listed in it once more, under ids of their own and with
        the times of the older attempt. As on GitHub the attempt says it was created 2 s after it started.
        """
        with self.lock:
            repo, at = self.runs[run.id][0], at or self.clock.now()
            before = newest_jobs(run)
            again = [each for each in before if not failed_only or each.conclusion not in ("success", "skipped")]
            plans = jobs if jobs is not None else [plan_of(each, conclusion) for each in again]
            created = at + dt.timedelta(seconds=2)
            who = actor or run.actor.login
            attempt = self._add_attempt(repo, run, plans, conclusion, None, created, at, None, who)
            for old in before if carry else ():
                if old not in again:
                    self._carry(repo, run, attempt, old)
            return attempt

    def _carry(self, repo: Repository, run: Run, attempt: Attempt, old: Job) -> None:
        fields = {name: getattr(old, name) for name in Job.__slots__ if name not in ("id", "attempt")}
        copy = Job(id=self.next_id("job"), attempt=attempt.number, **fields)
        attempt.jobs.append(copy)
        self.jobs[copy.id] = (repo, run, copy)

    def remove_run(self, run: Run) -> None:
        """Delete it, as a user of GitHub may."""
        with self.lock:
            repo, _ = self.runs.pop(run.id)
            repo.runs.remove(run)
            del self.nodes[node_id("WFR", repo.id, run.id)]
            for attempt in run.attempts:
                for each in attempt.jobs:
                    del self.jobs[each.id]

    def add_pull(
        self,
        title: str = "Make it faster",
        *,
        branch: str = "faster",
        sha: str | None = None,
        author: str = "alice",
        repo: Repository | None = None,
        head_repository: Repository | None = None,
        at: dt.datetime | None = None,
        updated_at: dt.datetime | None = None,
        merged_as: str | None = None,
        state: str | None = None,
        number: int | None = None,
        commits: Sequence[str] = (),
        text: str | None = None,
    ) -> Pull:
        """A pull request into ``repo``; ``merged_as`` is the commit it became on the base branch, ``text`` its body."""
        with self.lock:
            repo, at = repo or self.home, at or self.clock.now()
            number = number or next_number(repo)
            updated = updated_at or at
            pull = Pull(
                self.next_id("pull"),
                number,
                title,
                repo,
                head_repository or repo,
                branch,
                sha or sha_of(f"{repo.full_name} pull {number}"),
                self.account(author),
                at,
                updated,
                repo.default_branch,
                state or ("closed" if merged_as else "open"),
                updated if merged_as else None,
                merged_as,
                commits=tuple(commits),
                text=text,
            )
            repo.pulls.append(pull)
            return pull

    def add_issue(
        self,
        title: str = "Something is wrong",
        body: str | None = "It broke.",
        *,
        author: str = "alice",
        repo: Repository | None = None,
        number: int | None = None,
        labels: Sequence[str] = (),
        at: dt.datetime | None = None,
    ) -> Issue:
        """An open issue; its number is the next that neither an issue nor a pull request has."""
        with self.lock:
            repo, at = repo or self.home, at or self.clock.now()
            number = number or next_number(repo)
            made = Issue(self.next_id("issue"), number, title, body, self.account(author), at, at, labels=tuple(labels))
            repo.issues.append(made)
            return made

    def add_comment(self, number: int, body: str, *, author: str = "alice", repo: Repository | None = None) -> Comment:
        """A comment on the issue or pull request of this number."""
        with self.lock:
            repo, at = repo or self.home, self.clock.now()
            made = Comment(self.next_id("comment"), number, body, self.account(author), at, at)
            repo.comments.append(made)
            return made

    def add_artifact(
        self, run: Run, name: str, content: bytes = b"PK\x05\x06" + b"\0" * 18, at: dt.datetime | None = None
    ) -> Artifact:
        """A file that a run left behind, when its latest attempt ended or ``at`` a time."""
        with self.lock:
            made = Artifact(self.next_id("artifact"), name, run, content, at or run.latest.updated_at)
            self.runs[run.id][0].artifacts.append(made)
            return made


def next_number(repo: Repository) -> int:
    """Issues and pull requests share their numbers."""
    return max([0, *(pull.number for pull in repo.pulls), *(issue.number for issue in repo.issues)]) + 1
