"""Which agent a run is of, and why: sections for a terminal and Markdown, and a JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import msgspec

from trackside.agents.explanation import MEANINGS, RunExplanation
from trackside.records.attribution import LinkSource, Role
from trackside.report.sections import Section

EXPLAIN_VERSION: Final = 1
TITLE: Final = "Which agent a run is of"
_ROLES: Final = {
    Role.RAN: "ran: it worked in this run",
    Role.TRIGGERED: "triggered by: it caused the run",
    Role.AUTHORED: "authored: what the run is about is its work",
    Role.ASSISTED: "assisted: it is named as one that helped",
}
_SOURCES: Final = {
    LinkSource.PULL_BODY: "text of a pull request",
    LinkSource.COMMIT: "message of its commit",
    LinkSource.BRANCH: "name of its branch",
    LinkSource.TITLE: "title, by a pattern of the settings",
}


class ExplainDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``trackside agents explain --format json`` prints; times are ISO 8601 in UTC."""

    schema_version: int
    repository: str
    run: RunExplanation


def explain_json(repo: str, run: RunExplanation) -> str:
    """An ExplainDocument in ASCII, so that no character of it acts on a terminal."""
    document = ExplainDocument(schema_version=EXPLAIN_VERSION, repository=repo, run=run)
    return json.dumps(msgspec.to_builtins(document), indent=2)


def explain_heading(repo: str, run: RunExplanation) -> str:
    """Which run it is."""
    attempt = f", attempt {run.run_attempt} of {run.attempts}" if run.attempts > 1 or run.run_attempt > 1 else ""
    title = f": {run.title}" if run.title else ""
    return f"{repo} run {run.run_id}{attempt}{title}"


def explain_sections(run: RunExplanation) -> Iterator[Section]:
    """The agent, every signal, what told nothing, then issues and pull requests."""
    yield Section(title="Agent", notes=tuple(_agent(run)))
    yield Section(
        title="Signals",
        headings=("Told by", "Agent", "Role", "Confidence", "Evidence", "Counts"),
        rows=tuple(
            (
                MEANINGS[one.signal.kind],
                one.signal.agent,
                one.signal.role.value,
                f"{one.signal.confidence:.2f}",
                one.signal.evidence,
                f"{'yes' if one.is_chosen else 'no'}: {one.why}",
            )
            for one in run.signals
        ),
        notes=() if run.signals else ("Nothing tells an agent.",),
    )
    yield Section(
        title="Told Nothing",
        headings=("Looked at", "Seen", "Because"),
        rows=tuple(
            (MEANINGS[one.kind], "; ".join(one.seen) or None, one.nothing) for one in run.looks if not one.signals
        ),
    )
    yield from _links(run)
    yield Section(title="Read", notes=run.notes)


def _agent(run: RunExplanation) -> Iterator[str]:
    if run.agent is None or run.role is None or run.source is None:
        yield "Unattributed: nothing tells an agent."
    else:
        yield f"{run.agent}, confidence {run.confidence:.2f}, by {MEANINGS[run.source]}."
        yield f"Role {_ROLES[run.role]}."
    ended = run.conclusion or run.status or "unknown"
    yield f"Workflow {run.workflow} ({run.workflow_file or '?'}), event {run.event or '?'}, {ended}."
    if run.url:
        yield run.url


def _links(run: RunExplanation) -> Iterator[Section]:
    yield Section(
        title="Issues",
        headings=("Issue", "Told by", "Words"),
        rows=tuple((f"#{link.number}", _SOURCES[link.source], link.evidence) for link in run.issues),
        notes=(
            *(() if run.issues else ("No text, branch or title says that the run is about an issue.",)),
            *(f"#{one.number} is not taken for an issue: {one.why}." for one in run.not_issues),
        ),
    )
    pulls = ", ".join(f"#{number}" for number in run.pull_numbers)
    notes = [f"The run is of {pulls}." if pulls else "The run is of no pull request that is known."]
    if run.last_merged_pull is not None and run.last_merged_pull not in run.pull_numbers:
        notes.append(f"#{run.last_merged_pull} brought its commit, and did not start it.")
    yield Section(title="Pull Requests", notes=tuple(notes))
