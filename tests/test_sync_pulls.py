"""Which pull requests commits belong to: by the list where it tells, else asked once for each commit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_github import FakeGitHub, Kind
from tests.syncing import rows, sync_once
from trackside.store.store import Store, open_store

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as one:
        yield one


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def numbers(store: Store) -> dict[str, tuple[int, ...]]:
    return {row["sha"]: tuple(row["numbers"]) for row in rows(store, "commit_pulls")}


def asked(github: FakeGitHub) -> set[str]:
    return {call.path.split("/")[5] for call in github.journal.calls if call.endpoint == "commit pulls"}


def test_the_list_explains_heads_merges_and_branches_of_forks(github: FakeGitHub, store: Store) -> None:
    world, now = github.world, github.clock.now()
    home = world.add_repository("octo/engine")
    fork = world.add_repository("eve/engine", fork=True)
    opened = now - 5 * HOUR
    head = world.add_run(1, event="pull_request", branch="faster")
    world.add_pull("by its head", branch="faster", sha=head.head_sha, at=opened)
    merge = world.add_run(1, event="push")
    world.add_pull("by its merge", branch="old", merged_as=merge.head_sha, at=opened)
    of_fork = world.add_run(1, event="pull_request", branch="main", head_repository=fork, at=now - HOUR)
    world.add_pull("by its branch, pushed to since", branch="main", head_repository=fork, at=opened)
    world.add_pull("of another repository", branch="main", repo=fork, head_repository=home, sha=merge.head_sha)
    plain = world.add_run(1, event="push")
    sync_once(github, store)
    assert numbers(store) == {head.head_sha: (1,), merge.head_sha: (2,), of_fork.head_sha: (3,), plain.head_sha: ()}
    assert asked(github) == {plain.head_sha}
    assert [row["number"] for row in rows(store, "pulls")] == [1, 2, 3]


def test_a_commit_is_asked_for_once_ever(github: FakeGitHub, store: Store) -> None:
    run = github.world.add_run(1)
    github.world.add_run(1, sha=run.head_sha, workflow="Nightly")
    sync_once(github, store)
    github.clock.advance(3600)
    github.world.add_run(1, sha=run.head_sha, workflow="Weekly")
    sync_once(github, store)
    assert github.journal.count("commit pulls") == 1
    assert numbers(store) == {run.head_sha: ()}


def test_pull_requests_of_other_repositories_never_count(github: FakeGitHub, store: Store) -> None:
    run = github.world.add_run(1, event="push", branch="main")
    parent = github.world.add_repository("upstream/engine")
    github.world.add_pull(repo=parent, head_repository=github.world.home, branch="main", sha=run.head_sha)
    run.wrong_pulls = (1, 260)
    sync_once(github, store)
    assert numbers(store) == {run.head_sha: ()}
    assert rows(store, "pulls") == []


@pytest.mark.parametrize("pulls", ["all", "list", "none"])
@pytest.mark.parametrize("branch", ["main", "develop"])
def test_a_run_on_the_default_branch_has_no_pull_request(
    github: FakeGitHub, store: Store, branch: str, pulls: str
) -> None:
    home = github.world.add_repository("octo/engine", default_branch=branch)
    run = github.world.add_run(1, event="push")
    github.world.add_pull("from the default branch", branch=branch, repo=home)
    run.wrong_pulls = (1, 260)
    sync_once(github, store, pulls=pulls)
    [row] = rows(store, "runs")
    assert (row["head_branch"], row["pull_numbers"]) == (branch, [])
    assert numbers(store) == ({run.head_sha: ()} if pulls == "all" else {})


def test_branches_of_forks_that_are_gone_are_not_taken_for_one_another(github: FakeGitHub, store: Store) -> None:
    pull = github.world.add_pull("from a fork that is gone", branch="patch-1", at=github.clock.now() - HOUR)
    pull.head_repository = None
    run = github.world.add_run(1, event="pull_request", branch="patch-1")
    run.overrides = {"head_repository": None}
    sync_once(github, store)
    assert asked(github) == {run.head_sha}
    assert numbers(store) == {run.head_sha: ()}


def test_a_run_on_the_base_of_a_pull_request_is_not_one_of_its_commits(github: FakeGitHub, store: Store) -> None:
    fork = github.world.add_repository("octo/engine") and github.world.add_repository("eve/engine", fork=True)
    github.world.add_pull(branch="patch", head_repository=fork, at=github.clock.now() - HOUR)
    base = github.world.add_run(1, event="pull_request_target", branch="patch", head_repository=fork)
    sync_once(github, store)
    assert numbers(store) == {base.head_sha: ()}


def test_where_the_list_is_refused_no_commit_is_asked_for(github: FakeGitHub, store: Store) -> None:
    run = github.world.add_run(1, event="pull_request", branch="faster")
    github.world.add_pull(branch="faster", at=github.clock.now() - HOUR)
    github.faults.add(Kind.ERROR, endpoint="pulls", status=403)
    record = sync_once(github, store)
    assert record.status == "partial"
    assert [item.what for item in record.missing] == ["lists of pull requests"]
    assert numbers(store) == {}
    github.faults.clear()
    assert sync_once(github, store).status == "ok"
    assert numbers(store) == {run.head_sha: (1,)}
    assert asked(github) == set()


def test_where_there_is_no_list_every_commit_is_asked_for_once(github: FakeGitHub, store: Store) -> None:
    run = github.world.add_run(1, event="pull_request", branch="faster")
    plain = github.world.add_run(1, event="push")
    github.world.add_pull("Faster", branch="faster", sha=run.head_sha, at=github.clock.now() - HOUR)
    github.faults.add(Kind.ERROR, endpoint="pulls", status=404)
    record = sync_once(github, store)
    assert (record.status, record.missing) == ("ok", ())
    assert "no list of pull requests" in " ".join(record.notes)
    assert numbers(store) == {run.head_sha: (1,), plain.head_sha: ()}
    assert [row["title"] for row in rows(store, "pulls")] == ["Faster"]
    sync_once(github, store)
    assert github.journal.count("commit pulls") == 2


def test_where_there_is_no_list_and_no_commit_may_be_asked_for_the_list_is_missing(
    github: FakeGitHub, store: Store
) -> None:
    github.world.add_run(1)
    github.faults.add(Kind.ERROR, endpoint="pulls", status=404)
    record = sync_once(github, store, pulls="list")
    assert [item.what for item in record.missing] == ["lists of pull requests"]


def test_a_pull_request_that_a_commit_told_of_hides_none_of_the_next_list(github: FakeGitHub, store: Store) -> None:
    world = github.world
    run = world.add_run(1, event="push")
    world.add_pull("known", at=github.clock.now() - HOUR)

    def work_goes_on() -> None:
        github.clock.advance(10)
        world.add_pull("in between", branch="b")
        github.clock.advance(10)
        world.add_pull("the commit's", branch="c", merged_as=run.head_sha)

    github.faults.add(Kind.CALL, endpoint="jobs", nth=1, call=work_goes_on)
    sync_once(github, store)
    assert numbers(store) == {run.head_sha: (3,)}
    sync_once(github, store)
    assert [row["title"] for row in rows(store, "pulls")] == ["known", "in between", "the commit's"]


def test_a_commit_that_is_worked_on_is_asked_for_again(github: FakeGitHub, store: Store) -> None:
    run = github.world.add_run(1, event="push")
    github.world.home.busy_commits.add(run.head_sha)
    record = sync_once(github, store)
    assert [item.what for item in record.missing] == ["pull requests of commits"]
    github.world.home.busy_commits.clear()
    github.world.add_pull(merged_as=run.head_sha, at=github.clock.now() - 30 * 24 * HOUR)
    assert sync_once(github, store).status == "ok"
    assert numbers(store) == {run.head_sha: (1,)}


@pytest.mark.parametrize("how", ["by the list", "by asking"])
def test_pull_requests_of_a_renamed_repository_are_its_own(github: FakeGitHub, store: Store, how: str) -> None:
    github.world.add_run(1)
    sync_once(github, store)
    github.world.rename(github.world.home, "octo/motor")
    github.clock.advance(3600)
    run = github.world.add_run(1, event="pull_request", branch="faster")
    commits = [run.head_sha] if how == "by asking" else []
    github.world.add_pull(branch="other" if commits else "faster", commits=commits)
    assert sync_once(github, store).status == "ok"
    assert numbers(store)[run.head_sha] == (1,)
    assert [row["number"] for row in rows(store, "pulls")] == [1]
    assert {row["repo"] for row in rows(store, "pulls")} == {"octo/engine"}


def test_the_list_is_read_back_to_what_is_known(github: FakeGitHub, store: Store) -> None:
    now = github.clock.now()
    for index in range(250):
        github.world.add_pull(f"Pull {index}", branch=f"b{index}", at=now - (index + 1) * HOUR / 2)
    sync_once(github, store)
    assert github.journal.count("pulls") == 3
    assert len(rows(store, "pulls")) == 250
    github.clock.advance(3600)
    touched = github.world.home.pulls[200]
    touched.updated_at, touched.title = github.clock.now(), "Renamed"
    github.journal.clear()
    record = sync_once(github, store)
    assert (github.journal.count("pulls"), record.pulls_new) == (1, 1)
    assert {row["title"] for row in rows(store, "pulls") if row["number"] == touched.number} == {"Renamed"}


def test_a_list_of_pull_requests_without_end_is_given_up(github: FakeGitHub, store: Store) -> None:
    github.world.add_run(1)
    for index in range(150):
        github.world.add_pull(branch=f"b{index}")
    github.faults.add(Kind.EMPTY_PAGE, endpoint="pulls")
    record = sync_once(github, store)
    assert [item.what for item in record.missing] == ["lists of pull requests"]
    assert github.journal.count("pulls") < 5
