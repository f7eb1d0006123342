"""What a workflow is handed: outputs that no value can break out of, a summary that GitHub shows, warnings."""

from __future__ import annotations

from pathlib import Path

import pytest

from trackside.agents.group_records import SuccessRate
from trackside.errors import OutputError
from trackside.records.alerts import Alert, AlertKind, AlertState
from trackside.report.agents_outputs import Outputs, warning_lines, write_outputs, write_summary


def an_alert(text: str, state: AlertState = AlertState.ON) -> Alert:
    return Alert(repo="octo/engine", kind=AlertKind.FILE_SIZE, state=state, text=text)


def test_outputs_are_text_and_an_unknown_rate_is_empty() -> None:
    known = SuccessRate(successes=2, n=3, rate=2 / 3, low=0.2, high=0.9)
    told = Outputs(total_runs=3, success_rate=known, has_changes=True, status="ok", calls=12)
    assert told.values() == {
        "total_runs": "3", "success_rate": "66.67", "has_changes": "true", "status": "ok", "calls": "12",
    }  # fmt: skip
    none = Outputs(total_runs=0, success_rate=SuccessRate(), has_changes=False, status="failed", calls=0)
    assert (none.values()["success_rate"], none.values()["has_changes"]) == ("", "false")


def test_no_value_sets_another_output(tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.write_text("before=1\n")
    write_outputs(path, {"a": "1\nb=2\nends-0\nc<<EOF\nx\nEOF", "d": "4"})
    first, second, *_ = path.read_text().split("a<<")[1].splitlines()
    lines = path.read_text().splitlines()
    assert lines[0] == "before=1"
    assert (second, lines[-3].partition("<<")[0]) == ("1", "d")
    end = lines.index(first, 2)
    assert lines[2:end] == ["1", "b=2", "ends-0", "c<<EOF", "x", "EOF"]
    write_outputs(tmp_path / "again", {"a": "1"})
    assert first not in (tmp_path / "again").read_text()


def test_an_output_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="GITHUB_OUTPUT names could not be written"):
        write_outputs(tmp_path / "no" / "folder", {"a": "1"})


def test_a_summary_is_added_to_what_is_there_and_left_out_where_it_does_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    write_summary(path, "# One")
    write_summary(path, "# Two")
    assert path.read_text() == "# One\n# Two\n"
    write_summary(path, "x" * (1024 * 1024))
    assert path.read_text() == "# One\n# Two\nThe summary of agent operations did not fit here.\n"


def test_alerts_that_are_on_are_warnings_that_cannot_hold_another_command() -> None:
    alerts = [
        an_alert("100 % full:\n::error::x\r\x1b[31m"),
        an_alert("off", AlertState.OFF),
        an_alert("over", AlertState.RECOVERED),
        an_alert("?", AlertState.UNKNOWN),
    ]
    assert list(warning_lines(alerts)) == [
        "::warning title=trackside alert file_size::100 %25 full:\\n::error::x\\r\\x1b[31m"
    ]
