"""Files out of the artifacts of a run: what became of each artifact, and those of its files that are asked for.

``GET /repos/{repo}/actions/artifacts/{id}/zip`` answers with a link to another host that is good for a minute, or with
410 for what was deleted; there is a ZIP.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec

from trackside.errors import GitHubError, UnreadableInputError
from trackside.github.log_text import pack_log
from trackside.github.whole_downloads import FOR_ALL, TOO_LARGE, read_whole, save_archive
from trackside.github.zip_guard import GuardedZip, MemberError, name_of
from trackside.records.artifacts import Artifact, ArtifactFile, ArtifactState

if TYPE_CHECKING:
    from trackside.github.client import GitHub

MOST_ARCHIVE: Final = 256 * 1024 * 1024
"""Bytes of an artifact's ZIP that are downloaded; a larger one is left alone."""
MOST_FILES: Final = 500
"""Files of one artifact that are kept."""
MOST_FILE: Final = 32 * 1024 * 1024
"""Bytes of one file; a larger one is no result of a benchmark but its log, and is left out."""
MOST_KEPT: Final = 64 * 1024 * 1024
"""Bytes of all files of one artifact that are kept."""
_TOLD: Final = 3
_LONGEST_NAME: Final = 200


class ArtifactContent(msgspec.Struct, frozen=True):
    """What became of an artifact, with the files of it that were kept."""

    artifact: Artifact
    files: tuple[ArtifactFile, ...] = ()


def read_artifact(
    github: GitHub, artifact: Artifact, globs: Sequence[str], takes: Callable[[str], bool]
) -> ArtifactContent:
    """The files of ``artifact`` whose path ``takes`` says yes to, with one call; with none where it is known why not.

    ``globs`` are what ``takes`` goes by. Raises CallsStoppedError where no more calls may be made, GitHubError where
    the token may not read artifacts.
    """
    if artifact.state is ArtifactState.EXPIRED:
        return ArtifactContent(artifact)
    if (artifact.size_bytes or 0) > MOST_ARCHIVE:
        return _without(artifact, ArtifactState.NEVER, f"its ZIP is larger than {MOST_ARCHIVE:,} bytes")
    path = f"/repos/{artifact.repo}/actions/artifacts/{artifact.artifact_id}/zip"
    with tempfile.TemporaryFile() as file:
        try:
            status = read_whole(github, path, "artifact", lambda answer: save_archive(answer, file, MOST_ARCHIVE))
        except GitHubError as error:
            if error.status in FOR_ALL:
                raise
            return _without(artifact, ArtifactState.UNREADABLE, str(error))
        if status != 200:
            return _without(artifact, *_absent(status))
        try:
            return unpack_artifact(file, artifact, globs, takes)
        except UnreadableInputError as error:
            return _without(artifact, ArtifactState.NEVER, str(error))


def unpack_artifact(
    file: BinaryIO, artifact: Artifact, globs: Sequence[str], takes: Callable[[str], bool]
) -> ArtifactContent:
    """The files in the open ZIP ``file`` whose path ``takes`` says yes to; why others are left out is in the note.

    Left out is what cannot be read or is too large, and a path that climbs or is there twice. Raises
    UnreadableInputError where ``file`` is no readable ZIP.
    """
    archive = GuardedZip(file, f"Artifact {artifact.artifact_id}", "ZIP of an artifact")
    chosen: dict[str, list[zipfile.ZipInfo]] = {}
    for member in archive.members:
        if takes(path := name_of(member)):
            chosen.setdefault(path, []).append(member)
    kept: list[ArtifactFile] = []
    left_out: list[str] = []
    room = MOST_KEPT
    for path, members in sorted(chosen.items()):
        try:
            _check_place(path, members, len(kept))
            found = _packed(archive, members[0], artifact, path, min(room, MOST_FILE))
        except MemberError as error:
            left_out.append(f"{path[:_LONGEST_NAME]!r}: {error}")
            continue
        room -= found.size_bytes
        kept.append(found)
    done = msgspec.structs.replace(
        artifact,
        state=ArtifactState.READY,
        globs=tuple(sorted({*artifact.globs, *globs})),
        files=len(kept),
        note=_note(left_out),
    )
    return ArtifactContent(done, tuple(kept))


def _check_place(path: str, members: Sequence[zipfile.ZipInfo], kept: int) -> None:
    if kept >= MOST_FILES:
        msg = f"more than {MOST_FILES:,} files"
        raise MemberError(msg)
    if len(members) > 1:
        msg = "the path is there twice"
        raise MemberError(msg)
    if not path.strip("/. "):
        msg = "it has no name"
        raise MemberError(msg)
    if path.startswith("/") or ".." in path.split("/") or path[1:2] == ":":
        msg = "the path leads out of the artifact"
        raise MemberError(msg)


def _packed(archive: GuardedZip, member: zipfile.ZipInfo, artifact: Artifact, path: str, most: int) -> ArtifactFile:
    text = pack_log(_up_to(archive.read(member), most))
    return ArtifactFile(
        repo=artifact.repo,
        artifact_id=artifact.artifact_id,
        run_id=artifact.run_id,
        path=path,
        size_bytes=text.size_bytes,
        content=text.content,
    )


def _up_to(chunks: Iterator[bytes], most: int) -> Iterator[bytes]:
    """``chunks``. Raises MemberError once they are more than ``most`` bytes: half a document is none."""
    for chunk in chunks:
        most -= len(chunk)
        if most < 0:
            msg = f"larger than the {MOST_FILE:,} bytes of a file, or the {MOST_KEPT:,} of all, that are kept"
            raise MemberError(msg)
        yield chunk


def _note(left_out: Sequence[str]) -> str | None:
    if not left_out:
        return None
    more = f"; and {len(left_out) - _TOLD:,} more" if len(left_out) > _TOLD else ""
    return f"left out: {'; '.join(left_out[:_TOLD])}{more}"


def _absent(status: int) -> tuple[ArtifactState, str]:
    if status == 410:
        return ArtifactState.EXPIRED, "GitHub has deleted it"
    if status == TOO_LARGE:
        return ArtifactState.NEVER, f"its ZIP is larger than {MOST_ARCHIVE:,} bytes"
    return ArtifactState.NEVER, "GitHub has none"


def _without(artifact: Artifact, state: ArtifactState, note: str) -> ArtifactContent:
    return ArtifactContent(msgspec.structs.replace(artifact, state=state, note=note))
