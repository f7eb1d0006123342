"""The page of the CI monitor is true: parameters, keys, causes, settings and the example."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from scripts.cli_docs import help_of
from scripts.schemas import schema_of
from tests.test_ci_analyzer import ESTABLISHED_KEYS, NEW_KEYS, RIGHT
from trackside.ci.patterns import PATTERNS, pattern_of
from trackside.records.failures import Cause
from trackside.settings import load_settings

PAGE: Final = (Path(__file__).parent.parent / "docs" / "ci.md").read_text(encoding="utf-8")
SECTIONS: Final = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", PAGE, re.MULTILINE))
OPTION: Final = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")


def first_cells(text: str) -> list[str]:
    """The first cell of each row of the tables of a text, headings left out."""
    rows = re.findall(r"^\| (.*?) \|", text, re.MULTILINE)
    return [cell for cell in rows if cell not in ("---", "parameter", "key", "cause", "category", "question")]


def options_of_help(command: str) -> set[str]:
    """The options in the help of a command, but those that every command has."""
    lines = re.findall(r"^│ (--\S+(?: -\w)?)", help_of(command), re.MULTILINE)
    return {option for line in lines for option in line.split()} - {"--help", "--version"}


@pytest.mark.parametrize(
    "title", ["Parameters", "Output", "Example", "Categories", "Patterns", "Troubleshooting",
              "Differences from the established scripts", "Set up in five minutes"],
)  # fmt: skip
def test_the_established_sections_are_there(title: str) -> None:
    assert SECTIONS[title].strip()


def test_the_parameters_are_those_of_the_help() -> None:
    table = SECTIONS["Parameters"].split("Of `ci_analyzer.py`")[0]
    assert {option for cell in first_cells(table) for option in OPTION.findall(cell)} == options_of_help(
        "trackside ci failures"
    )


def test_the_keys_are_those_of_the_schema() -> None:
    told = [key for cell in first_cells(SECTIONS["Output"]) for key in re.findall(r"`(\w+)`", cell)]
    schema = schema_of("ci-failures")
    of_document = schema["$defs"]["FailureDocument"]["properties"]
    assert sorted(told) == sorted(of_document)
    assert ESTABLISHED_KEYS | NEW_KEYS | {"verdicts", "failure_groups", "looked_at"} == set(of_document)


def test_every_cause_stands_in_the_table_with_its_pattern() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| ([\w ]+) \|$", SECTIONS["Patterns"], re.MULTILINE)
    assert dict(rows) == {cause.value: pattern_of(cause) for cause in Cause}
    assert {pattern for _, pattern in rows} == set(PATTERNS)


def test_the_example_is_what_the_command_prints() -> None:
    assert f"```text\n{RIGHT}```" in SECTIONS["Example"]


def test_the_settings_can_be_read(tmp_path: Path) -> None:
    [text] = re.findall(r"^```toml\n(.*?)^```", SECTIONS["Categories"], re.DOTALL | re.MULTILINE)
    (tmp_path / "trackside.toml").write_text(text, encoding="utf-8")
    rules = load_settings(tmp_path, {}).ci
    assert (rules.name, rules.categories[0].name, rules.patterns[0].cause) == ("Engine", "b200", Cause.CANCELLED)


def test_the_categories_of_the_preset_are_named() -> None:
    named = {name for cell in first_cells(SECTIONS["Categories"]) for name in cell.split(", ")}
    assert named == {rule.name for rule in load_settings(Path("/"), {}, "sglang").ci.categories}
