"""A stateful fake of the GitHub API on real sockets: runs, attempts, jobs, steps, logs, pull requests, limits, faults.

    from tests.fake_github import FakeGitHub, job, matrix

    with FakeGitHub() as github:
        world = github.world
        run = world.add_run([*matrix("unit", 3, ["failure"]), job("lint")], conclusion="failure", workflow="PR Test")
        world.rerun(run)                                     # of the failed jobs; a second attempt
        world.add_pull(sha=run.head_sha)
        github.faults.add("error", endpoint="jobs", nth=2, status=503)
        client = SomeClient(github.api_url, sleep=github.clock.advance)
        ...
        assert github.journal.count("jobs") == 2             # and by_endpoint(), calls, most_in_flight
        assert github.journal.broken_rules() == {}           # which of GitHub's rules the client broke

``github.clock`` stands still until ``advance(seconds)`` or ``set(moment)``; it rules resets, expiry and arrivals
(``world.schedule(moment, action)``). ``github.settings`` holds the habits in which GitHub varies, ``github.tokens``
what tokens may do, ``github.apps`` apps and their installations, ``github.leave_calls(10, token=…)`` what is left of
the limit. Any token will do unless ``settings.strict_tokens`` is set; ``ghs_…`` has 1,000 calls an hour, others 5,000,
nobody 60. Setting an attribute of a run, attempt, job or pull request takes effect with the next call, and their
``overrides`` make single fields of a body strange or ``ABSENT``; hold ``world.lock`` where several changes belong
together. ``faults.Kind`` lists what can go wrong, ``faults.Fault`` how to say when. The journal notes too many calls in
flight (``journal.max_in_flight``) and calls below a breaker (``journal.breaker_remaining``) when these are set, and
always: credentials or late calls to the blob host, a missing version or user agent, page numbers made by hand, and
calls while told to wait (for which the client must wait on the same clock). ``scenarios`` has worlds ready made.

By hand: ``python -m tests.fake_github --scenario week``.
"""

from __future__ import annotations

from tests.fake_github.clock import Clock
from tests.fake_github.fake import FakeGitHub
from tests.fake_github.faults import Fault, Kind
from tests.fake_github.journal import Call, Violation
from tests.fake_github.plans import JobPlan, job, matrix, sha_of
from tests.fake_github.settings import Latest, Settings
from tests.fake_github.things import (
    ABSENT,
    Annotation,
    Artifact,
    Comment,
    Issue,
    Job,
    LogState,
    Pull,
    Repository,
    Run,
    Step,
    Workflow,
)
from tests.fake_github.world import World

__all__ = [
    "ABSENT",
    "Annotation",
    "Artifact",
    "Call",
    "Clock",
    "Comment",
    "FakeGitHub",
    "Fault",
    "Issue",
    "Job",
    "JobPlan",
    "Kind",
    "Latest",
    "LogState",
    "Pull",
    "Repository",
    "Run",
    "Settings",
    "Step",
    "Violation",
    "Workflow",
    "World",
    "job",
    "matrix",
    "sha_of",
]
