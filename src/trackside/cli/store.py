"""``trackside store``: what is in the store, its upkeep, exports and questions in SQL."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from trackside.cli.options import FLAG, Format
from trackside.cli.terminal import open_terminal
from trackside.errors import UsageError
from trackside.report.ledger import counted
from trackside.report.safe_text import safe_text
from trackside.settings import store_location

if TYPE_CHECKING:
    from trackside.store.store import Store

_WHERE = Parameter(name="--store", show_default=False)
_AGE = re.compile(r"(\d{1,5})d")


def info(
    *,
    store: Annotated[str | None, _WHERE] = None,
    debug: Annotated[bool, FLAG] = False,
    format: Literal["table", "json"] = "table",  # noqa: A002 - the name of the option
) -> int:
    """Show what the store holds: rows, files, size, times, versions.

    Args:
        store: Where the store is: a directory or an s3://, gs:// or abfss:// URL. .trackside if nothing is said.
        debug: Show where an unexpected error came from.
        format: How to print.
    """
    from trackside.report.store_report import store_json, store_table

    opened, terminal = _opened(store), open_terminal()
    tables = opened.info()
    if format == "json":
        terminal.data(store_json(opened.location.name, tables))
    else:
        terminal.data(store_table(opened.location.name, tables))
    return 0


def compact(
    *,
    now: Annotated[bool, FLAG] = False,
    store: Annotated[str | None, _WHERE] = None,
    debug: Annotated[bool, FLAG] = False,
) -> int:
    """Fold the history: keep the newest row of each key, in few sorted files. Others may read and write meanwhile.

    Args:
        now: Delete replaced files at once, not after seven days. Readers that began before fail.
        store: Where the store is: a directory or an s3://, gs:// or abfss:// URL. .trackside if nothing is said.
        debug: Show where an unexpected error came from.
    """
    from trackside.report.store_report import folded_line

    opened, terminal = _opened(store), open_terminal()
    for one in opened.compact():
        terminal.data(folded_line(one.table, (one.rows_before, one.rows_after), (one.files_before, one.files_after)))
    terminal.data(f"{counted(opened.vacuum(at_once=now), 'file')} deleted")
    return 0


def prune(
    *,
    keep: str,
    store: Annotated[str | None, _WHERE] = None,
    debug: Annotated[bool, FLAG] = False,
) -> int:
    """Remove runs that are older than so many days, with their jobs, logs, artifacts and measurements.

    Args:
        keep: How many days to keep, such as 400d, by when a run was first created.
        store: Where the store is: a directory or an s3://, gs:// or abfss:// URL. .trackside if nothing is said.
        debug: Show where an unexpected error came from.
    """
    from trackside.report.store_report import folded_line

    if (age := _AGE.fullmatch(keep.strip())) is None:
        raise UsageError(f"--keep {keep} is no number of days: write it as 400d.")
    opened, terminal = _opened(store), open_terminal()
    before = dt.datetime.now(dt.UTC) - dt.timedelta(days=int(age[1]))
    for one in opened.prune(before):
        terminal.data(folded_line(one.table, (one.rows_before, one.rows_after), (one.files_before, one.files_after)))
    terminal.note(
        f"Runs created before {before:%Y-%m-%d %H:%M} UTC are gone; in a week `store compact` deletes their files."
    )
    return 0


def export(
    folder: Path,
    /,
    *,
    format: Literal["parquet", "csv", "jsonl"] = "parquet",  # noqa: A002 - the name of the option
    store: Annotated[str | None, _WHERE] = None,
    debug: Annotated[bool, FLAG] = False,
) -> int:
    """Write the newest rows of every table of facts as sorted files. Equal stores give equal files.

    Args:
        folder: The directory to write into; made if needed.
        format: The kind of files.
        store: Where the store is: a directory or an s3://, gs:// or abfss:// URL. .trackside if nothing is said.
        debug: Show where an unexpected error came from.
    """
    from trackside.report.table_files import FileFormat, write_tables

    terminal = open_terminal()
    for table in write_tables(_opened(store).facts(), folder, FileFormat(format)):
        terminal.data(f"{safe_text(str(table.path))} ({counted(table.rows, 'row')})")
    return 0


def sql(
    query: str,
    /,
    *,
    history: Annotated[bool, FLAG] = False,
    store: Annotated[str | None, _WHERE] = None,
    debug: Annotated[bool, FLAG] = False,
    format: Format = "table",  # noqa: A002 - the name of the option
) -> int:
    """Ask the store a question in SQL; nothing can be changed.

    Args:
        query: One SELECT over runs, jobs, steps, pulls, commit_pulls, job_logs, failures, test_files, artifacts,
            artifact_files, measurements, bench_runs, changes, occurrences, knowledge, and what was read when: fetched,
            logs_read, measured_logs, artifact_lists, reported, notices, alerts, deliveries, syncs.
        history: Over every row that was ever added, not the newest of each key.
        store: Where the store is: a directory or an s3://, gs:// or abfss:// URL. .trackside if nothing is said.
        debug: Show where an unexpected error came from.
        format: How to print. On a terminal a table is cut after 100 rows; json and csv are whole.
    """
    from trackside.report import answers

    terminal = open_terminal()
    answer = _opened(store).sql(query, every_row=history)
    if format == "table":
        shown = answers.SHOWN_ROWS if terminal.out.is_terminal else None
        terminal.data(answers.answer_table(answer, shown))
        if shown is not None and answer.height > shown:
            terminal.note(f"{shown} of {counted(answer.height, 'row')} are shown; --format csv or json has them all.")
    else:
        form = {"json": answers.answer_json, "csv": answers.answer_csv, "markdown": answers.answer_markdown}
        terminal.whole(form[format](answer))
    return 0


def _opened(store: str | None) -> Store:
    from trackside.store.store import open_store

    return open_store(store_location(store, Path.cwd()), create=False)
