"""What the commands on the knowledge base share: which repository, which store, which entry is meant; and its file."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cyclopts import Parameter

from trackside.cli.github_options import Where
from trackside.cli.github_session import repository_of, settings_of, store_of
from trackside.cli.id_lookup import find_id
from trackside.cli.terminal import Terminal, open_terminal
from trackside.errors import UsageError
from trackside.report.ledger import counted
from trackside.settings import Settings

if TYPE_CHECKING:
    from trackside.agents.knowledge import Entry
    from trackside.evidence.knowledge import Imported, Knowledge
    from trackside.report.knowledge_file import FileContent
    from trackside.store.store import Store

_SOME = Parameter(show_default=False)


@dataclass(frozen=True)
class KbSession:
    """One command on the knowledge base: where it writes and what it is about."""

    terminal: Terminal
    settings: Settings
    repo: str
    store: Store
    now: dt.datetime


def open_kb(where: Where | None, *, create: bool = False) -> KbSession:
    """The repository and store of a command; GitHub is asked for nothing. Raises NoDataError where there is no store,
    unless it may be created."""
    where = where or Where()
    access = where.access
    settings = settings_of(access)
    repo = repository_of(access, settings)
    store = store_of(access, create=create)
    return KbSession(terminal=open_terminal(), settings=settings, repo=repo, store=store, now=dt.datetime.now(dt.UTC))


def find_entry(knowledge: Knowledge, repo: str, typed: str) -> tuple[Entry, str]:
    """The entry of an id, of one that was merged into it too, and the whole id; it may be shortened to 4 characters.

    Raises NoDataError, naming the nearest ones, where there is none.
    """
    entries = {one: entry for entry in knowledge.entries for one in (*entry.merged, entry.entry_id)}
    names = {one: entry_name(entry) for one, entry in entries.items()}
    hint = "trackside kb list shows the ids." if entries else "No failure is known yet: trackside agents report."
    found = find_id(typed, names, f"No known failure of {repo} has", hint)
    return entries[found], found


def entry_name(entry: Entry) -> str:
    """What an entry is called in a sentence: its title, else its template, cut."""
    return (entry.title or entry.template or entry.cause or "no log was read")[:80]


class KnowledgePlace(NamedTuple):
    """Where the committed file is or is to be; without a path ``why`` is the part of a sentence that says why not,
    None where the settings switch it off."""

    path: Path | None = None
    why: str | None = None


def knowledge_place(settings: Settings) -> KnowledgePlace:
    """The committed file of a checkout in the working directory.

    A file that is not there yet is made where its folder is there, in a checkout. Raises UsageError where its name or a
    link leads out of the working directory: whoever commits a link would choose which file is read and written.
    """
    name = settings.agents.knowledge_file.strip()
    if not name:
        return KnowledgePlace()
    here = Path.cwd()
    path = here / name
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(here)):
        msg = f"{name} leads out of the checkout: let knowledge_file under [agents] name a file in it."
        raise UsageError(msg)
    if path.is_file():
        return KnowledgePlace(path)
    if not Path(".git").exists():
        return KnowledgePlace(why=f"the working directory has neither {name} nor .git, the top of a checkout has")
    if not path.parent.is_dir():
        folder = path.parent.relative_to(here)
        return KnowledgePlace(why=f"this checkout has no folder {folder} for {name}; where it is made the file is too")
    return KnowledgePlace(path)


def file_of(session: KbSession, path: Path) -> FileContent | None:
    """What the file says of the repository of this command; None where it is not there.

    Raises UsageError where it is of another repository, and UnreadableInputError where it is broken.
    """
    from trackside.report.knowledge_file import read_knowledge_file

    if not path.exists():
        return None
    content = read_knowledge_file(path)
    if content.repository.lower() != session.repo.lower():
        msg = f"{path} is of {content.repository[:200]}, not of {session.repo}: give --repo, or another file."
        raise UsageError(msg)
    return content


def take_edits(session: KbSession, content: FileContent, name: str) -> Imported:
    """Puts what a file says into the store, where it was said later; what is not taken for its time is said."""
    from trackside.evidence.knowledge import import_edits

    if content.redacted:
        session.terminal.warn(
            f"{name}: what looks like a secret was not taken of {', '.join(content.redacted[:5])}: *** is kept in its "
            "place. Take it out of the file, and make it invalid where it was published."
        )
    done = import_edits(session.store, session.repo, content.edits, session.now)
    say_future(session.terminal, done.future, name)
    return done


def say_future(terminal: Terminal, future: Iterable[str], name: str) -> None:
    """Warns of edits that were not taken as their time is yet to come."""
    ids = list(future)
    if ids:
        terminal.warn(
            f"{name}: {counted(len(ids), 'edit')} not taken, as edited_at is more than a day from now: "
            f"{', '.join(ids[:5])}. The clock that made them was wrong; write the time of now."
        )
