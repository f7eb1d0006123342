"""The list of the artifacts of a run: those of all its attempts come in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from trackside.github import shapes
from trackside.github.json_items import DecodeProblem, ItemReader, split_page
from trackside.github.times import TimeReader
from trackside.records.artifacts import Artifact, ArtifactState

if TYPE_CHECKING:
    from trackside.github.client import GitHub

PER_PAGE: Final = 100
_ARTIFACT: Final = ItemReader(shapes.Artifact)


class ListedArtifacts(msgspec.Struct, frozen=True, kw_only=True):
    """The artifacts of a run by id, and sentences on what of the list could not be understood."""

    artifacts: tuple[Artifact, ...]
    problems: tuple[str, ...]


def list_artifacts(github: GitHub, repo: str, run_id: int) -> ListedArtifacts:
    """What ``GET /repos/{repo}/actions/runs/{id}/artifacts`` tells, a call for every hundred.

    Raises GitHubError where it is refused, CallsStoppedError where no more calls may be made, DecodeProblem where a
    page is none.
    """
    found: dict[int, Artifact] = {}
    problems: list[str] = []
    path = f"/repos/{repo}/actions/runs/{run_id}/artifacts"
    for answer in github.pages(path, {"per_page": PER_PAGE}, endpoint="artifacts"):
        _, items = split_page(answer.body, "artifacts")
        if not items:
            break
        for index, item in enumerate(items):
            where = f"artifacts[{index}]"
            try:
                raw, bad = _ARTIFACT.read(item, where)
            except DecodeProblem as problem:
                problems.append(str(problem))
                continue
            times = TimeReader(where)
            found[raw.id] = _artifact(raw, repo, run_id, times)
            problems += (*bad, *times.problems)
    return ListedArtifacts(artifacts=tuple(found[key] for key in sorted(found)), problems=tuple(problems))


def _artifact(raw: shapes.Artifact, repo: str, run_id: int, times: TimeReader) -> Artifact:
    return Artifact(
        repo=repo,
        artifact_id=raw.id,
        run_id=run_id,
        name=raw.name,
        state=ArtifactState.EXPIRED if raw.expired else ArtifactState.LISTED,
        created_at=times.read(raw.created_at, "created_at"),
        size_bytes=raw.size_in_bytes,
        note="GitHub has deleted it" if raw.expired else None,
    )
