"""The ZIP with the logs of a run, as GitHub packs it.

At the top lies ``<n>_<job>.txt`` for each job, beside it ``<job>/<step number>_<step>.txt``; either may be missing, and
so may a job. ``<job>`` is the name of the job without ``/`` and ``:``, cut at 90 UTF-16 code units, so that two
jobs may share one. ``<job>/system.txt`` tells how the runner was got; it is no part of the log of the job.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from trackside.errors import UnreadableInputError
from trackside.github.log_text import MOST_TEXT, LogText, pack_log
from trackside.github.zip_guard import GuardedZip, MemberError, name_of
from trackside.records.jobs import Job

_WHOLE_LOG: Final = re.compile(r"-?\d+_(.+)\.txt", re.DOTALL)
_STEP_LOG: Final = re.compile(r"(\d{1,9})_.*\.txt", re.DOTALL)
_DIRECTORY: Final = re.compile(r"(?!\.\.?$)[^:]+", re.DOTALL)
_LONGEST_NAME: Final = 90
_DROPPED: Final = str.maketrans("", "", "/:")
_NEVER_IN_FILE_NAMES: Final = str.maketrans("", "", '<>"\\|?*' + "".join(map(chr, range(32))))


@dataclass
class _Files:
    """What the archive has for one directory name."""

    whole: list[zipfile.ZipInfo] = field(default_factory=list)
    steps: dict[int, list[zipfile.ZipInfo]] = field(default_factory=dict)


@dataclass(frozen=True)
class ArchivedLog:
    """One log in the archive, and what its job may be called: ``job``, and ``name`` where jobs share that."""

    name: str
    job: str
    members: tuple[zipfile.ZipInfo, ...]

    @property
    def is_shared(self) -> bool:
        """Whether it has the steps of several jobs, and which are whose is not known."""
        return not self.members


class RunArchive:
    """The logs in an open run-log ZIP, by the directory name of their job."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        """Raises UnreadableInputError where ``file`` is no readable ZIP."""
        self._zip = GuardedZip(file, name)
        self._files: dict[str, _Files] = {}
        for member in self._zip.members:
            self._sort_in(member)

    @property
    def names(self) -> tuple[str, ...]:
        """The directory names that have a log and only one."""
        return tuple(name for name, files in self._files.items() if _chosen(files))

    @property
    def logs(self) -> tuple[ArchivedLog, ...]:
        """Every log, whosever it is: those of jobs that share a name are told apart by the names of their files."""
        seen: Counter[str] = Counter()
        found = []
        for job, files in self._files.items():
            for name, members in _told_apart(job, files):
                seen[name] += 1
                own = name if seen[name] == 1 else f"{name} #{seen[name]}"
                found.append(ArchivedLog(own, job, members))
        return tuple(found)

    def read(self, name: str, most: int = MOST_TEXT) -> LogText:
        """The log of one of ``names``: the file of the whole job, else those of its steps one after the other.

        Raises UnreadableInputError, naming the file, where one is damaged, encrypted or a bomb.
        """
        return pack_log(self._chunks(_chosen(self._files[name])), most)

    def read_log(self, log: ArchivedLog, most: int = MOST_TEXT) -> LogText:
        """One of ``logs``. Raises as ``read`` does, and where the files of several jobs are mixed up in it."""
        if log.is_shared:
            msg = (
                f"two jobs share the folder {log.job!r} of the ZIP, and which step is whose is not known: give the "
                "number of the run in place of the ZIP"
            )
            raise UnreadableInputError(msg)
        return pack_log(self._chunks(log.members), most)

    def match(self, jobs: Iterable[Job]) -> dict[int, str]:
        """The directory name of each of ``jobs``, by job id; a name that may be meant by two of them is nobody's.

        ``jobs`` are all jobs of the attempt. What is not in the answer has to be asked from GitHub job by job.
        """
        meant: dict[str, set[int]] = {}
        for job in jobs:
            if job.conclusion != "skipped":
                for name in directory_names(job.name):
                    meant.setdefault(name, set()).add(job.job_id)
        alone = {name: next(iter(ids)) for name, ids in meant.items() if len(ids) == 1}
        found: dict[int, list[str]] = {}
        for name in self.names:
            if name in alone:
                found.setdefault(alone[name], []).append(name)
        return {job_id: names[0] for job_id, names in found.items() if len(names) == 1}

    def _sort_in(self, member: zipfile.ZipInfo) -> None:
        # Members elsewhere, such as those of __MACOSX, or with names that climb, are no logs of jobs.
        parts = name_of(member).split("/")
        if len(parts) == 1 and (hit := _WHOLE_LOG.fullmatch(parts[0])):
            self._files.setdefault(hit[1], _Files()).whole.append(member)
        elif len(parts) == 2 and _DIRECTORY.fullmatch(parts[0]) and (hit := _STEP_LOG.fullmatch(parts[1])):
            self._files.setdefault(parts[0], _Files()).steps.setdefault(int(hit[1]), []).append(member)

    def _chunks(self, members: Sequence[zipfile.ZipInfo]) -> Iterator[bytes]:
        for member in members:
            try:
                yield from self._zip.read(member)
            except MemberError as error:
                msg = f"{member.filename!r} in the run-log ZIP cannot be read: {error}."
                raise UnreadableInputError(msg) from error


def directory_names(job_name: str) -> frozenset[str]:
    """What the directory of a job may be called: without what file names never have, and cut at 90 code units."""
    plain = job_name.translate(_DROPPED)
    return frozenset(name for text in (plain, plain.translate(_NEVER_IN_FILE_NAMES)) for name in _cut(text))


def _cut(text: str) -> tuple[str, ...]:
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * _LONGEST_NAME:
        return (text,)
    kept = units[: 2 * _LONGEST_NAME]
    whole = kept.decode("utf-16-le", "ignore")
    # Half of a surrogate pair at the cut becomes whatever the writer of the archive makes of it.
    return (whole,) if whole.encode("utf-16-le") == kept else (whole, f"{whole}\ufffd", f"{whole}?")


def _told_apart(job: str, files: _Files) -> list[tuple[str, tuple[zipfile.ZipInfo, ...]]]:
    if len(files.whole) > 1:
        return [(name_of(member).removesuffix(".txt"), (member,)) for member in files.whole]
    return [(job, tuple(_chosen(files)))]


def _chosen(files: _Files) -> list[zipfile.ZipInfo]:
    """The files that make up the log, in order; none where there are two for one place."""
    if files.whole:
        return files.whole if len(files.whole) == 1 else []
    if any(len(members) > 1 for members in files.steps.values()):
        return []
    return [files.steps[number][0] for number in sorted(files.steps)]
