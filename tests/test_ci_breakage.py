"""``trackside ci streaks``, ``flaky`` and ``rates`` on a fake week whose truth is planted, and on hostile names."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

from scripts.schemas import schema_of
from tests.fake_github import FakeGitHub, job
from tests.fake_github.scenarios import week
from tests.fake_github.week_jobs import BROKEN_FROM, BROKEN_JOB, BROKEN_TO, FLAKY_JOB, LOST_RUNNER
from tests.syncing import REPO, sync_once
from trackside.ci.flake_evidence import Kind
from trackside.ci.flakiness import find_flaky
from trackside.ci.rate_changes import Change, find_rate_changes
from trackside.ci.streaks import Beginning, find_streaks
from trackside.cli.app import run as run_app
from trackside.cli.app import trackside_app
from trackside.evidence.diagnoses import read_logs
from trackside.evidence.history import load_history
from trackside.evidence.selection import Selection
from trackside.history.frames import History
from trackside.records.ci_rules import CiRules
from trackside.store.store import open_store

DAY = dt.timedelta(days=1)
COMMANDS = ("streaks", "flaky", "rates")
HOSTILE = "unit \x1b]52;c;aGk=\x07 @everyone #1 <img src=x> =1+1"


class Week(NamedTuple):
    """A week in a store: where it is, when it began, and the history of it, whole or up to a moment."""

    folder: Path
    start: dt.datetime
    load: Callable[[dt.datetime | None], History]


@pytest.fixture(scope="module")
def a_week(tmp_path_factory: pytest.TempPathFactory) -> Week:
    folder = tmp_path_factory.mktemp("week") / "store"
    rules = CiRules(ignored_jobs=("pr-test-finish",))
    with FakeGitHub() as github:
        week(github.world)
        store = open_store(folder)
        now = github.clock.now()
        assert sync_once(github, store, logs="failed").missing == ()
        read_logs(store, REPO, rules, now, lambda _done, _total: None)

    @cache
    def load(until: dt.datetime | None) -> History:
        return load_history(store, Selection(repo=REPO, until=until), rules)

    return Week(folder, now - 7 * DAY, load)


def test_the_job_that_is_broken_on_main_is_told_since_the_right_run(a_week: Week) -> None:
    begun, middle = a_week.start + BROKEN_FROM * DAY, a_week.start + (BROKEN_FROM + 1) * DAY
    history = a_week.load(middle)
    pushes = history.jobs.filter(is_default_line=True, job=BROKEN_JOB, workflow="PR Test", event="push")
    jobs = pushes.sort("run_created_at")
    first = next(row for row in jobs.iter_rows(named=True) if row["run_created_at"] >= begun)

    streak = next(one for one in find_streaks(history).broken if one.job == BROKEN_JOB)

    assert streak.beginning is Beginning.GOOD
    assert streak.first_bad.run_id == first["run_id"]
    assert streak.last_good is not None
    pushed_at = dict(pushes.select("sha", "run_created_at").iter_rows())
    assert pushed_at[streak.last_good.sha] < begun


def test_the_job_that_was_mended_is_told_as_fixed_for_a_day_and_a_half(a_week: Week) -> None:
    found = find_streaks(a_week.load(None))
    streak = next(one for one in found.fixed if one.job == BROKEN_JOB)

    assert BROKEN_JOB not in {one.job for one in found.broken}
    assert streak.ended_by is not None
    assert streak.ended_by.created_at is not None
    assert streak.ended_by.created_at >= a_week.start + BROKEN_TO * DAY
    assert streak.hours == pytest.approx((BROKEN_TO - BROKEN_FROM) * 24, abs=6)


def test_invalid_workflow_files_are_streaks_of_the_workflow_on_their_lines(a_week: Week) -> None:
    history = a_week.load(None)
    lines = [find_streaks(history, f"hana/npu-{index}") for index in range(2)]

    assert [[(one.job, one.failed_runs) for one in found.broken] for found in lines] == [[(None, 1)]] * 2


def test_the_flaky_job_is_flaky_and_the_broken_one_is_not(a_week: Week) -> None:
    flaky = find_flaky(a_week.load(None))
    jobs = {one.job: one for one in flaky.jobs}

    assert jobs[FLAKY_JOB].flaky_runs >= 5
    assert set(jobs[FLAKY_JOB].causes) == {"gpu_memory"}
    assert BROKEN_JOB not in jobs
    assert flaky.jobs[0].job == FLAKY_JOB


def test_the_hours_without_installs_are_an_outage_and_no_flakes(a_week: Week) -> None:
    flaky = find_flaky(a_week.load(None))

    assert {one.reason for one in flaky.outages} == {"dependency"}
    assert "dependency" not in {cause for one in flaky.jobs for cause in one.causes}
    assert flaky.not_flakes["outage"] > 0


def test_the_runner_that_loses_its_connection_is_to_blame_and_not_the_jobs(a_week: Week) -> None:
    flaky = find_flaky(a_week.load(None))

    assert flaky.bad_runners == (LOST_RUNNER,)
    assert {event.runner_name for event in flaky.set_aside if event.kind is Kind.RUNNER} == {LOST_RUNNER}
    assert LOST_RUNNER not in {event.runner_name for one in flaky.jobs for event in one.examples}


def test_it_works_without_logs_too(a_week: Week) -> None:
    whole = a_week.load(None)
    history = History(
        repo=whole.repo, runs=whole.runs, jobs=whole.jobs, failures=whole.failures.clear(),
        test_files=whole.test_files.clear(), rules=whole.rules, default_branch=whole.default_branch,
    )  # fmt: skip
    flaky = find_flaky(history)

    assert flaky.jobs[0].job == FLAKY_JOB
    assert BROKEN_JOB not in {one.job for one in flaky.jobs}
    assert flaky.bad_runners == (LOST_RUNNER,)
    installs = whole.failures.filter(cause="dependency")["job_id"]
    assert installs.len() > 20
    assert set(flaky.job_ids) & set(installs) == set()


def test_the_mended_job_fails_less_often_and_nothing_else_changed(a_week: Week) -> None:
    rates = find_rate_changes(a_week.load(None))

    assert [one.job for one in rates.of(Change.FALL)] == [BROKEN_JOB]
    assert rates.of(Change.RISE) == ()


class Command(NamedTuple):
    """Runs a command on a small repository: exit code, stdout, stderr."""

    run: Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """A repository in which a job of an evil name is broken since the third of five runs and another is flaky."""
    with FakeGitHub() as github:
        world, now = github.world, github.clock.now()
        world.add_repository(REPO)
        for index in range(40):
            bad, flakes = index >= 37, index in (5, 12, 20)
            end = "failure" if bad or flakes else "success"
            plans = [job(HOSTILE, "failure" if bad else "success"), job("moe", "failure" if flakes else "success")]
            run = world.add_run(plans, conclusion=end, workflow="PR Test", at=now - (40 - index) * DAY / 8)
            if flakes:
                world.rerun(run, at=now - (40 - index) * DAY / 8 + DAY / 24, conclusion="success")
        store = open_store(tmp_path / "store")
        sync_once(github, store)
        monkeypatch.chdir(tmp_path)
        since = f"{now - 7 * DAY:%Y-%m-%dT%H:%M:%S}"

        def run_command(*words: str) -> tuple[int, str, str]:
            fixed = ["--offline", "--repo", REPO, "--store", str(tmp_path / "store")]
            window = [] if "--since" in words else ["--since", since]
            code = run_app(trackside_app(), ["ci", *words, *fixed, *window])
            said = capsys.readouterr()
            return code, said.out, said.err

        yield Command(run_command)


def document(command: Command, name: str, *words: str) -> Any:
    return json.loads(command.run(name, "--format", "json", *words)[1])


def test_a_check_ends_with_3_where_main_is_broken_or_a_job_is_flaky(command: Command) -> None:
    assert [command.run(name, "--check")[0] for name in COMMANDS] == [3, 3, 3]
    assert [command.run(name)[0] for name in COMMANDS] == [0, 0, 0]
    assert command.run("streaks", "--check", "--all-lines")[0] == 3


@pytest.mark.parametrize("name", COMMANDS)
def test_documents_follow_their_schema(command: Command, name: str) -> None:
    jsonschema.validate(document(command, name), schema_of(f"ci-{name}"))


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown"])
def test_no_name_acts_on_a_terminal_a_spreadsheet_or_a_comment(command: Command, name: str, form: str) -> None:
    _, out, _ = command.run(name, "--format", form)

    assert out.isascii() or form != "json"
    assert not any(char in out for char in "\x1b\x07\r")
    if form == "markdown":
        assert "@everyone" not in out
        assert "<img" not in out


def test_the_broken_job_its_runs_and_the_flaky_one_are_told(command: Command) -> None:
    [broken] = document(command, "streaks")["streaks"]["broken"]
    [flaky] = document(command, "flaky")["flaky"]["jobs"]

    assert (broken["failed_runs"], broken["beginning"], broken["job"]) == (3, "good", HOSTILE)
    assert broken["range"]["compare_url"].split("/compare/")[1].count("...") == 1
    assert (flaky["job"], flaky["flaky_runs"], flaky["decided_runs"]) == ("moe", 3, 40)


def test_every_table_names_its_window_and_its_runs(command: Command) -> None:
    for name in COMMANDS:
        _, out, _ = command.run(name)
        assert out.startswith(f"{REPO}: 40 runs created 2026-05-")


def test_csv_has_a_row_for_each_streak_flaky_job_and_tested_job(command: Command) -> None:
    tables = [list(csv.DictReader(io.StringIO(command.run(name, "--format", "csv")[1]))) for name in COMMANDS]

    assert [len(rows) for rows in tables] == [1, 1, 2]
    assert (tables[0][0]["state"], tables[0][0]["failed_runs"]) == ("broken", "3")
    assert tables[1][0]["name"] == "moe"
    assert [row["change"] for row in tables[2]] == ["rise", "none"]


def test_an_empty_window_says_what_to_do(command: Command) -> None:
    code, _, err = command.run("streaks", "--since", "2020-01-01", "--until", "2020-01-02")

    assert (code, "--since 90d" in err) == (0, True)


@pytest.mark.parametrize("recent", ["2", "2 apples", "-1d", "2026-05-01"])
def test_a_length_that_is_none_is_refused(command: Command, recent: str) -> None:
    code, _, err = command.run("rates", "--recent", recent)

    assert (code, "--recent" in err) == (2, True)


def test_one_line_or_all_lines(command: Command) -> None:
    assert command.run("streaks", "--line", "main", "--all-lines")[0] == 2
    assert command.run("streaks", "--all-lines")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("streaks", "--workflow", "nope.yml", "--check"), "--workflow nope.yml"),
        (("flaky", "--branch", "nope"), "--branch nope"),
        (("streaks", "--event", "nope", "--check"), "--event nope"),
        (("streaks", "--job", "nope", "--check"), "--job nope"),
        (("rates", "--job", "nope"), "--job nope"),
        (("streaks", "--line", "nope", "--check"), "branch line nope"),
    ],
)
def test_a_choice_that_matches_nothing_is_no_success(command: Command, words: tuple[str, ...], said: str) -> None:
    code, out, err = command.run(*words)
    assert (code, out) == (1, "")
    assert said in err
