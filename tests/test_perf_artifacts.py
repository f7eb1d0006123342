"""Artifacts as points of series: which job they count as, what their tests are called, and that each is read once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.build_github import NOON, REPO, an_artifact, at, attempt
from tests.fake_github import FakeGitHub, job
from tests.history_frames import HOUR, START, a_history, a_job, a_run
from tests.syncing import sync_once
from tests.zips import zipped
from trackside.errors import UsageError
from trackside.evidence.artifacts import history_with_artifacts, read_artifacts
from trackside.evidence.history import load_history
from trackside.evidence.measurements import measured_jobs, measurements_frame
from trackside.evidence.selection import Selection
from trackside.github.log_text import pack_log
from trackside.history.frames import JOB_COLUMNS, History
from trackside.perf.artifact_jobs import artifact_jobs, attempts_of, stable_name
from trackside.perf.points import points_frame
from trackside.presets.grammar_files import load_grammars
from trackside.records.artifacts import ArtifactFile, ArtifactState
from trackside.records.ci_rules import CiRules
from trackside.records.perf_rules import ArtifactRule, PerfRules
from trackside.store.store import Store, open_store

MINUTE = dt.timedelta(minutes=1)
ROW = {"artifact_id": pl.Int64(), "run_id": pl.Int64(), "name": pl.String(), "created_at": JOB_COLUMNS["created_at"]}
BIGGER = ArtifactRule(artifact="bench*", grammar="custom-bigger-is-better")
ENTRIES = b'[{"name": "decode", "unit": "tok/s", "value": 100.5}, {"name": "prefill", "unit": "tok/s", "value": "7"}]'


def silent(_done: int, _total: int) -> None:
    """Nobody listens."""


def made(run: Mapping[str, Any], name: str = "bench", minutes: float | None = 5, number: int = 1) -> dict[str, Any]:
    """An artifact of ``run`` so many minutes after its attempt began."""
    created_at = None if minutes is None else run["started_at"] + minutes * MINUTE
    return {"artifact_id": 70 + number, "run_id": run["run_id"], "name": name, "created_at": created_at}


def rows_of(history: History, artifacts: list[dict[str, Any]], *rules: ArtifactRule) -> list[dict[str, Any]]:
    return artifact_jobs(pl.DataFrame(artifacts, schema=ROW), history, rules or (BIGGER,)).to_dicts()


def rule(job: str | None) -> ArtifactRule:
    return ArtifactRule(artifact="bench*", grammar="g", job=job)


def test_an_artifact_counts_as_printed_by_the_job_that_its_rule_names() -> None:
    run = a_run(1, "failure")
    jobs = [a_job(run, "perf (h100, 3)", pool="h100", runner_name="gpu-7"), a_job(run, "lint", "failure")]
    for name in ("perf (h100)", "perf (h100, 3)", "PERF (*)", "perf*"):
        [row] = rows_of(a_history([run], jobs), [made(run)], rule(name))
        assert (row["job_id"], row["run_id"], row["name"], row["family"]) == (
            -71,
            run["run_id"],
            "perf (h100, 3)",
            "perf (h100)",
        )
        assert (row["runner_name"], row["pool"], row["outcome"], row["url"]) == (
            "gpu-7",
            "h100",
            "passed",
            jobs[0]["url"],
        )
        assert (row["sha"], row["run_number"], row["is_default_line"]) == (run["sha"], 1, True)


def test_of_several_jobs_of_the_name_the_one_that_ran_then_uploaded_it() -> None:
    run = a_run(1)
    early = a_job(run, "perf (a)", runner_name="one", completed_at=run["started_at"] + 3 * MINUTE)
    late = a_job(run, "perf (b)", runner_name="two", started_at=run["started_at"] + 6 * MINUTE)
    history = a_history([run], [early, late])
    [first] = rows_of(history, [made(run, minutes=2)], rule("perf (*)"))
    [second] = rows_of(history, [made(run, minutes=8)], rule("perf (*)"))
    assert [(row["runner_name"], row["family"]) for row in (first, second)] == [
        ("one", "perf (a)"),
        ("two", "perf (b)"),
    ]


def test_what_jobs_that_ran_at_once_do_not_agree_in_is_not_told() -> None:
    run = a_run(1)
    jobs = [a_job(run, f"perf ({index})", runner_name=f"gpu-{index}", pool="h100") for index in range(2)]
    [row] = rows_of(a_history([run], jobs), [made(run)], rule("perf"))
    assert (row["name"], row["family"], row["runner_name"], row["pool"]) == ("perf", "perf", None, "h100")


def test_without_a_job_in_its_rule_an_artifact_is_a_job_of_its_own_name() -> None:
    run = a_run(1)
    alone = a_history([run], [a_job(run, "perf", runner_name="gpu-7", pool="h100"), a_job(run, "x", "skipped")])
    [row] = rows_of(alone, [made(run, "bench-results-26365060973")])
    assert (row["name"], row["job"], row["family"], row["runner_name"], row["pool"]) == (
        "bench-results",
        "bench-results",
        "bench-results",
        "gpu-7",
        "h100",
    )
    both = a_history([run], [a_job(run, "perf", runner_name="gpu-7"), a_job(run, "lint", runner_name="cpu-1")])
    [row] = rows_of(both, [made(run, "bench-results")])
    assert (row["name"], row["runner_name"]) == ("bench-results", None), "the name does not depend on what else ran"


@pytest.mark.parametrize(("wanted", "name"), [("perf", "perf"), ("perf-*", "bench"), (None, "bench")])
def test_where_no_such_job_is_known_the_run_alone_tells(wanted: str | None, name: str) -> None:
    run, failed = a_run(1), a_run(2, "failure")
    history = a_history([run, failed], [])
    passed, other = rows_of(history, [made(run), made(failed, number=2)], rule(wanted))
    assert (passed["name"], passed["outcome"], passed["url"], passed["pool"]) == (name, "passed", run["url"], None)
    assert other["outcome"] == "other", "that something of its run failed does not say that this did"


def test_an_artifact_is_of_the_attempt_that_ran_when_it_was_made() -> None:
    first = a_run(1, "failure", is_latest=False)
    second = a_run(1, run_attempt=2)
    jobs = [a_job(first, "perf", "failure", runner_name="one"), a_job(second, "perf", runner_name="two")]
    history = a_history([first, second], jobs)
    artifacts = [made(first), made(second, number=2), made(first, minutes=None, number=3)]
    rows = rows_of(history, artifacts, rule("perf"))
    assert [(row["job_id"], row["run_attempt"], row["runner_name"]) for row in rows] == [
        (-71, 1, "one"),
        (-73, 2, "two"),
        (-72, 2, "two"),
    ]
    assert [row["is_latest"] for row in rows] == [False, True, True]


def test_artifacts_of_other_runs_or_that_no_rule_names_are_no_jobs() -> None:
    run = a_run(1)
    other = {"artifact_id": 9, "run_id": 5, "name": "bench", "created_at": START}
    assert rows_of(a_history([run], []), [other, made(run, "coverage")]) == []
    assert attempts_of(pl.DataFrame([other], schema=ROW), a_history([run], []).runs) == {}


def test_the_first_rule_that_names_an_artifact_says_its_job() -> None:
    run = a_run(1)
    rules = (ArtifactRule(artifact="bench-b*", grammar="g", job="b"), rule("a"))
    found = rows_of(a_history([run], []), [made(run, "bench-b"), made(run, "bench-a", number=2)], *rules)
    assert sorted(row["name"] for row in found) == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "stable"),
    [
        ("bench-20260601-143000", "bench"),
        ("vllm-infqps-llama-70b-20260601-143000", "vllm-infqps-llama-70b"),
        ("results_2026-06-01T14:30:00Z_h100", "results_h100"),
        ("bench-26365060973-1", "bench-1"),
        ("isl2048-osl1024", "isl2048-osl1024"),
        ("input-2048-1024", "input-2048-1024"),
        ("qwen3-235b-2507", "qwen3-235b-2507"),
        ("20260601", "20260601"),
        ("a\x1b[31m\nb", "a [31m b"),
    ],
)
def test_stamps_are_no_part_of_a_name(name: str, stable: str) -> None:
    assert stable_name(name) == stable


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


Keep = Callable[..., None]


@pytest.fixture
def keep(store: Store) -> Keep:
    def add(files: Mapping[str, bytes], artifact_id: int = 70, name: str = "bench", **told: Any) -> None:
        """An artifact of run 1 with these files."""
        artifact = an_artifact(artifact_id, name=name, state=ArtifactState.READY, created_at=at(5), **told)
        kept = [
            ArtifactFile(
                repo=artifact.repo,
                artifact_id=artifact_id,
                run_id=artifact.run_id,
                path=path,
                size_bytes=len(content),
                content=pack_log([content]).content,
            )
            for path, content in files.items()
        ]
        store.add_artifacts([artifact], kept, (), NOON)

    store.add_runs([attempt(1)], NOON)
    return add


def measure(store: Store, *rules: ArtifactRule, minutes: float = 10) -> int:
    perf = PerfRules(artifacts=rules or (BIGGER,))
    return read_artifacts(store, REPO, perf, load_grammars(), at(minutes), silent).read


def values(store: Store, *artifact_ids: int) -> dict[tuple[str, str], float]:
    ids = pl.DataFrame({"job_id": [-one for one in artifact_ids or (70,)]})
    found = measurements_frame(store, REPO, ids).select("test", "metric", "value").iter_rows()
    return {(test, metric): value for test, metric, value in found}


def test_each_file_is_read_once(store: Store, keep: Keep) -> None:
    keep({"a.json": ENTRIES})
    assert measure(store) == 1
    assert values(store) == {("decode", "value_tok_s"): 100.5, ("prefill", "value_tok_s"): 7.0}
    assert measure(store) == 0
    assert measured_jobs(store, REPO, pl.DataFrame({"job_id": [-70]})).to_dicts() == [
        {"job_id": -70, "tests": 2, "measurements": 2}
    ]
    [row] = store.newest("measurements").filter(pl.col("test") == "decode").collect().to_dicts()
    assert (row["job_id"], row["run_id"], row["run_attempt"], row["better"]) == (-70, 1, 1, "higher")


def test_without_a_rule_nothing_is_read(store: Store, keep: Keep) -> None:
    keep({"a.json": ENTRIES})
    assert read_artifacts(store, REPO, PerfRules(), (), NOON, silent).read == 0
    assert measure(store, ArtifactRule(artifact="other", grammar="custom-bigger-is-better")) == 0


def test_a_rule_that_changes_has_the_files_read_anew(store: Store, keep: Keep) -> None:
    keep({"a.json": ENTRIES, "b.json": b'[{"name": "x", "unit": "s", "value": 1}]'})
    measure(store)
    smaller = ArtifactRule(artifact="bench", file="b.json", grammar="custom-smaller-is-better")
    assert measure(store, smaller, minutes=11) == 1
    assert values(store) == {("x", "value_s"): 1.0}, "what the rule before read is left out"
    assert measure(store, minutes=12) == 1
    assert len(values(store)) == 3


def test_files_that_come_later_are_read(store: Store, keep: Keep) -> None:
    keep({"a.json": ENTRIES})
    measure(store)
    keep({"b.json": b'[{"name": "x", "unit": "s", "value": 1}]'})
    assert measure(store, minutes=11) == 1
    assert len(values(store)) == 3


def test_a_test_that_several_files_measure_bears_the_name_of_its_file(store: Store, keep: Keep) -> None:
    entry = b'[{"name": "decode", "unit": "tok/s", "value": %d}]'
    keep({"h100/results-20260601.json": entry % 1, "a100/results-20260601.json": entry % 2, "other.json": ENTRIES[:0]})
    measure(store)
    assert values(store) == {
        ("decode (h100/results)", "value_tok_s"): 1.0,
        ("decode (a100/results)", "value_tok_s"): 2.0,
    }


def test_what_names_no_test_bears_the_name_of_its_file(store: Store, keep: Keep) -> None:
    result = b'{"output_throughput": 20.5, "median_ttft_ms": 3.25, "completed": 8}'
    serving = ArtifactRule(artifact="bench", file="*.json*", grammar="serving-json")
    keep({"llama-70b-20260601-143000.json": result, "qwen_1700000000.jsonl": result})
    measure(store, serving)
    found = values(store)
    assert {test for test, _ in found} == {"llama-70b", "qwen"}
    assert found["qwen", "median_ttft_ms"] == 3.25
    keep({"run-20260601.json": result, "run-20260602.json": result}, 71)
    measure(store, serving, minutes=11)
    assert {test for test, _ in values(store, 71)} == {"run-20260601", "run-20260602"}, "where the stamp alone tells"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"name": 1}',
        b"null",
        b"\xff\xfe\x00",
        b'[{"name": "a", "value": "x"}]',
        b"\x00" * 99,
    ],
    ids=range(8),
)
def test_what_is_no_document_has_no_values_and_is_read_once(store: Store, keep: Keep, content: bytes) -> None:
    keep({"a.json": content})
    assert measure(store) == 1
    assert (values(store), measure(store)) == ({}, 0)
    assert measured_jobs(store, REPO, pl.DataFrame({"job_id": [-70]}))["measurements"].to_list() == [0]


def test_a_damaged_file_in_the_store_has_no_values(store: Store) -> None:
    artifact = an_artifact(state=ArtifactState.READY)
    file = ArtifactFile(repo=REPO, artifact_id=70, run_id=1, path="a.json", size_bytes=9, content=b"no zstd")
    store.add_artifacts([artifact], [file], (), NOON)
    assert measure(store, ArtifactRule(artifact="*", grammar="custom-json")) == 1
    assert values(store) == {}


def test_a_grammar_that_is_not_there_is_named_with_those_that_are(store: Store) -> None:
    with pytest.raises(UsageError, match=r"names the grammar 'mine' for 'bench\*', and there is none .* serving-json"):
        measure(store, ArtifactRule(artifact="bench*", grammar="mine"))


def test_from_the_artifact_on_github_to_the_points_of_a_series(store: Store) -> None:
    rules = PerfRules(artifacts=(ArtifactRule(artifact="bench*", grammar="custom-bigger-is-better", job="perf"),))
    with FakeGitHub() as github:
        for index in range(3):
            begun = github.clock.now() - (10 - index) * HOUR
            run = github.world.add_run([job("perf (0)"), job("lint")], at=begun, branch="main", event="push")
            entry = b'[{"name": "decode", "unit": "tok/s", "value": %d}]' % (100 + index)
            made_at = run.latest.jobs[0].completed_at
            github.world.add_artifact(run, f"bench-{run.id}", zipped(("out.json", entry)), at=made_at)
        sync_once(github, store, artifacts=rules.artifacts, pulls="none")
        assert github.journal.broken_rules() == {}
        runners = [one.latest.jobs[0].runner_name for _, one in github.world.runs.values()]
    assert read_artifacts(store, REPO, rules, load_grammars(), NOON, silent).read == 3
    plain = load_history(store, Selection(repo=REPO), CiRules(default_branch="main"))
    history = history_with_artifacts(store, plain, rules)
    assert history.jobs.height == plain.jobs.height + 3
    points = points_frame(history, measurements_frame(store, REPO, history.jobs), rules)
    assert points["series"].unique().to_list() == [f"{points['workflow'][0]}: perf / decode / value_tok_s"]
    assert points["value"].to_list() == [100.0, 101.0, 102.0]
    assert points["runner_name"].to_list() == runners
    assert points["is_default_line"].all()
    assert history_with_artifacts(store, plain, PerfRules()) is plain


def test_of_a_choice_of_jobs_the_artifacts_follow_it(store: Store, keep: Keep) -> None:
    keep({"a.json": ENTRIES})
    keep({"a.json": ENTRIES}, 71, "bench-2")
    plain = load_history(store, Selection(repo=REPO, jobs=("bench-2",)), CiRules())
    history = history_with_artifacts(store, plain, PerfRules(artifacts=(BIGGER,)), lambda name: name == "bench-2")
    assert history.jobs["name"].to_list() == ["bench-2"]
    assert history.whole.jobs["name"].to_list() == ["bench-2", "bench"]
