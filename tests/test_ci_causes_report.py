"""Verdicts and groups as they are shown: cut where asked, and harmless whatever a log or a name holds."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from msgspec.structs import replace

from tests.history_frames import a_failure, a_history, a_job, a_run
from trackside.ci.groups import FailureGroups, group_failures
from trackside.ci.verdicts import Verdicts, judge_failures
from trackside.report.ci_causes_blocks import block_lines, block_markdown, causes_markdown
from trackside.report.ci_causes_report import causes_csv, causes_json, causes_sections
from trackside.report.sections import section_parts

HOSTILE = "=1+1 \x1b[31m<img src=x onerror=y> @everyone | [a](http://evil) `x` \u202e\nnext"


def found(count: int = 1, **told: Any) -> tuple[Verdicts, FailureGroups]:
    """The causes of ``count`` jobs that each failed twice in a row on main, with an error of its own."""
    runs = [a_run(number, "failure" if number > 1 else "success") for number in (1, 2, 3)]
    jobs, failures = [], []
    for index in range(count):
        name = told.get("name", "unit") + (f" ({index})" if count > 1 else "")
        for run in runs:
            jobs.append(
                a_job(run, name, run["conclusion"], job_id=run["run_number"] * 1000 + index, url=told.get("url"))
            )
            if run["conclusion"] == "failure":
                line = told.get("line", "AssertionError: 1 != 2")
                failures.append(a_failure(jobs[-1], fingerprint=f"{index:016}", line_text=line, test=None, tests=[]))
    history = a_history(runs, jobs, failures=failures)
    return judge_failures(history), group_failures(history)


def shown(verdicts: Verdicts, groups: FailureGroups, top: int = 20) -> str:
    parts = section_parts("heading", causes_sections(verdicts, groups, top))
    return "\n".join(str(part) if isinstance(part, str) else "\n".join(_cells(part)) for part in parts)


def _cells(table: Any) -> list[str]:
    return [str(cell) for column in table.columns for cell in column.cells]


def test_the_blocks_of_the_failure_report_name_job_verdict_reason_and_group() -> None:
    lines = block_lines(*found(url="https://github.com/octo/engine/actions/runs/1/job/2"))
    assert lines[:3] == ["", "Verdicts:", "   1. PR Test / unit: code (2)"]
    assert lines[3].startswith("      The default branch fails in runs in a row: 2 runs since run #2 (")
    assert lines[4:7] == ["  Of 2 failed attempts: code 2.", "", "Failure Groups:"]
    assert lines[7] == "   1. AssertionError: 1 != 2: 2 times"
    assert lines[8].startswith(
        "      test, in 1 job on 1 branch line, 2026-06-01 10:10 to 2026-06-01 11:10 UTC: https://"
    )
    assert lines[8].endswith("/job/2#step:5:1")
    assert lines[9] == "  No report was made before: from the next one on, what is new is marked."


def test_what_is_not_listed_is_counted() -> None:
    verdicts, groups = found(5)
    for text in ("\n".join(block_lines(verdicts, groups, 2)), shown(verdicts, groups, 2)):
        assert "Not listed: 3 jobs; --top or --format json shows them." in text
        assert "Not listed: 3 groups; --top or --format json shows them." in text
        assert "unit (3)" not in text


def test_a_window_without_a_failure_says_so() -> None:
    history = a_history([a_run(1)], [a_job(a_run(1), "unit")])
    verdicts, groups = judge_failures(history), group_failures(history)
    assert "No job failed in the window." in shown(verdicts, groups)
    assert "No job failed in the window\\." not in "\n".join(block_markdown(verdicts, groups))
    assert json.loads(causes_json("octo/engine", verdicts, groups))["verdicts"]["failures"] == 0
    assert causes_csv(verdicts, groups).count("\n") == 0


def test_new_groups_are_marked_in_every_form() -> None:
    verdicts, groups = found()
    (group,) = groups.groups

    fresh = replace(groups, groups=(replace(group, is_new=True),), last_report_at=group.first.at)
    assert "   1. NEW AssertionError: 1 != 2: 2 times" in block_lines(verdicts, fresh)
    assert "1 group marked new: not seen before the last report." in shown(verdicts, fresh)
    assert "**new**" in causes_markdown("heading", verdicts, fresh, 20)


@pytest.mark.parametrize("url", [None, "https://github.com/x) <script>", "javascript:alert(1)"])
def test_hostile_names_and_lines_do_nothing_in_any_form(url: str | None) -> None:
    verdicts, groups = found(name=HOSTILE, line=HOSTILE, url=url)
    for text in ("\n".join(block_lines(verdicts, groups)), shown(verdicts, groups)):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\nnext" not in text
    for text in (causes_markdown(HOSTILE, verdicts, groups, 20), "\n".join(block_markdown(verdicts, groups))):
        assert "<img" not in text
        assert "@everyone" not in text
        assert "](http://evil" not in text
        assert "](javascript" not in text
        assert "<script>" not in text
    rows = list(csv.DictReader(io.StringIO(causes_csv(verdicts, groups))))
    assert all(not (cell or "").startswith(("=", "+", "@")) for row in rows for cell in row.values())
    assert causes_json("octo/engine", verdicts, groups).isascii()


def test_a_long_line_is_cut_in_tables_and_whole_in_json() -> None:
    verdicts, groups = found(line="x" * 500)
    assert "x" * 200 not in "\n".join(block_lines(verdicts, groups)[6:])
    assert json.loads(causes_json("octo/engine", verdicts, groups))["groups"]["groups"][0]["line_text"] == "x" * 500
