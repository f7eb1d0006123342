"""The lists of runs: all pages of a stretch of time, past the 1,000 results that one search gives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from trackside.errors import CallsStoppedError, GitHubError
from trackside.github.client import GitHub
from trackside.github.decode import DecodeProblem, RunsPage, runs_page
from trackside.github.exchange import Answer
from trackside.github.refusals import explain
from trackside.records.runs import RunAttempt
from trackside.records.syncs import Interval, Missing

PER_PAGE: Final = 100
SEARCH_CAP: Final = 1000
"""A search with any filter gives this many results, whatever there are."""
EMPTY_PAGES: Final = 2
"""So many pages in a row without anything, and a list is over, whatever it says of further pages."""
FATAL: Final = frozenset({400, 401, 403, 404, 410, 422, 451})
"""Answers that will not change by asking again: they end a sync that has nothing yet."""
NOT_THERE: Final = 404
_SECOND: Final = dt.timedelta(seconds=1)

# GitHub answers the same whether a name is wrong or a repository is hidden, so that nobody learns of a private one.
HOW_TO_TELL: Final = (
    "look at the spelling; if its page opens in a browser where you are logged in, the token lacks access to it "
    "(Actions: read)"
)
HOW_TO_TELL_ALONE: Final = (
    "look at the spelling; if its page opens in a browser only where you are logged in, it is private and needs a "
    "token with access to it (Actions: read)"
)


class RunList(msgspec.Struct):
    """What was listed so far: the newest state of each run by id, the stretches that are complete, what is not."""

    runs: dict[int, RunAttempt] = {}
    complete: list[Interval] = []
    missing: list[Missing] = []
    problems: list[str] = []
    repository: str | None = None
    stop: CallsStoppedError | None = None

    def take(self, page: RunsPage) -> None:
        """Adds a page. A run that shows twice, because pages shift, keeps its newest state."""
        self.problems += page.problems
        self.repository = page.repository or self.repository
        for run in page.runs:
            known = self.runs.get(run.run_id)
            if known is None or _version(run) >= _version(known):
                self.runs[run.run_id] = run


class _Walk(msgspec.Struct):
    """One search, page by page: how many results it gave, the oldest time seen, whether newest came first."""

    results: int = 0
    ids: set[int] = set()
    lost: int = 0
    oldest: dt.datetime | None = None
    ordered: bool = True
    empty: bool = False
    full: bool = True
    total: int | None = None

    def take(self, page: RunsPage) -> None:
        """Counts a page: a run that shows twice is one result less than there could be, and one run."""
        self.results += len(page.runs) + page.lost
        self.lost += page.lost
        # What is missing from an empty page amid others may be of any time.
        self.ordered &= not (self.empty and page.runs)
        self.empty |= not page.runs and not page.lost
        self.ids.update(run.run_id for run in page.runs)
        self.total = page.total_count if self.total is None else self.total
        for run in page.runs:
            if run.created_at is None:
                continue
            self.ordered &= self.oldest is None or run.created_at <= self.oldest
            self.oldest = run.created_at if self.oldest is None else min(self.oldest, run.created_at)


class RunLister:
    """Lists runs of one repository into a RunList."""

    def __init__(
        self,
        github: GitHub,
        repo: str,
        filters: Mapping[str, str],
        *,
        default_branch: str | None = None,
        enough: Callable[[RunList], bool] = lambda _found: False,
    ) -> None:
        self._github = github
        self._repo = repo
        self._filters = dict(filters)
        self._default_branch = default_branch
        self._enough = enough
        self.found = RunList()

    @property
    def is_enough(self) -> bool:
        """Whether so many runs were found that no older ones are wanted."""
        return self._enough(self.found)

    def list_window(self, window: Interval) -> None:
        """Lists the runs created in ``window``, newest first; what could not be read is in ``found``.

        Raises GitHubError where GitHub refuses the list, so that no run of the repository can be read.
        """
        try:
            self._search(window)
        except CallsStoppedError as stop:
            self.found.stop = stop
            self._miss(window, str(stop))
        except GitHubError as error:
            if error.status in FATAL and not self.found.runs:
                raise
            self._miss(window, str(error))
        except DecodeProblem as problem:
            self._miss(window, str(problem))

    def list_workflow(self, workflow: str, newest: int) -> None:
        """Lists the ``newest`` runs of one workflow, whatever their age."""
        path = f"/repos/{self._repo}/actions/workflows/{workflow}/runs"
        seen = 0
        try:
            for page in self._pages(path, {"per_page": min(PER_PAGE, newest)}):
                self.found.take(page)
                seen += len(page.runs)
                if seen >= newest:
                    return
        except CallsStoppedError as stop:
            self.found.stop = stop
            self._miss_workflow(workflow, str(stop))
        except (GitHubError, DecodeProblem) as error:
            self._miss_workflow(workflow, str(error))

    def _search(self, window: Interval) -> None:
        while True:
            walk = _Walk()
            try:
                self._walk(window, walk)
            except (CallsStoppedError, GitHubError, DecodeProblem):
                self._keep_what_is_complete(window, walk)
                raise
            if not walk.full:
                self._keep_what_is_complete(window, walk)
                return
            if walk.results < SEARCH_CAP:
                self._settle(window, walk)
                return
            if not walk.ordered or walk.oldest is None or not window.start <= walk.oldest < window.stop:
                self._bisect(window)
                return
            # The next search begins where this one ended: every page brings new runs, none is asked twice.
            self._keep_what_is_complete(window, walk)
            window = Interval(start=window.start, stop=walk.oldest)

    def _settle(self, window: Interval, walk: _Walk) -> None:
        """A run that was deleted between two pages moves another one over the edge: fewer came than there are."""
        if walk.total is not None and walk.total > len(walk.ids) + walk.lost:
            again = _Walk()
            self._walk(window, again)
            short = (again.total or 0) - len(walk.ids | again.ids) - max(walk.lost, again.lost)
            if short > 0 and again.full:
                reason = "GitHub counts more runs in this stretch than it lists"
                self.found.missing.append(Missing(what="runs", reason=reason, count=short, samples=(_span(window),)))
                return
        self.found.complete.append(window)

    def _bisect(self, window: Interval) -> None:
        seconds = int((window.stop - window.start).total_seconds())
        if seconds < 1:
            reason = (
                f"GitHub lists no more than {SEARCH_CAP:,} runs of one search, and these were created in one second"
            )
            self._miss(window, reason)
            return
        middle = window.start + seconds // 2 * _SECOND
        self._search(Interval(start=middle + _SECOND, stop=window.stop))
        self._search(Interval(start=window.start, stop=middle))

    def _walk(self, window: Interval, walk: _Walk) -> None:
        params: dict[str, str | int] = {
            **self._filters,
            "created": f"{_stamp(window.start)}..{_stamp(window.stop)}",
            "per_page": PER_PAGE,
        }
        for page in self._pages(f"/repos/{self._repo}/actions/runs", params):
            self.found.take(page)
            walk.take(page)
            if self._enough(self.found):
                walk.full = False
                return

    def _pages(self, path: str, params: Mapping[str, str | int]) -> Iterator[RunsPage]:
        empty = 0
        for answer in self._answers(path, params):
            page = runs_page(answer.body, self._repo, default_branch=self._default_branch)
            yield page
            empty = 0 if page.runs or page.lost else empty + 1
            if empty >= EMPTY_PAGES:
                return

    def _answers(self, path: str, params: Mapping[str, str | int]) -> Iterator[Answer]:
        try:
            yield from self._github.pages(path, params, endpoint="runs")
        except GitHubError as error:
            if error.status != NOT_THERE or path != f"/repos/{self._repo}/actions/runs":
                raise
            why = explain(NOT_THERE, {}, b"", has_token=self._github.has_token)
            how = HOW_TO_TELL if self._github.has_token else HOW_TO_TELL_ALONE
            raise GitHubError(f"Repository {self._repo} {why}: {how}", status=NOT_THERE) from error

    def _keep_what_is_complete(self, window: Interval, walk: _Walk) -> None:
        if walk.ordered and walk.oldest is not None and walk.oldest + _SECOND <= window.stop:
            self.found.complete.append(Interval(start=walk.oldest + _SECOND, stop=window.stop))

    def _miss(self, window: Interval, reason: str) -> None:
        missing = Missing(what="stretches of the run list", reason=reason, count=1, samples=(_span(window),))
        self.found.missing.append(missing)

    def _miss_workflow(self, workflow: str, reason: str) -> None:
        self.found.missing.append(Missing(what="run lists of a workflow", reason=reason, count=1, samples=(workflow,)))


def _stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)


def _span(window: Interval) -> str:
    return f"runs created {_stamp(window.start)} to {_stamp(window.stop)}"


def _version(run: RunAttempt) -> tuple[int, dt.datetime]:
    return run.run_attempt, run.updated_at or dt.datetime.min.replace(tzinfo=dt.UTC)
