"""Which pull requests that GitHub names with a run are really its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api_bodies import FORK, HOME, REPO, pull_link, run_body
from trackside.github.decode import run_object
from trackside.records.runs import RunAttempt


def a_run(**more: Any) -> RunAttempt:
    return run_object(json.dumps(run_body(**more)).encode(), REPO)


STRANGER = {"id": 900, "name": "inference", "url": "https://api.github.com/repos/someone/inference"}


@pytest.mark.parametrize("base", [STRANGER, {"name": "other"}, {"url": "https://api.github.com/repos/x/y"}, {}])
def test_pull_requests_of_other_repositories_are_not_ours(base: dict[str, Any]) -> None:
    assert a_run(pull_requests=[pull_link(1, base=base), pull_link(31)]).pull_numbers == (31,)


@pytest.mark.parametrize(
    "base",
    [
        {"id": 77},
        {"url": f"https://ghe.example/api/v3/repos/{REPO.upper()}"},
        {"full_name": REPO},
        {"name": "inference"},
    ],
)
def test_pull_requests_of_this_repository_are_ours_by_whatever_is_told(base: dict[str, Any]) -> None:
    assert a_run(pull_requests=[pull_link(31, base=base)]).pull_numbers == (31,)


FORK_URL = {"url": "https://api.github.com/repos/Someone/inference"}


@pytest.mark.parametrize(
    "head",
    [
        {},
        {"repo": {"url": "https://api.github.com/repos/other/inference"}},
        {"repo": {"id": 79, "name": "inference"}},
        {"repo": {"id": 78}, "sha": "b" * 40, "ref": "other"},
        {"repo": None, "sha": "b" * 40, "ref": "other"},
        {"repo": FORK_URL, "sha": "b" * 40, "ref": None},
    ],
)
def test_a_pull_request_of_another_head_is_not_that_of_the_run(head: dict[str, Any]) -> None:
    links = [pull_link(1, head=head), pull_link(31, head={"repo": {"id": 78}})]
    assert a_run(event="pull_request", head_repository=FORK, pull_requests=links).pull_numbers == (31,)


@pytest.mark.parametrize(
    "head",
    [
        {"repo": {"id": 78, "name": "renamed"}},
        {"repo": FORK_URL, "ref": "renamed"},
        {"repo": FORK_URL, "sha": "b" * 40},
        {"repo": FORK_URL, "sha": None, "ref": None},
        {"repo": None},
        {"repo": {}},
    ],
    ids=["id", "same-commit", "pushed-to-since", "nothing-told", "fork-gone", "fork-untold"],
)
def test_a_pull_request_of_the_head_of_the_run_is_its_own(head: dict[str, Any]) -> None:
    run = a_run(event="pull_request", head_repository=FORK, pull_requests=[pull_link(31, head=head)])
    assert run.pull_numbers == (31,)


def test_a_pull_request_counts_where_nothing_is_told_of_its_head() -> None:
    assert a_run(pull_requests=[pull_link(31) | {"head": None}]).pull_numbers == (31,)
    assert a_run(head_sha=None, head_repository=None, pull_requests=[pull_link(31)]).pull_numbers == (31,)


@pytest.mark.parametrize(
    "more",
    [
        {"head_branch": "main"},
        {"head_branch": "master", "repository": None},
        {"head_branch": "develop", "pull_requests": [pull_link(1, base_ref="develop")]},
        {"head_branch": "trunk", "repository": HOME | {"default_branch": "trunk"}},
        {"head_branch": "main", "head_repository": None, "event": "schedule"},
    ],
)
def test_a_run_on_the_default_branch_has_no_pull_request(more: dict[str, Any]) -> None:
    assert a_run(**({"pull_requests": [pull_link(1)]} | more)).pull_numbers == ()


def test_the_default_branch_is_believed_where_it_is_known() -> None:
    body = json.dumps(run_body(head_branch="main", pull_requests=[pull_link(1)])).encode()
    assert run_object(body, REPO, default_branch="develop").pull_numbers == (1,)
    assert run_object(body, REPO, default_branch="main").pull_numbers == ()


@pytest.mark.parametrize("head", [FORK, None])
def test_a_fork_with_a_branch_called_main_keeps_its_pull_request(head: dict[str, Any] | None) -> None:
    links = [pull_link(31, head={"ref": "main", "repo": {"id": 78, "name": "inference"}})]
    body = run_body(head_branch="main", event="pull_request", head_repository=head, pull_requests=links)
    for known in (None, "main"):
        assert run_object(json.dumps(body).encode(), REPO, default_branch=known).pull_numbers == (31,)
