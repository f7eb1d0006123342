"""Which agent a run is of: what tells it, how sure that is, and which part the agent had in it."""

from __future__ import annotations

import enum

import msgspec


class Role(enum.StrEnum):
    """The part that an agent had in a run."""

    RAN = "ran"
    """The agent worked in this run."""
    TRIGGERED = "triggered_by"
    """The agent caused the run, as CI on what it pushed."""
    AUTHORED = "authored"
    """The commit, branch or pull request that the run is about is the agent's."""
    ASSISTED = "assisted"
    """The agent is named as one that helped: a trailer, a mention in the title, a mark in the text."""


class SignalKind(enum.StrEnum):
    """Where an agent was told from, the most certain first."""

    RUN_PATH = "run_path"
    """The path of a run that GitHub makes for an agent itself (``dynamic/copilot-swe-agent/…``)."""
    RUN_ARTIFACT = "run_artifact"
    """``aw_info.json`` in an artifact of the run, which names the engine."""
    COMPILED_WORKFLOW = "compiled_workflow"
    """A ``.lock.yml`` workflow of GitHub Agentic Workflows, which does not name the engine."""
    WORKFLOW_USES = "workflow_uses"
    """The workflow's file uses the action of an agent."""
    STEP_NAME = "step_name"
    """A step of the run has the name of an agent's action."""
    ACTOR = "actor"
    """Who triggered the run, by id, else by login."""
    BRANCH = "branch"
    """The prefix of the head branch."""
    PULL_AUTHOR = "pull_author"
    """Who opened the pull request of the run."""
    COMMIT_AUTHOR = "commit_author"
    """The address of the author or committer of the head commit, of runs that are about that commit."""
    TRAILER = "trailer"
    """A ``Co-authored-by`` trailer of the head commit."""
    TITLE = "title"
    """``@name`` of a registered agent in the title of the run."""
    BODY_MARK = "body_mark"
    """A mark that an agent leaves in the text of a pull request or commit."""


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that tells an agent. ``evidence`` is what was seen, at most 200 characters; ``confidence`` 0 to 1."""

    kind: SignalKind
    agent: str
    role: Role
    confidence: float
    evidence: str


class Attribution(msgspec.Struct, frozen=True, kw_only=True):
    """The agent of a run attempt, None where nothing tells one; then the run is shown as unattributed.

    ``signals`` are all that were seen, the most certain first; the first gives the other fields.
    """

    agent: str | None = None
    role: Role | None = None
    source: SignalKind | None = None
    confidence: float | None = None
    signals: tuple[Signal, ...] = ()


class LinkSource(enum.StrEnum):
    """Where the issues of a run were told from."""

    PULL_BODY = "pull_body"
    """A closing keyword in the text of its pull request."""
    COMMIT = "commit"
    """A closing keyword in the message of its head commit."""
    BRANCH = "branch"
    """The name of its branch, such as ``issue-12``."""
    TITLE = "title"
    """A pattern of the settings found in the title."""
