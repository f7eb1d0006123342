"""Short ways to say what jobs a run has: names, outcomes and lengths, all relative to the start of the attempt."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tests.fake_github.things import Annotation, LogState, LogText, Step


@dataclass(frozen=True, slots=True)
class JobPlan:
    """A job that waits ``wait_s`` for a runner and then takes ``took_s``. ``conclusion`` None: it still runs.

    ``steps`` None means a usual list of steps of which the last of its own is the one that failed.
    """

    name: str
    conclusion: str | None = "success"
    wait_s: int = 5
    took_s: int = 60
    labels: tuple[str, ...] = ("ubuntu-latest",)
    runner: str | None = None
    group: str | None = "Default"
    steps: tuple[Step, ...] | None = None
    n_steps: int = 6
    log: LogText = None
    log_state: LogState = LogState.AUTO
    annotations: tuple[Annotation, ...] = ()


def job(name: str = "build", conclusion: str | None = "success", **more: object) -> JobPlan:
    """A job, in few words: ``job("unit (0)", "failure", took_s=300)``."""
    return JobPlan(name, conclusion, **more)  # type: ignore[arg-type]


def matrix(name: str, count: int, conclusions: Sequence[str | None] = (), **more: object) -> list[JobPlan]:
    """``count`` jobs named ``name (0)``…; the first of them end as ``conclusions`` says, the others well."""
    ends = [*conclusions, *["success"] * (count - len(conclusions))]
    return [job(f"{name} ({index})", end, **more) for index, end in zip(range(count), ends, strict=True)]


Jobs = int | Sequence[JobPlan] | None
_FIRST = ("Set up job", "Checkout code", "Set up Python", "Install dependencies")


@lru_cache(maxsize=4096)
def usual_steps(count: int, took_s: int, conclusion: str | None) -> tuple[Step, ...]:
    """``count`` steps that fill ``took_s``: numbers with a gap before the clean-up, one that failed if the job did."""
    if conclusion == "skipped" or count == 0:
        return ()
    own = max(1, count - len(_FIRST) - 2)
    names = [*_FIRST, *(f"Run tests part {index + 1}" if own > 1 else "Run tests" for index in range(own))]
    names = names[: max(1, count - 2)]
    lengths = [min(3, took_s // (2 * len(names)))] * (len(names) - 1)
    lengths.append(max(0, took_s - sum(lengths) - 1))
    bad = conclusion if conclusion in ("failure", "cancelled", "timed_out") else "success"
    steps, start = [], 0
    for number, (name, length) in enumerate(zip(names, lengths, strict=True), 1):
        last = number == len(names)
        ended = conclusion is not None or not last
        end = ("cancelled" if bad == "timed_out" else bad) if last else "success"
        steps.append(Step(number, name, end if ended else None, start, length if ended else None))
        start += length
    if conclusion is not None and count > 2:
        after = len(names) + 3
        steps.append(Step(after, "Post Checkout code", "success", start, 0))
        steps.append(Step(after + 1, "Complete job", "success", start, 0))
    return tuple(steps)


def sha_of(word: str) -> str:
    """A commit id that is the same for the same word."""
    return hashlib.sha1(word.encode()).hexdigest()  # not for safety


def job_plans(jobs: Jobs, conclusion: str | None) -> Sequence[JobPlan]:
    """A number means that many matrix jobs, of which the first ends as its run does, or all go on; None means one."""
    if jobs is None:
        return [job("build", conclusion)]
    if isinstance(jobs, int):
        return matrix("unit", jobs, [conclusion] * (jobs if conclusion is None else min(jobs, 1)))
    return jobs
