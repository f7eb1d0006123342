"""Why a run is said to be of an agent: what was looked at, what it told, and why one signal counts of several."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from typing import Final

import msgspec

from trackside.agents.attribution import CONFIDENCE, RunFacts, account_words, signals_of
from trackside.agents.identities import NEVER_LOGINS, KnownAgents
from trackside.agents.links import IssueLink, brought_by
from trackside.agents.trailers import co_authors_of
from trackside.records.attribution import Role, Signal, SignalKind

_MOST_SEEN: Final = 20
_SHORT: Final = 200
_LONG: Final = 1000
_HASH: Final = re.compile(r"#([1-9]\d{0,8})(?!\w)")
MEANINGS: Final = {
    SignalKind.RUN_PATH: "path of the run",
    SignalKind.RUN_ARTIFACT: "aw_info.json in its artifacts",
    SignalKind.COMPILED_WORKFLOW: "compiled workflow",
    SignalKind.WORKFLOW_USES: "actions that its workflow uses",
    SignalKind.STEP_NAME: "names of its steps",
    SignalKind.ACTOR: "who triggered it",
    SignalKind.BRANCH: "head branch",
    SignalKind.PULL_AUTHOR: "authors of its pull requests",
    SignalKind.COMMIT_AUTHOR: "author and committer of its commit",
    SignalKind.TRAILER: "co-authors of its commit",
    SignalKind.TITLE: "mentions in its title",
    SignalKind.BODY_MARK: "marks in texts",
}
"""What each kind of signal looks at, in the words of a report."""


class SignalVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """A signal, whether it gives the agent, and why it does or does not."""

    signal: Signal
    is_chosen: bool
    why: str


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """A place that was looked at: what was seen there, and what it told. Without signals ``nothing`` says why."""

    kind: SignalKind
    seen: tuple[str, ...]
    signals: tuple[SignalVerdict, ...] = ()
    nothing: str | None = None


def looks_of(run: RunFacts, agents: KnownAgents, *, artifacts_asked: bool, steps: int | None) -> tuple[Look, ...]:
    """Every place that is looked at, in the order in which they count.

    ``artifacts_asked`` says whether the artifacts of the run were listed; ``steps`` counts its steps, None where its
    jobs are not known.
    """
    looks: list[Look] = []
    chosen: Signal | None = None
    for kind in CONFIDENCE:
        signals = tuple(signals_of(kind, run, agents))
        verdicts = tuple(_verdict(signal, chosen or signals[0]) for signal in signals)
        chosen = chosen or next(iter(signals), None)
        nothing = None if signals else _nothing(kind, run, artifacts_asked=artifacts_asked, steps=steps)
        looks.append(Look(kind=kind, seen=_seen(kind, run), signals=verdicts, nothing=nothing))
    return tuple(looks)


def _verdict(signal: Signal, chosen: Signal) -> SignalVerdict:
    if signal is chosen:
        return SignalVerdict(signal=signal, is_chosen=True, why="the first that tells an agent: it counts")
    if signal.kind is chosen.kind:
        why = "another of the same kind stands before it"
    else:
        why = f"{MEANINGS[chosen.kind]} counts before it"
    same = " and tells the same agent" if signal.agent == chosen.agent else ""
    return SignalVerdict(signal=signal, is_chosen=False, why=f"{why}{same}")


def _seen(kind: SignalKind, run: RunFacts) -> tuple[str, ...]:
    """What there was to look at, as far as it is short."""
    workflow = run.workflow
    pulls = [f"#{pull.number} by {pull.author or '?'}" for pull in run.pulls]
    told: dict[SignalKind, list[str | None]] = {
        SignalKind.RUN_PATH: [run.path],
        SignalKind.RUN_ARTIFACT: [*run.engines],
        SignalKind.COMPILED_WORKFLOW: [workflow.path if workflow else None],
        SignalKind.WORKFLOW_USES: [*(workflow.actions if workflow else ())],
        SignalKind.STEP_NAME: [*run.steps, *(f"{step} (skipped)" for step in run.idle_steps)],
        SignalKind.ACTOR: [
            account_words(run.triggering_actor, run.triggering_actor_id),
            account_words(run.actor, run.actor_id),
        ],
        SignalKind.BRANCH: [run.branch],
        SignalKind.PULL_AUTHOR: [*pulls],
        SignalKind.COMMIT_AUTHOR: [run.author_email, run.committer_email],
        SignalKind.TRAILER: [f"{name} <{address}>" for name, address in co_authors_of(run.commit_message or "")],
        SignalKind.TITLE: [run.title],
        SignalKind.BODY_MARK: [f"text of #{pull.number}" for pull in run.pulls if pull.body],
    }
    return tuple(dict.fromkeys(text[:_SHORT] for text in told[kind] if text))[:_MOST_SEEN]


def _nothing(kind: SignalKind, run: RunFacts, *, artifacts_asked: bool, steps: int | None) -> str:
    """Why a place told no agent."""
    commit = f"the run is not about that commit: its event is {run.event or 'unknown'}"
    if kind in (SignalKind.COMMIT_AUTHOR, SignalKind.TRAILER) and not run.is_about_commit:
        return commit
    if kind is SignalKind.RUN_ARTIFACT:
        return "no aw_info.json is among them" if artifacts_asked else "artifacts were not asked for"
    if kind in (SignalKind.COMPILED_WORKFLOW, SignalKind.WORKFLOW_USES) and run.workflow is None:
        return "the file of the workflow is not in a checkout that was looked at"
    if kind is SignalKind.STEP_NAME:
        return "its jobs are not known" if steps is None else f"no step of an agent ran, of {steps:,} steps"
    if kind is SignalKind.ACTOR and NEVER_LOGINS & {(run.triggering_actor or "").lower(), (run.actor or "").lower()}:
        return "github-actions[bot] is what every workflow acts as: it is no agent"
    if kind in (SignalKind.PULL_AUTHOR, SignalKind.BODY_MARK) and not run.pulls:
        return "it has no pull request that is known"
    return _PLAIN.get(kind, "no agent is known by it")


_PLAIN: Final = {
    SignalKind.RUN_PATH: "no path that GitHub makes for an agent",
    SignalKind.COMPILED_WORKFLOW: "it was not compiled by GitHub Agentic Workflows, or nothing ran",
    SignalKind.WORKFLOW_USES: "none is the action of an agent, or its step was skipped, or nothing ran",
    SignalKind.ACTOR: "no account of an agent",
    SignalKind.BRANCH: "it begins with no prefix of an agent",
    SignalKind.PULL_AUTHOR: "none is an account of an agent",
    SignalKind.COMMIT_AUTHOR: "none is an address of an agent",
    SignalKind.TRAILER: "none is an agent",
    SignalKind.TITLE: "it mentions no agent of the settings or of the registry",
    SignalKind.BODY_MARK: "none leaves the mark of an agent",
}


class PlainNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number that stands in a title or subject and was not taken for an issue, and why."""

    number: int
    why: str


class RunExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """Which agent a run attempt is of, and why; its issues and pull requests, and why. Times are UTC.

    ``attempts`` are those that are known of the run. ``not_issues`` are numbers that were not taken for issues.
    ``notes`` say what was read for it, and what was not.
    """

    run_id: int
    run_attempt: int
    attempts: int
    title: str | None
    workflow: str
    workflow_file: str | None
    event: str | None
    status: str | None
    conclusion: str | None
    branch: str | None
    sha: str | None
    created_at: dt.datetime | None
    url: str | None
    agent: str | None
    role: Role | None
    source: SignalKind | None
    confidence: float | None
    looks: tuple[Look, ...]
    pull_numbers: tuple[int, ...]
    last_merged_pull: int | None
    issues: tuple[IssueLink, ...]
    not_issues: tuple[PlainNumber, ...]
    notes: tuple[str, ...] = ()

    @property
    def signals(self) -> tuple[SignalVerdict, ...]:
        """Every signal, in the order in which they count."""
        return tuple(verdict for look in self.looks for verdict in look.signals)


def plain_numbers(run: RunFacts, issues: Collection[int], pulls: Collection[int]) -> tuple[PlainNumber, ...]:
    """The numbers in the title of a run and in the subject of its commit that are not among ``issues``.

    ``pulls`` are known pull requests.
    """
    subject = (run.commit_message or "").partition("\n")[0]
    found: dict[int, PlainNumber] = {}
    for text in (run.title or "", subject):
        brought = brought_by(text)
        for one in _HASH.finditer(text[:_LONG]):
            number = int(one[1])
            if number in pulls or number == brought:
                why = "it is a pull request"
            else:
                why = "no keyword says that the run is about it"
            if number not in issues:
                found.setdefault(number, PlainNumber(number=number, why=why))
    return tuple(found.values())[:_MOST_SEEN]
