"""The logs of failures that are new: one of each kind, inside a budget, each attempt at most once."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fake_github import Clock, FakeGitHub, LogState, Run, Step, job, matrix
from tests.fake_github.faults import Kind
from tests.syncing import TOKEN, begin_command, sync_once
from trackside.agents.signatures import SIGNATURE_VERSION
from trackside.cli.app import run as run_app
from trackside.cli.app import trackside_app
from trackside.records.agent_rules import LogBudget
from trackside.records.knowledge import LogChoice, Occurrence
from trackside.records.syncs import SyncRecord
from trackside.store.store import Store, open_store
from trackside.sync.log_choices import Downloads, LogChoices, in_turn

HOUR = dt.timedelta(hours=1)
DAY = 24 * HOUR
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as one:
        yield one


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def fail(github: FakeGitHub, step: str = "Run tests", *, name: str = "unit", hours: float = 1, **more: Any) -> Run:
    """A run of one job that failed in a step, so many hours ago."""
    steps = (Step(1, "Set up job", "success", 0, 2), Step(2, step, "failure", 2, 50))
    plan = job(name, "failure", steps=steps, **{"log": "##[error]it broke\n"} | more)
    return github.world.add_run([plan], conclusion="failure", at=github.clock.now() - hours * HOUR)


def look(github: FakeGitHub, store: Store, **options: Any) -> SyncRecord:
    """A sync that looks into new failures; then an hour goes by."""
    budget = options.pop("budget", LogBudget())
    record = sync_once(github, store, logs="new", pulls="none", log_budget=budget, **options)
    github.clock.advance(3600)
    return record


def occurrences(store: Store) -> list[Occurrence]:
    return list(store.known_failures("octo/engine", LONG_AGO))


def choices(store: Store) -> list[str]:
    """What was decided, in the order of the runs and jobs."""
    return [one.choice.value for one in occurrences(store)]


def downloads(github: FakeGitHub) -> int:
    """Calls for logs so far, of jobs and of runs."""
    return github.journal.count("job log") + github.journal.count("run log")


def occurrence(job_id: int, signature: str = "a", choice: LogChoice = LogChoice.NOT_ASKED, **more: Any) -> Occurrence:
    return Occurrence(
        repo="octo/engine", job_id=job_id, run_id=job_id, run_attempt=1, version=SIGNATURE_VERSION, step="s",
        signature=signature, workflow="w", job="j", conclusion="failure", failed_at=LONG_AGO + job_id * HOUR,
        choice=choice, **more,
    )  # fmt: skip


def test_of_several_failures_of_one_kind_one_log_is_read(github: FakeGitHub, store: Store) -> None:
    failures = ["failure"] * 4
    github.world.add_run(matrix("unit", 6, failures), conclusion="failure", at=github.clock.now() - DAY)
    record = look(github, store)
    assert Counter(choices(store)) == {"read": 1, "known": 3}
    assert (downloads(github), record.logs_new, record.status) == (1, 1, "ok")
    assert len({one.signature for one in occurrences(store)}) == 1
    assert {(one.job, one.workflow) for one in occurrences(store)} == {("unit", ".github/workflows/ci.yml")}
    assert github.journal.broken_rules() == {}


def test_a_failure_of_a_known_kind_costs_no_call_and_one_of_a_new_kind_costs_one(
    github: FakeGitHub, store: Store
) -> None:
    fail(github, hours=3)
    look(github, store)
    fail(github, hours=0.5)
    look(github, store)
    assert (choices(store), downloads(github)) == (["read", "known"], 1)
    fail(github, "Upload results", hours=0.5)
    look(github, store)
    assert (choices(store), downloads(github)) == (["read", "known", "read"], 2)
    look(github, store)
    assert downloads(github) == 2


@pytest.mark.parametrize("conclusion", ["success", "cancelled", "skipped", "timed_out"])
def test_a_job_that_did_not_fail_costs_no_call(github: FakeGitHub, store: Store, conclusion: str) -> None:
    github.world.add_run([job("unit", conclusion)], conclusion=conclusion, at=github.clock.now() - DAY)
    look(github, store)
    assert (downloads(github), occurrences(store)) == (0, [])


def test_the_settings_say_which_conclusions_are_looked_into(github: FakeGitHub, store: Store) -> None:
    plans = [job("slow", "timed_out"), job("bad", "failure"), job("gone", "cancelled")]
    github.world.add_run(plans, conclusion="failure", at=github.clock.now() - DAY)
    look(github, store, budget=LogBudget(conclusions=("timed_out", "cancelled")))
    assert [(one.job, one.conclusion) for one in occurrences(store)] == [("slow", "timed_out"), ("gone", "cancelled")]
    assert downloads(github) == 2


def test_without_being_asked_for_no_log_is_downloaded(github: FakeGitHub, store: Store) -> None:
    fail(github)
    sync_once(github, store, pulls="none")
    assert downloads(github) == 0


def test_what_is_over_the_budget_of_a_sync_is_listed_and_done_next_time_the_oldest_first(
    github: FakeGitHub, store: Store
) -> None:
    for index in range(4):
        fail(github, f"part {index}", hours=10 - index)
    budget = LogBudget(per_sync=1)
    record = look(github, store, budget=budget)
    assert choices(store) == ["deferred", "deferred", "deferred", "read"], "of new ones the newest is first"
    assert (record.status, record.missing) == ("ok", ())
    assert record.notes == (
        "Logs of failed jobs wait for the next sync (jobs: 3, kinds: 3): per_sync = 1 of [agents.logs] is used up.",
    )
    fail(github, "part 9", hours=0.1)
    look(github, store, budget=budget)
    assert choices(store) == ["read", "deferred", "deferred", "read", "deferred"]
    look(github, store, budget=budget)
    assert choices(store) == ["read", "read", "deferred", "read", "deferred"]
    record = look(github, store)
    assert (choices(store), record.notes) == (["read"] * 5, ())
    assert downloads(github) == 5


def test_the_budget_of_a_day_counts_over_syncs_and_is_free_again_after_24_hours(
    github: FakeGitHub, store: Store
) -> None:
    for index in range(3):
        fail(github, f"part {index}")
    budget = LogBudget(per_day=2)
    look(github, store, budget=budget)
    look(github, store, budget=budget)
    assert (downloads(github), Counter(choices(store))) == (2, {"read": 2, "deferred": 1})
    github.clock.advance(22 * 3600 - 1)
    look(github, store, budget=budget)
    assert downloads(github) == 2
    github.clock.advance(1)
    look(github, store, budget=budget)
    assert (downloads(github), set(choices(store))) == (3, {"read"})


@pytest.mark.parametrize("workers", [1, 5])
def test_the_bytes_of_a_day_end_the_downloads(github: FakeGitHub, store: Store, workers: int) -> None:
    for index in range(4):
        fail(github, f"part {index}", log="x" * 700_000 + "\n")
    record = look(github, store, budget=LogBudget(mib_per_day=1), client={"workers": workers})
    assert Counter(choices(store)) == {"read": 2, "deferred": 2}, "the second log passes the limit"
    assert record.notes[0].endswith("(jobs: 2, kinds: 2): mib_per_day = 1 of [agents.logs] is used up.")
    assert sum(one.log_bytes for one in occurrences(store)) == 2 * 700_001


def test_many_failures_of_a_known_kind_at_once_are_looked_into_once(github: FakeGitHub, store: Store) -> None:
    budget = LogBudget(recheck_after=4)
    fail(github, hours=3)
    look(github, store, budget=budget)
    for _ in range(5):
        fail(github, hours=0.5)
    look(github, store, budget=budget)
    assert sorted(choices(store)) == ["known"] * 4 + ["read"] * 2
    assert downloads(github) == 2


def test_a_budget_of_nothing_asks_for_nothing(github: FakeGitHub, store: Store) -> None:
    fail(github)
    look(github, store, budget=LogBudget(per_sync=0))
    assert (downloads(github), choices(store)) == (0, ["deferred"])


def test_a_known_kind_is_looked_into_again_after_so_many_failures(github: FakeGitHub, store: Store) -> None:
    budget = LogBudget(recheck_after=3)
    fail(github, hours=2)
    look(github, store, budget=budget)
    for _ in range(5):
        fail(github, hours=0.5)
        look(github, store, budget=budget)
    assert choices(store) == ["read", "known", "known", "known", "read", "known"]
    assert downloads(github) == 2


def test_a_known_kind_is_looked_into_again_after_so_many_days(github: FakeGitHub, store: Store) -> None:
    budget = LogBudget(recheck_days=2)
    fail(github)
    look(github, store, budget=budget)
    github.clock.advance(46 * 3600)
    fail(github)
    look(github, store, budget=budget)
    github.clock.advance(3600)
    fail(github)
    fail(github)
    look(github, store, budget=budget)
    assert Counter(choices(store)) == {"read": 2, "known": 2}
    assert downloads(github) == 2


def test_every_attempt_that_failed_is_looked_into_once_and_a_job_that_is_listed_again_is_none(
    github: FakeGitHub, store: Store
) -> None:
    run = github.world.add_run(
        [job("unit", "failure"), job("lint", "failure")], conclusion="failure", at=github.clock.now() - 5 * HOUR
    )
    look(github, store, budget=LogBudget(recheck_after=1))
    assert downloads(github) == 2
    github.world.rerun(run, jobs=[job("unit", "failure")], conclusion="failure", carry=True)
    github.clock.advance(300)
    look(github, store, budget=LogBudget(recheck_after=1))
    told = [(one.run_attempt, one.job, one.choice.value) for one in occurrences(store)]
    assert told == [(1, "unit", "read"), (1, "lint", "read"), (2, "unit", "known")]
    assert downloads(github) == 2


def test_a_log_that_is_gone_lets_the_next_of_its_kind_be_asked_for(github: FakeGitHub, store: Store) -> None:
    fail(github, hours=9)
    for hours in (8, 7):
        fail(github, hours=hours, log_state=LogState.EXPIRED)
    look(github, store)
    assert (choices(store), downloads(github)) == (["read", "gone", "gone"], 3)
    look(github, store)
    assert downloads(github) == 3


def test_a_log_that_is_not_there_yet_is_asked_for_again_behind_the_others(github: FakeGitHub, store: Store) -> None:
    plans = [job("unit", "failure", log_state=LogState.NOT_YET), job("goes on", None)]
    run = github.world.add_run(plans, conclusion=None, at=github.clock.now() - 2 * HOUR)
    record = look(github, store)
    assert (choices(store), record.missing) == (["deferred"], ())
    assert record.notes[0].endswith("(jobs: 1, kinds: 1): GitHub did not give them.")
    github.world.finish_run(run)
    fail(github, "Upload results", hours=0.5)
    look(github, store, budget=LogBudget(per_sync=1))
    assert choices(store) == ["deferred", "read"]
    look(github, store)
    assert (choices(store), downloads(github)) == (["read", "read"], 3)


def test_a_refusal_is_told_once_and_what_was_not_asked_waits(github: FakeGitHub, store: Store) -> None:
    for index in range(6):
        fail(github, f"part {index}")
    github.faults.add(Kind.ERROR, endpoint="job log", status=403, times=99)
    record = look(github, store, client={"workers": 1})
    assert (downloads(github), set(choices(store)), record.status) == (1, {"deferred"}, "partial")
    [missing] = record.missing
    assert (missing.what, missing.count) == ("logs", 6)
    github.faults.clear()
    assert look(github, store).status == "ok"
    assert set(choices(store)) == {"read"}


def test_what_waits_is_read_when_its_run_is_out_of_the_window(github: FakeGitHub, store: Store) -> None:
    fail(github, hours=20)
    look(github, store, budget=LogBudget(per_sync=0))
    github.clock.advance(5 * 24 * 3600)
    look(github, store, days=1)
    assert (choices(store), downloads(github)) == (["read"], 1)


def test_what_waits_of_another_workflow_is_left_alone(github: FakeGitHub, store: Store) -> None:
    fail(github, hours=20)
    look(github, store, budget=LogBudget(per_sync=0))
    github.world.add_workflow("Other")
    look(github, store, workflows=("other.yml",))
    assert (choices(store), downloads(github)) == (["deferred"], 0)


def test_the_newest_runs_of_a_workflow_may_be_old(github: FakeGitHub, store: Store) -> None:
    fail(github, hours=24 * 60)
    look(github, store, max_runs_per_workflow=5, days=1)
    look(github, store, max_runs_per_workflow=5, days=1)
    assert (choices(store), downloads(github)) == (["read"], 1)


def test_logs_that_came_for_another_reason_are_not_downloaded_again(github: FakeGitHub, store: Store) -> None:
    fail(github, hours=3)
    fail(github, "Upload results", hours=3, log_state=LogState.EXPIRED)
    sync_once(github, store, logs="failed", pulls="none")
    github.clock.advance(3600)
    fail(github, hours=0.5)
    assert downloads(github) == 2
    look(github, store)
    assert (choices(store), downloads(github)) == (["read", "gone", "known"], 2)


def test_one_log_that_fails_does_not_lose_the_others_however_many_workers_there_are(tmp_path: Path) -> None:
    found = []
    for workers in (1, 5, 10):
        with FakeGitHub() as github:
            store = open_store(tmp_path / str(workers))
            for index in range(12):
                fail(github, f"part {index}", hours=20 - index)
            [first] = github.world.runs[min(github.world.runs)][1].attempts[0].jobs
            github.faults.add(Kind.ERROR, path=f"{first.id}/logs", status=500)
            look(github, store, client={"workers": workers})
            found.append(choices(store))
    assert found == [["deferred", *["read"] * 11]] * 3


def test_a_sync_that_is_killed_after_a_download_does_not_download_again(tmp_path: Path) -> None:
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC).replace(microsecond=0))) as github:
        for index in range(8):
            fail(github, f"part {index}", hours=20 - index)
        place = tmp_path / "store"
        process = begin_command(github, place, "--logs", "new", "--pulls", "none", "--api", "rest")

        def kill() -> None:
            while process.poll() is None:
                if len(list((place / "job_logs").glob("_delta_log/*.json"))) > 3:
                    process.kill()
                time.sleep(0.001)

        threading.Thread(target=kill, daemon=True).start()
        process.communicate(timeout=60)
        store, asked = open_store(place), downloads(github)
        kept = store.newest("job_logs").collect().height
        assert 3 <= kept <= asked
        github.clock.advance(3600)
        look(github, store)
        # What was under way when it was killed is asked for again, and nothing that had come.
        assert (downloads(github), choices(store)) == (asked + 8 - kept, ["read"] * 8)
        recent = [one for one in occurrences(store) if one.asked_at is not None]
        assert Downloads(LogBudget(per_day=8), recent, github.clock.now()).left == 0, "they count in the day's budget"


def test_rows_of_another_version_of_signatures_are_known_without_a_call(github: FakeGitHub, store: Store) -> None:
    fail(github, hours=3)
    look(github, store)
    [before] = occurrences(store)
    old = msgspec.structs.replace(before, version="0", signature="0" * 16)
    store.add_occurrences([old], github.clock.now())
    github.clock.advance(60)
    fail(github, hours=0.5)
    look(github, store)
    assert (choices(store), downloads(github)) == (["read", "known"], 1)


def test_the_command_says_on_stderr_what_waits_and_ends_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trackside.toml").write_text("[agents.logs]\nper_sync = 1\n")
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC).replace(microsecond=0))) as github:
        for index in range(3):
            fail(github, f"part {index}")
        monkeypatch.setenv("GITHUB_API_URL", github.api_url)
        words = ["sync", "--repo", "octo/engine", "--token", TOKEN, "--logs", "new", "--pulls", "none"]
        assert run_app(trackside_app(), words) == 0
        assert "Logs of failed jobs wait for the next sync (jobs: 2, kinds: 2)" in capsys.readouterr().err
        assert downloads(github) == 1


def test_waiting_logs_come_first_and_those_asked_for_in_vain_last() -> None:
    waits, deferred = LogChoice.NOT_ASKED, LogChoice.DEFERRED
    every = [
        occurrence(1, choice=waits),
        occurrence(2, choice=deferred, asked_at=LONG_AGO + DAY),
        occurrence(3, choice=deferred),
        occurrence(4, choice=deferred),
        occurrence(5, choice=waits),
        occurrence(6, choice=deferred, asked_at=LONG_AGO),
    ]
    assert [one.job_id for one in in_turn(every)] == [3, 4, 5, 1, 6, 2]


def test_of_a_known_kind_that_is_due_one_waits_and_the_others_need_no_log() -> None:
    now = LONG_AGO + 30 * DAY
    read = occurrence(1, choice=LogChoice.READ, asked_at=LONG_AGO)
    chosen = LogChoices(LogBudget(), [read], now).turn([occurrence(2), occurrence(3), occurrence(4, "b")], 0)
    assert [[one.job_id for one in part] for part in (chosen.ask, chosen.known, chosen.rest)] == [[], [3], [2, 4]]


def test_failures_before_the_newest_that_was_read_do_not_make_a_kind_due() -> None:
    read = occurrence(50, choice=LogChoice.READ, asked_at=LONG_AGO + 60 * HOUR)
    older = [occurrence(number, choice=LogChoice.KNOWN) for number in range(20, 50)]
    chosen = LogChoices(LogBudget(), [*older, read], LONG_AGO + 61 * HOUR)
    assert [one.job_id for one in chosen.turn([occurrence(60)], 9).known] == [60]
