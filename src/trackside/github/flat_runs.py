"""Runs in the flat shape that dashboards of agent runs keep, one object for each.

It has the actor as a name, the workflow as a file name and the head commit by its first characters. What such a file
guesses (agents, issues, pull requests) is not read: it was mostly wrong.
"""

from __future__ import annotations

from typing import Final

import msgspec

from trackside.github import shapes
from trackside.github.json_items import ItemReader
from trackside.github.times import TimeReader, between
from trackside.github.workflow_paths import path_of_file
from trackside.records.runs import RunAttempt, Source

_FLAT: Final = ItemReader(shapes.FlatRun)


def flat_run(raw: bytes | msgspec.Raw, repo: str, where: str = "") -> tuple[RunAttempt, tuple[str, ...]]:
    """The run in ``raw`` and what had to be left out of it. Raises DecodeProblem where nothing is left."""
    run, bad = _FLAT.read(raw, where)
    times = TimeReader(where)
    started, updated = times.read(run.run_started_at, "run_started_at"), times.read(run.updated_at, "updated_at")
    record = RunAttempt(
        repo=repo,
        run_id=run.id,
        run_attempt=run.run_attempt or 1,
        source=Source.FILE,
        run_number=run.run_number,
        workflow_name=run.workflow_name,
        workflow_file=path_of_file(run.workflow_file, repo),
        display_title=run.display_title,
        event=run.event,
        status=run.status,
        conclusion=run.conclusion,
        created_at=times.read(run.created_at, "created_at"),
        run_started_at=started,
        updated_at=updated,
        duration_s=between(started, updated) if run.status == "completed" else None,
        head_branch=run.head_branch,
        head_sha=run.head_sha,
        triggering_actor=run.triggering_actor,
        html_url=run.html_url,
    )
    return record, (*bad, *times.problems)
