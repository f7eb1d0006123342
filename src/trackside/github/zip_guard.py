"""ZIPs from outside, looked at before and while they are read: how much they claim, how much really comes out."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from trackside.errors import UnreadableInputError

MOST_DIRECTORY: Final = 16 * 1024 * 1024
"""Bytes of the table of contents: some 150,000 members."""
MOST_MEMBERS: Final = 100_000
MOST_UNPACKED: Final = 2 * 1024 * 1024 * 1024
"""Bytes that come out of one archive, all members together."""
MOST_RATIO: Final = 400
"""Bytes out for each byte in, where more than FREE_RATIO come out. Logs of one repeated line reach 300."""
FREE_RATIO: Final = 1024 * 1024
_CHUNK: Final = 128 * 1024
_END: Final = b"PK\x05\x06"
_END_64: Final = b"PK\x06\x07"
_END_SIZE: Final = 22
_LONGEST_COMMENT: Final = 65_535
_ENCRYPTED: Final = 0x1
_UTF_8: Final = 0x800


class MemberError(Exception):
    """One member cannot be read; the others may be."""


def name_of(member: zipfile.ZipInfo) -> str:
    """The path of ``member``, its parts parted by ``/``; one that is not marked as UTF-8 mostly is it nevertheless."""
    name = member.filename
    if not member.flag_bits & _UTF_8:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = member.filename
    return name.replace("\\", "/")


class GuardedZip:
    """An open ZIP whose members are only ever read as streams of bytes: nothing is written by their names."""

    def __init__(self, file: BinaryIO, name: str, kind: str = "run-log ZIP") -> None:
        """Raises UnreadableInputError where ``file`` is no ZIP, is cut off, or claims too much.

        Its message calls the file ``name``, and says that it should be a ``kind``.
        """
        self._name, self._kind = name, kind
        self._left = MOST_UNPACKED
        self._size = file.seek(0, os.SEEK_END)
        self._check_directory(file)
        try:
            self._zip = zipfile.ZipFile(file)
        except UnicodeDecodeError as error:
            raise self._unreadable("the name of a member is no UTF-8") from error
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError, struct.error) as error:
            raise self._unreadable(f"it is no whole ZIP ({error})") from error
        self.members = tuple(member for member in self._zip.infolist() if member.filename and not member.is_dir())
        if len(self.members) > MOST_MEMBERS:
            raise self._unreadable(f"it has {len(self.members):,} members, more than {MOST_MEMBERS:,}")

    def read(self, member: zipfile.ZipInfo) -> Iterator[bytes]:
        """The bytes of ``member``. Raises MemberError where they are damaged, locked, or far too many."""
        if member.flag_bits & _ENCRYPTED:
            msg = "it is encrypted"
            raise MemberError(msg)
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            msg = f"it is packed by method {member.compress_type}"
            raise MemberError(msg)
        allowed = max(FREE_RATIO, min(member.compress_size, self._size) * MOST_RATIO)
        try:
            with self._zip.open(member) as stream:
                while chunk := stream.read(_CHUNK):
                    allowed -= len(chunk)
                    self._left -= len(chunk)
                    self._check_amounts(allowed)
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
            msg = f"it is damaged ({error or type(error).__name__})"
            raise MemberError(msg) from error

    def _check_amounts(self, allowed: int) -> None:
        if allowed < 0:
            msg = f"it unpacks to more than {MOST_RATIO} times its size"
            raise MemberError(msg)
        if self._left < 0:
            msg = f"the archive unpacks to more than {MOST_UNPACKED:,} bytes"
            raise MemberError(msg)

    def _check_directory(self, file: BinaryIO) -> None:
        """Raises UnreadableInputError for a table of contents that is missing, or too large to be held."""
        file.seek(max(0, self._size - _END_SIZE - _LONGEST_COMMENT))
        tail = file.read()
        start = len(tail) - _END_SIZE
        if start < 0 or tail[start : start + 4] != _END or tail[-2:] != b"\0\0":
            start = tail.rfind(_END)
        if start < 0 or len(tail) - start < _END_SIZE:
            raise self._unreadable("it is no whole ZIP (the table of contents at its end is missing)")
        (directory,) = struct.unpack_from("<L", tail, start + 12)
        if directory > MOST_DIRECTORY or tail[max(0, start - 20) :].startswith(_END_64):
            raise self._unreadable(f"its table of contents is larger than {MOST_DIRECTORY:,} bytes")
        file.seek(0)

    def _unreadable(self, why: str) -> UnreadableInputError:
        return UnreadableInputError(f"{self._name} cannot be read as a {self._kind}: {why}.")
