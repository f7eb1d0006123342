"""A plausible week of an inference repository: about a thousand runs, the same for the same seed and moment.

What is planted, so that whoever looks at the week can be asked whether they saw it, stands in ``week_jobs`` and, of
benchmarks, in ``week_benchmarks``.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from tests.fake_github.benchmark_logs import BenchmarkLog
from tests.fake_github.job_lives import plan_of
from tests.fake_github.plans import JobPlan, job, sha_of
from tests.fake_github.scenario_logs import failing, passing
from tests.fake_github.things import Job, Repository, Run
from tests.fake_github.week_benchmarks import Timeline
from tests.fake_github.week_jobs import BROKEN_FROM, BROKEN_JOB, BROKEN_TO, Push, WeekJobs, as_of
from tests.fake_github.world import DAY, World

_AUTHORS = ("alice", "bob", "chen", "dmitri", "emeka", "fatima", "goro", "hana", "ivan", "jun", "kofi", "lena", "mika")
_AREAS = ("scheduler", "kv cache", "radix attention", "fp8 gemm", "router", "lora", "speculative decoding", "docs")
_VERBS = ("Fix", "Speed up", "Refactor", "Support", "Clean up", "Test")


class Week:
    """Fills a world with the seven days before its clock's now."""

    def __init__(self, world: World, seed: int, repo: Repository, runs: int) -> None:
        self.world, self.repo, self.wanted = world, repo, runs
        self.rng = random.Random(f"week {seed}")
        self.now = world.clock.now()
        self.start = self.now - 7 * DAY
        self.scheduled_rng, self.benchmark_rng = (
            random.Random(f"week {seed} {what}") for what in ("scheduled", "benchmarks")
        )
        self.going = 0
        self.forks = [world.add_repository(f"{who}/{repo.name}", fork=True) for who in _AUTHORS[4:]]

    def fill(self) -> None:
        """Pull requests with their pushes, merges, nightly runs, agents and oddities, in the order of time."""
        pushes = self._pushes()
        self.timeline = timeline_of(pushes, self.start, self.now)
        self.jobs = WeekJobs(self.rng, self.timeline)
        self.scheduled_jobs = WeekJobs(self.scheduled_rng, self.timeline)
        for push in sorted([*pushes, *self._schedule()], key=lambda push: push.at):
            if push.event == "schedule":
                self._run("PR Test", push, self.scheduled_jobs.pr_test(push), rng=self.scheduled_rng)
            else:
                self._workflows_of(push)
        for day in range(7):
            self._nightly(self.start + (day + 0.08) * DAY)
        self._oddities()
        number_runs(self.repo)

    def _schedule(self) -> list[Push]:
        """Main is tested every two hours; less often where fewer runs are wanted."""
        every = 2 * DAY / 24 * 1000 / self.wanted
        first = self.start + 17 * DAY / 1440
        moments = [first + every * index for index in range(int((self.now - first) / every) + 1)]
        return [self._of_main(at.replace(microsecond=0), "PR Test") for at in moments if at <= self.now]

    def _of_main(self, at: dt.datetime, title: str) -> Push:
        """What a schedule starts: the newest commit of main at that moment."""
        merged_at, sha = self.timeline.head_at(at) or (self.start, sha_of("before the week"))
        return Push(at, sha, "main", "alice", title, self.repo, "schedule", merged_at=merged_at)

    def _moment(self) -> dt.datetime:
        """Any time of the week, more often by day than by night."""
        while True:
            at = self.start + self.rng.random() * 7 * DAY
            busy = 1.0 if 6 <= at.hour <= 20 else 0.25
            if self.rng.random() < busy * (0.4 if at.weekday() >= 5 else 1.0):
                return at.replace(microsecond=0)

    def _pushes(self) -> list[Push]:
        """So many that, at three and a half runs each, the wanted number is nearly reached."""
        pushes: list[Push] = []
        number = 4100
        while len(pushes) * 3.5 + 40 < self.wanted:
            number += self.rng.randrange(1, 4)
            pushes += self._pull_request(number)
        return pushes

    def _pull_request(self, number: int) -> list[Push]:
        rng, at = self.rng, self._moment()
        author = rng.choice(_AUTHORS)
        fork = next((one for one in self.forks if one.owner.login == author), None)
        title = f"{rng.choice(_VERBS)} {rng.choice(_AREAS)} ({number})"
        branch = "main" if fork and rng.random() < 0.15 else f"{author}/change-{number}"
        merged = rng.random() < 0.45
        moments = sorted(at + rng.random() * 0.8 * DAY for _ in range(rng.choice((1, 1, 2, 2, 3, 4))))
        moments = [moment.replace(microsecond=0) for moment in moments if moment < self.now]
        shas = [sha_of(f"{number} {index}") for index in range(len(moments))]
        if not moments:
            return []
        if number % 40 == 0 or not self.going:
            # Some are at work right now.
            moments[-1] = self.now - self.rng.randrange(3, 30) * DAY / 1440
            moments[-1] = moments[-1].replace(microsecond=0)
            self.going += 1
        merge = sha_of(f"{number} merged") if merged and moments[-1] + DAY / 12 < self.now else None
        pull = self.world.add_pull(
            title,
            branch=branch,
            sha=shas[-1],
            author=author,
            repo=self.repo,
            head_repository=fork,
            at=moments[0],
            updated_at=moments[-1] + DAY / 12 if merge else moments[-1],
            merged_as=merge,
            number=number,
            commits=shas,
        )
        head = fork or self.repo
        pushes = [
            Push(moment, sha, branch, author, title, head, "pull_request", pull)
            for moment, sha in zip(moments, shas, strict=True)
        ]
        if merge:
            merged_title = f"{title} (#{number})"
            pushes.append(Push(pull.updated_at, merge, "main", author, merged_title, self.repo, "push", pull))
        return pushes

    def _workflows_of(self, push: Push) -> None:
        rng = self.rng
        cancelled = push.event == "pull_request" and rng.random() < 0.13
        skipped = push.event == "pull_request" and rng.random() < 0.12
        self._run("Lint", push, self.jobs.lint(push), took=50)
        plans = self.jobs.pr_test(push)
        if skipped:
            plans = [replace(plan, conclusion="skipped") for plan in plans]
        self._run("PR Test", push, self.jobs.stopped(plans) if cancelled and not skipped else plans)
        if rng.random() < 0.8:
            amd = self.jobs.amd(push)
            self._run("PR Test (AMD)", push, self.jobs.stopped(amd) if cancelled else amd)
        if push.event == "push":
            self._run("Release Documentation", push, [job("build-docs", took_s=240), job("deploy-docs", took_s=30)])
        elif rng.random() < 0.7:
            self._run("Labeler", replace(push, event="pull_request_target"), [job("label", took_s=6)], bot=True)

    def _run(
        self,
        workflow: str,
        push: Push,
        plans: Sequence[JobPlan],
        *,
        took: int | None = None,
        bot: bool = False,
        rng: random.Random | None = None,
    ) -> Run:
        """A run as far as it has come by now; some that failed are run again."""
        shown = [as_of(plan, push.at, self.now) for plan in plans]
        ends = {plan.conclusion for plan in shown}
        conclusion = next((end for end in (None, "cancelled", "failure") if end in ends), "success")
        conclusion = "skipped" if ends == {"skipped"} else conclusion
        run = self.world.add_run(
            shown,
            conclusion=conclusion,
            workflow=workflow,
            event=push.event,
            branch=push.branch,
            sha=push.sha,
            at=push.at,
            took_s=0 if conclusion == "skipped" else took,
            actor="github-actions[bot]" if bot else push.author,
            title=push.title,
            head_repository=push.head,
            repo=self.repo,
        )
        if conclusion is None:
            self._end_later(run, push.at, plans)
        rng = rng or self._dice(shown)
        if conclusion == "failure" and rng.random() < 0.35:
            self._again(run, rng)
        return run

    def _dice(self, plans: Sequence[JobPlan]) -> random.Random:
        """The week's random numbers; others where benchmarks alone failed, so that they change nothing else in it."""
        failed = [plan for plan in plans if plan.conclusion == "failure" and plan.name != "pr-test-finish"]
        return self.benchmark_rng if failed and all(isinstance(one.log, BenchmarkLog) for one in failed) else self.rng

    def _again(self, run: Run, rng: random.Random) -> None:
        at = run.latest.updated_at + rng.randrange(5, 90) * DAY / 1440
        at = at.replace(microsecond=0)
        if at > self.now:
            return
        plans = [self._repeated(old, at) for old in run.latest.jobs if old.conclusion in ("failure", "cancelled")]
        shown = [as_of(plan, at, self.now) for plan in plans]
        ends = {plan.conclusion for plan in shown}
        conclusion = None if None in ends else "failure" if "failure" in ends else "success"
        self.world.rerun(run, conclusion=conclusion, at=at, actor=rng.choice(_AUTHORS), jobs=shown)
        if conclusion is None:
            self._end_later(run, at, plans)

    def _repeated(self, old: Job, at: dt.datetime) -> JobPlan:
        """A job that is run again: it passes, unless it is the one that is broken, or its benchmarks fail once more."""
        fails = old.name == BROKEN_JOB and BROKEN_FROM <= self.jobs.day_of(at) < BROKEN_TO
        log = failing("pytest", f"{old.id}", at) if fails else passing(f"{old.id}", at)
        if isinstance(old.log, BenchmarkLog):
            again = old.log.again(old.attempt + 1, at + DAY / 86400 * 20)
            log, fails = again, again.failed
        plan = replace(plan_of(old, "failure" if fails else "success"), wait_s=20, n_steps=9, log=log)
        return replace(plan, took_s=max(plan.took_s, 60))

    def _end_later(self, run: Run, at: dt.datetime, plans: Sequence[JobPlan]) -> None:
        """Let a run that goes on end when its jobs are over, should the clock get there."""
        over = at + dt.timedelta(seconds=max(plan.wait_s + plan.took_s for plan in plans))
        self.world.schedule(over, partial(self.world.finish_run, run, at=over))

    def _nightly(self, at: dt.datetime) -> None:
        """Big runs of reusable workflows: 120 jobs, two pages of them."""
        at = at.replace(microsecond=0)
        push = self._of_main(at, "Nightly Test")
        groups = (("eval", "text-models", 48), ("eval", "vision-models", 30), ("perf", "8-gpu-h200", 40))
        plans = [
            self.jobs.performance(f"{caller} / {leaf} ({index})", push, "8-gpu-h200")
            if caller == "perf"
            else self.jobs.gpu_job(f"{caller} / {leaf} ({index})", push, "2-gpu-runner")
            for caller, leaf, count in groups
            for index in range(count)
        ]
        run = self._run("Nightly Test", push, [*plans, job("plan", took_s=9), job("summary", took_s=20, wait_s=2300)])
        run.referenced_workflows = (f"{self.repo.full_name}/.github/workflows/eval.yml@{push.sha}",)

    def _oddities(self) -> None:
        """Invalid workflow files, runs that wait for approval, agents, and main that is not this main."""
        rng, world = self.rng, self.world
        for index in range(2):
            end = ("startup_failure", "failure")[index]
            run = world.add_run(0, conclusion=end, workflow="PR Test (NPU)", at=self._moment(), took_s=0,
                                repo=self.repo, actor="hana", branch=f"hana/npu-{index}")  # fmt: skip
            run.name = run.path
        for index in range(6):
            at = self._moment()
            world.add_run([job("copilot", took_s=600, wait_s=3)], workflow=self._agent(), event="dynamic", at=at,
                          branch=f"copilot/fix-{index}", actor="Copilot", title="Running Copilot coding agent",
                          conclusion="success", repo=self.repo)  # fmt: skip
            world.add_run(0, conclusion="action_required", workflow="PR Test", event="pull_request", at=at, took_s=0,
                          branch="main", head_repository=rng.choice(self.forks), actor="newcomer",
                          repo=self.repo)  # fmt: skip
        for index in range(3):
            sha = sha_of(f"of a fork {index}")
            world.add_run([job("stage-b (0)")], workflow="PR Test", event="workflow_dispatch", at=self._moment(),
                          title=f"[stage-b] {sha}", actor="github-actions[bot]", repo=self.repo)  # fmt: skip
        for run in self.repo.runs:
            if run.head_branch == "main" and run.event == "push" and rng.random() < 0.2:
                run.wrong_pulls = (1,)

    def _agent(self) -> str:
        path = "dynamic/copilot-swe-agent/copilot"
        if all(one.path != path for one in self.repo.workflows):
            self.world.add_workflow("Copilot coding agent", path, repo=self.repo)
        return path


def number_runs(repo: Repository) -> None:
    """Number the runs of each workflow in the order of time."""
    counts: dict[int, int] = {}
    for run in repo.runs:
        counts[run.workflow.id] = counts.get(run.workflow.id, 20_000) + 1
        run.number = counts[run.workflow.id]


def week(world: World, *, seed: int = 1, runs: int = 1000, name: str = "octo/engine") -> Repository:
    """Fill the world; the repository comes back. ``timeline_of_runs`` dates what is planted in its benchmarks."""
    repo = world.repository(name) or world.add_repository(name)
    Week(world, seed, repo, runs).fill()
    return repo


def timeline_of(pushes: Sequence[Push], start: dt.datetime, end: dt.datetime) -> Timeline:
    """The merges to main among the pushes."""
    return Timeline(start, end, [(push.at, push.sha) for push in pushes if push.event == "push"])


def timeline_of_runs(repo: Repository, start: dt.datetime, end: dt.datetime) -> Timeline:
    """The merges to main that the runs of a repository tell of: each was tested when it came."""
    merges = {(run.created_at, run.head_sha) for run in repo.runs
              if run.event == "push" and run.head_branch == "main" and run.workflow.name == "PR Test"}  # fmt: skip
    return Timeline(start, end, sorted(merges))
