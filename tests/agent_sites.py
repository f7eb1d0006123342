"""The page of agents for tests: facts of literal histories, and the files of the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from tests.agent_frames import a_step, an_agent_history, an_agent_run
from tests.history_frames import HOUR, REPO, START, a_failure, a_job
from tests.site_samples import ATTACKS, HOME, PAGE, list_site
from trackside.agents.frames import ARTIFACT_COLUMNS, AgentHistory
from trackside.agents.knowledge import Entry, entries_of
from trackside.agents.signatures import SIGNATURE_VERSION, signature_of
from trackside.agents.statistics import statistics_of
from trackside.records.alerts import Alert, AlertKind, AlertState
from trackside.records.knowledge import KnowledgeEdit, LogChoice, Occurrence
from trackside.records.pulls import PullRequest
from trackside.records.sync_health import SyncHealth, SyncSummary
from trackside.report.agents_document import DataWindow
from trackside.site.agent_pages import agent_data, agent_pages
from trackside.site.facts import AgentFacts, HealthFacts, SiteFacts
from trackside.site.pages import SCRIPTS, STYLES, asset, render

UNTIL: Final = START + 3 * 24 * HOUR
STATES: Final = ("success", "failure", "cancelled", "skipped", "timed_out", None)
WORKFLOWS: Final = ("PR Test", "Claude", "Nightly")
BRANCHES: Final = ("main", "copilot/fix-1", "feature/decode")
AGENTS: Final = ("claude", "copilot", None)
EVENTS: Final = ("push", "pull_request", "schedule", "issues")
ACTORS: Final = ("alice", "Copilot")


def a_week(count: int = 60) -> AgentHistory:
    """Runs of three workflows, an hour apart: all states, agents, branches; every ninth is the second attempt of one.

    Runs 6, 12, … have three pull requests, every second other one has one; every fifth has an issue. The first third
    has jobs with steps.
    """
    runs = [_run(number) for number in range(1, count + 1)]
    jobs, steps, failures = [], [], []
    for run in runs:
        if run["run_number"] % 3 == 2 or run["conclusion"] is None:
            continue
        for name in ("build", "test (1)"):
            job = a_job(run, name, run["conclusion"] if name != "build" else "success")
            jobs.append(job)
            steps += [a_step(job, 1, "Set up"), a_step(job, 2, "Run tests", job["conclusion"], duration_s=300.0)]
            if job["conclusion"] == "failure":
                failures.append(a_failure(job))
    return an_agent_history(runs, jobs, steps, failures=failures)


def _run(number: int) -> dict[str, Any]:
    agent = AGENTS[number % 3]
    branch = BRANCHES[number % 3]
    return an_agent_run(
        number,
        STATES[number % len(STATES)],
        run_attempt=2 if number % 9 == 0 else 1,
        branch=branch,
        workflow=WORKFLOWS[number % 3],
        workflow_file=f".github/workflows/{WORKFLOWS[number % 3].lower().replace(' ', '-')}.yml",
        event=EVENTS[number % 4],
        triggering_actor=ACTORS[number % 2],
        agent=agent,
        **(
            {"agent_role": "triggered_by", "agent_source": "actor", "agent_confidence": 0.85} if number % 6 == 1 else {}
        ),
        pull_numbers=[11, 12, 13] if number % 6 == 0 else [number] if number % 2 == 0 else [],
        last_merged_pull=5 if branch == "main" and number % 2 else None,
        issue_numbers=[7] if number % 5 == 0 else [],
        issue_source="branch" if number % 5 == 0 else None,
    )


def pulls() -> dict[int, PullRequest]:
    """Pull requests 11 and 12; others are not known."""
    home = f"{HOME}/pull"
    return {
        11: PullRequest(repo=REPO, number=11, title="Speed up decoding", state="open", html_url=f"{home}/11"),
        12: PullRequest(
            repo=REPO, number=12, title="Mend the cache", state="closed", merged_at=START, html_url=f"{home}/12"
        ),
    }


def known_failures(
    history: AgentHistory, template: str = "AssertionError: <n> not greater than <n>"
) -> tuple[Entry, ...]:
    """One entry of all failures of the history, which people gave a title, and one that was resolved."""
    occurrences = []
    for job in history.history.jobs.filter(pl.col("outcome") == "failed").iter_rows(named=True):
        path = history.runs.filter(pl.col("run_id") == job["run_id"])["workflow_file"][0]
        conclusion = job["conclusion"]
        occurrences.append(
            Occurrence(
                repo=REPO,
                job_id=job["job_id"],
                run_id=job["run_id"],
                run_attempt=job["run_attempt"],
                version=SIGNATURE_VERSION,
                signature=signature_of(path, job["name"], "Run tests", conclusion),
                workflow=path,
                job=job["family"],
                step="Run tests",
                conclusion=conclusion,
                failed_at=job["completed_at"],
                choice=LogChoice.READ,
                fingerprint="f" * 16,
                template=template,
                cause="test",
                rule="pytest_failed",
                line="E   ModuleNotFoundError: No module named 'requests'",
                url=job["url"],
            )
        )
    edit = KnowledgeEdit(repo=REPO, entry_id="f" * 16, edited_at=START, title="Scheduler is unfair", note="Seen often.")
    return entries_of(occurrences, [edit])


def a_health(status: str = "ok") -> HealthFacts:
    """A sync that ended so, and an alert that is on."""
    newest = SyncSummary(
        sync_id="1", started_at=UNTIL, ended_at=UNTIL + HOUR, status=status, api="rest", duration_s=12.0, waited_s=0.0,
        calls=34, billed=34, failed_calls=2, runs_new=5, runs_changed=1, jobs_new=9, logs_new=0, parse_errors=0,
        completeness=0.985,
    )  # fmt: skip
    alert = Alert(
        repo=REPO, kind=AlertKind.SYNC_DURATION, state=AlertState.ON, text="The sync took 6 minutes.", since=UNTIL
    )
    return HealthFacts(health=SyncHealth(newest=newest, last=(newest,)), alerts=(alert,))


def agents_site(history: AgentHistory | None, **told: Any) -> SiteFacts:
    """A site with nothing but agents; ``told`` are ``pulls``, ``entries``, ``health`` and fields of the site."""
    beside = {name: told.pop(name) for name in ("pulls", "entries") if name in told}
    agents = None
    if history is not None:
        window = DataWindow(rule="runs created since 30d")
        agents = AgentFacts(history=history, statistics=statistics_of(history), window=window, **beside)
    base = {"repo": REPO, "home": HOME, "since": START, "until": UNTIL, "version": "1.0", "synced_at": UNTIL + HOUR}
    return SiteFacts(agents=agents, **{**base, **told})


def a_full_site(count: int = 60) -> SiteFacts:
    """A site on a week with everything that the page shows."""
    history = a_week(count)
    return agents_site(with_artifacts(history), pulls=pulls(), entries=known_failures(history), health=a_health())


def with_artifacts(history: AgentHistory, name: str = "logs") -> AgentHistory:
    """The history with an artifact of its first run."""
    row: Mapping[str, Any] = {
        "artifact_id": 5, "run_id": history.runs["run_id"][0], "name": name, "state": "listed", "created_at": START,
        "size_bytes": 12_345,
    }  # fmt: skip
    frame = pl.DataFrame([row], schema=ARTIFACT_COLUMNS)
    return AgentHistory(
        history=history.history,
        runs=history.runs,
        steps=history.steps,
        attributions=history.attributions,
        artifacts=frame,
        rules=history.rules,
    )


def a_hostile_site() -> SiteFacts:
    """A site in which every name, title and branch is an attack."""
    runs, jobs, steps, failures = [], [], [], []
    for number, attack in enumerate(ATTACKS, 1):
        told = dict.fromkeys(("workflow", "event", "triggering_actor", "title", "agent", "branch", "sha"), attack)
        run = an_agent_run(number, "failure", **{**told, "agent": attack or None, "branch": attack or "main"},
                           pull_numbers=[number], issue_numbers=[number], url="javascript:window.pwned=9")  # fmt: skip
        job = a_job(run, attack, "failure", runner_name=attack, url="javascript:window.pwned=9")
        runs.append(run)
        jobs.append(job)
        steps.append(a_step(job, 1, attack, "failure"))
        failures.append(a_failure(job, attack))
    history = an_agent_history(runs, jobs, steps, failures=failures)
    known = {
        number: PullRequest(repo=REPO, number=number, title=attack, state=attack, html_url="https://evil.example/x")
        for number, attack in enumerate(ATTACKS, 1)
    }
    entries = tuple(
        Entry(entry_id=attack or "none", template=attack, cause=attack, rule=attack, line=attack, count=1, title=attack,
              note=attack, fix=attack, link="https://evil.example", workflows={attack: 1}, agents={attack: 1})
        for attack in ATTACKS
    )  # fmt: skip
    return agents_site(with_artifacts(history, ATTACKS[0]), pulls=known, entries=entries, analyzer=ATTACKS[0])


def agent_files(facts: SiteFacts) -> dict[str, bytes]:
    """The files of agents alone, by path: the page, its data, and the scripts and styles that it names."""
    [page] = agent_pages(facts)
    names = {*STYLES, *SCRIPTS, *page.styles, *page.scripts}
    return {
        page.path: render(page, facts).encode(),
        **{f"data/{name}": content for name, content in agent_data(facts)},
        **{f"assets/{name}": asset(name) for name in names},
    }


def write_site(facts: SiteFacts, folder: Path) -> Path:
    """Writes the files of agents; returns the page."""
    for name, content in agent_files(facts).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    list_site(folder, PAGE)
    return folder / "agentops.html"


def established_document(now: dt.datetime, runs: int = 3) -> dict[str, Any]:
    """A file as the established dashboard's sync writes it: no version, no jobs, no sources."""
    told = [
        {
            "id": 19_000_000_000 + number, "run_number": number, "workflow_name": "Agent Evaluator",
            "workflow_file": "agent-evaluator.yml", "display_title": f"Evaluate {number}", "status": "completed",
            "conclusion": "success" if number % 2 else "failure", "created_at": f"2026-06-0{4 + number}T00:00:00Z",
            "updated_at": f"2026-06-0{4 + number}T00:00:13Z", "duration_seconds": 13.0,
            "html_url": f"{HOME}/actions/runs/{19_000_000_000 + number}",
            "run_started_at": f"2026-06-0{4 + number}T00:00:00Z", "triggering_actor": "github-actions[bot]",
            "event": "schedule", "head_branch": "main", "head_sha": "4dad8733", "agent_name": "users",
            "issue_number": 207, "pr_numbers": [207],
            "pull_requests": [{"number": 207, "url": f"https://api.github.com/repos/{REPO}/pulls/207"}],
        }
        for number in range(1, runs + 1)
    ]  # fmt: skip
    return {
        "last_updated": now.isoformat(timespec="microseconds"),
        "summary": {"total_runs": 125, "completed": 124, "in_progress": 1, "success": 96, "failure": 20,
                    "success_rate": 77.42, "avg_duration_seconds": 31.2, "recent_failures_24h": 1},
        "agent_workload": {"users": {"total": 47, "success": 40, "failure": 5, "in_progress": 0}},
        "workflow_stats": {"agent-evaluator.yml": {"total": 22, "success": 20, "failure": 2, "in_progress": 0,
                                                    "avg_duration": 14.5}},
        "recent_failures": told[1:2],
        "runs": told,
    }  # fmt: skip
