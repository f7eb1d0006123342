"""``ci_analyzer_perf.py``, the established command of the CI monitor: the performance of SGLang's newest runs."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter, validators

from trackside.cli.app import make_app, run
from trackside.cli.ci_session import Asked, Source
from trackside.cli.github_options import Access, Saying, Window
from trackside.cli.options import FLAG, whole_number
from trackside.cli.perf_report import FOLDER, PerfReport
from trackside.cli.perf_session import open_perf_session

PROGRAM: Final = "ci_analyzer_perf.py"
_PRESET: Final = "sglang"
_EXAMPLES: Final = """Examples:
  ci_analyzer_perf.py --token YOUR_GITHUB_TOKEN
  ci_analyzer_perf.py --limit 1000 --output-dir my_performance_data
  ci_analyzer_perf.py --repo OWNER/NAME --offline"""


def analyze(
    *,
    limit: Annotated[int, Parameter(converter=whole_number, validator=validators.Number(gte=1))] = 100,
    output_dir: Path = FOLDER,
    all_metrics: Annotated[bool, FLAG] = False,
    source: Source | None = None,
    access: Access | None = None,
    saying: Saying | None = None,
) -> int:
    """Collect the values of performance jobs and draw them.

    Args:
        limit: Number of PR Test runs to analyze: the newest, whatever their age.
        output_dir: Output directory for CSV tables and PNG charts.
        all_metrics: Draw a PNG of every metric, not of the established ones alone.
    """
    access = access or Access()
    access = replace(access, preset=access.preset or _PRESET)
    asked = Asked(source or Source(), Window(limit=limit), access, saying or Saying())
    session = open_perf_session(asked, whole_past=True)
    return PerfReport(session, output_dir, all_metrics=all_metrics, limit=limit).tell("table")


def analyzer_app() -> App:
    """The command; the preset is that of SGLang unless another is named."""
    app = make_app(PROGRAM, "Analyze the performance of SGLang's CI, or of another repository.")
    app.help_epilogue = _EXAMPLES
    app.default(analyze)
    return app


def main() -> None:
    """Runs the command and ends the process."""
    sys.exit(run(analyzer_app(), sys.argv[1:]))
