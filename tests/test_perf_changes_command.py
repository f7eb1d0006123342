"""``trackside perf changes``, ``ack``, ``intend`` and ``reopen`` as a user runs them, on a store with planted drops."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scripts.schemas import schema_of
from tests.build_github import REPO, attempt, job, marker
from tests.fake_github import FakeGitHub
from tests.fake_github.scenarios import perf
from tests.scripted_server import Received, ScriptedServer, answer
from tests.syncing import TOKEN
from tests.test_perf_changes import steady
from trackside.cli.app import run, trackside_app
from trackside.records.jobs import Job
from trackside.records.measurements import Better, MeasuredLog, Measurement
from trackside.records.perf_rules import ChangeState
from trackside.records.runs import RunAttempt
from trackside.store.store import Store, open_store

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
HOUR = dt.timedelta(hours=1)
HOSTILE = "=1+1 \x1b]52;c;aGk=\x07 @everyone #1 <img src=x> | \u202e"
DROP = [*steady(40), *steady(20, 140.0, 40)]
Command = Callable[..., tuple[int, str, str]]


def plant(store: Store, series: dict[str, list[float | None]]) -> None:
    """Runs of main an hour apart up to now, with a job that measured each test; None is a run without the value."""
    numbers = range(1, 1 + max(len(values) for values in series.values()))
    times = {number: NOW - (numbers[-1] - number + 1) * HOUR for number in numbers}
    store.add_runs([a_run(number, times[number]) for number in numbers], NOW)
    store.add_jobs([a_job(number, times[number]) for number in numbers], [marker(number) for number in numbers], NOW)
    values = [
        a_measurement(number, test, value)
        for test, own in series.items()
        for number, value in zip(numbers, own, strict=False)
        if value is not None
    ]
    counts = Counter(one.job_id for one in values)
    keys: dict[str, Any] = {"repo": REPO, "run_attempt": 1, "version": "1", "tests": 1}
    logs = [MeasuredLog(job_id=number, run_id=number, measurements=counts[number], **keys) for number in numbers]
    store.add_measurements(values, logs, NOW)


def a_run(number: int, at: dt.datetime) -> RunAttempt:
    return attempt(
        number, created_at=at, run_number=number, head_branch="main", head_sha=f"{number:040x}", event="push",
        head_repository=REPO, workflow_name="PR Test", head_commit_author=f"Author {HOSTILE}",
        display_title=f"Change {number} {HOSTILE}", html_url=f"https://github.com/{REPO}/actions/runs/{number}",
    )  # fmt: skip


def a_job(number: int, at: dt.datetime) -> Job:
    return job(
        number, number, name="performance-test-1-gpu", created_at=at, started_at=at, completed_at=at + HOUR / 4,
        runner_name=f"gpu-{number % 2}", labels=("gpu",), queue_s=0.0, duration_s=900.0,
        html_url=f"https://github.com/{REPO}/actions/runs/{number}/job/{number}",
    )  # fmt: skip


def a_measurement(number: int, test: str, value: float) -> Measurement:
    return Measurement(
        repo=REPO, job_id=number, run_id=number, run_attempt=1, version="1", test=test,
        metric="output_throughput_token_s", value=value, unit="tok/s", better=Better.HIGHER,
    )  # fmt: skip


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """``trackside perf`` without GitHub, on the store of the working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("TRACKSIDE_STORE", "GITHUB_REPOSITORY", "TRACKSIDE_NOTIFY_URL"):
        monkeypatch.delenv(name, raising=False)
    open_store(tmp_path / ".trackside")

    def call(*words: str) -> tuple[int, str, str]:
        offline = ["--offline"] if words[0] == "changes" else []
        code = run(trackside_app(), ["perf", *words, "--repo", REPO, *offline])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / ".trackside")


def document(command: Command, *words: str) -> Any:
    return json.loads(command("changes", "--format", "json", *words)[1])


def only_id(command: Command) -> str:
    [change] = document(command)["changes"]
    return str(change["change_id"])


def test_a_drop_is_told_with_its_commit_and_fails_a_check(command: Command, store: Store) -> None:
    plant(store, {"test_bs1": [*DROP]})
    code, out, _ = command("changes", "--check")
    assert code == 3
    assert command("changes")[0] == 0
    [change] = document(command)["changes"]
    assert (change["state"], change["verdict"], change["at"]["run_number"]) == ("confirmed", "regression", 41)
    assert change["change_id"] in out
    assert "all 2 runners that measured before and after show it" in out
    assert f"{REPO}: 60 runs created" in out


def test_a_flat_series_passes_a_check_and_says_what_was_looked_at(command: Command, store: Store) -> None:
    plant(store, {"test_bs1": [*steady(60)]})
    code, out, _ = command("changes", "--check")
    assert code == 0
    assert "No regression in 1 series that were searched." in out


def test_a_change_that_is_only_new_fails_no_check(command: Command, store: Store) -> None:
    plant(store, {"test_bs1": [*steady(40), *steady(4, 130.0, 40)]})
    assert command("changes", "--check")[0] == 0
    assert [one["state"] for one in document(command)["changes"]] == ["new"]


def test_an_improvement_fails_no_check(command: Command, store: Store) -> None:
    plant(store, {"test_bs1": [*steady(40), *steady(20, 160.0, 40)]})
    code, out, _ = command("changes", "--check")
    assert code == 0
    assert "Improvements" in out


@pytest.mark.parametrize("word", ["ack", "intend"])
def test_what_people_say_of_a_change_ends_the_alarm_until_it_is_reopened(
    command: Command, store: Store, word: str
) -> None:
    plant(store, {"test_bs1": [*DROP]})
    name = only_id(command)
    code, out, _ = command(word, name, "--reason", "the new  driver", "--link", "https://example.test/7")
    assert (code, out.startswith(f"{name} is ")) == (0, True)
    assert command("changes", "--check")[0] == 0
    [change] = document(command)["changes"]
    assert (change["decision"]["reason"], change["decision"]["link"]) == ("the new driver", "https://example.test/7")
    assert command("reopen", name)[0] == 0
    assert command("changes", "--check")[0] == 3
    assert only_id(command) == name


def test_one_decision_holds_for_all_that_moved_at_the_same_commits(command: Command, store: Store) -> None:
    plant(store, {"test_a": [*DROP], "test_b": [*DROP]})
    name = document(command)["changes"][0]["change_id"]
    command("ack", name, "--reason", "known")
    assert command("changes", "--check")[0] == 3
    _, out, _ = command("ack", name, "--reason", "known", "--others")
    assert out.startswith(f"{name} and what moved with it is acknowledged now")
    assert command("changes", "--check")[0] == 0
    assert command("changes", "--check")[0] == 0
    assert len(command("reopen", name)[1].splitlines()) == 2
    assert command("changes", "--check")[0] == 3


def test_what_is_intended_is_listed_only_with_all(command: Command, store: Store) -> None:
    plant(store, {"test_bs1": [*DROP]})
    name = only_id(command)
    command("intend", name, "--reason", "a trade")
    _, out, _ = command("changes")
    assert name not in out
    assert "Dealt with: 1 intended; --all lists them." in out
    assert name in command("changes", "--all")[1]


def test_a_committed_note_counts_and_is_told_where_somebody_says_something_else(
    command: Command, store: Store, tmp_path: Path
) -> None:
    plant(store, {"test_bs1": [*DROP]})
    name = only_id(command)
    note = f'[[perf.changes]]\nid = "{name}"\nstate = "acknowledged"\nreason = "known"\n'
    (tmp_path / "trackside.toml").write_text(note, encoding="utf-8")
    assert command("changes", "--check")[0] == 0
    code, _, err = command("reopen", name)
    assert (code, "counts before" in err) == (0, True)
    assert command("changes", "--check")[0] == 0


def test_an_unknown_id_names_the_nearest(command: Command, store: Store) -> None:
    plant(store, {"test_bs1": [*DROP]})
    name = only_id(command)
    wrong = f"{name[:-1]}{'0' if name[-1] != '0' else '1'}"
    code, _, err = command("ack", wrong, "--reason", "why")
    assert code == 1
    assert f"has the id {wrong}. Is it {name} (PR Test" in err


def test_an_id_without_any_change_known_says_what_to_do(command: Command, store: Store) -> None:
    plant(store, {"test_bs1": [*steady(6)]})
    code, _, err = command("ack", "4f2a91c0", "--reason", "why")
    assert (code, "trackside perf changes finds changes first." in err) == (1, True)


def test_a_link_that_is_no_page_is_refused(command: Command, store: Store) -> None:
    code, _, err = command("ack", "4f2a91c0", "--reason", "why", "--link", "javascript:alert(1)")
    assert (code, "--link javascript:alert(1) is no address of a page" in err) == (2, True)


def test_a_decision_without_a_reason_is_wrong_usage(command: Command, store: Store) -> None:
    plant(store, {"test_bs1": [*DROP]})
    name = only_id(command)
    for words in (("ack", name), ("intend", name, "--reason", "  "), ("ack", name, "--reason", "x" * 3000)):
        code, _, err = command(*words)
        assert (code, "--reason" in err) == (2, True)


def test_only_what_changed_is_written(command: Command, store: Store) -> None:
    plant(store, {"test_bs1": [*DROP]})
    command("changes")
    assert store.history("changes").collect().height == 1
    command("changes")
    assert store.history("changes").collect().height == 1


def test_a_store_that_cannot_be_written_is_read_all_the_same(
    command: Command, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(store, {"test_bs1": [*DROP]})
    (store_root := Path(".trackside")).joinpath("changes").write_text("in the way", encoding="utf-8")
    code, out, err = command("changes")
    assert code == 0, err
    assert "confirmed" in out
    assert "could not be kept" in err
    assert store_root.joinpath("changes").is_file()


def test_series_that_stopped_are_told_with_the_entry_that_joins_them_and_fail_a_check(
    command: Command, store: Store
) -> None:
    gone: list[float | None] = [*steady(18), None, None]
    came: list[float | None] = [*[None] * 18, *steady(2)]
    plant(store, {"test_bs1_default": gone, "test_bs1": came})
    code, out, _ = command("changes", "--check")
    assert code == 3
    assert 'old = "test_bs1_default"' in out
    assert [one["reason"] for one in document(command)["silence"]["series"]] == ["no_value"]


def test_series_that_were_given_up_fail_no_check(command: Command, store: Store, tmp_path: Path) -> None:
    plant(store, {"test_old": [*steady(18), None, None], "test_bs1": [*steady(20)]})
    assert command("changes", "--check")[0] == 3
    (tmp_path / "trackside.toml").write_text('[perf]\nended = ["* test_old *"]\n', encoding="utf-8")
    code, out, _ = command("changes", "--check")
    assert (code, "1 stopped that" in out) == (0, True)


def test_a_window_in_which_nothing_at_all_is_measured_says_so_and_fails_a_check(command: Command, store: Store) -> None:
    plant(store, {"test_bs1": [*[None] * 10]})
    code, _, err = command("changes", "--check")
    assert (code, "No performance number is in the window: 10 logs" in err) == (3, True)


def test_patterns_choose_what_is_shown_and_checked(command: Command, store: Store) -> None:
    plant(store, {"test_bs1": [*DROP], "test_flat": [*steady(60, first=30)]})
    assert command("changes", "--check", "--test", "test_flat")[0] == 0
    assert command("changes", "--check", "--test", "*bs1")[0] == 3
    assert [one["test"] for one in document(command, "--test", "test_flat")["series"]] == ["test_flat"]
    code, out, err = command("changes", "--check", "--metric", "nope")
    assert (code, out, "--metric nope" in err) == (1, "", True)


def test_the_document_follows_its_schema(command: Command, store: Store) -> None:
    plant(store, {"test_bs1": [*DROP], "test_old": [*steady(40), *[None] * 20], HOSTILE: [*steady(5)]})
    validator = jsonschema.Draft202012Validator(schema_of("perf-changes"), format_checker=jsonschema.FormatChecker())
    assert list(validator.iter_errors(document(command))) == []


@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown"])
def test_no_name_acts_on_a_terminal_a_spreadsheet_or_a_comment(command: Command, store: Store, form: str) -> None:
    plant(store, {HOSTILE: [*DROP], f"old {HOSTILE}": [*steady(40), *[None] * 20]})
    _, out, err = command("changes", "--format", form, "--all")
    assert not any(char in out + err for char in "\x1b\x07\r\u202e")
    if form == "markdown":
        assert "@everyone" not in out
        assert "<img" not in out
    if form == "json":
        assert out.isascii()


def test_csv_has_a_row_for_each_change(command: Command, store: Store) -> None:
    plant(store, {"test_a": [*DROP], "test_b": [*steady(30, first=9), *steady(30, 160.0, 39)]})
    rows = list(csv.DictReader(io.StringIO(command("changes", "--format", "csv")[1])))
    assert [(row["test"], row["verdict"], row["at_run"]) for row in rows] == [
        ("test_a", "regression", "41"),
        ("test_b", "improvement", "31"),
    ]
    assert rows[0]["compare_url"].endswith(f"{40:040x}...{41:040x}")


def test_an_empty_window_says_what_to_do(command: Command, store: Store) -> None:
    plant(store, {"test_bs1": [*DROP]})
    code, _, err = command("changes", "--since", "2020-01-01", "--until", "2020-01-02")
    assert (code, "--since 90d" in err) == (0, True)


def test_a_confirmed_regression_is_told_once_and_its_end_too(command: Command, store: Store) -> None:
    plant(store, {"test_bs1": [*DROP]})
    with ScriptedServer(lambda _request: answer(200, {})) as server:
        url = server.url.replace("http://", "json://")
        assert command("changes", "--notify", url)[0] == 0
        assert command("changes", "--notify", url)[0] == 0
        told = [json.loads(one.body) for one in server.received]
    [message] = told
    assert message["title"] == f"{REPO} performance: 1 regression"
    name = only_id(command)
    assert f"{name})" in message["message"]
    command("ack", name, "--reason", "known")
    assert "Nothing changed: no message." in command("changes", "--dry-run")[2]


def test_a_message_that_is_not_taken_is_told_again(command: Command, store: Store) -> None:
    plant(store, {"test_bs1": [*DROP]})
    with ScriptedServer(lambda _request: answer(500, {})) as server:
        code, _, err = command("changes", "--notify", server.url.replace("http://", "json://"))
    assert (code, "was not sent" in err) == (1, True)
    assert "1 regression" in command("changes", "--dry-run")[2]


def test_what_was_sent_and_could_not_be_kept_is_told_again(command: Command, store: Store) -> None:
    plant(store, {"test_bs1": [*DROP]})
    in_the_way = Path(".trackside/notices")

    def take(_request: Received) -> bytes:
        in_the_way.write_text("", encoding="utf-8")
        return answer(200, {})

    with ScriptedServer(take) as server:
        code, _, err = command("changes", "--notify", server.url.replace("http://", "json://"))
    assert (code, "could not be kept, the next run tells it again" in err) == (1, True)
    in_the_way.unlink()
    assert "1 regression" in command("changes", "--dry-run")[2]


def test_states_in_the_store_are_those_that_are_shown(command: Command, store: Store) -> None:
    plant(store, {"test_bs1": [*DROP]})
    name = only_id(command)
    rows = store.newest("changes").collect()
    assert rows.select("change_id", "state").rows() == [(name, ChangeState.CONFIRMED.value)]


def test_runs_jobs_and_logs_are_brought_first_and_each_log_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with FakeGitHub() as github:
        perf(github.world, runs=30, name=REPO)
        monkeypatch.setenv("GITHUB_API_URL", github.api_url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        words = [
            "perf",
            "changes",
            "--repo",
            REPO,
            "--since",
            "2020-01-01",
            "--workflow",
            "PR Test",
            "--format",
            "json",
        ]
        first = run(trackside_app(), words), github.journal.count("job log"), json.loads(capsys.readouterr().out)
        second = run(trackside_app(), words), github.journal.count("job log"), json.loads(capsys.readouterr().out)
    assert (first[0], second[0]) == (0, 0)
    assert first[1] == second[1] > 0
    searched = [one for one in first[2]["series"] if one["search"] == "searched"]
    assert len(searched) > 50
    assert first[2]["changes"] == second[2]["changes"]
