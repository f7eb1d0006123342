"""The page on the site is true: parameters, settings, variables, paths of data, the address, bounds."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests.git_remote import ROOT
from tests.test_ci_docs import OPTION, options_of_help
from tests.workflow_steps import WORKFLOWS
from trackside.ci.recent_failures import MOST_FAILURES
from trackside.records.agent_rules import AlertRules
from trackside.settings import Settings, SiteSettings
from trackside.site.ci_jobs import MOST_JOB_PAGES
from trackside.site.home_status import Answer
from trackside.site.new_groups import NEW_FOR
from trackside.site.pages import NAMES, POLICY, Section, site_text
from trackside.site.perf_order import MOST_TESTS
from trackside.site.tables import MOST_WRITTEN, RESERVED

PAGE: Final = (ROOT / "docs" / "site.md").read_text(encoding="utf-8")
SECTIONS: Final = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", PAGE, re.MULTILINE))
CODE: Final = re.compile(r"`([^`]+)`")


def first_cells(title: str) -> list[str]:
    """The first cells of the rows of a section's table, without its heading."""
    return re.findall(r"^\| (?!---)(.*?) \|", SECTIONS[title], re.MULTILINE)[1:]


def words_of(title: str) -> str:
    return " ".join(SECTIONS[title].split())


def test_the_parameters_are_those_of_the_help() -> None:
    told = {option for cell in first_cells("Parameters") for option in OPTION.findall(cell)}
    assert told - {"--offline"} == options_of_help("trackside site build")  # which the help shows beside --sync


def test_every_page_is_told_with_its_file() -> None:
    told = [(cell.partition(",")[0], CODE.findall(cell)) for cell in first_cells("The pages")]
    assert told == [(NAMES[section], [section.value]) for section in Section]


def test_the_paths_of_data_are_those_that_pages_link_and_commands_print() -> None:
    paths = [CODE.findall(cell)[0] for cell in first_cells("Data for other tools")]
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/trackside/site").glob("*.py"))
    assert len(paths) == len(set(paths)) == 12
    for path in paths:
        assert path.removeprefix("data/") in sources, path
    schemas = {path.name for path in (ROOT / "docs" / "schemas").iterdir()}
    for path in paths:
        if path.startswith("data/ci-") or path in {"data/perf-changes.json", "data/benchmarks.json", "data/site.json"}:
            assert f"{Path(path).stem}.schema.json" in schemas


def test_the_names_in_the_address_are_those_of_the_script() -> None:
    told = {name for cell in first_cells("Finding things") for name in CODE.findall(cell)}
    assert told == {f"TABLE.{name}" for name in RESERVED} | {"TABLE.COLUMN"}
    assert f"the first {MOST_WRITTEN} rows" in words_of("Finding things")


def test_the_settings_are_read_as_they_stand() -> None:
    [text] = re.findall(r"^```toml\n(.*?)^```", SECTIONS["Settings"], re.DOTALL | re.MULTILINE)
    read = msgspec.convert(tomllib.loads(text), Settings)
    assert set(tomllib.loads(text)["site"]) == set(SiteSettings.__struct_fields__)
    assert (read.site.since, read.site.analyzer) == (SiteSettings().since, SiteSettings().analyzer)


def test_the_variables_are_those_of_the_workflow() -> None:
    workflow = (WORKFLOWS / "trackside-site.yml").read_text(encoding="utf-8")
    used = {*re.findall(r"vars\.(\w+)", workflow), *re.findall(r"secrets\.(\w+)", workflow)}
    told = {name for cell in first_cells("In a workflow") for name in CODE.findall(cell)}
    assert told == used
    defaults = dict(re.findall(r"^\| `(TRACKSIDE_SITE_\w+)` \| `([^`]*)` \|", SECTIONS["In a workflow"], re.MULTILINE))
    for name, default in defaults.items():
        assert f"vars.{name} || '{default}'" in workflow


def test_the_bounds_are_those_of_the_code() -> None:
    words = words_of("Window and bounds")
    assert f"{MOST_JOB_PAGES} pages of jobs and {MOST_TESTS} of tests" in words
    assert f"the newest {MOST_FAILURES:,} failures" in words
    assert f"{2 * AlertRules().interval_hours:g} hours where nothing is set" in words
    assert "2 * HOUR_MS * Number(document.body.dataset.intervalHours)" in site_text("site.js")
    for part in CODE.findall(words)[-1].split("; "):
        assert part in POLICY


@pytest.mark.parametrize("answer", [Answer.BAD, Answer.LOOK, Answer.FINE])
def test_the_answers_of_the_first_page_are_told(answer: Answer) -> None:
    assert f"*{answer.value}*" in SECTIONS["The pages"]
    assert f"new for {NEW_FOR.days * 24} hours" in words_of("The pages")


def test_the_page_stands_in_the_navigation_and_on_the_first_page() -> None:
    nav = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]
    assert "site.md" in {path for entry in nav for path in entry.values()}
    for page in (ROOT / "README.md", ROOT / "docs" / "index.md"):
        assert "site.md" in page.read_text(encoding="utf-8")


def test_every_picture_is_small_and_is_there() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    shown = {(page.parent / path).resolve() for page in pages
             for path in re.findall(r"!\[[^\]]+\]\(([^)]+\.png)\)", page.read_text(encoding="utf-8"))}  # fmt: skip
    assert shown
    for path in {*shown, *(ROOT / "docs" / "images").glob("*.png")}:
        assert 5_000 < path.stat().st_size <= 250_000, path
