"""Logs and artifacts on the fake GitHub: redirects to a second host, and why there is nothing."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterator

import httpx2
import pytest

from tests.fake_github import Annotation, FakeGitHub, LogState, job, matrix

HOUR = dt.timedelta(hours=1)
TOKEN = {"Authorization": "Bearer ghp_secret", "X-GitHub-Api-Version": "2022-11-28"}
RUNS = "/repos/octo/engine/actions/runs"


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        fake.world.add_repository("octo/engine")
        yield fake


@pytest.fixture
def http(github: FakeGitHub) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=github.api_url, headers=TOKEN, timeout=10) as client:
        yield client


def test_annotations_and_artifacts_are_listed(github: FakeGitHub, http: httpx2.Client) -> None:
    run = github.world.add_run([job(annotations=(Annotation("test_a.py", "assert 1 == 2", line=3),))])
    github.world.add_artifact(run, "results", b"PK")
    (one,) = run.latest.jobs
    notes = http.get(f"/repos/octo/engine/check-runs/{one.id}/annotations").json()
    assert [(note["path"], note["start_line"], note["message"]) for note in notes] == [
        ("test_a.py", 3, "assert 1 == 2")
    ]
    (artifact,) = http.get(f"{RUNS}/{run.id}/artifacts?name=results").json()["artifacts"]
    assert http.get("/repos/octo/engine/actions/artifacts?name=other").json()["artifacts"] == []
    moved = http.get(artifact["archive_download_url"])
    assert httpx2.get(moved.headers["location"]).content == b"PK"
    refused = httpx2.get(moved.headers["location"], headers=TOKEN)
    assert (refused.status_code, github.journal.broken_rules()) == (400, {"credentials sent to the blob host": 1})
    (made,) = github.world.home.artifacts
    made.in_storage = False
    missing = httpx2.get(http.get(artifact["archive_download_url"]).headers["location"])
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/xml")
    made.expired = True
    assert http.get(artifact["archive_download_url"]).status_code == 410
    assert http.get(f"{RUNS}/{run.id}/artifacts").json()["artifacts"][0]["expired"] is True
    github.world.home.artifacts.clear()
    assert http.get(artifact["archive_download_url"]).status_code == 404
    assert http.get(f"{RUNS}/{run.id + 1}/artifacts").status_code == 404


def test_a_log_lies_on_another_host_for_a_minute(github: FakeGitHub, http: httpx2.Client) -> None:
    run = github.world.add_run([job("unit", log="2026-06-01T12:00:00.0000000Z \x1b[31mred\x1b[0m\n")])
    moved = http.get(f"/repos/octo/engine/actions/jobs/{run.latest.jobs[0].id}/logs")
    link = moved.headers["location"]
    assert (moved.status_code, moved.content) == (302, b"")
    assert httpx2.URL(link).host != httpx2.URL(github.api_url).host
    assert httpx2.get(link).text == "2026-06-01T12:00:00.0000000Z \x1b[31mred\x1b[0m\n"
    refused = httpx2.get(link, headers=TOKEN)
    assert refused.status_code == 400
    assert "InvalidAuthenticationInfo" in refused.text
    github.clock.advance(61)
    assert httpx2.get(link).status_code == 403
    assert github.journal.broken_rules() == {
        "credentials sent to the blob host": 1,
        "blob link used after it ran out": 1,
    }


def test_logs_that_are_not_there_say_why(github: FakeGitHub, http: httpx2.Client) -> None:
    plans = [
        job("running", None),
        job("skipped", "skipped"),
        job("never", "cancelled", log_state=LogState.NEVER),
        job("old", log_state=LogState.EXPIRED),
        job("later", log_state=LogState.NOT_YET),
    ]
    run = github.world.add_run(plans, conclusion=None)
    answers = [http.get(f"/repos/octo/engine/actions/jobs/{one.id}/logs") for one in run.latest.jobs]
    assert [answer.status_code for answer in answers] == [404, 404, 302, 410, 404]
    missing = httpx2.get(answers[2].headers["location"])
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/xml")
    assert "<Code>BlobNotFound</Code>" in missing.text
    github.world.finish_run(run)
    assert http.get(f"/repos/octo/engine/actions/jobs/{run.latest.jobs[4].id}/logs").status_code == 302
    anonymous = httpx2.get(f"{github.api_url}/repos/octo/engine/actions/jobs/{run.latest.jobs[0].id}/logs")
    assert (anonymous.status_code, anonymous.json()["message"]) == (403, "Must have admin rights to Repository.")


def test_a_usual_log_has_stamps_colours_and_now_and_then_a_byte_order_mark(
    github: FakeGitHub, http: httpx2.Client
) -> None:
    run = github.world.add_run(matrix("unit", 20, ["failure"]), conclusion="failure")
    texts = []
    for one in run.latest.jobs:
        moved = http.get(f"/repos/octo/engine/actions/jobs/{one.id}/logs")
        texts.append(httpx2.get(moved.headers["location"]).content)
    assert sum(text.startswith(b"\xef\xbb\xbf") for text in texts) == 1
    assert b"##[error]Process completed with exit code 1.\n" in texts[0]
    assert b"##[error]" not in texts[1]
    assert b"2026-06-01T12:00:05.2500000Z " in texts[0]
    assert b"\x1b[36;1m" in texts[0]


def test_the_logs_of_a_run_are_a_zip_from_which_jobs_may_be_missing(github: FakeGitHub, http: httpx2.Client) -> None:
    long = "caller / " + "leaf: " * 30
    run = github.world.add_run([job("unit (0)"), job(long), job("lost"), job("skipped", "skipped")])
    run.latest.jobs[2].in_archive = False
    moved = http.get(f"{RUNS}/{run.id}/logs")
    with zipfile.ZipFile(io.BytesIO(httpx2.get(moved.headers["location"]).content)) as archive:
        names = archive.namelist()
    assert names[:2] == ["0_unit (0).txt", "unit (0)/1_Set up job.txt"]
    folder = "caller  " + "leaf " * 16 + "le"
    assert len(folder) == 90
    assert f"1_{folder}.txt" in names
    assert not any("lost" in name or "skipped" in name for name in names)
    run.archive_without_steps = True
    moved = http.get(f"{RUNS}/{run.id}/attempts/1/logs")
    with zipfile.ZipFile(io.BytesIO(httpx2.get(moved.headers["location"]).content)) as archive:
        assert archive.namelist()[:2] == ["0_unit (0).txt", "unit (0)/system.txt"]
    run.log_state = LogState.EXPIRED
    assert http.get(f"{RUNS}/{run.id}/logs").status_code == 410
    going = github.world.add_run(conclusion=None)
    assert http.get(f"{RUNS}/{going.id}/logs").status_code == 404


def test_a_log_without_end_is_streamed(github: FakeGitHub, http: httpx2.Client) -> None:
    def pieces() -> Iterator[bytes]:
        while True:
            yield b"x" * 65536

    run = github.world.add_run([job(log=pieces)])
    moved = http.get(f"/repos/octo/engine/actions/jobs/{run.latest.jobs[0].id}/logs")
    with httpx2.stream("GET", moved.headers["location"]) as answer:
        got = next(answer.iter_bytes(1_000_000))
    assert len(got) == 1_000_000
    github.faults.add("cut", host="blob")
    with pytest.raises(httpx2.RemoteProtocolError):
        httpx2.get(moved.headers["location"])
