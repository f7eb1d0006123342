"""The table of runs on the page of agents: a row for each attempt, out of the rows of the data file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple
from urllib.parse import quote

import msgspec

from trackside.history.runs import PULL_EVENTS
from trackside.report.agents_run_records import DataPull, DataRun
from trackside.report.agents_words import ROLE_WORDS, UNATTRIBUTED
from trackside.report.ledger import counted
from trackside.report.safe_links import link_within
from trackside.site.agent_figures import fitting, in_minutes
from trackside.site.tables import Cell, Column, Kind, Table, state_cell, text_cell, time_cell
from trackside.site.words import words

RUNS: Final = "runs"
MOST_ROWS: Final = 1_500
MOST_ROW_BYTES: Final = 2_500_000
"""Rows of runs that a page carries, and their bytes; older runs are in the data files. More would open later."""
LEFT_OUT: Final = "they are older; data/agentops-runs.json names the files that have them"
_HEAD: Final = re.compile(r"https?://[^/]+/([\w.-]+/[\w.-]+)/tree/", re.ASCII)
"""A page of a branch, which tells the repository that the branch is in."""

COLUMNS: Final = (
    Column(key="run", label="Run", about="Number of the run in its workflow, and its attempt"),
    Column(key="detail", label="Jobs", about="Jobs and steps of the attempt, and how to have its logs analysed"),
    Column(key="workflow", label="Workflow", choices=True),
    Column(key="state", label="State", kind=Kind.STATE, choices=True),
    Column(key="agent", label="Agent", choices=True, about="Its part, what told it, how sure that is"),
    Column(key="event", label="Event", choices=True),
    Column(key="actor", label="Actor", choices=True, about="Who started the attempt"),
    Column(key="branch", label="Branch", choices=True, about="With the owner of the repository, where it is a fork"),
    Column(key="commit", label="Commit"),
    Column(key="pr", label="PR", choices=True, about="Pull requests that the run is of"),
    Column(key="issue", label="Issue", choices=True),
    Column(key="duration", label="Duration", kind=Kind.NUMBER, unit="min", about="From its start to its end"),
    Column(key="queue", label="First job after", kind=Kind.NUMBER, unit="min", about="Until its first job began"),
    Column(key="started", label="Started", kind=Kind.TIME, unit="UTC", choices=True),
    Column(key="run_id", label="Run id", kind=Kind.NUMBER, shown=False),
    Column(key="attempt", label="Attempt", kind=Kind.NUMBER, shown=False),
    Column(key="title", label="Title", shown=False),
    Column(key="address", label="Address", shown=False),
)  # fmt: skip
RECENT_COLUMNS: Final = tuple(
    msgspec.structs.replace(column, choices=False)
    for column in COLUMNS
    if column.key in {"run", "workflow", "state", "agent", "branch", "commit", "pr", "started", "detail"}
    or not column.shown
)


class RunTable(NamedTuple):
    """The table, and the runs in it, the newest first."""

    table: Table
    runs: tuple[DataRun, ...]


def run_table(rows: Iterable[DataRun], total: int, home: str, most_bytes: int = MOST_ROW_BYTES) -> RunTable:
    """The newest of ``rows``, of which there are ``total``: MOST_ROWS, or as many as fit into so many bytes."""
    taken: list[DataRun] = []
    cells: list[tuple[Cell, ...]] = []
    for run in islice(rows, MOST_ROWS):
        row = run_cells(run, home)
        most_bytes -= len(msgspec.json.encode(row))
        if most_bytes < 0:
            break
        taken.append(run)
        cells.append(row)
    table = Table(
        key=RUNS,
        caption="Attempts of runs, the newest first",
        columns=fitting(COLUMNS, cells, "issue"),
        rows=tuple(cells),
        empty="No run is known. `trackside sync` reads them, `trackside site build` shows them.",
        order="-started",
        left_out=total - len(cells),
        left_out_why=LEFT_OUT,
    )
    return RunTable(table, tuple(taken))


def recent_table(runs: Sequence[DataRun], failures: int, home: str) -> Table:
    """The runs that failed in the last 24 hours, of ``failures``."""
    keys = [column.key for column in COLUMNS]
    places = [keys.index(column.key) for column in RECENT_COLUMNS]
    rows = [run_cells(run, home) for run in runs]
    return Table(
        key="recent",
        caption="Runs that failed in the last 24 hours",
        columns=RECENT_COLUMNS,
        rows=tuple(tuple(row[place] for place in places) for row in rows),
        empty="No run that was created in the last 24 hours failed.",
        order="-started",
        search=False,
        left_out=failures - len(rows),
        left_out_why="the newest are shown, the table of runs has all",
    )


def run_key(run: DataRun) -> str:
    """What stands for an attempt in an address: ``19250972881.1``."""
    return f"{run.id or 0}.{run.run_attempt or 1}"


def run_cells(run: DataRun, home: str) -> tuple[Cell, ...]:
    """The cells of an attempt, in the order of COLUMNS. ``home`` is the page of the repository."""
    return (
        _run(run, home),
        _detail(run),
        text_cell(run.workflow_name or run.workflow_file, note=run.display_title),
        state_cell(run.conclusion or run.status),
        _agent(run),
        text_cell(run.event),
        text_cell(run.triggering_actor or run.actor),
        _branch(run, home),
        _commit(run, home),
        _pulls(run, home),
        _issues(run, home),
        in_minutes(run.duration_seconds),
        in_minutes(run.queue_seconds),
        time_cell(run.run_started_at or run.created_at),
        Cell(value=run.id),
        Cell(value=run.run_attempt),
        Cell(value=run.display_title),
        Cell(value=_attempt_page(run, home)),
    )


def _page(url: str | None, home: str, path: str) -> str:
    """``url`` where it is on the host of the repository, else its own page of that path."""
    return link_within(url, home) or f"{home}/{path}"


def _run(run: DataRun, home: str) -> Cell:
    attempt = f" ({run.run_attempt})" if (run.run_attempt or 1) > 1 else ""
    number = run.run_number if run.run_number is not None else run.id
    return Cell(value=number, text=None if number is None else f"#{number}{attempt}",
                url=_attempt_page(run, home))  # fmt: skip


def _attempt_page(run: DataRun, home: str) -> str | None:
    """The page of this attempt: that of the run shows the newest."""
    if run.id is None:
        return None
    return f"{home}/actions/runs/{run.id}" + ("" if run.run_attempt is None else f"/attempts/{run.run_attempt}")


def _branch(run: DataRun, home: str) -> Cell:
    """The branch, of a fork ``owner:main``, as lines of CI are called; it leads to the repository that it is in."""
    if run.head_branch is None:
        return Cell()
    site, *own = home.rsplit("/", 2)
    head = _head_repository(run, "/".join(own))
    if head is None:
        return text_cell(f"?:{run.head_branch}")
    if head.lower() == "/".join(own).lower():
        return text_cell(run.head_branch, f"{home}/tree/{quote(run.head_branch)}")
    owner = head.partition("/")[0]
    return text_cell(f"{owner}:{run.head_branch}", f"{site}/{head}/tree/{quote(run.head_branch)}")


def _head_repository(run: DataRun, own: str) -> str | None:
    """The repository that the branch is in; None where it is not told: a fork that is gone, or no page of GitHub."""
    if run.branch_url is None:
        return None if run.event in PULL_EVENTS else own
    found = _HEAD.match(run.branch_url)
    return found[1] if found else None


def _commit(run: DataRun, home: str) -> Cell:
    sha = run.head_sha_full or run.head_sha
    if sha is None:
        return Cell()
    return Cell(value=sha, text=run.head_sha, url=_page(run.commit_url, home, f"commit/{quote(sha, safe='')}"))


def _agent(run: DataRun) -> Cell:
    if run.agent_name is None:
        return text_cell(UNATTRIBUTED, tone="quiet")
    return text_cell(run.agent_name, note=", ".join(_told_by(run)))


def _told_by(run: DataRun) -> Iterator[str]:
    if run.agent_role is not None:
        yield ROLE_WORDS.get(run.agent_role, run.agent_role)
    yield "not said how it was told" if run.agent_source is None else words(run.agent_source)
    if run.agent_confidence is not None:
        yield f"{run.agent_confidence:.2f}"


def _pulls(run: DataRun, home: str) -> Cell:
    """None, one with its state and title, or several."""
    pulls = run.pull_requests or tuple(DataPull(number=number) for number in run.pr_numbers)
    if not pulls:
        merged = run.last_merged_pull
        return Cell(text="none", note=None if merged is None else f"last merged #{merged.number}", tone="quiet")
    return Cell(
        value=pulls[0].number,
        text=f"#{pulls[0].number}",
        url=_page(pulls[0].url, home, f"pull/{pulls[0].number}"),
        note="; ".join(filter(None, (_pull_words(one, run) for one in pulls))) or None,
        items=tuple(
            Cell(value=one.number, text=f"#{one.number}", url=_page(one.url, home, f"pull/{one.number}"))
            for one in pulls[1:]
        ),
    )


def _pull_words(pull: DataPull, run: DataRun) -> str:
    title = None if pull.title == run.display_title else pull.title  # which stands in the row already
    return ": ".join(filter(None, (pull.state, title)))


def _issues(run: DataRun, home: str) -> Cell:
    numbers = run.issue_numbers or (() if run.issue_number is None else (run.issue_number,))
    if not numbers:
        return Cell(text="none", tone="quiet")
    cells = [Cell(value=number, text=f"#{number}", url=f"{home}/issues/{number}") for number in numbers]
    note = None if run.issue_source is None else words(run.issue_source)
    return msgspec.structs.replace(cells[0], note=note, items=tuple(cells[1:]))


def _detail(run: DataRun) -> Cell:
    text = "open" if run.job_count is None else counted(run.job_count, "job")
    return Cell(value=run.job_count, text=text, url=None if run.id is None else f"?run={run_key(run)}")
