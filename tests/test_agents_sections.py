"""The statistics of agent operations as tables, Markdown and CSV: windows, counts, unknowns and hostile names."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from rich.console import Console

from tests.agent_frames import a_step, an_agent_history, an_agent_run
from tests.history_frames import a_job
from trackside.agents.group_records import Statistics, Trend
from trackside.agents.statistics import statistics_of
from trackside.records.agent_rules import AgentRules, CostRate
from trackside.report.agents_csv import COLUMNS, agents_csv
from trackside.report.agents_sections import agents_sections
from trackside.report.agents_words import cost_words, duration_trend, success_trend
from trackside.report.sections import Section, section_markdown, section_parts

HOSTILE = "=1+1 \x1b[31m<svg onload=x> @everyone | #1 \u202e"
RATES = AgentRules(rates=(CostRate(per_minute=0.01, labels=("ubuntu-*",)),))


def sample() -> Statistics:
    """Four runs: two in which Claude worked, one that Copilot triggered, one of nobody, not over."""
    runs = [
        an_agent_run(0, agent="claude", agent_confidence=0.9),
        an_agent_run(1, "failure", agent="claude", agent_confidence=0.95, agent_source="workflow_uses"),
        an_agent_run(2, "cancelled", agent="copilot", agent_role="triggered_by", agent_source="actor"),
        an_agent_run(3, None),
    ]
    jobs = [a_job(run, "unit (0)", run["conclusion"]) for run in runs]
    steps = [a_step(job, 1, "Run tests", job["conclusion"], duration_s=100.0) for job in jobs[:3]]
    labels = {job["job_id"]: ("ubuntu-latest",) for job in jobs[:2]}
    return statistics_of(an_agent_history(runs, jobs, steps, labels=labels, rules=RATES))


def section(told: Statistics, title: str, top: int = 20) -> Section:
    return next(one for one in agents_sections(told, top) if one.title.startswith(title))


def cells(told: Statistics, title: str, name: str, top: int = 20) -> dict[str, Any]:
    one = section(told, title, top)
    row = next(row for row in one.rows if row[0] == name)
    return {heading: cell for place, (heading, cell) in enumerate(zip(one.headings, row, strict=True))
            if heading not in one.headings[:place]}  # fmt: skip


def table_of(told: Statistics) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(agents_csv(told))))


def test_all_runs_are_told_by_outcome_with_window_count_and_denominator() -> None:
    one = section(sample(), "Runs by outcome")

    assert one.rows == (
        ("succeeded", 1, "25.0 %"), ("failed", 1, "25.0 %"), ("cancelled", 1, "25.0 %"), ("in progress", 1, "25.0 %"),
        ("all", 4, "100.0 %"),
    )  # fmt: skip
    assert one.notes[:4] == (
        "Of 4 attempts of runs that began 2026-06-01 08:00 to 2026-06-01 11:00 UTC. Every attempt of a run counts: a "
        "re-run that succeeds takes no failure away.",
        "Success rate: 50.0 % (1 of 2; 9.5-90.5 %), of those that succeeded, failed, timed out or could not start.",
        "Duration: p50 15.0, p90 15.0, longest 15.0 minutes (of 3). Waiting for the first job: p50 0.5, p90 0.5, "
        "longest 0.5 minutes (of 4).",
        "Over time, the later half of the window beside the earlier one: duration (minutes) too few to tell; success "
        "too few to tell.",
    )
    assert one.notes[4] == "Runner minutes: 30.0. Estimated cost: USD 0.20; no rate of [[agents.rates]] fits 1 job."


def test_a_workflow_has_rate_interval_quantiles_counts_and_cost() -> None:
    row = cells(sample(), "By workflow", "PR Test")

    assert (row["Attempts"], row["Success"], row["95 %"], row["Of"]) == (4, "50.0 %", "9.5-90.5 %", 2)
    assert (row["p50"], row["p90"], row["Max"], row["Timed"], row["Waiting p50"]) == (15.0, 15.0, 15.0, 3, 0.5)
    assert (row["Duration Trend"], row["Runner"], row["Cost"]) == ("too few to tell", 30.0, "USD 0.20")


def test_an_agent_has_its_sources_confidence_and_other_parts_and_the_unattributed_are_shown() -> None:
    told = sample()

    claude, copilot = cells(told, "By agent", "claude"), cells(told, "By agent", "copilot")
    assert (claude["Worked In"], claude["Success"], claude["Of"]) == (2, "50.0 %", 2)
    assert (claude["Told By"], claude["Confidence"]) == ("step name 1, workflow uses 1", "0.90-0.95")
    assert (claude["Other Parts"], claude["Cost"]) == (None, "USD 0.20")
    assert (copilot["Worked In"], copilot["Other Parts"], copilot["Confidence"]) == (0, "triggered 1", "0.90")
    assert (copilot["Success"], copilot["p50"], copilot["Runner"], copilot["Cost"]) == (None, None, None, "not known")
    assert [row[0] for row in section(told, "By agent", 1).rows] == ["claude", "(unattributed)"]
    assert "Not listed: 1 of 2; --top or --format csv shows them." in section(told, "By agent", 1).notes


def test_the_slowest_steps_are_told_with_share_and_count() -> None:
    told = sample()

    row = cells(told, "Slowest steps", "PR Test / unit / Run tests")

    assert (row["Share"], row["p50"], row["Max"], row["Timed"], row["Of"]) == ("100.0 %", 100.0, 100.0, 3, 2)
    assert section(told, "Slowest steps").notes[0].startswith("Of 4 attempts of runs that began 2026-06-01 08:00 to ")
    assert "3 attempts of steps" in section(told, "Slowest steps").notes[0]


def test_without_steps_it_is_said_why() -> None:
    told = statistics_of(an_agent_history([an_agent_run(0, is_read=False)]))

    assert section(told, "Slowest steps").notes == ("No step is known: the jobs of these runs were not read.",)
    assert (
        "The jobs of 1 attempt are not in the store: they are in no minutes or cost."
        in agents_sections(told, 5)[0].notes
    )


def test_failed_jobs_are_told_with_their_first_failed_step() -> None:
    told = sample()
    lost = an_agent_run(0, "failure")
    no_step = a_job(lost, "unit", "failure", failed_step=None, failed_steps=[])

    rows = section(told, "Failed jobs").rows

    assert [row[1:6] for row in rows] == [("PR Test / unit (0)", 1, "failure", "Run tests", 1)]
    assert rows[0][7] == "claude"
    assert section(statistics_of(an_agent_history([lost], [no_step])), "Failed jobs").rows[0][4] == "no failed step"


def test_without_jobs_it_is_not_said_that_none_failed() -> None:
    unread = statistics_of(an_agent_history([an_agent_run(0, "failure", is_read=False)]))
    run = an_agent_run(0)

    assert section(unread, "Failed jobs").notes == ("No job is known: the jobs of these runs were not read.",)
    assert section(statistics_of(an_agent_history([run], [a_job(run, "unit")])), "Failed jobs").notes == (
        "No job failed.",
    )


def test_where_no_cost_is_known_there_is_no_column_of_costs() -> None:
    run = an_agent_run(0)
    told = statistics_of(an_agent_history([run], [a_job(run, "unit")]))

    assert [one.title for one in agents_sections(told, 5) if "Cost" in one.headings] == []
    assert len([one for one in agents_sections(sample(), 5) if one.headings[-1:] == ("Cost",)]) == 3
    assert all(len(row) == len(one.headings) for one in agents_sections(told, 5) for row in one.rows)
    assert agents_sections(told, 5)[0].notes[4] == (
        "Runner minutes: 10.0. Estimated cost: not known; no rate of [[agents.rates]] fits 1 job."
    )


def test_a_run_that_failed_without_a_job_is_said() -> None:
    told = statistics_of(an_agent_history([an_agent_run(0, "startup_failure", jobs=0)]))

    assert "1 attempt failed without any job, as with an invalid workflow file." in agents_sections(told, 5)[0].notes


def test_nothing_is_said_to_be_nothing_and_never_zero() -> None:
    told = statistics_of(an_agent_history([]))

    notes = agents_sections(told, 5)[0].notes

    assert notes[0].startswith("Of 0 attempts of runs, when they began is not told.")
    assert notes[1].startswith("Success rate: not known,")
    assert notes[2] == "Duration: not known. Waiting for the first job: not known."
    assert notes[4] == "Runner minutes: not known. Estimated cost: not known."
    assert all(not one.rows for one in agents_sections(told, 5))


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ("up", "↑ longer: 1.0 → 2.0"),
        ("down", "↓ shorter: 1.0 → 2.0"),
        ("flat", "→ no clear change"),
        ("unknown", "too few to tell"),
    ],
)
def test_trends_of_durations_are_words_and_arrows(direction: Any, expected: str) -> None:
    assert duration_trend(Trend(direction=direction, before=60.0, after=120.0), in_minutes=True) == expected


def test_trends_of_success_are_words_and_arrows() -> None:
    assert success_trend(Trend(direction="down", before=0.9, after=0.725)) == "↓ worse: 90.0 % → 72.5 %"
    assert success_trend(Trend(direction="up", before=0.5, after=1.0)) == "↑ better: 50.0 % → 100.0 %"


@pytest.mark.parametrize(
    ("cost", "expected"),
    [(None, "not known"), (0.0, "EUR 0.00"), (0.001, "below EUR 0.01"), (12.3, "EUR 12.30"), (1e6, "EUR 1,000,000.00")],
)
def test_a_cost_has_its_currency_and_is_not_known_where_no_rate_tells_it(cost: float | None, expected: str) -> None:
    assert cost_words(cost, "EUR") == expected


def test_the_table_has_a_row_for_each_group_and_unknown_is_empty() -> None:
    rows = table_of(sample())

    assert [row["group"] for row in rows] == [
        "all", "workflow", "agent", "agent", "unattributed", "job", "step", "workflow_day", "step_day",
    ]  # fmt: skip
    every, claude = rows[0], rows[2]
    assert (every["total"], every["success"], every["in_progress"], every["success_n"]) == ("4", "1", "1", "2")
    assert (every["run_n"], every["run_p50_s"], every["runner_minutes"]) == ("3", "900.0", "30.0")
    assert (every["cost"], every["currency"], every["jobs_without_rate"]) == ("0.2", "USD", "1")
    assert (claude["agent"], claude["roles"], claude["confidence_min"]) == ("claude", "ran 2", "0.9")
    copilot = rows[3]
    assert (copilot["total"], copilot["cost"], copilot["currency"], copilot["run_p50_s"]) == ("0", "", "", "")
    assert (rows[7]["day"], rows[7]["step"], rows[8]["step"]) == ("2026-06-01", "", "Run tests")
    assert tuple(rows[0]) == COLUMNS


def hostile() -> Statistics:
    run = an_agent_run(0, "failure", workflow=HOSTILE, workflow_file=HOSTILE, agent=HOSTILE, url=HOSTILE)
    jobs = [a_job(run, HOSTILE, "failure", job_id=number, url=HOSTILE) for number in range(3)]
    steps = [a_step(job, 1, HOSTILE, "failure") for job in jobs]
    rules = AgentRules(rates=(CostRate(per_minute=1.0),), currency=HOSTILE)
    return statistics_of(an_agent_history([run], jobs, steps, rules=rules))


@pytest.mark.parametrize("width", [None, 60, 200])
def test_no_name_acts_on_a_terminal(width: int | None) -> None:
    console = Console(width=width or 300, file=io.StringIO(), force_terminal=False)
    for part in section_parts("A heading", agents_sections(hostile(), 5), width):
        console.print(part, markup=False, highlight=False)

    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "svg" in shown


def test_no_name_is_html_a_mention_a_reference_or_a_cell_in_markdown() -> None:
    text = section_markdown("Agents", "A heading", agents_sections(hostile(), 5))

    assert "<svg" not in text
    assert "@everyone" not in text
    assert "\x1b" not in text
    rules = {line.count("|") for line in text.splitlines() if line.startswith("| ---")}
    assert {line.count("|") for line in text.splitlines() if line.startswith("|") and "onload" in line} <= rules


def test_no_spreadsheet_runs_a_name() -> None:
    text = agents_csv(hostile())

    cells_told = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert "\x1b" not in text
    assert not [cell for cell in cells_told if cell.startswith(("=", "+", "@", "\t"))]
    assert any(cell.startswith("'=1+1") for cell in cells_told)
