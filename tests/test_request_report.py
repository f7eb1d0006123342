"""The table and the page of request times."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from rich.console import Console

from trackside.bench.request_times import (
    REQUEST_SCHEMA,
    break_down,
    mean_by_duration,
    pick_for_drawing,
    summarise,
)
from trackside.engine.request_metrics import RequestMetrics
from trackside.errors import OutputError
from trackside.report import request_report
from trackside.report.request_charts import figure_by_duration, figure_distributions, figure_requests
from trackside.report.request_report import write_request_report
from trackside.report.request_tables import reading_notes, request_table

if TYPE_CHECKING:
    from pathlib import Path


def request(e2e: float | None = 1.5, **more: Any) -> dict[str, Any]:
    spans = {"queue_time_s": 0.1, "prefill_launch_delay_s": 0.05, "prefill_launch_latency_s": 0.2}
    return {"rid": "r", **spans, "inference_time_s": 1.25, "e2e_latency_s": e2e, **more}


def metrics(*requests: dict[str, Any], **more: Any) -> RequestMetrics:
    fields: dict[str, Any] = {
        "requests": pl.DataFrame(requests, schema=REQUEST_SCHEMA),
        "files": ("sglang-request-metrics-20260319_10.log",),
        "lines": len(requests),
        "unreadable": 0,
        "without_times": 0,
        "overlong": 0,
        "not_a_number": 0,
        "cut_files": (),
        "samples": (),
        "limit_reached": False,
    }
    return RequestMetrics(**fields | more)


def page(tmp_path: Path, read: RequestMetrics, title: str = "job") -> str:
    return write_request_report(title, read, tmp_path / "t.html").read_text(encoding="utf-8")


def test_the_table_shows_the_segments_in_milliseconds() -> None:
    console = Console(width=120, record=True, file=None)
    with console.capture() as capture:
        console.print(request_table("job", summarise(break_down(metrics(request()).requests))))
    lines = [re.split(r"\s*│\s*", line) for line in capture.get().splitlines() if "│" in line]
    cells = {line[1]: line[2:-1] for line in lines}
    assert cells["Segment"] == ["Median", "Mean", "P95", "Max", "Share of e2e", "n", "Missing"]
    assert cells["Queue"] == ["100.0", "100.0", "100.0", "100.0", "6.7 %", "1", "0"]
    assert cells["Decode"][0] == "1,000.0"
    assert cells["End to end"][4] == "100.0 %"


def test_a_segment_that_nobody_has_is_a_dash() -> None:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(request_table("job", summarise(break_down(metrics(request(queue_time_s=None)).requests))))
    assert re.search(r"Queue\s+│\s+-\s+│\s+-\s+│\s+-\s+│\s+-\s+│\s+-\s+│\s+0\s+│\s+1 ", capture.get())


def test_what_was_not_read_is_said() -> None:
    read = metrics(request(), request(queue_time_s=-1.0), lines=5, unreadable=2, without_times=1, limit_reached=True)
    assert reading_notes(read, break_down(read.requests)) == [
        "Read 2 requests from 5 lines of 1 file(s); stopped after the first 2 requests in file order (--limit)",
        "2 lines are no JSON objects",
        "1 lines hold no request times",
        "1 requests have an impossible time, which counts as missing",
    ]


def test_the_page_is_one_file_that_needs_no_network(tmp_path: Path) -> None:
    text = page(tmp_path, metrics(request(), request(2.0)))
    assert not re.search(r'<(?:script|link|img)[^>]*\s(?:src|href)="', text)
    assert "default-src &#39;none&#39;" in text
    assert "All 2 requests with an end-to-end time are drawn" in text
    assert {"requests", "by-duration", "distributions"} == set(re.findall(r'data-document="([\w-]+)"', text))


def test_fewer_drawn_requests_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_report, "MAX_DRAWN", 10)
    text = page(tmp_path, metrics(*[request(2.0 + n) for n in range(30)], request(None)))
    assert "10 of 30 requests are drawn: the 1 slowest, the rest evenly by rank (after the dashed line)." in text
    assert "1 requests have no end-to-end time." in text


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    evil = "</script><svg/onload=alert(1)>\x1b[2J"
    text = page(tmp_path, metrics(request(rid=evil), samples=(evil,)), title=evil)
    assert "<svg/onload" not in text
    assert "\x1b" not in text
    assert "&lt;/script&gt;" in text


def test_a_page_without_any_end_to_end_time_has_the_table_alone(tmp_path: Path) -> None:
    text = page(tmp_path, metrics(request(None)))
    assert "data-document=" not in text
    assert "End to end" in text


def test_a_page_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="could not be written"):
        write_request_report("job", metrics(request()), tmp_path / "file" / "t.html")


def test_a_bar_stacks_the_known_segments_and_names_the_unknown() -> None:
    drawn = pick_for_drawing(break_down(metrics(request(), request(2.0, queue_time_s=None)).requests), 10)
    plot: Any = figure_requests(drawn)
    data = plot.renderers[0].data_source.data
    assert [renderer.glyph.__class__.__name__ for renderer in plot.renderers] == ["VBar"] * 6
    assert data["queue_ms"].tolist() == [0.0, 100.0]
    assert data["queue_ms_text"] == ["not known", "100.0 ms"]
    assert data["unattributed_ms_text"][1] == "not known"


def test_a_gap_parts_the_slowest_from_the_thinned_rest() -> None:
    segments = break_down(metrics(*[request(2.0 + n) for n in range(100)]).requests)
    plot: Any = figure_requests(pick_for_drawing(segments, 20))
    places = plot.renderers[0].data_source.data["place"].tolist()
    assert places[:4] == [0.0, 1.0, 2.0, 5.0]
    whole: Any = figure_requests(pick_for_drawing(segments, 100))
    assert whole.renderers[0].data_source.data["place"].tolist() == list(range(100))


def test_charts_of_groups_and_distributions_cover_all_requests() -> None:
    segments = break_down(metrics(*[request(2.0 + n) for n in range(100)]).requests)
    by_duration: Any = figure_by_duration(mean_by_duration(segments))
    groups = by_duration.renderers[0].data_source.data
    assert sum(groups["n"]) == 100
    curves: Any = figure_distributions(segments).renderers
    assert [curve.name for curve in curves] == [
        "Queue", "Prefill launch delay", "Prefill exec", "Decode", "Other", "End to end",
    ]  # fmt: skip
    assert curves[-1].data_source.data["ms"].max() == pytest.approx(101_000)
