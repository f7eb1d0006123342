"""The part of a sync that learns which pull requests the runs belong to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from trackside.errors import CallsStoppedError, GitHubError
from trackside.github.client import GitHub
from trackside.github.clock import Clock
from trackside.github.decode import DecodeProblem
from trackside.github.pull_requests import ask_commit, list_pulls, match_commits
from trackside.records.pulls import CommitPulls, PullRequest
from trackside.records.runs import RunAttempt
from trackside.records.sync_state import SyncState
from trackside.records.syncs import Missing
from trackside.sync.destination import Destination
from trackside.sync.ledger import SyncLedger
from trackside.sync.progress import OnCount

FLUSH: Final = 200
NOT_THERE: Final = 404


class PullsPhase:
    """Reads the list of pull requests before the runs, and asks for the commits that it leaves open after them.

    ``default_branch`` and ``repository`` (its name now) are known where the list told them.
    """

    def __init__(self, github: GitHub, store: Destination, ledger: SyncLedger, clock: Clock, repo: str) -> None:
        self.default_branch: str | None = None
        self.repository: str | None = None
        self._github = github
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._repo = repo
        self._new: tuple[PullRequest, ...] = ()
        self._known_until: dt.datetime | None = None
        self._no_list: str | None = None

    def read_list(self, state: SyncState, window_start: dt.datetime) -> None:
        """Reads what changed since the newest pull request that is known, or since the window began."""
        since = max(filter(None, (state.pulls_updated_at, window_start)))
        try:
            found = list_pulls(self._github, self._repo, since)
        except (CallsStoppedError, GitHubError, DecodeProblem) as error:
            if isinstance(error, GitHubError) and error.status == NOT_THERE:
                self._no_list = str(error)
            else:
                self._miss_list(str(error))
            return
        known = {pull.number: pull.updated_at for pull in state.pulls}
        self._ledger.problem(found.problems)
        self._new = tuple(pull for pull in found.pulls if known.get(pull.number) != pull.updated_at)
        self.default_branch, self.repository = found.default_branch, found.repository
        self._known_until = max([since, *(pull.updated_at for pull in found.pulls if pull.updated_at is not None)])
        if self._new:
            self._store.add_pulls(self._new, (), self._clock.now())
        self._ledger.counts["pulls_new"] += len(self._new)

    def explain_commits(self, runs: Sequence[RunAttempt], state: SyncState, *, ask: bool, progress: OnCount) -> None:
        """Finds the pull requests of the runs' commits; with ``ask``, GitHub is asked for each that stays open.

        Not where the list could not be read: an answer is kept for ever, and the list tells more and costs less.
        Where GitHub has no such list the commits are all there is to ask.
        """
        if self._no_list is not None and not ask:
            self._miss_list(self._no_list)
        elif self._no_list is not None:
            self._ledger.notes.append(f"There is no list of pull requests, so commits were asked for: {self._no_list}.")
        elif self._known_until is None:
            return
        pulls = {pull.number: pull for pull in (*state.pulls, *self._new)}
        explained, open_ = match_commits(runs, tuple(pulls.values()), state.commits_asked, self.default_branch)
        if explained:
            self._store.add_pulls((), explained, self._clock.now())
        if ask:
            self._ask(open_, progress)

    def _miss_list(self, reason: str) -> None:
        self._ledger.miss([Missing(what="lists of pull requests", reason=reason, count=1)])

    def _ask(self, commits: Sequence[str], progress: OnCount) -> None:
        answers: list[tuple[CommitPulls, tuple[PullRequest, ...]]] = []

        def ask(sha: str) -> tuple[CommitPulls, tuple[PullRequest, ...], tuple[str, ...]]:
            return ask_commit(self._github, self._repo, sha, repository=self.repository)

        try:
            for done, outcome in enumerate(self._github.each(ask, commits), 1):
                if outcome.result is not None:
                    commit, pulls, problems = outcome.result
                    answers.append((commit, pulls))
                    self._ledger.problem(problems)
                else:
                    reason = str(outcome.error)
                    what = "pull requests of commits"
                    self._ledger.miss([Missing(what=what, reason=reason, count=1, samples=(outcome.item,))])
                if len(answers) >= FLUSH:
                    answers = self._flush(answers)
                progress(done, len(commits))
        finally:
            self._flush(answers)

    def _flush(
        self, answers: list[tuple[CommitPulls, tuple[PullRequest, ...]]]
    ) -> list[tuple[CommitPulls, tuple[PullRequest, ...]]]:
        if answers:
            pulls = {pull.number: pull for _, several in answers for pull in several if self._may_be_kept(pull)}
            self._store.add_pulls(tuple(pulls.values()), [commit for commit, _ in answers], self._clock.now())
        return []

    def _may_be_kept(self, pull: PullRequest) -> bool:
        """One that changed after the list was read comes with the next list, which begins at the newest known."""
        return pull.updated_at is None or self._known_until is None or pull.updated_at <= self._known_until
