"""``trackside kb note``, ``mute``, ``resolve``, ``merge`` and ``split``: what people say of failures is kept.

An edit goes to the store, and in a checkout to the committed file of the settings too, so that it reaches the store of
the scheduled sync.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

from trackside.cli.github_options import Where
from trackside.cli.id_lookup import find_id
from trackside.cli.kb_session import (
    KbSession,
    KnowledgePlace,
    entry_name,
    file_of,
    find_entry,
    knowledge_place,
    open_kb,
    take_edits,
)
from trackside.cli.options import FLAG
from trackside.cli.said_text import require_page, said_text
from trackside.errors import UsageError
from trackside.records.knowledge import EntryState, KnowledgeEdit

if TYPE_CHECKING:
    from trackside.agents.knowledge import Entry
    from trackside.evidence.knowledge import Knowledge

_SOME = Parameter(show_default=False)
_MANY = Parameter(negative="", show_default=False)
_OFF = Annotated[bool, FLAG]


@Parameter(name="*")
@dataclass(frozen=True)
class Keeping:
    """Where an edit is kept."""

    where: Where = field(default_factory=Where)
    no_file: Annotated[bool, FLAG] = False
    """Keep it in the store only, not in the committed file of this checkout."""


@dataclass(frozen=True)
class _Editing:
    """A command that edits: its session, the file it also writes, and what is known."""

    session: KbSession
    place: KnowledgePlace
    knowledge: Knowledge

    def entry(self, typed: str) -> Entry:
        """The entry of an id; says so where it was merged into another."""
        entry, found = find_entry(self.knowledge, self.session.repo, typed)
        if found != entry.entry_id:
            self.session.terminal.note(f"{found} is part of {entry.entry_id}.")
        return entry

    def changed(self, entry_id: str, **fields: Any) -> KnowledgeEdit:
        """The edit of an entry with other fields, made now, and later than the one before in any case."""
        before = next((one for one in self.knowledge.edits if one.entry_id == entry_id), None)
        now = self.session.now
        if before is None:
            # What was said of it under the signature that it had before its log was read goes on.
            entry = next((one for one in self.knowledge.entries if one.entry_id == entry_id), None)
            state = {"state": entry.state, "resolved_at": entry.resolved_at} if entry else {}
            return KnowledgeEdit(repo=self.session.repo, entry_id=entry_id, edited_at=now, **{**state, **fields})
        later = max(now, before.edited_at + dt.timedelta(microseconds=1))
        return msgspec.structs.replace(before, repo=self.session.repo, edited_at=later, **fields)

    def keep(self, edits: Sequence[KnowledgeEdit]) -> None:
        """Puts edits into the store and, in a checkout, all that is known into its file; says where it does not."""
        from trackside.evidence.knowledge import known_edits
        from trackside.report.knowledge_file import knowledge_file_text, write_knowledge_file

        session = self.session
        session.store.add_knowledge(edits, session.now)
        path = self.place.path
        if path is None:
            if self.place.why is not None:
                session.terminal.note(f"Kept in the store only, not in a file to commit: {self.place.why}.")
            return
        content = file_of(session, path)
        every = [*(content.edits if content else ()), *known_edits(session.store, session.repo)]
        if write_knowledge_file(path, knowledge_file_text(session.repo, every)):
            session.terminal.note(f"{session.settings.agents.knowledge_file} is written: commit it with the checkout.")


def note(
    entry_id: str,
    /,
    *,
    title: Annotated[str | None, _SOME] = None,
    note: Annotated[str | None, _SOME] = None,
    fix: Annotated[str | None, _SOME] = None,
    link: Annotated[str | None, _SOME] = None,
    forget: Annotated[tuple[Literal["title", "note", "fix", "link"], ...], _MANY] = (),
    keeping: Keeping | None = None,
) -> int:
    """Say something of a known failure: a title, a note, a fix, a link.

    Args:
        entry_id: The id that trackside kb list shows; its first 4 characters or more are enough.
        title: What it is called.
        note: What is good to know of it.
        fix: What should be done.
        link: Where more is said, such as an issue.
        forget: Take back what was said as this; can be given again.
    """
    given = {"title": title, "note": note, "fix": fix, "link": link}
    said = {name: words for name, text in given.items() if (words := said_text(text, f"--{name}")) is not None}
    if not said and not forget:
        msg = f"What is there to say of {entry_id}? Give --title, --note, --fix or --link, or --forget one of these."
        raise UsageError(msg)
    require_page(said.get("link"), "--link")
    editing = _open(keeping)
    entry = editing.entry(entry_id)
    said = _without_secrets(editing, said)
    gone = [name for name in given if name in forget and name not in said]
    editing.keep([editing.changed(entry.entry_id, **{name: said.get(name) for name in (*gone, *said)})])
    now = [*([f"has {_and(said)} now"] if said else []), *([f"has no {_and(gone)} any more"] if gone else [])]
    editing.session.terminal.data(f"{entry.entry_id} {_and(now)}: {entry_name(entry)}")
    return 0


def _without_secrets(editing: _Editing, said: dict[str, str]) -> dict[str, str]:
    """The words with what looks like a secret replaced; says in which it was."""
    from trackside.joblogs.cleaning import redact

    safe = {name: redact(words) for name, words in said.items()}
    if changed := [f"--{name}" for name in said if safe[name] != said[name]]:
        editing.session.terminal.warn(f"{_and(changed)} held what looks like a secret: *** is kept in its place.")
    return safe


def mute(entry_id: str, /, *, off: _OFF = False, keeping: Keeping | None = None) -> int:
    """Hear no more of a failure, or hear of it again with --off.

    Args:
        entry_id: The id that trackside kb list shows; its first 4 characters or more are enough.
        off: Hear of it again.
    """
    editing = _open(keeping)
    entry = editing.entry(entry_id)
    state = EntryState.OPEN if off else EntryState.MUTED
    editing.keep([editing.changed(entry.entry_id, state=state, resolved_at=None)])
    editing.session.terminal.data(f"{entry.entry_id} is {state.value} now: {entry_name(entry)}")
    return 0


def resolve(entry_id: str, /, *, off: _OFF = False, keeping: Keeping | None = None) -> int:
    """Say that a failure is mended; it is regressed where it is seen again.

    Args:
        entry_id: The id that trackside kb list shows; its first 4 characters or more are enough.
        off: Take that back.
    """
    editing = _open(keeping)
    entry = editing.entry(entry_id)
    state, at = (EntryState.OPEN, None) if off else (EntryState.RESOLVED, editing.session.now)
    editing.keep([editing.changed(entry.entry_id, state=state, resolved_at=at)])
    editing.session.terminal.data(f"{entry.entry_id} is {state.value} now: {entry_name(entry)}")
    return 0


def merge(
    entry_id: str,
    /,
    *others: str,
    into: str,
    keeping: Keeping | None = None,
) -> int:
    """Join failures that are one error.

    Args:
        entry_id: The id of the failure that is joined; its first 4 characters or more are enough.
        others: More of them.
        into: The id of the failure that they become part of.
    """
    editing = _open(keeping)
    target = editing.entry(into)
    joined = [editing.entry(one) for one in (entry_id, *others)]
    if same := [one for one in joined if one.entry_id == target.entry_id]:
        msg = f"{same[0].entry_id} is one failure with {into} already."
        raise UsageError(msg)
    editing.keep([editing.changed(one.entry_id, merged_into=target.entry_id) for one in joined])
    for one in joined:
        editing.session.terminal.data(f"{one.entry_id} is part of {target.entry_id} now: {entry_name(target)}")
    return 0


def split(
    entry_id: str,
    /,
    *,
    signature: Annotated[str | None, _SOME] = None,
    off: _OFF = False,
    keeping: Keeping | None = None,
) -> int:
    """Make the failures of one workflow, job and step an entry of their own, or take a merge or split back.

    Args:
        entry_id: The id that trackside kb list shows; its first 4 characters or more are enough. With --off that of a
            failure that was merged or split off, or one that something was split from.
        signature: Which workflow, job and step: one of those that trackside kb show lists.
        off: Take a merge or a split back.
    """
    editing = _open(keeping)
    if off:
        edits, said = _taken_back(editing, entry_id, signature)
    else:
        edits, said = _split_off(editing, entry_id, signature)
    editing.keep(edits)
    editing.session.terminal.data(said)
    return 0


def _split_off(editing: _Editing, typed: str, signature: str | None) -> tuple[list[KnowledgeEdit], str]:
    from trackside.agents.entry_ids import split_id

    entry = editing.entry(typed)
    places = {one.signature: f"{one.workflow}, {one.job}, {one.step or 'no step'}" for one in entry.signatures}
    if signature is None:
        msg = f"Which part of {entry.entry_id}? Give --signature; trackside kb show {entry.entry_id} lists them."
        raise UsageError(msg)
    hint = f"trackside kb show {entry.entry_id} lists them."
    found = find_id(signature, places, f"No failure of {entry.entry_id} has", hint)
    if len(places) == 1:
        msg = f"All failures of {entry.entry_id} are of {found}: there is nothing to split."
        raise UsageError(msg)
    before = next((one.splits for one in editing.knowledge.edits if one.entry_id == entry.entry_id), ())
    new = split_id(entry.entry_id, found)
    edits = [editing.changed(entry.entry_id, splits=tuple(sorted({*before, found})))]
    if any(one.entry_id == new for one in editing.knowledge.edits):
        edits.append(editing.changed(new, merged_into=None))
    return edits, f"{new} is an entry of its own now: {places[found]}"


def _taken_back(editing: _Editing, typed: str, signature: str | None) -> tuple[list[KnowledgeEdit], str]:
    """The edits that take a merge or a split back, and what was done."""
    from trackside.agents.entry_ids import split_id

    entry, found = find_entry(editing.knowledge, editing.session.repo, typed)
    edits = {one.entry_id: one for one in editing.knowledge.edits}
    own = edits.get(found)
    if own is not None and own.merged_into:
        return [editing.changed(found, merged_into=None)], f"{found} is an entry of its own again."
    for parent, one in edits.items():
        for each in one.splits:
            if split_id(parent, each) == found:
                return _joined_again(editing, parent, [each]), f"{found} is part of {parent} again."
    if own is not None and own.splits:
        wanted = own.splits if signature is None else _begun(own.splits, signature, found)
        return _joined_again(editing, found, wanted), f"{found} is whole again: {_and(wanted)}"
    merged = f" Take a merge back with the id that was merged: {_and(entry.merged)}." if entry.merged else ""
    msg = f"{found} was neither merged into another nor split.{merged}"
    raise UsageError(msg)


def _begun(splits: Sequence[str], signature: str, entry_id: str) -> list[str]:
    hint = "See trackside kb show."
    return [find_id(signature, dict.fromkeys(splits, "split off"), f"No split of {entry_id} has", hint)]


def _joined_again(editing: _Editing, parent: str, signatures: Sequence[str]) -> list[KnowledgeEdit]:
    """Takes splits back; what was said of the part is part of the whole again, too."""
    from trackside.agents.entry_ids import split_id

    edits = {one.entry_id: one for one in editing.knowledge.edits}
    left = tuple(one for one in edits[parent].splits if one not in signatures)
    parts = [split_id(parent, one) for one in signatures]
    return [
        editing.changed(parent, splits=left),
        *(editing.changed(part, merged_into=parent) for part in parts if part in edits),
    ]


def _open(keeping: Keeping | None) -> _Editing:
    """What is known, the file of the checkout read first: what is wrong with it is said before anything is kept."""
    from trackside.evidence.knowledge import load_knowledge

    keeping = keeping or Keeping()
    session = open_kb(keeping.where)
    place = KnowledgePlace() if keeping.no_file else knowledge_place(session.settings)
    content = file_of(session, place.path) if place.path is not None else None
    if content is not None and place.path is not None:
        take_edits(session, content, session.settings.agents.knowledge_file)
        if content.has_entries:
            session.terminal.warn(f"{place.path.name} also held figures of failures; the file is kept without them.")
    return _Editing(session, place, load_knowledge(session.store, session.repo))


def _and(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
