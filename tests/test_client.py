"""The GitHub client on the wire: what it sends, where it goes, which pages it follows."""

from __future__ import annotations

import json

import pytest

import trackside
from tests.connecting import TOKEN, talking
from tests.scripted_server import Received, ScriptedServer, answer
from trackside.errors import GitHubError, UsageError
from trackside.github.client import GitHub
from trackside.github.links import ApiAddress, is_downgrade, moved_repository, next_link
from trackside.github.tokens import StaticToken


def test_every_call_pins_the_version_and_carries_the_token() -> None:
    with talking([answer(200, {"a": 1})]) as talk:
        assert json.loads(talk.get("/thing")) == {"a": 1}
    sent = talk.server.received[0].headers
    assert sent["accept"] == "application/vnd.github+json"
    assert sent["x-github-api-version"] == "2022-11-28"
    assert sent["user-agent"] == f"trackside/{trackside.__version__}"
    assert sent["authorization"] == f"Bearer {TOKEN}"


def test_without_a_token_no_authorization_is_sent() -> None:
    with talking([answer(200, {})], token=None) as talk:
        talk.get()
    assert "authorization" not in talk.server.received[0].headers


def test_cookies_are_neither_kept_nor_sent() -> None:
    with talking([answer(200, {}, set_cookie="id=1; Path=/"), answer(200, {})]) as talk:
        talk.get()
        talk.get()
    assert "cookie" not in talk.server.received[1].headers


def test_parameters_are_encoded_and_appended() -> None:
    with talking([answer(200, {})]) as talk:
        talk.github.get("/runs", {"created": ">=2026-11-01", "branch": "a b&c", "per_page": 100}, endpoint="runs")
    assert talk.server.targets == ["GET /runs?created=%3E%3D2026-11-01&branch=a%20b%26c&per_page=100"]


def test_pages_follow_the_next_link_verbatim() -> None:
    replies: list[bytes] = []
    with talking(lambda _: replies.pop(0)) as talk:
        second = f"{talk.server.url}/repositories/42/actions/runs?per_page=100&page=2&x=%3E%3D"
        replies[:] = [
            answer(200, [1], link=f'<{talk.server.url}/x>; rel="prev", <{second}>; rel="next", <x>; rel="last"'),
            answer(200, [2], link=f'<{talk.server.url}/first>; rel="first"'),
        ]
        pages = list(talk.github.pages("/repos/o/r/actions/runs", {"per_page": 100}, endpoint="runs"))
    assert [json.loads(page.body) for page in pages] == [[1], [2]]
    assert pages[0].next_url == second
    assert pages[1].next_url is None
    assert talk.server.targets[1] == "GET /repositories/42/actions/runs?per_page=100&page=2&x=%3E%3D"


def test_pages_on_another_host_are_not_followed() -> None:
    with (
        ScriptedServer([answer(200, [])]) as other,
        talking([answer(200, [], link=f'<{other.url}/p2>; rel="next"')]) as talk,
        pytest.raises(GitHubError, match="next page is on another host"),
    ):
        list(talk.github.pages("/runs", endpoint="runs"))
    assert other.received == []


def test_pages_that_lead_in_a_circle_end() -> None:
    def circle(request: Received) -> bytes:
        page = 2 if request.target == "/runs" else 1
        return answer(200, [], link=f'<http://{request.headers["host"]}/runs?page={page}>; rel="next"')

    with talking(circle) as talk, pytest.raises(GitHubError, match="in a circle"):
        list(talk.github.pages("/runs", endpoint="runs"))
    assert len(talk.server.received) == 3


def test_an_address_of_another_host_is_not_asked() -> None:
    with (
        ScriptedServer([answer(200, {})]) as other,
        talking([]) as talk,
        pytest.raises(GitHubError, match="not an address of"),
    ):
        talk.github.get(f"{other.url}/thing", endpoint="things")
    assert other.received == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_on_the_api_are_followed_with_the_token(status: int) -> None:
    with talking([answer(status, {}, location="/repositories/42/runs?page=3"), answer(200, [1])]) as talk:
        talk.get("/repos/old/name/runs?page=3")
    assert talk.server.targets[1] == "GET /repositories/42/runs?page=3"
    assert talk.server.received[1].headers["authorization"] == f"Bearer {TOKEN}"
    assert talk.github.meter().calls == 2


def test_a_redirect_that_forgets_the_query_keeps_it() -> None:
    with talking([answer(301, {}, location="/repositories/42/runs"), answer(200, [])]) as talk:
        talk.get("/repos/old/name/runs?created=x&page=3")
    assert talk.server.targets[1] == "GET /repositories/42/runs?created=x&page=3"


def test_a_renamed_repository_is_said_once_and_then_asked_for_at_its_place() -> None:
    def renamed(request: Received) -> bytes:
        if request.path.startswith("/repos/old/name/"):
            return answer(301, {}, location=request.target.replace("/repos/old/name", "/repositories/42"))
        return answer(200, {})

    with talking(renamed) as talk:
        for number in range(3):
            talk.get(f"/repos/old/name/runs/{number}?a=b")
        talk.get("/repos/old/name-too/runs")
    assert talk.server.targets == [
        "GET /repos/old/name/runs/0?a=b",
        "GET /repositories/42/runs/0?a=b",
        "GET /repositories/42/runs/1?a=b",
        "GET /repositories/42/runs/2?a=b",
        "GET /repos/old/name-too/runs",
    ]
    assert talk.said == ["/repos/old/name has moved to /repositories/42: renamed or transferred"]


def test_a_redirect_to_another_host_is_not_followed() -> None:
    with (
        ScriptedServer([answer(200, {})]) as other,
        talking([answer(302, b"", location=f"{other.url}/x?sig=1")]) as talk,
    ):
        with pytest.raises(GitHubError, match="not the API: not followed") as caught:
            talk.get()
        assert "sig=1" not in str(caught.value)
    assert other.received == []


@pytest.mark.parametrize("location", ["", "http://[broken", "ftp://127.0.0.1/x", "http://a b/"])
def test_a_redirect_to_no_address_is_an_error(location: str) -> None:
    with talking([answer(302, b"", location=location)]) as talk, pytest.raises(GitHubError, match="is redirected"):
        talk.get()


def test_redirects_without_end_are_an_error() -> None:
    with talking(lambda _: answer(302, b"", location="/again")) as talk:
        with pytest.raises(GitHubError, match="more than 5 times"):
            talk.get()
        assert len(talk.server.received) == 6


def test_an_enterprise_server_is_asked_below_its_prefix() -> None:
    with talking([answer(200, {}), answer(200, {"data": {}})], prefix="/api/v3/") as talk:
        talk.get("/rate")
        talk.github.graphql("query { viewer { login } }", {"n": 1})
    assert talk.server.targets == ["GET /api/v3/rate", "POST /api/graphql"]
    assert json.loads(talk.server.received[1].body) == {
        "query": "query { viewer { login } }",
        "variables": {"n": 1},
    }


@pytest.mark.parametrize(
    ("base", "graphql"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://api.github.com/", "https://api.github.com/graphql"),
        ("https://git.example.org/api/v3", "https://git.example.org/api/graphql"),
        ("http://127.0.0.1:8080/base", "http://127.0.0.1:8080/base/graphql"),
    ],
)
def test_queries_go_beside_the_base(base: str, graphql: str) -> None:
    assert ApiAddress(base).graphql == graphql


@pytest.mark.parametrize(
    "base", ["", "api.github.com", "ftp://x", "https://", "https://u:p@h", "https://h?q=1", "http://["]
)
def test_a_base_that_is_no_address_is_wrong_usage(base: str) -> None:
    with pytest.raises(UsageError, match="GITHUB_API_URL") as caught:
        GitHub(api_url=base)
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize(
    "base", ["http://localhost:1", "http://127.0.0.2", "http://[::1]:80", "https://git.example.org"]
)
def test_a_token_may_go_over_https_and_to_this_machine(base: str) -> None:
    GitHub(api_url=base, token=StaticToken(TOKEN)).close()


def test_a_token_never_goes_over_plain_http_to_another_machine() -> None:
    with pytest.raises(UsageError, match="plain http") as caught:
        GitHub(api_url="http://git.example.org", token=StaticToken(TOKEN))
    assert TOKEN not in str(caught.value)
    GitHub(api_url="http://git.example.org").close()


@pytest.mark.parametrize(
    "url",
    [
        "https://api.github.com.evil.example/x",
        "https://api.github.com@evil.example/x",
        "https://evil.example\\@api.github.com/x",
        "http://api.github.com/x",
        "https://api.github.com:8443/x",
        "//evil.example/x",
        "https://api.github.com/\nx",
        "",
    ],
)
def test_what_only_looks_like_the_api_is_not_the_api(url: str) -> None:
    assert not ApiAddress("https://api.github.com").owns(url)


def test_the_api_is_known_by_scheme_host_and_port_however_they_are_written() -> None:
    api = ApiAddress("https://api.github.com")
    assert api.owns("https://API.GitHub.com:443/x")
    assert api.shown("https://API.GitHub.com:443/x?a=1") == "/x?a=1"
    assert api.shown("https://blob.example:9/log?sig=1") == "https://blob.example:9/log?…"


def test_the_next_link_is_found_among_others_and_in_any_spelling() -> None:
    here = "https://h/a"
    assert next_link('<https://h/1>; rel="prev", <https://h/3?a=1,2>; rel="next"', here) == "https://h/3?a=1,2"
    assert next_link("</b?page=2>; title=x; rel=next", here) == "https://h/b?page=2"
    assert next_link('<https://h/5>; title="a, b; c"; rel="next archives"', here) == "https://h/5"
    assert next_link('<https://h/9>; rel="last"', here) is None
    assert next_link("nonsense <>", here) is None
    assert next_link(None, here) is None


def test_a_moved_repository_is_one_whose_rest_stayed() -> None:
    old, new = "https://h/repos/o/r/runs?p=2", "https://h/repositories/7/runs?p=2"
    assert moved_repository(old, new) == ("https://h/repos/o/r", "https://h/repositories/7")
    assert moved_repository(old, "https://h/repositories/7/jobs") is None
    assert moved_repository("https://h/user", "https://h/users/1") is None


def test_leaving_https_is_a_downgrade() -> None:
    assert is_downgrade("https://h/a", "http://h/b")
    assert is_downgrade("https://h/a", "file:///etc/passwd")
    assert not is_downgrade("http://127.0.0.1/a", "http://127.0.0.1:9/b")
    assert not is_downgrade("http://127.0.0.1/a", "https://h/b")


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer([answer(200, {"a": 1})]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "")
        with GitHub(api_url="http://git.example.org") as github:
            assert github.get("/thing", endpoint="things").body == b'{"a": 1}'
    assert proxy.targets == ["GET http://git.example.org/thing"]


def test_each_request_is_traced_without_the_token() -> None:
    script = [answer(500), answer(200, {}, x_ratelimit_remaining="4999")]
    with talking(script) as talk:
        talk.get("/thing?page=2")
    assert talk.traced == ["GET /thing?page=2 → 500 in 0 ms", "GET /thing?page=2 → 200 in 0 ms, 4999 left"]


@pytest.mark.parametrize("workers", [0, -1, 11])
def test_the_number_of_workers_is_bounded(workers: int) -> None:
    with pytest.raises(UsageError, match="from 1 to 10"):
        GitHub(workers=workers)
