"""The other host, where logs and artifacts lie: links to it run out, and it wants no credentials."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from tests.fake_github.clock import stamp
from tests.fake_github.job_lives import newest_jobs
from tests.fake_github.log_text import log_pieces
from tests.fake_github.run_zip import run_archive
from tests.fake_github.settings import Settings
from tests.fake_github.things import Job, LogState
from tests.fake_github.world import World

TEXT, ZIP, XML = "text/plain; charset=utf-8", "application/zip", "application/xml"


@dataclass
class Blob:
    """What the blob host answers. One piece is sent with its length, several in chunks."""

    status: int
    content_type: str
    pieces: Iterable[bytes]
    violation: str | None = None


def xml_error(status: int, code: str, message: str, violation: str | None = None) -> Blob:
    """An error in the words of the blob store."""
    text = f'\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Blob(status, XML, [text.encode()], violation)


class Blobs:
    """Signs links to the other host, and answers those who come with one."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.world, self.settings, self.origin = world, settings, ""

    def link(self, path: str) -> str:
        """An address that holds for as long as the settings say."""
        until = self.world.clock.now() + self.settings.link_valid_for
        query = {"se": stamp(until), "sp": "r", "sig": _sign(path, stamp(until))}
        return f"{self.origin}{path}?{urlencode(query)}"

    def answer(self, path: str, raw_query: str, *, authorised: bool) -> Blob:
        """The blob, or the XML that says why not."""
        told = {key: values[0] for key, values in parse_qs(raw_query).items()}
        until = told.get("se", "")
        if authorised:
            words = "Authentication information is not given in the correct format."
            return xml_error(
                self.settings.blob_auth_status, "InvalidAuthenticationInfo", words, "credentials sent to the blob host"
            )
        if told.get("sig") != _sign(path, until):
            return xml_error(403, "AuthenticationFailed", "Signature did not match.", "blob link made by hand")
        if dt.datetime.fromisoformat(until) < self.world.clock.now():
            words = "Signature not valid in the specified time frame."
            return xml_error(403, "AuthenticationFailed", words, "blob link used after it ran out")
        with self.world.lock:
            return self._blob(path)

    def _blob(self, path: str) -> Blob:
        kind, _, rest = path.strip("/").partition("/")
        missing = xml_error(404, "BlobNotFound", "The specified blob does not exist.")
        if kind == "job":
            found = self.world.jobs.get(int(rest))
            gone = found is None or found[2].log_state is LogState.NEVER or not found[2].steps
            return missing if found is None or gone else Blob(200, TEXT, log_pieces(found[2]))
        if kind == "run":
            run_id, _, number = rest.partition("/")
            there = self.world.runs.get(int(run_id))
            if there is None or there[1].log_state is LogState.NEVER:
                return missing
            run = there[1]
            attempt = run.attempts[int(number) - 1]
            jobs = newest_jobs(run) if attempt is run.latest else attempt.jobs
            return Blob(200, ZIP, [run_archive(run, jobs)])
        everywhere = [one for repo in self.world.repositories for one in repo.artifacts]
        artifact = next((one for one in everywhere if str(one.id) == rest), None)
        return missing if artifact is None or not artifact.in_storage else Blob(200, ZIP, [artifact.content])


def job_log_status(job: Job, *, run_completed: bool) -> int:
    """What the API says when it is asked for the log of a job: 302, 404 or 410."""
    if job.log_state is LogState.EXPIRED:
        return 410
    if job.log_state is LogState.NEVER:
        return 302
    if job.log_state is LogState.NOT_YET and not run_completed:
        return 404
    if job.status != "completed" or job.conclusion == "skipped":
        return 404
    return 302


def _sign(path: str, until: str) -> str:
    return hashlib.sha256(f"{path} {until}".encode()).hexdigest()[:32]
