"""The jobs of the workflows of a week, and what is planted in them.

A test on main is broken for a day and a half (``unit-test-1-gpu (4)``), one job fails now and then for want of memory
and passes when run again, one runner of the AMD pool loses its connection, and installs fail for two hours. What
happens to benchmarks stands in ``week_benchmarks``.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.fake_github.benchmark_logs import BenchmarkLog
from tests.fake_github.benchmark_values import JobMeasured, machine_for
from tests.fake_github.plans import JobPlan, job
from tests.fake_github.scenario_logs import failing, passing
from tests.fake_github.things import Annotation, LogState, Pull, Repository
from tests.fake_github.week_benchmarks import JOBS, Timeline
from tests.fake_github.world import DAY

BROKEN_FROM, BROKEN_TO = 3.0, 4.5
"""The days of the week, from its start, in which main is broken."""
INSTALLS_FROM, INSTALLS_TO = 2.4, 2.4 + 2 / 24
FLAKY_JOB, BROKEN_JOB = "unit-test-2-gpu (1)", "unit-test-1-gpu (4)"
LOST_RUNNER = "mi300-gpu-3"
_EXIT_1 = Annotation(".github", "Process completed with exit code 1.")


@dataclass
class Push:
    """A commit that starts workflows: on a branch of a pull request, or on main. Schedules start them on main's newest.

    ``merged_at`` is when the newest change of main that is in it was merged; None where it is one itself.
    """

    at: dt.datetime
    sha: str
    branch: str
    author: str
    title: str
    head: Repository
    event: str
    pull: Pull | None = None
    merged_at: dt.datetime | None = None


class WeekJobs:
    """Makes the jobs of a push, from one stream of random numbers; ``timeline`` is that of the window's merges.

    With ``brief`` performance jobs run the first of their tests only.
    """

    def __init__(self, rng: random.Random, timeline: Timeline, *, brief: bool = False) -> None:
        self.rng, self.start, self.timeline, self.brief = rng, timeline.start, timeline, brief

    def day_of(self, at: dt.datetime) -> float:
        """Days since the week began."""
        return (at - self.start) / DAY

    def stopped(self, plans: Sequence[JobPlan]) -> list[JobPlan]:
        """What a newer push leaves of a run: what had ended stays, the rest is cancelled."""
        after = self.rng.randrange(30, 400)
        stopped = []
        for plan in plans:
            if plan.wait_s + plan.took_s <= after:
                stopped.append(plan)
            else:
                took = max(0, after - plan.wait_s)
                state = LogState.AUTO if took else LogState.NEVER
                log = plan.log.stopped(took) if isinstance(plan.log, BenchmarkLog) and took else None
                stopped.append(replace(plan, conclusion="cancelled", took_s=took, log=log, log_state=state))
        return stopped

    def lint(self, push: Push) -> list[JobPlan]:
        """One job; on pull requests one in ten fails."""
        bad = self.rng.random() < 0.1 and push.event == "pull_request"
        log = failing("lint", push.sha, push.at) if bad else None
        return [job("lint", "failure" if bad else "success", wait_s=4, took_s=45, n_steps=7, log=log)]

    def pr_test(self, push: Push) -> list[JobPlan]:
        """The matrix of a pull request; a push to main has more of everything."""
        main, rng = push.event == "push", self.rng
        plans = [
            job("check-changes", took_s=12),
            job("kernel-build (cu126)", took_s=rng.randrange(200, 400), wait_s=20),
        ]
        for name, count, label in (
            ("unit-test-1-gpu", 24 if main else 12, "1-gpu-runner"),
            ("unit-test-2-gpu", 4 if main else 2, "2-gpu-runner"),
            ("unit-test-cpu", 2, "ubuntu-latest"),
        ):
            plans += [self.gpu_job(f"{name} ({index})", push, label) for index in range(count)]
        plans += [self.performance(f"performance-test-1-gpu-part-{part}", push) for part in (1, 2)]
        # With random numbers of its own, so that it changes nothing in the other jobs.
        two_gpus = random.Random(f"{push.sha} {push.at}")
        plans.append(self.performance("performance-test-2-gpu", push, rng=two_gpus))
        plans.append(self.gpu_job("accuracy-test-1-gpu", push, "1-gpu-h100"))
        bad = any(plan.conclusion != "success" for plan in plans)
        last = max(plan.wait_s + plan.took_s for plan in plans)
        return [*plans, job("pr-test-finish", "failure" if bad else "success", wait_s=last + 2, took_s=4, n_steps=3)]

    def gpu_job(self, name: str, push: Push, label: str) -> JobPlan:
        """A job on a runner with GPUs that passes, or fails in one of the planted ways."""
        rng, at, day = self.rng, push.at, self.day_of(push.at)
        wait, took = rng.randrange(5, 600), rng.randrange(300, 1500)
        kind, test = None, "test_decode"
        if INSTALLS_FROM <= day < INSTALLS_TO and rng.random() < 0.6:
            kind, took = "install", 70
        elif name == BROKEN_JOB and BROKEN_FROM <= self.day_of(push.merged_at or at) < BROKEN_TO:
            kind = "pytest"
        elif name == FLAKY_JOB and rng.random() < 0.12:
            kind, test = "oom", "test_moe_tp"
        elif name.startswith("accuracy") and rng.random() < 0.04:
            kind, took = "timeout", 1800
        elif push.pull and push.event == "pull_request" and rng.random() < 0.006:
            kind, test = "pytest", f"test_{push.pull.number % 40}"
        seed, started = f"{push.sha} {name}", at + dt.timedelta(seconds=wait)
        runner = f"{label}-{rng.randrange(12)}"
        plan = job(
            name, wait_s=wait, took_s=took, n_steps=9, labels=(label,), runner=runner, log=passing(seed, started)
        )
        if kind is None:
            return plan
        note = Annotation(".github", "Process completed with exit code 255.")
        return replace(plan, conclusion="failure", log=failing(kind, seed, started, test=test), annotations=(note,))

    def performance(self, name: str, push: Push, label: str = "", *, rng: random.Random | None = None) -> JobPlan:
        """A job that runs benchmarks on one of the machines of its pool; a suite of other tests where it has none."""
        rng = rng or self.rng
        wait, took = rng.randrange(5, 400), rng.randrange(500, 700)
        started, seed = push.at + dt.timedelta(seconds=wait), f"{push.sha} {push.at.isoformat()} {name}"
        if name not in JOBS:
            return job(name, wait_s=wait, took_s=took, n_steps=10, labels=(label,), runner=f"{label}-1",
                       log=passing(seed, started))  # fmt: skip
        label = JOBS[name].label
        runner = machine_for(label, seed, self.timeline.share_of(push.at))
        pull = push.pull.number if push.pull and push.event == "pull_request" else None
        share = self.timeline.share_of(self._newest(push))
        measured = JobMeasured(name, seed, share, runner, pull, brief=self.brief)
        log = BenchmarkLog(measured, started)
        plan = job(name, wait_s=wait, took_s=took, n_steps=10, labels=(label,), runner=runner, log=log)
        return replace(plan, conclusion="failure", annotations=(_EXIT_1,)) if log.failed else plan

    def _newest(self, push: Push) -> dt.datetime:
        """When the newest change of main that the push holds was merged."""
        if push.event == "push":
            return push.at
        head = self.timeline.head_at(push.at)
        return self.timeline.start if head is None else head[0]

    def amd(self, push: Push) -> list[JobPlan]:
        """Eight shards on the AMD pool, one of whose runners gets lost, and a benchmark."""
        label, plans = "linux-mi300-gpu-1", []
        for index in range(8):
            plan = self.gpu_job(f"unit-test-1-gpu-amd ({label}, {index})", push, label)
            plan = replace(plan, runner=f"mi300-gpu-{self.rng.randrange(6)}")
            if plan.runner == LOST_RUNNER and plan.conclusion == "success" and self.rng.random() < 0.3:
                words = f"The self-hosted runner: {LOST_RUNNER} lost communication with the server."
                plan = replace(
                    plan,
                    conclusion="failure",
                    log=failing("runner", f"{push.sha} {index}", push.at),
                    log_state=LogState.NEVER if index % 2 else LogState.AUTO,
                    annotations=(Annotation(".github", words),),
                )
            plans.append(plan)
        return [*plans, self.performance(f"performance-test-1-gpu-amd ({label})", push)]


def as_of(plan: JobPlan, at: dt.datetime, now: dt.datetime) -> JobPlan:
    """A job as far as it has come by now: it waits, or runs, or has ended."""
    begins = at + dt.timedelta(seconds=plan.wait_s)
    if begins + dt.timedelta(seconds=plan.took_s) <= now or plan.conclusion == "skipped":
        return plan
    waits = plan.wait_s if begins <= now else -1
    return replace(plan, conclusion=None, wait_s=waits, log=None, log_state=LogState.AUTO, annotations=())
