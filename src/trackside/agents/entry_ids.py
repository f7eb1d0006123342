"""Which entry of the knowledge base a failure belongs to, after what people joined and took apart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from trackside.records.knowledge import KnowledgeEdit, Occurrence


def edits_by_id(edits: Iterable[KnowledgeEdit]) -> dict[str, KnowledgeEdit]:
    """The edits by entry, each id in lower case; of several of one entry the one that was made last counts."""
    known: dict[str, KnowledgeEdit] = {}
    for edit in sorted(edits, key=lambda one: one.edited_at):
        known[edit.entry_id.lower()] = edit
    return known


def own_id(occurrence: Occurrence) -> str:
    """The id of a failure by itself: the fingerprint of its error, and where no log tells one its signature."""
    return (occurrence.fingerprint or occurrence.signature).lower()


def split_id(entry_id: str, signature: str) -> str:
    """The id of the failures of a signature that were split off an entry: 16 hex digits, the same in every store."""
    return hashlib.sha256(f"split\n{entry_id.lower()}\n{signature.lower()}".encode()).hexdigest()[:16]


def entry_path(start: str, signature: str | None, edits: Mapping[str, KnowledgeEdit]) -> tuple[str, ...]:
    """The ids that were merged on the way from ``start``, and last the entry that counts, as ``edits_by_id`` tell it.

    At each id a split of the signature comes before a merge; what stands before a split is left out, as the part is
    not of the whole any more. What was split off and merged back is in the entry that it came from. Of entries that
    were merged in a circle the first by name counts.
    """
    path, seen, split = [start], set[tuple[str, bool]](), set[str]()
    while (edit := edits.get(here := path[-1])) is not None:
        if (here, here in split) in seen:
            return (*path, min(_circle(here, edits)))
        seen.add((here, here in split))
        if here not in split and signature and signature.lower() in {one.lower() for one in edit.splits}:
            split.add(here)
            path = [split_id(here, signature)]
        elif (into := _merged_into(edit)) is not None:
            path.append(into)
        else:
            break
    return tuple(path)


def _circle(start: str, edits: Mapping[str, KnowledgeEdit]) -> list[str]:
    """The ids of the circle of merges that ``start`` is in."""
    circle = [start]
    while (into := _merged_into(edits[circle[-1]])) is not None and into != start:
        circle.append(into)
    return circle


def _merged_into(edit: KnowledgeEdit) -> str | None:
    into = (edit.merged_into or "").lower()
    return into if into and into != edit.entry_id.lower() else None


def entry_of(fingerprint: str | None, signature: str, edits: Sequence[KnowledgeEdit]) -> str:
    """The id of the entry that a failure with this fingerprint (None: no log tells it) and signature belongs to."""
    start = (fingerprint or signature).lower()
    return entry_path(start, signature, edits_by_id(edits))[-1]
