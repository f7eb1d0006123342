"""GraphQL on the fake GitHub: values, costs and errors, held against graphql-core's own execution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pytest
from graphql import GraphQLResolveInfo, graphql_sync

from tests.fake_github import FakeGitHub, Step, job, matrix
from tests.fake_github.bodies import Bodies
from tests.fake_github.graph import schema
from tests.fake_github.graph_cost import Cost
from tests.fake_github.graph_fields import FIELDS
from tests.fake_github.graph_values import Asked

TOKEN = {"Authorization": "Bearer ghp_secret", "X-GitHub-Api-Version": "2022-11-28"}
RUNS = """
query($ids: [ID!]!, $steps: Int = 50, $type: CheckRunType = ALL, $after: String) {
  nodes(ids: $ids) {
    __typename
    ... on WorkflowRun {
      databaseId runNumber event url createdAt updatedAt
      workflow { name databaseId }
      checkSuite {
        ...Suite
        matchingPullRequests(first: 5) { nodes { number state headRefOid baseRepository { nameWithOwner } } }
      }
    }
  }
}
fragment Suite on CheckSuite {
  databaseId status conclusion
  checkRuns(first: 20, after: $after, filterBy: {checkType: $type}) {
    totalCount
    pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
    edges { cursor node { id } }
    nodes {
      databaseId name status conclusion startedAt completedAt url detailsUrl
      steps(first: $steps) {
        totalCount
        nodes { number name status conclusion startedAt completedAt secondsToCompletion }
      }
    }
  }
}
"""


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        fake.world.add_repository("octo/engine")
        yield fake


def ask(github: FakeGitHub, query: str, /, **variables: object) -> httpx2.Response:
    return httpx2.post(github.graphql_url, json={"query": query, "variables": variables}, headers=TOKEN, timeout=20)


def node_ids(github: FakeGitHub) -> list[str]:
    return list(github.world.nodes)


def data(answer: httpx2.Response) -> Any:
    assert answer.status_code == 200
    assert "errors" not in answer.json()
    return answer.json()["data"]


def test_runs_come_with_jobs_steps_and_pull_requests(github: FakeGitHub) -> None:
    steps = (Step(1, "Set up job"), Step(4, "Test", "timed_out", 3, 40), Step(9, "Post", None, None, None))
    run = github.world.add_run(
        [job("unit (0)", "timed_out", steps=steps)], conclusion="startup_failure", branch="topic"
    )
    github.world.add_pull(branch="topic", number=12)
    (shown,) = data(ask(github, RUNS, ids=node_ids(github)))["nodes"]
    assert (shown["databaseId"], shown["runNumber"], shown["event"]) == (run.id, 1, "push")
    suite = shown["checkSuite"]
    assert (suite["status"], suite["conclusion"]) == ("COMPLETED", "STARTUP_FAILURE")
    assert suite["matchingPullRequests"]["nodes"][0]["number"] == 12
    (check,) = suite["checkRuns"]["nodes"]
    assert (check["databaseId"], check["conclusion"]) == (run.latest.jobs[0].id, "TIMED_OUT")
    assert check["url"].endswith(f"/actions/runs/{run.id}/job/{check['databaseId']}")
    assert check["steps"]["nodes"] == [
        {
            "number": 1,
            "name": "Set up job",
            "status": "COMPLETED",
            "conclusion": "SUCCESS",
            "startedAt": "2026-06-01T12:00:05Z",
            "completedAt": "2026-06-01T12:00:06Z",
            "secondsToCompletion": 1,
        },
        {
            "number": 4,
            "name": "Test",
            "status": "COMPLETED",
            "conclusion": "TIMED_OUT",
            "startedAt": "2026-06-01T12:00:08Z",
            "completedAt": "2026-06-01T12:00:48Z",
            "secondsToCompletion": 40,
        },
        {
            "number": 9,
            "name": "Post",
            "status": "QUEUED",
            "conclusion": None,
            "startedAt": None,
            "completedAt": None,
            "secondsToCompletion": None,
        },
    ]


def test_all_check_runs_are_those_of_all_attempts_and_the_latest_the_newest_of_each_name(github: FakeGitHub) -> None:
    run = github.world.add_run([job("good"), job("bad", "failure")], conclusion="failure")
    github.world.rerun(run)

    def names(kind: str) -> list[tuple[str, str]]:
        (shown,) = data(ask(github, RUNS, ids=node_ids(github), type=kind))["nodes"]
        return [(check["name"], check["conclusion"]) for check in shown["checkSuite"]["checkRuns"]["nodes"]]

    assert names("ALL") == [("good", "SUCCESS"), ("bad", "FAILURE"), ("bad", "SUCCESS")]
    assert names("LATEST") == [("good", "SUCCESS"), ("bad", "SUCCESS")]


def test_cursors_lead_through_all_check_runs(github: FakeGitHub) -> None:
    run = github.world.add_run(matrix("unit", 45))
    seen, after = [], None
    for _ in range(3):
        (shown,) = data(ask(github, RUNS, ids=node_ids(github), after=after))["nodes"]
        part = shown["checkSuite"]["checkRuns"]
        seen += [check["databaseId"] for check in part["nodes"]]
        after = part["pageInfo"]["endCursor"]
    assert part["pageInfo"]["hasNextPage"] is False
    assert part["totalCount"] == 45
    assert seen == [one.id for one in run.latest.jobs]


def test_what_is_not_there_is_null_with_an_error_and_the_rest_arrives(github: FakeGitHub) -> None:
    github.world.add_run(1)
    answer = ask(github, "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["gone", *node_ids(github)]).json()
    assert answer["data"]["nodes"] == [None, {"id": node_ids(github)[0]}]
    (problem,) = answer["errors"]
    assert (problem["type"], problem["path"]) == ("NOT_FOUND", ["nodes", 0])
    alone = ask(github, '{ node(id: "gone") { id } repository(owner: "a", name: "b") { name } }').json()
    assert alone["data"] == {"node": None, "repository": None}
    assert len(alone["errors"]) == 2


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        (
            '{ repository(owner: "octo", name: "engine") { pullRequests { totalCount } } }',
            "MISSING_PAGINATION_BOUNDARIES",
        ),
        (
            '{ repository(owner: "octo", name: "engine") { pullRequests(first: 101) { totalCount } } }',
            "EXCESSIVE_PAGINATION",
        ),
        (
            "query($ids: [ID!]!) { nodes(ids: $ids) { ... on WorkflowRun { checkSuite { checkRuns(first: 100) "
            "{ nodes { steps(first: 100) { totalCount } } } } } } }",
            "MAX_NODE_LIMIT_EXCEEDED",
        ),
    ],
)
def test_a_query_that_asks_for_too_much_is_told_so_and_gets_nothing(github: FakeGitHub, query: str, kind: str) -> None:
    told = {"ids": ["x"] * 60} if "$ids" in query else {}
    answer = ask(github, query, **told).json()
    assert [problem["type"] for problem in answer["errors"]] == [kind]
    assert "data" not in answer


def test_more_than_a_hundred_ids_are_too_many(github: FakeGitHub) -> None:
    answer = ask(github, "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["x"] * 101).json()
    assert answer["errors"][0]["type"] == "ARGUMENT_LIMIT"


@pytest.mark.parametrize("query", ["{ nope }", "{", "mutation { a }", "{ node(id: 1.5) { id } }", ""])
def test_a_query_that_does_not_fit_the_schema_is_200_with_errors_only(github: FakeGitHub, query: str) -> None:
    answer = ask(github, query)
    assert answer.status_code == 200
    assert list(answer.json()) == ["errors"]


def test_points_follow_the_published_formula_and_are_counted_apart(github: FakeGitHub) -> None:
    github.world.add_run(1)
    query = RUNS.replace(
        "nodes(ids: $ids)", "rateLimit { cost nodeCount limit used remaining resetAt } nodes(ids: $ids)"
    )
    # 50 runs: a connection of check runs each, one of pull requests, and one of steps in each of 20 check runs.
    told = ask(github, query, ids=node_ids(github) * 50).json()["data"]["rateLimit"]
    assert told["cost"] == 11
    assert told["nodeCount"] == 50 + 50 * 20 + 50 * 20 * 50 + 50 * 5
    assert (told["limit"], told["used"], told["remaining"]) == (5000, 11, 4989)
    answer = ask(github, "{ rateLimit { cost } }")
    assert data(answer) == {"rateLimit": {"cost": 1}}
    assert answer.headers["x-ratelimit-resource"] == "graphql"
    assert answer.headers["x-ratelimit-used"] == "12"
    core = httpx2.get(f"{github.api_url}/rate_limit", headers=TOKEN).json()["resources"]
    assert (core["core"]["used"], core["graphql"]["used"]) == (0, 12)


def test_used_up_points_are_an_error_in_the_body_or_403(github: FakeGitHub) -> None:
    github.leave_calls(1, token="ghp_secret", resource="graphql")
    assert ask(github, "{ rateLimit { remaining } }").json()["data"] == {"rateLimit": {"remaining": 0}}
    refused = ask(github, "{ rateLimit { remaining } }")
    assert (refused.status_code, refused.json()["errors"][0]["type"]) == (200, "RATE_LIMITED")
    assert refused.headers["x-ratelimit-remaining"] == "0"
    github.settings.graphql_over_limit_status = 403
    assert ask(github, "{ rateLimit { remaining } }").status_code == 403
    github.clock.advance(3600)
    assert ask(github, "{ rateLimit { remaining } }").json()["data"] == {"rateLimit": {"remaining": 4999}}


def test_without_a_token_there_is_no_answer(github: FakeGitHub) -> None:
    answer = httpx2.post(github.graphql_url, json={"query": "{ rateLimit { cost } }"})
    assert (answer.status_code, answer.json()["message"]) == (401, "This endpoint requires you to be authenticated.")
    assert httpx2.post(github.graphql_url, content=b"{", headers=TOKEN).status_code == 400


def test_a_query_for_more_check_runs_than_is_set_ends_in_502(github: FakeGitHub) -> None:
    for _ in range(4):
        github.world.add_run(10)
    github.settings.graphql_max_check_runs = 25
    ids = node_ids(github)
    assert ask(github, RUNS, ids=ids).status_code == 502
    assert ask(github, RUNS, ids=ids[:2]).status_code == 200
    github.faults.add("error", endpoint="graphql", status=504)
    assert ask(github, RUNS, ids=ids[:2]).status_code == 504


def test_numbers_longer_than_32_bits_may_be_null(github: FakeGitHub) -> None:
    github.world.add_run(1)
    github.settings.graphql_big_ids = False
    (shown,) = data(ask(github, RUNS, ids=node_ids(github)))["nodes"]
    (check,) = shown["checkSuite"]["checkRuns"]["nodes"]
    assert shown["databaseId"] is check["databaseId"] is None


def test_directives_aliases_and_nested_fragments_are_understood(github: FakeGitHub) -> None:
    github.world.add_run(1)
    query = """query($id: ID!, $no: Boolean = false) {
        run: node(id: $id) { ...A ... on WorkflowRun @include(if: $no) { url } event: id @skip(if: true) }
    }
    fragment A on Node { ...B id }
    fragment B on WorkflowRun { number: runNumber checkSuite { status } checkSuite { conclusion } }"""
    assert data(ask(github, query, id=node_ids(github)[0])) == {
        "run": {
            "number": 1,
            "checkSuite": {"status": "COMPLETED", "conclusion": "SUCCESS"},
            "id": node_ids(github)[0],
        }
    }


def test_every_field_of_the_schema_has_a_value() -> None:
    for name, fields in FIELDS.items():
        kind: Any = schema().get_type(name)
        assert set(kind.fields) == set(fields), name


def test_answers_are_those_of_graphql_core(github: FakeGitHub) -> None:
    world = github.world
    world._next.update({"job": 500, "suite": 900})  # graphql-core refuses numbers beyond 32 bits
    first = world.add_run(matrix("unit", 25, ["failure"]), conclusion="failure", number=7, branch="topic")
    world.rerun(first)
    world.add_run([job("a", None), job("b", "skipped"), job("c", None, wait_s=-1)], conclusion=None, number=8)
    world.add_pull(branch="topic", number=3)
    served = data(ask(github, RUNS, ids=node_ids(github), steps=3))

    bucket = github.rates.bucket(github.tokens.nobody)
    asked = Asked(world, Bodies(github.api_url, github.html_url), github.settings, Cost(), bucket)

    def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        value = source[1] if isinstance(source, tuple) and source[0] == "WorkflowRun" else source
        return FIELDS[info.parent_type.name][info.field_name](asked, value, arguments)

    done = graphql_sync(
        schema(),
        RUNS,
        variable_values={"ids": node_ids(github), "steps": 3},
        field_resolver=resolve,
        type_resolver=lambda value, info, of: value[0],
    )
    assert done.errors is None
    assert msgspec.json.decode(msgspec.json.encode(done.data)) == served


def test_the_schema_tells_of_itself(github: FakeGitHub) -> None:
    told = data(ask(github, '{ __type(name: "CheckSuite") { fields { name } } }'))
    assert "matchingPullRequests" in [field["name"] for field in told["__type"]["fields"]]


@pytest.mark.parametrize(
    ("arguments", "kind"), [("first: -1", "ARGUMENT_LIMIT"), ('first: 1, after: "x"', "INVALID_CURSOR_ARGUMENTS")]
)
def test_arguments_that_make_no_sense_are_errors(github: FakeGitHub, arguments: str, kind: str) -> None:
    query = f'{{ repository(owner: "octo", name: "engine") {{ pullRequests({arguments}) {{ totalCount }} }} }}'
    assert ask(github, query).json()["errors"][0]["type"] == kind
