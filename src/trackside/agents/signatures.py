"""A short name for a kind of failure that needs no log: equal for the same workflow, job, failed step and conclusion.

It is made of four things, in this order, with the version first: the file of the workflow (else its name), the name of
the job without matrix indices, the failed step, and the conclusion of the job. Of names what differs from run to run is
left out.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Final

from trackside.history.names import family_of
from trackside.history.outcomes import STEP_FAILURES
from trackside.records.jobs import Step

SIGNATURE_VERSION: Final = "1"
"""Raised where the same failure would get another signature: rows of another version are made anew from the jobs."""

_VARYING: Final = re.compile(
    r"\b\d{4}-\d\d-\d\d(?:[T _-]\d\d[:.-]\d\d(?:[:.-]\d\d)?(?:[.,]\d{1,9})?Z?)?\b"
    r"|\b(?=[0-9a-fA-F-]*\d)[0-9a-fA-F]{7,64}(?:-[0-9a-fA-F]{4,12}){0,4}\b"
    r"|\d{5,}"
)
"""Dates, hashes, UUIDs and long numbers: names may hold what a run was started with."""


def signature_of(workflow: str, job: str, step: str | None, conclusion: str) -> str:
    """16 hex digits for failures of ``step`` (None: no step failed) of ``job``, its name as GitHub tells it.

    Short numbers in the name of a step stay: ``part 1`` and ``part 2`` are two steps.
    """
    words = (
        SIGNATURE_VERSION,
        workflow,
        _lasting(family_of(job)),
        None if step is None else _lasting(step),
        conclusion,
    )
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:16]


def failed_step_of(steps: Sequence[Step]) -> str | None:
    """The name of the first step that failed, as ``history.jobs.failed_steps`` tells it; None where none did.

    Where no step says that it failed, the first that was cancelled or never ended stands for it: there the time ran
    out or the runner went away.
    """
    ordered = sorted(steps, key=lambda step: step.number)
    failed = [step.name for step in ordered if step.conclusion in STEP_FAILURES]
    stopped = [step.name for step in ordered if step.conclusion in (None, "cancelled") and step.started_at is not None]
    return next(iter((*failed, *stopped)), None)


def _lasting(name: str) -> str:
    return _VARYING.sub("…", name).strip()
