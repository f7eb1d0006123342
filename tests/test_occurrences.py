"""Failed jobs as occurrences: what their logs told, what stands for them, and the agents of their runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import msgspec
import polars as pl
import pytest
from hypothesis import given

from tests.fake_github import Clock, FakeGitHub, LogState, Run, Step, job, matrix
from tests.syncing import environment, sync_once
from trackside.agents.signatures import SIGNATURE_VERSION, failed_step_of, signature_of
from trackside.cli.agents_session import open_agents_session
from trackside.cli.ci_session import Asked, Source
from trackside.cli.github_options import Access
from trackside.evidence.diagnoses import read_logs
from trackside.evidence.occurrences import update_occurrences
from trackside.history.jobs import failed_steps
from trackside.records import jobs as records
from trackside.records.agent_rules import LogBudget
from trackside.records.ci_rules import CiRules
from trackside.records.knowledge import LogChoice, Occurrence
from trackside.store.store import Store, open_store

REPO = "octo/engine"
HOUR = dt.timedelta(hours=1)
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
NO_AGENTS = pl.DataFrame(schema={"run_id": pl.Int64, "run_attempt": pl.Int64, "agent": pl.String})


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as one:
        yield one


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def fail(github: FakeGitHub, error: str, *, step: str = "Run tests", name: str = "unit", **more: Any) -> Run:
    """A run that began half an hour ago, of one job whose log ends with an error."""
    steps = (Step(1, "Set up job", "success", 0, 2), Step(2, step, "failure", 2, 50))
    log = f"2026-06-01T11:00:00.0000000Z Error: {error}\n"
    plan = job(name, "failure", steps=steps, **{"log": log} | more)
    return github.world.add_run([plan], conclusion="failure", at=github.clock.now() - HOUR / 2)


def look(github: FakeGitHub, store: Store, agents: pl.DataFrame = NO_AGENTS, **options: Any) -> int:
    """A sync, then what its logs told; how many rows were new or changed. Then an hour goes by."""
    sync_once(github, store, pulls="none", **{"logs": "new"} | options)
    changed = tell(github, store, agents)
    github.clock.advance(3600)
    return changed


def tell(github: FakeGitHub, store: Store, agents: pl.DataFrame = NO_AGENTS) -> int:
    read_logs(store, REPO, CiRules(), github.clock.now(), lambda _done, _all: None)
    return update_occurrences(store, REPO, agents, github.clock.now())


def found(store: Store) -> list[Occurrence]:
    return list(store.known_failures(REPO, LONG_AGO))


def test_a_log_that_was_read_tells_the_error_and_stands_for_the_others_of_its_kind(
    github: FakeGitHub, store: Store
) -> None:
    fail(github, "connect ECONNREFUSED 10.0.0.7:443 after 31 s")
    look(github, store)
    fail(github, "connect ECONNREFUSED 10.0.0.9:443 after 12 s")
    look(github, store)
    first, second = found(store)
    assert (first.choice, second.choice) == (LogChoice.READ, LogChoice.KNOWN)
    assert first.line == "Error: connect ECONNREFUSED 10.0.0.7:443 after 31 s"
    assert first.template == "Error: connect ECONNREFUSED <ip> after <n>"
    assert first.cause == "network"
    assert first.rule
    assert first.fingerprint
    told = ("cause", "rule", "fingerprint", "template", "line")
    assert [getattr(second, one) for one in told] == [getattr(first, one) for one in told]
    assert (second.asked_at, second.log_bytes, second.signature) == (None, 0, first.signature)
    assert (first.step, first.job, first.branch) == ("Run tests", "unit", "main")


def test_nothing_new_is_no_commit(github: FakeGitHub, store: Store) -> None:
    fail(github, "no such file")
    assert look(github, store) == 1
    before = store.history("occurrences").collect().height
    assert look(github, store) == 0
    assert tell(github, store) == 0
    assert store.history("occurrences").collect().height == before


def test_a_failure_takes_what_was_read_last_before_it_else_first_after_it(github: FakeGitHub, store: Store) -> None:
    budget = LogBudget(recheck_after=2)
    errors = ["first error", "x", "x", "second error", "x"]
    for error in errors:
        fail(github, error)
        look(github, store, log_budget=budget)
    choices = [one.choice.value for one in found(store)]
    assert choices == ["read", "known", "known", "read", "known"]
    lines = [one.line for one in found(store)]
    assert lines == ["Error: first error"] * 3 + ["Error: second error"] * 2


def test_failures_before_the_one_that_was_read_take_what_it_told(github: FakeGitHub, store: Store) -> None:
    for _ in range(3):
        fail(github, "it broke")
        github.clock.advance(600)
    look(github, store)
    assert [(one.choice.value, one.line) for one in found(store)] == [
        ("known", "Error: it broke"),
        ("known", "Error: it broke"),
        ("read", "Error: it broke"),
    ]


@pytest.mark.parametrize(("logs", "choice"), [("none", "not_asked"), ("failed", "read"), ("all", "read")])
def test_failures_that_nobody_chose_have_rows_too(github: FakeGitHub, store: Store, logs: str, choice: str) -> None:
    plans = [*matrix("unit", 3, ["failure", "timed_out"]), job("gone", "cancelled")]
    github.world.add_run(plans, conclusion="failure", at=github.clock.now() - HOUR)
    assert look(github, store, logs=logs) == 2
    assert [(one.job, one.conclusion, one.choice.value) for one in found(store)] == [
        ("unit", "failure", choice),
        ("unit", "timed_out", choice),
    ]
    assert all((one.asked_at is not None) == (choice == "read") for one in found(store))


def test_a_log_that_expired_is_gone(github: FakeGitHub, store: Store) -> None:
    fail(github, "it broke", log_state=LogState.EXPIRED)
    look(github, store, logs="failed")
    [one] = found(store)
    assert (one.choice, one.line, one.asked_at is None) == (LogChoice.GONE, None, False)


def test_failures_that_nobody_asked_for_are_looked_into_when_somebody_does(github: FakeGitHub, store: Store) -> None:
    for _ in range(3):
        fail(github, "it broke")
    look(github, store, logs="none")
    assert {one.choice.value for one in found(store)} == {"not_asked"}
    look(github, store)
    assert sorted(one.choice.value for one in found(store)) == ["known", "known", "read"]
    assert {one.line for one in found(store)} == {"Error: it broke"}
    assert github.journal.count("job log") == 1


def test_the_agents_of_runs_come_in_and_stay_when_their_runs_are_out_of_sight(github: FakeGitHub, store: Store) -> None:
    run = fail(github, "it broke")
    agents = pl.DataFrame({"run_id": [run.id], "run_attempt": [1], "agent": ["claude"]})
    look(github, store, agents)
    assert [one.agent for one in found(store)] == ["claude"]
    assert look(github, store) == 0
    assert [one.agent for one in found(store)] == ["claude"]
    nobody = agents.with_columns(agent=pl.lit(None, pl.String))
    assert look(github, store, nobody) == 1
    assert [one.agent for one in found(store)] == [None]


def test_rows_of_another_version_are_made_anew_without_a_call(github: FakeGitHub, store: Store) -> None:
    fail(github, "it broke")
    look(github, store)
    fail(github, "it broke")
    look(github, store)
    before = found(store)
    old = [msgspec.structs.replace(one, version="0", signature="0" * 16, job="?", step=None) for one in before]
    store.add_occurrences(old, github.clock.now())
    calls = len(github.journal.calls)
    assert tell(github, store) == 2
    assert (found(store), len(github.journal.calls)) == (before, calls)


def test_a_known_failure_of_whose_kind_no_log_is_left_is_open_again(github: FakeGitHub, store: Store) -> None:
    fail(github, "it broke")
    look(github, store, logs="none")
    [one] = found(store)
    known = msgspec.structs.replace(one, choice=LogChoice.KNOWN, fingerprint="0" * 16)
    store.add_occurrences([known], github.clock.now() + HOUR)
    tell(github, store)
    [again] = found(store)
    assert (again.choice, again.fingerprint) == (LogChoice.NOT_ASKED, None)


def test_occurrences_outlive_their_jobs_and_those_that_waited_wait_no_more(github: FakeGitHub, store: Store) -> None:
    fail(github, "it broke")
    fail(github, "it broke otherwise", step="Upload results")
    look(github, store, log_budget=LogBudget(per_sync=1))
    before = {one.job_id: one for one in found(store)}
    assert sorted(one.choice.value for one in before.values()) == ["deferred", "read"]
    store.prune(github.clock.now() + HOUR)
    tell(github, store)
    after = {one.job_id: one for one in found(store)}
    assert sorted(one.choice.value for one in after.values()) == ["not_asked", "read"]
    assert {one.line for one in after.values()} == {one.line for one in before.values()}


def test_rows_without_a_job_are_signed_anew_from_themselves(github: FakeGitHub, store: Store) -> None:
    fail(github, "it broke")
    look(github, store)
    [before] = found(store)
    store.prune(github.clock.now() + HOUR)
    store.add_occurrences([msgspec.structs.replace(before, version="0", signature="0" * 16)], github.clock.now())
    assert tell(github, store) == 1
    assert found(store) == [before]


def test_a_job_that_a_re_run_lists_again_is_one_failure(github: FakeGitHub, store: Store) -> None:
    plans = [job("unit", "failure"), job("lint", "failure")]
    run = github.world.add_run(plans, conclusion="failure", at=github.clock.now() - 5 * HOUR)
    github.world.rerun(
        run, jobs=[job("unit", "failure")], conclusion="failure", carry=True, at=github.clock.now() - HOUR
    )
    look(github, store, logs="none")
    told = [(one.run_attempt, one.job) for one in found(store)]
    assert told == [(1, "unit"), (1, "lint"), (2, "unit")]


def test_a_writer_whose_clock_is_ahead_does_not_win_over_what_is_told_later(github: FakeGitHub, store: Store) -> None:
    fail(github, "it broke")
    look(github, store, logs="none")
    [one] = found(store)
    store.add_occurrences([msgspec.structs.replace(one, agent="nobody")], github.clock.now() + 9 * HOUR)
    agents = pl.DataFrame({"run_id": [one.run_id], "run_attempt": [1], "agent": ["codex"]})
    assert tell(github, store, agents) == 1
    assert [told.agent for told in found(store)] == ["codex"]
    assert tell(github, store, agents) == 0


def test_hostile_names_are_kept_and_signed(github: FakeGitHub, store: Store) -> None:
    fail(github, "<script>alert(1)</script>", step="'; DROP TABLE\n\x1b[31m", name='"><svg/onload=alert(1)>')
    look(github, store)
    [one] = found(store)
    assert one.step == "'; DROP TABLE\n\x1b[31m"
    assert one.signature == signature_of(one.workflow, one.job, one.step, "failure")


def test_an_empty_store_has_no_failures(store: Store) -> None:
    assert update_occurrences(store, REPO, NO_AGENTS, LONG_AGO) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("w", "unit (3)", "Run tests", "failure"), ("w", "unit (4)", "Run tests", "failure")),
        (("w", "unit", "Deploy 3fa2b1cd9", "failure"), ("w", "unit", "Deploy 0aa2b1c97", "failure")),
        (("w", "unit", "Build 2026-11-23", "failure"), ("w", "unit", "Build 2026-11-24", "failure")),
        (("w", "unit", "Run 19250972881", "failure"), ("w", "unit", "Run 19250972882", "failure")),
    ],
)
def test_what_differs_from_run_to_run_does_not_tell_kinds_apart(one: Any, other: Any) -> None:
    assert signature_of(*one) == signature_of(*other)


@pytest.mark.parametrize(
    "other",
    [
        ("w2", "unit", "part 1", "failure"),
        ("w", "unit (gpu)", "part 1", "failure"),
        ("w", "unit", "part 2", "failure"),
        ("w", "unit", None, "failure"),
        ("w", "unit", "part 1", "timed_out"),
        ("w", "unit", "", "failure"),
    ],
)
def test_different_kinds_stay_different(other: Any) -> None:
    assert signature_of("w", "unit", "part 1", "failure") != signature_of(*other)


def test_the_version_is_part_of_the_signature() -> None:
    assert SIGNATURE_VERSION == "1"
    assert signature_of(".github/workflows/ci.yml", "unit (3)", "Run tests", "failure") == "17b17bef5210ec77"


names = st.text(max_size=12)


@given(names, names, st.none() | names, names)
def test_any_names_make_16_hex_digits_and_the_same_ones_again(workflow: str, one: str, step: str, end: str) -> None:
    signature = signature_of(workflow, one, step, end)
    assert len(signature) == 16
    assert int(signature, 16) >= 0
    assert signature == signature_of(workflow, one, step, end)


ends = st.sampled_from([None, "success", "failure", "timed_out", "cancelled", "skipped"])
began = st.sampled_from([None, LONG_AGO])


@given(st.lists(st.tuples(st.integers(1, 9), ends, began), max_size=6, unique_by=lambda one: one[0]))
def test_the_failed_step_is_the_one_that_the_frames_tell(
    told: list[tuple[int, str | None, dt.datetime | None]],
) -> None:
    steps = [
        records.Step(number=number, name=f"step {number}", conclusion=end, started_at=at) for number, end, at in told
    ]
    dtype = pl.List(
        pl.Struct(
            {"number": pl.Int64, "name": pl.String, "conclusion": pl.String, "started_at": pl.Datetime("us", "UTC")}
        )
    )
    rows = [{name: getattr(one, name) for name in ("number", "name", "conclusion", "started_at")} for one in steps]
    frame = failed_steps(pl.DataFrame({"job_id": [1], "steps": [rows]}, schema={"job_id": pl.Int64, "steps": dtype}))
    assert failed_step_of(steps) == (None if frame.is_empty() else frame["failed_step"].item())


def test_a_command_on_agents_keeps_what_it_finds_out_of_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC).replace(microsecond=0))) as github:
        for name, value in environment(github).items():
            monkeypatch.setenv(name, value)
        fail(github, "it broke", step="Run anthropics/claude-code-action@v1")
        access = Access(repo=REPO, store=str(tmp_path / "store"))
        open_agents_session(Asked(source=Source(logs="new"), access=access))
        [one] = found(open_store(tmp_path / "store"))
        assert (one.agent, one.line, one.choice) == ("claude", "Error: it broke", LogChoice.READ)
