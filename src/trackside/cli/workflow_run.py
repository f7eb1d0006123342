"""What a command hands to the workflow that runs it, where one does."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trackside.cli.terminal import Terminal

if TYPE_CHECKING:
    from trackside.records.alerts import Alert


def hand_outputs(values: Mapping[str, str]) -> None:
    """Adds ``values`` to the outputs of the step, where this runs in one. Raises OutputError."""
    from trackside.report.agents_outputs import OUTPUT, write_outputs

    if path := os.environ.get(OUTPUT):
        write_outputs(Path(path), values)


def hand_summary(terminal: Terminal, markdown: str) -> None:
    """Adds Markdown to the summary of the step; where this runs in none, says so. Raises OutputError."""
    from trackside.report.agents_outputs import SUMMARY, write_summary

    if path := os.environ.get(SUMMARY):
        write_summary(Path(path), markdown)
    else:
        terminal.warn(f"--summary: {SUMMARY} names no file, as this is no step of a workflow; nothing was added.")


def hand_warnings(terminal: Terminal, alerts: Iterable[Alert]) -> None:
    """Shows the alerts that are on as warnings of the run, where this runs in GitHub Actions."""
    from trackside.report.agents_outputs import warning_lines

    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in warning_lines(alerts):
            # As it is: colours in front of it would hide the command.
            terminal.err.file.write(f"{line}\n")
