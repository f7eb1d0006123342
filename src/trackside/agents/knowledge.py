"""The knowledge base: each known error with how often, since when and where it happened, and what is said of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final

import msgspec

from trackside.agents.entry_ids import edits_by_id, entry_path, own_id
from trackside.agents.shown_names import shown_name, with_shown_names
from trackside.fixes.suggestions import Suggestion, suggest
from trackside.records.knowledge import EntryState, KnowledgeEdit, LogChoice, Occurrence

MOST_RUNS: Final = 50
MOST_NAMES: Final = 50
_MENDED: Final = (EntryState.RESOLVED, EntryState.REGRESSED)


class EntryRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run in which an error happened: its newest failure of that kind. ``url`` is the page of the job."""

    run_id: int
    run_attempt: int
    job_id: int
    failed_at: dt.datetime
    url: str | None = None


class EntrySignature(msgspec.Struct, frozen=True, kw_only=True):
    """Failures of an entry in one workflow, job and step; what can be split off."""

    signature: str
    workflow: str
    job: str
    step: str | None
    conclusion: str
    count: int


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A known error. ``entry_id`` is a fingerprint, a signature where no log tells the error, or a split's own id.

    ``template``, ``cause``, ``rule`` and ``line`` are those of the newest failure whose log was read; None where none
    was. ``count`` are failed attempts of jobs, of which ``assumed`` are known without a log of their own. ``runs`` are
    the newest, of ``runs_total``. ``workflows``, ``jobs``, ``steps``, ``agents`` and ``branches`` count failures by
    name, at most 50 of each, the most frequent; ``names_left_out`` says how many names are not there. Failures of runs
    without a known agent are ``unattributed``. ``title``, ``note``, ``fix`` and ``link`` are what people said of it, or
    of an entry that was merged into it; ``suggestions`` what the shipped rules say. An entry with ``count`` 0 was
    spoken of, and no failure of it is in the store.
    """

    entry_id: str
    state: EntryState = EntryState.OPEN
    template: str | None = None
    cause: str | None = None
    rule: str | None = None
    line: str | None = None
    count: int = 0
    assumed: int = 0
    first_seen_at: dt.datetime | None = None
    last_seen_at: dt.datetime | None = None
    resolved_at: dt.datetime | None = None
    runs: tuple[EntryRun, ...] = ()
    runs_total: int = 0
    workflows: dict[str, int] = {}
    jobs: dict[str, int] = {}
    steps: dict[str, int] = {}
    agents: dict[str, int] = {}
    unattributed: int = 0
    branches: dict[str, int] = {}
    names_left_out: dict[str, int] = {}
    signatures: tuple[EntrySignature, ...] = ()
    merged: tuple[str, ...] = ()
    title: str | None = None
    note: str | None = None
    fix: str | None = None
    link: str | None = None
    edited_at: dt.datetime | None = None
    suggestions: tuple[Suggestion, ...] = ()


def entries_of(
    occurrences: Sequence[Occurrence],
    edits: Iterable[KnowledgeEdit],
    contexts: Mapping[int, Sequence[str]] | None = None,
) -> tuple[Entry, ...]:
    """The entries, those that happened most first, then the newest; last those that nothing happened of.

    ``contexts`` are the lines around the line that matters, by job id, where they are known: suggestions need them
    where a line only says that something failed.
    """
    known = edits_by_id(edits)
    grouped: dict[str, list[Occurrence]] = defaultdict(list)
    merged: dict[str, set[str]] = defaultdict(set)
    entry_ids: dict[tuple[str, str], str] = {}
    for one in occurrences:
        key = (own_id(one), one.signature.lower())
        if (entry_id := entry_ids.get(key)) is None:
            path = entry_path(*key, known)
            entry_id = entry_ids[key] = path[-1]
            merged[entry_id].update(path)
        grouped[entry_id].append(one)
    moved = _moved(known, entry_ids, grouped)
    for each in known:
        path = entry_path(each, None, known)
        merged[moved.get(path[-1], path[-1])].update(path)
    own = {**{to: known[old] for old, to in moved.items() if old in known}, **known}
    entries = [
        _entry(_said(entry_id, ids, own), grouped.get(entry_id, ()), contexts or {}) for entry_id, ids in merged.items()
    ]
    return tuple(sorted(entries, key=_order))


def _moved(
    known: Mapping[str, KnowledgeEdit], entry_ids: Mapping[tuple[str, str], str], grouped: Mapping[str, object]
) -> dict[str, str]:
    """Entries that were named by a signature when they were spoken of, and by an error since its log was read."""
    errors: dict[str, set[str]] = defaultdict(set)
    for (_, signature), entry_id in entry_ids.items():
        errors[signature].add(entry_id)
    alone = [one for one, edit in known.items() if one not in grouped and not edit.merged_into]
    return {one: next(iter(errors[one])) for one in alone if len(errors.get(one, ())) == 1}


def _order(entry: Entry) -> tuple[int, float, str]:
    seen = entry.last_seen_at.timestamp() if entry.last_seen_at else 0.0
    return -entry.count, -seen, entry.entry_id


def _said(entry_id: str, ids: Set[str], edits: Mapping[str, KnowledgeEdit]) -> Entry:
    """What people said of an entry; where they said nothing of it, what they said last of one that was merged."""
    own = edits.get(entry_id)
    others = sorted(
        (edits[one] for one in ids - {entry_id} if one in edits), key=lambda one: (one.edited_at, one.entry_id)
    )
    every = [*([own] if own else []), *reversed(others)]
    return Entry(
        entry_id=entry_id,
        state=own.state if own else EntryState.OPEN,
        resolved_at=(own.resolved_at or own.edited_at) if own and own.state in _MENDED else None,
        merged=tuple(sorted(ids - {entry_id})),
        title=next((one.title for one in every if one.title), None),
        note=next((one.note for one in every if one.note), None),
        fix=next((one.fix for one in every if one.fix), None),
        link=next((one.link for one in every if one.link), None),
        edited_at=max((one.edited_at for one in every), default=None),
    )


def _entry(said: Entry, occurrences: Sequence[Occurrence], contexts: Mapping[int, Sequence[str]]) -> Entry:
    """What people said, and what happened."""
    if not occurrences:
        return said
    told, runs, names = _telling(occurrences), _runs(occurrences), _names(occurrences)
    last = max(one.failed_at for one in occurrences)
    around = contexts.get(told.job_id, ())
    return msgspec.structs.replace(
        said,
        state=_state(said, last),
        template=told.template,
        cause=told.cause,
        rule=told.rule,
        line=told.line,
        count=len(occurrences),
        assumed=sum(one.choice is LogChoice.KNOWN for one in occurrences),
        first_seen_at=min(one.failed_at for one in occurrences),
        last_seen_at=last,
        runs=runs[:MOST_RUNS],
        runs_total=len(runs),
        workflows=_most(names["workflows"]),
        jobs=_most(names["jobs"]),
        steps=_most(names["steps"]),
        agents=_most(names["agents"]),
        unattributed=sum(one.agent is None for one in occurrences),
        branches=_most(names["branches"]),
        names_left_out={name: more for name, each in names.items() if (more := len(each) - MOST_NAMES) > 0},
        signatures=_signatures(occurrences),
        suggestions=suggest(cause=told.cause, rule=told.rule, line=told.line, context=around, step=told.step),
    )


def _state(said: Entry, last_seen_at: dt.datetime) -> EntryState:
    """How an entry stands, by what was said of it and when it was seen last."""
    if said.resolved_at is None:
        return said.state
    return EntryState.REGRESSED if last_seen_at > said.resolved_at else EntryState.RESOLVED


def _telling(occurrences: Sequence[Occurrence]) -> Occurrence:
    """The newest failure whose log was read, else the newest of which another log tells, else the newest."""

    def rank(one: Occurrence) -> tuple[bool, bool, dt.datetime, int]:
        return one.template is not None, one.choice is LogChoice.READ, one.failed_at, one.job_id

    return max(occurrences, key=rank)


def _names(occurrences: Sequence[Occurrence]) -> dict[str, Counter[str]]:
    return {
        "workflows": Counter(one.workflow for one in occurrences),
        "jobs": Counter(one.job for one in occurrences),
        "steps": Counter(one.step for one in occurrences if one.step is not None),
        "agents": Counter(one.agent for one in occurrences if one.agent is not None),
        "branches": Counter(one.branch for one in occurrences if one.branch is not None),
    }


def _most(names: Counter[str]) -> dict[str, int]:
    most = sorted(names.items(), key=lambda each: (-each[1], each[0]))[:MOST_NAMES]
    return {shown_name(name): count for name, count in most}


def _runs(occurrences: Sequence[Occurrence]) -> tuple[EntryRun, ...]:
    """Every run with its newest failure, the newest first."""
    newest: dict[int, Occurrence] = {}
    for one in sorted(occurrences, key=lambda one: (one.failed_at, one.run_attempt, one.job_id)):
        newest[one.run_id] = one
    ordered = sorted(newest.values(), key=lambda one: (one.failed_at, one.run_id), reverse=True)
    return tuple(
        EntryRun(
            run_id=one.run_id,
            run_attempt=one.run_attempt,
            job_id=one.job_id,
            failed_at=one.failed_at,
            url=one.url,
        )
        for one in ordered
    )


def _signatures(occurrences: Sequence[Occurrence]) -> tuple[EntrySignature, ...]:
    """The places of an entry, the most frequent first."""
    counts = Counter(one.signature for one in occurrences)
    places = {one.signature: one for one in occurrences}
    return with_shown_names(
        EntrySignature(
            signature=signature,
            workflow=places[signature].workflow,
            job=places[signature].job,
            step=places[signature].step,
            conclusion=places[signature].conclusion,
            count=count,
        )
        for signature, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    )
