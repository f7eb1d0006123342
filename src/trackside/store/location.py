"""Where a store is: a directory, or a prefix of an object store, with what is needed to get there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from trackside.errors import OutputError, UsageError
from trackside.store.schema import Table

SCHEMES: Final = ("s3://", "s3a://", "gs://", "abfss://", "abfs://", "az://")
_PREFIXES: Final = ("AWS_", "GOOGLE_", "AZURE_")
# What the table library cannot hold in a local path: it makes URLs of paths, and these do not come back.
_UNFIT: Final = frozenset("%^|[]\\")
_UNFIT_IN_URLS: Final = frozenset("?#")


@dataclass(frozen=True)
class Location:
    """A directory (``path``) or a URL of an object store (``path`` is None). ``options`` hold credentials."""

    name: str
    path: Path | None
    options: dict[str, str] = field(default_factory=dict, repr=False)

    def of(self, table: Table) -> str:
        """Where ``table`` is, as the table library takes it."""
        return f"{self.name}/{table.name}"

    def file_of(self, table: Table, file: str) -> str:
        """Where a data file of ``table`` is, as Polars takes it."""
        return f"{self.name}/{table.name}/{file}"

    def folder_of(self, table: Table) -> Path | None:
        """The directory of ``table``; None in an object store."""
        return None if self.path is None else self.path / table.name


def find_location(location: str | Path, environ: Mapping[str, str] | None = None) -> Location:
    """The place that ``location`` names; what an object store needs is taken from the environment.

    Raises UsageError for a scheme that is not known and for a path that tables cannot be kept under.
    """
    text = str(location)
    environ = os.environ if environ is None else environ
    scheme, separator, rest = text.partition("://")
    if text.startswith(SCHEMES) and rest.strip("/") and not rest.startswith("/"):
        _refuse(text, _UNFIT | _UNFIT_IN_URLS)
        options = {name: value for name, value in environ.items() if name.startswith(_PREFIXES)}
        return Location(text.rstrip("/"), None, options)
    if separator and scheme == "file":
        text = rest
    elif separator:
        msg = f"{text} is no place for a store: name a directory, or a bucket after {', '.join(SCHEMES)}."
        raise UsageError(msg)
    path = Path(text).expanduser().absolute()
    _refuse(str(path), _UNFIT)
    return Location(str(path), path)


def _refuse(place: str, unfit: frozenset[str]) -> None:
    if found := sorted(unfit & set(place)):
        msg = f"A store cannot be kept at {place}: its path has {' and '.join(found)}. Name another place."
        raise UsageError(msg)


def make_directory(location: Location) -> None:
    """Makes the directory of a local store. Raises OutputError where that cannot be."""
    if location.path is None:
        return
    try:
        location.path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        msg = f"The store {location.name} cannot be made: a file is where its directory should be."
        raise OutputError(msg) from error
    except OSError as error:
        msg = f"The store {location.name} cannot be made: {error.strerror}."
        raise OutputError(msg) from error
