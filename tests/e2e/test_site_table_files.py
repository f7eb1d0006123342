"""Files that readers save of the tables of the site."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.opened import Opened
from tests.site_samples import ATTACKS, hostile_table, run_row, runs_table, write_sample
from trackside.report.safe_text import csv_text

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e


def saved(page: Page, button: str, name: str) -> str:
    """What is saved with a button, which is a file of that name."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).first.click()
    assert waiting.value.suggested_filename == name
    return Path(waiting.value.path()).read_bytes().decode()


def csv_rows(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    assert text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("site"), [runs_table()])


def test_a_csv_file_has_every_row_that_is_left_in_its_order(browser: Browser, sample: Path) -> None:
    opened = Opened(browser, f"{sample.as_uri()}?runs.workflow=Lint&runs.sort=started")

    head, *rows = csv_rows(saved(opened.page, "Save as CSV", "runs.csv"))

    wanted = [run_row(at) for at in range(136, -1, -1) if at % 3 == 2]
    assert head == ["Run", "Workflow", "Status", "Branch", "Pull requests", "Duration (min)", "Started"]
    assert [row[0] for row in rows] == [row[0].value for row in wanted]
    assert [row[4] for row in rows] == ["; ".join(str(one.value) for one in row[4].items) for row in wanted]
    assert [float(row[5]) if row[5] else None for row in rows] == [row[5].value for row in wanted]
    assert [row[6] for row in rows] == [row[7].value for row in wanted]
    assert opened.faults == []


def test_a_json_file_has_the_values_of_the_rows_that_are_left(browser: Browser, sample: Path) -> None:
    page = Opened(browser, f"{sample.as_uri()}?runs.q=%239000").page

    told: list[dict[str, Any]] = json.loads(saved(page, "Save as JSON", "runs.json"))

    assert told == [
        {
            "run": "#9000",
            "workflow": "PR Test",
            "status": "success",
            "branch": "main",
            "pulls": None,
            "minutes": None,
            "started": "2026-10-20T12:00:00Z",
        }
    ]


def test_no_cell_of_a_csv_file_is_run_and_numbers_stay_numbers(browser: Browser, tmp_path: Path) -> None:
    page = Opened(browser, write_sample(tmp_path, [hostile_table()])).page

    _, *rows = csv_rows(saved(page, "Save as CSV", "hostile.csv"))

    assert [row[0] for row in rows] == [csv_text(attack) for attack in ATTACKS]
    assert [row[2] for row in rows] == [csv_text(f"{attack}; {attack}") for attack in ATTACKS]
    assert [float(row[4]) for row in rows] == [-at / 2 for at in range(len(ATTACKS))]
    assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for row in rows for cell in row)


def test_a_json_file_keeps_texts_as_they_are(browser: Browser, tmp_path: Path) -> None:
    page = Opened(browser, write_sample(tmp_path, [hostile_table()])).page

    told = json.loads(saved(page, "Save as JSON", "hostile.json"))

    assert [row["text"] for row in told] == list(ATTACKS)
    assert [row["many"] for row in told] == [[attack, attack] for attack in ATTACKS]
