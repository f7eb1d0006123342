"""Every error that a user can meet: its message is the sentence to read, ``exit_code`` how the command ends.

TracksideError              1  something failed: what, on which thing, what to do
├── UsageError              2  wrong options, wrong values, a wrong trackside.toml
├── PathNotFoundError       1  a path that was named does not exist
├── NoDataError             1  the path is there, but nothing in it can be reported on
├── UnreadableInputError    1  a file is there, but cannot be read as what it should be
├── OutputError             1  a result could not be written
├── MissingExtraError       1  an optional part of the product is not installed
├── GitHubError             1  GitHub refused a call, or did not answer it in a usable way
└── PartialError            4  done, but part of the data is missing and that matters (``--strict``)
    └── CallsStoppedError   4  no more calls are made to GitHub: a limit, a budget, or it does not answer
"""

from __future__ import annotations

from typing import ClassVar, Final

GO_ON: Final = "run the same again later and it goes on from there"
"""What to do where something is missing; the message of a CallsStoppedError ends so."""


class TracksideError(Exception):
    """The root: something failed, and the message says what, on which thing and what to do."""

    exit_code: ClassVar[int] = 1


class UsageError(TracksideError):
    """Wrong options, wrong values or a wrong ``trackside.toml``."""

    exit_code = 2


class PathNotFoundError(TracksideError):
    """A path that was named does not exist."""


class NoDataError(TracksideError):
    """The path is there, but nothing in it can be reported on."""


class UnreadableInputError(TracksideError):
    """A file is there, but cannot be read as what it should be."""


class OutputError(TracksideError):
    """A result could not be written: no permission, no space, no such directory."""


class MissingExtraError(TracksideError):
    """An optional part of the product is not installed; the message names the extra."""


class GitHubError(TracksideError):
    """GitHub refused a call, or did not answer it in a usable way.

    ``status`` is the last HTTP status, None where no answer came. ``unsure`` says that something was to be made, and
    may be there all the same. ``said`` are GitHub's own words, "" where there are none.
    """

    def __init__(self, message: str, *, status: int | None = None, unsure: bool = False, said: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.unsure = unsure
        self.said = said


class PartialError(TracksideError):
    """Done, but part of the data is missing and the caller asked to be told."""

    exit_code = 4


class CallsStoppedError(PartialError):
    """No more calls are made to GitHub in this process; the message says why, and when to go on."""
