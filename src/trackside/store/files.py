"""Data files put beside those of a table. A file counts only once a commit refers to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deltalake._internal import DeltaFileSystemHandler

from trackside.store.location import Location
from trackside.store.schema import Table


def put_file(location: Location, table: Table, name: str, content: bytes) -> None:
    """Writes ``content`` as the file ``name`` of ``table``. Raises OSError where it cannot be written."""
    folder = location.folder_of(table)
    if folder is not None:
        (folder / name).write_bytes(content)
        return
    stream: Any = _handler(location, table).open_output_stream(name)
    stream.write(content)
    stream.close()


def remove_files(location: Location, table: Table, names: Iterable[str]) -> None:
    """Removes files that no commit refers to, where they are."""
    folder = location.folder_of(table)
    for name in names:
        if folder is not None:
            (folder / name).unlink(missing_ok=True)
        else:
            _handler(location, table).delete_file(name)


def _handler(location: Location, table: Table) -> DeltaFileSystemHandler:
    # The public wrapper of it, deltalake.fs, needs pyarrow; the handler itself does not.
    return DeltaFileSystemHandler(location.of(table), options=location.options or None)
