"""The agent of one run, told from what is at hand: the run and its jobs, the checkout, pull requests in the store."""

from __future__ import annotations

from collections.abc import Sequence

from trackside.agents.attribution import Pull, RunFacts, attribute
from trackside.agents.identities import known_agents
from trackside.evidence.agent_history import merged_by, pull_numbers_of, pull_texts
from trackside.evidence.checkout import Checkout
from trackside.evidence.history import load_pulls, told_branch
from trackside.history.runs import KnownPulls
from trackside.records.agent_rules import AgentRules
from trackside.records.attribution import Attribution
from trackside.records.jobs import Job
from trackside.records.runs import RunAttempt
from trackside.store.store import Store


def attribution_of(
    run: RunAttempt,
    jobs: Sequence[Job],
    rules: AgentRules,
    checkout: Checkout,
    *,
    store: Store | None = None,
    default_branch: str | None = None,
) -> Attribution:
    """The agent of ``run`` and every signal. Without a store pull requests tell nothing but their numbers."""
    facts = facts_of(run, jobs, checkout, store=store, default_branch=default_branch)
    return attribute(facts, known_agents(rules, checkout.agents))


def facts_of(
    run: RunAttempt,
    jobs: Sequence[Job],
    checkout: Checkout,
    *,
    store: Store | None = None,
    default_branch: str | None = None,
) -> RunFacts:
    """What is known of ``run`` that may tell its agent, its pull requests among it, the best first."""
    steps: dict[bool, list[str]] = {False: [], True: []}
    for step in (step for job in jobs for step in job.steps):
        steps[step.started_at is not None and step.conclusion != "skipped"].append(step.name)
    return RunFacts(
        path=run.workflow_file,
        event=run.event,
        sha=run.head_sha,
        title=run.display_title,
        conclusion=run.conclusion,
        branch=run.head_branch,
        actor=run.actor,
        actor_id=run.actor_id,
        triggering_actor=run.triggering_actor,
        triggering_actor_id=run.triggering_actor_id,
        commit_message=run.head_commit_message,
        author_email=run.head_commit_email,
        committer_email=run.head_commit_committer_email,
        steps=tuple(dict.fromkeys(steps[True])),
        idle_steps=tuple(dict.fromkeys(steps[False])),
        skips_job=any(job.conclusion == "skipped" for job in jobs),
        workflow=checkout.workflows.get(run.workflow_file or ""),
        pulls=_pulls(run, store, default_branch),
    )


def is_on_default_line(run: RunAttempt, store: Store | None, default_branch: str | None) -> bool:
    """Whether the run is of the default branch, as the settings or else a sync told it; not where none did."""
    home = (run.head_repository or run.repo).lower() == run.repo.lower()
    branch = default_branch or (None if store is None else told_branch(store, run.repo))
    return home and branch is not None and run.head_branch == branch


def _pulls(run: RunAttempt, store: Store | None, default_branch: str | None) -> tuple[Pull, ...]:
    """The pull requests that the run is of, the best first."""
    if store is None:
        return tuple(Pull(number=number) for number in run.pull_numbers)
    row = {
        "event": run.event,
        "is_default_line": is_on_default_line(run, store, default_branch),
        "sha": run.head_sha,
        "branch": run.head_branch,
        "head_repository": run.head_repository,
        "named_pulls": run.pull_numbers,
        "commit_message": run.head_commit_message,
    }
    known = KnownPulls(load_pulls(store, run.repo))
    numbers = pull_numbers_of(row, merged_by(row, known), known, run.repo)
    texts = pull_texts(store, run.repo, numbers)
    return tuple(texts.get(number, Pull(number=number)) for number in numbers)
