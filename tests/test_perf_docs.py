"""The page of the performance monitor is true: parameters, columns, files, states, figures, settings, the example."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Final

import polars as pl
import pytest
from rich.console import Console

from tests.history_frames import a_history, a_job, a_run
from tests.perf_frames import JOB, TEST, a_measurements, a_value
from tests.test_ci_docs import OPTION, options_of_help
from trackside.cli.ci_analyzer_perf import analyzer_app
from trackside.perf.changes import LEAST_POINTS
from trackside.perf.collection import COLLECTED_COLUMNS, Collection
from trackside.perf.level_changes import CONFIRMED_BY, CONFIRMED_Q
from trackside.perf.points import points_frame
from trackside.perf.silence import SILENT_AFTER, SKIPPED_AFTER
from trackside.records.perf_rules import ChangeState, PerfRules
from trackside.report.perf_console import (
    JobCount,
    WrittenFiles,
    chart_line,
    collection_lines,
    opening_line,
    summary_lines,
    table_line,
)
from trackside.report.perf_tables import lay_out, table_csv
from trackside.settings import load_settings
from trackside.stats.level_scan import SHORTEST

PAGE: Final = (Path(__file__).parent.parent / "docs" / "perf.md").read_text(encoding="utf-8")
SECTIONS: Final = dict(re.findall(r"^###? (.+)\n((?:(?!^###? ).*\n)*)", PAGE, re.MULTILINE))
ESTABLISHED: Final = (
    "output_throughput_token_s", "input_throughput_token_s", "median_e2e_latency_ms", "median_ttft_ms", "accept_length",
)  # fmt: skip
WORDS: Final = {2: "two", 3: "three", 5: "five", 6: "six"}


def cells(text: str) -> list[str]:
    """The first cell of each row whose first cell is code."""
    return re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)


def options(text: str) -> set[str]:
    """The options in the first cells of the tables of a text."""
    return {option for cell in cells(text) for option in OPTION.findall(cell)}


@pytest.mark.parametrize(
    "title", ["Parameters", "CSV columns", "Directory structure", "Example output", "Set up in five minutes", "Output",
              "What it costs", "Changes", "States", "When numbers stop", "Numbers in artifacts"],
)  # fmt: skip
def test_the_established_sections_and_those_of_what_is_new_are_there(title: str) -> None:
    assert SECTIONS[title].strip()


def test_the_parameters_of_the_report_are_those_of_the_help() -> None:
    table, _ = SECTIONS["Parameters"].split("Of `ci_analyzer_perf.py`")
    assert options(table) == options_of_help("trackside perf report")


def test_the_parameters_of_the_established_command_are_those_of_its_help() -> None:
    table, own = SECTIONS["Parameters"].split("Of `ci_analyzer_perf.py`")
    stream = io.StringIO()
    analyzer_app().help_print([], console=Console(file=stream, width=100, color_system=None))
    [limits] = [cell for cell in cells(table) if "--max-calls" in cell]
    told = set(OPTION.findall(own.split("```console")[0])) | set(OPTION.findall(limits))
    shown = set(re.findall(r"^│ (--\S+)", stream.getvalue(), re.MULTILINE)) - {"--help", "--version"}
    assert told == shown


def test_the_parameters_of_changes_are_its_own_and_those_of_the_report() -> None:
    shared = options(SECTIONS["Parameters"].split("Of `ci_analyzer_perf.py`")[0]) - {"--output-dir", "--all-metrics"}
    assert options(SECTIONS["Changes"]) | shared == options_of_help("trackside perf changes")


def test_the_columns_and_files_are_those_of_a_real_table() -> None:
    run = a_run(1)
    job = a_job(run, JOB)
    values = a_measurements(a_value(job, 100.0, metric=metric) for metric in ESTABLISHED)
    [files] = lay_out(points_frame(a_history([run], [job]), values, PerfRules()))
    [header, _] = csv.reader(io.StringIO(table_csv(files)))
    columns = [name for cell in cells(SECTIONS["CSV columns"]) for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(columns) == sorted(header)
    assert [one for one in columns if one not in ESTABLISHED] == [one for one in header if one not in ESTABLISHED]
    directory, table = files.table.split("/")
    tree = SECTIONS["Directory structure"]
    assert f"├── {directory}/\n│   ├── {table}\n" in tree
    assert files.charts[ESTABLISHED[0]].removeprefix(f"{directory}/") in tree
    assert table == f"{TEST}.csv"


def test_the_states_are_all_there_are() -> None:
    assert [cell.strip("`") for cell in cells(SECTIONS["States"])] == [state.value for state in ChangeState]


def test_the_figures_are_those_in_force() -> None:
    changes, states, silence = (" ".join(SECTIONS[one].split()) for one in ("Changes", "States", "When numbers stop"))
    assert f"A level has at least {WORDS[SHORTEST]} values" in changes
    assert f"fewer than {WORDS[LEAST_POINTS]} values on the default branch" in changes
    assert f"fewer than {WORDS[CONFIRMED_BY]} values follow" in states
    assert f"| {WORDS[CONFIRMED_BY]} values follow it, and with all of them it is at least {1 - CONFIRMED_Q:.1%}" in (
        states.replace(" %", "%")
    )
    assert f"no value in the newest {WORDS[SILENT_AFTER]} of them" in silence
    assert f"skipped in runs that failed it takes {WORDS[SKIPPED_AFTER]}" in silence


def test_the_settings_can_be_read(tmp_path: Path) -> None:
    blocks = re.findall(r"^ *```toml\n(.*?)^ *```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 5
    for text in blocks:
        (tmp_path / "trackside.toml").write_text(text, encoding="utf-8")
        assert load_settings(tmp_path, {}) != load_settings(Path("/"), {}), text


def test_the_example_is_what_the_command_prints() -> None:
    example = [line for line in SECTIONS["Example output"].split("```")[1].split("\n") if line != "..."]
    jobs = [f"performance-test-{name}" for name in ("1-gpu-part-1", "1-gpu-part-2", "2-gpu")]
    amounts = zip(jobs, ((7, 210), (6, 150), (6, 180)), strict=True)
    counts = [JobCount(workflow="PR Test", job=job, tests=tests, records=rows) for job, (tests, rows) in amounts]
    folder = Path("performance_tables")
    others = (("HTML page", folder / "index.html"), ("JSON", folder / "performance.json"))
    written = WrittenFiles(folder=folder, tables=19, charts=25, others=others)
    none = Collection(workflow="PR Test", runs=(), run_attempts=0, jobs=pl.DataFrame(schema=COLLECTED_COLUMNS))
    head = list(collection_lines(none, "octo/engine", name="SGLang", limit=30))
    assert example[1:6] == head[:5]
    assert example[6] == "Got 30 PR test runs..."
    end = list(summary_lines(none, counts, written, findings=(), is_whole=True))
    end[end.index("Total PR Test runs processed: 0")] = "Total PR Test runs processed: 30"
    assert example[-len(end) - 1 :] == [*end, ""]
    table = folder / "performance-test-1-gpu-part-1_summary" / "test_bs1_default.csv"
    chart = table.with_name("test_bs1_default_output_throughput_token_s.png")
    assert [opening_line(folder), table_line(table), chart_line(chart)] == example[-len(end) - 4 : -len(end) - 1]
