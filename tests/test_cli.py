"""The engine-log commands as a user runs them: on a small run, in processes of their own."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BINARIES = Path(sys.executable).parent
Run = Callable[..., "subprocess.CompletedProcess[str]"]

PREFILL = (
    "[2026-01-31 {clock} DP0 TP0 EP0] Prefill batch. #new-seq: 1, #new-token: 100, #cached-token: 28, "
    "token usage: 0.10, #running-req: 0, #queue-req: 2, #prealloc-req: 0, #inflight-req: 1, "
    "input throughput (token/s): 50.00, "
)
DECODE = (
    "[2026-01-31 {clock} DP0 TP0 EP0] Decode batch. #running-req: 4, #token: 4000, token usage: 0.20, "
    "pre-allocated usage: 0.00, #prealloc-req: 0, #transfer-req: 0, #retracted-req: 0, cuda graph: True, "
    "gen throughput (token/s): 80.00, #queue-req: 0, "
)

TABLE = """\
                        4401463
╭─────────────┬───────┬───────────────────────────────╮
│ Worker Type │ Count │ Time Range                    │
├─────────────┼───────┼───────────────────────────────┤
│ Prefill     │     2 │ 16:10:37 → 17:18:27 (67m 50s) │
│ Decode      │     1 │ 16:10:46 → 17:18:35 (67m 49s) │
├─────────────┼───────┼───────────────────────────────┤
│ Total       │     3 │ 16:10:37 → 17:18:35 (67m 58s) │
╰─────────────┴───────┴───────────────────────────────╯

"""


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A job directory with two prefill workers and a decode worker, two batch lines each."""
    logs = tmp_path / "4401463" / "logs"
    logs.mkdir(parents=True)
    for name, line, clocks in (
        ("node01_prefill_w0.out", PREFILL, ("16:10:37", "17:18:20")),
        ("node01_prefill_w1.out", PREFILL, ("16:10:40", "17:18:27")),
        ("node02_decode_w0.out", DECODE, ("16:10:46", "17:18:35")),
    ):
        (logs / name).write_text("".join(f"{line.format(clock=clock)}\n" for clock in clocks), encoding="utf-8")
    return logs.parent


@pytest.fixture
def srtlog(tmp_path: Path) -> Run:
    """Runs ``srtlog`` with its arguments in the directory of the test."""

    def run(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRACKSIDE_")}
        command = [str(BINARIES / "srtlog"), *map(str, arguments)]
        cwd = more.pop("cwd", str(tmp_path))
        return subprocess.run(command, cwd=cwd, env=environment | more, capture_output=True, text=True)

    return run


def test_parse_prints_the_table_and_then_where_it_is_cached(job: Path, srtlog: Run) -> None:
    done = srtlog("parse", job)
    cached = job / "logs" / "cached_assets" / "node_metrics.parquet"
    assert done.stdout == f"{TABLE}Cached to: {cached}\n"
    assert done.stderr == "Read 3 files, 6 lines: 6 batch lines, none unrecognised.\n"
    assert done.returncode == 0
    assert cached.is_file()


def test_a_second_parse_says_that_it_used_the_cache(job: Path, srtlog: Run) -> None:
    srtlog("parse", job)
    assert srtlog("parse", job).stdout == f"{TABLE}Loaded from cache\n"


@pytest.mark.parametrize("inside", ["", "logs"])
def test_the_title_is_the_job_also_for_a_dot(job: Path, srtlog: Run, inside: str) -> None:
    assert srtlog("parse", ".", cwd=str(job / inside)).stdout.startswith(TABLE)


def test_one_log_file_is_a_path_too(job: Path, srtlog: Run) -> None:
    done = srtlog("parse", job / "logs" / "node02_decode_w0.out")
    assert done.returncode == 0
    assert "│ Decode      │     1 │ 16:10:46 → 17:18:35 (67m 49s) │" in done.stdout
    assert "Prefill" not in done.stdout


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path, srtlog: Run) -> None:
    done = srtlog("parse", "nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: Path does not exist: {tmp_path / 'nowhere'}\n"


def test_a_directory_without_workers_is_said_so(tmp_path: Path, srtlog: Run) -> None:
    (tmp_path / "empty").mkdir()
    done = srtlog("parse", "empty")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("No worker nodes found in logs")


def test_several_jobs_have_a_row_each(job: Path, srtlog: Run) -> None:
    shutil.copytree(job, job.parent / "77")
    done = srtlog("parse", job, job.parent / "77")
    rows = [line for line in done.stdout.splitlines() if line.startswith(("│ 4401463", "│ 77"))]
    assert rows == [
        "│ 4401463 │ 2P/1D    │       3 │           6 │ 16:10:37 → 17:18:35 (67m 58s) │            0 │",
        "│ 77      │ 2P/1D    │       3 │           6 │ 16:10:37 → 17:18:35 (67m 58s) │            0 │",
    ]


@pytest.mark.parametrize("name", ["[1,2]", "[red]x", '{"a": 1}', "null"])
def test_a_name_that_reads_like_json_is_a_path(job: Path, srtlog: Run, name: str) -> None:
    renamed = job.rename(job.parent / name)
    assert srtlog("parse", renamed.name).stdout.splitlines()[0].strip() == name


def test_of_several_jobs_one_that_cannot_be_read_does_not_hide_the_others(job: Path, srtlog: Run) -> None:
    done = srtlog("parse", job, "nowhere")
    assert done.returncode == 1
    assert "│ 4401463 │" in done.stdout or done.stdout.startswith(TABLE)
    assert "nowhere: Path does not exist" in done.stderr


def test_an_unrecognised_line_warns_and_fails_only_when_strict(job: Path, srtlog: Run) -> None:
    with (job / "logs" / "node01_prefill_w0.out").open("a") as log:
        log.write("[2026-01-31 17:18:20 DP0 TP0 EP0] Prefill batch of a new kind with #new-seq \x07 nobody knows\n")
    done = srtlog("parse", job)
    assert done.returncode == 0
    assert "Not everything could be read" in done.stderr
    assert "\\x07 nobody knows" in done.stderr
    assert "\x07" not in done.stderr
    strict = srtlog("parse", job, "--strict")
    assert strict.returncode == 4
    assert "Not recognised: 1 batch-like line; not read whole: 0 files" in strict.stderr


def test_verbose_adds_a_row_a_worker_and_the_run_in_figures(job: Path, srtlog: Run) -> None:
    shown = srtlog("parse", job, "-v").stdout
    assert "│ node01_prefill_w1 │ DP0 TP0 │       2 │" in shown
    assert "Topology: 2P/1D" in shown
    assert "Tokens: 400 input computed, 112 input cached," in shown


def test_json_has_the_same_workers(job: Path, srtlog: Run) -> None:
    done = srtlog("parse", job, "--format", "json", "--quiet")
    [run] = json.loads(done.stdout)["runs"]
    assert done.stderr == ""
    assert run["name"] == "4401463"
    assert run["topology"] == "2P/1D"
    assert [worker["name"] for worker in run["workers"]] == [
        "node01_prefill_w0",
        "node01_prefill_w1",
        "node02_decode_w0",
    ]
    assert run["workers"][2]["first"] == "2026-01-31T16:10:46"


def test_csv_has_a_row_a_worker(job: Path, srtlog: Run) -> None:
    rows = list(csv.DictReader(srtlog("parse", job, "--format", "csv").stdout.splitlines()))
    assert [(row["job"], row["role"], row["batch_rows"]) for row in rows] == [
        ("4401463", "prefill", "2"),
        ("4401463", "prefill", "2"),
        ("4401463", "decode", "2"),
    ]


def test_the_window_is_cut_by_from_and_to(job: Path, srtlog: Run) -> None:
    shown = srtlog("parse", job, "--from", "17:00:00", "--to", "17:18:30").stdout
    assert "│ Prefill     │     2 │ 17:18:20 → 17:18:27 (7s) │" in shown


def test_a_zone_keeps_the_logged_clock(job: Path, srtlog: Run) -> None:
    assert srtlog("parse", job, "--tz", "America/Los_Angeles").stdout.startswith(TABLE)


def test_a_zone_that_is_none_is_a_wrong_usage(job: Path, srtlog: Run) -> None:
    done = srtlog("parse", job, "--tz", "Mars/Olympus")
    assert done.returncode == 2
    assert "Mars/Olympus" in done.stderr


def test_settings_are_read_and_a_wrong_key_is_named(job: Path, srtlog: Run) -> None:
    settings = job.parent / "trackside.toml"
    settings.write_text("[bench]\ncache = false\n", encoding="utf-8")
    srtlog("parse", job)
    assert not (job / "logs" / "cached_assets").exists()
    srtlog("parse", job, "--cache")
    assert (job / "logs" / "cached_assets").exists()
    settings.write_text("[bench]\ncach = false\n", encoding="utf-8")
    done = srtlog("parse", job)
    assert done.returncode == 2
    assert done.stderr == f"Error: {settings}: bench: unknown key `cach`\n"


def test_a_hostile_name_of_a_job_is_shown_and_not_sent(job: Path, srtlog: Run) -> None:
    hostile = job.rename(job.parent / "j\x1b]52;c;x\x07\r[red]\u202e")
    for form in ("table", "json", "csv", "markdown"):
        done = srtlog("parse", hostile, "--format", form)
        assert done.returncode == 0
        assert not set(done.stdout + done.stderr) & set("\x1b\x07\r\u202e")


def test_bytes_of_a_path_that_are_no_text_are_written_out_in_json(job: Path, srtlog: Run) -> None:
    if sys.platform == "darwin":
        pytest.skip("this file system takes no such name")
    renamed = job.rename(job.parent / os.fsdecode(b"job\xff"))
    [run] = json.loads(srtlog("parse", renamed, "--format", "json").stdout)["runs"]
    assert run["path"].endswith("/job\\xff")
    assert run["cache_path"].endswith("/job\\xff/logs/cached_assets/node_metrics.parquet")


def test_viz_prints_the_table_and_the_report_it_wrote(job: Path, srtlog: Run, tmp_path: Path) -> None:
    done = srtlog("viz", job, "-o", "out.html")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(TABLE)
    assert done.stdout.endswith(f"\nReport: {tmp_path / 'out.html'}\n")
    assert "4401463" in (tmp_path / "out.html").read_text(encoding="utf-8")


def test_export_writes_the_tables_it_names(job: Path, srtlog: Run, tmp_path: Path) -> None:
    done = srtlog("export", job, "-o", "tables", "--format", "csv")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "tables/rows.csv (6 rows)"
    assert (tmp_path / "tables" / "rows.csv").is_file()
