"""Everything that a site shows, in one world: the week of CI and performance jobs, and agents at work beside it.

An image cannot be built since ``IMAGE_BROKEN_HOURS`` before now, so that something is broken at this moment.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from functools import partial

from tests.fake_github.log_text import stamped
from tests.fake_github.plans import JobPlan, job, sha_of
from tests.fake_github.scenario_agents import DAYS, agents
from tests.fake_github.scenario_week import number_runs, timeline_of_runs, week
from tests.fake_github.things import Repository
from tests.fake_github.world import DAY, World

IMAGE_WORKFLOW, IMAGE_JOB = "Container Image", "build-image (cu129)"
IMAGE_BROKEN_HOURS = 20
_IMAGE_EVERY_HOURS = 4
_ASKED_FIRST, _TASKS_FIRST = 20, 100
_ERROR = (
    "#14 [builder 6/9] RUN python3 setup.py build_ext --inplace",
    "#14 41.87 nvcc fatal   : Unsupported gpu architecture 'compute_121a'",
    "#14 41.90 error: command '/usr/local/cuda/bin/nvcc' failed with exit code 1",
    '#14 ERROR: process "/bin/sh -c python3 setup.py build_ext --inplace" did not complete successfully: exit code: 1',
    "##[error]Process completed with exit code 1.",
)


def site(world: World, *, seed: int = 1, runs: int = 1000, name: str = "octo/engine") -> Repository:
    """Fill the world with ``runs`` of the week, ten days of agents with their issues, and images that are built."""
    repo = agents(world, seed=seed, name=name)
    _issues(world, repo)
    week(world, seed=seed, runs=runs, name=name)
    _images(world, repo)
    number_runs(repo)
    return repo


def _issues(world: World, repo: Repository) -> None:
    """What agents were asked to do: the tasks of Copilot, and questions to Claude."""
    start = world.clock.now() - (DAYS + 1) * DAY
    for index in range(3 * DAYS):
        world.add_issue(f"The queue is not drained, part {index}", "Requests wait although slots are free.",
                        author="alice", repo=repo, number=_TASKS_FIRST + index, labels=("bug",), at=start)  # fmt: skip
    for day in range(DAYS):
        world.add_issue(f"Why does the queue grow on day {day}?", "Please have a look.", author="bob", repo=repo,
                        number=_ASKED_FIRST + day, labels=("question",), at=start + day * DAY)  # fmt: skip


def _images(world: World, repo: Repository) -> None:
    """Images of the newest commit of main, every four hours of the week; one of the two cannot be built any more."""
    now = world.clock.now()
    timeline = timeline_of_runs(repo, now - 7 * DAY, now)
    for hours in range(7 * 24 - 1, 0, -_IMAGE_EVERY_HOURS):
        at = now - dt.timedelta(hours=hours)
        _, sha = timeline.head_at(at) or (at, sha_of("before the week"))
        broken = hours <= IMAGE_BROKEN_HOURS
        plans = [_image("build-image (cu126)", at, is_broken=False), _image(IMAGE_JOB, at, is_broken=broken)]
        world.add_run(plans, conclusion="failure" if broken else "success", workflow=IMAGE_WORKFLOW, event="schedule",
                      sha=sha, at=at, repo=repo, title=IMAGE_WORKFLOW)  # fmt: skip


def _image(name: str, at: dt.datetime, *, is_broken: bool) -> JobPlan:
    return job(name, "failure" if is_broken else "success", wait_s=8, took_s=190 if is_broken else 640, n_steps=7,
               log=_log(at, is_broken=is_broken))  # fmt: skip


def _log(at: dt.datetime, *, is_broken: bool) -> Callable[[], Iterable[bytes]]:
    return partial(_lines, at, _ERROR if is_broken else ("#14 DONE 402.1s", "#21 exporting to image"))


def _lines(at: dt.datetime, said: tuple[str, ...]) -> list[bytes]:
    lines = [
        "Current runner version: '2.325.0'",
        "##[group]Run docker/build-push-action@v6",
        "with:",
        "  platforms: linux/amd64",
        "##[endgroup]",
        "#8 [builder 1/9] FROM docker.io/nvidia/cuda:12.9.1-devel-ubuntu22.04",
        "#8 DONE 11.2s",
        *said,
        "Cleaning up orphan processes",
    ]
    return [stamped(lines, at, 2.5).encode()]
