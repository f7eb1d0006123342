"""Names of any length: told in a length that a page can show, and two that differ stay two."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.agent_data import read_json, write_history
from tests.agent_frames import a_step, an_agent_history, an_agent_run
from tests.build_knowledge import an_occurrence
from tests.history_frames import a_job
from trackside.agents.bands import aggregates_of
from trackside.agents.frames import AgentHistory
from trackside.agents.knowledge import entries_of
from trackside.agents.shown_names import MOST_NAME, shown_name
from trackside.agents.statistics import statistics_of
from trackside.report.agents_csv import agents_csv
from trackside.report.agents_sections import agents_sections
from trackside.report.sections import section_markdown

LONG = "x" * 1_000_000


@pytest.fixture(scope="module")
def history() -> AgentHistory:
    """Two failed runs whose workflows, files, agents, jobs and steps differ in the last character of a megabyte."""
    names = (f"{LONG}1", f"{LONG}2")
    runs = [
        an_agent_run(n, "failure", workflow=name, workflow_file=f".github/workflows/{name}", agent=name)
        for n, name in enumerate(names, 1)
    ]
    jobs = [a_job(run, f"{LONG}{run['run_number']}", "failure") for run in runs]
    return an_agent_history(runs, jobs, [a_step(job, 1, f"{job['job']}", "failure") for job in jobs])


def test_a_name_of_usual_length_stays_as_it_is() -> None:
    assert shown_name("") == ""
    assert shown_name("n" * MOST_NAME) == "n" * MOST_NAME
    assert shown_name("n" * (MOST_NAME + 1)).startswith("n" * 200)


@given(st.text(st.characters(), min_size=0, max_size=20), st.text(st.characters(), min_size=0, max_size=20))
def test_names_are_short_and_differ_as_before(one: str, other: str) -> None:
    first, second = (shown_name(f"{LONG[:MOST_NAME]}{end}") for end in (one, other))
    assert max(len(first), len(second)) <= MOST_NAME
    assert (first == second) == (one == other)
    assert shown_name(first) == first


def test_groups_that_differ_beyond_what_is_shown_stay_apart(history: AgentHistory) -> None:
    told = statistics_of(history)
    for rows in (told.workflows, told.agents, told.jobs, told.steps, told.failed):
        assert len(rows) == 2
    assert len({row.workflow for row in told.steps}) == len({row.name for row in told.agents}) == 2
    assert {row.failed_step for row in told.failed} == {row.step for row in told.steps}
    assert len(aggregates_of(history, history.runs)) == 6


def test_places_of_a_known_failure_are_told_short() -> None:
    places = [an_occurrence(n, workflow=f"{LONG}{n}", job=LONG, step=LONG, signature=str(n)) for n in (1, 2)]
    (entry,) = entries_of(places, ())
    assert len(entry.workflows) == 2
    assert len(msgspec.json.encode(entry)) < 10_000


def test_no_output_holds_a_name_as_long_as_it_came(history: AgentHistory, tmp_path: Path) -> None:
    told = statistics_of(history)
    sections = agents_sections(told, 20)
    texts = [
        section_markdown("Agents", "what", sections),
        agents_csv(told),
        *(str(cell) for section in sections for row in section.rows for cell in row),
    ]
    path = tmp_path / "agentops-runs.json"
    write_history(path, history)
    texts += [one.read_text() for one in tmp_path.iterdir()]
    assert [len(text) for text in texts if LONG[:1_000] in text] == []
    assert all(f"## {section.title}" in texts[0] for section in sections if section.rows or section.notes)
    document = read_json(path)
    assert [len(document[name]) for name in ("workflow_stats", "agent_workload", "runs")] == [2, 2, 2]
    run = document["runs"][0]
    assert run["jobs"][0]["failed_step"] == run["jobs"][0]["steps"][0]["name"]
    assert run["workflow_name"] in {row["name"] for row in document["statistics"]["workflows"]}
    assert len(json.dumps(document)) < 100_000
