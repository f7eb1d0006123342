from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api_bodies import HOME, REPO, job_body, page, pull_body, pull_link, run_body, step_body
from trackside.github.decode import DecodeProblem, job_object, jobs_page, pulls_page, run_object, runs_page
from trackside.records.jobs import Job, Step
from trackside.records.runs import RunAttempt, Source

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=12,
)


def utc(clock: str, day: str = "2026-03-02") -> dt.datetime:
    return dt.datetime.fromisoformat(f"{day}T{clock}+00:00")


def a_run(**more: Any) -> RunAttempt:
    return run_object(json.dumps(run_body(**more)).encode(), REPO)


def a_job(**more: Any) -> Job:
    job, problems = job_object(json.dumps(job_body(**more)).encode(), REPO)
    assert problems == ()
    return job


def test_every_field_of_a_run_arrives() -> None:
    assert a_run(
        pull_requests=[pull_link(31)], referenced_workflows=[{"path": f"{REPO}/.github/x.yml@v1"}]
    ) == RunAttempt(
        repo=REPO,
        run_id=19001,
        run_attempt=1,
        source=Source.REST,
        run_number=412,
        workflow_id=5,
        workflow_name="CI",
        workflow_file=".github/workflows/ci.yml",
        display_title="Fix the scheduler",
        event="push",
        status="completed",
        conclusion="success",
        created_at=utc("10:00:00"),
        run_started_at=utc("10:00:05"),
        updated_at=utc("10:04:05"),
        duration_s=240.0,
        head_branch="fix",
        head_sha="a" * 40,
        head_repository=REPO,
        actor="ada",
        actor_id=11,
        triggering_actor="grace",
        triggering_actor_id=12,
        head_commit_message="Fix",
        head_commit_author="Ada",
        head_commit_email="ada@example.org",
        pull_numbers=(31,),
        referenced_workflows=(f"{REPO}/.github/x.yml@v1",),
        check_suite_id=6,
        node_id="WFR_kw",
        html_url=f"https://github.com/{REPO}/actions/runs/19001",
    )


def test_every_field_of_a_job_arrives_and_step_numbers_keep_their_gaps() -> None:
    step = Step(
        number=1,
        name="Set up job",
        status="completed",
        conclusion="success",
        started_at=utc("10:00:15"),
        completed_at=utc("10:00:20"),
        duration_s=5.0,
    )
    assert a_job(steps=[step_body(), step_body(number=4)]) == Job(
        repo=REPO,
        job_id=52001,
        run_id=19001,
        run_attempt=1,
        source=Source.REST,
        name="unit-test (0)",
        workflow_name="CI",
        head_branch="fix",
        head_sha="a" * 40,
        status="completed",
        conclusion="success",
        created_at=utc("10:00:05"),
        started_at=utc("10:00:15"),
        completed_at=utc("10:01:15"),
        queue_s=10.0,
        duration_s=60.0,
        runner_id=21,
        runner_name="h100-03",
        runner_group="Default",
        labels=("1-gpu-h100",),
        html_url=f"https://github.com/{REPO}/actions/runs/19001/job/52001",
        steps=(step, Step(**{**{f: getattr(step, f) for f in step.__struct_fields__}, "number": 4})),
    )


def test_what_was_not_told_is_none() -> None:
    run = run_object(b'{"id": 1}', REPO)
    told = {name: value for name in run.__struct_fields__ if (value := getattr(run, name)) not in (None, ())}
    assert told == {"repo": REPO, "run_id": 1, "run_attempt": 1, "source": Source.REST}
    job, problems = job_object(b'{"id": 1, "run_id": 2, "name": "x"}', REPO)
    assert problems == ()
    assert (job.run_attempt, job.queue_s, job.duration_s, job.steps, job.labels) == (1, None, None, (), ())


def test_a_value_that_is_new_to_us_stays_as_it_is() -> None:
    run = a_run(status="hovering", conclusion="startup_failure")
    assert (run.status, run.conclusion, run.duration_s) == ("hovering", "startup_failure", None)
    assert a_job(status="hovering", conclusion="vaporised").conclusion == "vaporised"


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ({"updated_at": "2026-03-02T10:00:05Z"}, 0.0),
        ({"updated_at": "2026-03-02T10:00:03Z"}, 0.0),
        ({"status": "in_progress"}, None),
        ({"run_started_at": None}, None),
        ({"created_at": "2026-03-02T10:00:07Z"}, 240.0),
        ({"created_at": "2026-02-20T10:00:00Z", "run_attempt": 2}, 240.0),
    ],
    ids=["nought", "clocks-differ", "running", "no-start", "created-after-start", "re-run-after-ten-days"],
)
def test_a_run_lasts_from_its_own_start_to_its_last_update(more: dict[str, Any], seconds: float | None) -> None:
    run = a_run(**more)
    assert run.duration_s == seconds
    assert run.created_at == dt.datetime.fromisoformat(more.get("created_at", "2026-03-02T10:00:00Z"))


@pytest.mark.parametrize("status", ["queued", "waiting", "pending", "requested"])
def test_a_job_that_waits_has_not_started_whatever_is_sent(status: str) -> None:
    job = a_job(status=status, conclusion=None, started_at="2026-03-02T10:00:05Z", completed_at=None, steps=[])
    assert (job.started_at, job.queue_s, job.duration_s) == (None, None, None)


def test_a_running_job_has_waited_but_not_lasted() -> None:
    job = a_job(status="in_progress", conclusion=None, completed_at=None)
    assert (job.queue_s, job.duration_s) == (10.0, None)


def test_a_skipped_job_neither_waited_nor_lasted() -> None:
    moment = "2026-03-02T10:00:05Z"
    job = a_job(
        conclusion="skipped", started_at=moment, completed_at=moment, steps=[], runner_id=None, runner_name=None
    )
    assert (job.queue_s, job.duration_s, job.runner_id, job.runner_name) == (None, None, None, None)


def test_a_job_that_started_before_it_was_created_did_not_wait() -> None:
    assert a_job(created_at="2026-03-02T10:00:17Z").queue_s == 0.0
    assert a_job(created_at=None).queue_s is None


def test_no_runner_is_told_in_three_ways() -> None:
    job = a_job(runner_id=0, runner_name="", runner_group_name="")
    assert (job.runner_id, job.runner_name, job.runner_group) == (None, None, None)


def test_times_of_webhooks_and_other_zones_are_utc() -> None:
    job = a_job(started_at="2026-03-02T10:00:15.000Z", completed_at="2026-03-02T12:01:15+02:00")
    assert job.duration_s == 60.0
    assert job.completed_at is not None
    assert job.completed_at.tzinfo is dt.UTC


@pytest.mark.parametrize("text", ["yesterday", "2026-03-02", "2026-03-02T10:00:00", "9999-12-31T23:59:59-10:00", "\0"])
def test_an_unreadable_time_costs_only_itself(text: str) -> None:
    found = jobs_page(page("jobs", job_body(completed_at=text)), REPO)
    assert [job.completed_at for job in found.jobs] == [None]
    assert found.problems == (f"jobs[0].completed_at: {text!r} is no time with a zone",)


def test_the_year_one_means_never() -> None:
    assert a_job(completed_at="0001-01-01T00:00:00Z").completed_at is None


def test_one_bad_item_never_loses_the_page() -> None:
    items = [run_body(id=1), run_body(id="two"), "three", None, run_body(id=2**63), run_body(id=0), run_body(id=7)]
    found = runs_page(page("workflow_runs", *items), REPO)
    assert [run.run_id for run in found.runs] == [1, 7]
    assert found.lost == 5
    assert found.total_count == 7
    assert found.problems == (
        "workflow_runs[1].id: Expected `int`, got `str`",
        "workflow_runs[2]: Expected `object`, got `str`",
        "workflow_runs[3]: Expected `object`, got `null`",
        "workflow_runs[4].id: Expected `int` <= 9223372036854775807",
        "workflow_runs[5].id: Expected `int` >= 1",
    )


def test_one_bad_field_costs_only_itself() -> None:
    steps = [step_body(), step_body(number="two"), step_body(number=3)]
    found = jobs_page(page("jobs", job_body(head_branch=5, labels=["a", None], steps=steps)), REPO)
    assert [(job.head_branch, job.labels) for job in found.jobs] == [(None, ("a",))]
    assert [step.number for step in found.jobs[0].steps] == [1, 3]
    assert found.problems == (
        "jobs[0].head_branch: Expected `str | null`, got `int`",
        "jobs[0].labels[1]: Expected `str`, got `null`",
        "jobs[0].steps[1].number: Expected `int`, got `str`",
        "jobs[0].steps[1]: Object missing required field `number`",
    )


def test_a_hopeless_item_is_given_up() -> None:
    with pytest.raises(DecodeProblem, match=r"more than 100 bad fields, the first is labels\[0\]"):
        job_object(json.dumps(job_body(labels=list(range(200)))).encode(), REPO)


def test_half_a_surrogate_pair_does_not_lose_the_page() -> None:
    titles = ["cut \ud83d", "whole \U0001f600", "nul \0"]
    found = runs_page(page("workflow_runs", *(run_body(display_title=title) for title in titles)), REPO)
    assert [run.display_title for run in found.runs] == ["cut \ufffd", "whole \U0001f600", "nul \0"]
    assert found.problems == ()
    assert [run.display_title.encode() for run in found.runs if run.display_title]


def test_bytes_that_are_no_utf_8_do_not_lose_the_page() -> None:
    body = page("workflow_runs", run_body(), run_body(id=2, display_title="MARK")).replace(b"MARK", b"caf\xe9")
    assert [run.display_title for run in runs_page(body, REPO).runs] == ["Fix the scheduler", "caf\ufffd"]


@pytest.mark.parametrize(
    ("path", "file"),
    [
        (".github/workflows/ci.yml", ".github/workflows/ci.yml"),
        (".github/workflows/ci.yml@main", ".github/workflows/ci.yml"),
        (f"{REPO}/.github/workflows/ci.yaml@refs/heads/a@b", ".github/workflows/ci.yaml"),
        (".github/workflows/at@home.yml", ".github/workflows/at@home.yml"),
        ("dynamic/copilot-swe-agent/copilot", "dynamic/copilot-swe-agent/copilot"),
        ("BuildFailed", "BuildFailed"),
        ("", None),
        (None, None),
    ],
)
def test_the_workflow_file_is_a_path_without_a_ref(path: str | None, file: str | None) -> None:
    assert a_run(path=path).workflow_file == file


def test_a_long_commit_message_is_cut() -> None:
    message = a_run(head_commit={"message": "x" * 50_000, "author": None}).head_commit_message
    assert message == "x" * 10_000


def test_the_page_tells_how_the_repository_is_called_now() -> None:
    renamed = HOME | {"full_name": "octo/renamed"}
    found = runs_page(page("workflow_runs", run_body(repository=None), run_body(repository=renamed)), REPO)
    assert found.repository == "octo/renamed"
    assert {run.repo for run in found.runs} == {REPO}


def test_a_count_that_is_none_costs_only_the_count() -> None:
    found = jobs_page(page("jobs", job_body(), total_count="many"), REPO)
    assert (found.total_count, len(found.jobs)) == (None, 1)
    assert found.problems == ("total_count: Expected `int | null`, got `str`",)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"workflow_runs": 5}', b'{"jobs": []}', b"<html>", b"[" * 200_000]
)
def test_what_is_no_page_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(DecodeProblem, match=r"page|workflow_runs"):
        runs_page(body, REPO)


def test_pull_requests_of_another_base_are_left_out() -> None:
    foreign = {"ref": "main", "repo": HOME | {"full_name": "upstream/inference", "default_branch": "trunk"}}
    body = json.dumps([pull_body(number=9, base=foreign), pull_body(), pull_body(number=3, base={"repo": None})])
    found = pulls_page(body.encode(), REPO)
    assert [pull.number for pull in found.pulls] == [31]
    assert (found.default_branch, found.items, found.lost) == ("main", 3, 0)
    pull = found.pulls[0]
    assert (pull.author, pull.head_sha, pull.head_repository, pull.base_branch) == (
        "ada",
        "a" * 40,
        "someone/inference",
        "main",
    )
    assert pull.merged_at is None


def test_a_renamed_repository_keeps_its_pull_requests() -> None:
    body = json.dumps([pull_body()]).encode()
    assert pulls_page(body, "octo/old-name").pulls == ()
    found = pulls_page(body, "octo/old-name", repository=REPO)
    assert [(pull.repo, pull.number) for pull in found.pulls] == [("octo/old-name", 31)]


def test_a_bad_pull_request_is_lost_alone() -> None:
    found = pulls_page(json.dumps([pull_body(number=None), pull_body()]).encode(), REPO)
    assert ([pull.number for pull in found.pulls], found.lost) == ([31], 1)
    assert found.problems == ("pulls[0].number: Expected `int`, got `null`",)


@given(JSON_VALUES, st.dictionaries(st.sampled_from(sorted(run_body())), JSON_VALUES, max_size=4))
def test_a_run_of_any_json_is_read_or_named_as_a_problem(anything: Any, fields: dict[str, Any]) -> None:
    for value in (anything, run_body() | fields):
        try:
            run = run_object(json.dumps(value).encode(), REPO)
        except DecodeProblem:
            continue
        assert run.run_id >= 1


@given(JSON_VALUES, st.dictionaries(st.sampled_from(sorted(job_body())), JSON_VALUES, max_size=4))
def test_a_page_of_any_json_is_read_or_named_as_a_problem(anything: Any, fields: dict[str, Any]) -> None:
    found = jobs_page(page("jobs", anything, job_body() | fields, job_body(id=3)), REPO)
    assert found.jobs[-1].job_id == 3
    assert len(found.jobs) + found.lost == 3
    assert bool(found.lost) <= bool(found.problems)


@given(st.dictionaries(st.sampled_from(sorted(run_body().keys() - {"id", "run_attempt"})), JSON_VALUES, max_size=3))
def test_the_fields_that_are_right_survive_the_ones_that_are_wrong(wrong: dict[str, Any]) -> None:
    found = runs_page(page("workflow_runs", run_body() | wrong), REPO)
    assert found.lost == 0
    untouched = {"display_title", "event", "status", "conclusion", "head_branch", "head_sha"} - wrong.keys()
    assert {name: getattr(found.runs[0], name) for name in untouched} == {name: run_body()[name] for name in untouched}


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_named_as_a_problem(body: bytes) -> None:
    for read in (runs_page, jobs_page, pulls_page):
        with pytest.raises(DecodeProblem):
            read(b'{"x":' + body, REPO)
