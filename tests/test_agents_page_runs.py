"""The rows of runs on the page of agents: their cells, and where these lead."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agent_sites import (
    pulls,
)
from tests.site_samples import HOME
from trackside.report.agents_run_records import DataPull, DataRun
from trackside.site.agent_run_rows import COLUMNS, run_cells, run_table
from trackside.site.tables import Cell


def a_data_run(**told: Any) -> DataRun:
    return DataRun(
        **{"id": 5, "run_number": 12, "run_attempt": 1, "status": "completed", "conclusion": "success", **told}
    )


def cells(run: DataRun) -> dict[str, Cell]:
    return dict(zip([one.key for one in COLUMNS], run_cells(run, HOME), strict=True))


def test_a_run_has_the_columns_of_the_page_in_their_order() -> None:
    assert [one.key for one in COLUMNS] == [
        "run", "detail", "workflow", "state", "agent", "event", "actor", "branch", "commit", "pr", "issue", "duration",
        "queue", "started", "run_id", "attempt", "title", "address",
    ]  # fmt: skip
    chosen = {one.key for one in COLUMNS if one.choices}
    assert [one.key for one in COLUMNS if not one.shown] == ["run_id", "attempt", "title", "address"]
    assert chosen == {"workflow", "state", "agent", "event", "actor", "branch", "pr", "issue", "started"}


def test_a_branch_and_a_commit_lead_to_their_pages() -> None:
    sha = "0123456789abcdef0123456789abcdef01234567"
    row = cells(a_data_run(head_branch="fix/a#b <x>", head_sha=sha[:8], head_sha_full=sha))

    assert row["branch"].url == f"{HOME}/tree/fix/a%23b%20%3Cx%3E"
    assert (row["commit"].text, row["commit"].url) == ("01234567", f"{HOME}/commit/{sha}")
    assert row["commit"].value == sha


@pytest.mark.parametrize(
    ("numbers", "text", "url", "more"),
    [
        ([], "none", None, []),
        ([11], "#11", f"{HOME}/pull/11", []),
        ([11, 12, 99], "#11", f"{HOME}/pull/11", ["#12", "#99"]),
    ],
    ids=["none", "one", "three"],
)
def test_pull_requests_are_told_with_number_link_state_and_title(
    numbers: list[int], text: str, url: str | None, more: list[str]
) -> None:
    known = pulls()
    told = tuple(
        DataPull(number=one, url=f"{HOME}/pull/{one}", state="open" if one in known else None,
                 title=known[one].title if one in known else None)
        for one in numbers
    )  # fmt: skip
    cell = cells(a_data_run(pull_requests=told))["pr"]

    assert (cell.text, cell.url, [one.text for one in cell.items]) == (text, url, more)
    if numbers:
        assert str(cell.note).startswith("open: Speed up decoding")
        assert [one.url for one in cell.items] == [f"{HOME}/pull/{one[1:]}" for one in more]


def test_the_pull_request_that_was_merged_last_is_told_apart_from_those_of_the_run() -> None:
    cell = cells(a_data_run(last_merged_pull=DataPull(number=5)))["pr"]

    assert (cell.value, cell.text, cell.note) == (None, "none", "last merged #5")


def test_no_pull_request_and_no_issue_are_saved_as_nothing() -> None:
    row = cells(a_data_run())

    assert [(row[key].value, row[key].text) for key in ("pr", "issue")] == [(None, "none")] * 2


@pytest.mark.parametrize(
    ("told", "text", "url"),
    [
        ({"branch_url": f"{HOME}/tree/main"}, "main", f"{HOME}/tree/main"),
        ({"branch_url": "https://github.com/Octo/Engine/tree/main"}, "main", f"{HOME}/tree/main"),
        ({"branch_url": "https://github.com/fork/engine/tree/main"}, "fork:main",
         "https://github.com/fork/engine/tree/main"),
        ({"branch_url": "https://ghe.example/fork/engine/tree/main"}, "fork:main",
         "https://github.com/fork/engine/tree/main"),
        ({"branch_url": "https://ghe.example/octo/engine/tree/main"}, "main", f"{HOME}/tree/main"),
        ({"event": "push"}, "main", f"{HOME}/tree/main"),
        ({"event": "pull_request"}, "?:main", None),
        ({"branch_url": "javascript:alert(1)"}, "?:main", None),
    ],
    ids=["ours", "ours-in-other-letters", "fork", "fork-elsewhere", "ours-elsewhere", "untold", "fork-gone", "bad"],
)  # fmt: skip
def test_a_branch_of_a_fork_is_not_ours_and_leads_to_the_fork(told: dict[str, Any], text: str, url: str | None) -> None:
    branch = cells(a_data_run(head_branch="main", **told))["branch"]

    assert (branch.value, branch.text, branch.url) == (text, text, url)


def test_an_attempt_leads_to_its_own_page_and_is_saved_with_id_number_title_and_address() -> None:
    row = cells(a_data_run(run_attempt=2, display_title="Mend the cache"))

    assert row["run"].url == f"{HOME}/actions/runs/5/attempts/2"
    assert [row[key].value for key in ("run_id", "attempt", "title", "address")] == [
        5, 2, "Mend the cache", f"{HOME}/actions/runs/5/attempts/2"
    ]  # fmt: skip
    assert cells(a_data_run(id=None))["address"] == cells(a_data_run(id=None))["run_id"] == Cell()


def test_an_agent_stands_with_its_part_source_and_confidence() -> None:
    told = cells(
        a_data_run(agent_name="copilot", agent_role="triggered_by", agent_source="actor", agent_confidence=0.85)
    )

    assert (told["agent"].text, told["agent"].note) == ("copilot", "triggered, actor, 0.85")
    assert cells(a_data_run())["agent"].text == "(unattributed)"


def test_attempts_and_issues_and_unknown_times_are_told() -> None:
    row = cells(
        a_data_run(run_attempt=3, issue_numbers=(7, 8), issue_source="branch", conclusion=None, status="queued")
    )

    assert row["run"].text == "#12 (3)"
    assert (row["issue"].text, row["issue"].url, row["issue"].note) == ("#7", f"{HOME}/issues/7", "branch")
    assert [one.text for one in row["issue"].items] == ["#8"]
    assert row["state"].value == "queued"
    assert (row["duration"].text, row["queue"].text, row["started"].text) == (None, None, None)
    assert row["detail"].url == "?run=5.3"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://evil.example/x", "http://github.com@evil.example/", None]
)
def test_an_address_elsewhere_gives_way_to_the_page_of_the_repository(url: str | None) -> None:
    row = cells(a_data_run(html_url=url, branch_url=url, commit_url=url, head_branch="main", head_sha="01234567",
                           pull_requests=(DataPull(number=3, url=url),)))  # fmt: skip

    assert row["run"].url == f"{HOME}/actions/runs/5/attempts/1"
    assert row["branch"].url == (None if url else f"{HOME}/tree/main")
    assert row["commit"].url == f"{HOME}/commit/01234567"
    assert row["pr"].url == f"{HOME}/pull/3"


def test_the_table_of_runs_keeps_the_newest_that_fit_and_counts_the_others() -> None:
    runs = [a_data_run(id=number) for number in range(100)]

    told = run_table(iter(runs), 100, HOME, most_bytes=4_000)

    assert 0 < len(told.runs) < 50
    assert told.table.left_out == 100 - len(told.runs)
    assert [run.id for run in told.runs] == list(range(len(told.runs)))


def test_of_very_many_runs_a_page_has_so_many_that_it_opens_soon() -> None:
    told = run_table((a_data_run(id=number) for number in range(30_000)), 30_000, HOME)

    assert (len(told.table.rows), told.table.left_out) == (1_500, 28_500)
    assert "data/agentops-runs.json" in told.table.left_out_why
