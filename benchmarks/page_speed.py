"""Figures of the report and of the commands' start: ``srtlog viz``, its page in a browser, ``--help``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.browser import browser
from benchmarks.commands import srtlog_command, trackside_command
from benchmarks.figures import Figure, median
from benchmarks.process_tree import measure

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_WAIT: Final = """async (what) => {
  const holders = () => [...document.querySelectorAll(".plot[data-chart]")];
  const onScreen = (box) => box.height > 0 && box.top < innerHeight && box.bottom > 0;
  const reached = {
    first: () => document.readyState === "complete" &&
      holders().filter((each) => onScreen(each.getBoundingClientRect())).every((each) => each.dataset.drawn),
    all: () => document.documentElement.dataset.ready === "yes",
  }[what];
  while (!reached()) await new Promise((next) => setTimeout(next, 5));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return holders().filter((each) => each.dataset.drawn).length;
}"""
"""Waits for the charts of the first screen, or all of them. Evaluated whole, as the page's policy asks."""


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
    for name, seconds, charts in _seconds_to_draw(report, max(runs, 3)):
        note = f"headless Chromium, {charts} charts drawn by then"
        figures.append(Figure(f"report opens, {name}", seconds, "s", 2.0, "2 s", note))
    return figures


def _seconds_to_draw(report: Path, runs: int) -> list[tuple[str, float, int]]:
    """Median seconds from navigation to the first screen's charts and to all charts, and how many were drawn.

    Empty where there is no browser.
    """
    with browser() as started:
        timed = [_open_once(started, report) for _ in range(runs)] if started else []
    if not timed:
        return []
    names = ("first screen", "all charts")
    return [(name, median(once[at][0] for once in timed), timed[-1][at][1]) for at, name in enumerate(names)]


def _open_once(started: Browser, report: Path) -> list[tuple[float, int]]:
    """Seconds since navigation and charts drawn, at the first screen and at the end."""
    context = started.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    began = time.monotonic()
    page.goto(report.resolve().as_uri())
    reached = []
    for what in ("first", "all"):
        charts = int(page.evaluate(_WAIT, what))
        reached.append((time.monotonic() - began, charts))
    context.close()
    return reached


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
