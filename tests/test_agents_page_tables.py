"""The tables of the page of agents: the order of their rows, what they show, and what takes no room."""

from __future__ import annotations

import msgspec
import pytest

from tests.agent_frames import a_step, an_agent_history, an_agent_run
from tests.agent_sites import a_week, agents_site, known_failures
from tests.history_frames import a_job
from tests.site_samples import HOME
from trackside.report.agents_run_records import DataRun
from trackside.site.agent_figures import workflow_table
from trackside.site.agent_known_failures import failure_groups
from trackside.site.agent_run_rows import run_table
from trackside.site.agent_steps import step_table
from trackside.site.tables import Cell, Table


def column(table: Table, key: str) -> list[Cell]:
    place = [one.key for one in table.columns].index(key)
    return [row[place] for row in table.rows]


def test_steps_stand_by_the_time_they_took_and_those_with_few_values_last() -> None:
    runs = [an_agent_run(number) for number in range(1, 5)]
    jobs = [a_job(run, "test") for run in runs]
    steps = [a_step(job, 1, "Short", duration_s=5.0) for job in jobs]
    steps += [a_step(job, 2, "Long", duration_s=60.0) for job in jobs]
    steps.append(a_step(jobs[0], 3, "Once", duration_s=4000.0))
    told = agents_site(an_agent_history(runs, jobs, steps)).agents
    assert told is not None
    table = step_table(told.statistics)

    assert [cell.text for cell in column(table, "step")] == ["Long", "Short", "Once"]
    assert [cell.value for cell in column(table, "total")] == [4.0, 0.33, 66.67]


def test_a_known_failure_shows_a_line_of_a_log_where_it_happened_and_its_cause_in_words() -> None:
    [entry] = known_failures(a_week())
    unread = msgspec.structs.replace(entry, title=None, template=None, cause=None, line=None)
    table = failure_groups([msgspec.structs.replace(entry, cause="gpu_memory"), unread])

    assert column(table, "failure")[0].note == entry.line
    assert column(table, "failure")[1].text == "claude.yml / Run tests (no log)"
    assert (column(table, "cause")[0].value, column(table, "cause")[0].text) == ("gpu_memory", "gpu memory")
    assert str(column(table, "where")[0].text).startswith("claude.yml (")
    assert str(column(table, "where")[0].text).endswith("×)")
    assert column(table, "id")[0].value == entry.entry_id


def test_columns_of_which_nothing_is_known_take_no_room() -> None:
    history = an_agent_history([an_agent_run(1)])
    told = agents_site(history).agents
    assert told is not None

    assert "cost" in [one.key for one in workflow_table(told.statistics).columns if not one.shown]


@pytest.mark.parametrize("issue", [None, 7], ids=["none", "one"])
def test_the_column_of_issues_is_shown_where_there_are_any(issue: int | None) -> None:
    table = run_table([DataRun(id=5, issue_number=issue)], 1, HOME).table

    assert ("issue" in [one.key for one in table.columns if one.shown]) == (issue is not None)
