"""``trackside agents analyze`` from GitHub, the store and files to the report."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest

from scripts.schemas import schema_of
from tests.agent_logs import CLAUDE_EVENTS, json_lines
from tests.command_line import Said, command_line
from tests.fake_github import FakeGitHub, LogState, Run, job, matrix
from tests.fake_github.log_text import stamped
from tests.fake_github.run_zip import run_archive
from tests.fake_github.scenario_logs import failing
from tests.syncing import REPO
from tests.zips import zipped
from trackside.cli.app import run as run_app
from trackside.cli.app import trackside_app

Command = Callable[..., Said]
SECRET = "ghp_" + "Z9y8" * 9
HOSTILE = [
    "##[group]Run ./report.sh",
    "##[endgroup]",
    "@octo-admin look at #1 <img src=x onerror=alert(1)> ```",
    f"METRIC coverage=81.5 token={SECRET}",
    "::error::not from us",
    "Traceback (most recent call last):",
    '  File "/src/report.py", line 3, in <module>',
    '    raise ValueError("@octo-admin <script> ``` ## Metrics")',
    "ValueError: @octo-admin <script>alert(1)</script> ``` # heading | cell",
    "##[error]Process completed with exit code 1.",
]
CLASSES = ("pytest", "oom", "timeout", "runner", "install")


@pytest.fixture(scope="module")
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as fake:
        yield fake


@pytest.fixture
def command(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs ``agents analyze`` in a directory of its own; what it ended with and what it said on both streams."""
    line = command_line(tmp_path, monkeypatch, capsys, github)

    def typed(*arguments: str, repo: str | None = REPO) -> Said:
        own = () if repo is None else ("--repo", repo)
        return line("agents", "analyze", *arguments, *own)

    return typed


def a_run(github: FakeGitHub, kinds: tuple[str, ...] = ("pytest",), jobs: int = 1) -> Run:
    at = github.clock.now()
    plans = [
        *(job(f"{kind}-job", "failure", took_s=600, log=failing(kind, f"{kind} 1", at)) for kind in kinds),
        *matrix("lint", jobs),
    ]
    return github.world.add_run(plans, conclusion="failure", workflow="Agent missions", at=at, event="push")


def archive_of(run: Run, folder: Path) -> str:
    path = folder / f"logs_{run.id}.zip"
    path.write_bytes(run_archive(run, run.latest.jobs))
    return str(path)


@pytest.mark.parametrize("form", ["markdown", "json"])
@pytest.mark.parametrize("kind", CLASSES)
def test_a_report_is_byte_for_byte_the_same_from_the_api_and_from_a_zip(
    github: FakeGitHub, command: Command, tmp_path: Path, kind: str, form: str
) -> None:
    run = a_run(github, (kind,))
    code, out, err = command(str(run.id), "--format", form)
    assert (code, err) == (0, "")
    zipped_code, from_zip, _ = command(archive_of(run, tmp_path), "--run", str(run.id), "--format", form)
    assert (zipped_code, from_zip) == (0, out)
    assert str(tmp_path) not in out


def test_a_run_of_many_jobs_is_the_same_from_the_zip_that_github_gives(
    github: FakeGitHub, command: Command, tmp_path: Path
) -> None:
    run = a_run(github, CLASSES, jobs=3)
    github.journal.clear()
    code, out, _ = command(str(run.id))
    assert (code, github.journal.count("job log")) == (0, 0)
    assert command(archive_of(run, tmp_path), "--run", str(run.id))[1] == out


@pytest.mark.parametrize(
    ("kind", "cause", "words"),
    [
        ("pytest", "accuracy", "AssertionError"),
        ("oom", "gpu_memory", "out of memory"),
        ("timeout", "timeout", "timed out"),
        ("runner", "runner_lost", "shutdown signal"),
        ("install", "dependency", "No matching distribution"),
    ],
)
def test_each_class_of_failure_is_told(github: FakeGitHub, command: Command, kind: str, cause: str, words: str) -> None:
    run = a_run(github, (kind,))
    _, out, _ = command(str(run.id), "--format", "json")
    document = json.loads(out)
    jsonschema.validate(document, schema_of("agents-analysis"))
    failed = document["jobs"][0]
    assert (failed["name"], failed["diagnosis"]["cause"]) == (f"{kind}-job", cause)
    assert words in failed["diagnosis"]["line"]
    assert len(failed["fingerprint"]) == len(failed["signature"]) == 16
    assert failed["failed_step"] == "Install dependencies"


def test_the_sections_are_fixed_and_their_order_too(github: FakeGitHub, command: Command) -> None:
    run = a_run(github, ("oom",))
    _, out, _ = command(str(run.id))
    assert [line[3:] for line in out.splitlines() if line.startswith("## ")] == [
        "What failed", "Errors and traces", "Known failures", "Suggested fixes", "Agents", "Tests and coverage",
        "Metrics", "Warnings", "Resources", "Git references", "Logs",
    ]  # fmt: skip
    assert out.startswith("# Run analysis: Agent missions ")


def test_the_store_tells_the_same_offline(
    github: FakeGitHub, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    run = a_run(github, ("pytest", "oom"), jobs=0)
    assert run_app(trackside_app(), ["sync", "--repo", REPO, "--since", "2020-01-01", "--logs", "all", "--quiet"]) == 0
    capsys.readouterr()
    online = command(str(run.id))
    github.journal.clear()
    offline = command(str(run.id), "--offline")
    assert offline[:2] == online[:2]
    assert github.journal.count("job log") == 0


def test_what_the_store_lacks_is_said_offline(github: FakeGitHub, command: Command) -> None:
    assert command("77", "--offline")[0] == 1, "there is no store"
    run = a_run(github, ("pytest",), jobs=0)
    assert run_app(trackside_app(), ["sync", "--repo", REPO, "--since", "2020-01-01", "--quiet"]) == 0
    code, out, err = command(str(run.id), "--offline")
    assert code == 1
    assert "pytest-job" in out
    assert "trackside sync --logs failed brings" in err
    assert command("77", "--offline")[0] == 1


@pytest.mark.parametrize("suffix", ["", "/", "/attempts/1", "?pr=3", "#summary-12"])
def test_the_address_of_a_run_names_it_and_its_repository(github: FakeGitHub, command: Command, suffix: str) -> None:
    run = a_run(github)
    page = f"{github.api_url.removesuffix('/api/v3')}/{REPO}/actions/runs/{run.id}{suffix}"
    code, out, _ = command(page, repo=None)
    assert (code, out) == (0, command(str(run.id))[1])


def test_an_attempt_and_a_job_can_be_named(github: FakeGitHub, command: Command) -> None:
    run = a_run(github, ("pytest",), jobs=2)
    github.world.rerun(run, conclusion="success")
    page = f"{github.api_url.removesuffix('/api/v3')}/{REPO}/actions/runs/{run.id}"
    first = json.loads(command(f"{page}/attempts/1", "--format", "json")[1])
    newest = json.loads(command(page, "--format", "json")[1])
    assert (first["run"]["run_attempt"], first["run"]["conclusion"]) == (1, "failure")
    assert (newest["run"]["run_attempt"], newest["run"]["conclusion"]) == (2, "success")
    assert [one["name"] for one in first["jobs"] if one["is_failed"]] == ["pytest-job"]
    lint = next(one for one in first["jobs"] if one["name"] == "lint (1)")
    alone = json.loads(command(f"{page}/attempts/1/job/{lint['job_id']}", "--format", "json")[1])
    assert [one["name"] for one in alone["jobs"]] == ["lint (1)"]


@pytest.mark.parametrize(
    "address",
    [
        "https://github.example.org/octo/engine/actions/runs/7",
        "https://token@github.com/octo/engine/actions/runs/7",
        "https://evil.example/?https://github.com/octo/engine/actions/runs/7",
        "http://[half/octo/engine/actions/runs/7",
    ],
)
def test_an_address_of_another_host_is_refused_without_a_call(
    github: FakeGitHub, command: Command, address: str
) -> None:
    github.journal.clear()
    code, out, err = command(address)
    assert (code, out) == (2, "")
    assert "is no page of" in err
    assert github.journal.count() == 0


def test_a_page_that_is_no_runs_and_another_repository_are_wrong_usage(github: FakeGitHub, command: Command) -> None:
    home = github.api_url.removesuffix("/api/v3")
    assert command(f"{home}/{REPO}/pull/7")[0] == 2
    code, _, err = command(f"{home}/other/place/actions/runs/7")
    assert code == 2
    assert "is not the repository of the address" in err


def test_a_run_that_does_not_exist_is_one_sentence(command: Command) -> None:
    code, out, err = command("424242")
    assert (code, out) == (1, "")
    assert err.startswith("octo/engine has no run 424242 on GitHub")
    assert err.count("\n") == 1


def test_expired_logs_leave_the_report_of_what_is_known(github: FakeGitHub, command: Command) -> None:
    at = github.clock.now()
    plans = [job("unit", "failure", log_state=LogState.EXPIRED), job("lint", log_state=LogState.EXPIRED)]
    run = github.world.add_run(plans, conclusion="failure", at=at)
    code, out, err = command(str(run.id))
    assert code == 1
    assert err == "No log could be read, the report tells what is known without: GitHub has deleted it.\n"
    assert "| failure | Install dependencies | - | - |" in out


def test_some_logs_that_are_missing_end_with_four(github: FakeGitHub, command: Command) -> None:
    at = github.clock.now()
    plans = [job("unit", "failure", log=failing("oom", "x", at)), job("gone", log_state=LogState.EXPIRED)]
    run = github.world.add_run(plans, conclusion="failure", at=at)
    code, out, err = command(str(run.id))
    assert code == 4
    assert err.startswith("Not complete: the logs of 1 jobs could not be read (gone)")
    assert "| gone | expired |" in out


def test_skipped_jobs_have_no_log_and_that_is_no_fault(github: FakeGitHub, command: Command) -> None:
    at = github.clock.now()
    run = github.world.add_run([job("unit", log=failing("oom", "x", at)), job("deploy", "skipped")], at=at)
    assert command(str(run.id))[0] == 0


def test_hostile_words_of_a_log_are_neutral_in_the_report(github: FakeGitHub, command: Command) -> None:
    at = github.clock.now()
    name = "unit <b>@team</b> #7 | ```"
    run = github.world.add_run(
        [job(name, "failure", log=stamped(HOSTILE, at))], conclusion="failure", at=at, title="@everyone <script>"
    )
    _, out, _ = command(str(run.id))
    assert SECRET not in out
    outside = _outside_of_code(out)
    for active in ("@octo-admin", "@everyone", "@team", "<script>", "<img", "<b>", " #1", " #7"):
        assert active not in outside
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in out.splitlines())
    assert sum(line.startswith("## ") for line in outside.splitlines()) == 11
    told = command(str(run.id), "--format", "json")[1]
    assert told.isascii()
    assert SECRET not in told
    assert "##[" not in told


def _outside_of_code(markdown: str) -> str:
    kept, fence = [], None
    for line in markdown.split("\n"):
        if fence is None and line.startswith("```"):
            fence = line.removesuffix("text")
        elif line == fence:
            fence = None
        elif fence is None:
            kept.append(line)
    assert fence is None, "every block of code is closed"
    return "\n".join(kept)


def test_the_report_is_written_whole_to_a_file(github: FakeGitHub, command: Command, tmp_path: Path) -> None:
    run = a_run(github)
    code, out, err = command(str(run.id), "-o", "reports/run.md")
    assert (code, out) == (0, "")
    path = tmp_path / "reports" / "run.md"
    assert err == f"The report is in {path}.\n"
    assert path.read_text(encoding="utf-8") == command(str(run.id))[1]


def test_a_log_alone_tells_what_it_says(command: Command, tmp_path: Path) -> None:
    lines = ["##[group]Run claude", "##[endgroup]", *json_lines(CLAUDE_EVENTS), *HOSTILE[5:]]
    (tmp_path / "agent.txt").write_text("\n".join(lines), encoding="utf-8")
    code, out, err = command("agent.txt", "--format", "json", repo=None)
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["run"]["run_id"] is None
    assert document["attribution"] is None
    (only,) = document["jobs"]
    assert (only["name"], only["conclusion"], only["is_failed"]) == ("agent", None, True)
    assert document["agents"][0]["cost_usd"] == 0.2416735
    assert only["signature"] is None


def test_a_log_comes_from_standard_input_too(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO("\n".join(HOSTILE).encode()))
    monkeypatch.setattr("sys.stdin", stream)
    code, out, _ = command("-", repo=None)
    assert code == 0
    assert "ValueError" in out


def test_the_log_of_one_job_of_a_run_needs_to_know_which(github: FakeGitHub, command: Command, tmp_path: Path) -> None:
    run = a_run(github, ("oom",), jobs=2)
    (tmp_path / "one.log").write_bytes(b"".join(failing("oom", "oom 1", run.created_at)()))
    code, _, err = command("one.log", "--run", str(run.id))
    assert code == 2
    assert "--job must choose one" in err
    code, out, _ = command("one.log", "--run", str(run.id), "--job", "oom-*")
    assert (code, out) == (0, command(str(run.id), "--job", "oom-*")[1])


def test_jobs_that_no_pattern_matches_are_told(github: FakeGitHub, command: Command) -> None:
    run = a_run(github)
    code, _, err = command(str(run.id), "--job", "nothing-*")
    assert code == 1
    assert "has no job that matches nothing-*. There are lint (0), pytest-job." in err


def test_a_log_that_is_too_long_is_cut_and_it_says_so(github: FakeGitHub, command: Command) -> None:
    at = github.clock.now()
    log = "\n".join([f"2026-06-01T10:00:00.0000000Z filler {number}" for number in range(60_000)] + HOSTILE)
    run = github.world.add_run([job("big", "failure", log=log)], conclusion="failure", at=at)
    code, out, _ = command(str(run.id), "--max-log-mib", "1")
    assert code == 0
    assert "its middle was too long and is missing" in out
    assert "ValueError" in out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04 no zip at all", "cannot be read as a run-log ZIP"),
        (zipped(), "holds no log of a job"),
        (zipped(("../../evil.txt", b"x"), ("/etc/passwd.txt", b"x")), "holds no log of a job"),
        (b"", "is empty"),
    ],
    ids=["damaged", "empty", "climbing", "nothing"],
)
def test_a_zip_that_holds_no_log_is_one_sentence_and_writes_nothing(
    command: Command, tmp_path: Path, content: bytes, words: str
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / ("logs.txt" if not content else "logs.zip")
    path.write_bytes(content)
    code, out, err = command(str(path), repo=None)
    assert (code, out) == (1, "")
    assert words in err
    assert err.count("\n") == 1
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["in", path.name]


def test_hostile_members_of_a_zip_cost_only_themselves(command: Command, tmp_path: Path) -> None:
    good = "\n".join(HOSTILE).encode()
    members = (
        ("0_unit.txt", good),
        ("1_bomb.txt", b"a" * (64 * 1024 * 1024)),
        ("../../2_evil.txt", b"x"),
        ("3_twice.txt", b"one"),
        ("4_twice.txt", b"two"),
        ("5_caf\udce9.txt".encode("utf-8", "surrogateescape").decode("latin-1"), b"not UTF-8 \xff\xfe\n"),
    )
    (tmp_path / "logs.zip").write_bytes(zipped(*members))
    code, out, err = command("logs.zip", "--format", "json", repo=None)
    names = {one["name"]: one["log"]["state"] for one in json.loads(out)["jobs"]}
    assert names["unit"] == "ready"
    assert names["bomb"] == "unreadable"
    assert names["3_twice"] == names["4_twice"] == "ready"
    assert code == 4
    assert "unpacks to more than" in err
    assert [one.name for one in tmp_path.rglob("*.txt")] == []


def test_what_is_no_run_no_link_and_no_file_is_told(command: Command) -> None:
    code, _, err = command("nosuchfile")
    assert code == 1
    assert "is no run, no page of a run and no file" in err
    assert command("19250972881", "--run", "7")[0] == 2
    assert command("--nosuch")[0] == 2
    assert command()[0] == 2
    assert command("nosuchfile", "--run", "seven")[0] == 2
