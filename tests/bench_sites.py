"""Benchmark runs for tests of the site: logs in folders, and pages of runs."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from tests.build import engine_rows
from tests.build_logs import decode_text, prefill_text, write_log
from tests.report_runs import HOSTILE_NODE, HOSTILE_VALUE, lines_of, workers_of
from tests.site_samples import FACTS, list_site
from trackside.records.bench_runs import BenchCurve, BenchRun
from trackside.records.engine_run import FileLedger
from trackside.report.bench_report import BenchBody, bench_body
from trackside.site.bench_pages import bench_pages
from trackside.site.facts import BenchReport, SiteFacts
from trackside.site.pages import BOKEH, SCRIPTS, STYLES, asset, render

ENDED = dt.datetime(2026, 10, 19, 14, 30, tzinfo=dt.UTC)
QUANTITIES = (("output", "Output throughput", "tokens/s"), ("running", "Running requests, decode", "requests"))


def write_run(folder: Path, *, hour: int = 16, tokens: int = 100, minutes: int = 4) -> Path:
    """A 1P/1D run in ``folder``: a prefill and a decode line every ten seconds, of ranks that say who they are."""
    clocks = [f"{hour:02}:{at // 6:02}:{at % 6 * 10:02}" for at in range(6 * minutes)]
    write_log(folder / "logs" / "n1_prefill_w0.out", *(prefill_text(tokens + at, one) for at, one in enumerate(clocks)))
    write_log(folder / "logs" / "n2_decode_w0.out", *(decode_text(8 + at % 5, one) for at, one in enumerate(clocks)))
    return folder


def curve(key: str, median: float = 100.0, unit: str = "tokens/s", **more: Any) -> BenchCurve:
    """A curve of five points with a gap."""
    told: dict[str, Any] = {
        "title": key, "unit": unit, "points": 40, "median": median, "mean": median, "lowest": 0.0,
        "highest": 2 * median, "x_s": (0.0, 10.0, 20.0, 30.0, 40.0), "y": (0.0, median, None, 2 * median, 1.0),
    }  # fmt: skip
    return BenchCurve(key=key, **told | more)


def key_of(number: int) -> str:
    """The key of a run of these tests."""
    return f"{number:06x}{number:010x}"


def bench_run(number: int = 1, **more: Any) -> BenchRun:
    """A run of 2P/1D that was read completely; run 1 ended last."""
    told: dict[str, Any] = {
        "run_key": key_of(number),
        "name": f"job_{4400 + number}",
        "path": f"/data/runs/job_{4400 + number}/logs",
        "registered_at": ENDED,
        "engine": "sglang",
        "topology": "2P/1D",
        "workers": 3,
        "first_at": ENDED - dt.timedelta(hours=number, minutes=30),
        "last_at": ENDED - dt.timedelta(hours=number),
        "duration_s": 1800.0,
        "gpus": 24,
        "input_tps": 1000.0 * number,
        "output_tps": 500.5 * number,
        "total_tps": 1500.5 * number,
        "output_tps_per_gpu": 62.5,
        "total_tps_per_gpu": 104.25,
        "cache_hit_rate": 0.25,
        "files": 3,
        "read_lines": 5000,
        "batch_lines": 4000,
        "curves": tuple(
            curve(key, 100.0 * number, unit, title=title, y=(0.0, 100.0 * number, None, 200.0 * number, 1.0))
            for key, title, unit in QUANTITIES
        ),
    }
    return BenchRun(**told | more)


def with_report(run: BenchRun, node: str = "n1", value: str = "fa3", notes: tuple[str, ...] = ()) -> BenchReport:
    """The run with the full report of a small one."""
    page = _body_of(run.name, node, value, notes)
    return BenchReport(run=run, lead=page.lead, body=page.body)


@cache
def _body_of(name: str, node: str, value: str, notes: tuple[str, ...]) -> BenchBody:
    ledger = (FileLedger(f"{node}.out", lines=9, prefill=3, samples=(value,), unrecognised=1, note=value),)
    return bench_body(name, engine_rows(*lines_of(node)), workers_of(node, value), ledger, notes)


def hostile_report() -> BenchReport:
    """A run in which every text that comes from outside tries to run."""
    run = bench_run(
        9,
        name=HOSTILE_NODE,
        path=f"/data/{HOSTILE_NODE}",
        engine=HOSTILE_VALUE,
        topology=HOSTILE_VALUE,
        last_at=ENDED + dt.timedelta(hours=1),
        curves=(curve("output", title=HOSTILE_VALUE, unit=HOSTILE_VALUE),),
    )
    return with_report(run, HOSTILE_NODE, HOSTILE_VALUE, (HOSTILE_VALUE,))


def facts_of(*reports: BenchReport, notes: tuple[str, ...] = ()) -> SiteFacts:
    """The facts of a site that knows these runs."""
    return msgspec.structs.replace(FACTS, benches=reports, bench_notes=notes)


def write_bench_site(folder: Path, facts: SiteFacts) -> Path:
    """The pages of Benchmarks in ``folder`` with what they load; returns the first."""
    names = {*STYLES, *SCRIPTS}
    list_site(folder)
    for page in bench_pages(facts):
        names |= {*page.styles, *page.scripts} | ({BOKEH, "charts.js"} if page.charts else set())
        path = folder / page.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(page, facts), encoding="utf-8")
    for name in names:
        path = folder / "assets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(asset(name))
    return folder / "benchmarks.html"
