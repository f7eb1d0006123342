"""Where people talk of what a run is about: its pull request, else an issue of it."""

from __future__ import annotations

import polars as pl

from trackside.agents.links import Linker, LinkFacts
from trackside.evidence.checkout import NO_CHECKOUT
from trackside.evidence.run_attribution import facts_of, is_on_default_line
from trackside.evidence.selection import same_repository
from trackside.records.agent_rules import AgentRules
from trackside.records.runs import RunAttempt
from trackside.store.store import Store


def linked_issue(
    run: RunAttempt, rules: AgentRules, *, store: Store | None = None, default_branch: str | None = None
) -> int | None:
    """The number of the pull request that ``run`` is of, else of the first issue that it belongs to, else None.

    Without a store nothing is known of pull requests but what the run names.
    """
    facts = facts_of(run, (), NO_CHECKOUT, store=store, default_branch=default_branch)
    if facts.pulls:
        return facts.pulls[0].number
    told = LinkFacts(
        branch=None if is_on_default_line(run, store, default_branch) else facts.branch,
        title=facts.title,
        commit_message=facts.commit_message if facts.is_about_commit else None,
    )
    pulls = frozenset() if store is None else _pull_numbers(store, run.repo)
    links = Linker(run.repo, rules.issue_patterns, pulls.__contains__).issues_of(told)
    return links[0].number if links else None


def _pull_numbers(store: Store, repo: str) -> frozenset[int]:
    numbers = store.newest("pulls").filter(same_repository(repo)).select(pl.col("number").unique()).collect()
    return frozenset(numbers["number"])
