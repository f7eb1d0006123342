"""What the API answers to those who want a log or an artifact: a redirect to the blob host, or why there is none."""

from __future__ import annotations

from tests.fake_github.answers import Answers, find_attempt, not_found
from tests.fake_github.blobs import Blobs, job_log_status
from tests.fake_github.bodies import error
from tests.fake_github.exchange import Reply, Request
from tests.fake_github.things import Attempt, LogState, Repository, Run

ADMIN = "Must have admin rights to Repository."


class LogAnswers:
    """The endpoints whose good answer is a redirect. None of them is open to callers without a token."""

    def __init__(self, answers: Answers, blobs: Blobs) -> None:
        self.answers, self.blobs = answers, blobs

    def job_log(self, request: Request, repo: Repository, job: str) -> Reply:
        """The log of one job."""
        found = self.answers.find_job(repo, job)
        if found is None:
            return not_found()
        run, one = found
        return self._redirect(request, job_log_status(one, run_completed=run.status == "completed"), f"/job/{one.id}")

    def run_log(self, request: Request, repo: Repository, run: str) -> Reply:
        """The ZIP of the newest attempt."""
        found = self.answers.find_run(repo, run)
        return not_found() if found is None else self._archive(request, found, found.latest)

    def attempt_log(self, request: Request, repo: Repository, run: str, attempt: str) -> Reply:
        """The ZIP of one attempt."""
        found = self.answers.find_run(repo, run)
        one = None if found is None else find_attempt(found, attempt)
        return not_found() if found is None or one is None else self._archive(request, found, one)

    def _archive(self, request: Request, run: Run, attempt: Attempt) -> Reply:
        status = 302
        if run.log_state is LogState.EXPIRED:
            status = 410
        elif attempt.status != "completed" or not attempt.jobs:
            status = 404
        return self._redirect(request, status, f"/run/{run.id}/{attempt.number}")

    def artifact_zip(self, request: Request, repo: Repository, artifact: str) -> Reply:
        """The content of an artifact."""
        found = next((each for each in repo.artifacts if str(each.id) == artifact), None)
        if found is None:
            return not_found()
        return self._redirect(request, 410 if found.expired else 302, f"/artifact/{found.id}")

    def _redirect(self, request: Request, status: int, path: str) -> Reply:
        if request.caller.anonymous:
            return Reply(403, error(ADMIN, 403))
        if status == 404:
            return not_found()
        if status == 410:
            return Reply(410, error("Gone", 410))
        return Reply(302, headers=[("Location", self.blobs.link(path))], content_type="text/html;charset=utf-8")
