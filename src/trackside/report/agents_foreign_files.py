"""Which file in the place of the data file is not to be replaced: another repository's, a newer one, what is none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec

from trackside.errors import OutputError
from trackside.report.agents_document import DATA_VERSION
from trackside.report.agents_old_files import MOST_BYTES

_BEGINNING: Final = re.compile(
    rb'\s*\{\s*(?:"schema_version"\s*:\s*(?P<version>\d{1,9})\s*,\s*'
    rb'"repository"\s*:\s*"(?P<repository>[^"]*)"\s*,\s*)?"last_updated"\s*:'
)
_SHORTEST: Final = b'{"schema_version":'
"""A file that was cut here or before tells nothing but that it began like ours."""


class _Told(msgspec.Struct):
    last_updated: msgspec.Raw
    runs: msgspec.Raw
    schema_version: int | None = None
    repository: str | None = None
    segment: str | None = None


def require_ours(path: Path, repository: str | None = None) -> None:
    """Raises OutputError where the file at ``path`` is none that a report on ``repository`` may replace.

    One that is empty may be replaced, as may one that was cut, and that of the established writer, which names no
    repository. Without ``repository`` any will do.
    """
    what = _foreign(path, repository)
    if what is not None:
        msg = f"{path} stays as it is: {what}. Name another file with --output, or move this one away."
        raise OutputError(msg)


def _foreign(path: Path, repository: str | None) -> str | None:
    try:
        if path.stat().st_size > MOST_BYTES:
            return f"it has more than {MOST_BYTES:,} bytes, as no data file has"
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return f"it cannot be read ({error.strerror or error})"
    if not content.strip() or _SHORTEST.startswith(content.strip()):
        return None
    told = _told(content)
    if told is None:
        return "it is no data file of agent operations"
    version, own = told
    if version is not None and version > DATA_VERSION:
        return f"a newer trackside wrote it (its schema_version is {version}, this one writes {DATA_VERSION})"
    if repository is not None and own is not None and own.casefold() != repository.casefold():
        return f"it is the data file of {own}, not of {repository}"
    return None


def _told(content: bytes) -> tuple[int | None, str | None] | None:
    """The version and the repository that a data file tells, whole or cut; None where it is none."""
    try:
        told = msgspec.json.decode(content, type=_Told)
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _BEGINNING.match(content)
        if found is None:
            return None
        version, own = found["version"], found["repository"]
        return int(version) if version else None, own.decode(errors="replace") if own else None
    return None if told.segment is not None else (told.schema_version, told.repository)
