"""The client against the fake GitHub, which counts, limits, renames, lets links expire and records broken rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.clocks import StillClock
from tests.fake_github import FakeGitHub, LogState, job, matrix
from trackside.errors import CallsStoppedError, GitHubError
from trackside.github.client import GitHub
from trackside.github.tokens import AppToken, StaticToken

TOKEN = "ghp_client"
POINTS = "query { rateLimit { remaining } }"


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with FakeGitHub() as github:
        yield github
        assert github.journal.broken_rules() == {}


def client(fake: FakeGitHub, **options: Any) -> GitHub:
    """A client whose sleeps move the fake's clock too; its own clock is off by more than an hour."""
    clock = StillClock(start=fake.clock.now().replace(hour=14, minute=7), on_sleep=fake.clock.advance)
    arguments: dict[str, Any] = {"token": StaticToken(TOKEN), "clock": clock, "say": lambda _: None} | options
    return GitHub(api_url=fake.api_url, **arguments)


def runs_path(fake: FakeGitHub) -> str:
    return f"/repos/{fake.world.home.full_name}/actions/runs"


def add_runs(fake: FakeGitHub, count: int) -> None:
    for _ in range(count):
        fake.world.add_run([job()])


def run_ids(github: GitHub, path: str) -> list[int]:
    found: list[int] = []
    for page in github.pages(path, {"per_page": 10}, endpoint="runs"):
        found += [run["id"] for run in msgspec.json.decode(page.body)["workflow_runs"]]
    return found


def test_all_pages_come_and_each_costs_one_call(fake: FakeGitHub) -> None:
    add_runs(fake, 35)
    with client(fake) as github:
        assert len(set(run_ids(github, runs_path(fake)))) == 35
        metered = github.meter()
    assert metered.calls == metered.billed == fake.journal.count() == 4
    assert metered.limits[0].remaining_end == 4996


def test_pages_of_a_renamed_repository_come_too(fake: FakeGitHub) -> None:
    add_runs(fake, 35)
    old = runs_path(fake)
    fake.world.rename(fake.world.home, "somebody/engine")
    said: list[str] = []
    with client(fake, say=said.append) as github:
        assert len(run_ids(github, old)) == 35
        assert len(run_ids(github, old)) == 35
        assert github.meter().calls == fake.journal.count() == 9
    assert len(said) == 1


@pytest.mark.parametrize("token", [None, "ghs_actions", "ghp_person"])
def test_whatever_the_limit_is_calls_stop_before_it_is_used_up(fake: FakeGitHub, token: str | None) -> None:
    fake.journal.breaker_remaining = 6
    add_runs(fake, 1)
    given = 40 if token is None else 150
    fake.leave_calls(given, token=token)
    with client(fake, token=token and StaticToken(token)) as github:
        outcomes = list(github.each(lambda _: github.get(runs_path(fake), endpoint="runs"), range(200)))
        left = github.meter().limits[0].remaining_end or 0
    # A call whose answer is on its way may be counted twice: once as in flight, once by GitHub.
    pause = 12 if token is None else 100
    assert pause - 1 <= left < pause - 1 + 5
    assert fake.journal.count() == sum(one.error is None for one in outcomes) == given - left
    assert all(isinstance(one.error, CallsStoppedError) for one in outcomes if one.result is None)


def test_a_near_renewal_is_waited_for_by_githubs_clock(fake: FakeGitHub) -> None:
    add_runs(fake, 1)
    fake.leave_calls(110, token=TOKEN, reset_in_s=30)
    with client(fake) as github:
        outcomes = list(github.each(lambda _: github.get(runs_path(fake), endpoint="runs"), range(50)))
        assert [one.error for one in outcomes] == [None] * 50
        assert github.meter().waited_s == 31.0
        assert fake.journal.count() == 50


@pytest.mark.parametrize("status", [403, 429])
def test_a_limit_that_others_used_up_is_waited_out(fake: FakeGitHub, status: int) -> None:
    add_runs(fake, 1)
    fake.settings.over_limit_status = status
    fake.leave_calls(0, token=TOKEN, reset_in_s=20)
    with client(fake) as github:
        outcomes = list(github.each(lambda _: github.get(runs_path(fake), endpoint="runs"), range(20)))
        assert [one.error for one in outcomes] == [None] * 20
        assert github.meter().waited_s == 21.0


@pytest.mark.parametrize("rate_headers", [True, False])
@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_holds_everybody_back(fake: FakeGitHub, status: int, rate_headers: bool) -> None:
    add_runs(fake, 1)
    fake.faults.add("secondary", nth=7, status=status, retry_after_s=20, rate_headers=rate_headers)
    with client(fake) as github:
        outcomes = list(github.each(lambda _: github.get(runs_path(fake), endpoint="runs"), range(40)))
        assert [one.error for one in outcomes] == [None] * 40
        assert github.meter().waited_s == 20.0


@pytest.mark.parametrize("status", [200, 403])
def test_points_that_are_used_up_are_waited_for(fake: FakeGitHub, status: int) -> None:
    fake.settings.graphql_over_limit_status = status
    fake.leave_calls(0, token=TOKEN, resource="graphql", reset_in_s=50)
    with client(fake) as github:
        github.get(runs_path(fake), endpoint="runs")
        assert b"remaining" in github.graphql(POINTS, {}).body
        assert github.meter().waited_s == 51.0
        assert {one.resource for one in github.meter().limits} == {"core", "graphql"}


@pytest.mark.parametrize("left", [30, 70])
def test_points_that_are_short_stop_queries_and_not_calls(fake: FakeGitHub, left: int) -> None:
    fake.leave_calls(left, token=TOKEN, resource="graphql")
    with client(fake) as github:
        github.graphql(POINTS, {})
        with pytest.raises(CallsStoppedError, match="GraphQL queries to GitHub have stopped"):
            github.graphql(POINTS, {})
        asked = fake.journal.count()
        outcomes = list(github.each(lambda _: github.graphql(POINTS, {}), range(5)))
        assert all(isinstance(one.error, CallsStoppedError) for one in outcomes)
        assert fake.journal.count() == asked
        assert github.stopped is None
        github.get(runs_path(fake), endpoint="runs")


def test_faults_of_every_kind_at_once_lose_nothing(fake: FakeGitHub) -> None:
    add_runs(fake, 1)
    for kind in ("error", "reset", "reset in body", "cut", "cut chunked", "bad json", "html"):
        fake.faults.add(kind, chance=0.04, seed=len(kind), times=6)
    with client(fake) as github:
        path = runs_path(fake)
        outcomes = list(github.each(lambda n: github.get(path, {"page": 1, "x": n}, endpoint="runs"), range(150)))
        assert [one.error for one in outcomes] == [None] * 150
        retried = sum(one.retried for one in github.meter().endpoints)
        assert github.meter().calls == 150 + retried == fake.journal.count()
        assert retried > 20


def test_never_more_calls_are_in_flight_than_workers(fake: FakeGitHub) -> None:
    add_runs(fake, 1)
    fake.journal.max_in_flight = 3
    fake.faults.add("slow", delay_s=0.005)
    with client(fake, workers=3) as github:
        list(github.each(lambda _: github.get(runs_path(fake), endpoint="runs"), range(60)))
    assert fake.journal.most_in_flight == 3


def test_logs_come_from_the_blob_host_which_refuses_credentials(fake: FakeGitHub) -> None:
    run = fake.world.add_run(matrix("unit", 8))
    with client(fake) as github:

        def read(number: int) -> tuple[int, str, bytes]:
            path = f"/repos/{fake.world.home.full_name}/actions/jobs/{number}/logs"
            with github.open_download(path, endpoint="job log") as download:
                return download.status, download.host, b"".join(download.iter_bytes())

        jobs = run.latest.jobs
        jobs[0].log_state, jobs[1].log_state = LogState.NEVER, LogState.EXPIRED
        found = {one.item: one.result for one in github.each(read, [one.id for one in jobs])}
        states = [(answer[0], answer[1]) for one in jobs if (answer := found[one.id])]
        assert states == [(404, "blob"), (410, "api")] + [(200, "blob")] * 6
        assert read(4_000_000_000)[:2] == (404, "api")
        assert github.meter().calls == fake.journal.count() == 9


def test_an_app_is_let_in_with_a_clock_that_is_off_and_a_token_that_is_revoked(fake: FakeGitHub) -> None:
    add_runs(fake, 1)
    fake.settings.strict_tokens = True
    app = fake.apps.add(fake.world.home)
    source = AppToken(str(app.app_id), app.private_key_pem.encode(), fake.world.home.full_name)
    with client(fake, token=source) as github:
        github.get(runs_path(fake), endpoint="runs")
        fake.clock.advance(3700)
        outcomes = list(github.each(lambda _: github.get(runs_path(fake), endpoint="runs"), range(10)))
        assert [one.error for one in outcomes] == [None] * 10
    assert fake.apps.given == 2


def test_what_a_token_may_not_see_is_named(fake: FakeGitHub) -> None:
    fake.tokens.add("ghp_little", permissions={"contents": "read"})
    add_runs(fake, 1)
    fake.world.add_repository("o/hidden").readable = False
    with client(fake, token=StaticToken("ghp_little")) as github:
        with pytest.raises(GitHubError, match="the token needs actions: read"):
            github.get(runs_path(fake), endpoint="runs")
        with pytest.raises(GitHubError, match="not there, or the token may not see it"):
            github.get("/repos/o/hidden/actions/runs", endpoint="runs")
