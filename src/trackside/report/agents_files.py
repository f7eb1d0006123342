"""The data files on disk: written where runs changed, whole or not at all, the main file last.

The main file names the others by their bytes. A file that the main file of today names is never touched: what changed
is written under another name, then the main file is exchanged, then what it does not name any more goes. Whoever is
stopped in between leaves the set of before.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from trackside.engine.whole_files import alone_in, write_atomically
from trackside.errors import OutputError, UsageError
from trackside.report.agents_data import DataContent, Segment
from trackside.report.agents_document import DaysFile, SegmentFile
from trackside.report.agents_foreign_files import require_ours
from trackside.report.agents_old_files import DAYS, OldFile, free_name, left_behind, read_old, unnamed

MOST_SEGMENTS: Final = 1_000
"""More files than that, 4 GB, are no data for a page."""
_RUNS: Final = "-runs"


class DataFile(msgspec.Struct, frozen=True, kw_only=True):
    """A data file as it is on disk. ``runs`` is None where it holds none by its nature."""

    file: str
    bytes: int
    sha256: str
    runs: int | None = None


class DataFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the data files. ``files`` are those that there are now, the main file first.

    ``has_changes`` says that the main file was written; ``kept`` is the sentence why one was not replaced, ``replaced``
    the sentence on a damaged one that was.
    """

    path: Path
    files: tuple[DataFile, ...] = ()
    has_changes: bool = False
    last_updated: dt.datetime | None = None
    kept: str | None = None
    replaced: str | None = None


def data_path(output: Path | None, default_name: str) -> Path:
    """Where the main file is to be: ``output``, with the usual name where that is a directory.

    Without ``output`` it is where ``default_name`` says. A link stays a link. Raises UsageError where something stands
    there that is no file, and where ``default_name`` is needed and is none.
    """
    if output is None or output.is_dir():
        usual = Path(default_name)
        if usual.name in ("", ".."):
            msg = "data_file under [agents] in trackside.toml names no file: name one, such as agentops-runs.json."
            raise UsageError(msg)
        if output is None:
            return usual
        output = output / usual.name
    try:
        path = output.absolute().resolve()
    except RuntimeError:  # of Python until 3.12
        path = output.absolute()
    if path.is_symlink() or any(parent.is_symlink() for parent in path.parents):
        msg = f"{output} is reached through links that lead back to themselves: name another file."
        raise UsageError(msg)
    if path.exists() and not path.is_file():
        msg = f"{path} is no file: name a file of its own, as others are written beside it."
        raise UsageError(msg)
    return path


def sync_path(path: Path) -> Path:
    """The file of the syncs beside the main file: ``agentops-sync.json`` beside ``agentops-runs.json``."""
    return path.with_name(f"{path.stem.removesuffix(_RUNS)}-sync.json")


def write_data(path: Path, content: DataContent, now: dt.datetime) -> DataFiles:
    """Writes the data files where ``content`` differs from what is there; else nothing is touched.

    Raises OutputError where they cannot be written, or a file of others is there: then what was there is as it was.
    """
    with _unharmed(path) as made, alone_in(path.parent):
        old, damage = _old(path, content.repository)
        placing = _Placing(path, old, content.repository, made)
        segments = tuple(placing.segment(one) for one in content.segments())
        days = placing.days(content)
        moment = old.last_updated if old is not None else now
        main = content.main(moment, segments, days)
        if has_changes := old is None or main != old.content:
            moment = now
            main = content.main(moment, segments, days)
            write_atomically(path, main)
        _tidy(path, content.repository, placing.taken, now)
    return DataFiles(
        path=path,
        files=(_file(path.name, main, content.newest_runs), *_beside(segments, days)),
        has_changes=has_changes,
        last_updated=moment,
        replaced=damage and f"{path} was damaged ({damage}): it is written anew.",
    )


def keep_data(path: Path, repository: str, reason: str) -> DataFiles:
    """What is there where nothing good can be written, for ``reason``; nothing is touched.

    Raises OutputError where a file of others is there.
    """
    old, damage = _old(path, repository)
    if old is None:
        what = f"{path} is damaged ({damage}) and stays as it is" if damage else f"{path} was not written"
        return DataFiles(path=path, kept=f"{what}: {reason}.")
    main = _file(path.name, old.content, old.runs - sum(one.runs for one in old.segments))
    files = (main, *_beside(old.segments, old.days))
    kept = f"{path} stays as it is, with {old.runs:,} run attempts: {reason}."
    return DataFiles(path=path, files=files, last_updated=old.last_updated, kept=kept)


class _Placing:
    """Finds each file its place: the one where it is already, else a new name. ``taken`` are the names until now."""

    def __init__(self, path: Path, old: OldFile | None, repository: str, made: list[Path]) -> None:
        self.taken: set[str] = set()
        self._path = path
        self._repository = repository
        self._made = made
        self._in_use = frozenset() if old is None else old.names
        named = () if old is None else (*old.segments, *([old.days] if old.days else ()))
        self._known = {one.sha256: one.file for one in named}

    def segment(self, segment: Segment) -> SegmentFile:
        if len(self.taken) >= MOST_SEGMENTS:
            msg = (
                f"The runs fill more than {MOST_SEGMENTS:,} files: set detail to bands under [agents] in "
                "trackside.toml, or look at a shorter window."
            )
            raise OutputError(msg)
        name, sha256 = self._place(segment.month, segment.content)
        return SegmentFile(
            file=name,
            month=segment.month,
            runs=segment.runs,
            first_run_at=segment.first_run_at,
            last_run_at=segment.last_run_at,
            bytes=len(segment.content),
            sha256=sha256,
        )

    def days(self, content: DataContent) -> DaysFile | None:
        told = content.days()
        if told is None:
            return None
        days, rows, left_out = told
        name, sha256 = self._place(DAYS, days)
        return DaysFile(file=name, rows=rows, left_out=left_out, bytes=len(days), sha256=sha256)

    def _place(self, what: str, content: bytes) -> tuple[str, str]:
        sha256 = hashlib.sha256(content).hexdigest()
        name = self._known.get(sha256)
        if name is None or name in self.taken or not _holds(self._path.with_name(name), content):
            taken = frozenset(self.taken) | self._in_use
            name = free_name(self._path.parent, self._path.stem, what, taken, self._repository)
            self._made.append(self._path.with_name(name))
            write_atomically(self._path.with_name(name), content)
        self.taken.add(name)
        return name, sha256


def _old(path: Path, repository: str) -> tuple[OldFile | None, str | None]:
    """The data file that is there, or what its damage is. Raises OutputError where it is that of others."""
    require_ours(path, repository)
    old = read_old(path)
    return (None, old) if isinstance(old, str) else (old, None)


@contextmanager
def _unharmed(path: Path) -> Iterator[list[Path]]:
    """A list for files that are new: they go again where not all can be written. Raises OutputError."""
    made: list[Path] = []
    try:
        yield made
    except BaseException as error:
        # An interrupt may come when the main file is exchanged already, and names them.
        named = old.names if isinstance(old := read_old(path), OldFile) else frozenset()
        for one in made:
            if one.name not in named:
                with suppress(OSError):
                    one.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        reason = "a file stands where a directory is needed" if isinstance(error, FileExistsError) else error.strerror
        msg = f"The data could not be written to {path}: {reason or error}. What was there is as it was."
        raise OutputError(msg) from error


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def _tidy(path: Path, repository: str, named: set[str], now: dt.datetime) -> None:
    """Removes what no data file names any more; what cannot be removed now does no harm, and goes the next time."""
    with suppress(OSError):
        ours = unnamed(path.parent, path.stem, frozenset(named), repository)
        for one in (*ours, *left_behind(path.parent, path.stem, now)):
            one.unlink(missing_ok=True)


def _file(name: str, content: bytes, runs: int) -> DataFile:
    return DataFile(file=name, bytes=len(content), sha256=hashlib.sha256(content).hexdigest(), runs=runs)


def _beside(segments: tuple[SegmentFile, ...], days: DaysFile | None) -> Iterator[DataFile]:
    for one in segments:
        yield DataFile(file=one.file, bytes=one.bytes, sha256=one.sha256, runs=one.runs)
    if days is not None:
        yield DataFile(file=days.file, bytes=days.bytes, sha256=days.sha256)
