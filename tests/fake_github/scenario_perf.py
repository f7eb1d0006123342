"""Thirty days of performance jobs: small enough for the tests of commands, or a thousand runs for those of budgets.

What is planted stands in ``week_benchmarks``, at the same shares of the window as in the week.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import replace

from tests.fake_github.benchmark_logs import BenchmarkLog
from tests.fake_github.job_lives import plan_of
from tests.fake_github.plans import JobPlan, job, matrix, sha_of
from tests.fake_github.scenario_week import number_runs, timeline_of
from tests.fake_github.things import Job, Repository, Run
from tests.fake_github.week_benchmarks import JOBS, Timeline
from tests.fake_github.week_jobs import Push, WeekJobs
from tests.fake_github.world import DAY, World

PERF_DAYS = 30
_AUTHORS = ("alice", "bob", "chen", "dmitri", "emeka")
_OTHER_JOBS = 27


class Month:
    """Fills a world with the thirty days before its clock's now."""

    def __init__(self, world: World, seed: int, repo: Repository) -> None:
        self.world, self.repo, self.now = world, repo, world.clock.now()
        self.rng = random.Random(f"month {seed}")
        self.start = self.now - PERF_DAYS * DAY
        self.forks = [world.add_repository(f"{who}/{repo.name}", fork=True) for who in _AUTHORS[3:]]

    def fill(self, runs: int, *, nights: bool, others: int, brief: bool) -> Timeline:
        """``runs`` of PR Test with ``others`` jobs beside those of performance, nightly ones too; the merges."""
        pushes = self._pushes(runs)
        timeline = timeline_of(pushes, self.start, self.now)
        jobs = WeekJobs(self.rng, timeline, brief=brief)
        for push in sorted([*pushes, *(self._nights(timeline) if nights else [])], key=lambda push: push.at):
            if push.event == "schedule":
                self._run("Nightly Test", push, [job("plan", took_s=9), *_performance(jobs, push, "Nightly Test")])
            else:
                plans = [*matrix("unit-test-1-gpu", others, took_s=400, labels=("1-gpu-runner",), n_steps=3),
                         *_performance(jobs, push, "PR Test")]  # fmt: skip
                cancelled = push.event == "pull_request" and self.rng.random() < 0.06
                self._run("PR Test", push, jobs.stopped(plans) if cancelled else plans)
        number_runs(self.repo)
        return timeline

    def _pushes(self, runs: int) -> list[Push]:
        """Of five runs two are of merges to main and three of pull requests, some from a fork's own main."""
        pushes: list[Push] = []
        step = (self.now - self.start) / (runs / 5)
        for index in range(runs // 5):
            at = (self.start + step * (index + self.rng.uniform(0.05, 0.15))).replace(microsecond=0)
            first = self._pull(2 * index, [at, at + step * 0.2], merged_at=at + step * 0.4)
            second = self._pull(2 * index + 1, [at + step * 0.5], merged_at=at + step * 0.7)
            pushes += [*first, *second]
        return pushes

    def _pull(self, index: int, moments: list[dt.datetime], merged_at: dt.datetime) -> list[Push]:
        """The pushes to a pull request, and its merge."""
        number, author = 7000 + 3 * index, _AUTHORS[index % len(_AUTHORS)]
        fork = next((one for one in self.forks if one.owner.login == author), None)
        branch = "main" if fork and index % 2 else f"{author}/change-{number}"
        moments = [moment.replace(microsecond=0) for moment in moments]
        merged_at, merge = merged_at.replace(microsecond=0), sha_of(f"{number} merged")
        shas = [sha_of(f"{number} {count}") for count in range(len(moments))]
        title = f"Change the scheduler ({number})"
        pull = self.world.add_pull(
            title, branch=branch, sha=shas[-1], author=author, repo=self.repo, head_repository=fork,
            at=moments[0], updated_at=merged_at, merged_as=merge, number=number, commits=shas,
        )  # fmt: skip
        head = fork or self.repo
        pushes = [Push(at, sha, branch, author, title, head, "pull_request", pull)
                  for at, sha in zip(moments, shas, strict=True)]  # fmt: skip
        return [*pushes, Push(merged_at, merge, "main", author, f"{title} (#{number})", self.repo, "push", pull)]

    def _nights(self, timeline: Timeline) -> list[Push]:
        """Twice a day the newest commit of main is tested."""
        moments = [self.start + (half + 0.3) / 2 * DAY for half in range(2 * PERF_DAYS)]
        pushes = []
        for at in (moment.replace(microsecond=0) for moment in moments):
            merged_at, sha = timeline.head_at(at) or (self.start, sha_of("before the month"))
            pushes.append(Push(at, sha, "main", "alice", "Nightly Test", self.repo, "schedule", merged_at=merged_at))
        return pushes

    def _run(self, workflow: str, push: Push, plans: Sequence[JobPlan]) -> Run:
        ends = {plan.conclusion for plan in plans}
        conclusion = next((end for end in ("cancelled", "failure") if end in ends), "success")
        run = self.world.add_run(
            plans, conclusion=conclusion, workflow=workflow, event=push.event, branch=push.branch, sha=push.sha,
            at=push.at, actor=push.author, title=push.title, head_repository=push.head, repo=self.repo,
        )  # fmt: skip
        if conclusion == "failure" and self.rng.random() < 0.5:
            at = run.latest.updated_at + DAY / 48
            again = [_repeated(old, at) for old in run.latest.jobs if old.conclusion == "failure"]
            ends = {plan.conclusion for plan in again}
            self.world.rerun(run, conclusion="failure" if "failure" in ends else "success", at=at, jobs=again)
        return run


def _performance(jobs: WeekJobs, push: Push, workflow: str) -> list[JobPlan]:
    return [jobs.performance(name, push) for name, of in JOBS.items() if of.workflow == workflow]


def _repeated(old: Job, at: dt.datetime) -> JobPlan:
    """A failed performance job once more."""
    assert isinstance(old.log, BenchmarkLog)
    log = old.log.again(old.attempt + 1, at + dt.timedelta(seconds=5))
    return replace(plan_of(old, "failure" if log.failed else "success"), log=log, n_steps=10)


def perf(world: World, *, seed: int = 1, runs: int = 150, name: str = "octo/engine") -> Repository:
    """Thirty days: ``runs`` of PR Test with three performance jobs each, and a nightly run every twelve hours."""
    repo = world.repository(name) or world.add_repository(name)
    Month(world, seed, repo).fill(runs, nights=True, others=2, brief=False)
    return repo


def perf_large(world: World, *, seed: int = 1, runs: int = 1000, name: str = "octo/engine") -> Repository:
    """Thirty days: ``runs`` of PR Test with thirty jobs each, three of which measure two tests."""
    repo = world.repository(name) or world.add_repository(name)
    Month(world, seed, repo).fill(runs, nights=False, others=_OTHER_JOBS, brief=True)
    return repo
