"""``trackside ingest``: payloads of webhooks and files of runs into the store, without a call."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

from cyclopts import Parameter

from trackside.cli.github_options import Access, Saying
from trackside.cli.github_session import repository_of
from trackside.cli.options import FLAG
from trackside.cli.terminal import open_terminal
from trackside.errors import NoDataError, PartialError, PathNotFoundError, UnreadableInputError
from trackside.records.ingests import IngestRecord
from trackside.report.ingest_report import ingest_document, ingest_lines
from trackside.report.ledger import counted
from trackside.settings import Settings, store_location

_STDIN = Path("-")


def ingest(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    repo: Annotated[str | None, Parameter(show_default=False)] = None,
    store: Annotated[str | None, Parameter(show_default=False)] = None,
    saying: Saying | None = None,
    debug: Annotated[bool, FLAG] = False,
    format: Literal["text", "json"] = "text",  # noqa: A002 - the name of the option
) -> int:
    """Put payloads of webhooks and files of runs into the store, without a call to GitHub.

    Args:
        file: A file of JSON documents, one a line or one for the whole; - is standard input.
        repo: The repository, as OWNER/NAME, of runs and jobs that do not tell theirs.
        store: Where the store is: a directory or an s3://, gs:// or abfss:// URL. .trackside if nothing is said.
        debug: Show where an unexpected error came from.
        format: How the summary is printed.
    """
    from trackside.store.store import open_store
    from trackside.sync.ingest import ingest as put

    terminal = open_terminal(quiet=saying is not None and saying.quiet)
    repo = None if repo is None else repository_of(Access(repo=repo), Settings())
    name = "standard input" if file == _STDIN else str(file)
    with _opened(file) as stream, terminal.progress(f"Reading {name}") as on_progress:
        size = file.stat().st_size if stream is not sys.stdin.buffer else 0
        shelf = open_store(store_location(store, Path.cwd()))
        on_bytes = None if on_progress is None else lambda done: on_progress(done, max(size, done))
        record = put(stream, shelf, repo=repo, now=dt.datetime.now(dt.UTC), on_bytes=on_bytes)
    _require_something(name, record)
    if format == "json":
        terminal.data(json.dumps(ingest_document(record), indent=2))
    else:
        terminal.data("\n".join(ingest_lines(record)))
    if record.lost:
        what = f"{record.lost:,} of the documents, runs and jobs in {name} could not be read"
        terminal.warn(f"Not complete: {what}; the others are in the store.")
        return PartialError.exit_code
    return 0


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if file == _STDIN:
        yield sys.stdin.buffer
        return
    try:
        stream = file.open("rb")
    except FileNotFoundError as error:
        msg = f"{file} does not exist."
        raise PathNotFoundError(msg) from error
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}."
        raise UnreadableInputError(msg) from error
    with stream:
        yield stream


def _require_something(name: str, record: IngestRecord) -> None:
    """Raises NoDataError where nothing at all was read, with the first reason there is."""
    if record.runs or any((record.jobs.new, record.jobs.changed, record.jobs.unchanged)):
        return
    why = record.samples[0] if record.samples else f"{counted(record.documents, 'document')}, none of a run or a job"
    msg = f"{name} holds no runs and no jobs that can be read ({why})."
    raise NoDataError(msg)
