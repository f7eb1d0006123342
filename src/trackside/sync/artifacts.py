"""The part of a sync that downloads what rules name of the artifacts of runs, each artifact once in its lifetime."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from trackside.errors import GitHubError
from trackside.github.artifact_lists import ListedArtifacts, list_artifacts
from trackside.github.artifacts import ArtifactContent, read_artifact
from trackside.github.client import GitHub
from trackside.github.clock import Clock
from trackside.records.artifacts import Artifact, ArtifactFile, ArtifactList, ArtifactState
from trackside.records.runs import RunAttempt
from trackside.records.syncs import Missing
from trackside.sync.destination import Destination
from trackside.sync.ledger import SyncLedger
from trackside.sync.progress import OnPhase
from trackside.sync.request import SyncRequest

FLUSH_LISTS: Final = 100
FLUSH_ARTIFACTS: Final = 50
FLUSH_BYTES: Final = 32 * 1024 * 1024
_GONE: Final = (ArtifactState.NEVER, ArtifactState.EXPIRED)
_WORDS: Final[Mapping[ArtifactState, str]] = {
    ArtifactState.EXPIRED: "expired",
    ArtifactState.NEVER: "not readable",
    ArtifactState.READY: "with files that were left out",
}

_Read = tuple[RunAttempt, ListedArtifacts]


class ArtifactsPhase:
    """Lists the artifacts of runs that are over, once for each attempt that ended, and reads those that rules name."""

    def __init__(
        self, github: GitHub, store: Destination, ledger: SyncLedger, clock: Clock, request: SyncRequest
    ) -> None:
        self._github = github
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._request = request
        self._known: dict[int, Artifact] = {}
        self._without: Counter[str] = Counter()
        self._first: str | None = None
        self._refused: GitHubError | None = None

    def read(self, selected: Sequence[RunAttempt], on_phase: OnPhase) -> None:
        """Reads the wanted artifacts of the ``selected`` runs, newest first."""
        runs = {run.run_id: run for run in selected if self._request.may_have_artifacts(run)}
        known = self._store.known_artifacts(self._request.repo, runs, self._request.wants_artifact)
        self._known = {artifact.artifact_id: artifact for artifact in known.artifacts}
        unlisted = [run for run in runs.values() if known.listed.get(run.run_id, 0) < run.run_attempt]
        self._list(sorted(unlisted, key=lambda run: run.run_id, reverse=True), on_phase)
        mine = [artifact for artifact in self._known.values() if self._is_open(artifact)]
        self._download(sorted(mine, key=lambda one: (one.run_id, one.artifact_id), reverse=True), on_phase)
        if self._without:
            told = ", ".join(f"{count:,} {what}" for what, count in sorted(self._without.items()))
            first = f"; the first: {self._first}" if self._first else ""
            self._ledger.notes.append(f"Not all that rules name could be read of artifacts: {told}{first}.")

    def _list(self, runs: Sequence[RunAttempt], on_phase: OnPhase) -> None:
        progress = on_phase("lists of artifacts")
        waiting: list[_Read] = []
        try:
            for done, outcome in enumerate(self._github.each(self._list_of, runs), 1):
                if outcome.result is not None:
                    waiting.append((outcome.item, outcome.result))
                    self._ledger.problem(outcome.result.problems)
                else:
                    run = outcome.item
                    self._miss("lists of artifacts", str(outcome.error), run.html_url or str(run.run_id))
                if len(waiting) >= FLUSH_LISTS:
                    waiting = self._keep_lists(waiting)
                progress(done, len(runs))
        finally:
            self._keep_lists(waiting)

    def _list_of(self, run: RunAttempt) -> ListedArtifacts:
        return list_artifacts(self._github, self._request.repo, run.run_id)

    def _keep_lists(self, read: Iterable[_Read]) -> list[_Read]:
        new: list[Artifact] = []
        markers: list[ArtifactList] = []
        for run, listed in read:
            new += [artifact for artifact in listed.artifacts if artifact.artifact_id not in self._known]
            markers.append(
                ArtifactList(
                    repo=self._request.repo,
                    run_id=run.run_id,
                    run_attempt=run.run_attempt,
                    artifacts=len(listed.artifacts),
                )
            )
        self._note_gone(new)
        self._known |= {artifact.artifact_id: artifact for artifact in new}
        self._store.add_artifacts(new, (), markers, self._clock.now())
        return []

    def _is_open(self, artifact: Artifact) -> bool:
        """Whether a rule names ``artifact`` and it is not settled with the files that the rule asks for."""
        globs = {rule.file for rule in self._request.rules_of(artifact.name)}
        if not globs or artifact.state in _GONE:
            return False
        return artifact.state is not ArtifactState.READY or not globs <= set(artifact.globs)

    def _download(self, artifacts: Sequence[Artifact], on_phase: OnPhase) -> None:
        progress = on_phase("artifacts")
        waiting: list[ArtifactContent] = []
        try:
            for done, outcome in enumerate(self._github.each(self._content_of, artifacts), 1):
                if outcome.result is not None:
                    waiting.append(outcome.result)
                    self._count(outcome.result.artifact)
                else:
                    self._miss("artifacts", str(outcome.error), str(outcome.item.artifact_id))
                size = sum(len(file.content) for content in waiting for file in content.files)
                if len(waiting) >= FLUSH_ARTIFACTS or size >= FLUSH_BYTES:
                    waiting = self._keep(waiting)
                progress(done, len(artifacts))
        finally:
            self._keep(waiting)

    def _content_of(self, artifact: Artifact) -> ArtifactContent:
        if self._refused is not None:
            raise GitHubError(str(self._refused), status=self._refused.status)
        rules = self._request.rules_of(artifact.name)
        globs = [rule.file for rule in rules]
        try:
            return read_artifact(self._github, artifact, globs, lambda path: any(rule.takes(path) for rule in rules))
        except GitHubError as error:
            # A token that may not read one artifact may read none: the others would each cost a call to say so.
            self._refused = error
            raise

    def _keep(self, contents: Sequence[ArtifactContent]) -> list[ArtifactContent]:
        files: list[ArtifactFile] = [file for content in contents for file in content.files]
        self._store.add_artifacts([content.artifact for content in contents], files, (), self._clock.now())
        return []

    def _count(self, artifact: Artifact) -> None:
        self._ledger.counts["artifacts_new"] += artifact.state is ArtifactState.READY
        if artifact.state is ArtifactState.UNREADABLE:
            self._miss("artifacts", artifact.note or "unknown", str(artifact.artifact_id))
        self._note_gone([artifact])

    def _note_gone(self, artifacts: Iterable[Artifact]) -> None:
        """Counts those that are settled and of which something is not in the store."""
        for artifact in artifacts:
            what = _WORDS.get(artifact.state)
            if what is None or artifact.note is None or not self._request.rules_of(artifact.name):
                continue
            self._without[what] += 1
            if artifact.state is not ArtifactState.EXPIRED and self._first is None:
                self._first = f"{artifact.name} ({artifact.artifact_id}): {artifact.note}".removesuffix(".")

    def _miss(self, what: str, reason: str, sample: str) -> None:
        self._ledger.miss([Missing(what=what, reason=reason, count=1, samples=(sample,))])
