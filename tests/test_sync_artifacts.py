"""The artifacts that a sync downloads: those that rules name, each once in its lifetime."""

from __future__ import annotations

import datetime as dt
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_github import Clock, FakeGitHub, Kind, Run, job
from tests.syncing import REPO, begin_command, sync_once
from tests.zips import zipped
from trackside.github import artifacts as artifacts_module
from trackside.github.log_text import unpack_log
from trackside.records.perf_rules import ArtifactRule
from trackside.report.sync_report import missing_line, sync_lines
from trackside.store.store import Store, open_store

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
RULES = (ArtifactRule(artifact="bench-*", grammar="any"),)
LISTS, ZIPS = "run artifacts", "artifact zip"


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as one:
        yield one
        assert one.journal.broken_rules() == {}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def a_run(github: FakeGitHub, hours_ago: float = 24, names: tuple[str, ...] = ("bench-1",), **told: Any) -> Run:
    """A run that is over, with artifacts of these names; each holds a file of results and another."""
    run = github.world.add_run([job("perf")], at=github.clock.now() - hours_ago * HOUR, **told)
    for name in names:
        content = zipped(("results.json", f'{{"name": "{name}"}}'.encode()), ("notes.txt", b"no"))
        github.world.add_artifact(run, name, content)
    return run


def synced(github: FakeGitHub, store: Store, rules: tuple[ArtifactRule, ...] = RULES, **request: Any) -> Any:
    return sync_once(github, store, artifacts=rules, **{"pulls": "none"} | request)


def states(store: Store) -> dict[str, str]:
    return dict(store.newest("artifacts").select("name", "state").collect().iter_rows())


def files(store: Store) -> dict[tuple[int, str], bytes]:
    rows = store.newest("artifact_files").select("artifact_id", "path", "content").collect()
    return {(artifact_id, path): unpack_log(content) for artifact_id, path, content in rows.iter_rows()}


def calls(github: FakeGitHub) -> tuple[int, int]:
    """So many lists, so many downloads, since it was asked last."""
    counts = (github.journal.count(LISTS), github.journal.count(ZIPS))
    github.journal.clear()
    return counts


def test_without_a_rule_not_one_call_more_is_made(github: FakeGitHub, store: Store) -> None:
    a_run(github)
    record = synced(github, store, ())
    assert calls(github) == (0, 0)
    assert "artifacts" not in record.phases_s
    assert store.newest("artifact_lists").collect().is_empty()


def test_a_list_for_each_run_and_a_download_for_each_artifact_that_a_rule_names(
    github: FakeGitHub, store: Store
) -> None:
    a_run(github, 30, ("bench-1", "coverage", "Bench-2"))
    a_run(github, 20, ("coverage",))
    a_run(github, 10, ())
    record = synced(github, store)
    assert calls(github) == (3, 2)
    assert states(store) == {"bench-1": "ready", "Bench-2": "ready", "coverage": "listed"}
    assert sorted(files(store).values()) == [b'{"name": "Bench-2"}', b'{"name": "bench-1"}']
    assert (record.status, record.artifacts_new, record.notes, record.missing) == ("ok", 2, (), ())
    assert "  artifacts 2 read" in sync_lines(record)
    assert sorted(store.newest("artifact_lists").select("artifacts").collect()["artifacts"]) == [0, 1, 3]


def test_a_second_pass_costs_nothing(github: FakeGitHub, store: Store) -> None:
    for index in range(5):
        a_run(github, 10 + index)
    synced(github, store)
    assert calls(github) == (5, 5)
    before = store.newest("artifacts").collect()
    record = synced(github, store)
    assert calls(github) == (0, 0)
    assert record.artifacts_new == 0
    assert store.newest("artifacts").collect().equals(before, null_equal=True)
    a_run(github, 1)
    synced(github, store)
    assert calls(github) == (1, 1)


def test_a_run_that_is_not_over_is_not_listed_until_it_is(github: FakeGitHub, store: Store) -> None:
    run = github.world.add_run([job("perf", None)], conclusion=None, at=github.clock.now() - HOUR)
    github.world.add_artifact(run, "bench-1", zipped(("a.json", b"{}")))
    synced(github, store)
    assert calls(github) == (0, 0)
    github.world.finish_run(run)
    synced(github, store)
    assert calls(github) == (1, 1)


@pytest.mark.parametrize("conclusion", ["skipped", "startup_failure", "action_required"])
def test_a_run_of_which_no_job_ran_is_not_listed(github: FakeGitHub, store: Store, conclusion: str) -> None:
    github.world.add_run([], conclusion=conclusion, at=github.clock.now() - HOUR)
    synced(github, store)
    assert calls(github) == (0, 0)


def test_a_re_run_is_listed_again_and_only_what_is_new_is_downloaded(github: FakeGitHub, store: Store) -> None:
    run = a_run(github)
    synced(github, store)
    calls(github)
    github.world.rerun(run, at=github.clock.now() - HOUR)
    github.world.add_artifact(run, "bench-1", zipped(("results.json", b"[2]")))
    synced(github, store)
    assert calls(github) == (1, 1)
    assert sorted(files(store).values()) == [b"[2]", b'{"name": "bench-1"}']
    synced(github, store)
    assert calls(github) == (0, 0)


def test_only_runs_of_the_workflows_that_are_named_are_listed(github: FakeGitHub, store: Store) -> None:
    a_run(github, workflow="Perf")
    a_run(github, workflow="Lint")
    synced(github, store, artifact_workflows=("Perf",))
    assert calls(github) == (1, 1)
    synced(github, store, workflows=("Lint",))
    assert calls(github) == (1, 1)


def test_a_rule_that_comes_later_needs_no_new_list(github: FakeGitHub, store: Store) -> None:
    a_run(github, names=("bench-1", "accuracy"))
    synced(github, store)
    assert calls(github) == (1, 1)
    more = (*RULES, ArtifactRule(artifact="accuracy", grammar="any"))
    synced(github, store, more)
    assert calls(github) == (0, 1)
    assert states(store) == {"bench-1": "ready", "accuracy": "ready"}


def test_a_rule_for_other_files_has_the_artifact_downloaded_once_more(github: FakeGitHub, store: Store) -> None:
    a_run(github)
    synced(github, store)
    calls(github)
    texts = (*RULES, ArtifactRule(artifact="bench-*", file="*.txt", grammar="any"))
    for expected in ((0, 1), (0, 0)):
        github.clock.advance(60)
        synced(github, store, texts)
        assert calls(github) == expected
    synced(github, store)
    assert calls(github) == (0, 0), "what was there before is there still"
    assert {path for _, path in files(store)} == {"results.json", "notes.txt"}


def test_what_expired_is_told_and_never_asked_for_again(github: FakeGitHub, store: Store) -> None:
    run = a_run(github, names=("bench-1", "bench-2", "coverage"))
    del run
    first, second, third = github.world.home.artifacts
    first.expired = third.expired = True
    github.faults.add(Kind.CALL, endpoint=ZIPS, call=lambda: setattr(second, "expired", True), times=1)
    record = synced(github, store)
    assert states(store) == {"bench-1": "expired", "bench-2": "expired", "coverage": "expired"}
    assert record.notes == ("Not all that rules name could be read of artifacts: 2 expired.",)
    assert (record.status, calls(github)) == ("ok", (1, 1))
    assert synced(github, store).notes == ()
    assert calls(github) == (0, 0)


def test_what_cannot_be_read_is_told_with_its_reason_and_never_asked_for_again(
    github: FakeGitHub, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts_module, "MOST_ARCHIVE", 5_000)
    run = a_run(github, names=())
    for name, content in {
        "bench-html": b"<html>",
        "bench-huge": b"x" * 5_001,
        "bench-slip": zipped(("../a.json", b"{}"), ("b.json", b"{}")),
    }.items():
        github.world.add_artifact(run, name, content)
    record = synced(github, store)
    assert states(store) == {"bench-html": "never", "bench-huge": "never", "bench-slip": "ready"}
    [note] = record.notes
    assert note.startswith(
        "Not all that rules name could be read of artifacts: 2 not readable, 1 with files that were left out; the first"
    )
    assert calls(github) == (1, 2)
    synced(github, store)
    assert calls(github) == (0, 0)


def test_what_the_budget_left_out_is_missing_and_comes_next_time(github: FakeGitHub, store: Store) -> None:
    for index in range(4):
        a_run(github, 10 + index)
    sync_once(github, store, pulls="none")
    calls(github)
    record = synced(github, store, client={"max_calls": 3})
    assert (record.status, [(item.what, item.count) for item in record.missing]) == (
        "partial",
        [("lists of artifacts", 2), ("artifacts", 2)],
    )
    assert "2 lists of artifacts" in missing_line(record)
    assert calls(github) == (2, 0)
    record = synced(github, store, client={"max_calls": 4})
    assert [(item.what, item.count) for item in record.missing] == [("artifacts", 3)]
    assert calls(github) == (2, 1)
    assert synced(github, store).status == "ok"
    assert calls(github) == (0, 3)
    assert len(files(store)) == 4


def test_what_a_token_may_not_read_is_missing_for_one_reason(github: FakeGitHub, store: Store) -> None:
    for index in range(30):
        a_run(github, 10 + index)
    github.faults.add(Kind.ERROR, endpoint=ZIPS, status=403)
    record = synced(github, store)
    [missing] = record.missing
    assert (missing.what, missing.count, len(missing.samples)) == ("artifacts", 30, 5)
    assert github.journal.count(ZIPS) <= 5, "those that were under way; the others would be refused too"
    assert re.match(r"GET /repos/octo/engine/actions/artifacts/(…|\d+)/zip was refused \(403", missing.reason)


def test_a_download_that_breaks_off_every_time_is_missing_and_asked_for_again(github: FakeGitHub, store: Store) -> None:
    a_run(github)
    github.faults.add("cut", host="blob")
    record = synced(github, store)
    assert states(store) == {"bench-1": "unreadable"}
    assert [(item.what, item.count) for item in record.missing] == [("artifacts", 1)]
    github.faults.clear()
    assert synced(github, store).status == "ok"
    assert states(store) == {"bench-1": "ready"}


def test_a_list_that_fails_is_missing_and_comes_next_time(github: FakeGitHub, store: Store) -> None:
    run = a_run(github)
    github.faults.add(Kind.ERROR, endpoint=LISTS, status=404, times=1)
    record = synced(github, store)
    [missing] = record.missing
    assert (missing.what, missing.count) == ("lists of artifacts", 1)
    assert str(run.id) in missing.samples[0]
    assert synced(github, store).status == "ok"
    assert states(store) == {"bench-1": "ready"}


SETTINGS = """
[sync]
pulls = "none"
api = "rest"

[perf]
artifacts = [{artifact = "bench-*", grammar = "custom-json"}]
"""


@pytest.mark.parametrize("nth", [1, 3, 5, 8])
def test_a_sync_that_is_killed_among_artifacts_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    (tmp_path / "trackside.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC).replace(microsecond=0))) as github:
        for index in range(6):
            a_run(github, 10 + index)
        store = tmp_path / "store"
        process = begin_command(github, store, repo=REPO)
        github.faults.add(Kind.CALL, endpoint=ZIPS, nth=nth, call=lambda: process.send_signal(signal.SIGKILL))
        process.communicate(timeout=60)
        assert process.returncode in (-9, 0)
        github.faults.clear()
        github.journal.clear()
        record = synced(github, open_store(store))
        assert record.status == "ok"
        assert len(files(open_store(store))) == 6
        assert github.journal.count(LISTS) == 0, "the lists were safe before the first download"
        synced(github, open_store(store))
        assert github.journal.count(ZIPS) <= 6
