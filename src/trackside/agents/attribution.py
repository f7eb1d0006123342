"""Which agent a run is of: every signal that tells one, the most certain first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from trackside.agents.identities import KnownAgents
from trackside.agents.trailers import co_authors_of
from trackside.agents.workflow_uses import WorkflowUses
from trackside.records.attribution import Attribution, Role, Signal, SignalKind

CONFIDENCE: Final = {
    SignalKind.RUN_PATH: 1.0,
    SignalKind.RUN_ARTIFACT: 1.0,
    SignalKind.COMPILED_WORKFLOW: 0.9,
    # 0.95 were it surely the file at the head commit; a checkout may have another.
    SignalKind.WORKFLOW_USES: 0.9,
    SignalKind.STEP_NAME: 0.9,
    SignalKind.ACTOR: 0.85,
    SignalKind.BRANCH: 0.75,
    SignalKind.PULL_AUTHOR: 0.85,
    SignalKind.COMMIT_AUTHOR: 0.8,
    SignalKind.TRAILER: 0.6,
    SignalKind.TITLE: 0.5,
    SignalKind.BODY_MARK: 0.4,
}
"""How sure each kind of signal is, in the order in which they count."""
ROLES: Final = {
    **dict.fromkeys(
        (
            SignalKind.RUN_PATH,
            SignalKind.RUN_ARTIFACT,
            SignalKind.COMPILED_WORKFLOW,
            SignalKind.WORKFLOW_USES,
            SignalKind.STEP_NAME,
        ),
        Role.RAN,
    ),
    SignalKind.ACTOR: Role.TRIGGERED,
    **dict.fromkeys((SignalKind.BRANCH, SignalKind.PULL_AUTHOR, SignalKind.COMMIT_AUTHOR), Role.AUTHORED),
    **dict.fromkeys((SignalKind.TRAILER, SignalKind.TITLE, SignalKind.BODY_MARK), Role.ASSISTED),
}
ABOUT_COMMIT: Final = frozenset({"push", "pull_request", "merge_group"})
"""Events that are about the head commit; others run on whatever the branch holds."""
ON_BASE: Final = "pull_request_target"
"""An event that is about a pull request, and may name the commit of its base as the head commit."""
COMPILED: Final = "gh-aw"
UNKNOWN_ENGINE: Final = f"{COMPILED}:?"
EVIDENCE: Final = 200
_MENTION: Final = re.compile(r"(?<![\w.@/+=-])@([A-Za-z0-9][A-Za-z0-9._-]*+)(?![\w@/])")
_NOT_PROSE: Final = re.compile(r"`[^`]*`|[a-z][a-z0-9+.-]{1,20}://\S+", re.IGNORECASE)
_MOST_TITLE: Final = 1000


class Pull(msgspec.Struct, frozen=True, kw_only=True):
    """What a pull request of a run tells."""

    number: int
    head_sha: str | None = None
    author: str | None = None
    author_id: int | None = None
    body: str | None = None


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a run attempt that may tell its agent.

    ``steps`` are the names of steps of agents that ran, ``idle_steps`` of those that were skipped or never began;
    ``skips_job`` says that a job was skipped, whose steps nobody tells.
    ``engines`` are ``engine_id`` of each ``aw_info.json`` of the run.
    """

    path: str | None = None
    event: str | None = None
    sha: str | None = None
    title: str | None = None
    conclusion: str | None = None
    branch: str | None = None
    actor: str | None = None
    actor_id: int | None = None
    triggering_actor: str | None = None
    triggering_actor_id: int | None = None
    commit_message: str | None = None
    author_email: str | None = None
    committer_email: str | None = None
    steps: tuple[str, ...] = ()
    idle_steps: tuple[str, ...] = ()
    skips_job: bool = False
    engines: tuple[str, ...] = ()
    workflow: WorkflowUses | None = None
    pulls: tuple[Pull, ...] = ()

    @property
    def is_about_commit(self) -> bool:
        """Whether the run is about its head commit."""
        if self.event == ON_BASE:
            return self.sha is not None and any(pull.head_sha == self.sha for pull in self.pulls)
        return self.event in ABOUT_COMMIT


def attribute(run: RunFacts, agents: KnownAgents) -> Attribution:
    """The agent of a run: that of the first signal, all of which are told; nothing where there is none."""
    signals = tuple(signal for kind in CONFIDENCE for signal in signals_of(kind, run, agents))
    if not signals:
        return Attribution()
    first = signals[0]
    return Attribution(
        agent=first.agent, role=first.role, source=first.kind, confidence=first.confidence, signals=signals
    )


def signals_of(kind: SignalKind, run: RunFacts, agents: KnownAgents) -> Iterator[Signal]:
    """The signals of one kind; each agent once for each thing that tells it."""
    for agent, seen in dict.fromkeys(_LOOKS[kind](run, agents)):
        evidence = " ".join(seen.split())[:EVIDENCE]
        yield Signal(kind=kind, agent=agent, role=ROLES[kind], confidence=CONFIDENCE[kind], evidence=evidence)


_Found = Iterable[tuple[str, str]]


def _path(run: RunFacts, agents: KnownAgents) -> _Found:
    name = agents.of_path(run.path)
    if name is not None:
        yield name, f"path {run.path}"


def _artifact(run: RunFacts, _agents: KnownAgents) -> _Found:
    for engine in run.engines:
        yield f"{COMPILED}:{engine}", f"aw_info.json: engine_id {engine}"


def _compiled(run: RunFacts, _agents: KnownAgents) -> _Found:
    if run.workflow is not None and run.workflow.is_compiled and _worked(run):
        yield UNKNOWN_ENGINE, f"{run.workflow.path} was compiled by GitHub Agentic Workflows"


def _uses(run: RunFacts, agents: KnownAgents) -> _Found:
    if not _worked(run):
        return
    own = agents.of_workflow(run.path)
    if own is not None:
        yield own, f"the settings name {run.path} as a workflow of this agent"
    worked = {agents.of_step(step) for step in run.steps}
    idle = {agents.of_step(step) for step in run.idle_steps} - worked
    for action in () if run.workflow is None else run.workflow.actions:
        name = agents.of_action(action)
        # Of a job that was skipped no step is told: it may be the agent's.
        if name is not None and name not in idle and (name in worked or not run.skips_job):
            yield name, f"uses: {action}"


def _step(run: RunFacts, agents: KnownAgents) -> _Found:
    for step in run.steps:
        name = agents.of_step(step)
        if name is not None:
            yield name, f"step {step}"


def _actor(run: RunFacts, agents: KnownAgents) -> _Found:
    accounts = {(run.triggering_actor, run.triggering_actor_id): "triggered by"}
    accounts.setdefault((run.actor, run.actor_id), "actor")
    for (login, id_), what in accounts.items():
        name = agents.of_account(login, id_)
        if name is not None:
            yield name, f"{what} {account_words(login, id_)}"


def _branch(run: RunFacts, agents: KnownAgents) -> _Found:
    found = agents.of_branch(run.branch)
    if found is not None:
        yield found[1], f"branch {run.branch}, by its prefix {found[0]}"


def _pull_author(run: RunFacts, agents: KnownAgents) -> _Found:
    for pull in run.pulls:
        name = agents.of_account(pull.author, pull.author_id)
        if name is not None:
            yield name, f"#{pull.number} by {account_words(pull.author, pull.author_id)}"


def _commit(run: RunFacts, agents: KnownAgents) -> _Found:
    if not run.is_about_commit:
        return
    for what, address in (("author", run.author_email), ("committer", run.committer_email)):
        name = agents.of_email(address)
        if name is not None:
            yield name, f"{what} {address}"


def _trailer(run: RunFacts, agents: KnownAgents) -> _Found:
    if not run.is_about_commit:
        return
    for person, address in co_authors_of(run.commit_message or ""):
        name = agents.of_email(address)
        if name is not None:
            yield name, f"Co-authored-by: {person} <{address}>"


def _title(run: RunFacts, agents: KnownAgents) -> _Found:
    for token in mentions_in(run.title or ""):
        name = agents.of_mention(token)
        if name is not None:
            yield name, f"@{token} in the title"


def _marks(run: RunFacts, agents: KnownAgents) -> _Found:
    texts = [(f"#{pull.number}", pull.body) for pull in run.pulls]
    if run.is_about_commit:
        texts.append(("commit message", run.commit_message))
    for where, text in texts:
        for name, seen in agents.of_marks(text):
            yield name, f"{where}: {seen}"


_LOOKS: Final[dict[SignalKind, Callable[[RunFacts, KnownAgents], _Found]]] = {
    SignalKind.RUN_PATH: _path,
    SignalKind.RUN_ARTIFACT: _artifact,
    SignalKind.COMPILED_WORKFLOW: _compiled,
    SignalKind.WORKFLOW_USES: _uses,
    SignalKind.STEP_NAME: _step,
    SignalKind.ACTOR: _actor,
    SignalKind.BRANCH: _branch,
    SignalKind.PULL_AUTHOR: _pull_author,
    SignalKind.COMMIT_AUTHOR: _commit,
    SignalKind.TRAILER: _trailer,
    SignalKind.TITLE: _title,
    SignalKind.BODY_MARK: _marks,
}


def mentions_in(title: str) -> tuple[str, ...]:
    """The tokens that a title mentions as ``@name``, each once: not in an address, a URL or code."""
    prose = _NOT_PROSE.sub(" ", title[:_MOST_TITLE])
    return tuple(dict.fromkeys(token.rstrip("._-") for token in _MENTION.findall(prose)))


def _worked(run: RunFacts) -> bool:
    """Whether a job of the run may have run: nobody worked in one that was skipped or never began."""
    return run.conclusion not in ("skipped", "startup_failure", "action_required")


def account_words(login: str | None, id_: int | None) -> str | None:
    """``Copilot (198982749)``, as far as it is known; None of nobody."""
    return f"{login or '?'} ({id_})" if id_ is not None else login
