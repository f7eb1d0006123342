"""The history of a window with its agents: who each run is of, its issues and pull requests, its steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import polars as pl

from trackside.agents.attribution import Pull, RunFacts, attribute
from trackside.agents.frames import AGENT_RUN_COLUMNS, STEP_COLUMNS, AgentHistory
from trackside.agents.identities import KnownAgents, known_agents
from trackside.agents.links import IssueLink, Linker, LinkFacts, brought_by
from trackside.evidence.agent_artifacts import artifacts_frame, engines_of
from trackside.evidence.checkout import NO_CHECKOUT, Checkout
from trackside.evidence.history import among, load_history, load_pulls, once
from trackside.evidence.selection import Selection, same_repository
from trackside.history.frames import History
from trackside.history.runs import BROUGHT_BY, KnownPulls
from trackside.records.agent_rules import AgentRules
from trackside.records.attribution import Attribution
from trackside.records.ci_rules import CiRules
from trackside.store.store import Store

_ATTEMPT: Final = ["run_id", "run_attempt"]
_MORE: Final = (
    "repo",
    *_ATTEMPT,
    "source",
    "workflow_id",
    "run_started_at",
    "triggering_actor",
    "actor_id",
    "triggering_actor_id",
    "head_repository",
    "head_commit_message",
    "head_commit_email",
    "head_commit_committer",
    "head_commit_committer_email",
    "pull_numbers",
)
_NAMES: Final = {
    "head_commit_message": "commit_message",
    "head_commit_email": "commit_email",
    "head_commit_committer": "committer",
    "head_commit_committer_email": "committer_email",
    "pull_numbers": "named_pulls",
}
_BETWEEN: Final = "\x1f"
Key = tuple[int, int]
"""(run_id, run_attempt)"""


class RunEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent and the issues of a run attempt are told from, and what it came to."""

    facts: RunFacts
    attribution: Attribution
    pull_numbers: tuple[int, ...]
    last_merged_pull: int | None
    links: tuple[IssueLink, ...]


class AgentSteps(NamedTuple):
    """The names of steps of agents in a run attempt: those that ran, and those that were skipped or never began.

    ``skips_job`` says that a whole job was skipped.
    """

    ran: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    skips_job: bool = False


NO_STEPS: Final = AgentSteps()


class Gathered(NamedTuple):
    """The rows of a history with what else their tables tell, its steps and artifacts, who is known, the evidence."""

    runs: pl.DataFrame
    steps: pl.DataFrame
    artifacts: pl.DataFrame
    agents: KnownAgents
    evidence: dict[Key, RunEvidence]


def load_agent_history(
    store: Store,
    selection: Selection,
    ci_rules: CiRules,
    rules: AgentRules,
    checkout: Checkout = NO_CHECKOUT,
) -> AgentHistory:
    """What the store holds of the selection, with agents. Frames without a row where it holds nothing."""
    return with_agents(store, load_history(store, selection, ci_rules), rules, checkout)


def with_agents(store: Store, history: History, rules: AgentRules, checkout: Checkout = NO_CHECKOUT) -> AgentHistory:
    """``history`` with the agents of its runs, their links and steps; only what it does not hold is read."""
    found = gather(store, history, rules, checkout)
    rows = [_told_row(key, one) for key, one in found.evidence.items()]
    schema = {name: AGENT_RUN_COLUMNS[name] for name in (*_ATTEMPT, *_TOLD)}
    told = pl.DataFrame(rows, schema=schema, orient="row")
    runs = found.runs.join(told, on=_ATTEMPT, how="left", maintain_order="left")
    return AgentHistory(
        history=history,
        runs=runs.select(AGENT_RUN_COLUMNS.keys()).cast(AGENT_RUN_COLUMNS),
        steps=found.steps,
        labels=_labels(store, history),
        attributions={key: one.attribution for key, one in found.evidence.items()},
        artifacts=found.artifacts,
        rules=rules,
    )


def gather(store: Store, history: History, rules: AgentRules, checkout: Checkout = NO_CHECKOUT) -> Gathered:
    """What the agents and the issues of the runs of ``history`` are told from, and what that came to."""
    runs, every_step = _beside(store, history), load_steps(store, history.whole.jobs, history.repo)
    artifacts = artifacts_frame(store, history.repo, history.runs["run_id"].unique())
    pulls = load_pulls(store, history.repo)
    agents = known_agents(rules, checkout.agents)
    linker = Linker(history.repo, rules.issue_patterns, frozenset(pulls.pulls["number"]).__contains__)
    known, rows = KnownPulls(pulls), list(runs.iter_rows(named=True))
    merged = [merged_by(row, known) for row in rows]
    own = [pull_numbers_of(row, brought, known, history.repo) for row, brought in zip(rows, merged, strict=True)]
    texts = pull_texts(store, history.repo, {number for several in own for number in several})
    worked = _agent_steps(every_step, history.whole.jobs, agents)
    engines = engines_of(store, history.repo, artifacts)
    evidence: dict[Key, RunEvidence] = {}
    for row, mine, brought in zip(rows, own, merged, strict=True):
        key = (row["run_id"], row["run_attempt"])
        several = tuple(texts.get(number, Pull(number=number)) for number in mine)
        facts = _facts(row, several, worked.get(key, NO_STEPS), engines.get(key[0], ()), checkout)
        evidence[key] = RunEvidence(
            facts=facts,
            attribution=attribute(facts, agents),
            pull_numbers=mine,
            last_merged_pull=brought,
            links=linker.issues_of(_link_facts(row, facts)),
        )
    steps = every_step
    if history.every_job is not None:
        steps = steps.join(history.jobs.select("job_id"), on="job_id", how="semi", maintain_order="left")
    return Gathered(runs, steps, artifacts, agents, evidence)


def merged_by(row: Mapping[str, Any], known: KnownPulls) -> int | None:
    """The pull request that the commit of a run on the default branch was merged by, else as its message says."""
    if not row["is_default_line"]:
        return None
    return known.brought(row["sha"] or "") or brought_by(row["commit_message"])


def pull_numbers_of(row: Mapping[str, Any], brought: int | None, known: KnownPulls, repo: str) -> tuple[int, ...]:
    """The pull requests of a run, the best first; that which brought its commit where that started it."""
    if row["is_default_line"]:
        return (brought,) if brought is not None and row["event"] in BROUGHT_BY else ()
    return known.numbers_of({**row, "pull_numbers": row["named_pulls"]}, repo)


_TOLD: Final = (
    "pull_numbers",
    "last_merged_pull",
    "issue_numbers",
    "issue_source",
    "agent",
    "agent_role",
    "agent_source",
    "agent_confidence",
)


def _told_row(key: Key, one: RunEvidence) -> tuple[Any, ...]:
    numbers, who = [link.number for link in one.links], one.attribution
    source = one.links[0].source if one.links else None
    agent = (who.agent, who.role, who.source, who.confidence)
    return (*key, list(one.pull_numbers), one.last_merged_pull, numbers, source, *agent)


def _beside(store: Store, history: History) -> pl.DataFrame:
    """The rows of ``history.runs`` with what else the table tells of them, and what their jobs add up to."""
    mine = (same_repository(history.repo), among(history.runs["run_id"].unique()))
    more = once(store.newest("runs").filter(*mine).select(_MORE).collect(engine="streaming"), _ATTEMPT)
    runs = history.runs.join(more.rename(_NAMES), on=_ATTEMPT, how="left", maintain_order="left")
    # GitHub tells a start of skipped jobs, too: the time of their creation, for which nothing waited.
    began = pl.col("started_at").filter(pl.col("conclusion").ne_missing("skipped"))
    jobs = history.whole.jobs.group_by(_ATTEMPT).agg(
        first_job_at=began.min(), active_s=pl.col("duration_s").sum(), jobs=pl.len().cast(pl.Int64)
    )
    runs = runs.join(jobs, on=_ATTEMPT, how="left", maintain_order="left")
    # An earlier attempt is older than its re-run, so only the first one began when the run was created.
    asked = pl.when(pl.col("run_attempt") == 1).then(pl.col("created_at")).otherwise(pl.col("run_started_at"))
    waited = (pl.col("first_job_at") - asked).dt.total_microseconds() / 1e6
    return runs.with_columns(
        queue_s=waited.clip(lower_bound=0),
        active_s=pl.when("is_read").then(pl.col("active_s").fill_null(0.0)),
        jobs=pl.when("is_read").then(pl.col("jobs").fill_null(0)).otherwise(pl.col("jobs")),
    )


def load_steps(store: Store, jobs: pl.DataFrame, repo: str) -> pl.DataFrame:
    """The steps of ``jobs``, rows of the jobs frame, with the columns ``STEP_COLUMNS``, in their order."""
    jobs = jobs.select("job_id", *_ATTEMPT, "workflow", "job").with_row_index("place")
    wanted = (among(jobs["run_id"].unique()), pl.col("job_id").is_in(jobs["job_id"].implode()))
    mine = (same_repository(repo), *wanted, pl.col("steps").list.len() > 0)
    stored = store.newest("jobs").filter(*mine).select("repo", "job_id", "run_id", "steps")
    rows = once(stored.collect(engine="streaming"), ["job_id"]).select("job_id", "steps")
    flat = rows.explode("steps").unnest("steps").join(jobs, on="job_id")
    flat = flat.rename({"name": "step"}).sort("place", "number")
    return flat.select(STEP_COLUMNS.keys()).cast(STEP_COLUMNS)


def _labels(store: Store, history: History) -> dict[int, tuple[str, ...]]:
    """The labels of each job of ``history`` where they are told; each combination is one object."""
    mine = (same_repository(history.repo), among(history.jobs["run_id"].unique()), pl.col("labels").list.len() > 0)
    stored = store.newest("jobs").filter(*mine).select("job_id", joined=pl.col("labels").list.join(_BETWEEN))
    rows = stored.collect(engine="streaming").join(history.jobs.select("job_id"), on="job_id", how="semi")
    told = {text: tuple(text.split(_BETWEEN)) for text in rows["joined"].unique().drop_nulls()}
    return {job: told[text] for job, text in rows.iter_rows() if text is not None}


def _facts(
    row: Mapping[str, Any],
    pulls: tuple[Pull, ...],
    steps: AgentSteps,
    engines: tuple[str, ...],
    checkout: Checkout,
) -> RunFacts:
    return RunFacts(
        path=row["workflow_file"],
        event=row["event"],
        sha=row["sha"],
        title=row["title"],
        conclusion=row["conclusion"],
        branch=row["branch"],
        actor=row["actor"],
        actor_id=row["actor_id"],
        triggering_actor=row["triggering_actor"],
        triggering_actor_id=row["triggering_actor_id"],
        commit_message=row["commit_message"],
        author_email=row["commit_email"],
        committer_email=row["committer_email"],
        steps=steps.ran,
        idle_steps=steps.idle,
        skips_job=steps.skips_job,
        engines=engines,
        workflow=checkout.workflows.get(row["workflow_file"] or ""),
        pulls=pulls,
    )


def _link_facts(row: Mapping[str, Any], facts: RunFacts) -> LinkFacts:
    return LinkFacts(
        branch=None if row["is_default_line"] else facts.branch,
        title=facts.title,
        commit_message=facts.commit_message if facts.is_about_commit else None,
        pulls=tuple((pull.number, pull.body) for pull in facts.pulls),
    )


def pull_texts(store: Store, repo: str, numbers: Iterable[int]) -> dict[int, Pull]:
    """Author and text of each of these pull requests that is known."""
    wanted = pl.Series(sorted(numbers), dtype=pl.Int64).implode()
    mine = store.newest("pulls").filter(same_repository(repo), pl.col("number").is_in(wanted))
    rows = once(mine.select("repo", *Pull.__struct_fields__).collect(engine="streaming"), ["number"])
    return {row["number"]: msgspec.convert(row, Pull) for row in rows.iter_rows(named=True)}


def _agent_steps(steps: pl.DataFrame, jobs: pl.DataFrame, agents: KnownAgents) -> dict[Key, AgentSteps]:
    """The steps of agents by run attempt, and where a job was skipped; each name is looked at once."""
    names: Sequence[str] = [name for name in steps["step"].unique().drop_nulls() if agents.of_step(name)]
    ran = (pl.col("started_at").is_not_null() & pl.col("conclusion").ne_missing("skipped")).alias("ran")
    mine = steps.filter(pl.col("step").is_in(names)).select(*_ATTEMPT, "step", ran).unique(maintain_order=True)
    skipped = jobs.filter(pl.col("conclusion") == "skipped").select(_ATTEMPT).unique()
    found = {key: AgentSteps(skips_job=True) for key in skipped.iter_rows()}
    for run_id, attempt, step, is_run in mine.iter_rows():
        told = found.get((run_id, attempt), NO_STEPS)
        found[run_id, attempt] = (
            told._replace(ran=(*told.ran, step)) if is_run else told._replace(idle=(*told.idle, step))
        )
    return found
