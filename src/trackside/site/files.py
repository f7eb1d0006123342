"""The site as files in a folder: all of them are made aside first, then only those that changed take their places.

The list of the files, ``data/site.json``, says which are ours: others are never touched.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, Literal

import msgspec

from trackside.engine.whole_files import alone_in
from trackside.errors import OutputError
from trackside.site.build import SiteFile
from trackside.site.facts import SiteFacts

LIST: Final = "data/site.json"
FIRST_PAGE: Final = "index.html"
TOLERATED: Final = frozenset({".nojekyll", "CNAME", ".git"})
"""What a host of pages wants in a folder that holds no site yet."""
_ASIDE: Final = ".trackside-build"
_OURS: Final = re.compile(r"(?:[a-z0-9][a-z0-9._-]*/){0,3}[a-z0-9][a-z0-9._-]*")
"""What a file of ours may be called: nothing else is written or removed, whatever a list says."""
_BOTH: Final = ".both"
_PAGE: Final = ".html"
_DIGITS: Final = 8
_MOST_NAMED: Final = 3
_UNHARMED: Final = "What was there stays as it was."
_ANOTHER: Final = "Name an empty or a new folder with --output."


class FileState(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it was written: its size, and the first 8 digits of the SHA-256 of its content."""

    bytes: int
    sha8: str


class SiteList(msgspec.Struct, frozen=True, kw_only=True):
    """``data/site.json``: what the site was made of and when, and every other file of it by its path.

    ``generated_at`` is when a file changed last, None while the first site is being written. ``live`` says that a
    server answers; in a file it is false.
    """

    schema_version: Literal[1] = 1
    generated_at: dt.datetime | None
    live: bool = False
    repository: str
    version: str
    since: dt.datetime
    until: dt.datetime
    synced_at: dt.datetime | None
    pages: dict[str, FileState]
    files: dict[str, FileState]

    @property
    def paths(self) -> frozenset[str]:
        """Every file of the site but this one."""
        return frozenset(self.pages) | frozenset(self.files)


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What writing a site came to. ``changed`` and ``removed`` are paths below the folder, the list not among them."""

    files: int
    bytes: int
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def write_site(folder: Path, files: Iterable[SiteFile], facts: SiteFacts, now: dt.datetime) -> Written:
    """Brings ``folder`` to ``files``, and its list, which is written where anything else than the time differs.

    Until all files are made, what is there stays as it is; then those that differ take their places one by one, whole
    each, the first page and the list last. Raises OutputError where that cannot be, and where the folder holds files
    that no site of ours made.
    """
    require_site(folder, facts.repo)
    is_new = not folder.exists()
    with ExitStack() as alone:
        try:
            alone.enter_context(alone_in(folder))
        except OSError as error:
            raise _not_written(folder, error, _UNHARMED) from error
        if is_new:
            alone.callback(_remove_empty, folder)
        require_site(folder, facts.repo)
        return _Writing(folder, facts, now).write(files)


def require_site(folder: Path, repository: str) -> None:
    """Raises OutputError where ``folder`` is none that a site of ``repository`` may be written to: it holds others."""
    try:
        names = sorted(one.name for one in folder.iterdir() if one.name not in TOLERATED and not _is_nothing(one))
    except FileNotFoundError:
        return
    except OSError as error:
        raise _not_written(folder, error, _ANOTHER) from error
    listed = _listed(folder)
    if listed is not None and listed.repository.casefold() != repository.casefold():
        msg = f"{folder} stays as it is: it holds the site of {listed.repository}, not of {repository}. {_ANOTHER}"
        raise OutputError(msg)
    if names and listed is None:
        some = ", ".join(names[:_MOST_NAMED]) + (", …" if len(names) > _MOST_NAMED else "")
        msg = f"{folder} stays as it is: no trackside site build made what is in it ({some}). {_ANOTHER}"
        raise OutputError(msg)


class _Writing:
    """One site on its way into its folder, by the only one who writes there now."""

    def __init__(self, folder: Path, facts: SiteFacts, now: dt.datetime) -> None:
        self._folder, self._aside = folder, folder / _ASIDE
        self._before = _listed(folder)
        self._about = SiteList(
            generated_at=now.replace(microsecond=0),
            repository=facts.repo,
            version=facts.version,
            since=facts.since,
            until=facts.until,
            synced_at=facts.synced_at,
            pages={},
            files={},
        )
        self._states: dict[str, FileState] = {}
        self._changed: list[str] = []

    def write(self, files: Iterable[SiteFile]) -> Written:
        """Makes every file aside, then moves what changed."""
        # Whoever left this was killed: nobody else is writing here now.
        shutil.rmtree(self._aside, ignore_errors=True)
        try:
            for file in files:
                self._make(file)
            after = _with_files(self._about, self._states)
            gone = sorted(() if self._before is None else self._before.paths - after.paths)
            if self._before is None or self._changed or gone or _undated(self._before) != _undated(after):
                self._make_lists(after)
                self._move(gone)
        finally:
            shutil.rmtree(self._aside, ignore_errors=True)
        return Written(
            files=len(self._states),
            bytes=sum(one.bytes for one in self._states.values()),
            changed=tuple(self._changed),
            removed=tuple(gone),
        )

    def _make(self, file: SiteFile) -> None:
        if not _OURS.fullmatch(file.path) or file.path == LIST or file.path in self._states:
            msg = f"No file of the site is called {file.path}, or another is."
            raise ValueError(msg)
        digest = hashlib.sha256(file.content).hexdigest()[:_DIGITS]
        self._states[file.path] = FileState(bytes=len(file.content), sha8=digest)
        if not _holds(self._folder / file.path, file.content):
            self._changed.append(file.path)
            self._put(file.path, file.content)

    def _make_lists(self, after: SiteList) -> None:
        """The list as it will be, and one of the files of both sites for whoever finds us killed between them."""
        before = self._before or msgspec.structs.replace(after, generated_at=None)
        self._put(LIST, _encoded(after))
        self._put(_BOTH, _encoded(_with_files(before, {**self._states, **before.pages, **before.files})))

    def _put(self, path: str, content: bytes) -> None:
        target = self._aside / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        except OSError as error:
            raise _not_written(self._folder, error, _UNHARMED) from error

    def _move(self, gone: list[str]) -> None:
        """Every file to its place; from here on both sites are mixed until the end."""
        try:
            self._place(_BOTH, LIST)
            for path in sorted(self._changed, key=lambda path: (path.endswith(_PAGE), path == FIRST_PAGE)):
                self._place(path, path)
            for path in gone:
                self._remove(path)
            self._place(LIST, LIST)
        except OSError as error:
            raise _not_written(self._folder, error, "Some of its pages are new already: build it again.") from error

    def _place(self, made: str, path: str) -> None:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        (self._aside / made).replace(target)

    def _remove(self, path: str) -> None:
        """Removes a file of an earlier site, and folders that are empty then."""
        if not _OURS.fullmatch(path):
            return
        (self._folder / path).unlink(missing_ok=True)
        for folder in Path(path).parents[:-1]:
            _remove_empty(self._folder / folder)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _with_files(about: SiteList, states: Mapping[str, FileState]) -> SiteList:
    return msgspec.structs.replace(
        about,
        pages={path: state for path, state in sorted(states.items()) if path.endswith(_PAGE)},
        files={path: state for path, state in sorted(states.items()) if not path.endswith(_PAGE)},
    )


def _undated(files: SiteList) -> SiteList:
    return msgspec.structs.replace(files, generated_at=None)


def _is_nothing(path: Path) -> bool:
    """Whether this is what somebody who was killed left, or a folder without anything in it."""
    return path.name == _ASIDE or (path.is_dir() and not path.is_symlink() and not any(path.iterdir()))


def _listed(folder: Path) -> SiteList | None:
    """The list of a site of ours in ``folder``, None where there is none."""
    try:
        return msgspec.json.decode((folder / LIST).read_bytes(), type=SiteList)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _encoded(files: SiteList) -> bytes:
    return msgspec.json.format(msgspec.json.encode(files), indent=1) + b"\n"


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def _not_written(folder: Path, error: OSError, then: str) -> OutputError:
    is_blocked = isinstance(error, (FileExistsError, NotADirectoryError, IsADirectoryError))
    where = f" ({error.filename})" if is_blocked and error.filename else ""
    reason = f"a file stands where a folder is needed, or the other way round{where}" if is_blocked else error.strerror
    return OutputError(f"The site could not be written to {folder}: {reason or error}. {then}")
