"""The page of agents as it is written: what it tells, of what, and where its links lead."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import polars as pl
import pytest

from tests.agent_frames import a_step, an_agent_history, an_agent_run
from tests.agent_sites import (
    BRANCHES,
    a_full_site,
    a_health,
    a_hostile_site,
    a_week,
    agent_files,
    agents_site,
    known_failures,
)
from tests.history_frames import HOUR, START, a_job
from tests.site_samples import HOME
from trackside.agents.group_records import Outcomes
from trackside.agents.outcome_counts import KINDS
from trackside.report.agents_words import OUTCOME_WORDS
from trackside.site.agent_figures import agent_table, outcomes_cell, workflow_table
from trackside.site.agent_pages import agent_pages
from trackside.site.agent_steps import BOTTLENECK, step_table, worst_of
from trackside.site.agent_trends import trend_document, trends_of
from trackside.site.facts import SiteFacts
from trackside.site.home_cards import home_cards
from trackside.site.tables import Cell, Table


class _Texts(HTMLParser):
    """What a reader without scripts sees, and every element that acts."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text.append(data)


def read(facts: SiteFacts) -> _Texts:
    page = _Texts()
    page.feed(agent_files(facts)["agentops.html"].decode())
    return page


def words(facts: SiteFacts) -> str:
    return " ".join(" ".join(read(facts).text).split())


def values(facts: SiteFacts) -> dict[str, Any]:
    [page] = agent_pages(facts)
    told: dict[str, Any] = page.values["told"]
    return told


def column(table: Table, key: str) -> list[Cell]:
    place = [one.key for one in table.columns].index(key)
    return [row[place] for row in table.rows]


def blocks(facts: SiteFacts) -> dict[str, Any]:
    text = agent_files(facts)["agentops.html"].decode()
    found = re.findall(r'<script type="application/json" id="([\w-]+)">(.*?)</script>', text, re.DOTALL)
    return {name: json.loads(body) for name, body in found}


def test_without_runs_the_page_says_what_to_do() -> None:
    assert "No run of agents is known. trackside sync reads the runs" in words(agents_site(None))


def test_the_figures_stand_in_the_page_with_what_they_are_of() -> None:
    kpis = {one.key: one for one in values(a_full_site())["kpis"]}

    assert list(kpis) == ["total", "completed", "in-progress", "agents-success", "success", "duration", "failures"]
    assert kpis["total"].value == "60"
    assert kpis["total"].basis == "60 attempts of 60 runs, created 2026-06-01 09:00 to 2026-06-03 20:00 UTC"
    assert (kpis["completed"].value, kpis["completed"].basis) == ("50", "of 60 attempts")
    assert kpis["in-progress"].basis == "of 60 attempts; not over: 10 in progress"
    assert kpis["success"].value == "33.3 %"
    assert re.fullmatch(r"95 % [\d.]+–[\d.]+ %; 10 of 30 that succeeded, failed, timed out or could not start",
                        kpis["success"].basis)  # fmt: skip
    assert kpis["duration"].basis.endswith("of 40 attempts that ran")
    assert kpis["failures"].basis == (
        "of 24 attempts created in the 24 h to 2026-06-03 20:15 UTC; 4 more timed out or could not start"
    )
    assert kpis["agents-success"].basis.endswith("in which an agent worked")
    assert [one.label for one in kpis.values() if "all runs" not in one.label.lower()] == [
        "Completed", "In progress", "Agents' success"
    ]  # fmt: skip
    shown = words(a_full_site())
    assert all(f"{one.label} {one.value} {one.basis}" in shown for one in kpis.values())


def test_unknown_figures_are_told_as_unknown_and_not_as_zero() -> None:
    kpis = {
        one.key: one for one in values(agents_site(an_agent_history([an_agent_run(1, None, duration_s=None)])))["kpis"]
    }

    assert kpis["success"].value == "unknown"
    assert kpis["duration"].value == "unknown"


def test_outcomes_of_workflows_and_agents_add_up_to_their_counts() -> None:
    told = agents_site(a_week()).agents
    assert told is not None
    for table, total in ((workflow_table(told.statistics), 60), (agent_table(told.statistics), None)):
        for row in table.rows:
            parts = [int(part.split()[0].replace(",", "")) for part in str(row[2].value or "0 -").split(", ")]
            assert sum(parts) == row[1].value
        if total is not None:
            assert sum(int(row[1].value or 0) for row in table.rows) == total


def test_every_kind_of_outcome_has_a_label_of_its_own() -> None:
    every = outcomes_cell(Outcomes(total=len(KINDS), **dict.fromkeys(KINDS, 1)))

    assert every.spoken == every.value
    assert str(every.text).startswith("✓ 1 ✗ 1 ")
    assert str(every.value).split(", ") == [f"1 {OUTCOME_WORDS[kind]}" for kind in KINDS]
    assert len(set(OUTCOME_WORDS.values())) == len(KINDS)


def test_workflows_are_told_with_rate_interval_times_queue_trends_minutes_and_cost() -> None:
    told = agents_site(a_week()).agents
    assert told is not None
    table = workflow_table(told.statistics)

    assert [one.key for one in table.columns] == [
        "workflow", "n", "outcomes", "success", "p50", "p90", "queue", "trend", "success-trend", "minutes", "cost",
        "last",
    ]  # fmt: skip
    [row] = [row for row in table.rows if row[0].value == "PR Test"]
    assert row[0].note == "pr-test.yml"
    assert re.fullmatch(r"[\d.]+–[\d.]+ % of \d+", str(row[3].note))
    assert row[4].text == "15.0"
    assert row[10].text is None  # no rate is set: unknown, not free


def test_agents_are_told_with_source_and_confidence_and_unattributed_has_a_row() -> None:
    told = agents_site(a_week()).agents
    assert told is not None
    table = agent_table(told.statistics)

    rows = {str(row[0].text): row for row in table.rows}
    assert list(rows)[-1] == "(unattributed)"
    claude = dict(zip([one.key for one in table.columns], rows["claude"], strict=True))
    assert claude["told"].text == "step name 20"
    assert claude["confidence"].text == "0.90"
    copilot = dict(zip([one.key for one in table.columns], rows["copilot"], strict=True))
    assert copilot["parts"].text == "triggered 10"
    assert copilot["confidence"].text == "0.85-0.90"
    assert rows["(unattributed)"][1].value == 20


def test_recent_failures_are_those_of_the_last_day() -> None:
    recent = values(a_full_site())["recent"]

    assert {cell.value for cell in column(recent, "state")} == {"failure"}
    assert len(recent.rows) == 4
    assert min(str(cell.value) for cell in column(recent, "started")) > "2026-06-02T20:15"


def test_a_planted_bottleneck_is_the_one_that_is_marked() -> None:
    runs = [an_agent_run(number) for number in range(1, 5)]
    jobs = [a_job(run, "test") for run in runs]
    steps = [
        a_step(job, number, name, duration_s=seconds)
        for job in jobs
        for number, (name, seconds) in enumerate([("Set up", 5.0), ("Build", 400.0), ("Test", 60.0)], 1)
    ]
    told = agents_site(an_agent_history(runs, jobs, steps)).agents
    assert told is not None
    table = step_table(told.statistics)

    assert [cell.text for cell in column(table, "step")] == ["Build", "Test", "Set up"]
    assert [cell.value for cell in column(table, "mark")] == [BOTTLENECK, None, None]
    assert [cell.text for cell in column(table, "share")] == ["86.0", "12.9", "1.1"]
    assert [cell.value for cell in column(table, "n")] == [4, 4, 4]


def test_steps_with_few_values_say_so() -> None:
    run = an_agent_run(1)
    job = a_job(run, "test")
    told = agents_site(an_agent_history([run], [job], [a_step(job, 1, "Test")])).agents
    assert told is not None

    assert column(step_table(told.statistics), "n")[0].note == "1 value: too few to tell"


def test_without_jobs_the_page_says_why_there_are_no_steps() -> None:
    shown = words(agents_site(an_agent_history([an_agent_run(1)])))

    assert (
        "No step is known: the jobs of these runs were not read. trackside sync without --no-jobs reads them." in shown
    )


def test_failed_steps_lead_to_their_lines_in_the_log() -> None:
    table = values(a_full_site())["step_failures"]

    assert table.rows
    for cell, job in zip(column(table, "step"), column(table, "job"), strict=True):
        assert re.fullmatch(re.escape(HOME) + r"/actions/runs/\d+/job/\d+", str(job.url))
        assert cell.url == f"{job.url}#step:2:1"
    assert {cell.value for cell in column(table, "conclusion")} == {"failure", "timed_out"}


def test_a_job_without_a_failed_step_is_told_as_such() -> None:
    run = an_agent_run(1, "failure")
    told = agents_site(an_agent_history([run], [a_job(run, "test", "failure", failed_step=None, failed_steps=[])]))

    assert column(values(told)["step_failures"], "step")[0].text == "no failed step"


@pytest.mark.parametrize(("told", "worst"), [({"success": 3, "failure": 1}, "failure"), ({"skipped": 2}, "skipped"),
                                             ({"cancelled": 1, "success": 1}, "cancelled"), ({}, None)])  # fmt: skip
def test_the_worst_end_of_a_step_is_what_it_can_be_filtered_by(told: dict[str, int], worst: str | None) -> None:
    assert worst_of(Outcomes(total=sum(told.values()), **told)) == worst


def test_the_newest_run_of_each_workflow_is_drawn_in_time() -> None:
    drawn = values(a_full_site())["waterfalls"]

    assert {one.title for one in drawn} == {"PR Test", "Claude"}
    [bars] = [one.bars for one in drawn if one.title == "PR Test"]
    assert [bar.name for bar in bars] == ["build", "test (1)"]
    assert all(bar.left == 0 and bar.width == 100 for bar in bars)
    assert [step.name for step in bars[0].steps] == ["Set up", "Run tests"]
    assert bars[0].steps[1].left == pytest.approx(100 * 10 / 600, abs=0.01)
    assert bars[0].steps[1].length == "5.0 min"


def test_jobs_that_came_by_webhook_alone_are_drawn_and_said_to_be_unconfirmed() -> None:
    run = an_agent_run(1, is_read=False)
    page = agents_site(an_agent_history([run], [a_job(run, "build")]))

    assert [one.title for one in values(page)["waterfalls"]] == [run["workflow"]]
    shown = words(page)
    assert "1 attempt is known from webhooks; its list of jobs is not confirmed." in shown
    assert "not in the store" not in shown


def test_the_success_of_agents_is_that_of_home() -> None:
    facts = a_full_site()
    [home] = [one for one in home_cards(facts) if one.label == "Agents' success"]
    [here] = [one for one in values(facts)["kpis"] if one.label == "Agents' success"]

    assert here.value == home.value != "unknown"
    assert str(home.basis).split(",")[0] in str(here.basis)


def test_trends_have_a_bucket_for_each_day_and_hour_with_runs_and_none_for_others() -> None:
    hours = [1, 3, 50, 71]
    runs = [an_agent_run(number, created_at=START + number * HOUR) for number in hours]
    jobs = [a_job(run, "test") for run in runs]
    history = an_agent_history(runs, jobs, [a_step(job, 1, "Test") for job in jobs])
    told = agents_site(history).agents
    assert told is not None

    drawn = trend_document(trends_of(history, told.statistics, START + 72 * HOUR))

    assert drawn["series"] == [["PR Test", None], ["PR Test", "test / Test"]]
    days = [(at, n, p50) for place, at, n, p50, *_ in drawn["days"] if place == 0]
    assert days == [("2026-06-04T00:00Z", 1, 900.0), ("2026-06-03T00:00Z", 1, 900.0), ("2026-06-01T00:00Z", 2, 900.0)]
    assert [at for place, at, *_ in drawn["hours"] if place == 0] == ["2026-06-04T07:00Z", "2026-06-03T10:00Z"]
    assert [at for place, at, *_ in drawn["hours"] if place == 1] == ["2026-06-04T07:00Z", "2026-06-03T10:00Z"]


def test_known_failures_stand_with_state_counts_and_what_mends_them_by_a_named_rule() -> None:
    facts = a_full_site()
    table = values(facts)["failures"]
    shown = words(facts)

    assert [cell.text for cell in column(table, "failure")] == ["Scheduler is unfair"]
    assert column(table, "state")[0].value == "open"
    assert column(table, "count")[0].value == 20
    [entry] = known_failures(a_week())
    first = entry.suggestions[0]
    assert column(table, "fix")[0].text == first.title
    assert str(column(table, "fix")[0].note).startswith(f"rule {first.rule_id}")
    assert first.text in shown
    assert f"rule {first.rule_id}" in shown


def test_opened_runs_have_their_jobs_failed_step_and_signature() -> None:
    facts = a_full_site()
    told = blocks(facts)
    details, context = told["agents-details"], told["agents-context"]
    failed = {key: job for key, one in details.items() for job in one["j"] if job[1] == "failure"}

    assert failed
    for job in failed.values():
        assert job[7] == "Run tests"
        assert context["signatures"][job[9]] == [1]
        assert context["failed_jobs"][str(job[5])] == 1
        assert [step[1] for step in job[10]] == ["Set up", "Run tests"]


def test_a_sync_that_was_not_complete_is_told_above_everything() -> None:
    facts = msgspec.structs.replace(a_full_site(), health=a_health("partial"))
    shown = words(facts)

    assert "The last sync was partial: some of what is shown may be missing." in shown
    assert "34 calls, 2 failed, 98.5 % of the selected attempts with their jobs" in shown
    assert "20 of 60 attempts are unattributed" in shown
    assert "The last sync was partial" not in words(a_full_site())


def test_alerts_that_are_on_stand_in_the_page() -> None:
    assert "sync duration on The sync took 6 minutes. since 2026-06-04 08:00 UTC" in words(a_full_site())
    assert "Nobody looked at them yet" in words(agents_site(a_week(6)))


def test_a_run_is_analysed_by_a_workflow_or_a_command_and_the_page_holds_no_token() -> None:
    facts = a_full_site()
    page = read(facts)
    shown = " ".join(" ".join(page.text).split())

    assert re.search(r"gh workflow run agentops-log-analyzer.yml -R octo/engine -f run_id=\d+", shown)
    links = [told.get("href") for tag, told in page.tags if tag == "a"]
    assert f"{HOME}/actions/workflows/agentops-log-analyzer.yml" in links
    assert "ghp_" not in agent_files(facts)["agentops.html"].decode()


def test_artifacts_are_shown_where_they_are_known_and_only_there() -> None:
    assert "Artifacts of runs, the newest first (1)" in words(a_full_site())
    assert values(agents_site(a_week(6)))["artifacts"] is None


def test_no_name_from_outside_becomes_an_element_or_an_address() -> None:
    facts = a_hostile_site()
    page = read(facts)

    assert not [tag for tag, _ in page.tags if tag in ("svg", "img", "iframe", "object")]
    scripts = [told for tag, told in page.tags if tag == "script"]
    assert all(told.get("type") == "application/json" or str(told.get("src")).startswith("assets/") for told in scripts)
    for tag, told in page.tags:
        assert not [name for name in told if name.startswith("on")]
        if tag == "a":
            href = str(told.get("href"))
            assert href.startswith((f"{HOME}/", "#", "?run=", "data/")) or re.fullmatch(r"[\w-]+\.html", href), href


def test_the_page_of_the_same_facts_is_the_same() -> None:
    assert agent_files(a_full_site())["agentops.html"] == agent_files(a_full_site())["agentops.html"]
    assert {row[7].value for row in values(a_full_site())["runs"].rows} == set(BRANCHES)


def test_a_week_of_every_state_holds_what_the_tests_need() -> None:
    states = a_week().runs.select(pl.coalesce("conclusion", "status"))
    assert states.to_series().n_unique() == 6
