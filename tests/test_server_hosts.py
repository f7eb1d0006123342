"""Under which names the server answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from tests.serving import server_here
from trackside.errors import UsageError
from trackside.server.hosts import Name, allowed_names, check_host, parse_name


def status_of(host: str | None, came_to: str = "127.0.0.1", allowed: tuple[str, ...] = ()) -> int:
    headers = [] if host is None else [(b"host", host.encode("latin-1"))]
    try:
        check_host({"type": "http", "headers": headers, "server": (came_to, 8321)}, allowed_names(allowed))
    except HTTPException as refusal:
        return refusal.status_code
    return 200


@pytest.mark.parametrize(
    ("host", "came_to", "expected"),
    [
        ("127.0.0.1:8321", "127.0.0.1", 200),
        ("127.0.0.1", "127.0.0.1", 200),
        ("localhost:9000", "127.0.0.1", 200),
        ("LOCALHOST.", "127.0.0.1", 200),
        ("[::1]:8321", "::1", 200),
        ("127.0.0.1:8321", "::ffff:127.0.0.1", 200),
        ("192.0.2.7:8321", "192.0.2.7", 200),
        ("[2001:db8::7]", "2001:db8:0::7", 200),
        ("evil.example:8321", "127.0.0.1", 421),
        ("127.0.0.1.evil.example", "127.0.0.1", 421),
        ("localhost.evil.example", "127.0.0.1", 421),
        ("localhost", "192.0.2.7", 421),
        ("192.0.2.8", "192.0.2.7", 421),
        ("0.0.0.0", "127.0.0.1", 421),
        ("2130706433", "127.0.0.1", 421),
        ("127.0.0.1:99999", "127.0.0.1", 400),
        ("127.0.0.1:8321@evil.example", "127.0.0.1", 400),
        ("evil.example/127.0.0.1", "127.0.0.1", 400),
        ("", "127.0.0.1", 400),
        (None, "127.0.0.1", 400),
    ],
)
def test_the_server_answers_under_its_own_address(host: str | None, came_to: str, expected: int) -> None:
    assert status_of(host, came_to) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("ci.example.org", 200), ("CI.example.org:443", 200), ("tls.example.org:8443", 200),
        ("tls.example.org", 421), ("tls.example.org:8444", 421), ("x.ci.example.org", 421), ("example.org", 421),
    ],
)  # fmt: skip
def test_names_that_were_allowed_are_answered(host: str, expected: int) -> None:
    assert status_of(host, allowed=("ci.example.org", "tls.example.org:8443")) == expected


@pytest.mark.parametrize("text", ["", "a b", "http://ci.example.org", "ci.example.org/", "*", "ci:x", "ci:70000", "."])
def test_what_is_no_name_cannot_be_allowed(text: str) -> None:
    with pytest.raises(UsageError, match="--allow-host"):
        allowed_names([text])


@given(st.text(max_size=40))
def test_no_text_but_a_name_is_one(text: str) -> None:
    name = parse_name(text)
    assert name is None or isinstance(name, Name)
    assert status_of(text.encode("ascii", "replace").decode()) in (200, 400, 421)


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/api/v1/runs", "/webhooks/github", "/data/site.json"])
def test_a_foreign_name_gets_nothing_at_any_address(tmp_path: Path, path: str) -> None:
    with server_here(tmp_path, names=("ci.example.org",)) as served:
        served.until_ready()
        for method in ("GET", "POST"):
            answer = served.ask(method, path, headers={"Host": "rebound.example:8321"})
            assert answer.status == 421
            assert "--allow-host" in answer.json["error"]
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert served.ask("GET", "/healthz", headers={"Host": "ci.example.org"}).status == 200
        assert served.metric('trackside_http_requests_total{route="refused",status="421"}') == 2


def test_a_request_that_names_no_server_or_two_is_refused(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        assert b" 400 " in served.raw(b"GET / HTTP/1.0\r\n\r\n").split(b"\r\n")[0]
        two = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n"
        assert b" 400 " in served.raw(two).split(b"\r\n")[0]
        other = b"GET / HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: 127.0.0.1\r\nConnection: close\r\n\r\n"
        assert b" 421 " in served.raw(other).split(b"\r\n")[0]


def test_nobody_is_told_that_another_page_may_read_answers(tmp_path: Path) -> None:
    with server_here(tmp_path) as served:
        asked = served.ask("OPTIONS", "/api/v1/runs", headers={"Origin": "https://evil.example"})
        told = served.get("/api/v1/runs", origin="https://evil.example")
        assert asked.status == 405
        assert not any(name.startswith("access-control") for name in (*asked.headers, *told.headers))
        assert told.headers["cross-origin-resource-policy"] == "same-origin"
