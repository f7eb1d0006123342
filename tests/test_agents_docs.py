"""The page of agent operations is true: parameters, signals, settings, variables, figures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests.git_remote import ROOT
from tests.test_ci_docs import OPTION, options_of_help
from trackside.agents.attribution import CONFIDENCE, ROLES
from trackside.agents.group_records import (
    FEW,
)
from trackside.agents.identities import TABLE
from trackside.records.agent_rules import AgentRules, AlertRules, Bands, LogBudget, OwnAgent
from trackside.records.alerts import AlertKind
from trackside.records.attribution import SignalKind
from trackside.settings import load_settings

PAGE: Final = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
SECTIONS: Final = dict(re.findall(r"^###? (.+)\n((?:(?!^###? ).*\n)*)", PAGE, re.MULTILINE))
ROW: Final = re.compile(r"^\| (`.*?) \| (.*) \|$", re.MULTILINE)
NAME: Final = re.compile(r"`(\w+)`")


def fields_of(*structs: type[msgspec.Struct]) -> set[str]:
    return {field.name for struct in structs for field in msgspec.structs.fields(struct)}


def names_in(title: str, columns: int = 1) -> set[str]:
    """The names in the first cells of the tables of a section."""
    rows = ROW.findall(SECTIONS[title])
    return {name for row in rows for cell in row[:columns] for name in NAME.findall(cell)}


def sections_with(words: str) -> str:
    return " ".join(SECTIONS[words].split())


@pytest.mark.parametrize(("title", "command"), [
    ("What is shown", "trackside agents report"), ("One run in depth", "trackside agents analyze"),
])  # fmt: skip
def test_the_parameters_are_those_of_the_help(title: str, command: str) -> None:
    cells = [cell for cell, _ in ROW.findall(SECTIONS[title])]
    told = {option for cell in cells for option in OPTION.findall(cell)}
    assert told - {"--no-jobs"} == options_of_help(command)  # which the help shows beside --jobs


def test_every_signal_stands_in_the_table_with_its_role_and_confidence_in_the_order_in_which_they_count() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| (\w+) \| ([\d.]+) \|$", SECTIONS["How agents are told"], re.MULTILINE)
    expected = [(kind.value, ROLES[kind].value, f"{CONFIDENCE[kind]:.2f}") for kind in CONFIDENCE]
    assert rows == expected
    assert {name for name, _, _ in rows} == {kind.value for kind in SignalKind}


def test_the_prefixes_of_branches_are_those_that_are_known() -> None:
    [row] = [line for line in SECTIONS["How agents are told"].splitlines() if line.startswith("| `branch`")]
    assert set(re.findall(r"`([a-z]+[/-])`", row)) == {prefix for agent in TABLE for prefix in agent.branch_prefixes}


def test_every_key_of_the_settings_is_told_with_its_default() -> None:
    assert names_in("Settings") == fields_of(AgentRules)
    for name, cell in re.findall(r"^\| `(\w+)` \| `(.+?)` \|", SECTIONS["Settings"], re.MULTILINE):
        value = getattr(AgentRules(), name)
        assert cell == (str(value).lower() if isinstance(value, bool) else value)
    assert names_in("Agents of your own") == fields_of(OwnAgent)
    assert set(re.findall(r"`(\w+)` \((\d+)\)", SECTIONS["Settings"])) == {
        (field.name, str(field.default)) for field in msgspec.structs.fields(Bands)
    }


def test_every_alert_and_its_key_stand_in_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", SECTIONS["Alerts"], re.MULTILINE)
    assert [name for name, _ in rows] == [kind.value for kind in AlertKind]
    assert {key for _, cell in rows for key in NAME.findall(cell)} == fields_of(AlertRules)
    for key, value in re.findall(r"`(\w+)`(?:, `\w+`)? \(([\d.]+)\)", SECTIONS["Alerts"]):
        last = "file_warning_share" if key == "file_larger_than_bytes" else key
        assert float(value) == getattr(AlertRules(), last)


def test_the_settings_in_the_text_can_be_read_and_hold_what_is_in_force(tmp_path: Path) -> None:
    blocks = re.findall(r"^ *```toml\n(.*?)^ *```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 4
    for text in blocks:
        (tmp_path / "trackside.toml").write_text(text, encoding="utf-8")
        rules = load_settings(tmp_path, {}).agents
        assert load_settings(tmp_path, {}) != load_settings(Path("/"), {})
        assert rules.logs == LogBudget()
    assert sorted(re.findall(r"^(\w+) = ", SECTIONS["Logs"].split("[agents.logs]")[1], re.MULTILINE)) == sorted(
        fields_of(LogBudget)
    )


def test_every_variable_of_the_workflows_is_told_and_told_at_their_top() -> None:
    told = {name for name in NAME.findall(SECTIONS["The workflows"]) if name.isupper()}
    for name in ("agentops-data-sync.yml", "agentops-log-analyzer.yml"):
        text = (ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8")
        used = set(re.findall(r"\b(?:vars|secrets)\.(\w+)", text))
        assert used <= told
        if "data-sync" in name:
            assert used == told
            comment = text.split("\nname:")[0]
            assert {one for one in used if one not in comment} == set()


def test_the_modes_of_publishing_are_those_of_the_workflow() -> None:
    text = (ROOT / ".github" / "workflows" / "agentops-data-sync.yml").read_text(encoding="utf-8")
    modes = set(re.findall(r"vars\.TRACKSIDE_PUBLISH == '([a-z-]+)'", text)) | {"none"}
    assert set(re.findall(r"^\| `([a-z-]+)` \|", SECTIONS["Publishing"], re.MULTILINE)) == modes


def test_the_figures_are_those_in_force() -> None:
    assert FEW == 3
    assert "fewer than three values are marked" in sections_with("Rates and times")
    kept = re.findall(
        r"store prune --keep (\d+)d", (ROOT / ".github/workflows/agentops-data-sync.yml").read_text("utf-8")
    )
    assert f"older than {kept[0]} days are removed" in sections_with("The store between runs")


def test_the_preset_has_the_six_workflows_and_fifty_runs_of_each() -> None:
    settings = load_settings(Path("/"), {}, "chained")
    assert len(settings.sync.workflows) == 6
    assert settings.sync.max_runs_per_workflow == 50
    assert [rate.labels for rate in settings.agents.rates] == [()]
