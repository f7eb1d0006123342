"""What a report hands to the workflow that runs it: outputs of the step, its summary, warnings of the run."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from trackside.agents.group_records import SuccessRate
from trackside.errors import OutputError
from trackside.records.alerts import Alert, AlertState
from trackside.report.safe_text import safe_text
from trackside.report.step_summary import CAP_BYTES

OUTPUT: Final = "GITHUB_OUTPUT"
SUMMARY: Final = "GITHUB_STEP_SUMMARY"
_TEXT: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY: Final = {**_TEXT, ":": "%3A", ",": "%2C"}


class Outputs(msgspec.Struct, frozen=True, kw_only=True):
    """The outputs of the step.

    ``total_runs`` are run attempts of the window; ``success_rate`` is in per cent, of those that ended with a verdict,
    empty where none did. ``has_changes``: the data file was written. ``status`` is that of the sync, ``calls`` what it
    asked GitHub.
    """

    total_runs: int
    success_rate: SuccessRate
    has_changes: bool
    status: str
    calls: int

    def values(self) -> dict[str, str]:
        """The outputs as text, by name."""
        rate = self.success_rate.rate
        return {
            "total_runs": str(self.total_runs),
            "success_rate": "" if rate is None else f"{100 * rate:.2f}",
            "has_changes": "true" if self.has_changes else "false",
            "status": self.status,
            "calls": str(self.calls),
        }


def write_outputs(path: Path, values: Mapping[str, str]) -> None:
    """Adds outputs to the file that GITHUB_OUTPUT names. Raises OutputError.

    Each value stands between delimiters that nobody can know before, so that no value ends early and sets another.
    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#multiline-strings
    """
    parts = []
    for name, value in values.items():
        delimiter = f"ends-{secrets.token_hex(16)}"
        parts.append(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")
    _append(path, "".join(parts), OUTPUT)


def write_summary(path: Path, markdown: str) -> None:
    """Adds Markdown to the file that GITHUB_STEP_SUMMARY names. Raises OutputError.

    GitHub shows nothing of a summary above 1 MiB: where others wrote so much that this does not fit, it is left out,
    and said so.
    """
    size = path.stat().st_size if path.is_file() else 0
    fits = size + len(markdown.encode()) + 1 <= CAP_BYTES
    _append(path, f"{markdown if fits else 'The summary of agent operations did not fit here.'}\n", SUMMARY)


def warning_lines(alerts: Iterable[Alert]) -> Iterator[str]:
    """A workflow command for each alert that is on, with which the run shows a warning.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-a-warning-message
    """
    for alert in alerts:
        if alert.state is AlertState.ON:
            title = _escaped(f"trackside alert {alert.kind.value}", _PROPERTY)
            yield f"::warning title={title}::{_escaped(safe_text(alert.text), _TEXT)}"


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)


def _append(path: Path, text: str, variable: str) -> None:
    try:
        with path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        msg = f"The file that {variable} names could not be written: {path}: {error.strerror or error}."
        raise OutputError(msg) from error
