"""``trackside agents report`` from GitHub to the files: what it costs, what it writes, how it ends."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.agent_data import every_run, problems, read_json
from tests.command_line import Said, command_line
from tests.fake_github import Clock, FakeGitHub, Kind, job, matrix
from tests.fake_github.scenario_agents import agents
from tests.fake_github.scenarios import small
from tests.syncing import REPO, TOKEN

FILE = "out/agentops-runs.json"
HOUR = dt.timedelta(hours=1)
Run = Callable[..., Said]


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    """Two days of a repository, until now: a command knows no other time."""
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC).replace(microsecond=0))) as fake:
        small(fake.world, name=REPO)
        yield fake


@pytest.fixture
def run(github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``agents report`` in a directory of its own; what it ended with and what it said on both streams."""
    line = command_line(tmp_path, monkeypatch, capsys, github)

    def command(*arguments: str, repo: str = REPO) -> Said:
        return line("agents", "report", "--repo", repo, *arguments)

    return command


def outputs(path: Path) -> dict[str, str]:
    """The outputs in a file as GitHub reads it."""
    found = {}
    lines = path.read_text().splitlines()
    while lines:
        name, _, delimiter = lines[0].partition("<<")
        end = lines.index(delimiter, 1)
        found[name] = "\n".join(lines[1:end])
        lines = lines[end + 1 :]
    return found


def test_a_report_writes_data_and_state_and_follows_the_schemas(run: Run, github: FakeGitHub, tmp_path: Path) -> None:
    code, out, err = run("-o", FILE)
    assert code == 0, err
    assert out.startswith("octo/engine: 11 runs created ")
    assert "out/agentops-runs.json is written: 13 run attempts in 2 files" in err
    document = read_json(tmp_path / FILE)
    assert len(every_run(tmp_path / FILE)) == 13
    assert document["sync_file"] == "agentops-sync.json"
    state = read_json(tmp_path / "out" / "agentops-sync.json")
    assert problems("agentops-sync", state) == []
    assert (state["status"], state["data_file"], state["kept"]) == ("ok", "agentops-runs.json", None)
    newest = state["health"]["newest"]
    assert newest["calls"] == github.journal.count()
    assert {one["endpoint"]: one["calls"] for one in state["health"]["endpoints"]} == github.journal.by_endpoint()
    assert (newest["billed"], state["health"]["not_modified"]) == (newest["calls"], 0)
    sizes = {one["file"]: one["bytes"] for one in state["files"]}
    assert sizes == {name: (tmp_path / "out" / name).stat().st_size for name in sizes}
    assert all(0 < one["gzip_bytes"] < one["bytes"] for one in state["files"])


def test_a_second_report_without_news_changes_the_state_alone(run: Run, tmp_path: Path) -> None:
    assert run("-o", FILE)[0] == 0
    state = tmp_path / "out" / "agentops-sync.json"
    before = {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in (tmp_path / "out").iterdir()}
    code, _, err = run("-o", FILE)
    assert code == 0
    assert "has no news and stays as it is" in err
    after = {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in (tmp_path / "out").iterdir()}
    assert after.pop(state.name) != before.pop(state.name)
    assert after == before
    assert len(read_json(state)["health"]["last"]) == 2


def test_a_run_that_ended_is_news(run: Run, github: FakeGitHub, tmp_path: Path) -> None:
    run("-o", FILE)
    was = read_json(tmp_path / FILE)
    assert (was["summary"]["in_progress"], was["runs"][0]["conclusion"]) == (1, None)
    [going] = [one for _, one in github.world.runs.values() if one.status != "completed"]
    github.world.finish_run(going, "success", at=github.clock.now())
    assert "is written" in run("-o", FILE)[2]
    now = read_json(tmp_path / FILE)
    assert (now["summary"]["in_progress"], now["runs"][0]["conclusion"]) == (0, "success")
    assert now["last_updated"] > was["last_updated"]


def test_without_jobs_no_call_asks_for_them_and_those_of_before_are_kept(
    run: Run, github: FakeGitHub, tmp_path: Path
) -> None:
    code, _, err = run("--no-jobs", "-o", FILE)
    assert (code, github.journal.by_endpoint()["jobs"]) == (0, 0)
    assert "Jobs were not asked for of 10 run attempts: they are not known." in err
    assert {one["jobs_status"] for one in read_json(tmp_path / FILE)["runs"]} == {"not_read"}
    run("-o", FILE)
    known = {one["id"]: one["jobs"] for one in read_json(tmp_path / FILE)["runs"]}
    asked = github.journal.by_endpoint()["jobs"]
    assert asked > 0
    github.world.add_run([job("lint")], workflow="Lint", at=github.clock.now() - HOUR)
    assert run("--no-jobs", "-o", FILE)[0] == 0
    assert github.journal.by_endpoint()["jobs"] == asked
    newest, *others = read_json(tmp_path / FILE)["runs"]
    assert (newest["jobs"], newest["jobs_status"]) == (None, "not_read") or known.get(newest["id"]) == newest["jobs"]
    assert sum(one["jobs_status"] == "not_read" for one in [newest, *others]) == 1
    assert all(
        one["jobs"] == known[one["id"]] for one in others if one["jobs_status"] == "read" and one["run_attempt"] == 1
    )


def test_jobs_can_be_switched_off_in_the_settings(run: Run, github: FakeGitHub, tmp_path: Path) -> None:
    (tmp_path / "trackside.toml").write_text("[sync]\njobs = false\n")
    assert run()[0] == 0
    assert github.journal.by_endpoint()["jobs"] == 0
    assert run("--jobs")[0] == 0
    assert github.journal.by_endpoint()["jobs"] > 0


def test_jobs_of_a_large_matrix_come_by_pages(run: Run, github: FakeGitHub, tmp_path: Path) -> None:
    github.world.add_run(matrix("large", 256), workflow="PR Test", at=github.clock.now() - HOUR)
    assert run("-o", FILE, "--max-runs-per-workflow", "50.0")[0] == 0
    [large] = [one for one in read_json(tmp_path / FILE)["runs"] if one["job_count"] == 256]
    assert len(large["jobs"]) == 256
    assert large["step_count"] == sum(len(one["steps"]) for one in large["jobs"])
    assert {one["attempt"] for one in large["jobs"]} == {1}


@pytest.mark.parametrize("number", ["50", "50.0", "10000", " 7 "])
def test_the_number_of_runs_may_come_as_workflows_hand_it_over(run: Run, tmp_path: Path, number: str) -> None:
    assert run("--max-runs-per-workflow", number, "-o", FILE)[0] == 0
    rule = read_json(tmp_path / FILE)["window"]["rule"]
    assert rule == f"every run in the store; a sync lists the newest {int(float(number)):,} of each workflow"


def test_an_empty_number_of_runs_is_as_none(run: Run, tmp_path: Path) -> None:
    assert run("--max-runs-per-workflow", "", "-o", FILE)[0] == 0
    assert read_json(tmp_path / FILE)["window"]["rule"] == "runs created since 30d"


@pytest.mark.parametrize("number", ["abc", "-1", "0", "1.5", "1e3"])
def test_a_number_of_runs_that_is_none_is_wrong_usage(run: Run, github: FakeGitHub, number: str) -> None:
    code, out, err = run("--max-runs-per-workflow", number)
    assert (code, out) == (2, "")
    assert "max-runs-per-workflow" in err
    assert github.journal.count() == 0


def test_a_number_of_runs_and_a_window_are_wrong_usage(run: Run) -> None:
    code, _, err = run("--max-runs-per-workflow", "5", "--since", "3d")
    assert code == 2
    assert "in place of a window" in err


@pytest.mark.parametrize(
    ("workflows", "files"),
    [((), {"lint.yml", "pr-test.yml"}), (("lint.yml",), {"lint.yml"}), (("lint.yml", "gone.yml"), {"lint.yml"})],
    ids=["all", "one", "one and one that is not there"],
)
def test_the_workflows_of_the_settings_are_reported_on(
    run: Run, tmp_path: Path, workflows: tuple[str, ...], files: set[str]
) -> None:
    (tmp_path / "trackside.toml").write_text(f"[sync]\nworkflows = {json.dumps(workflows)}\n")
    assert run("-o", FILE)[0] == 0
    document = read_json(tmp_path / FILE)
    assert set(document["workflow_stats"]) == files
    assert document["window"]["workflows"] == list(workflows)
    notes = read_json(tmp_path / "out" / "agentops-sync.json")["health"]["notes"]
    assert ["No run that is known is of the workflow gone.yml." in notes] == ["gone.yml" in workflows]


def test_a_sync_that_fails_ends_with_1_and_keeps_good_data(run: Run, github: FakeGitHub, tmp_path: Path) -> None:
    run("-o", FILE)
    before = (tmp_path / FILE).read_bytes()
    github.faults.add(Kind.ERROR, status=401)
    code, out, err = run("-o", FILE)
    assert code == 1
    assert out
    assert "401" in err
    assert (tmp_path / FILE).read_bytes() == before
    state = read_json(tmp_path / "out" / "agentops-sync.json")
    assert state["status"] == "failed"
    assert state["good_at"] < state["synced_at"]
    assert state["health"]["failures_by_class"].keys() == {"4xx"}


def test_calls_that_a_limit_refused_are_failed_calls_in_the_state(run: Run, github: FakeGitHub, tmp_path: Path) -> None:
    run("-o", FILE)
    github.journal.clear()
    github.leave_calls(0, token=TOKEN, reset_in_s=1800)
    code, _, _ = run("-o", FILE, "--max-wait", "0s")
    assert code == 4
    health = read_json(tmp_path / "out" / "agentops-sync.json")["health"]
    assert github.journal.count() == health["newest"]["failed_calls"] == sum(health["failures_by_class"].values()) > 0
    assert health["failures_by_class"].keys() == {"4xx"}
    assert {one["status"] for one in health["failures"]} == {403}
    assert sum(one["retried"] for one in health["endpoints"]) == 0


def test_a_sync_that_brings_nothing_replaces_no_good_file_even_where_the_store_is_gone(
    run: Run, github: FakeGitHub, tmp_path: Path
) -> None:
    run("-o", FILE)
    before = (tmp_path / FILE).read_bytes()
    github.faults.add(Kind.ERROR, status=404)
    code, _, err = run("-o", FILE, "--store", str(tmp_path / "empty"))
    assert code in (1, 4)
    assert "stays as it is, with 13 run attempts: the sync was not complete, and no run is known." in err
    assert (tmp_path / FILE).read_bytes() == before
    assert read_json(tmp_path / "out" / "agentops-sync.json")["kept"] is not None


def test_a_sync_that_brings_nothing_makes_no_empty_file(run: Run, github: FakeGitHub, tmp_path: Path) -> None:
    github.faults.add(Kind.ERROR, status=404)
    run("-o", FILE)
    assert not (tmp_path / FILE).exists()


def test_a_window_without_runs_keeps_the_file(run: Run, tmp_path: Path) -> None:
    run("-o", FILE)
    before = (tmp_path / FILE).read_bytes()
    code, _, err = run("--offline", "--since", "2020-01-01", "--until", "2020-02-01", "-o", FILE)
    assert (code, (tmp_path / FILE).read_bytes()) == (0, before)
    assert "no run is in the window" in err


def test_a_repository_without_runs_has_an_empty_file(run: Run, github: FakeGitHub, tmp_path: Path) -> None:
    github.world.add_repository("octo/fresh")
    assert run("-o", FILE, repo="octo/fresh")[0] == 0
    document = read_json(tmp_path / FILE)
    assert (document["runs"], document["summary"]["total_runs"], document["summary"]["success_rate"]) == ([], 0, None)
    assert problems("agentops-runs", document) == []


def test_data_that_is_partial_ends_with_4_and_says_so_in_the_state(
    run: Run, github: FakeGitHub, tmp_path: Path
) -> None:
    (tmp_path / "trackside.toml").write_text('[sync]\napi = "rest"\n')
    lint = next(one for _, one in github.world.runs.values() if one.workflow.path.endswith("lint.yml"))
    github.faults.add(Kind.ERROR, endpoint="jobs", path=f"/{lint.id}/", status=422)
    code, _, err = run("-o", FILE)
    assert code == 4
    assert "Not complete" in err
    state = read_json(tmp_path / "out" / "agentops-sync.json")
    assert state["status"] == "partial"
    fetched = state["health"]["jobs_fetch"]
    assert (fetched["attempted"] - fetched["ok"], fetched["rate"]) == (1, fetched["ok"] / fetched["attempted"])
    [failure] = state["health"]["failures"]
    assert (failure["status_class"], failure["workflow"], failure["run_id"]) == (
        "4xx", ".github/workflows/lint.yml", lint.id,
    )  # fmt: skip
    assert state["health"]["missing_data"]["by_reason"]["its jobs are not in the store"] == 1
    assert read_json(tmp_path / FILE)["completeness"]["unread_attempts"] == 1


def test_a_workflow_gets_outputs_a_summary_and_warnings(
    run: Run, github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trackside.toml").write_text("[agents.alerts]\nrate_limit_below = 100000\n")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    code, _, err = run("-o", FILE, "--summary", "--check")
    assert code == 3
    told = outputs(tmp_path / "output")
    assert told == {
        "total_runs": "13",
        "success_rate": "75.00",
        "has_changes": "true",
        "status": "ok",
        "calls": str(github.journal.count()),
    }
    summary = (tmp_path / "summary").read_text()
    assert summary.startswith("# Agent operations\n")
    assert "## Alerts on the collection\n" in summary
    [warning] = [line for line in err.splitlines() if line.startswith("::warning ")]
    assert warning.startswith("::warning title=trackside alert rate_limit::")
    assert any(one["state"] == "on" for one in read_json(tmp_path / "out" / "agentops-sync.json")["alerts"])
    (tmp_path / "output").unlink()
    run("-o", FILE)
    assert outputs(tmp_path / "output")["has_changes"] == "false"


def test_artifacts_are_listed_where_the_settings_ask_for_them_a_call_a_run(
    run: Run, github: FakeGitHub, tmp_path: Path
) -> None:
    over = [one for _, one in github.world.runs.values() if one.status == "completed"]
    github.world.add_artifact(over[0], "coverage")
    assert run("-o", FILE)[0] == 0
    assert github.journal.by_endpoint()["run artifacts"] == 0
    assert {one["artifacts"] for one in read_json(tmp_path / FILE)["runs"]} == {None}
    (tmp_path / "trackside.toml").write_text("[agents]\nartifacts = true\n")
    assert run("-o", FILE)[0] == 0
    assert github.journal.by_endpoint()["run artifacts"] == len(over)
    told = {one["id"]: one["artifacts"] for one in read_json(tmp_path / FILE)["runs"] if one["artifacts"]}
    assert [(one["name"], one["state"]) for one in told.pop(over[0].id)] == [("coverage", "listed")]
    assert told == {}


def test_a_large_file_is_an_alert_in_the_state(run: Run, tmp_path: Path) -> None:
    (tmp_path / "trackside.toml").write_text("[agents.alerts]\nfile_larger_than_bytes = 1000\n")
    (tmp_path / "out").mkdir()
    code, _, _ = run("-o", "out", "--check")
    document = read_json(tmp_path / FILE)
    assert (code, document["sync_file"]) == (3, "agentops-sync.json")
    alerts = {one["kind"]: one for one in read_json(tmp_path / "out" / "agentops-sync.json")["alerts"]}
    assert (alerts["file_size"]["state"], alerts["file_size"]["threshold"]) == ("on", 1000)
    assert alerts["file_size"]["value"] == (tmp_path / FILE).stat().st_size


def test_a_place_that_cannot_be_written_is_one_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    code, _, err = run("-o", "file/agentops-runs.json")
    assert code == 1
    assert "The data could not be written to" in err
    assert "Traceback" not in err
    assert run("-o", os.devnull)[0] == 2


def test_outside_of_a_workflow_a_summary_is_said_to_go_nowhere(run: Run) -> None:
    assert "names no file" in run("--summary")[2]


def test_every_form_tells_the_same_runs(run: Run) -> None:
    run()
    code, out, _ = run("--offline", "--format", "json")
    document = json.loads(out)
    assert (code, out.isascii()) == (0, True)
    assert problems("agentops-runs", document) == []
    assert len(document["runs"]) == 13
    assert document["statistics"]["days"] != []
    rows = list(csv.DictReader(io.StringIO(run("--offline", "--format", "csv")[1])))
    assert [row["total"] for row in rows if row["group"] == "all"] == ["13"]
    assert run("--offline", "--format", "markdown")[1].startswith("# Agent operations\n\n")


def test_agents_are_told_in_the_file_with_source_and_confidence(run: Run, github: FakeGitHub, tmp_path: Path) -> None:
    agents(github.world, name="octo/agents")
    assert run("-o", FILE, repo="octo/agents")[0] == 0
    document = read_json(tmp_path / FILE)
    told = {(one["agent_name"], one["agent_role"], one["agent_source"]) for one in document["runs"]}
    assert ("copilot", "ran", "run_path") in told
    assert ("claude", "ran", "step_name") in told
    assert (None, None, None) in told
    assert all((one["agent_confidence"] is None) == (one["agent_name"] is None) for one in document["runs"])
    totals = sum(one["total"] for one in document["agent_workload"].values())
    assert (
        totals + document["unattributed"]["total"] + sum(document["other_roles"].values())
        == document["summary"]["total_runs"]
    )
    retried = [one for one in document["runs"] if one["run_attempt"] == 2]
    assert retried
    assert all(any(o["id"] == one["id"] and o["run_attempt"] == 1 for o in document["runs"]) for one in retried)


def test_what_people_said_in_the_committed_file_is_read_first(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / ".github"
    folder.mkdir()
    (folder / "agentops-knowledge.json").write_text("{ broken")
    code, _, err = run("-o", FILE)
    assert code == 0
    assert "What people said of failures was not read" in err


def test_agents_and_workflows_of_a_directory_that_are_not_read_are_said(run: Run, tmp_path: Path) -> None:
    assert "Not read" not in run()[2]
    (tmp_path / ".github" / "agents").mkdir(parents=True)
    code, _, err = run("--offline")
    said = (
        "Not read: .github/agents in the working directory, as there is no .git in the working directory or above it."
    )
    assert (code, said in " ".join(err.split())) == (0, True)
    assert run("--offline", "--quiet")[2] == ""
