"""The data file of agent operations: the established names and figures, and what stands beside them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from msgspec.structs import replace

from tests.agent_data import NOW, a_document, problems
from tests.agent_frames import a_step, an_agent_history, an_agent_run
from tests.history_frames import START, a_failure, a_job
from trackside.agents.frames import ARTIFACT_COLUMNS
from trackside.agents.knowledge import Entry
from trackside.records.agent_rules import AgentRules, Bands
from trackside.records.attribution import Attribution, Role, Signal, SignalKind
from trackside.records.pulls import PullRequest

HOUR = dt.timedelta(hours=1)
ESTABLISHED_RUN = (
    "id", "run_number", "workflow_name", "workflow_file", "display_title", "status", "conclusion", "created_at",
    "updated_at", "duration_seconds", "html_url", "run_started_at", "triggering_actor", "event", "head_branch",
    "head_sha", "agent_name", "issue_number", "pr_numbers", "pull_requests",
)  # fmt: skip
HOSTILE = '<svg/onload=alert(1)> "; \u202e\x1b[31m @everyone #1 ' + "x" * 5_000


def only_run(history: Any, **told: Any) -> dict[str, Any]:
    [run] = a_document(history, **told)["runs"]
    assert isinstance(run, dict)
    return run


def test_a_document_with_only_runs_jobs_and_steps_follows_the_schema() -> None:
    enhanced = {
        "runs": [
            {
                "jobs": [
                    {
                        "id": 123,
                        "name": "build",
                        "duration_seconds": 45.2,
                        "steps": [{"name": "Checkout", "conclusion": "success", "duration_seconds": 2.1}],
                    }
                ]
            }
        ]
    }
    assert problems("agentops-runs", enhanced) == []
    enhanced["runs"][0]["jobs"][0]["duration_seconds"] = "45 s"
    assert problems("agentops-runs", enhanced) != []


def test_the_established_fields_keep_their_names_and_units() -> None:
    run = an_agent_run(1, "failure", agent="claude", pull_numbers=[7], issue_numbers=[5, 6], issue_source="pull_body")
    document = a_document(an_agent_history([run]))
    told = document["runs"][0]

    assert set(ESTABLISHED_RUN) <= told.keys()
    assert {name: told[name] for name in ESTABLISHED_RUN} == {
        "id": 1001,
        "run_number": 1,
        "workflow_name": "PR Test",
        "workflow_file": "pr-test.yml",
        "display_title": "Change 1",
        "status": "completed",
        "conclusion": "failure",
        "created_at": "2026-06-01T09:00:00Z",
        "updated_at": "2026-06-01T09:15:00Z",
        "duration_seconds": 900.0,
        "html_url": "https://github.com/octo/engine/actions/runs/1001",
        "run_started_at": "2026-06-01T09:00:00Z",
        "triggering_actor": "alice",
        "event": "push",
        "head_branch": "main",
        "head_sha": run["sha"][:8],
        "agent_name": "claude",
        "issue_number": 5,
        "pr_numbers": [7],
        "pull_requests": [
            {"number": 7, "url": "https://github.com/octo/engine/pull/7", "state": None, "title": None},
        ],
    }
    assert document["last_updated"] == "2026-06-03T12:00:00.000000+00:00"
    assert (told["head_sha_full"], told["commit_url"]) == (
        run["sha"],
        f"https://github.com/octo/engine/commit/{run['sha']}",
    )
    assert (told["issue_numbers"], told["issue_source"]) == ([5, 6], "pull_body")
    assert (told["agent_role"], told["agent_source"], told["agent_confidence"]) == ("ran", "step_name", 0.9)


def test_the_established_rate_keeps_its_arithmetic_and_the_rate_to_go_by_stands_beside_it() -> None:
    ends = ["success", "success", "failure", "cancelled", "cancelled", "skipped", "timed_out", None, "odd"]
    document = a_document(an_agent_history([an_agent_run(n, end) for n, end in enumerate(ends)]))
    summary = document["summary"]

    assert (summary["total_runs"], summary["completed"], summary["in_progress"]) == (9, 8, 1)
    assert (summary["success"], summary["failure"]) == (2, 1)
    assert (summary["success_rate"], summary["success_rate_denominator"]) == (25.0, "completed")
    decided = summary["success_of_decided"]
    assert (decided["successes"], decided["n"], decided["rate"]) == (2, 4, 0.5)
    assert decided["low"] == pytest.approx(0.15, abs=0.01)
    assert decided["high"] == pytest.approx(0.85, abs=0.01)
    assert decided["denominator"] == "success + failure + timed_out + startup_failure"
    outcomes = dict(summary["outcomes"])
    assert outcomes.pop("total") == sum(outcomes.values()) == 9
    assert outcomes["other"] == 1


def test_rates_of_nothing_are_unknown_and_not_zero() -> None:
    for runs in ([], [an_agent_run(1, None, duration_s=None)]):
        summary = a_document(an_agent_history(runs))["summary"]
        assert (
            summary["success_rate"] is summary["avg_duration_seconds"] is summary["success_of_decided"]["rate"] is None
        )


def test_workloads_count_who_ran_and_add_up_with_other_parts_and_unattributed_runs() -> None:
    runs = [
        an_agent_run(1, "success", agent="claude"),
        an_agent_run(2, "failure", agent="claude"),
        an_agent_run(3, "cancelled", agent="claude"),
        an_agent_run(4, "success", agent="claude", agent_role="triggered_by", agent_source="actor"),
        an_agent_run(5, "success", agent="copilot", agent_role="authored", agent_source="branch"),
        an_agent_run(6, None),
    ]
    document = a_document(an_agent_history(runs))
    workload = document["agent_workload"]

    assert list(workload) == ["claude", "copilot"]
    claude = workload["claude"]
    assert (claude["total"], claude["success"], claude["failure"], claude["in_progress"]) == (3, 1, 1, 0)
    assert claude["outcomes"]["cancelled"] == 1
    assert (claude["other_roles"], workload["copilot"]["total"]) == ({"triggered_by": 1}, 0)
    assert document["unattributed"]["total"] == 1
    assert document["other_roles"] == {"authored": 1, "triggered_by": 1}
    parts = sum(one["total"] for one in workload.values()) + sum(document["other_roles"].values())
    assert parts + document["unattributed"]["total"] == document["summary"]["total_runs"]


def test_workflows_are_told_by_their_file_and_those_of_github_by_their_path() -> None:
    runs = [
        an_agent_run(1, duration_s=10.0),
        an_agent_run(2, "failure", duration_s=20.0),
        an_agent_run(3, workflow="Copilot coding agent", workflow_file="dynamic/copilot-swe-agent/copilot"),
        an_agent_run(4, workflow="Gone", workflow_file=None),
    ]
    stats = a_document(an_agent_history(runs))["workflow_stats"]
    assert {name: one["total"] for name, one in stats.items()} == {
        "pr-test.yml": 2,
        "Gone": 1,
        "dynamic/copilot-swe-agent/copilot": 1,
    }
    assert (stats["pr-test.yml"]["failure"], stats["pr-test.yml"]["avg_duration"]) == (1, 15.0)


def test_each_attempt_is_a_record_and_a_success_takes_no_failure_away() -> None:
    ends = ["failure", "timed_out", "success"]
    runs = [an_agent_run(1, end, run_attempt=n, is_latest=n == 3) for n, end in enumerate(ends, 1)]
    document = a_document(an_agent_history(runs))
    assert [(run["run_attempt"], run["conclusion"]) for run in document["runs"]] == [
        (3, "success"),
        (2, "timed_out"),
        (1, "failure"),
    ]
    assert (document["summary"]["total_runs"], document["summary"]["distinct_runs"]) == (3, 1)
    assert document["summary"]["failure"] == 1


def test_a_job_whose_runner_was_lost_names_no_failed_step_as_the_statistics_do() -> None:
    run = an_agent_run(1, "failure")
    lost = a_job(run, "unit", "failure", failed_step="Run tests", failed_steps=["Run tests"])
    history = an_agent_history([run], [lost], [a_step(lost, 1, "Set up job"), a_step(lost, 5, "Run tests", None)])
    document = a_document(history)
    told = [document["runs"][0]["jobs"][0], document["statistics"]["failed"][0]]
    assert [(one["failed_step"], one["failed_steps"]) for one in told] == [(None, []), (None, [])]


def test_jobs_and_steps_are_told_with_their_times_and_the_failed_ones_by_name() -> None:
    run = an_agent_run(1, "failure")
    bad = a_job(run, "unit (1)", "failure", failed_steps=["Run tests", "Report"])
    skipped = a_job(run, "deploy", "skipped", started_at=None, completed_at=None, duration_s=None, queue_s=None)
    steps = [a_step(bad, 1, "Set up job"), a_step(bad, 5, "Run tests", "failure"), a_step(bad, 6, "Report", "failure")]
    history = an_agent_history(
        [run], [bad, skipped], steps, labels={bad["job_id"]: ("gpu", "x64")}, failures=[a_failure(bad, "test")]
    )
    told = only_run(history)
    jobs = {job["name"]: job for job in told["jobs"]}

    assert (told["jobs_status"], told["job_count"], told["step_count"]) == ("read", 2, 3)
    assert {name: jobs["unit (1)"][name] for name in jobs["unit (1)"] if name != "steps"} == {
        "id": bad["job_id"],
        "name": "unit (1)",
        "status": "completed",
        "conclusion": "failure",
        "started_at": "2026-06-01T09:00:30Z",
        "completed_at": "2026-06-01T09:10:30Z",
        "duration_seconds": 600.0,
        "queue_seconds": 30.0,
        "runner": "gpu-runner-1",
        "labels": ["gpu", "x64"],
        "attempt": 1,
        "html_url": bad["url"],
        "failed_step": "Run tests",
        "failed_steps": ["Run tests", "Report"],
        "cause": "test",
        "step_count": 3,
    }
    assert jobs["unit (1)"]["steps"][1] == {
        "number": 5,
        "name": "Run tests",
        "status": "completed",
        "conclusion": "failure",
        "started_at": "2026-06-01T09:01:10Z",
        "completed_at": "2026-06-01T09:01:20Z",
        "duration_seconds": 10.0,
    }
    assert (jobs["deploy"]["duration_seconds"], jobs["deploy"]["step_count"], jobs["deploy"]["failed_step"]) == (
        None, 0, None,
    )  # fmt: skip


def test_jobs_that_were_never_read_are_unknown_and_not_none() -> None:
    unread = only_run(an_agent_history([an_agent_run(1, is_read=False, queue_s=None, active_s=None)]))
    assert (unread["jobs"], unread["jobs_status"], unread["job_count"], unread["queue_seconds"]) == (
        None, "not_read", None, None,
    )  # fmt: skip
    without = only_run(an_agent_history([an_agent_run(1, "startup_failure")]))
    assert (without["jobs"], without["jobs_status"], without["job_count"]) == ([], "read", 0)
    assert a_document(an_agent_history([an_agent_run(1, is_read=False)], unread=1))["completeness"] == {
        "finished_attempts": 1,
        "unread_attempts": 1,
        "share": 0.0,
    }


def test_several_pull_requests_are_told_with_state_and_title_where_they_are_known() -> None:
    merged = PullRequest(
        repo="octo/engine", number=7, title="Speed up", state="closed", merged_at=START, html_url="javascript:alert(1)"
    )
    known = {7: merged, 9: PullRequest(repo="octo/engine", number=9, title="More", state="open")}
    run = an_agent_run(1, branch="feature", pull_numbers=[7, 8, 9])
    pulls = only_run(an_agent_history([run]), pulls=known)["pull_requests"]
    assert [(one["number"], one["state"], one["title"]) for one in pulls] == [
        (7, "merged", "Speed up"),
        (8, None, None),
        (9, "open", "More"),
    ]
    assert pulls[0]["url"] == "https://github.com/octo/engine/pull/7"
    none = only_run(an_agent_history([an_agent_run(2, last_merged_pull=7)]), pulls=known)
    assert (none["pr_numbers"], none["pull_requests"], none["last_merged_pull"]["number"]) == ([], [], 7)


@pytest.mark.parametrize(
    ("told", "url"),
    [
        ({"branch": "fix/ü #1"}, "https://github.com/octo/engine/tree/fix/%C3%BC%20%231"),
        ({"branch": "x", "head_repository": "eve/engine"}, "https://github.com/eve/engine/tree/x"),
        ({"branch": '"><svg onload=x>'}, "https://github.com/octo/engine/tree/%22%3E%3Csvg%20onload%3Dx%3E"),
        ({"branch": None}, None),
        ({"branch": "x" * 3_000}, None),
        ({"branch": "x", "head_repository": None, "event": "pull_request"}, None),
        ({"branch": "x", "head_repository": None, "event": "push"}, "https://github.com/octo/engine/tree/x"),
    ],
    ids=["encoded", "fork", "hostile", "none", "long", "fork-gone", "ours"],
)
def test_branches_link_to_their_page(told: dict[str, Any], url: str | None) -> None:
    assert only_run(an_agent_history([an_agent_run(1, **told)]))["branch_url"] == url


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://github.com/x", 'https://github.com/"onload=x', None])
def test_an_address_that_is_no_plain_https_is_no_link(url: str | None) -> None:
    run = only_run(an_agent_history([an_agent_run(1, url=url)]))
    assert run["html_url"] is None
    assert run["commit_url"].startswith("https://github.com/octo/engine/commit/")


def test_links_lead_to_the_server_that_the_runs_are_on() -> None:
    run = only_run(an_agent_history([an_agent_run(1, url="https://git.example.org/octo/engine/actions/runs/1")]))
    assert run["branch_url"] == "https://git.example.org/octo/engine/tree/main"


def test_hostile_and_long_texts_are_cut_counted_and_stay_data() -> None:
    run = an_agent_run(1, "failure", title=HOSTILE, workflow=HOSTILE, branch=HOSTILE, agent=HOSTILE)
    job = a_job(run, HOSTILE, "failure", runner_name=HOSTILE)
    steps = [a_step(job, number, HOSTILE, "failure") for number in range(1, 81)]
    document = a_document(an_agent_history([run], [job], steps))
    told = document["runs"][0]
    assert len(told["display_title"]) == len(told["jobs"][0]["name"]) == 300
    assert told["display_title"].startswith('<svg/onload=alert(1)> "; \u202e\x1b[31m')
    assert len(told["jobs"][0]["failed_steps"]) == 50
    left_out = {one["what"]: one["count"] for one in document["rows"]["left_out"]}
    assert left_out["items of lists"] == 30
    assert left_out["texts"] > 55


def test_other_agents_of_a_run_are_told_by_their_part() -> None:
    history = an_agent_history([an_agent_run(1, agent="claude")])
    signals = (
        Signal(kind=SignalKind.STEP_NAME, agent="claude", role=Role.RAN, confidence=0.9, evidence="a step"),
        Signal(kind=SignalKind.ACTOR, agent="copilot", role=Role.TRIGGERED, confidence=0.85, evidence="Copilot"),
        Signal(kind=SignalKind.BRANCH, agent="codex", role=Role.AUTHORED, confidence=0.75, evidence="codex/x"),
        Signal(kind=SignalKind.TRAILER, agent="cursor", role=Role.AUTHORED, confidence=0.6, evidence="a trailer"),
    )
    history.attributions[1001, 1] = Attribution(agent="claude", signals=signals)
    assert only_run(history)["agent_roles"] == {"ran": "claude", "triggered_by": "copilot", "authored": "codex"}


def test_recent_failures_are_those_before_the_last_change_and_come_without_their_jobs() -> None:
    old = an_agent_run(1, "failure", created_at=NOW - 24 * HOUR)
    edge = an_agent_run(2, "failure", created_at=NOW - 24 * HOUR + dt.timedelta(seconds=1))
    other = an_agent_run(3, "timed_out", created_at=NOW - HOUR)
    many = [an_agent_run(n, "failure", created_at=NOW - 2 * HOUR) for n in range(4, 30)]
    history = an_agent_history([old, edge, other, *many], [a_job(many[0], "unit", "failure")])
    document = a_document(history)
    recent = document["recent_failures"]
    assert document["summary"]["recent_failures_24h"] == 27
    assert [run["id"] for run in recent] == list(range(1029, 1009, -1))
    assert {run["jobs_status"] for run in recent} == {"left_out"}
    assert a_document(history, now=NOW + 25 * HOUR)["recent_failures"] == []


def test_bands_keep_steps_of_the_newest_and_count_the_oldest_in_aggregates() -> None:
    rules = AgentRules(detail="bands", bands=Bands(full=2, summary=4, failed=5))
    runs = [an_agent_run(n, "failure" if n == 6 else "success") for n in range(10)]
    jobs = [a_job(run, "unit", run["conclusion"]) for run in runs]
    history = an_agent_history(runs, jobs, [a_step(job, 1, "Run tests") for job in jobs], rules=rules)
    document = a_document(history)

    assert [(run["run_number"], run["jobs_status"]) for run in document["runs"]] == [
        (9, "read"),
        (8, "read"),
        (7, "left_out"),
        (6, "read"),
    ]
    assert [run["job_count"] for run in document["runs"]] == [1, 1, 1, 1]
    rows = document["rows"]
    assert (rows["selected"], rows["in_this_file"], rows["in_segments"], rows["dropped"]) == (10, 4, 0, 6)
    assert document["summary"]["total_runs"] == 10
    assert {(one["job"], one["step"]): one["n"] for one in document["aggregates"]} == {
        (None, None): 6,
        ("unit", None): 6,
        ("unit", "Run tests"): 6,
    }


def test_artifacts_are_told_where_they_were_listed() -> None:
    rows = [(5, 1001, "report", "listed", START, 1234)]
    artifacts = pl.DataFrame(rows, schema=ARTIFACT_COLUMNS, orient="row")
    runs = a_document(replace(an_agent_history([an_agent_run(1), an_agent_run(2)]), artifacts=artifacts))["runs"]
    assert runs[0]["artifacts"] is None
    assert runs[1]["artifacts"] == [
        {
            "name": "report",
            "size_bytes": 1234,
            "state": "listed",
            "created_at": "2026-06-01T08:00:00Z",
            "url": "https://github.com/octo/engine/actions/runs/1001/artifacts/5",
        }
    ]


def test_known_failures_and_the_window_stand_in_the_file() -> None:
    history = an_agent_history([an_agent_run(1), an_agent_run(5)])
    document = a_document(history, groups=(Entry(entry_id="00112233445566aa", count=3, cause="test"),))
    assert [(one["entry_id"], one["count"]) for one in document["failure_groups"]] == [("00112233445566aa", 3)]
    window = document["window"]
    assert (window["rule"], window["oldest_run_id"], window["newest_run_id"]) == ("runs created since 30d", 1001, 1005)
    assert (window["first_run_at"], window["last_run_at"]) == ("2026-06-01T09:00:00Z", "2026-06-01T13:00:00Z")
