"""The pages of Benchmarks: the runs, their curves over one another, and the full report of each."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import math
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from scripts.schemas import schema_of
from tests.bench_sites import ENDED, bench_run, curve, facts_of, hostile_report, with_report, write_run
from tests.build import engine_rows
from tests.html_pages import Page as Parsed
from tests.report_runs import HOSTILE_VALUE, lines_of, workers_of
from trackside.bench.summary import summarise_run
from trackside.cli import site_benches
from trackside.cli.site_benches import MOST_REPORTS, bench_facts
from trackside.engine.run import Run
from trackside.errors import NoDataError, PathNotFoundError, UnreadableInputError
from trackside.evidence.bench_runs import GONE, UNREAD, Bench
from trackside.report.bench_document import benchmarks_json
from trackside.report.bench_report import bench_body
from trackside.report.headline import headlines
from trackside.report.overlay_chart import MOST_CURVES
from trackside.report.report_text import number_text
from trackside.settings import BenchSettings
from trackside.site.bench_curves import CHOSEN_FIRST, MOST_RUNS, overlay_of
from trackside.site.bench_names import report_path, run_names
from trackside.site.bench_pages import bench_data, bench_pages
from trackside.site.bench_tables import runs_table
from trackside.site.build import site_files
from trackside.site.facts import BenchReport, SiteFacts
from trackside.site.pages import asset, render
from trackside.site.tables import Cell
from trackside.store.store import open_store

_FIGURES = ("input_tps", "output_tps", "total_tps", "output_tps_per_gpu", "total_tps_per_gpu")
WITHOUT_CACHE = BenchSettings(cache=False)


def pages_of(facts: SiteFacts) -> dict[str, str]:
    return {page.path: render(page, facts) for page in bench_pages(facts)}


def row_of(report: BenchReport) -> dict[str, Cell]:
    table = runs_table([report])
    return dict(zip([column.key for column in table.columns], table.rows[0], strict=True))


def block(html: str, name: str) -> Any:
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_without_a_run_the_page_says_what_to_do() -> None:
    pages = pages_of(facts_of())
    text = Parsed(pages["benchmarks.html"]).text

    assert list(pages) == ["benchmarks.html"]
    assert "srtlog parse DIR --register" in text
    assert "trackside site build --benchmarks DIR" in text
    assert "bokeh" not in pages["benchmarks.html"]
    assert 'id="curves-title"' not in pages["benchmarks.html"]


def test_a_row_tells_the_figures_of_a_run_as_they_are_and_as_they_are_read() -> None:
    row = row_of(with_report(bench_run(1, output_tps=1234.567)))

    assert (row["output_tps"].value, row["output_tps"].text) == (1234.567, "1,235")
    assert (row["duration_s"].value, row["duration_s"].text) == (1800.0, "30m 0s")
    assert (row["cache_hits"].value, row["cache_hits"].text) == (25.0, "25")
    assert (row["gpus"].value, row["topology"].value, row["engine"].value) == (24, "2P/1D", "sglang")
    assert (row["output_tps_per_gpu"].value, row["total_tps_per_gpu"].value) == (62.5, 104.25)
    assert row["ended"].text == "2026-10-19 13:30"
    assert row["run"].url == report_path(bench_run(1))


def test_what_is_not_known_of_a_run_is_unknown_and_not_zero() -> None:
    told = dict.fromkeys((*_FIGURES, "engine", "topology", "gpus", "duration_s", "cache_hit_rate", "last_at"))
    row = row_of(BenchReport(run=bench_run(1, **told), why_not="its logs are not here any more"))

    assert {key for key, cell in row.items() if cell.text is None} == {*row} - {"run", "read"}
    assert (row["run"].url, row["run"].note) == (None, "its logs are not here any more")


@pytest.mark.parametrize(
    ("gaps", "note"),
    [
        ({}, "4,000 batch lines"),
        ({"unrecognised": 1234}, "4,000 batch lines, 1,234 not recognised"),
        ({"torn": 2, "not_whole": 1}, "4,000 batch lines, 2 torn, 1 file not read whole"),
    ],
    ids=["complete", "unrecognised", "torn"],
)
def test_how_completely_a_run_was_read_is_a_state_with_counts(gaps: dict[str, int], note: str) -> None:
    cell = row_of(BenchReport(run=bench_run(1, **gaps)))["read"]

    assert (cell.value, cell.note) == ("partial" if gaps else "complete", note)


def test_figures_on_the_page_are_those_of_the_report(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "job_1", minutes=12)
    reports, notes = bench_facts(open_store(tmp_path / "store"), [tmp_path / "runs"], WITHOUT_CACHE)
    [report], row = reports, row_of(reports[0])
    body = Parsed(str(report.body)).text
    [chosen] = block(pages_of(facts_of(report))["benchmarks.html"], "curve-data")["runs"]

    assert notes == ()
    for figure in ("input_tps", "output_tps", "total_tps"):
        assert f"{row[figure].text} tokens/s" in body, figure
    assert f"{row['cache_hits'].text} %" in body
    medians = {one.key: number_text(one.median) for one in report.run.curves}
    stats = re.search(r'id="total-output">.*?<tbody>\s*<tr>(.*?)</tr>', str(report.body), re.DOTALL)
    assert stats is not None
    assert f"<td>{medians['output']}</td>" in stats[1]
    assert list(chosen["curves"]) == list(medians)


def test_the_report_of_the_site_is_that_of_the_file() -> None:
    rows, workers = engine_rows(*lines_of()), workers_of()
    page = bench_body("4401463", rows, workers, (), ())
    figures = headlines(summarise_run(rows, workers), ())

    assert all(number_text(figure.value) in Parsed(page.body).text for figure in figures)
    assert "1P/1D" in page.lead
    assert page == bench_body("4401463", rows, workers, (), ()), "equal runs make equal reports"


def test_a_report_stands_in_the_frame_of_the_site_without_a_script_of_its_own() -> None:
    report = with_report(bench_run(1))
    html = pages_of(facts_of(report))[report_path(report.run)]
    parsed = Parsed(html)
    scripts = [told for tag, told in parsed.tags if tag == "script"]

    assert [re.sub(r"\?.*", "", told["src"] or "") for told in scripts if "src" in told][-2:] == [
        "../assets/bokeh.js",
        "../assets/bench_report.js",
    ]
    assert all("src" in told or told["type"] == "application/json" for told in scripts)
    assert [told for _, told in parsed.tags if any(name.startswith("on") for name in told)] == []
    policy = next(str(told["content"]) for tag, told in parsed.tags if "http-equiv" in told)
    assert "script-src 'self';" in policy
    assert sum(tag == "main" for tag, _ in parsed.tags) == sum(tag == "h1" for tag, _ in parsed.tags) == 1
    assert '<p class="trail"><a href="../benchmarks.html">' in html
    ids = [told["id"] for _, told in parsed.tags if "id" in told]
    assert len(ids) == len(set(ids))


def test_code_of_the_pages_is_small_enough() -> None:
    for names in (("site.js", "tables.js", "cells.js", "bokeh.js", "charts.js", "benchmarks.js"), ("bench_report.js",)):
        assert sum(len(gzip.compress(asset(name))) for name in names) < 500_000


def test_runs_are_told_apart_where_they_share_a_name_and_no_path_is_told() -> None:
    runs = [
        bench_run(1, name="logs", path="/srv/ann/a/logs"),
        bench_run(2, name="logs", path="/srv/ann/b/logs"),
        bench_run(3, name="job", path="/x/job"),
        bench_run(4, name="job", path="/y/x/job"),
        bench_run(5, name="alone"),
    ]
    named = run_names(runs)

    assert [named[run.run_key] for run in runs] == [
        "ann/logs (000001)",
        "ann/logs (000002)",
        "x/job (000003)",
        "x/job (000004)",
        "alone",
    ]
    assert len({report_path(run) for run in runs}) == 5
    html = pages_of(facts_of(*(BenchReport(run=run) for run in runs)))["benchmarks.html"]
    assert "/srv/" not in html


def test_curves_of_the_newest_runs_are_chosen_first_and_their_medians_stand_in_the_page() -> None:
    facts = facts_of(*(BenchReport(run=bench_run(number)) for number in range(1, 6)))
    html = pages_of(facts)["benchmarks.html"]
    told = block(html, "curve-data")

    assert [run["name"] for run in told["runs"]] == [f"job_{4400 + number}" for number in range(1, 6)]
    assert (told["quantity"], told["first"], told["most"]) == ("output", CHOSEN_FIRST, MOST_CURVES)
    assert told["runs"][1]["curves"]["output"] == {"x": [0, 10, 20, 30, 40], "y": [0, 200, None, 400, 1]}
    checked = [tag for tag in Parsed(html).tags if tag[0] == "input" and "checked" in tag[1]]
    assert len(checked) == CHOSEN_FIRST
    row = re.search(r'<tr data-run="0000020000000002">.*?</tr>', html, re.DOTALL)
    assert row is not None
    assert re.findall(r"<td[^>]*>([^<]*)</td>", row[0]) == ["200", "200"]


def test_the_quantity_shown_first_is_one_that_the_chosen_runs_tell() -> None:
    runs = [bench_run(1, curves=(curve("input"),)), bench_run(2, curves=(curve("output"), curve("input")))]
    overlay = overlay_of(runs)
    assert overlay is not None

    assert [one.key for one in overlay.quantities] == ["output", "input"]
    assert overlay.first.key == "input"
    assert overlay.rows[0].cells == (None, "100")


def test_runs_without_curves_and_beyond_the_newest_have_none_on_the_page() -> None:
    assert overlay_of([bench_run(1, curves=())]) is None
    overlay = overlay_of([bench_run(number) for number in range(1, MOST_RUNS + 4)])
    assert overlay is not None

    assert (len(overlay.rows), overlay.left_out) == (MOST_RUNS, 3)


def test_the_page_of_as_many_runs_as_a_folder_gives_is_small_enough() -> None:
    points = tuple(float(at) * 1.2345 for at in range(300))
    curves = tuple(curve(f"q{at}", x_s=points, y=tuple(1000 * one for one in points)) for at in range(10))
    facts = facts_of(*(BenchReport(run=bench_run(number, curves=curves)) for number in range(1, 201)))

    assert len(pages_of(facts)["benchmarks.html"].encode()) < 5_000_000


def test_data_are_every_run_that_is_shown_and_no_path() -> None:
    here = bench_run(2, registered_at=None, name="job\udcff", cache_hit_rate=None, last_at=None)
    ((name, content),) = bench_data(facts_of(BenchReport(run=bench_run(1)), BenchReport(run=here)))
    told = json.loads(content)

    Draft202012Validator(schema_of("benchmarks")).validate(told)
    assert (name, told["schema_version"], told["curves_left_out"]) == ("benchmarks.json", 1, 0)
    assert [(one["name"], one["registered_at"] is None) for one in told["runs"]] == [
        ("job_4401", False),
        ("job\\udcff", True),
    ]
    assert told["runs"][0]["last_at"] == "2026-10-19T13:30:00Z"
    assert told["runs"][0]["curves"][0]["y"] == [0, 100, None, 200, 1]
    assert told["runs"][1]["cache_hit_rate"] is None
    assert b"/data/runs" not in content


def test_data_of_very_many_runs_leave_the_curves_of_older_ones_out() -> None:
    run = bench_run(1, curves=(curve("output", y=(math.nan, 1.23456789, None, 1.0, 2.0)),))
    bare = bench_run(3, curves=())
    size = len(benchmarks_json([run])) - len(benchmarks_json([bare]))
    told = json.loads(benchmarks_json([run, run, bare, run], most_bytes=2 * size + 9))

    assert json.loads(benchmarks_json([])) == {"schema_version": 1, "runs": [], "curves_left_out": 0}
    assert [len(one["curves"]) for one in told["runs"]] == [1, 1, 0, 0]
    assert told["curves_left_out"] == 1
    assert told["runs"][0]["curves"][0]["y"] == [None, 1.2346, None, 1, 2]


def test_names_from_outside_are_text_in_every_place() -> None:
    report = hostile_report()
    facts = facts_of(report, with_report(bench_run(1)), notes=(HOSTILE_VALUE, "\x1b[31mred\u202e"))
    for path, html in pages_of(facts).items():
        parsed = Parsed(html)
        assert not {"img", "svg", "iframe"} & {tag for tag, _ in parsed.tags}, path
        assert [told for _, told in parsed.tags if any(name.startswith("on") for name in told)] == []
        assert re.fullmatch(r"(benchmarks/[a-z0-9-]{1,80}|benchmarks)\.html", path)
        assert not {"\u202e", "\x1b"} & {*parsed.text}


def test_nothing_in_a_page_depends_on_when_it_is_built(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "job_1")
    store = open_store(tmp_path / "store")
    first, second = (facts_of(*bench_facts(store, [tmp_path / "runs"], WITHOUT_CACHE)[0]) for _ in range(2))

    assert pages_of(first) == pages_of(second)
    later = msgspec.structs.replace(bench_run(1), registered_at=ENDED + dt.timedelta(days=9))
    assert pages_of(facts_of(BenchReport(run=bench_run(1)))) == pages_of(facts_of(BenchReport(run=later)))


def test_pages_of_benchmarks_are_part_of_the_site() -> None:
    report = with_report(bench_run(1))
    paths = {file.path for file in site_files(facts_of(report))}

    assert {"benchmarks.html", report_path(report.run), "assets/bokeh.js", "assets/bench_report.js"} <= paths
    assert {"assets/benchmarks.js", "assets/benchmarks.css", "assets/bench_report.css"} <= paths


@pytest.mark.parametrize(
    ("error", "why_not", "notes"),
    [
        (PathNotFoundError("Path does not exist: /data/runs/job_4401/logs"), GONE, []),
        (NoDataError("No batch line has a time."), "none of its batch lines has a time", []),
        (
            UnreadableInputError("/data/runs/job_4401/logs/n1.out cannot be read: torn."),
            UNREAD,
            ["job_4401: job_4401/n1.out cannot be read: torn."],
        ),
        (
            OSError(5, "Input/output error", "/data/runs/job_4401/logs/n1.out"),
            UNREAD,
            ["job_4401: its logs could not be read: Input/output error."],
        ),
    ],
    ids=["gone", "no times", "unreadable", "system"],
)
def test_why_a_run_has_no_report_is_told_as_it_is(error: Exception, why_not: str, notes: list[str]) -> None:
    def logs() -> Run:
        raise error

    told: list[str] = []
    report = site_benches._report_of(Bench(bench_run(1), logs), 0, told)

    assert (report.body, report.why_not, told) == (None, why_not, notes)


def test_only_so_many_runs_have_their_report_and_others_say_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        write_run(tmp_path / "runs" / f"job_{number}", hour=8 + number)
    store = open_store(tmp_path / "store")
    store.add_bench_runs([bench_run(1)], ENDED)
    monkeypatch.setattr(site_benches, "MOST_REPORTS", 2)
    counted, notes = bench_facts(store, [tmp_path / "runs"], WITHOUT_CACHE)
    monkeypatch.setattr(site_benches, "MOST_BYTES", 10)
    large, _ = bench_facts(store, [tmp_path / "runs"], WITHOUT_CACHE)

    assert [(one.run.name, one.body is not None, one.why_not) for one in counted] == [
        ("job_4401", False, "its logs are not here any more"),
        ("job_2", True, None),
        ("job_1", True, None),
        ("job_0", False, "only the newest 2 have their full report here"),
    ]
    assert {one.why_not for one in large[1:]} == {"its full report is too large for a page: srtlog viz draws it"}
    assert (notes, MOST_REPORTS) == ((), 25)
