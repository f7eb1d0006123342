"""``ci_analyzer.py``, the established command of the CI monitor: the failure report of SGLang's newest runs."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import App, Parameter, validators

from trackside.cli.app import make_app, run
from trackside.cli.ci_failures import FailurePrint, report_of
from trackside.cli.ci_session import Asked, Source, open_session
from trackside.cli.github_options import Access, Saying, Window
from trackside.cli.options import FLAG, whole_number
from trackside.settings import Settings

PROGRAM: Final = "ci_analyzer.py"
_PRESET: Final = "sglang"
_EXAMPLES: Final = """Examples:
  ci_analyzer.py --token YOUR_GITHUB_TOKEN
  ci_analyzer.py --limit 1000 --output my_analysis.json
  ci_analyzer.py --repo OWNER/NAME --offline"""


def analyze(
    *,
    limit: Annotated[int, Parameter(converter=whole_number, validator=validators.Number(gte=1))] = 100,
    output: Path = Path("ci_analysis.json"),
    strict_compat: Annotated[bool, FLAG] = False,
    source: Source | None = None,
    access: Access | None = None,
    saying: Saying | None = None,
) -> int:
    """Print the failure report.

    Args:
        limit: Number of CI runs to analyze: the newest of all workflows, whatever their age.
        output: Output JSON file for detailed data.
        strict_compat: Count as it was always counted: latest attempts, failed runs only, steps by their names.
    """
    access = access or Access()
    access = replace(access, preset=access.preset or _PRESET)
    asked = Asked(source or Source(), Window(limit=limit), access, saying or Saying())
    session = open_session(asked, adapt=of_all_workflows, whole_past=True)
    made = FailurePrint(session, report_of(session, strict_compat=strict_compat))
    made.show("table")
    made.write(output)
    return session.end()


def of_all_workflows(settings: Settings) -> Settings:
    """The settings without a choice of workflows: this command always looked at all of them."""
    return msgspec.structs.replace(settings, sync=msgspec.structs.replace(settings.sync, workflows=()))


def analyzer_app() -> App:
    """The command; the preset is that of SGLang unless another is named."""
    app = make_app(PROGRAM, "Analyze the failures of SGLang's CI, or of another repository.")
    app.help_epilogue = _EXAMPLES
    app.default(analyze)
    return app


def main() -> None:
    """Runs the command and ends the process."""
    sys.exit(run(analyzer_app(), sys.argv[1:]))
