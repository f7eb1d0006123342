"""The objects of the REST API and of webhooks, as far as they are read.

Only what nothing works without is required. Times stay text here: one that cannot be read must not cost its object.
Source: OpenAPI description of the REST API, version 2022-11-28; bodies of 2020 lack ``display_title``, ``path``,
``run_attempt``, ``triggering_actor`` and ``created_at`` of jobs.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Small = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Attempt = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


class User(msgspec.Struct):
    """A user, an organisation or an app."""

    login: str | None = None
    id: Whole | None = None


class Repository(msgspec.Struct):
    """A repository; in pull requests of runs only ``id``, ``url`` and ``name`` are told."""

    id: Whole | None = None
    name: str | None = None
    full_name: str | None = None
    url: str | None = None
    default_branch: str | None = None


class Branch(msgspec.Struct):
    """One end of a pull request."""

    ref: str | None = None
    sha: str | None = None
    repo: Repository | None = None


class PullLink(msgspec.Struct):
    """A pull request as a run names it."""

    number: Id
    head: Branch | None = None
    base: Branch | None = None


class Person(msgspec.Struct):
    """Who wrote a commit."""

    name: str | None = None
    email: str | None = None


class Commit(msgspec.Struct):
    """The head commit of a run."""

    message: str | None = None
    author: Person | None = None
    committer: Person | None = None


class Referenced(msgspec.Struct):
    """A workflow that a run calls."""

    path: str


class Run(msgspec.Struct):
    """A run with the facts of one attempt."""

    id: Id
    run_attempt: Attempt | None = None
    run_number: Whole | None = None
    workflow_id: Whole | None = None
    name: str | None = None
    path: str | None = None
    display_title: str | None = None
    event: str | None = None
    status: str | None = None
    conclusion: str | None = None
    created_at: str | None = None
    run_started_at: str | None = None
    updated_at: str | None = None
    head_branch: str | None = None
    head_sha: str | None = None
    head_repository: Repository | None = None
    repository: Repository | None = None
    actor: User | None = None
    triggering_actor: User | None = None
    head_commit: Commit | None = None
    pull_requests: list[PullLink] | None = None
    referenced_workflows: list[Referenced] | None = None
    check_suite_id: Whole | None = None
    node_id: str | None = None
    html_url: str | None = None


class Step(msgspec.Struct):
    """A step of a job."""

    number: Small
    name: str
    status: str | None = None
    conclusion: str | None = None
    started_at: str | None = None
    completed_at: str | None = None


class Job(msgspec.Struct):
    """A job of one attempt."""

    id: Id
    run_id: Id
    name: str
    run_attempt: Attempt | None = None
    workflow_name: str | None = None
    head_branch: str | None = None
    head_sha: str | None = None
    status: str | None = None
    conclusion: str | None = None
    created_at: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    runner_id: Whole | None = None
    runner_name: str | None = None
    runner_group_name: str | None = None
    labels: list[str] | None = None
    html_url: str | None = None
    steps: list[Step] | None = None


class Pull(msgspec.Struct):
    """A pull request as the lists of pull requests tell it."""

    number: Id
    title: str | None = None
    state: str | None = None
    user: User | None = None
    head: Branch | None = None
    base: Branch | None = None
    merge_commit_sha: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    merged_at: str | None = None
    html_url: str | None = None
    body: str | None = None


class FlatRun(msgspec.Struct):
    """A run in the flat shape that dashboards of agent runs keep: names in place of objects."""

    id: Id
    run_attempt: Attempt | None = None
    run_number: Whole | None = None
    workflow_name: str | None = None
    workflow_file: str | None = None
    display_title: str | None = None
    event: str | None = None
    status: str | None = None
    conclusion: str | None = None
    created_at: str | None = None
    run_started_at: str | None = None
    updated_at: str | None = None
    head_branch: str | None = None
    head_sha: str | None = None
    triggering_actor: str | None = None
    html_url: str | None = None


class Artifact(msgspec.Struct):
    """An artifact as the lists of artifacts tell it."""

    id: Id
    name: str
    size_in_bytes: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    expired: bool | None = None
    created_at: str | None = None
