"""Figures of the report and of the commands' start: ``srtlog viz``, its page in a browser, ``--help``."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.commands import srtlog_command, trackside_command
from benchmarks.figures import Figure, median
from benchmarks.process_tree import measure

_BROWSER_FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
_DRAWN: Final = """() => document.readyState === "complete" && (
  !window.Bokeh || (Bokeh.documents.length > 0 && Bokeh.documents.every((each) => each.is_idle)))"""


def report_figures(run_dir: Path, work_dir: Path, runs: int) -> list[Figure]:
    """Cost of one report of an already parsed run, its size, and how long a browser takes to draw it."""
    report = work_dir / "report.html"
    costs = [measure([*srtlog_command(), "viz", str(run_dir), "-o", str(report)]) for _ in range(runs)]
    if costs[-1].exit_code:
        sys.exit(f"srtlog viz ended with {costs[-1].exit_code}:\n{costs[-1].output[-2000:]}")
    figures = [
        Figure("viz, parsed run", median(cost.cpu_s for cost in costs), "CPU-s", 15.0, "15 CPU-s",
               f"wall {median(cost.wall_s for cost in costs):.1f} s"),
        Figure("memory of viz", max(cost.peak_bytes for cost in costs) / 1e6, "MB"),
        Figure("report size", report.stat().st_size / 1e6, "MB", 5.0, "5 MB"),
    ]  # fmt: skip
    opened = _seconds_to_open(report, max(runs, 3))
    if opened is not None:
        figures.append(
            Figure("report opens", opened, "s", 2.0, "2 s", "headless Chromium, until all charts are idle")
        )
    return figures


def _seconds_to_open(report: Path, runs: int) -> float | None:
    """Median seconds from navigation to charts drawn; None, said on stderr, where there is no browser."""
    browser_path = (
        shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    )
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        browser_path = None
    if browser_path is None:
        print("no Chromium or no playwright: the page is not opened", file=sys.stderr)
        return None
    seconds = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=list(_BROWSER_FLAGS))
        for _ in range(runs):
            context = browser.new_context(viewport={"width": 1400, "height": 900})
            page = context.new_page()
            began = time.monotonic()
            page.goto(report.resolve().as_uri())
            page.wait_for_function(_DRAWN, timeout=60_000)
            page.evaluate(
                "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
            )
            seconds.append(time.monotonic() - began)
            context.close()
        browser.close()
    return median(seconds)


def help_figures(runs: int) -> list[Figure]:
    """CPU of both ``--help`` beside an empty Python process."""
    commands = {
        "empty": [sys.executable, "-c", "pass"],
        "srtlog --help": [*srtlog_command(), "--help"],
        "trackside --help": [*trackside_command(), "--help"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(max(7, runs)):
        for name, command in commands.items():
            seconds[name].append(measure(command, memory=False).cpu_s)
    empty = median(seconds["empty"])
    return [
        Figure(name, median(values), "CPU-s", 20 * empty, f"20 x python -c pass = {20 * empty:.2f} s",
               f"{median(values) / empty:.1f} x")
        for name, values in seconds.items() if name != "empty"
    ]  # fmt: skip
