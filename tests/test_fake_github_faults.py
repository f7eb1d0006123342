"""What goes wrong on the fake GitHub, what it counts, and which broken rules it notes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import jwt
import pytest

from tests.fake_github import FakeGitHub, Kind, job

TOKEN = {"Authorization": "Bearer ghp_secret", "X-GitHub-Api-Version": "2022-11-28"}
RUNS = "/repos/octo/engine/actions/runs"


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        fake.world.add_repository("octo/engine")
        for _ in range(5):
            fake.world.add_run(2)
        yield fake


@pytest.fixture
def http(github: FakeGitHub) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=github.api_url, headers=TOKEN, timeout=10) as client:
        yield client


def statuses(http: httpx2.Client, count: int, path: str = RUNS) -> list[int]:
    return [http.get(path).status_code for _ in range(count)]


def test_an_nth_call_fails_once_and_every_second_one_each_time(github: FakeGitHub, http: httpx2.Client) -> None:
    github.faults.add("error", endpoint="runs", nth=2, status=503)
    github.faults.add("error", path="/workflows", every=2, status=500, times=2)
    assert statuses(http, 4) == [200, 503, 200, 200]
    assert statuses(http, 7, "/repos/octo/engine/actions/workflows") == [200, 500, 200, 500, 200, 200, 200]
    assert github.faults.fired() == {"error": 3}
    assert github.journal.calls[1].faults == ("error",)
    github.faults.clear()
    assert github.faults.fired() == {}


def test_chance_takes_the_same_calls_for_the_same_seed(github: FakeGitHub, http: httpx2.Client) -> None:
    def rounds(seed: int) -> list[int]:
        github.faults.clear()
        github.faults.add("error", chance=0.5, seed=seed)
        return statuses(http, 20)

    assert rounds(1) == rounds(1)
    assert rounds(1) != rounds(2)
    assert {200, 502} == set(rounds(3))


def test_a_page_for_browsers_comes_with_an_error_or_in_place_of_json(github: FakeGitHub, http: httpx2.Client) -> None:
    github.faults.add("error", nth=1, html=True)
    github.faults.add("html", nth=2)
    for status in (502, 200):
        answer = http.get(RUNS)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("kind", [Kind.RESET, Kind.RESET_IN_BODY, Kind.CUT, Kind.CUT_CHUNKED, Kind.HANG])
def test_a_connection_that_breaks_is_an_error_and_the_next_call_is_well(
    github: FakeGitHub, http: httpx2.Client, kind: Kind
) -> None:
    github.faults.add(kind, nth=1)
    with pytest.raises(httpx2.TransportError):
        http.get(RUNS)
    assert http.get(RUNS).status_code == 200


def test_a_reset_is_a_reset_and_not_an_end(github: FakeGitHub, http: httpx2.Client) -> None:
    github.faults.add("reset")
    with pytest.raises(httpx2.ReadError, match="reset"):
        http.get(RUNS)


def test_an_answer_that_hangs_or_drips_takes_longer_than_a_short_timeout(
    github: FakeGitHub, http: httpx2.Client
) -> None:
    github.faults.add("hang", nth=1, delay_s=5)
    github.faults.add("drip", nth=2, delay_s=5)
    github.faults.add("slow", nth=3, delay_s=5)
    for _ in range(3):
        with pytest.raises(httpx2.ReadTimeout):
            http.get(RUNS, timeout=0.05)


def test_json_may_end_in_the_middle_although_its_length_is_right(github: FakeGitHub, http: httpx2.Client) -> None:
    github.faults.add("bad json")
    answer = http.get(RUNS)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()


def test_pages_may_repeat_items_lie_about_the_total_and_be_empty(github: FakeGitHub, http: httpx2.Client) -> None:
    second = http.get(f"{RUNS}?per_page=2").links["next"]["url"]
    before = [run["id"] for run in http.get(f"{RUNS}?per_page=2").json()["workflow_runs"]]
    github.faults.add("duplicates", path="page=2", nth=1)
    github.faults.add("total", path="page=2", nth=1, count=-3)
    answer = http.get(second).json()
    assert answer["total_count"] == 2
    assert answer["workflow_runs"][0]["id"] == before[1]
    assert len(answer["workflow_runs"]) == 3
    github.faults.add("empty page", path="page=3")
    last = f"{github.api_url}/repositories/{github.world.home.id}/actions/runs?per_page=2&page=3"
    empty = http.get(last)
    assert empty.json()["workflow_runs"] == []
    assert empty.links["next"]["url"].endswith("page=4")


def test_new_runs_may_arrive_between_two_pages(github: FakeGitHub, http: httpx2.Client) -> None:
    github.faults.add("call", path="&page=2", call=github.world.add_run)
    first = http.get(f"{RUNS}?per_page=2")
    second = http.get(first.links["next"]["url"])
    seen = [run["id"] for answer in (first, second) for run in answer.json()["workflow_runs"]]
    assert len(seen) == len(set(seen)) + 1


def test_faults_befall_one_call_together(github: FakeGitHub, http: httpx2.Client) -> None:
    github.faults.add("call", call=lambda: github.world.add_run(number=99))
    github.faults.add("total", count=7)
    github.faults.add("cut")
    with pytest.raises(httpx2.RemoteProtocolError):
        http.get(RUNS)
    assert github.journal.calls[0].faults == ("call", "total", "cut")
    assert 99 in github.world.runs


@pytest.mark.parametrize(
    ("headers", "limit"),
    [
        ({}, 60),
        ({"Authorization": "Bearer ghs_job"}, 1000),
        ({"Authorization": "token ghp_me"}, 5000),
        ({"Authorization": "Basic dTpnaHBfbWU="}, 5000),
    ],
)
def test_each_kind_of_caller_has_a_limit_of_its_own(github: FakeGitHub, headers: dict[str, str], limit: int) -> None:
    answer = httpx2.get(f"{github.api_url}{RUNS}", headers=headers)
    told = {name: answer.headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining", "used", "resource")}
    assert told == {"limit": str(limit), "remaining": str(limit - 1), "used": "1", "resource": "core"}
    assert int(answer.headers["x-ratelimit-reset"]) == int(github.clock.epoch_s()) + 3600
    free = httpx2.get(f"{github.api_url}/rate_limit", headers=headers).json()
    assert free["resources"]["core"]["remaining"] == free["rate"]["remaining"] == limit - 1


@pytest.mark.parametrize("status", [403, 429])
def test_a_limit_that_is_used_up_comes_back_after_the_reset(
    github: FakeGitHub, http: httpx2.Client, status: int
) -> None:
    github.settings.over_limit_status = status
    github.leave_calls(1, token="ghp_secret", reset_in_s=600)
    assert statuses(http, 2) == [200, status]
    refused = http.get(RUNS)
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert refused.json()["message"] == "API rate limit exceeded for user ID 1."
    assert http.get("/rate_limit").status_code == 200
    github.clock.advance(600)
    assert http.get(RUNS).headers["x-ratelimit-remaining"] == "4999"
    assert github.journal.broken_rules() == {"called while told to wait": 1}


def test_limits_can_be_struck_without_being_reached(github: FakeGitHub, http: httpx2.Client) -> None:
    github.faults.add("primary", nth=1, status=429, reset_s=30)
    github.faults.add("secondary", nth=2, status=403, retry_after_s=60, rate_headers=False)
    github.faults.add("secondary", nth=3, status=429, retry_after_s=None)
    primary = http.get(RUNS)
    assert (primary.status_code, primary.headers["x-ratelimit-remaining"]) == (429, "0")
    assert int(primary.headers["x-ratelimit-reset"]) == int(github.clock.epoch_s()) + 30
    told, untold = http.get(RUNS), http.get(RUNS)
    assert (told.status_code, told.headers["retry-after"]) == (403, "60")
    assert "x-ratelimit-remaining" not in told.headers
    assert (untold.status_code, "retry-after" in untold.headers) == (429, False)
    assert int(untold.headers["x-ratelimit-remaining"]) > 0
    assert all("secondary rate limit" in answer.json()["message"] for answer in (told, untold))


def test_what_has_not_changed_is_304_and_free_for_the_same_token_only(github: FakeGitHub, http: httpx2.Client) -> None:
    first = http.get(RUNS)
    known = {"If-None-Match": first.headers["etag"]}
    again = http.get(RUNS, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["x-ratelimit-used"] == "1"
    assert http.get(RUNS, headers={**known, "Authorization": "Bearer other"}).status_code == 200
    github.world.home.runs[0].title = "changed"
    assert http.get(RUNS, headers=known).status_code == 200
    bare = httpx2.get(f"{github.api_url}{RUNS}")
    free = httpx2.get(f"{github.api_url}{RUNS}", headers={"If-None-Match": bare.headers["etag"]})
    assert (free.status_code, free.headers["x-ratelimit-used"]) == (304, "2")


def test_calls_are_counted_and_no_token_is_kept(github: FakeGitHub, http: httpx2.Client) -> None:
    answer = http.get(f"{RUNS}?per_page=2", headers={"Accept": "application/json"})
    http.get("/rate_limit")
    http.get("/nowhere")
    assert github.journal.by_endpoint() == {"runs": 1, "rate limit": 1, "unknown": 1}
    assert (github.journal.count(), github.journal.count("runs")) == (2, 1)
    call = github.journal.calls[0]
    assert (call.method, call.path, call.raw_query, call.status) == ("GET", RUNS, "per_page=2", 200)
    assert (call.has_token, call.headers["accept"], call.sent_bytes) == (True, "application/json", len(answer.content))
    assert "secret" not in repr(github.journal) + repr(github.tokens)


def test_the_most_calls_in_flight_are_seen(github: FakeGitHub, http: httpx2.Client) -> None:
    meet = threading.Barrier(4)
    github.faults.add("call", call=lambda: meet.wait(10))
    github.journal.max_in_flight = 3
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: http.get(RUNS).status_code, range(4))) == [200] * 4
    assert github.journal.most_in_flight == 4
    assert github.journal.broken_rules() == {"too many calls in flight": 1}


def test_rules_that_a_client_breaks_are_noted(github: FakeGitHub) -> None:
    with httpx2.Client(base_url=github.api_url) as http:
        http.get(f"{RUNS}?per_page=2&page=2", headers={"User-Agent": ""})
        http.get(RUNS, headers={"X-GitHub-Api-Version": "1999-01-01"})
    assert github.journal.broken_rules() == {
        "X-GitHub-Api-Version missing": 1,
        "X-GitHub-Api-Version unknown": 1,
        "User-Agent missing": 1,
        "page number made by hand": 1,
    }


def test_a_version_that_does_not_exist_is_refused(github: FakeGitHub, http: httpx2.Client) -> None:
    assert http.get(RUNS, headers={"X-GitHub-Api-Version": "1999-01-01"}).status_code == 400
    assert http.get(RUNS).headers["x-github-api-version-selected"] == "2022-11-28"


def test_calls_below_the_breaker_are_noted_when_that_is_asked_for(github: FakeGitHub, http: httpx2.Client) -> None:
    github.leave_calls(51, token="ghp_secret")
    github.journal.breaker_remaining = 50
    statuses(http, 3)
    assert github.journal.broken_rules() == {"called below the breaker": 1}


def test_an_app_gets_a_token_for_an_hour(github: FakeGitHub) -> None:
    app = github.apps.add(github.world.home)
    now = int(github.clock.epoch_s())
    signed = jwt.encode({"iss": app.client_id, "iat": now - 60, "exp": now + 540}, app.private_key_pem, "RS256")
    with httpx2.Client(base_url=github.api_url, headers={"Authorization": f"Bearer {signed}"}) as http:
        found = http.get("/repos/octo/engine/installation").json()
        made = http.post(f"/app/installations/{found['id']}/access_tokens")
        assert http.post("/app/installations/1/access_tokens").status_code == 404
    assert (made.status_code, made.json()["expires_at"]) == (201, "2026-06-01T13:00:00Z")
    headers = {"Authorization": f"Bearer {made.json()['token']}"}
    answer = httpx2.get(f"{github.api_url}{RUNS}", headers=headers)
    assert answer.headers["github-authentication-token-expiration"] == "2026-06-01 13:00:00 UTC"
    assert answer.headers["x-ratelimit-limit"] == "5000"
    github.world.add_repository("octo/other", private=True)
    github.world.home.private = True
    assert httpx2.get(f"{github.api_url}{RUNS}", headers=headers).status_code == 200
    assert httpx2.get(f"{github.api_url}/repos/octo/other", headers=headers).status_code == 404
    github.clock.advance(3600)
    assert httpx2.get(f"{github.api_url}{RUNS}", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"iss": "nobody"}, "could not be decoded"),
        ({"iat": 4102444800}, "Issued at"),
        ({"exp": 900}, "too far in the future"),
        ({"exp": -1}, "must be a numeric value in the future"),
    ],
)
def test_an_app_that_signs_badly_is_401(github: FakeGitHub, claims: dict[str, object], words: str) -> None:
    app = github.apps.add(github.world.home)
    now = int(github.clock.epoch_s())
    told = {"iss": str(app.app_id), "iat": now - 60, "exp": now + 500, **claims}
    if "exp" in claims:
        told["exp"] = now + int(str(claims["exp"]))
    signed = jwt.encode(told, app.private_key_pem, "RS256")
    where = f"{github.api_url}/app/installations/{app.installation_id}/access_tokens"
    answer = httpx2.post(where, headers={"Authorization": f"Bearer {signed}"})
    assert (answer.status_code, words in answer.json()["message"]) == (401, True)
    other = github.apps.add(github.world.home)
    forged = jwt.encode({"iss": str(app.app_id), "iat": now, "exp": now + 500}, other.private_key_pem, "RS256")
    assert httpx2.post(where, headers={"Authorization": f"Bearer {forged}"}).status_code == 401
    assert httpx2.post(where, headers={"Authorization": "Bearer ghp_secret"}).status_code == 401


def test_the_blob_host_fails_by_rules_of_its_own(github: FakeGitHub, http: httpx2.Client) -> None:
    run = github.world.add_run([job(log="one line of a log\n" * 10)])
    github.faults.add("error", host="blob", nth=1, status=503)
    github.faults.add("cut", host="blob", nth=2)
    link = http.get(f"/repos/octo/engine/actions/jobs/{run.latest.jobs[0].id}/logs").headers["location"]
    assert httpx2.get(link).status_code == 503
    with pytest.raises(httpx2.RemoteProtocolError):
        httpx2.get(link)
    assert httpx2.get(link).text.count("\n") == 10
    assert github.journal.count("job blob", host="blob") == 3


def test_a_server_of_ones_own_may_have_no_limits(github: FakeGitHub, http: httpx2.Client) -> None:
    github.settings.rate_limits = False
    github.leave_calls(0, token="ghp_secret")
    answer = http.get(RUNS)
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("x-ratelimit")]
    assert http.get("/rate_limit").json()["message"] == "Rate limiting is not enabled."


def test_graphql_tells_limits_in_its_body_when_that_is_asked_for(github: FakeGitHub, http: httpx2.Client) -> None:
    query = {"query": "{ rateLimit { cost } }"}
    github.faults.add("secondary", endpoint="graphql", nth=1, status=200)
    github.faults.add("primary", endpoint="graphql", nth=2, status=200)
    secondary, primary = (http.post(github.graphql_url, json=query) for _ in range(2))
    assert (secondary.status_code, secondary.headers["retry-after"]) == (200, "60")
    assert "secondary rate limit" in secondary.json()["errors"][0]["message"]
    assert (primary.status_code, primary.headers["x-ratelimit-remaining"]) == (200, "0")
    assert primary.headers["x-ratelimit-resource"] == "graphql"
