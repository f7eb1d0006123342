"""Logs out of a file that somebody has, or out of standard input: a ZIP as GitHub packs it, or the log of one job."""

from __future__ import annotations

import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from trackside.errors import NoDataError, PathNotFoundError, UnreadableInputError, UsageError
from trackside.evidence.run_logs import MOST_TOGETHER, KnownRun, RunLogs, Wants, log_without_text, ready_log
from trackside.github.log_text import LogText, pack_log
from trackside.github.logs import MOST_ARCHIVE, logs_in
from trackside.github.run_archive import ArchivedLog, RunArchive
from trackside.records.job_logs import JobLog

STDIN: Final = "-"
MOST_LOGS: Final = 5_000
"""Logs of a ZIP that are looked into where the run is not known; GitHub makes 256 jobs of a matrix at most."""
_NAME_OF_STDIN: Final = "Standard input"
_MOST_TEXT: Final = MOST_TOGETHER
_CHUNK: Final = 1024 * 1024
_ZIPS: Final = (b"PK\x03\x04", b"PK\x05\x06")
"""How a ZIP begins, and one without members."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of a file: the run that it is of where that is known, the jobs of it, and the bytes of a log.

    ``of_run`` chooses among the jobs of the run, ``named`` among names where no run is known.
    """

    facts: KnownRun | None
    of_run: Wants
    named: Callable[[str], bool]
    most: int


def logs_from_file(path: str, stdin: BinaryIO, wanted: Wanted) -> RunLogs:
    """The logs in a ZIP as GitHub packs the logs of a run, or the one log in a text file (``-``: standard input).

    Raises PathNotFoundError, UnreadableInputError, NoDataError where the file holds no log, and UsageError where a
    text may be of any of several jobs, or where there are too many logs.
    """
    if path == STDIN:
        return _from_stdin(stdin, wanted)
    with _opened(Path(path)) as file:
        begins = file.read(len(_ZIPS[0]))
        file.seek(0)
        if begins in _ZIPS or Path(path).suffix.lower() == ".zip":
            return _of_archive(RunArchive(file, path), path, wanted)
        return _of_text(pack_log(_chunks(file), wanted.most), path, Path(path).stem, wanted)


def _from_stdin(stdin: BinaryIO, wanted: Wanted) -> RunLogs:
    begins = stdin.read(len(_ZIPS[0]))
    if begins not in _ZIPS:
        text = pack_log(_capped(begins, stdin, _MOST_TEXT), wanted.most)
        return _of_text(text, _NAME_OF_STDIN, "log", wanted)
    with tempfile.TemporaryFile() as file:
        for chunk in _capped(begins, stdin, MOST_ARCHIVE):
            file.write(chunk)
        return _of_archive(RunArchive(file, _NAME_OF_STDIN), _NAME_OF_STDIN, wanted)


def _of_text(text: LogText, path: str, name: str, wanted: Wanted) -> RunLogs:
    if not text.size_bytes:
        msg = f"{path} is empty: there is no log in it."
        raise NoDataError(msg)
    facts = wanted.facts
    if facts is None:
        return RunLogs(named=((name, ready_log(None, text)),))
    chosen = [job for job in facts.jobs if wanted.of_run(job)]
    if len(chosen) != 1:
        names = ", ".join(job.name for job in chosen[:8]) or "none"
        msg = f"Which job is the log of? --job must choose one of run {facts.run.run_id}, and chooses {names}."
        raise UsageError(msg)
    return RunLogs(run=facts.run, every_job=facts.jobs, jobs=(chosen[0],), logs=(ready_log(chosen[0], text),))


def _of_archive(archive: RunArchive, path: str, wanted: Wanted) -> RunLogs:
    if not archive.logs:
        msg = f"{path} holds no log of a job: the ZIP that GitHub packs of a run has one file for each job, or folders."
        raise NoDataError(msg)
    if (facts := wanted.facts) is not None:
        chosen = tuple(job for job in facts.jobs if wanted.of_run(job))
        logs = logs_in(archive, facts.jobs, frozenset(job.job_id for job in chosen), wanted.most)
        return RunLogs(run=facts.run, every_job=facts.jobs, jobs=chosen, logs=logs)
    named = sorted((log for log in archive.logs if wanted.named(log.job)), key=lambda log: log.name)
    if len(named) > MOST_LOGS:
        msg = f"{path} holds the logs of {len(named):,} jobs, more than {MOST_LOGS:,}: choose some of them with --job."
        raise UsageError(msg)
    return RunLogs(named=tuple((log.name, _named_log(archive, log, wanted.most)) for log in named))


def _named_log(archive: RunArchive, log: ArchivedLog, most: int) -> JobLog:
    try:
        return ready_log(None, archive.read_log(log, most))
    except UnreadableInputError as error:
        return log_without_text(None, str(error))


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    yield from iter(lambda: file.read(_CHUNK), b"")


def _capped(begins: bytes, stdin: BinaryIO, most: int) -> Iterable[bytes]:
    """All of standard input. Raises UnreadableInputError after ``most`` bytes: it may have no end."""
    room = most - len(begins)
    yield begins
    for chunk in _chunks(stdin):
        room -= len(chunk)
        if room < 0:
            msg = (
                f"{_NAME_OF_STDIN} goes on after {most / 1024**2:,.0f} MiB, and may have no end: write it to a file, "
                "and give the name of that."
            )
            raise UnreadableInputError(msg)
        yield chunk


def _opened(path: Path) -> BinaryIO:
    """The file, which has an end: a pipe or a device may have none, and nobody may ever write to it."""
    try:
        kind = path.stat().st_mode
        if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
            msg = f"{path} is no file, but a pipe or a device: give what comes out of it to standard input, named -."
            raise UnreadableInputError(msg)
        return path.open("rb")
    except FileNotFoundError as error:
        msg = f"{path} is no run, no page of a run and no file: give the number of a run, its address, a ZIP or a log."
        raise PathNotFoundError(msg) from error
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}."
        raise UnreadableInputError(msg) from error
