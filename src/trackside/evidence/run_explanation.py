"""Why a run in the store is of an agent, and what it is about."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl

from trackside.agents.explanation import RunExplanation, looks_of, plain_numbers
from trackside.errors import NoDataError
from trackside.evidence.agent_history import gather
from trackside.evidence.checkout import Checkout
from trackside.evidence.history import default_branch_of, load_history, load_pulls
from trackside.evidence.selection import Selection, same_repository
from trackside.records.agent_rules import AgentRules
from trackside.records.ci_rules import CiRules
from trackside.store.store import Store

_SAME = ("title", "workflow", "workflow_file", "event", "status", "conclusion", "branch", "sha", "created_at", "url")


def is_known(store: Store, repo: str, run_id: int) -> bool:
    """Whether the store holds the run as it ended, with its jobs."""
    mine = (same_repository(repo), pl.col("run_id") == run_id, pl.col("status") == "completed")
    attempts = store.newest("runs").filter(*mine).select("run_attempt").collect()
    read = store.newest("fetched").filter(*mine).select("run_attempt").collect()
    return not attempts.is_empty() and set(attempts["run_attempt"]) <= set(read["run_attempt"])


def explain_run(
    store: Store,
    repo: str,
    run_id: int,
    attempt: int | None,
    ci_rules: CiRules,
    rules: AgentRules,
    checkout: Checkout,
) -> RunExplanation:
    """Why the run ``run_id``, its newest attempt unless one is given, is of an agent or of none.

    Raises NoDataError where the store does not hold it.
    """
    ci_rules = msgspec.structs.replace(ci_rules, default_branch=default_branch_of(store, repo, ci_rules))
    history = load_history(store, Selection(repo=repo, run_id=run_id), ci_rules)
    found = gather(store, history, rules, checkout)
    rows = {row["run_attempt"]: row for row in found.runs.iter_rows(named=True)}
    number = attempt or max(rows, default=0)
    if number not in rows:
        raise _unknown(repo, run_id, attempt, sorted(rows))
    row, mine = rows[number], found.evidence[run_id, number]
    steps = found.steps.filter(pl.col("run_attempt") == number).height
    who = mine.attribution
    pulls = load_pulls(store, repo).pulls["number"]
    links = [link.number for link in mine.links]
    return RunExplanation(
        run_id=run_id,
        run_attempt=number,
        attempts=len(rows),
        agent=who.agent,
        role=who.role,
        source=who.source,
        confidence=who.confidence,
        looks=looks_of(
            mine.facts,
            found.agents,
            artifacts_asked=_artifacts_asked(store, repo, run_id),
            steps=steps if row["is_read"] or steps else None,
        ),
        pull_numbers=mine.pull_numbers,
        last_merged_pull=mine.last_merged_pull,
        issues=mine.links,
        not_issues=plain_numbers(mine.facts, links, frozenset(pulls)),
        notes=checkout.notes,
        **_same(row),
    )


def _same(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _SAME}


def _artifacts_asked(store: Store, repo: str, run_id: int) -> bool:
    mine = (same_repository(repo), pl.col("run_id") == run_id)
    return not store.newest("artifact_lists").filter(*mine).select("run_id").collect().is_empty()


def _unknown(repo: str, run_id: int, attempt: int | None, known: list[int]) -> NoDataError:
    if known:
        msg = f"Run {run_id} of {repo} has no attempt {attempt} in the store; there are {', '.join(map(str, known))}."
    else:
        msg = f"Run {run_id} of {repo} is not in the store. Without --offline GitHub is asked for it."
    return NoDataError(msg)
