"""The committed file of what people said of known failures: read, checked and written, an entry on its own lines."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from trackside.agents.entry_ids import edits_by_id
from trackside.agents.knowledge import Entry
from trackside.engine.whole_files import write_atomically
from trackside.errors import OutputError, PathNotFoundError, UnreadableInputError
from trackside.joblogs.cleaning import redact
from trackside.records.knowledge import LONGEST_WORDS, EntryState, KnowledgeEdit

KNOWLEDGE_FILE_VERSION: Final = 1
MOST_BYTES: Final = 5 * 1024 * 1024
_WORDS: Final = ("title", "note", "fix", "link")

Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{16}$")]
Words = Annotated[str, msgspec.Meta(max_length=LONGEST_WORDS)]
Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class FileEdit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What people said of one entry; a field that is not there was not said. Times are ISO 8601 with their zone."""

    entry_id: Id
    edited_at: Moment
    state: EntryState = EntryState.OPEN
    resolved_at: Moment | None = None
    title: Words | None = None
    note: Words | None = None
    fix: Words | None = None
    link: Words | None = None
    merged_into: Id | None = None
    splits: tuple[Id, ...] = ()


class KnowledgeFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What people said of the failures of a repository, by entry. ``entries`` is what was known of all failures when
    the file was exported with it, for other programs; it is not read back."""

    schema_version: int
    repository: str
    edits: tuple[FileEdit, ...] = ()
    entries: tuple[Entry, ...] = ()


class _Read(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema_version: int
    repository: str
    edits: tuple[FileEdit, ...] = ()
    entries: msgspec.Raw = msgspec.Raw()


class _Version(msgspec.Struct, frozen=True):
    schema_version: int


class FileContent(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a file, without secrets: ``redacted`` are the ids of edits that held what looks like one.

    ``has_entries`` says that the file also holds figures, which are not read back.
    """

    repository: str
    edits: tuple[KnowledgeEdit, ...]
    has_entries: bool = False
    redacted: tuple[str, ...] = ()


def knowledge_file_text(repo: str, edits: Iterable[KnowledgeEdit], entries: Iterable[Entry] = ()) -> str:
    """A KnowledgeFile in ASCII, by entry id: equal knowledge gives equal text, and an edit changes its own lines."""
    own = edits_by_id(edits)
    document = KnowledgeFile(
        schema_version=KNOWLEDGE_FILE_VERSION,
        repository=repo,
        edits=tuple(_for_file(own[entry_id]) for entry_id in sorted(own)),
        entries=tuple(sorted(entries, key=lambda one: one.entry_id)),
    )
    built: dict[str, Any] = {"edits": [], **msgspec.to_builtins(document, order="deterministic")}
    ordered = {one.name: built[one.name] for one in msgspec.structs.fields(KnowledgeFile) if one.name in built}
    return json.dumps(ordered, indent=2) + "\n"


def read_knowledge_file(path: Path) -> FileContent:
    """What a file holds.

    Raises PathNotFoundError where it is not there, and UnreadableInputError where it is no such file: the message says
    where it is wrong. Nothing is read of a file of which a part is wrong.
    """
    return parse_knowledge(_bytes_of(path), str(path))


def parse_knowledge(content: bytes, name: str) -> FileContent:
    """What the content of a file holds. Raises UnreadableInputError."""
    content = content.removeprefix(b"\xef\xbb\xbf")
    if b"\n<<<<<<< " in content or content.startswith(b"<<<<<<< "):
        msg = f"{name} holds the marks of a merge that was not finished (<<<<<<<): resolve it and try again."
        raise UnreadableInputError(msg)
    try:
        version = msgspec.json.decode(content, type=_Version).schema_version
        if version != KNOWLEDGE_FILE_VERSION:
            msg = (
                f"{name} has the version {version}, and this trackside reads {KNOWLEDGE_FILE_VERSION}: "
                "use the trackside that wrote it, or a newer one."
            )
            raise UnreadableInputError(msg)
        read = msgspec.json.decode(content, type=_Read)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error)[:300]
        msg = f"{name} is no file of known failures: {reason}. Nothing was read; mend it or take it from git."
        raise UnreadableInputError(msg) from error
    told = [_from_file(read.repository, one) for one in read.edits]
    edits = [_without_secrets(one) for one in told]
    return FileContent(
        repository=read.repository,
        edits=tuple(edits),
        has_entries=bool(bytes(read.entries)),
        redacted=tuple(one.entry_id for one, safe in zip(told, edits, strict=True) if one != safe),
    )


def write_knowledge_file(path: Path, text: str) -> bool:
    """Writes the file whole or not at all; False where it holds that text already. Raises OutputError."""
    try:
        if path.is_file() and path.read_bytes() == text.encode():
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    except OSError as error:
        msg = f"{path} could not be written: {error.strerror or error}."
        raise OutputError(msg) from error
    return True


def _bytes_of(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            msg = f"{path} is no file."
            raise UnreadableInputError(msg)
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        msg = f"{path} does not exist."
        raise PathNotFoundError(msg) from error
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}."
        raise UnreadableInputError(msg) from error
    if len(content) > MOST_BYTES:
        msg = f"{path} has more than {MOST_BYTES // 1024**2} MiB: that is no file of known failures."
        raise UnreadableInputError(msg)
    return content


def _for_file(edit: KnowledgeEdit) -> FileEdit:
    return FileEdit(
        entry_id=edit.entry_id.lower(),
        edited_at=edit.edited_at,
        state=EntryState.RESOLVED if edit.state is EntryState.REGRESSED else edit.state,
        resolved_at=edit.resolved_at,
        title=edit.title,
        note=edit.note,
        fix=edit.fix,
        link=edit.link,
        merged_into=edit.merged_into,
        splits=tuple(sorted(edit.splits)),
    )


def _from_file(repo: str, edit: FileEdit) -> KnowledgeEdit:
    """The edit with its ids in lower case, as all others are."""
    told = {one.name: getattr(edit, one.name) for one in msgspec.structs.fields(FileEdit)}
    into = edit.merged_into.lower() if edit.merged_into else None
    ids = {"entry_id": edit.entry_id.lower(), "merged_into": into, "splits": tuple(one.lower() for one in edit.splits)}
    return KnowledgeEdit(repo=repo, **{**told, **ids})


def _without_secrets(edit: KnowledgeEdit) -> KnowledgeEdit:
    words = {name: getattr(edit, name) for name in _WORDS}
    return msgspec.structs.replace(edit, **{name: redact(text) for name, text in words.items() if text})
