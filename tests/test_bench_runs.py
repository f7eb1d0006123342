"""Benchmark runs that were registered or stand in folders: what is known of them, and what is told when it is not."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from pathlib import Path

import pytest

from tests.bench_sites import ENDED, bench_run, key_of, write_run
from tests.build_logs import decode_text, prefill_text, write_log
from trackside.bench.batches import SUMMARY_COLUMNS, read_batches
from trackside.bench.chart_records import Chart
from trackside.bench.completeness import read_lines
from trackside.bench.grouping import GroupBy
from trackside.bench.series import REPORT_COLUMNS, build_sections, clock_of
from trackside.bench.summary import summarise_run
from trackside.engine.run import Run, open_run
from trackside.evidence import bench_folders
from trackside.evidence.bench_runs import (
    GONE,
    MOST_NOTES,
    UNREAD,
    Bench,
    Benches,
    bench_run_of,
    load_benches,
    registered_runs,
)
from trackside.records.bench_runs import BenchRun
from trackside.records.engine_run import Role
from trackside.report.table_files import FileFormat, write_tables
from trackside.store.store import Store, open_store

REAL = Path(os.environ.get("TRACKSIDE_REAL_DATA", "../shared/data")).resolve() / "engine-logs"
NOW = dt.datetime(2026, 10, 20, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def found(store: Store, *folders: Path, **more: str) -> Benches:
    return load_benches(store, folders, cache=False, **more)  # type: ignore[arg-type]


def names(benches: Benches) -> list[str]:
    return [bench.run.name for bench in benches.benches]


def register(store: Store, path: Path, *, role: Role | None = None, tz: str | None = None) -> BenchRun:
    told = bench_run_of(open_run(path, role=role, tz=tz, cache=False), NOW, role=role, tz=tz)
    store.add_bench_runs([told], NOW)
    return told


def total_charts(run: Run) -> dict[str, Chart]:
    """The charts of the totals as the full report of the run has them."""
    rows = run.rows(REPORT_COLUMNS)
    batches = read_batches(rows, run.workers)
    clock = clock_of(rows, batches)
    assert clock is not None
    return {one.key: one for one in build_sections(batches, run.workers, clock, GroupBy.NODE)[0].charts}


def test_figures_of_a_run_are_those_that_parse_tells(tmp_path: Path) -> None:
    run = open_run(write_run(tmp_path / "job_1"), cache=False)
    told = bench_run_of(run, NOW)
    summary = summarise_run(run.rows(SUMMARY_COLUMNS), run.workers)
    reading = read_lines(run.ledger)

    assert (told.name, told.topology, told.engine, told.workers) == ("job_1", "1P/1D", "sglang", 2)
    for name in ("duration_s", "gpus", "input_tps", "output_tps", "total_tps", "input_tokens", "cached_tokens",
                 "output_tokens", "cache_hit_rate", "input_tps_per_gpu", "output_tps_per_gpu"):  # fmt: skip
        assert getattr(told, name) == getattr(summary, name), name
    assert told.input_tokens == sum(range(100, 124))
    assert told.first_at == dt.datetime(2026, 1, 31, 16, 0, tzinfo=dt.UTC)
    assert (told.files, told.read_lines, told.batch_lines) == (reading.files, reading.lines, 48)
    assert told.complete


def test_curves_of_a_run_have_the_medians_of_its_report(tmp_path: Path) -> None:
    run = open_run(write_run(tmp_path / "job_1", minutes=12), cache=False)
    curves = {one.key: one for one in bench_run_of(run, NOW).curves}
    charts = total_charts(run)

    for key, chart in (("output", "total-output"), ("input", "total-input"), ("running", "total-running_req")):
        line = charts[chart].lines[-1]
        assert (curves[key].median, curves[key].mean) == (line.summary.median, line.summary.mean), key
        assert (curves[key].points, curves[key].highest) == (line.points, line.summary.max), key
        assert curves[key].unit == charts[chart].unit
    assert all(len(one.x_s) == len(one.y) <= 300 for one in curves.values())
    assert all(one.x_s[0] >= 0 and one.x_s[-1] <= 12 * 60 for one in curves.values())
    assert list(curves)[:2] == ["output", "input"]


def test_a_side_that_no_line_tells_is_unknown_and_not_zero(tmp_path: Path) -> None:
    lines = [prefill_text(10, f"16:00:{at:02}") for at in range(0, 40, 10)]
    told = bench_run_of(open_run(write_log(tmp_path / "n1_prefill_w0.out", *lines), cache=False), None)

    assert told.input_tps is not None
    assert (told.output_tps, told.output_tokens, told.total_tps, told.output_tps_per_gpu) == (None, None, None, None)
    assert [one.key for one in told.curves if one.key.startswith("output")] == []


@pytest.mark.parametrize(("decodes", "output_tokens"), [(1, None), (2, 9_000)])
def test_a_decode_line_alone_tells_no_tokens_as_its_rate_is_since_the_one_before(
    tmp_path: Path, decodes: int, output_tokens: int | None
) -> None:
    lines = [
        f"[2026-06-09 22:00:{40 + 10 * number} TP0] Decode batch, #running-req: 0, #token: 9000, token usage: 0.10, "
        "cuda graph: True, gen throughput (token/s): 900.00, #queue-req: 0"
        for number in range(decodes)
    ]
    told = bench_run_of(open_run(write_log(tmp_path / "n1_agg_w0.out", prefill_text(0), *lines), cache=False), None)

    assert (told.output_tokens, told.output_tps is None) == (output_tokens, output_tokens is None)
    assert told.input_tokens is not None


def test_what_is_registered_comes_back_and_is_read_again_where_its_logs_grew(store: Store, tmp_path: Path) -> None:
    job = write_run(tmp_path / "job_1")
    before = register(store, job)
    assert registered_runs(store) == (before,)

    with (job / "logs" / "n1_prefill_w0.out").open("a") as log:
        log.write(prefill_text(5000, "16:04:30") + "\n")
    [bench] = found(store).benches

    assert (bench.run.run_key, bench.run.registered_at) == (before.run_key, NOW)
    assert bench.run.input_tokens == (before.input_tokens or 0) + 5000
    assert bench.logs is not None
    assert bench.logs().name == "job_1"


def test_a_run_whose_logs_are_gone_keeps_its_figures_and_curves(store: Store, tmp_path: Path) -> None:
    told = register(store, write_run(tmp_path / "job_1"))
    shutil.rmtree(tmp_path / "job_1")

    assert found(store) == Benches(benches=(Bench(told, why_not=GONE),))
    assert told.curves


def test_a_registered_run_whose_logs_tell_nothing_any_more_is_told_as_that(store: Store, tmp_path: Path) -> None:
    told = register(store, write_run(tmp_path / "job_1"))
    shutil.rmtree(tmp_path / "job_1" / "logs")
    write_log(tmp_path / "job_1" / "logs" / "todo.log", "nothing of an engine")
    benches = found(store)

    assert benches.benches == (Bench(told, why_not=UNREAD),)
    assert benches.notes[0].startswith("job_1: No worker nodes found in logs: job_1")
    assert str(tmp_path) not in benches.notes[0]


def test_another_run_in_the_same_place_is_another_run(store: Store, tmp_path: Path) -> None:
    first = register(store, write_run(tmp_path / "logs-of-ci", hour=9))
    shutil.rmtree(tmp_path / "logs-of-ci")
    second = register(store, write_run(tmp_path / "logs-of-ci", hour=16))
    benches = {bench.run.run_key: bench for bench in found(store).benches}

    assert first.run_key != second.run_key
    assert benches[first.run_key].run == first
    assert benches[first.run_key].logs is None
    assert benches[second.run_key].logs is not None


def test_a_run_directory_and_its_logs_directory_are_the_same_run(store: Store, tmp_path: Path) -> None:
    job = write_run(tmp_path / "runs" / "job_1")
    one, other = register(store, job), register(store, job / "logs")

    assert one.run_key == other.run_key
    assert names(found(store, tmp_path / "runs")) == ["job_1"]


def test_a_run_is_read_again_with_the_role_and_the_zone_it_was_registered_with(store: Store, tmp_path: Path) -> None:
    log = write_log(tmp_path / "server.log", *(decode_text(4, f"16:00:{at:02}") for at in range(0, 40, 10)))
    told = register(store, log, role=Role.AGG, tz="Asia/Kolkata")
    [bench] = found(store, tz="UTC").benches

    assert (told.topology, told.tz) == ("1A", "Asia/Kolkata")
    assert told.first_at == dt.datetime(2026, 1, 31, 10, 30, tzinfo=dt.UTC)
    assert bench.run == told


def test_runs_below_a_folder_are_found_up_to_three_directories_deep_the_newest_first(
    store: Store, tmp_path: Path
) -> None:
    for depth, place in enumerate(("a", "b/b", "c/c/c", "d/d/d/d", ".hidden")):
        write_run(tmp_path / "runs" / place, hour=8 + depth)
    (tmp_path / "runs" / "empty").mkdir()
    benches = found(store, tmp_path / "runs")

    assert len(benches.benches) == 3
    hours = [bench.run.first_at.hour for bench in benches.benches if bench.run.first_at is not None]
    assert hours == [10, 9, 8]
    assert benches.notes == ()
    assert all(bench.run.registered_at is None for bench in benches.benches)


def test_a_folder_may_be_named_from_where_one_is_and_by_a_link(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "runs" / "job_1")
    (tmp_path / "linked").symlink_to(tmp_path / "runs", target_is_directory=True)
    monkeypatch.chdir(tmp_path)

    known = [load_benches(store, [Path(name)]) for name in ("runs", "linked", "./runs")]

    assert [[one.run.name for one in each.benches] for each in known] == [["job_1"]] * 3
    assert [each.notes for each in known] == [()] * 3


def test_a_folder_that_is_a_run_itself_is_one(store: Store, tmp_path: Path) -> None:
    assert names(found(store, write_run(tmp_path / "job_7"))) == ["job_7"]


def test_a_run_that_is_registered_and_stands_in_a_folder_is_there_once(store: Store, tmp_path: Path) -> None:
    register(store, write_run(tmp_path / "runs" / "job_1"))
    write_run(tmp_path / "runs" / "job_2", hour=9)
    (tmp_path / "runs" / "latest").symlink_to("job_1")
    (tmp_path / "runs" / "loop").symlink_to("loop")
    benches = found(store, tmp_path / "runs", tmp_path / "runs")

    assert names(benches) == ["job_1", "job_2"]
    assert [bench.run.registered_at for bench in benches.benches] == [NOW, None]


def test_what_cannot_be_read_is_told_without_saying_where_it_is_on_the_machine(store: Store, tmp_path: Path) -> None:
    write_log(tmp_path / "runs" / "notes" / "todo.log", "nothing of an engine")
    write_run(tmp_path / "runs" / "notes" / "job_1")
    file = write_log(tmp_path / "a.log", "x")
    benches = found(store, tmp_path / "runs", tmp_path / "nowhere", file)

    assert names(benches) == ["job_1"]
    [todo, nowhere, no_directory] = benches.notes
    assert todo.startswith("runs/notes was not read: No worker nodes found in logs: runs/notes")
    assert nowhere == "nowhere cannot be read: No such file or directory."
    assert no_directory == "a.log cannot be read: Not a directory."
    assert str(tmp_path) not in " ".join(benches.notes)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_directory_that_may_not_be_listed_is_told(store: Store, tmp_path: Path) -> None:
    (tmp_path / "runs" / "closed").mkdir(parents=True)
    (tmp_path / "runs" / "closed").chmod(0)

    assert "closed" in found(store, tmp_path / "runs").notes[0]


def test_a_registered_run_that_cannot_be_read_any_more_is_told_and_stays(store: Store, tmp_path: Path) -> None:
    job = write_run(tmp_path / "job_1")
    told = register(store, job)
    shutil.rmtree(job / "logs")
    write_log(job / "logs" / "n1_prefill_w0.out", "no batch line")
    benches = found(store)

    assert [bench.run for bench in benches.benches] == [told]
    assert benches.notes[0].startswith("job_1: No worker nodes found in logs:")


def test_no_more_directories_and_runs_are_looked_at_than_a_bound_says(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        write_run(tmp_path / "runs" / f"job_{number}", hour=8 + number, minutes=1)
    monkeypatch.setattr(bench_folders, "MOST_RUNS", 2)
    few = found(store, tmp_path / "runs")
    monkeypatch.setattr(bench_folders, "MOST_DIRECTORIES", 1)
    none = found(store, tmp_path / "runs")

    assert (names(few), few.notes) == (["job_1", "job_0"], ("runs: only the first 2 runs were read.",))
    assert (names(none), none.notes) == ([], ("runs: only the first 1 directories were read.",))


def test_only_the_first_notes_are_told_and_the_others_counted(store: Store, tmp_path: Path) -> None:
    notes = found(store, *(tmp_path / f"missing{number:02}" for number in range(MOST_NOTES + 3))).notes

    assert len(notes) == MOST_NOTES + 1
    assert notes[-1] == "3 more could not be read."


def test_a_name_that_is_no_text_is_shown_and_kept(store: Store, tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/job_\xff"))
    try:
        write_run(folder)
    except OSError:
        pytest.skip("this file system takes no names that are no text")
    told = register(store, folder)

    assert told.name == "job_\\xff"
    assert registered_runs(store) == (told,)


def test_progress_counts_runs(store: Store, tmp_path: Path) -> None:
    register(store, write_run(tmp_path / "a"))
    write_run(tmp_path / "runs" / "b", hour=9)
    seen: list[tuple[int, int]] = []
    load_benches(store, [tmp_path / "runs"], cache=False, on_progress=lambda *told: seen.append(told))

    assert seen == [(1, 1), (2, 2)]


def test_runs_of_many_kinds_are_stored_and_exported(store: Store, tmp_path: Path) -> None:
    bare = BenchRun(run_key="0" * 16, name="", path="/")
    store.add_bench_runs([bare, bench_run(1), bench_run(2, name="\udcff")], ENDED)

    assert [one.run_key for one in registered_runs(store)] == [bare.run_key, key_of(1), key_of(2)]
    assert registered_runs(store)[:2] == (bare, bench_run(1))
    for form in FileFormat:
        files = {one.path.stem: one.rows for one in write_tables(store.facts(), tmp_path / form.value, form)}
        assert files["bench_runs"] == 3


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real logs at {REAL} (set TRACKSIDE_REAL_DATA)")
def test_every_real_log_is_a_run_of_its_own_or_told_of(store: Store, tmp_path: Path) -> None:
    logs = sorted(REAL.glob("*.log"))
    for log in logs:
        (tmp_path / "runs" / log.stem).mkdir(parents=True)
        (tmp_path / "runs" / log.stem / log.name).symlink_to(log)
    benches = found(store, tmp_path / "runs")
    store.add_bench_runs([bench.run for bench in benches.benches], NOW)

    assert len(benches.benches) + len(benches.notes) == len(logs)
    assert [note.split(" was")[0] for note in benches.notes] == ["runs/18_npu_router_1p1d"]
    assert {bench.run for bench in benches.benches} == set(registered_runs(store))
    by_name = {bench.run.name: bench.run for bench in benches.benches}
    assert by_name["41_dynamo_noansi_evidence"].torn == 8
    assert not by_name["41_dynamo_noansi_evidence"].complete
    assert by_name["30_h200_dsr1_tp8_conc64"].complete
