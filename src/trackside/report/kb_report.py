"""The knowledge base for people and programs: tables, JSON document, CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from trackside.agents.knowledge import Entry
from trackside.records.knowledge import EntryState
from trackside.report.ledger import counted
from trackside.report.sections import Cell, Section, section_csv

KB_VERSION: Final = 1
ASSUMED: Final = (
    "Assumed: failures of the same workflow, job, step and end as one whose log was read; their own logs were not "
    "downloaded, and may tell of something else."
)
_SHORT: Final = 90
_NAMES: Final = 3
_SHOWN_RUNS: Final = 10
_LIST: Final = ("Id", "State", "Failures", "Assumed", "Last Seen", "Cause", "Where", "What", "What To Do")
_CSV: Final = (
    "entry_id", "state", "cause", "rule", "count", "assumed", "runs", "first_seen_at", "last_seen_at", "resolved_at",
    "template", "title", "note", "fix", "link", "workflows", "jobs", "steps", "agents", "unattributed", "branches",
    "suggestions", "merged",
)  # fmt: skip


class KbDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``trackside kb list --format json`` and ``kb show --format json`` print; times are ISO 8601 in UTC.

    ``known`` counts the entries of the repository, also those that are not listed.
    """

    schema_version: int
    repository: str
    known: int
    entries: tuple[Entry, ...]


def kb_json(repo: str, entries: Sequence[Entry], known: int) -> str:
    """A KbDocument in ASCII, so that no character of it acts on a terminal."""
    document = KbDocument(schema_version=KB_VERSION, repository=repo, known=known, entries=tuple(entries))
    return json.dumps(msgspec.to_builtins(document), indent=2)


def kb_csv(entries: Sequence[Entry]) -> str:
    """One row for each entry; several values in a cell are joined with ``; ``."""
    return section_csv(_CSV, (_csv_row(one) for one in entries))


def kb_heading(repo: str, entries: Sequence[Entry]) -> str:
    """What is listed: ``octo/engine: 12 known failures, 345 failed jobs``."""
    jobs = sum(one.count for one in entries)
    return f"{repo}: {counted(len(entries), 'known failure')}, {counted(jobs, 'failed job')}"


def kb_sections(entries: Sequence[Entry], top: int, left_out: Mapping[EntryState, int]) -> Iterator[Section]:
    """The first ``top`` entries; ``left_out`` are entries that were not asked for, by state."""
    notes = (
        [f"{counted(len(entries) - top, 'more failure')} not shown: --top N shows more."] if len(entries) > top else []
    )
    notes += [
        f"{counted(number, 'known failure')} {state.value}, not listed: --state {state.value} shows them."
        for state, number in left_out.items()
        if number
    ]
    rows = tuple(_list_row(one) for one in entries[:top])
    if any(one.assumed for one in entries[:top]):
        notes.append(ASSUMED)
    yield Section(title="Known failures", headings=_LIST, rows=rows, notes=tuple(notes or ([] if rows else ["None."])))


def entry_sections(entry: Entry) -> Iterator[Section]:
    """One entry: what is known of it, what to do, where it happened, its newest runs."""
    yield Section(title=f"Known failure {entry.entry_id}", headings=("What", "Told"), rows=tuple(_facts(entry)))
    yield Section(title="What to do", notes=tuple(_advice(entry)) or ("No rule knows a fix, and nobody said one.",))
    if entry.signatures:
        yield Section(
            title="Where",
            headings=("Signature", "Workflow", "Job", "Step", "Ended", "Failures"),
            rows=tuple(
                (one.signature, one.workflow, one.job, one.step, one.conclusion, one.count) for one in entry.signatures
            ),
        )
    if entry.runs:
        shown = entry.runs[:_SHOWN_RUNS]
        more = entry.runs_total - len(shown)
        yield Section(
            title="Newest runs",
            headings=("Run", "Attempt", "Failed", "Page"),
            rows=tuple((str(one.run_id), one.run_attempt, one.failed_at, one.url) for one in shown),
            notes=(f"{counted(more, 'older run')} not shown.",) if more else (),
        )


def _list_row(entry: Entry) -> tuple[Cell, ...]:
    untold = "no log was read" if entry.cause is None else "its log tells no error"
    what = entry.title or entry.template or untold
    todo = entry.fix or "; ".join(one.title for one in entry.suggestions) or None
    where = _most(entry.workflows, 1)
    return (
        entry.entry_id,
        entry.state.value,
        entry.count,
        entry.assumed,
        entry.last_seen_at,
        entry.cause,
        where,
        _cut(what),
        _cut(todo) if todo else None,
    )


def _facts(entry: Entry) -> Iterator[tuple[Cell, Cell]]:
    assumed = f", {entry.assumed:,} of them without a log of their own" if entry.assumed else ""
    yield "State", entry.state.value
    told: tuple[tuple[str, Cell], ...] = (
        ("Title", entry.title),
        ("Note", entry.note),
        ("Link", entry.link),
        ("Template", entry.template),
        ("Line", entry.line),
        ("Cause", entry.cause),
        ("Rule", entry.rule),
    )
    yield from ((name, value) for name, value in told if value is not None)
    yield "Failures", f"{entry.count:,} in {counted(entry.runs_total, 'run')}{assumed}"
    yield "First seen", entry.first_seen_at
    yield "Last seen", entry.last_seen_at
    if entry.resolved_at is not None:
        yield "Resolved", entry.resolved_at
    yield "Workflows", _most(entry.workflows)
    yield "Agents", "; ".join(filter(None, (_most(entry.agents), _unattributed(entry)))) or None
    yield "Branches", _most(entry.branches)
    if entry.merged:
        yield "Merged into it", "; ".join(entry.merged)


def _unattributed(entry: Entry) -> str | None:
    return f"unattributed ({entry.unattributed:,})" if entry.unattributed else None


def _advice(entry: Entry) -> Iterator[str]:
    if entry.fix:
        yield f"People say: {entry.fix}"
    for one in entry.suggestions:
        yield f"{one.title}. {one.text} (rule {one.rule_id}, by: {_cut(one.evidence[0])})"


def _most(names: Mapping[str, int], most: int = 5) -> str | None:
    """``a.yml (12); b.yml (3); 2 more``."""
    told = [f"{name} ({count:,})" for name, count in list(names.items())[:most]]
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return "; ".join([*told, *more]) or None


def _cut(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


def _csv_row(entry: Entry) -> tuple[Cell, ...]:
    return (
        entry.entry_id,
        entry.state.value,
        entry.cause,
        entry.rule,
        entry.count,
        entry.assumed,
        entry.runs_total,
        entry.first_seen_at,
        entry.last_seen_at,
        entry.resolved_at,
        entry.template,
        entry.title,
        entry.note,
        entry.fix,
        entry.link,
        *("; ".join(names) for names in (entry.workflows, entry.jobs, entry.steps, entry.agents)),
        entry.unattributed,
        "; ".join(entry.branches),
        "; ".join(one.rule_id for one in entry.suggestions),
        "; ".join(entry.merged),
    )
