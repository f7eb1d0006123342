"""What the store knows of failures, and what people said of them: read as entries, and joined with a file's edits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

import msgspec
import polars as pl

from trackside.agents.entry_ids import edits_by_id, entry_of
from trackside.agents.knowledge import Entry, entries_of
from trackside.evidence.selection import same_repository
from trackside.records.knowledge import KnowledgeEdit, Occurrence
from trackside.store.store import Store

AHEAD: Final = dt.timedelta(days=1)
"""Clocks differ by less: an edit from further in the future would never be replaced."""
_OCCURRENCE: Final = tuple(one.name for one in msgspec.structs.fields(Occurrence))
_EDIT: Final = tuple(one.name for one in msgspec.structs.fields(KnowledgeEdit))


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """The entries of a repository, those that happened most first, and the edits behind them, by id."""

    entries: tuple[Entry, ...] = ()
    edits: tuple[KnowledgeEdit, ...] = ()

    def entry_for(self, fingerprint: str | None, signature: str) -> Entry | None:
        """The entry of failures with this fingerprint (None: no log tells it) and signature; None where none is."""
        wanted = entry_of(fingerprint, signature, self.edits)
        return next((one for one in self.entries if one.entry_id == wanted or wanted in one.merged), None)


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did: the edits that count now, how many the store had so or later, and ids from the future."""

    taken: tuple[KnowledgeEdit, ...] = ()
    known: int = 0
    future: tuple[str, ...] = ()


def load_knowledge(store: Store, repo: str) -> Knowledge:
    """What is known of the failures of ``repo``."""
    edits = known_edits(store, repo)
    entries = entries_of(known_occurrences(store, repo), edits, _contexts(store, repo))
    return Knowledge(entries=entries, edits=edits)


def known_occurrences(store: Store, repo: str) -> tuple[Occurrence, ...]:
    """The failed jobs of ``repo``, by job id; the newest row where the repository is stored in several spellings."""
    rows = store.newest("occurrences").filter(same_repository(repo)).sort("observed_at").collect()
    newest = rows.unique("job_id", keep="last", maintain_order=True).sort("job_id").select(_OCCURRENCE)
    newest = newest.with_columns(pl.col("log_bytes").fill_null(0))
    return tuple(msgspec.convert(newest.to_dicts(), list[Occurrence]))


def known_edits(store: Store, repo: str) -> tuple[KnowledgeEdit, ...]:
    """What people said of errors of ``repo``, by id; what was said last counts."""
    rows = store.newest("knowledge").filter(same_repository(repo)).sort("observed_at").collect()
    rows = rows.with_columns(pl.col("splits").fill_null([])).select(_EDIT)
    by_id = edits_by_id(msgspec.convert(rows.to_dicts(), list[KnowledgeEdit]))
    return tuple(by_id[one] for one in sorted(by_id))


def import_edits(store: Store, repo: str, edits: Iterable[KnowledgeEdit], now: dt.datetime) -> Imported:
    """Keeps the edits that were made later than what the store has of their entries; twice is as once.

    Edits from more than a day after ``now`` are left out: the clock they were made by is wrong.
    """
    before = edits_by_id(known_edits(store, repo))
    future, taken, known = [], [], 0
    for entry_id, edit in sorted(edits_by_id(edits).items()):
        if edit.edited_at > now + AHEAD:
            future.append(entry_id)
        elif entry_id in before and before[entry_id].edited_at >= edit.edited_at:
            known += 1
        else:
            taken.append(msgspec.structs.replace(edit, repo=repo, entry_id=entry_id))
    store.add_knowledge(taken, now)
    return Imported(taken=tuple(taken), known=known, future=tuple(future))


def _contexts(store: Store, repo: str) -> dict[int, tuple[str, ...]]:
    """The lines around the line that matters, by job id, as far as diagnoses are in the store."""
    wanted = store.newest("occurrences").filter(same_repository(repo), pl.col("choice") == "read").select("job_id")
    rows = store.newest("failures").filter(same_repository(repo)).join(wanted, on="job_id", how="semi")
    kept = rows.select("job_id", "context").collect()
    return {job: tuple(context or ()) for job, context in kept.iter_rows()}
