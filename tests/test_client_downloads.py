"""Downloads on the wire: the link of the API, the other host that learns nothing, and which answer is whose."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import serve_tls
from tests.connecting import TOKEN, talking
from tests.scripted_server import Cut, Received, Reply, Reset, ScriptedServer, answer
from trackside.errors import CallsStoppedError, GitHubError
from trackside.github.client import GitHub
from trackside.github.tokens import StaticToken

LOG = b"2026-11-22T12:00:00.0000000Z hello\n"
PATH = "/repos/o/r/actions/jobs/7/logs"


@pytest.fixture
def blob() -> Iterator[ScriptedServer]:
    with ScriptedServer([]) as server:
        yield server


def linking(blob: ScriptedServer) -> bytes:
    return answer(302, b"", location=f"{blob.url}/logs/7.txt?sig=S1gnature")


def read(github: GitHub) -> tuple[int, str, bytes]:
    with github.open_download(PATH, endpoint="job log") as download:
        return download.status, download.host, b"".join(download.iter_bytes())


def test_a_log_comes_from_the_other_host_which_learns_nothing(blob: ScriptedServer) -> None:
    blob.script = [answer(200, LOG, set_cookie="spy=1")] * 2
    with talking(lambda _: linking(blob)) as talk:
        assert read(talk.github) == (200, "blob", LOG)
        assert read(talk.github) == (200, "blob", LOG)
    assert talk.server.received[0].headers["authorization"] == f"Bearer {TOKEN}"
    for got in blob.received:
        assert got.target == "/logs/7.txt?sig=S1gnature"
        assert set(got.headers) == {"host", "accept", "accept-encoding", "connection", "user-agent"}
        assert got.headers["user-agent"] == "trackside"
        assert TOKEN not in str(got.headers)


@pytest.mark.parametrize("link", ["/_services/logs/7.txt?sig=S1gnature", "//{host}/logs/7.txt?sig=S1gnature"])
def test_a_link_to_the_host_of_the_api_carries_no_token_either(link: str) -> None:
    def script(got: Received) -> bytes:
        location = link.format(host=got.headers["host"])
        return answer(302, b"", location=location) if got.path == PATH else answer(200, LOG)

    with talking(script) as talk:
        assert read(talk.github) == (200, "blob", LOG)
    asked, fetched = talk.server.received
    assert "S1gnature" not in "".join(talk.traced)
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in str(fetched.headers)


def test_the_signature_of_a_link_is_not_shown(blob: ScriptedServer) -> None:
    blob.script = [answer(500)] * 5
    with talking(lambda _: linking(blob)) as talk:
        with pytest.raises(GitHubError) as caught:
            read(talk.github)
        shown = [str(caught.value), repr(talk.github.meter()), *talk.said, *talk.traced]
    assert "S1gnature" not in "".join(shown)
    assert f"GET {blob.url}/logs/7.txt?… → 500 in 0 ms" in talk.traced


def test_the_signature_of_a_link_is_not_logged(blob: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    blob.script = [answer(200, LOG)]
    caplog.set_level(logging.INFO)
    with talking(lambda _: linking(blob)) as talk:
        read(talk.github)
    assert "S1gnature" not in caplog.text


def test_not_yet_never_and_expired_can_be_told_apart(blob: ScriptedServer) -> None:
    xml = b"<?xml version='1.0'?><Error><Code>BlobNotFound</Code></Error>"
    blob.script = [answer(404, xml, content_type="application/xml"), answer(410, b"")]
    script = [answer(404, {"message": "Not Found"}), linking(blob), answer(410, {"message": "Gone"}), linking(blob)]
    with talking(script) as talk:
        assert read(talk.github) == (404, "api", b'{"message": "Not Found"}')
        assert read(talk.github) == (404, "blob", xml)
        assert read(talk.github) == (410, "api", b'{"message": "Gone"}')
        assert read(talk.github) == (410, "blob", b"")
        assert [one.failed for one in talk.github.meter().endpoints] == [0, 0]


def test_a_log_that_the_api_itself_gives_is_streamed() -> None:
    with talking([answer(200, LOG), answer(200, {})]) as talk:
        assert read(talk.github) == (200, "api", LOG)
        talk.get()


FAULTS: list[Reply] = [
    answer(500),
    answer(503),
    answer(403, b"<Error><Code>AuthenticationFailed</Code></Error>"),
    answer(400),
    answer(429),
    Reset(),
    Cut(b"nonsense\r\n\r\n"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_other_host_is_tried_again_with_a_fresh_link(blob: ScriptedServer, fault: Reply) -> None:
    blob.script = [fault, answer(200, LOG)]
    links = iter(range(9))
    script = lambda _: answer(302, b"", location=f"{blob.url}/7?sig={next(links)}")  # noqa: E731
    with talking(script) as talk:
        assert read(talk.github) == (200, "blob", LOG)
    assert blob.targets == ["GET /7?sig=0", "GET /7?sig=1"]
    assert talk.clock.sleeps == [2.0]


def test_a_fault_of_the_other_host_that_stays_is_given_up_and_stops_no_calls(blob: ScriptedServer) -> None:
    blob.script = lambda _: answer(500)
    with talking(lambda request: linking(blob) if request.path == PATH else answer(200, {})) as talk:
        for _ in range(5):
            with pytest.raises(GitHubError, match="answered 500, 5 times"):
                read(talk.github)
        with pytest.raises(GitHubError, match="was not asked for"):
            read(talk.github)
        talk.get()
    assert len(blob.received) == 25


def test_faults_of_the_api_are_tried_again(blob: ScriptedServer) -> None:
    blob.script = [answer(200, LOG)]
    with talking([answer(502), Reset(), answer(429, retry_after="3"), linking(blob)]) as talk:
        assert read(talk.github) == (200, "blob", LOG)
    assert talk.clock.sleeps == [2.0, 2.0, 3.0]


def test_a_permission_that_is_missing_is_an_error() -> None:
    with talking([answer(403, {"message": "no"}, x_accepted_github_permissions="actions=read")]) as talk:
        with pytest.raises(GitHubError, match="the token needs actions: read") as caught:
            read(talk.github)
        assert caught.value.status == 403


def test_a_log_that_breaks_off_says_so(blob: ScriptedServer) -> None:
    blob.script = [Cut(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf a lo")]
    with talking([linking(blob), answer(200, {})]) as talk:
        with pytest.raises(GitHubError, match=r"7\.txt.* broke off after 9 bytes") as caught:
            read(talk.github)
        assert caught.value.status is None
        assert "S1gnature" not in str(caught.value)
        talk.get()


def test_a_renamed_repository_gives_its_logs_too(blob: ScriptedServer) -> None:
    blob.script = [answer(200, LOG)]
    with talking([answer(301, {}, location="/repositories/42/actions/jobs/7/logs"), linking(blob)]) as talk:
        assert read(talk.github) == (200, "blob", LOG)
    assert talk.server.received[1].headers["authorization"] == f"Bearer {TOKEN}"


def test_an_enterprise_server_that_gives_logs_beside_its_api_is_not_given_the_token() -> None:
    def script(request: Received) -> Reply:
        if request.path.startswith("/api/v3/"):
            return answer(302, b"", location="/_services/pipelines/7?sig=1")
        return answer(400 if "authorization" in request.headers else 200, LOG)

    with talking(script, prefix="/api/v3") as talk:
        assert read(talk.github) == (200, "blob", LOG)


def test_the_other_host_may_point_on_but_not_for_ever(blob: ScriptedServer) -> None:
    blob.script = [answer(307, b"", location="/there"), answer(200, LOG)] + [answer(302, b"", location="/x")] * 3
    with talking(lambda _: linking(blob)) as talk:
        assert read(talk.github) == (200, "blob", LOG)
        with pytest.raises(GitHubError, match="answered 302"):
            read(talk.github)
    assert len(blob.received) == 5


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://127.0.0.1/x", ""])
def test_a_link_to_no_host_is_not_followed(location: str) -> None:
    with (
        talking([answer(302, b"", location=location)]) as talk,
        pytest.raises(GitHubError, match=r"not safe|redirected"),
    ):
        read(talk.github)


def test_a_link_that_leaves_https_is_not_followed(
    blob: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = serve_tls(tmp_path, monkeypatch)
    assert isinstance(context, ssl.SSLContext)
    said: list[str] = []
    with (
        ScriptedServer(lambda _: linking(blob), context) as api,
        GitHub(api_url=api.url, token=StaticToken(TOKEN), say=said.append) as github,
        pytest.raises(GitHubError, match="not safe: not followed"),
    ):
        read(github)
    assert api.received[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert blob.received == []


def test_a_download_takes_a_place_and_its_thread_makes_no_other_call_meanwhile(blob: ScriptedServer) -> None:
    blob.script = [answer(200, LOG)]
    with talking([linking(blob), answer(200, {})], workers=1) as talk:
        with (
            talk.github.open_download(PATH, endpoint="job log"),
            pytest.raises(RuntimeError, match="closed before its thread"),
        ):
            talk.get()
        talk.get()


def test_a_download_left_early_gives_its_place_back(blob: ScriptedServer) -> None:
    blob.script = lambda _: answer(200, LOG * 100_000)
    with talking(lambda _: linking(blob), workers=1) as talk:
        for _ in range(3):
            with talk.github.open_download(PATH, endpoint="job log") as download:
                next(download.iter_bytes())
        assert talk.github.meter().bytes < 3 * 100_000 * len(LOG)


def test_many_downloads_at_once_stay_within_the_places(blob: ScriptedServer) -> None:
    blob.script = lambda _: answer(200, LOG)
    with talking(lambda _: linking(blob), workers=3) as talk:
        outcomes = list(talk.github.each(lambda _: read(talk.github), range(30)))
        assert all(one.result == (200, "blob", LOG) for one in outcomes)
        assert blob.most_at_once + talk.server.most_at_once <= 6
        assert blob.most_at_once <= 3


def test_the_budget_of_calls_counts_links_and_not_downloads(blob: ScriptedServer) -> None:
    blob.script = lambda _: answer(200, LOG)
    with talking(lambda _: linking(blob), max_calls=2) as talk:
        read(talk.github)
        read(talk.github)
        with pytest.raises(CallsStoppedError):
            read(talk.github)
        metered = talk.github.meter()
    assert metered.calls == 2
    assert [(one.endpoint, one.calls, one.billed) for one in metered.endpoints] == [
        ("job log", 2, 2),
        ("job log download", 2, 0),
    ]
