"""The jobs of the workflows of a week, and what is planted in them.

A test on main is broken for a day and a half (``unit-test-1-gpu (4)``), one job fails now and then for want of memory
and passes when run again, one runner of the AMD pool loses its connection, installs fail for two hours, and
benchmarks get 8 % slower on the fifth day.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.fake_github.plans import JobPlan, job
from tests.fake_github.scenario_logs import benchmark, failing, passing
from tests.fake_github.things import Annotation, LogState, Pull, Repository
from tests.fake_github.world import DAY

BROKEN_FROM, BROKEN_TO = 3.0, 4.5
"""The days of the week, from its start, in which main is broken."""
INSTALLS_FROM, INSTALLS_TO = 2.4, 2.4 + 2 / 24
SLOWER_FROM = 5.0
SLOWER_BY = 0.08
FLAKY_JOB, BROKEN_JOB = "unit-test-2-gpu (1)", "unit-test-1-gpu (4)"
LOST_RUNNER = "mi300-gpu-3"


@dataclass
class Push:
    """A commit that starts workflows: on a branch of a pull request, or on main."""

    at: dt.datetime
    sha: str
    branch: str
    author: str
    title: str
    head: Repository
    event: str
    pull: Pull | None = None


class WeekJobs:
    """Makes the jobs of a push, from one stream of random numbers; ``start`` is when the week began."""

    def __init__(self, rng: random.Random, start: dt.datetime) -> None:
        self.rng, self.start = rng, start

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
                stopped.append(replace(plan, conclusion="cancelled", took_s=took, log=None, log_state=state))
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
        plans += [self.performance(f"performance-test-1-gpu-part-{part}", push, "1-gpu-h100") for part in (1, 2)]
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
        elif name == BROKEN_JOB and BROKEN_FROM <= day < BROKEN_TO:
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

    def performance(self, name: str, push: Push, label: str) -> JobPlan:
        """A job that prints benchmarks: slower ones from the day on."""
        wait, took = self.rng.randrange(5, 400), self.rng.randrange(500, 700)
        slower = SLOWER_BY if self.day_of(push.at) >= SLOWER_FROM else 0.0
        log = benchmark(f"{push.sha} {name}", push.at + dt.timedelta(seconds=wait), slower=slower)
        return job(name, wait_s=wait, took_s=took, n_steps=10, labels=(label,), runner=f"{label}-1", log=log)

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
        return [*plans, self.performance(f"performance-test-1-gpu-amd ({label})", push, label)]


def as_of(plan: JobPlan, at: dt.datetime, now: dt.datetime) -> JobPlan:
    """A job as far as it has come by now: it waits, or runs, or has ended."""
    begins = at + dt.timedelta(seconds=plan.wait_s)
    if begins + dt.timedelta(seconds=plan.took_s) <= now or plan.conclusion == "skipped":
        return plan
    waits = plan.wait_s if begins <= now else -1
    return replace(plan, conclusion=None, wait_s=waits, log=None, log_state=LogState.AUTO, annotations=())
