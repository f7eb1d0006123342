"""The artifacts of runs, and the files of measurements in them.

Source: REST API, version 2022-11-28, ``GET /repos/{owner}/{repo}/actions/runs/{id}/artifacts`` and
``GET /repos/{owner}/{repo}/actions/artifacts/{id}/zip``.
"""

from __future__ import annotations

import datetime as dt
import enum
import fnmatch

import msgspec


class ArtifactState(enum.StrEnum):
    """What became of an artifact."""

    LISTED = "listed"
    """A list named it; it was not downloaded: no rule asks for it, or its turn has not come."""
    READY = "ready"
    """It was downloaded, and its files that a rule asks for are in the store."""
    NEVER = "never"
    """It cannot be had or cannot be read, and will not be; ``note`` says why."""
    EXPIRED = "expired"
    """GitHub has deleted it: older than its retention."""
    UNREADABLE = "unreadable"
    """It could not be read this time; ``note`` says why. It is asked again."""


class FileRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Files in the artifacts of a run: globs of the name of the artifact and of paths in it."""

    artifact: str
    file: str = "*.json"

    def matches(self, artifact: str) -> bool:
        """Whether the rule is about an artifact of this name; case does not matter."""
        return fnmatch.fnmatchcase(artifact.lower(), self.artifact.lower())

    def takes(self, path: str) -> bool:
        """Whether the rule asks for the file ``path`` of such an artifact, by its path or its own name."""
        glob, lower = self.file.lower(), path.lower()
        return fnmatch.fnmatchcase(lower, glob) or fnmatch.fnmatchcase(lower.rpartition("/")[2], glob)


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """The key is (``repo``, ``artifact_id``).

    ``size_bytes`` is that of its ZIP, as GitHub tells it; ``created_at`` is when a job uploaded it. ``globs`` are those
    that its files in the store were chosen by; ``files`` were kept of the last download, and ``note`` says which were
    not, and why.
    """

    repo: str
    artifact_id: int
    run_id: int
    name: str
    state: ArtifactState
    created_at: dt.datetime | None = None
    size_bytes: int | None = None
    globs: tuple[str, ...] = ()
    files: int = 0
    note: str | None = None


class ArtifactFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an artifact; the key is (``repo``, ``artifact_id``, ``path``).

    ``content`` is the file as it came, compressed with Zstandard; ``size_bytes`` is its size before.
    """

    repo: str
    artifact_id: int
    run_id: int
    path: str
    size_bytes: int
    content: bytes


class ArtifactList(msgspec.Struct, frozen=True, kw_only=True):
    """The marker that the artifacts of a run were listed when an attempt of it was over; the key is the attempt's.

    A later attempt may leave more. ``artifacts`` counts those of all attempts until then.
    """

    repo: str
    run_id: int
    run_attempt: int
    artifacts: int


class KnownArtifacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a store knows of artifacts of runs: ``listed`` gives the last attempt after which they were, by run."""

    listed: dict[int, int] = {}
    artifacts: tuple[Artifact, ...] = ()
