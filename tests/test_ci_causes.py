"""``trackside ci causes`` and what ``ci failures`` tells of causes and changes: on a week whose truth is planted."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scripts.schemas import schema_of
from tests.fake_github import Clock, FakeGitHub, job
from tests.fake_github.scenario_logs import failing
from tests.fake_github.scenario_week import week
from tests.fake_github.week_jobs import BROKEN_JOB, FLAKY_JOB, LOST_RUNNER
from tests.history_frames import HOUR
from tests.scripted_server import ScriptedServer, answer
from tests.syncing import REPO, TOKEN, sync_once
from trackside.cli.app import run, trackside_app
from trackside.evidence.diagnoses import read_logs
from trackside.records.ci_rules import CiRules
from trackside.store.store import open_store

SINCE = ("--since", "2026-01-01")
Said = tuple[int, str, str]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A week of 400 runs with the logs of its failed jobs, read."""
    folder = tmp_path_factory.mktemp("week") / "store"
    with FakeGitHub() as github:
        week(github.world, seed=7, runs=400)
        shelf = open_store(folder)
        record = sync_once(github, shelf, logs="failed", client={"max_wait_s": 100_000.0})
        assert record.missing == ()
        read_logs(shelf, REPO, CiRules(), github.clock.now(), lambda _done, _total: None)
    return folder


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("TRACKSIDE_STORE", "GITHUB_REPOSITORY", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def ci(capsys: pytest.CaptureFixture[str], command: str, *arguments: str) -> Said:
    code = run(trackside_app(), ["ci", command, "--repo", REPO, *SINCE, *arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def document(store: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    code, out, err = ci(capsys, "causes", "--store", str(store), "--offline", "--format", "json")
    assert (code, err) == (0, "")
    told: dict[str, Any] = json.loads(out)
    return told


def test_the_planted_truth_of_the_week_is_told(document: dict[str, Any]) -> None:
    verdicts = {(one["workflow"], one["job"]): one for one in document["verdicts"]["jobs"]}
    assert verdicts["PR Test", BROKEN_JOB]["verdict"] == "code"
    assert verdicts["PR Test", FLAKY_JOB]["verdict"] == "flaky"
    main = verdicts["PR Test", BROKEN_JOB]["lines"][0]
    assert (main["line"], main["verdict"], main["grounds"]) == ("main", "code", ["runs_in_a_row"])


def test_failures_on_the_runner_that_gets_lost_are_the_runners(store: Path, document: dict[str, Any]) -> None:
    rows = open_store(store).newest("jobs").collect()
    runner = dict(rows.select("job_id", "runner_name").iter_rows())
    causes = dict(open_store(store).newest("failures").select("job_id", "cause").collect().iter_rows())
    told = Counter(
        verdict
        for job_id, verdict in document["verdicts"]["attempts"].items()
        if runner[int(job_id)] == LOST_RUNNER and causes.get(int(job_id), "runner_lost") == "runner_lost"
    )
    assert set(told) == {"runner"}
    assert told["runner"] > 20


def test_the_outage_of_installs_is_infrastructure(store: Path, document: dict[str, Any]) -> None:
    causes = dict(open_store(store).newest("failures").select("job_id", "cause").collect().iter_rows())
    told = Counter(
        verdict
        for job_id, verdict in document["verdicts"]["attempts"].items()
        if causes.get(int(job_id)) == "dependency"
    )
    assert set(told) == {"infrastructure"}
    assert told["infrastructure"] > 20


def test_the_breakage_of_main_is_one_group_over_main_and_pull_requests(document: dict[str, Any]) -> None:
    (group,) = [one for one in document["groups"]["groups"] if one["jobs"] == [f"PR Test / {BROKEN_JOB}"]][:1]
    assert "test_decode" in group["line_text"]
    assert (group["on_default_line"], group["is_new"]) == (True, False)
    assert len(group["lines"]) > 3
    assert group["last"]["url"].endswith(("#step:7:1", "#step:5:1"))
    told = document["groups"]
    assert (
        sum(one["failures"] for one in told["groups"]) + told["without_log"] + told["unrecognised"] == told["failures"]
    )


def test_the_document_is_that_of_its_schema(document: dict[str, Any]) -> None:
    jsonschema.validate(document, schema_of("ci-causes"))


def test_csv_has_a_row_for_each_job_of_each_line_and_each_group(
    store: Path, document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = ci(capsys, "causes", "--store", str(store), "--offline", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    lines = sum(len(one["lines"]) for one in document["verdicts"]["jobs"])
    assert Counter(row["level"] for row in rows) == {"verdict": lines, "group": len(document["groups"]["groups"])}


def test_table_and_markdown_show_verdicts_evidence_and_groups(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, table, _ = ci(capsys, "causes", "--store", str(store), "--offline")
    assert f"PR Test / {BROKEN_JOB} on main: code of the default branch" in table
    assert "  - The default branch fails in runs in a row: " in table
    assert "Failure groups" in table
    _, text, _ = ci(capsys, "causes", "--store", str(store), "--offline", "--format", "markdown")
    assert "## Verdicts" in text
    assert "## Failure Groups" in text
    assert "**code of the default branch**" in text


def test_the_failure_report_ends_with_verdicts_and_groups(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--store", str(store), "--offline")
    _, out, _ = ci(capsys, "failures", *where)
    assert out.index("Failure Pattern Analysis:") < out.index("Verdicts:") < out.index("Failure Groups:")
    _, out, _ = ci(capsys, "failures", *where, "--format", "markdown")
    assert out.index("## Failure Pattern Analysis") < out.index("## Verdicts") < out.index("## Failure Groups")
    _, out, _ = ci(capsys, "failures", *where, "--format", "json")
    told = json.loads(out)
    jsonschema.validate(told, schema_of("ci-failures"))
    assert told["verdicts"]["failures"] == told["failure_groups"]["failures"]
    _, out, _ = ci(capsys, "failures", *where, "--strict-compat")
    assert "Verdicts:" not in out


class Repository:
    """A repository on a fake GitHub whose runs a test adds, and the commands on it."""

    def __init__(self, github: FakeGitHub, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._github, self._folder, self._capsys = github, folder, capsys

    def run(self, unit: str | None, kind: str = "pytest", test: str = "test_decode") -> None:
        """A run on main, an hour after the one before; ``unit`` is how its job ended."""
        self._github.clock.advance(3600)
        at = self._github.clock.now() - HOUR
        log = failing(kind, f"{at}", at, test=test) if unit == "failure" else None
        plans = [job("unit", unit, log=log), job("lint")]
        self._github.world.add_run(plans, conclusion=unit, workflow="PR Test", at=at)

    def sync(self) -> int:
        """A sync with logs and no report."""
        where = ["--store", str(self._folder), "--logs", "failed"]
        code = run(trackside_app(), ["sync", "--repo", REPO, *SINCE, *where])
        self._capsys.readouterr()
        return code

    def failures(self, *arguments: str) -> Said:
        return ci(self._capsys, "failures", "--store", str(self._folder), "--logs", "failed", "--quiet", *arguments)


@pytest.fixture
def repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Repository]:
    # The last day: what is older a second sync does not list again.
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC) - 20 * HOUR)) as github:
        monkeypatch.setenv("GITHUB_API_URL", github.api_url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield Repository(github, tmp_path / "store", capsys)


class Chat:
    """A server that takes messages, or refuses them with ``status``."""

    def __init__(self) -> None:
        self.status = 200
        self.server = ScriptedServer(lambda _request: answer(self.status, {}))

    def __enter__(self) -> Chat:
        self.server.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.__exit__(None, None, None)

    @property
    def url(self) -> str:
        return self.server.url.replace("http://", "json://user:passw0rd@") + "/s3cret"

    def titles(self) -> list[str]:
        """The titles of the messages, taken or not, since it was asked last."""
        told = [json.loads(request.body)["title"] for request in self.server.received]
        self.server.received.clear()
        return told


def test_changes_are_told_once_and_nothing_is_told_where_nothing_changed(repository: Repository) -> None:
    with Chat() as chat:
        for end in ("success", "failure", "failure"):
            repository.run(end)
        assert repository.failures("--notify", chat.url)[0] == 0
        assert chat.titles() == ["octo/engine: 1 job is broken on the default branch"]
        assert repository.failures("--notify", chat.url)[0] == 0
        assert chat.titles() == []
        repository.run("success")
        repository.failures("--notify", chat.url)
        assert chat.titles() == ["octo/engine: 1 fixed"]
        repository.run("failure", kind="oom", test="test_moe")
        repository.failures("--notify", chat.url)
        assert chat.titles() == ["octo/engine: 1 new error"]
        repository.run("failure", kind="oom", test="test_moe")
        repository.failures("--notify", chat.url)
        assert chat.titles() == ["octo/engine: 1 newly broken"]
        repository.failures("--notify", chat.url)
        assert chat.titles() == []


def test_a_message_that_was_not_taken_ends_with_1_after_the_report_and_is_told_by_the_next_run(
    repository: Repository,
) -> None:
    for end in ("success", "failure", "failure"):
        repository.run(end)
    with Chat() as chat:
        chat.status = 500
        code, out, err = repository.failures("--notify", chat.url)
        assert (code, len(chat.titles())) == (1, 1)
        assert "Overall Statistics:" in out
        assert "The message was not sent to json://***" in err
        assert "passw0rd" not in out + err
        assert "s3cret" not in out + err
        chat.status = 200
        assert repository.failures("--notify", chat.url)[0] == 0
        assert chat.titles() == ["octo/engine: 1 job is broken on the default branch"]


def test_a_dry_run_prints_the_message_sends_nothing_and_counts_as_nothing(repository: Repository) -> None:
    for end in ("success", "failure", "failure"):
        repository.run(end)
    with Chat() as chat:
        for _ in range(2):
            code, _, err = repository.failures("--notify", chat.url, "--dry-run")
            assert code == 0
            assert "octo/engine: 1 job is broken on the default branch\nBroken: `PR Test / unit`" in err
        assert chat.titles() == []
    assert "octo/engine: 1 job is broken" in repository.failures("--dry-run")[2]


def test_a_wrong_address_is_told_before_anything_is_asked(repository: Repository) -> None:
    code, out, err = repository.failures("--notify", "slack://s3cret")
    assert (code, out) == (2, "")
    assert "--notify slack://***" in err


def test_an_error_stands_out_as_new_in_the_report_after_it_came_and_no_longer_in_the_next(
    repository: Repository,
) -> None:
    def new() -> list[bool]:
        told = json.loads(repository.failures("--format", "json")[1])
        return [group["is_new"] for group in told["failure_groups"]["groups"]]

    repository.run("failure")
    assert new() == [False]
    repository.run("failure", kind="oom")
    assert new() == [True, False]
    assert new() == [False, False]


def test_a_look_offline_is_no_report(repository: Repository) -> None:
    repository.run("failure")
    repository.failures()
    repository.run("failure", kind="oom")
    assert repository.sync() == 0
    for _ in range(2):
        told = json.loads(repository.failures("--offline", "--format", "json")[1])
        assert [group["is_new"] for group in told["failure_groups"]["groups"]] == [True, False]


def test_check_ends_with_3_where_an_error_is_new(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def check() -> int:
        where = ("--store", str(tmp_path / "store"), "--logs", "failed", "--quiet", "--check")
        return ci(capsys, "causes", *where)[0]

    repository.run("failure")
    assert check() == 0
    repository.run("failure", kind="oom")
    assert check() == 3
    assert check() == 0
