"""``srtlog parse --register``: what it keeps in the store, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench_sites import write_run
from tests.build_logs import write_log
from tests.command_line import Said, command_line
from trackside.evidence.bench_runs import registered_runs
from trackside.records.bench_runs import BenchRun
from trackside.store.store import open_store

Typed = Callable[..., Said]


@pytest.fixture
def trackside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    return command_line(tmp_path, monkeypatch, capsys)


def kept(tmp_path: Path, store: str = ".trackside") -> list[BenchRun]:
    return sorted(registered_runs(open_store(tmp_path / store)), key=lambda run: run.name)


def test_a_run_is_registered_in_the_store_beside_the_settings(trackside: Typed, tmp_path: Path) -> None:
    write_run(tmp_path / "job_1")

    code, out, err = trackside("bench", "parse", "job_1", "--register")

    assert code == 0
    assert "Total" in out
    assert err.splitlines()[-1] == f"Registered 1 run in {tmp_path / '.trackside'}."
    [run] = kept(tmp_path)
    assert (run.name, run.path, run.topology) == ("job_1", str(tmp_path / "job_1" / "logs"), "1P/1D")
    assert run.registered_at is not None
    assert (run.role, run.tz) == (None, None)


def test_figures_are_those_that_the_command_prints(trackside: Typed, tmp_path: Path) -> None:
    write_run(tmp_path / "job_1")

    _, out, err = trackside("bench", "parse", "job_1", "--register", "-v", "--format", "json")

    told, [run] = json.loads(out)["runs"][0]["figures"], kept(tmp_path)
    assert "Registered" in err
    for name in ("input_tps", "output_tps", "total_tps", "duration_s", "cache_hit_rate", "topology", "gpus"):
        assert getattr(run, name) == told[name], name


def test_several_runs_are_registered_and_those_that_cannot_be_read_are_not(trackside: Typed, tmp_path: Path) -> None:
    write_run(tmp_path / "job_1")
    write_run(tmp_path / "job_2", hour=9)
    write_log(tmp_path / "job_3" / "a.log", "nothing of an engine")

    code, _, err = trackside("bench", "parse", "job_1", "job_2", "job_3", "--register", "--store", "kept")

    assert code == 1
    assert "Registered 2 runs in" in err
    assert [run.name for run in kept(tmp_path, "kept")] == ["job_1", "job_2"]
    assert not (tmp_path / ".trackside").exists()


def test_registered_again_a_run_is_there_once_as_it_is_now(trackside: Typed, tmp_path: Path) -> None:
    job = write_run(tmp_path / "job_1")
    trackside("bench", "parse", "job_1", "--register")
    write_run(job, minutes=6)
    trackside("bench", "parse", "job_1/logs", "--register", "--quiet")

    [run] = kept(tmp_path)
    assert run.batch_lines == 2 * 6 * 6


def test_role_and_zone_are_kept_with_the_run(trackside: Typed, tmp_path: Path) -> None:
    write_run(tmp_path / "job_1")
    (tmp_path / "trackside.toml").write_text('[bench]\ntz = "Asia/Kolkata"\n', encoding="utf-8")

    trackside("bench", "parse", "job_1", "--register", "--role", "agg")

    [run] = kept(tmp_path)
    assert (run.role, run.tz) == ("agg", "Asia/Kolkata")
    assert run.first_at is not None
    assert f"{run.first_at:%H:%M}" == "10:30"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--register", "--from", "16:01:00"), "A run is registered whole: leave out --from and --to, or --register."),
        (("--register", "--to", "16:01:00"), "A run is registered whole: leave out --from and --to, or --register."),
        (("--store", "x"), "--store says where a run is registered: add --register, or leave it out."),
    ],
    ids=["from", "to", "store"],
)
def test_what_makes_no_sense_is_refused_before_anything_is_read(
    trackside: Typed, tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    write_run(tmp_path / "job_1")

    code, out, err = trackside("bench", "parse", "job_1", *options)

    assert (code, out) == (2, "")
    assert sentence in err
    assert not (tmp_path / "job_1" / "logs" / "cached_assets").exists()


def test_a_store_that_cannot_be_written_is_said_after_the_table(trackside: Typed, tmp_path: Path) -> None:
    write_run(tmp_path / "job_1")
    (tmp_path / "file").write_text("x", encoding="utf-8")

    code, out, err = trackside("bench", "parse", "job_1", "--register", "--store", "file/store")

    assert code == 1
    assert "Total" in out
    assert "file" in err.splitlines()[-1]


def test_without_register_nothing_is_kept(trackside: Typed, tmp_path: Path) -> None:
    write_run(tmp_path / "job_1")

    trackside("bench", "parse", "job_1")

    assert not (tmp_path / ".trackside").exists()
